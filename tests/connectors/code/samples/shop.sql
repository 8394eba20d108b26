-- What the shop sells and who buys it.

SET search_path TO shop;

-- What a customer is about to buy.
CREATE TABLE IF NOT EXISTS shop.carts (
    id INTEGER PRIMARY KEY,
    note TEXT DEFAULT 'nothing; yet',
    customer INTEGER REFERENCES shop.customers (id)
);
CREATE INDEX carts_by_customer ON shop.carts (customer);

CREATE OR REPLACE VIEW totals AS
SELECT cart, SUM(price * 1.19) AS total
FROM items JOIN "Price list" ON items.code = "Price list".code
GROUP BY cart;

/* The sum of all prices,
   with the value-added tax. */
CREATE FUNCTION total(cart INTEGER) RETURNS NUMERIC AS $$
BEGIN
    RETURN (SELECT total FROM totals WHERE totals.cart = cart);
END;
$$ LANGUAGE plpgsql;

CREATE PROCEDURE ship(parcel INTEGER)
BEGIN
    UPDATE parcels SET sent = 1 WHERE id = parcel;
    IF parcel > 10 THEN
        DELETE FROM waiting;
    END IF;
    SELECT CASE WHEN 1 THEN 2 END;
END;

INSERT INTO shop.carts VALUES (1, 'x');
COPY items (code, price) FROM stdin;
1	it's
2	two; three
\.
SELECT * FROM totals;
