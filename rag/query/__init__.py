"""Understanding a query: terms, names, symbols, spelling."""
