"""Bringing a knowledge base up to date with its sources."""
