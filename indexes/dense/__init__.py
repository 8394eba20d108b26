"""The dense index: nearest vectors, by FAISS."""
