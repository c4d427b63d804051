"""Folders that programs make beside people's work: nobody's work lies in them."""

FOLDERS = {"__MACOSX", "__pycache__", ".git", ".venv", "venv", "site-packages", "node_modules", ".Trashes",
    "$RECYCLE.BIN", "RECYCLER", "System Volume Information", "lost+found", "@eaDir", "#recycle",
}  # fmt: skip
