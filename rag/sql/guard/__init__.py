"""The guard: only a SELECT over allowed tables and columns gets through."""
