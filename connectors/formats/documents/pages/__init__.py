"""Pages with text at positions, made paragraphs, headings and tables in the order in which people read them."""
