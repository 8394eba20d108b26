"""The sparse index: BM25, by tantivy."""
