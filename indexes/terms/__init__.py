"""Text to terms: words, stems, names and their forms."""
