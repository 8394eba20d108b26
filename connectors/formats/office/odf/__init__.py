"""OpenDocument: its styles, its numbering, its paragraphs."""
