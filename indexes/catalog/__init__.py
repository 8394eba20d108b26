"""The catalog: the single source of truth of a knowledge base."""
