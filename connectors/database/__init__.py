"""Databases as sources: each row a document, and the schema too; read through connections that can only read."""
