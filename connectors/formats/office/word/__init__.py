"""WordprocessingML: the parts of a Word document."""
