"""Measuring: collections of questions, the metrics of rankings, what they come to and how sure that is."""
