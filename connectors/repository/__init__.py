"""A git repository as a source: its work tree, or what is committed in it; read as data, never obeyed."""
