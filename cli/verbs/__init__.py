"""The verbs of `rag`, one a file."""
