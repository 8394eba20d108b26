"""What `extractive` quotes: the sentences of sources, and which of them are read out."""
