"""The process that runs one statement: connects, locks itself in, reads rows as far as the limits let it, and ends."""
