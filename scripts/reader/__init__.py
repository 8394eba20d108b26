"""What the reader is trained with: see `scripts/train_reader.py`."""
