"""The commands of `python -m autograde`, by who needs them."""
