"""Office files, PDF, books and mail."""
