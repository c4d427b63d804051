"""Read a submission as data: whatever state a submitted notebook is in, get its cells or a reason why not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat

from autograde.checking.cells import grade_id
from autograde.checking.syntax import parsed
from autograde.grader.ingest.formats import (
    escaped_text,
    loose_json,
    marimo_file,
    markdown_file,
    other_notebooks,
    script_file,
    without_outputs,
)
from autograde.grader.ingest.formats.kinds import is_script
from autograde.grader.ingest.formats.without_outputs import Span

MAX_BYTES = 20 * 2**20
MAX_CELLS = 2000
MARKED = re.compile(r"^# ?%%(?=[ \[\n]|\Z)", re.MULTILINE)  # not Colab's `# %%time`
BEHIND_A_MARK = re.compile(r"^(#[ \t]*(?:%%(?:[ \t]*\[\w+\])?|\+)).*$", re.MULTILINE)  # metadata, as in `# %% tags=["a"]`
FORM = re.compile(r"^#\s+format_name: (light|sphinx)$", re.MULTILINE)  # of jupytext's, which it writes above all
BEGINS = {
    "light": re.compile(r"^# \+|\n\n", re.MULTILINE),
    "sphinx": re.compile(r"^\"\"\"|^#{20,}", re.MULTILINE),
    "percent": re.compile(r"(?!)"),
}
DEFINES = re.compile(r"^(?:def|class) \w+", re.MULTILINE)
MAX_CODE = 2**19  # characters in all code cells: a whole lesson, solved, has less than a tenth of it

WRAPPERS, WRAPPED = ("content", "notebook", "data"), 3  # keys under which servers send a notebook, and how deep
BEFORE_IT = 4096  # characters

INSTEAD = {  # how what is saved under a notebook's name begins
    "<": "it is a web page: ask for the file itself, by GitHub's button *Download raw file* or Colab's *Download .ipynb*",
    "version https://git-lfs": "it is a pointer of Git LFS: ask for the file itself",
    "bplist00": "it is a placeholder of iCloud: ask for the file itself",
    "%pdf": "it is a PDF: ask for the notebook itself",
    "pk\3\4": "it is a document or an archive: ask for the notebook itself",
    "\ufffdpng": "it is a picture: ask for the notebook itself",
    "404": "it is what a server says instead of the file (404): ask for the file itself",
    "{\\rtf": "it is a document: ask for the notebook itself",
}


class Unreadable(ValueError):
    """The file holds no notebook; the message is the reason a student reads."""


@dataclass(frozen=True)
class RawCell:
    """A cell as it came: its kind (code, markdown or raw), its text, nbgrader's id, its tags and the notebook's own id of it, if they
    survived, the pictures that were put into it, by name, and where in the file its outputs stand."""

    kind: str
    source: str
    grade_id: str = ""
    tags: tuple[str, ...] = ()
    cell_id: str = ""
    attachments: Mapping[str, Any] = field(default_factory=dict, compare=False)
    outputs: Span = field(default=(0, 0), compare=False)


@dataclass
class RawNotebook:
    """A submission's cells, and what had to be repaired to get them; `in_pieces` when each is a statement or a text of a script, or
    a text of several cells."""

    cells: list[RawCell]
    repairs: list[str] = field(default_factory=list)
    in_pieces: bool = False
    python: str = ""  # the version of Python that the notebook says it was written with
    path: Path | None = None  # the file, in which the outputs are


def read(path: Path) -> RawNotebook:
    """The cells of an `.ipynb`, `.py` or Markdown file.

    Raises:
        Unreadable: with the reason, when there is nothing to grade.
    """
    text, repairs = _text(path)
    if not text.strip():
        raise Unreadable("the file is empty")
    notebook = _from_another_program(text) or (_from_markdown(text) if markdown_file.is_one(path) else None)
    notebook = notebook or (
        _from_script(text) if is_script(path.name) and not text.lstrip().startswith("{") or _is_code(path, text) else _from_notebook(text)
    )
    notebook.path = path
    notebook.repairs = repairs + notebook.repairs
    _few_enough(len(notebook.cells))
    if (size := sum(len(cell.source) for cell in notebook.cells if cell.kind == "code")) > MAX_CODE:
        raise Unreadable(f"the notebook has {size // 1024} KB of code; more than {MAX_CODE // 1024} KB are not read")
    if not any(cell.source.strip() for cell in notebook.cells):
        raise Unreadable("the notebook has no cells with text")
    return notebook


def _from_another_program(text: str) -> RawNotebook | None:
    """The cells of a project of Deepnote's or a script of Databricks'."""
    cells = other_notebooks.of_deepnote(text) or other_notebooks.of_script(text)
    return _of_cells(cells) if cells else None


def _of_cells(cells: list[tuple[str, str]]) -> RawNotebook:
    return RawNotebook([RawCell(kind, source) for kind, source in cells], ["the notebook came as another program keeps it"])


def _is_code(path: Path, text: str) -> bool:
    """Whether a file that is called a notebook or a text is a script: Python that defines something, a text also with mistakes."""
    if not DEFINES.search(text) or text.lstrip().startswith("{"):
        return False
    return path.suffix.lower() == ".txt" or parsed(text, script_file.MAX_PARSED) is not None


def _text(path: Path) -> tuple[str, list[str]]:
    """What a file holds without outputs, and without pictures where these are too large, and what was left out."""
    if not path.is_symlink() and not path.exists():
        raise Unreadable("the file is not there any more: it was taken away while the class was graded, so grade again")
    if path.is_symlink() or not path.is_file():
        raise Unreadable("this is not a regular file (links are not followed)")
    repairs: list[str] = []
    try:
        raw = without_outputs.read(path, MAX_BYTES, places=True)
    except without_outputs.TooLarge:
        raw = _without_pictures(path)
        repairs.append(f"its pictures have more than {MAX_BYTES // 2**20} MB and are left out; they are in the file that was handed in")
    return raw.decode(json.detect_encoding(raw), errors="replace").replace("\r\n", "\n").replace("\r", "\n"), repairs


def _without_pictures(path: Path) -> bytes:
    try:
        return without_outputs.read(path, MAX_BYTES, places=True, pictures=False)
    except without_outputs.TooLarge:
        raise Unreadable(f"the file has more than {MAX_BYTES // 2**20} MB without its outputs; more are not read") from None


def _few_enough(cells: int) -> None:
    """Before anything is done with each of them."""
    if cells > MAX_CELLS:
        raise Unreadable(f"the notebook has {cells} cells; more than {MAX_CELLS} are not read")


def _from_notebook(text: str) -> RawNotebook:
    repairs: list[str] = []
    if carried := escaped_text.plain(text):
        repairs.append("the notebook stood in its file as a page or a server writes it, and was read as it is meant")
    text = carried or text
    try:
        data = _unwrapped(_parsed(text, repairs), repairs)
    except (ValueError, RecursionError):
        data = _repaired(text, repairs)
    if isinstance(data, dict) and "worksheets" in data:
        data = _upgrade(data, repairs)
    if theirs := other_notebooks.of_json(data):
        return _of_cells(theirs)
    cells = data.get("cells") if isinstance(data, dict) else None
    if not isinstance(cells, list):
        raise Unreadable("the file is JSON, but not a notebook (it has no list of cells)")
    if any(isinstance(cell, dict) and _lines_have_no_ends(cell.get("source")) for cell in cells):
        repairs.append("the lines of cells had no ends, and were taken as lines")
    return RawNotebook([cell for cell in map(_cell, cells) if cell], repairs, python=python_of(data.get("metadata")))


def python_of(metadata: Any) -> str:
    """The version of Python that a notebook says it was written with; "" where it says none."""
    about = metadata.get("language_info") if isinstance(metadata, dict) else None
    version = about.get("version") if isinstance(about, dict) else None
    return version if isinstance(version, str) and re.fullmatch(r"\d{1,3}\.\d{1,3}(\.\d{1,3})?\w{0,9}", version, re.ASCII) else ""


def _parsed(text: str, repairs: list[str]) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise
        data = json.loads(text[: error.pos])
        if isinstance(data, (int, float)):  # a line of text that begins with a number
            raise
        repairs.append("what stood behind the notebook in its file was left out")
        return data


def _unwrapped(data: Any, repairs: list[str]) -> Any:
    """A notebook out of what it was sent in: a list of one, its JSON written as a string, or what Jupyter's server says of a file."""
    for _ in range(WRAPPED):
        inner = next((data[key] for key in WRAPPERS if isinstance(data.get(key), (dict, str))), None) if _has_no_cells(data) else None
        if isinstance(data, list) and len(data) == 1:
            inner = data[0]
        elif isinstance(data, str):
            inner = json.loads(carried) if (carried := escaped_text.plain(data) or data).lstrip().startswith("{") else None
        if inner is None:
            break
        data = inner
        repairs.append("the notebook stood inside other JSON")
    return data


