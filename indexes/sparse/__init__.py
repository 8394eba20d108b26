"""The sparse index: BM25, with tantivy."""
