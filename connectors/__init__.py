"""Connectors: get text in. Sources become Documents, Documents become Chunks."""
