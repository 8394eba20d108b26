"""Reading rows in batches."""
