"""Why a file that was handed in is not graded, and what to ask for instead."""

from __future__ import annotations

import re
from pathlib import Path

from autograde.files import opened
from autograde.grader.ingest.formats import archive, kinds
from autograde.grader.ingest.formats.kinds import Kind
from autograde.grader.ingest.found import graded_files
from autograde.grader.ingest.found.findings import File

NO_FILE = "a pipe or a device, not a file"
INSTEAD = "not a notebook: ask for the .ipynb file"
SMALL = 4096  # bytes
ADDRESS = re.compile(rb"\s*https?://\S+\s*|\s*\{[^{}]*\"url\"\s*:\s*\"https?://[^{}]*\}\s*")
SUGGESTIONS = {
    ".pdf": f"a PDF, {INSTEAD}",
    **dict.fromkeys((".html", ".htm", ".mhtml", ".mht", ".webarchive"), f"a page, {INSTEAD}"),
    **dict.fromkeys((".doc", ".docx", ".odt", ".rtf", ".pages", ".tex"), f"a document, {INSTEAD}"),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".heic", ".gif", ".bmp", ".tiff", ".webp", ".svg"), f"a picture, {INSTEAD}"),
    **dict.fromkeys((".mp4", ".mov", ".mkv", ".webm"), f"a film, {INSTEAD}"),
    **dict.fromkeys((".md", ".markdown", ".qmd", ".rmd", ".rst"), f"a text, {INSTEAD}"),
    **dict.fromkeys((".eml", ".emlx", ".msg", ".mbox"), "a mail: save the notebook that is attached to it"),
    ".icloud": "a placeholder of iCloud, whose file was never downloaded: ask for the .ipynb file",
    **dict.fromkeys((".001", ".002", ".003", ".z01", ".z02", ".z03"), "a part of an archive: ask for a .zip in one piece"),
    **dict.fromkeys((*kinds.UNREAD, ".dmg", ".zipx", ".cab"), "an archive of a kind that is not read: ask for a .zip or the .ipynb file"),
    **dict.fromkeys(kinds.LINKS, "the address of a notebook, not the notebook: ask for the .ipynb file"),
}


def why(kind: Kind, file: File) -> str:
    """The reason of a file that belongs to no lesson."""
    suffix = file.path.suffix.lower()
    if kind is Kind.NOTEBOOK:
        return "a notebook of no lesson that can be told: name it with --lesson"
    if kind is Kind.SCRIPT and kinds.is_script(file.path.name):
        return "a script of no lesson; beside a notebook it comes along"
    if graded_files.is_weights(file.path):
        return "weights under another name than a lesson's: rename it, such as to gpt.safetensors"
    if archive.is_pytorchs(file.path) or suffix in (".pt", ".pth", ".ckpt"):
        return graded_files.PYTORCHS
    if _is_address(file.path):
        return SUGGESTIONS[".url"]
    return SUGGESTIONS.get(kinds.archive_name(file.path) or suffix, "neither a notebook nor a script")


def _is_address(path: Path) -> bool:
    """Whether a small text holds nothing but a link, such as one to Colab."""
    try:
        return path.suffix.lower() in (".txt", ".json") and path.stat().st_size < SMALL and bool(ADDRESS.fullmatch(_content(path)))
    except OSError:
        return False


def _content(path: Path) -> bytes:
    with opened(path) as stream:
        return stream.read(SMALL)
