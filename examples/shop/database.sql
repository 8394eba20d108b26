-- Tidewater, a shop for diving gear. Plain enough for SQLite, PostgreSQL and MariaDB.

CREATE TABLE suppliers (
    id INTEGER PRIMARY KEY,
    name VARCHAR(80) NOT NULL,
    country VARCHAR(40) NOT NULL,
    delivery_days INTEGER NOT NULL
);

CREATE TABLE products (
    article_number VARCHAR(12) PRIMARY KEY,
    name VARCHAR(80) NOT NULL,
    category VARCHAR(40) NOT NULL,
    price NUMERIC(8, 2) NOT NULL,
    in_stock INTEGER NOT NULL,
    supplier_id INTEGER NOT NULL REFERENCES suppliers (id),
    description VARCHAR(400)
);

CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    name VARCHAR(80) NOT NULL,
    city VARCHAR(40) NOT NULL,
    customer_since DATE NOT NULL,
    password_hash VARCHAR(80)
);

CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    ordered_on DATE NOT NULL,
    status VARCHAR(20) NOT NULL
);

CREATE TABLE order_lines (
    order_id INTEGER NOT NULL REFERENCES orders (id),
    article_number VARCHAR(12) NOT NULL REFERENCES products (article_number),
    quantity INTEGER NOT NULL,
    unit_price NUMERIC(8, 2) NOT NULL,
    PRIMARY KEY (order_id, article_number)
);

CREATE TABLE refunds (
    id INTEGER PRIMARY KEY,
    order_id INTEGER NOT NULL REFERENCES orders (id),
    paid_on DATE NOT NULL,
    amount NUMERIC(8, 2) NOT NULL,
    reason VARCHAR(20) NOT NULL,
    remark VARCHAR(400)
);

INSERT INTO suppliers (id, name, country, delivery_days) VALUES
    (1, 'Aqualine Lda', 'Portugal', 9),
    (2, 'Nordisk Dykkerudstyr', 'Denmark', 4),
    (3, 'Blue Hole Trading', 'Malta', 14);

INSERT INTO products (article_number, name, category, price, in_stock, supplier_id, description) VALUES
    ('TW-1140', 'Manta wetsuit 3 mm', 'suits', 189.00, 12, 1, 'For summer water of 20 degrees and more. Back zip, sealed seams.'),
    ('TW-1142', 'Manta wetsuit 7 mm', 'suits', 289.00, 3, 1, 'For cold water down to 10 degrees, with a hood attached.'),
    ('TW-2001', 'Pilot mask', 'masks', 49.50, 40, 2, 'Low volume, tempered glass, takes corrective lenses.'),
    ('TW-2007', 'Pilot mask junior', 'masks', 34.50, 0, 2, 'The same for faces of children from eight years.'),
    ('TW-3310', 'Gannet fins', 'fins', 79.00, 18, 3, 'Long blades for free diving. Sold in pairs.'),
    ('TW-4400', 'Cormorant regulator', 'regulators', 419.00, 5, 2, 'Balanced first stage, cold-water kit included.');

INSERT INTO customers (id, name, city, customer_since, password_hash) VALUES
    (1, 'Marisol Quintero', 'Lisbon', '2019-03-02', '$2b$12$1LZhw1f5ACb3WkYv6TtrWe'),
    (2, 'Jonas Thorsen', 'Aarhus', '2021-07-19', '$2b$12$JH2mNq0w3k8sQv7bXx1yUu'),
    (3, 'Priya Raman', 'Valletta', '2024-01-30', '$2b$12$P0dC4v6Wn9yTz8rEe2fGhi');

INSERT INTO orders (id, customer_id, ordered_on, status) VALUES
    (1003, 2, '2026-02-11', 'delivered'),
    (1007, 1, '2026-03-04', 'refunded'),
    (1012, 3, '2026-04-22', 'delivered'),
    (1015, 1, '2026-05-09', 'waiting');

INSERT INTO order_lines (order_id, article_number, quantity, unit_price) VALUES
    (1003, 'TW-4400', 1, 419.00),
    (1003, 'TW-2001', 2, 49.50),
    (1007, 'TW-1140', 1, 189.00),
    (1012, 'TW-3310', 1, 79.00),
    (1015, 'TW-2007', 2, 34.50);

INSERT INTO refunds (id, order_id, paid_on, amount, reason, remark) VALUES
    (51, 1007, '2026-03-20', 160.65, 'opened', 'The seal of the bag was broken; the suit itself is as new.');
