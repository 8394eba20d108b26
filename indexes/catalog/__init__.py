"""The catalog: the one truth of a knowledge base."""
