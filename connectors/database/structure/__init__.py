"""The structure of a database: tables, columns, keys, and which of them are read."""
