"""Read a lesson's source: percent cells with plain metadata, checked so that a mistake is one clear line with file and line number."""

from __future__ import annotations

import ast
import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograde.checking.manifest import Exercise
from autograde.checking.syntax import defined, is_magic

TAGS = {"setup", "figure", "experiment", "stretch"}
KEYS = {"exercise", "check", "question", "points", "forbids", "outcome", "tags"}
OF = {"points": ("check", "question"), "forbids": ("exercise",), "outcome": ("check",)}  # options of some cells only
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
NOT_READ = "incorrectly_encoded_metadata"  # jupytext keeps under this name what it does not understand
NAMED = "title"  # and under this one words that stand behind the mark
MARK = re.compile(r"^# %%")
HIDDEN = re.compile(r"^\s*### BEGIN (HIDDEN TESTS|MARK SCHEME)")  # nbgrader's other marks, which a build leaves as they are
MERGED = re.compile(r"^(?:# )?(?:<{7}|>{7}) |^(?:# )?(?:={7}|\|{7})$")  # what git leaves where two changes meet
ALMOST = re.compile(r"^\s*#\s*%%|^//\s*%%|^%%\s")  # what one writes in place of a mark


class SourceError(ValueError):
    """A mistake in a lesson's source, told as `file:line: what is wrong`."""

    def __init__(self, path: Path, line: int, message: str) -> None:
        super().__init__(f"{path.name}:{line}: {message}")


@dataclass(frozen=True)
class Cell:
    """One cell of the source, with the line its mark stands on."""

    kind: str
    source: str
    line: int
    metadata: dict[str, Any]

    @property
    def tags(self) -> list[str]:
        return list(self.metadata.get("tags", []))

    @property
    def exercise(self) -> str | None:
        return self.metadata.get("exercise")

    @property
    def check(self) -> str | None:
        return self.metadata.get("check")

    @property
    def question(self) -> str | None:
        return self.metadata.get("question")

    @property
    def defines(self) -> bool:
        """Whether the grader runs it: it defines something, and is neither a demonstration nor a check."""
        return self.kind == "code" and not self.check and not {"figure", "experiment"} & set(self.tags)


@dataclass(frozen=True)
class Source:
    """A lesson's cells and what they declare."""

    path: Path
    title: str
    cells: list[Cell]
    exercises: dict[str, Exercise]
    questions: dict[str, float]

    @property
    def name(self) -> str:
        return self.path.stem

    def answer(self, exercise: str) -> str:
        """The reference answer's cell."""
        return next(cell.source for cell in self.cells if cell.exercise == exercise)


def read(path: Path) -> Source:
    """Parse and check one lesson.

    Raises:
        SourceError: for the first mistake, with its line.
    """
    cells = list(_cells(path))
    for cell in cells:
        _check_metadata(path, cell)
        _check_solution_marks(path, cell)
    exercises = _exercises(path, cells)
    questions = {c.question: _points(path, c) for c in cells if c.question}
    return Source(path, _title(path, cells), cells, exercises, questions)


def namespace(source: Source) -> dict[str, Any]:
    """The names that the reference answers define, as the grader would run them.

    Raises:
        SourceError: where a cell stops, with the line.
    """
    names: dict[str, Any] = {"__name__": f"reference_{source.name}"}
    for cell in source.cells:
        if cell.defines:
            # as many newlines as stand before the cell, so that a traceback names the source's own line
            code = compile("\n" * cell.line + cell.source, str(source.path), "exec", dont_inherit=True)
            try:
                exec(code, names)
            except Exception as error:
                own = [frame.lineno or 0 for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(source.path)]
                raise SourceError(source.path, own[-1], f"this cell stops: {type(error).__name__}: {error}") from error
    return names


def text_of(path: Path) -> str:
    """A file that an author wrote, whatever its ends of lines, with or without a byte order mark.

    Raises:
        SourceError: where it is not UTF-8, or git's marks of a conflict stand in it, with the line.
    """
    data = path.read_bytes()
    try:
        text = "\n".join(data.decode("utf-8-sig").replace("\r\n", "\n").split("\r"))
    except UnicodeDecodeError as error:
        line = 1 + data.count(b"\n", 0, error.start)
        raise SourceError(path, line, "this file is not in UTF-8: save it in that encoding, and look at this line's letters") from None
    if merged := next((number for number, line in enumerate(text.split("\n"), 1) if MERGED.match(line)), 0):
        raise SourceError(path, merged, "a mark of git's, where two changes met: choose between the two, and take the marks out")
    return text


