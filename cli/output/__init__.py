"""What the command prints, for people and as JSON."""
