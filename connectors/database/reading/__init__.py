"""Reads rows in batches."""
