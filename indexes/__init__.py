"""Indexes: keep text and find it again. One truth (the catalog), everything else rebuildable from it."""
