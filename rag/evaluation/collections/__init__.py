"""Test collections and the files they come in."""
