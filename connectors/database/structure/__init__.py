"""What is in a database: tables, columns, keys, and which of them are read."""
