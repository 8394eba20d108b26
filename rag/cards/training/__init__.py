"""Training a card: a small language model learns a domain's text."""
