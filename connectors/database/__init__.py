"""Databases as sources: every row and the schema become documents, read through read-only connections."""
