"""Renders rows and schemas as text."""
