"""Every file below what an instructor points at: of which lesson it is, and where it is put, or why it is left out."""
