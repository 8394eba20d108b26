"""Files and folders as a Source."""
