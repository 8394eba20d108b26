"""Hybrid retrieval: from a query to ranked hits."""
