"""Words, sentences and near-duplicates."""
