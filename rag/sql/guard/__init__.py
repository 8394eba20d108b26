"""The guard: lets only a SELECT over allowed tables and columns through."""
