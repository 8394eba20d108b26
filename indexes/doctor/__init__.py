"""Examining a knowledge base, and mending it."""