def _cells(path: Path) -> Iterator[Cell]:
    text, words_only = text_of(path), False
    for number, words in enumerate(text.splitlines(), 1):
        if MARK.match(words):
            words_only = "[markdown]" in words
        elif words_only and words.strip() and not words.startswith("#"):
            raise SourceError(path, number, f"{words[:40]!r} stands in a text: each of its lines begins with # and a blank")
        if ALMOST.match(words) and not MARK.match(words):
            raise SourceError(path, number, f"{words[:40]!r} is no cell mark: it begins with `# %%`, at the beginning of the line")
        if MARK.match(words) and (said := re.search(r"""\btags=["'](\w*)""", words)):
            raise SourceError(path, number, f'tags are a list: write tags=["{said[1]}"]')
    marks = [number for number, line in enumerate(text.splitlines(), 1) if MARK.match(line)]
    import jupytext  # with Jupyter's server, which graders that read one cell of a lesson do without

    parsed = jupytext.reads(text, fmt="py:percent").cells
    if len(parsed) != len(marks):
        raise SourceError(path, 1, "the file must begin with a cell mark (# %%): what stands above the first one is in no cell")
    for line, cell in zip(marks, parsed):
        metadata = {k: v for k, v in cell.metadata.items() if k != "lines_to_next_cell"}  # jupytext's own bookkeeping
        yield Cell(cell.cell_type, cell.source, line, metadata)


def _check_metadata(path: Path, cell: Cell) -> None:
    if (wrong := cell.metadata.get(NOT_READ)) is not None:
        raise SourceError(
            path, cell.line, f'the options {wrong!r} cannot be read: write numbers as points=1.5 and texts in quotes, check="name"'
        )
    if NAMED in cell.metadata:
        raise SourceError(
            path, cell.line, f'{cell.metadata[NAMED]!r}: a cell is code or [markdown], and its options are written as name="value"'
        )
    if unknown := set(cell.metadata) - KEYS:
        raise SourceError(path, cell.line, f"unknown cell option {sorted(unknown)[0]!r}; known are {', '.join(sorted(KEYS))}")
    for key in ("exercise", "check", "question"):
        named = str(cell.metadata.get(key, "name"))
        if not named.isidentifier() or not named.isascii():
            raise SourceError(
                path, cell.line, f"{key}={cell.metadata[key]!r} is no name: letters from a to z, digits and _, without blanks"
            )
    for key, of in OF.items():
        if key in cell.metadata and not set(of) & set(cell.metadata):
            raise SourceError(path, cell.line, f"{key} is an option of a cell that has {' or '.join(of)}: here it does nothing")
    for name in str(cell.metadata.get("outcome", "")).split():
        if "/" in name or "\\" in name or "." not in name:
            raise SourceError(path, cell.line, f"outcome={name!r} is no file's name: it lies beside the notebook, and has its ending")
    if cell.question and cell.tags:
        raise SourceError(path, cell.line, "a question has no tags: it is never part of a stretch, since a person grades it")
    if unknown := set(cell.tags) - TAGS:
        raise SourceError(path, cell.line, f"unknown tag {sorted(unknown)[0]!r}; known are {', '.join(sorted(TAGS))}")
    if cell.exercise and cell.kind != "code" or cell.question and cell.kind != "markdown":
        raise SourceError(path, cell.line, "an exercise is a code cell and a question a markdown cell")
    if (cell.exercise or cell.check) and (skipped := {"figure", "experiment"} & set(cell.tags)):
        raise SourceError(path, cell.line, f"the grader runs no cell tagged {skipped.pop()!r}: an exercise or a check cannot be one")
    if cell.check or cell.question:
        _points(path, cell)
    if cell.kind == "code" and not is_magic(cell.source):
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            raise SourceError(path, cell.line + (error.lineno or 0), f"this is not Python: {error.msg}") from None


def _points(path: Path, cell: Cell) -> float:
    points = cell.metadata.get("points")
    if points is None:
        raise SourceError(path, cell.line, f"points are missing: {cell.check or cell.question!s} needs points=N")
    if isinstance(points, bool) or not isinstance(points, (int, float)) or points < 0:
        raise SourceError(path, cell.line, f"points={points!r} is no number of points: write points=1 or points=1.5, without quotes")
    if points * 2 % 1:
        raise SourceError(path, cell.line, f"points={points:g}: points are whole numbers or halves")
    return float(points)


