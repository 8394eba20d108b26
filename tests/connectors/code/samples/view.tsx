import React from "react";

interface Props {
  items: string[];
}

/** All items of a cart, each in a row. */
export const Rows: React.FC<Props> = ({ items }) => {
  const rows = items.map((item) => <Row key={item} name={item} />);
  return <table>{rows}</table>;
};

export default function App() {
  return <Rows items={useItems()} />;
}
