"""Splits Documents into Chunks: passages that fit the encoder."""
