"""Rows and schemas as text."""
