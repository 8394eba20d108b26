"""The reader: one small model that reads a question or a claim together with a passage."""
