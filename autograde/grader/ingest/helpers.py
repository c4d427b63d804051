"""Scripts and notebooks that lie beside a notebook, also in folders there, which its cells may import or run: handed in with it, or beside it where
the student worked."""

from __future__ import annotations

import io
import math
import os
import re
import sys
import tokenize
from functools import lru_cache
from importlib import metadata
from pathlib import Path, PurePath

from autograde import layout
from autograde.files import opened
from autograde.grader.ingest.formats import kinds
from autograde.grader.ingest.formats.notebook_file import Unreadable, read
from autograde.grader.ingest.found.not_handed_in import OWN_FOLDERS
from autograde.grader.ingest.naming.names import readable
from autograde.grader.sandbox.bounded import TooMuch, bounded

MOST = 20
MAX_BYTES = 2**17  # of each script, and of a notebook's code
MAX_NOTEBOOK = 2**21  # bytes, outputs included
MAX_SUBMISSION = 20 * 2**20  # bytes in which a notebook's name is looked for
DEEPEST, MOST_FOLDERS = 3, 100  # folders in folders beside a notebook, and how many of them are looked into
OURS = {"utils", "autograde"}
FOLDER = re.compile(
    r"""(?:import|from)[ \t]+(\w{1,60})|["'/ \\](\w[\w-]{0,59})(?=[/"'\\.])"""
)  # `from src.helper`, `"src/helper.py"`, `append("src")`
RUNS = re.compile(r"""%run[ \t]+(?:-\w[ \t]+)*(?:\./)?(?:\\?["']([^"'\\\n]{1,100}\.ipynb)|([^\s"'\\]{1,100}\.ipynb))""")
IMPORTER = re.compile(r"import import_ipynb|import nbimporter|from ipynb\.|import ipynb|importnb")
IMPORTED = re.compile(r"(?:import|from) (?:ipynb\.fs\.\w+\.)?(\w{1,60})")
TEXT = re.compile(r"utf-8(-sig)?|ascii|iso-8859-\d+|cp125\d|latin-?\d|gbk|gb2312|gb18030|big5|shift[_-]jis|euc[_-]\w+|koi8-\w")


def beside(folder: Path, submission: str = "") -> list[Path]:
    """The scripts in a folder but the submission itself, and the notebooks that it runs, sorted: at most `MOST`, those that can be read."""
    return [path for path in _scripts(folder, submission) if not _unread(path)][:MOST]


def texts(folder: Path, paths: list[Path]) -> dict[str, str]:
    """Their texts by name, such as `helper.py` or `src/helper.py`, of notebooks their code; those that are no text any more are left out."""
    found = {named(folder, path): _code(path) if _is_notebook(path) else _text(path) for path in paths}
    return {name: text for name, text in found.items() if text is not None}


def named(folder: Path, path: Path) -> str:
    """What a script is called by the cells of a notebook that lies in `folder`."""
    return path.relative_to(folder).as_posix()


def folders_used(folder: Path, submission: str) -> set[str]:
    """The names that the notebook and the scripts beside it give to folders, in imports or paths."""
    scripts = [path for path in sorted(folder.glob("*.py"))[:MOST] if path.name == submission or _size(path) <= MAX_BYTES]
    try:
        return set(_folders_named([folder / submission, *scripts]))
    except TooMuch:
        return set()


def _size(path: Path) -> float:
    try:
        return path.stat().st_size
    except OSError:
        return math.inf


@bounded()
def _folders_named(files: list[Path]) -> list[str]:
    return sorted({name for path in files for found in FOLDER.findall(_looked_through(path)) for name in found if name})


def _looked_through(path: Path) -> str:
    try:
        with opened(path) as stream:
            return stream.read(MAX_SUBMISSION).decode(errors="replace")
    except OSError:
        return ""


def runs(submission: Path) -> re.Pattern[str]:
    """What the names of the notebooks, without their folders, match that a submission runs or imports; its text is looked through, not read."""
    try:
        names = _run_or_imported(submission)
    except TooMuch:
        names = []
    return re.compile("|".join(rf"{re.escape(name)}\.ipynb" for name in names) or r"(?!)")


