"""Rerankers: a heavier model orders the best hits."""
