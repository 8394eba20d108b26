"""Indexes: store text and find it again. The catalog is the single source of truth; all else is rebuilt from it."""
