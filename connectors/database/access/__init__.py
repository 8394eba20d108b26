"""Connects to a database: addresses, credentials, read-only connections."""