def _check_solution_marks(path: Path, cell: Cell) -> None:
    opened = None
    for number, line in enumerate(cell.source.splitlines(), cell.line + 1):
        if cell.kind == "code" and "\t" in line[: _indent(line)]:
            raise SourceError(path, number, "a tab: indent by blanks, as editors of notebooks do for students; the two do not mix")
        if HIDDEN.match(line):
            raise SourceError(path, number, "students would be given this: hidden tests stand in autograde/lessons/hidden/")
        if line.strip() == BEGIN:
            if opened:
                raise SourceError(path, number, f"a second {BEGIN} before the {END} of line {opened}")
            opened = number
        elif line.strip() == END:
            if not opened:
                raise SourceError(path, number, f"{END} without a {BEGIN}")
            opened = None
    if opened:
        raise SourceError(path, opened, f"this solution mark is never closed by {END}")
    if cell.exercise and re.search(rf"{BEGIN}\s*{END}", cell.source):
        raise SourceError(path, cell.line, f"the solution of {cell.exercise} is empty: the answer stands between its two marks")
    if cell.exercise and (off := _off_the_margin(cell.source)):
        raise SourceError(path, cell.line + off, f"{BEGIN} stands elsewhere on its line than the answer: students' stub would, too")
    if cell.question and (given := _beside_the_marks(cell.source)):
        raise SourceError(
            path, cell.line + given, "students would be given this: the cell of a question holds nothing beside its two marks"
        )
    holds_answer = BEGIN in cell.source
    if (cell.exercise or cell.question) and not holds_answer:
        raise SourceError(path, cell.line, f"{cell.exercise or cell.question} has no {BEGIN} … {END}")
    if holds_answer and not (cell.exercise or cell.question):
        raise SourceError(path, cell.line, "a solution outside an exercise or a question would be lost")


def _beside_the_marks(words: str) -> int:
    """The number of the first line that is neither in the solution nor empty; 0 for none."""
    inside = False
    for number, line in enumerate(words.splitlines(), 1):
        if line.strip() in (BEGIN, END):
            inside = line.strip() == BEGIN
        elif line.strip() and not inside:
            return number
    return 0


def _off_the_margin(code: str) -> int:
    """The line of the first mark that is not indented as the line below it; 0 where there is none."""
    lines = code.splitlines()
    for number, line in enumerate(lines, 1):
        below = next((later for later in lines[number:] if later.strip()), "")
        if line.strip() == BEGIN and _indent(line) != _indent(below):
            return number
    return 0


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _exercises(path: Path, cells: list[Cell]) -> dict[str, Exercise]:
    answers: dict[str, Cell] = {}
    for cell in cells:
        for name in filter(None, (cell.exercise, cell.question)):
            if name in answers:
                raise SourceError(path, cell.line, f"{name} already stands at line {answers[name].line}; names must differ")
            answers[name] = cell
        if cell.exercise and cell.exercise not in defined(ast.parse(cell.source).body):
            raise SourceError(path, cell.line, f"this cell does not define {cell.exercise}")
    found: dict[str, Exercise] = {}
    for cell in cells:
        if cell.check:
            found[cell.check] = _exercise(path, cell, answers.get(cell.check), found)
    for name, cell in answers.items():
        if cell.exercise and name not in found:
            raise SourceError(path, cell.line, f'{name} has no check: add a cell `# %% check="{name}" points=N`')
    return found


def _exercise(path: Path, cell: Cell, answer: Cell | None, earlier: dict[str, Exercise]) -> Exercise:
    name, outcome = cell.metadata["check"], cell.metadata.get("outcome")
    if name in earlier:
        raise SourceError(path, cell.line, f"{name} is checked twice")
    if not re.search(rf"""check\(\s*["']?{re.escape(name)}\b""", cell.source):
        raise SourceError(path, cell.line, f"this cell is the check of {name} and does not call it: write check({name})")
    if answer is not None and answer.line > cell.line:
        raise SourceError(path, cell.line, f"{name} is checked above its exercise, which stands at line {answer.line}")
    if answer is None and not outcome:
        raise SourceError(path, cell.line, f"{name} is checked, but no exercise of that name stands before it")
    forbids = tuple(str(answer.metadata.get("forbids", "")).split()) if answer else ()
    if answer and ("stretch" in answer.tags) != (_points(path, cell) == 0):
        raise SourceError(path, cell.line, f'{name}: a stretch exercise has tags=["stretch"] and points=0, every other has points')
    return Exercise(name, _points(path, cell), forbids, bool(answer and "stretch" in answer.tags), outcome)


def _title(path: Path, cells: list[Cell]) -> str:
    for cell in cells:
        for line in cell.source.splitlines():
            if cell.kind == "markdown" and line.startswith("# "):
                return line[2:].strip()
    raise SourceError(path, 1, "the lesson has no title (a markdown line that begins with '# ')")
