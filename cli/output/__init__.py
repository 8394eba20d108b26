"""The output of the command, as text and as JSON."""
