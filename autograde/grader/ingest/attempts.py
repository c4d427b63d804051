"""Of a student's files for a lesson, the one that counts: the newest attempt with work in it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath

import nbformat

from autograde import layout
from autograde.checking.manifest import outcome_files, read_manifest
from autograde.checking.model_files import MAX_BYTES
from autograde.files import opened
from autograde.grader.ingest import helpers
from autograde.grader.ingest.cells.matching import Submission, match
from autograde.grader.ingest.formats import archive, kinds
from autograde.grader.ingest.formats.archive import MAX_MEMBER
from autograde.grader.ingest.formats.kinds import Kind
from autograde.grader.ingest.formats.notebook_file import RawNotebook, Unreadable, read
from autograde.grader.ingest.found import graded_files
from autograde.grader.ingest.found.findings import Handed, Survey
from autograde.grader.ingest.helpers import MOST
from autograde.grader.ingest.naming import copies
from autograde.grader.ingest.naming.names import readable
from autograde.grader.sandbox.bounded import TooMuch, bounded

MOST_TOLD = 5  # repairs of a file
NO_REPAIRS = ("is not run here", "its cell is missing")  # how notes end that tell what a notebook lacks


@dataclass(frozen=True)
class Chosen:
    """What counts of a student's lesson: the notebook, the graded files that go with it, the attempts that do not count."""

    student: str
    lesson: str
    handed: Handed
    models: tuple[tuple[str, Handed], ...]
    others: tuple[Handed, ...]

    @property
    def choices(self) -> tuple[str, ...]:
        """Which of several files counts."""
        if not self.others:
            return ()
        alike = shown(self.handed) in map(shown, self.others)  # as of two attempts in folders of a system's
        called = (lambda handed: readable(handed.file.shown)) if alike else shown
        named = ", ".join(called(other) for other in self.others[-3:]) + (" and more" if len(self.others) > 3 else "")
        return (f"{len(self.others) + 1} files were handed in; {called(self.handed)} counts, not {named}",)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the student should know: the choice, and a name by which nobody would look for the file."""
        name = shown(self.handed)
        usual = Path(name).name == f"{self.lesson}{kinds.ending(self.handed.kind, self.handed.file.path)}"
        return self.choices if usual else (*self.choices, f"the file was named {name}")


def shown(handed: Handed) -> str:
    """A file by its name, with its folders where these are the student's own."""
    own = [part for part in handed.place if part != handed.student and part != handed.lesson][-2:] if not handed.label else []
    name = _name(handed)
    return readable("/".join([*own, name]) if len(own) else name)


def choose(found: Survey) -> list[Chosen]:
    """What counts for each student and lesson."""
    by_key: dict[tuple[str, str], list[Handed]] = defaultdict(list)
    for handed in found.handed:
        if handed.kind is not Kind.MODEL:
            by_key[handed.student, handed.lesson].append(handed)
    models = [handed for handed in found.handed if handed.kind is Kind.MODEL]
    return [_choose(student, lesson, attempts, models, found) for (student, lesson), attempts in sorted(by_key.items())]


def _choose(student: str, lesson: str, attempts: list[Handed], models: Iterable[Handed], found: Survey) -> Chosen:
    works = _works(student, attempts, found) if len(attempts) > 1 else set()
    ordered = sorted(attempts, key=lambda h: (h.file.path in works, h.kind is Kind.NOTEBOOK, *_by_name(h), h.order))
    best, *rest = reversed(ordered)
    same = digests(student, [best.file.path, *(h.file.path for h in rest)], found) if rest else []
    along = _helpers(best, found)
    run = {handed.file.path for name, handed in along if name.endswith(".ipynb")}
    others = [h for h, theirs in zip(reversed(rest), reversed(same)) if theirs != same[0] and h.file.path not in run]
    return Chosen(student, lesson, best, (*_models(best, models, found), *along), tuple(others))


def _by_name(handed: Handed) -> tuple[int, int, bool]:
    """What the names of files and folders say that no system put in order: a copy or an older version gives way."""
    return copies.rank(handed.file.parts), 0 if handed.label else copies.standing(handed.file.parts), _right_name(handed)


def _right_name(handed: Handed) -> bool:
    """A draft that was renamed gives way to the lesson's own name only among files that nothing else puts in order."""
    return (
        False if handed.label else handed.file.path.stem == handed.lesson and copies.rank(handed.file.parts) == 2 and not _numbered(handed)
    )


def _numbered(handed: Handed) -> bool:
    return any(c.isdigit() for part in handed.place for c in part if part != handed.lesson)


def _works(student: str, attempts: list[Handed], found: Survey) -> set[Path]:
    """In which of them there is work; the newest are looked into first, for as long as one student's files may take."""
    works = set()
    for handed in sorted(attempts, key=lambda h: h.order, reverse=True):
        with found.looking(student) as look:
            if look and has_work(handed.file.path, handed.lesson):
                works.add(handed.file.path)
    return works


def has_work(path: Path, lesson: str) -> bool:
    """Whether a file holds an answer to an exercise of a lesson, or the written one."""
    try:
        status = path.stat()
        return _work(path, lesson, status.st_size, status.st_mtime_ns)
    except OSError:
        return False


@lru_cache(maxsize=10_000)
def _work(path: Path, lesson: str, *_: int) -> bool:
    try:
        return _holds_work(path, lesson)
    except TooMuch:
        return False


