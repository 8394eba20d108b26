"""The verbs of `rag`, one per file."""
