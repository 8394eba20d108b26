"""The black-box LLM: backends, replies, tokens, prices."""