def _has_no_cells(data: Any) -> bool:
    return isinstance(data, dict) and not {"cells", "worksheets"} & data.keys()


def _inside(text: str) -> Any:
    """The notebook that stands behind a few lines of something else, such as what a server or a chat says before it; None where none does."""
    start = text.find("{")
    if not 0 < start < BEFORE_IT:
        return None
    try:
        data, _ = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) and not _has_no_cells(data) else None


def _repaired(text: str, repairs: list[str]) -> Any:
    """The notebook of a file whose JSON somebody has edited by hand; else without the marks of a merge."""
    if data := _inside(text):
        repairs.append("what stood around the notebook in its file was left out")
        return data
    try:
        data = loose_json.read(text)
    except (ValueError, RecursionError):
        return _after_conflicts(text, repairs)
    repairs.append(
        "the file was no JSON as it should be (a comma too many, a comment, other quotes or line ends), and was read as it is meant"
    )
    return data


def _after_conflicts(text: str, repairs: list[str]) -> Any:
    """The notebook with the first side of every merge conflict, if that is what breaks it."""
    if "<<<<<<< " in text:
        try:
            data = json.loads(_first_sides(text))
        except (ValueError, RecursionError):
            pass
        else:
            repairs.append("merge conflicts were resolved to their first side")
            return data
    what = next((what for begins, what in INSTEAD.items() if text.lstrip().lower().startswith(begins)), None)
    if what is None and text.lstrip().startswith("{"):
        raise Unreadable("the file is not valid JSON (cut off or damaged); download the notebook again")
    raise Unreadable(f"the file is not a notebook ({what or 'it does not hold JSON'})")


