"""The dense index: nearest vectors, with FAISS."""
