"""Tuning: fitting the ranking to questions of one's own, and keeping what others of them confirm."""
