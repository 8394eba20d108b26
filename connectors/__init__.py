"""Connectors: read text. Sources yield Documents, and Documents become Chunks."""
