"""What a web page says: its content without the clutter, its tables, lists and equations as text."""
