"""Checks a knowledge base, and repairs it."""
