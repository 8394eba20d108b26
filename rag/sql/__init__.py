"""Answering from a database: a language model writes one SELECT, which is checked, run read-only, and cited."""
