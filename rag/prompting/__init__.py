"""Composing the prompt."""
