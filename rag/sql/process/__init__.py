"""The process that runs one statement: connects, confines itself, reads rows within the limits, and exits."""