@bounded()
def _run_or_imported(submission: Path) -> list[str]:
    text = _looked_through(submission)
    names = [name for pair in RUNS.findall(text) for name in pair if name]
    if IMPORTER.search(text):
        names += IMPORTED.findall(text)
    return sorted({PurePath(name).name.removesuffix(".ipynb") for name in names})[: 10 * MOST]


def told(folder: Path, submission: str = "") -> tuple[str, ...]:
    """What a student should know of the scripts in a folder: each that cells cannot import here, by its name, and why."""
    scripts = _scripts(folder, submission)
    reasons = {name: why_not(path, name) for path in scripts for name in [named(folder, path)]}
    notes = [f"{readable(name)} beside the notebook is not taken: {why}" for name, why in reasons.items() if why]
    if (count := len(scripts) - sum(map(bool, reasons.values()))) > MOST:
        notes.append(f"{count} scripts lie beside the notebook, and only the first {MOST} by name are taken")
    return tuple(notes[:MOST])


def why_not(path: Path, name: str) -> str:
    """Why cells cannot import the script at `path`, which was handed in as `name`; "" where they can."""
    return _unread(path) or ("" if "/" in name else _taken(Path(name).stem))


def _scripts(folder: Path, submission: str) -> list[Path]:
    try:
        scripts = [path for path in folder.glob("*.py") if path.name != submission]
        notebooks = [path for path in folder.glob("*.ipynb") if path.name != submission]
    except OSError:
        return []
    scripts += _in_folders(folder, submission)
    notebooks += _in_folders(folder, submission, ".ipynb")
    run = runs(folder / submission) if notebooks and submission else None
    return sorted([*scripts, *(path for path in notebooks if run and run.fullmatch(path.name))])[: 10 * MOST]


def _in_folders(folder: Path, submission: str, ending: str = ".py") -> list[Path]:
    """The scripts in folders beside a notebook that it gives a name to; the course's own, which some hand in, too, are none."""
    found: list[Path] = []
    if not submission or not any(path.is_dir() and _is_looked_into(path.name) for path in folder.iterdir()):
        return []
    used = folders_used(folder, submission)
    for number, (where, folders, files) in enumerate(os.walk(folder)):
        depth = len(Path(where).relative_to(folder).parts)
        folders[:] = [name for name in sorted(folders) if _is_looked_into(name) and (depth or name in used)] if depth < DEEPEST else []
        found += [Path(where, name) for name in sorted(files) if depth and name.endswith(ending)]
        if number >= MOST_FOLDERS or len(found) > 10 * MOST:
            break
    return [path for path in found if not (layout.ROOT / named(folder, path)).exists()]


def _is_looked_into(name: str) -> bool:
    return not name.startswith(".") and name not in OWN_FOLDERS and name not in kinds.SYSTEM_FOLDERS


def _unread(path: Path) -> str:
    try:
        if path.is_symlink():
            return "it is a link; links are not followed"
        if not path.is_file():
            return "it is no file"
        most = MAX_NOTEBOOK if _is_notebook(path) else MAX_BYTES
        if path.stat().st_size > most:
            return f"it has more than {most >> 10} KiB"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return "" if _is_notebook(path) or _text(path) is not None else "it cannot be read as UTF-8 text; save it as UTF-8"


def _is_notebook(path: Path) -> bool:
    return path.suffix == ".ipynb"


def _code(path: Path) -> str | None:
    """The code of a notebook as one script."""
    try:
        code = "\n\n".join(cell.source for cell in read(path).cells if cell.kind == "code")
    except Unreadable:
        return None
    return code if len(code) <= MAX_BYTES else None


def _text(path: Path) -> str | None:
    """A script's text in UTF-8, or in the encoding that its first lines name, as Python reads it."""
    try:
        with opened(path) as stream:
            raw = stream.read(MAX_BYTES)
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        return raw.decode(encoding) if TEXT.fullmatch(encoding) else None
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None


def _taken(module: str) -> str:
    """Why `import module` finds another one: Python's, the course's and installed packages come first."""
    whose = "the course" if module in OURS else "Python" if module in sys.stdlib_module_names else ""
    whose = whose or ("a package" if module in _installed() else "")
    return f"{whose} has a module of that name, which is imported instead; call yours by another name" if whose else ""


@lru_cache
def _installed() -> frozenset[str]:
    return frozenset(metadata.packages_distributions())