def _first_sides(text: str) -> str:
    """Line by line: a pattern for a whole conflict would look for the end of each that has none, for hours."""
    kept, side = [], "both"
    for line in text.split("\n"):
        if line.startswith("<<<<<<< "):
            side = "first"
        elif side == "first" and (line == "=======" or line.startswith("||||||| ")):
            side = "other"
        elif side == "other" and line.startswith(">>>>>>> "):
            side = "both"
        elif side != "other":
            kept.append(line)
    return "\n".join(kept)


def _upgrade(data: dict[str, Any], repairs: list[str]) -> Any:
    """Without the outputs, each of which nbformat would look at for milliseconds."""
    try:
        cells = [cell for sheet in data["worksheets"] for cell in sheet["cells"]]
        _few_enough(len(cells))
        for cell in cells:
            if "outputs" in cell:
                cell["outputs"] = []
        upgraded = nbformat.reads(json.dumps(data), as_version=4)
    except Unreadable:
        raise
    except Exception as error:  # nbformat raises many kinds on damaged old notebooks
        raise Unreadable(f"the notebook is of an old format that cannot be read ({type(error).__name__})") from None
    repairs.append("the notebook was of format 3")
    return upgraded


def _cell(raw: Any) -> RawCell | None:
    """One cell, tolerant of missing and mistyped fields."""
    if not isinstance(raw, dict):
        return None
    source = raw.get("source", raw.get("input", ""))  # as format 3 calls it
    if isinstance(source, list):
        source = ("\n" if _lines_have_no_ends(source) else "").join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        return None
    metadata = _mapping(raw.get("metadata"))
    tags, cell_id = metadata.get("tags"), raw.get("id", metadata.get("id"))  # the latter is Colab's
    return RawCell(
        kind if (kind := raw.get("cell_type")) in ("code", "raw") else "markdown",
        source,
        grade_id(raw),
        tuple(t for t in tags if isinstance(t, str)) if isinstance(tags, list) else (),
        cell_id if isinstance(cell_id, str) else "",
        pictures(raw.get("attachments")),
        _span(raw.get("outputs")),
    )


