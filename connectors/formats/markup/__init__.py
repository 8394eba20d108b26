"""Text formats: markup, data files, plain text."""
