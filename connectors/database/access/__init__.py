"""Reaching a database: addresses, credentials, read-only connections."""