@bounded()
def _holds_work(path: Path, lesson: str) -> bool:
    try:
        raw = read(path)
    except Unreadable:
        return False
    submission = _matched(raw, lesson)
    return bool(submission.attempted) or submission.written


def _matched(raw: RawNotebook, lesson: str) -> Submission:
    template = nbformat.read(layout.NOTEBOOKS / f"{lesson}.ipynb", 4)
    return match(raw, template, [n for n, e in read_manifest(lesson)["exercises"].items() if not e["outcome"]])


def repairs(chosen: Chosen, found: Survey) -> tuple[str, ...]:
    """What has to be repaired in the file that counts, or why it cannot be read."""
    try:
        with found.looking(chosen.student) as look:
            return tuple(_repairs(chosen.handed.file.path, chosen.lesson)) if look else ()
    except (TooMuch, OSError):
        return ()


@bounded(raises=(OSError,))
def _repairs(path: Path, lesson: str) -> list[str]:
    try:
        found = dict.fromkeys(said for said in _matched(read(path), lesson).repairs if not said.endswith(NO_REPAIRS))
        return [*list(found)[:MOST_TOLD], *([f"and {len(found) - MOST_TOLD} more"] if len(found) > MOST_TOLD else [])]
    except Unreadable as error:
        return [f"it cannot be read: {error}"]


def _models(best: Handed, models: Iterable[Handed], survey: Survey) -> tuple[tuple[str, Handed], ...]:
    """The graded files that came with a notebook: in its folder, or by the same student and system; weights under another name, or those of another
    kind under their own, where nothing else is there."""
    wanted = frozenset(outcome_files(best.lesson))
    found: dict[str, Handed] = {}
    for handed in sorted((m for m in models if m.student == best.student), key=lambda h: (h.place == best.place, h.order)):
        if which := kinds.model(_name(handed), wanted):
            found[which] = handed
    for name in [name for name in wanted if name.endswith(graded_files.WEIGHTS) and name not in found]:
        found |= _instead(name, best, survey)
    return tuple(sorted(found.items()))


def _instead(name: str, best: Handed, survey: Survey) -> dict[str, Handed]:
    """The student's only file that holds weights, as the graded one; else one that torch.save has written, under its own name."""
    others = [(out.file, out.label) for out in survey.left_out if out.file and out.student == best.student and out.file.path.is_file()]
    weights = [one for one in others if graded_files.is_weights(one[0].path)]
    saved = [one for one in others if archive.is_pytorchs(one[0].path) and one[0].path.stat().st_size <= MAX_BYTES]
    chosen = {name: weights[0]} if len(weights) == 1 else {one[0].parts[-1]: one for one in saved[:1]}
    return {called: Handed(file, best.student, "", Kind.MODEL, label, file.parts[:-1]) for called, (file, label) in chosen.items()}


def _helpers(best: Handed, found: Survey) -> list[tuple[str, Handed]]:
    """The scripts that came with a notebook, which it may import, and the notebooks that it runs: in its folder, or by the same student and
    system. One that defines an exercise may be among them, too."""
    own = [one for one in found.handed if one.kind is not Kind.MODEL and one.student == best.student and one.lesson == best.lesson]
    own += [
        Handed(out.file, best.student, best.lesson, Kind.SCRIPT, out.label, out.file.parts[:-1])
        for out in found.left_out
        if out.file and out.student == best.student
    ]
    elsewhere = any(one.place != best.place for one in own)
    used = helpers.folders_used(best.file.path.parent, best.file.path.name) if elsewhere else set()
    named = {name: one for one in reversed(own) if one is not best and (name := _beside(one, best, used))}
    run = helpers.runs(best.file.path) if any(name.endswith(".ipynb") for name in named) else None
    along = {name: one for name, one in named.items() if PurePath(name).suffix == ".py" or run and run.fullmatch(PurePath(name).name)}
    return sorted(along.items())[:MOST]


def _beside(one: Handed, best: Handed, used: Set[str]) -> str:
    """What a file is called by the cells of the notebook that counts: its name, or with the folder that they name, below the notebook's or beside one that
    holds notebooks alone; "" where it lies elsewhere."""
    tops = [best.place, best.place[:-1]] if kinds.holds_notebooks(best.place) else [best.place]
    top = next((top for top in tops if one.place[: len(top)] == top), None)
    below = one.place[len(top) :] if top is not None else ()
    if below:
        return "/".join((*below, _name(one))) if below[0] in used and not (layout.ROOT / "/".join((*below, _name(one)))).exists() else ""
    return _name(one) if one.label or top is not None else ""


def _name(handed: Handed) -> str:
    return handed.label.file if handed.label and handed.label.file else handed.file.parts[-1]


def digests(student: str, paths: Sequence[Path], found: Survey) -> list[str]:
    """A digest of each; from where they take more than one student's files may, their names, sizes and times."""
    said = []
    for path in paths:
        with found.looking(student) as look:
            said.append(digest(path) if look else _unread(path))
    return said


def digest(path: Path) -> str:
    """A digest of a file's bytes; of one that is no regular file, or too large to be graded or read, its name, size and time."""
    if not path.is_file():
        return str(path)
    if path.stat().st_size > MAX_MEMBER:  # sparse, it may claim any size
        return _unread(path)
    try:
        return _digest(path)
    except TooMuch:
        return _unread(path)


@bounded(raises=(OSError,))
def _digest(path: Path) -> str:
    with opened(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _unread(path: Path) -> str:
    if not path.is_file():
        return str(path)
    return f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}"