def _lines_have_no_ends(source: Any) -> bool:
    """Whether a source is a list of lines without their ends, as some converters write it: in a notebook all but the last have one."""
    lines = [line for line in source if isinstance(line, str)] if isinstance(source, list) else []
    return len(lines) > 1 and not any("\n" in line for line in lines)


def _span(value: Any) -> Span:
    match value:
        case [int(start), int(end)] if 0 <= start < end:
            return start, end
    return 0, 0


def pictures(attachments: Any) -> dict[str, dict[str, str]]:
    """A cell's pictures, as far as they are some."""
    return {
        n: d
        for n, d in _mapping(attachments).items()
        if isinstance(n, str) and isinstance(d, dict) and d and all(isinstance(x, str) for x in (*d, *d.values()))
    }


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _from_markdown(text: str) -> RawNotebook:
    """A text with code between fences, whose texts may each be several cells'."""
    return RawNotebook(
        [RawCell(kind, source) for kind, source in markdown_file.cells(text)], ["the notebook came as a text"], in_pieces=True
    )


def _by_marks(text: str, form: str) -> RawNotebook:
    import jupytext  # for scripts only: it imports Jupyter's server

    try:
        cells = jupytext.reads(text, fmt=f"py:{form}").cells
    except RecursionError:
        raise Unreadable("the marks between its cells are nested too deeply to be read") from None
    except Exception:  # jupytext believes whatever stands behind a mark
        bare = BEHIND_A_MARK.sub(r"\1", text)
        if bare == text:
            raise Unreadable("the marks between its cells cannot be read") from None
        found = _by_marks(bare, form)
        return replace(found, repairs=[*found.repairs, "what stands behind the marks of its cells cannot be read and is left out"])
    return RawNotebook([RawCell(c.cell_type, script_file.called_cell(c.source), tags=_tags(c.metadata.get("tags"))) for c in cells])


def _tags(said: Any) -> tuple[str, ...]:
    return tuple(tag for tag in said if type(tag) is str) if type(said) is list else ()


def _from_script(text: str) -> RawNotebook:
    """A script: cells by their marks (VS Code, jupytext) or numbers (nbconvert), else one cell for each top-level piece (Colab's export)."""
    if len(text) > MAX_CODE:
        raise Unreadable(f"the script has {len(text) // 1024} KB; more than {MAX_CODE // 1024} KB are not read")
    if marimo_file.is_one(text):
        return RawNotebook(
            [RawCell(kind, source) for kind, source in marimo_file.cells(text)], ["the notebook came as a script of marimo's"]
        )
    form = "percent" if MARKED.search(text) else named[1] if (named := FORM.search(text[:BEFORE_IT])) else ""
    if form:
        _few_enough(len(MARKED.findall(text)) or len(BEGINS[form].findall(text)))
        return _by_marks(text, form)
    split = script_file.numbered if (whole := script_file.is_numbered(text)) else script_file.pieces
    return RawNotebook([RawCell(kind, piece) for kind, piece in split(text)], ["the notebook came as a script"], in_pieces=not whole)
