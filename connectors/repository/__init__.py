"""A git repository as a source: its work tree, or a commit. Its contents are only read, never executed."""
