"""Test collections and their file formats."""
