"""Bring what a class handed in, from anywhere, into a course directory: `submitted/<student>/<lesson>/<lesson>.ipynb`.

Nothing is overwritten: an attempt that gives way to a newer one moves to `earlier/` beside it. What was brought is listed in
`.collected.json`, by which a second call brings what is new and namesakes stay apart.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from autograde import layout
from autograde.files import write
from autograde.grader.ingest import helpers
from autograde.grader.ingest.attempts import Chosen, choose, digest, digests, has_work, repairs, shown
from autograde.grader.ingest.brought import SURE, Collected, Row, show
from autograde.grader.ingest.discovery import Found, in_folder, in_place, seen
from autograde.grader.ingest.formats import kinds
from autograde.grader.ingest.formats.kinds import Kind
from autograde.grader.ingest.found import graded_files
from autograde.grader.ingest.found.findings import File, Handed, LeftOut, Survey
from autograde.grader.ingest.found.not_handed_in import EARLIER
from autograde.grader.ingest.found.reasons import NO_FILE
from autograde.grader.ingest.found.sources import folders, is_course, is_courses_own
from autograde.grader.ingest.found.steadily import steadily
from autograde.grader.ingest.naming.names import readable
from autograde.grader.ingest.naming.systems import LOCAL
from autograde.grader.ingest.survey import survey
from autograde.grader.ingest.whose import across_lessons, one_person
from autograde.grader.ingest.whose.by_list import NOBODY, Listed, of_others
from autograde.grader.ingest.whose.namesakes import PER_LESSON, folded, tell_apart
from autograde.grader.sandbox.bounded import reading

LEDGER = ".collected.json"
STAMP = "timestamp.txt"
MOST_TOLD = 20  # files
MAX_OTHER = 50 * 2**20  # bytes: of a file that cannot be graded


@dataclass
class Ledger:
    """What was brought before: `people` are students by the system's own number, `files` the digests that a student's lesson has seen, `guessed`
    the times that were taken for late files of which nobody says when they came, `orders` what a system says of when the file came that counts,
    `called` the ids of students who came by another one before."""

    people: dict[str, str] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=dict)
    guessed: dict[str, str] = field(default_factory=dict)
    orders: dict[str, list] = field(default_factory=dict)
    called: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, course: Path) -> Ledger:
        try:
            known = json.loads((course / LEDGER).read_text(encoding="utf-8"))
            files = {key: list(seen) for key, seen in known["files"].items()}
            return cls(dict(known["people"]), files, *(dict(known.get(name, {})) for name in ("guessed", "orders", "called")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def lessons(self) -> dict[str, set[str]]:
        """The lessons that were brought before, by student."""
        found: dict[str, set[str]] = defaultdict(set)
        for student, _, lesson in (key.rpartition("/") for key in self.files):
            found[student].add(lesson)
        return found

    def save(self, course: Path) -> None:
        write(course / LEDGER, (json.dumps(asdict(self), indent=1, sort_keys=True) + "\n").encode())


@steadily
def collect(
    sources: Sequence[Path],
    course: Path,
    lesson: str | None = None,
    dry_run: bool = False,
    due: Mapping[str, datetime] | None = None,
    listed: Listed = NOBODY,
) -> Collected:
    """Bring everything that is new in `sources` into `course`; with `dry_run` only say what would be done. `due` are the lessons' due dates
    in UTC, for files of which a system says that they are late, and not when they came; `listed` is the class's list.

    Raises:
        ValueError: when a source does not exist.
    """
    with tempfile.TemporaryDirectory(prefix="autograde-") as scratch, reading(Path(scratch)):
        return _bring(survey(sources, lesson, Path(scratch), course, listed.person), course, lesson, dry_run, due or {}, listed)


@steadily
def collected(
    paths: list[Path],
    lesson: str | None,
    out: Path,
    console: Console,
    due: Mapping[str, datetime] | None = None,
    listed: Listed = NOBODY,
) -> tuple[list[Found], list[Path]]:
    """What `grade` grades, and the folders that were looked through whole: where submissions lie in students' folders, else `out`,
    which they are brought into first. What lies in the class's folder already is graded where it is, and nobody else with it."""
    own = [place for path in paths if (place := _own_place(path, out))]
    if own and len(own) == len(paths):
        paths = list(dict.fromkeys(out / "submitted" / student for student, _ in own))
        lesson = lesson or (own[0][1] if len({name for _, name in own}) == 1 else None)
    with tempfile.TemporaryDirectory(prefix="autograde-") as scratch, reading(Path(scratch)):
        found = survey(paths, lesson, Path(scratch) / "sent", out, listed.person)
        if found.in_place:
            _settle_in_place(found, paths, out, listed)
            submissions = in_place(found, lesson, paths)
            _tell_the_rest(found, {submission.student for submission in submissions}, console)
            return submissions, folders(paths)
        result = _bring(found, out, lesson, False, due or {}, listed)
        show(result, console)
        lessons = {row.lesson for row in result.rows}
        if not (out / "submitted").is_dir() or not (lesson or lessons):
            return [], []
        course = [out / "submitted"]
        submissions = in_place(survey(course, lesson, Path(scratch) / "brought"), lesson, course)
    counted = [submission for submission in submissions if submission.lesson in lessons | {lesson}]
    return [s if s.path else replace(s, notes=seen(s.student, found) or s.notes) for s in counted], course


def _settle_in_place(found: Survey, paths: Sequence[Path], out: Path, listed: Listed) -> None:
    """Call whom the list knows as in lessons before, but in a course's own folders, which nbgrader goes by. What was settled is kept, since the
    next call finds them in the same lesson."""
    if any(is_courses_own(path) for path in paths):
        return
    ledger = Ledger.read(out)
    before = dict(ledger.called)
    one_person.settle(found, listed.lessons, ledger.called, listed.person)
    if ledger.called != before:
        ledger.save(out)


def _own_place(path: Path, out: Path) -> tuple[str, str] | None:
    """The student and the lesson of a file, or of a lesson's folder, that lies in the class's folder."""
    place, submitted = path.resolve(), (out / "submitted").resolve()
    inside = place.relative_to(submitted).parts if place.exists() and place.is_relative_to(submitted) else ()
    return (inside[0], inside[1]) if 1 < len(inside) < 4 and inside[1] in layout.lesson_names() else None


def _tell_the_rest(found: Survey, students: Set[str], console: Console) -> None:
    """Files that no student's result can name, and whose files may be read in another way."""
    for said in found.told:
        console.print(escape(readable(said)), soft_wrap=True)
    for doubt in found.doubts:
        console.print(f"[yellow]![/yellow] not sure whose these are: {escape(readable(doubt))}. {SURE}", soft_wrap=True)
    nobodys = [out for out in found.left_out if not out.student and not students & set(out.shown.split("/"))]
    for out in nobodys[:MOST_TOLD]:
        console.print(f"[yellow]![/yellow] {escape(readable(out.shown))} is not taken: {escape(out.why)}", soft_wrap=True)
    if len(nobodys) > MOST_TOLD:
        console.print(f"… and {len(nobodys) - MOST_TOLD} more files that are not taken")


def home(paths: Sequence[Path]) -> Path:
    """Where results go when nobody says: the course directory that is graded or holds what is graded, else `graded/`."""
    for path in paths if len(paths) == 1 else []:
        for place in (path, *path.absolute().parents[:4]):
            if place.is_dir() and is_course(place):
                return place
    return Path("graded")


def _bring(found: Survey, course: Path, lesson: str | None, dry_run: bool, due: Mapping[str, datetime], listed: Listed) -> Collected:
    ledger = Ledger.read(course)
    often = Counter(map(folded, listed.names))
    tell_apart(found, ledger.people, ledger.files, {name for name in often if often[name] > 1}, set(map(folded, of_others(listed))))
    across_lessons.settle(found, ledger.lessons())
    known = {student: {*ledger.lessons()[student], *listed.lessons.get(student, ())} for student in {*ledger.lessons(), *listed.lessons}}
    one_person.settle(found, known, ledger.called, listed.person)
    everything = choose(found)
    along = {handed.file.path for chosen in everything for _, handed in chosen.models}
    result = Collected(
        doubts=found.doubts, told=found.told, left_out=[out for out in found.left_out if not (out.file and out.file.path in along)]
    )
    for chosen in everything:
        if lesson and chosen.lesson != lesson:
            result.left_out.append(_left_out(chosen, f"it is lesson {chosen.lesson}"))
            continue
        if not chosen.handed.file.path.is_file():
            result.left_out.append(_left_out(chosen, NO_FILE))
            continue
        result.rows.append(_place(chosen, course, ledger, found, dry_run, _time(chosen.handed, due.get(chosen.lesson))))
    brought = {row.student for row in result.rows}
    result.left_out = [out for out in result.left_out if not (out.student in brought and _is_of_the_system(out))]
    lessons = {row.lesson for row in result.rows}
    told = {row.student for row in result.rows} | {out.student for out in result.left_out}
    result.left_out += [LeftOut(student, "nothing was handed in", student) for student in sorted(found.students - told)]
    if not dry_run and result.rows:
        _bring_the_rest(found, result, course, ledger, lesson or (lessons.pop() if len(lessons) == 1 else None))
        ledger.save(course)
    return result


def _is_of_the_system(out: LeftOut) -> bool:
    """Whether it is the text that Blackboard puts beside each submission."""
    return bool(out.label and out.label.system == "Blackboard" and not out.label.file)


def _left_out(chosen: Chosen, why: str) -> LeftOut:
    handed = chosen.handed
    return LeftOut(handed.file.shown, why, chosen.student, handed.file, handed.label)


def _bring_the_rest(found: Survey, result: Collected, course: Path, ledger: Ledger, lesson: str | None) -> None:
    """Who has nothing that can be graded gets a folder, too, with what was handed in instead: the student's result then names it."""
    have = {row.student for row in result.rows}
    rest = {student: list[tuple[str, File]]() for student in found.students - have}
    if lesson is None:
        return
    for out in result.left_out:
        if out.file and out.student and out.student not in have:
            rest.setdefault(out.student, []).append((out.label.file if out.label and out.label.file else out.file.parts[-1], out.file))
    for handed in found.handed:
        if handed.kind is Kind.MODEL and handed.student in rest:
            rest[handed.student].append((handed.file.parts[-1], handed.file))
    for student, files in rest.items():
        folder = course / "submitted" / student / lesson
        if not (folder.is_dir() and any(folder.iterdir())):
            folder.mkdir(parents=True, exist_ok=True)
            for name, file in files:
                if file.path.is_file() and file.path.stat().st_size <= MAX_OTHER:
                    _copy(file, folder / readable(name))


def _place(chosen: Chosen, course: Path, ledger: Ledger, found: Survey, dry_run: bool, time: datetime | None) -> Row:
    folder = course / "submitted" / chosen.student / chosen.lesson
    key = f"{chosen.student}/{chosen.lesson}"
    seen = ledger.files.get(key, [])
    bundle = [chosen.handed, *(handed for _, handed in chosen.models)]
    ours = digests(chosen.student, [handed.file.path for handed in bundle], found)
    target = folder / f"{chosen.lesson}{kinds.ending(chosen.handed.kind, chosen.handed.file.path)}"
    present = target.is_file() and digest(target) == ours[0]
    there = any(folder.glob("*.*"))  # what somebody took away is brought again
    if there and all(d in seen for d in ours) or present and not chosen.models:
        state = "known"
    else:
        state = "newer" if there else "new"
    older = _gives_way(chosen, folder, ledger.orders.get(key)) if state == "newer" else ""
    repaired = (older,) if older else () if state == "known" else repairs(chosen, found)
    row = Row(chosen.student, chosen.lesson, shown(chosen.handed), "older" if older else state, (*_notes(chosen, time), *repaired))
    if state == "known" and not dry_run:
        _guess_again(chosen.handed, folder, time, key, ledger)
    if state == "known" or dry_run or older:
        return row
    _set_aside(folder)
    _copy(chosen.handed.file, target)
    for name, handed in chosen.models:
        _copy(handed.file, folder / name)
    ledger.guessed.pop(key, None)
    ledger.orders[key] = _order(chosen.handed)
    _stamp(chosen.handed, folder, time, key, ledger)
    ledger.files[key] = sorted({*seen, *ours, *digests(chosen.student, [other.file.path for other in chosen.others], found)})
    return row


def _gives_way(chosen: Chosen, folder: Path, order: Sequence | None) -> str:
    """Why a file that comes in a later call does not count beside what was brought before; "" where it does."""
    before = in_folder(folder, chosen.lesson).path
    if before is None or not has_work(before, chosen.lesson):
        return ""
    if not has_work(chosen.handed.file.path, chosen.lesson):
        return "there is no work in it: what was brought before counts"
    new = _order(chosen.handed)
    is_older = bool(order and new and order[0] == new[0] and new[1:] < list(order)[1:])
    return f"{new[0]} says that it is older: what was brought before counts" if is_older else ""


def _order(handed: Handed) -> list:
    """What a system says of when a file came, and its name; nothing where none says it."""
    label = handed.label
    if not label or not (label.time or label.order):
        return []
    return [label.system, label.time.replace(tzinfo=label.time.tzinfo or UTC).timestamp() if label.time else 0.0, label.order]


def _notes(chosen: Chosen, time: datetime | None) -> tuple[str, ...]:
    label = chosen.handed.label
    notes = (*chosen.choices, *_of_models(chosen), *_of_scripts(chosen))
    if label and label.system in PER_LESSON and chosen.student == f"{label.name}_{label.number}":
        notes = (f"another student has this name, and {label.system} gives another number in each assignment: see who this is", *notes)
    if label and label.system in LOCAL and not label.time:
        return (f"the time that {label.system} writes for it cannot be read here: it counts as in time", *notes)
    if label and label.time and label.system in LOCAL:
        return (f"{label.system} names no time zone: this machine's is taken, so {time:%Y-%m-%d %H:%M} UTC", *notes)
    if not (label and label.late):
        return notes
    when = "" if label.time else f", without the time: {time:%Y-%m-%d %H:%M} UTC is taken"
    return (f"late, says {label.system}{when}", *notes)


def _of_models(chosen: Chosen) -> Iterator[str]:
    """Weights that came under another name, and what is none."""
    for name, handed in chosen.models:
        if (
            handed.kind is Kind.MODEL
            and name.endswith(graded_files.WEIGHTS)
            and kinds.model(handed.file.parts[-1], frozenset([name])) != name
        ):
            yield f"{readable(handed.file.parts[-1])} is taken for {name}"
        if handed.kind is Kind.MODEL and not name.endswith(".json") and (what := graded_files.instead(handed.file.path)):
            yield f"{readable(handed.file.parts[-1])} is {what}"


def _of_scripts(chosen: Chosen) -> Iterator[str]:
    """The scripts beside the notebook: those that come along, and each that its cells cannot import."""
    reasons = {readable(name): helpers.why_not(h.file.path, name) for name, h in chosen.models if h.kind is not Kind.MODEL}
    if along := [name for name, why in reasons.items() if not why]:
        yield f"with {', '.join(along[:5])}" + (f" and {len(along) - 5} more" if len(along) > 5 else "")
    yield from (f"{name} is not taken: {why}" for name, why in reasons.items() if why)


def _time(handed: Handed, due: datetime | None) -> datetime | None:
    """When it was handed in, in UTC. Of a file that is marked late without a time, it is known that it came after the due date: a second
    after it is taken, which is the least, or where no due date is known the file's own time, which is that of the download."""
    label = handed.label
    if label and label.time:
        return (label.time.astimezone(UTC) if label.time.tzinfo else label.time).replace(tzinfo=None)
    if not (label and label.late):
        return None
    if due:
        return due + timedelta(seconds=1)
    return datetime.fromtimestamp(handed.file.path.stat().st_mtime, UTC).replace(tzinfo=None)


def _set_aside(folder: Path) -> None:
    """Move what lies there to `earlier/<number>/`."""
    if not folder.is_dir() or not (old := [path for path in folder.iterdir() if path.name != EARLIER]):
        return
    number = 1
    while (place := folder / EARLIER / str(number)).exists():
        number += 1
    place.mkdir(parents=True)
    for path in old:
        path.rename(place / path.name)


def _copy(file: File, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".autograde-{target.name}.part")
    shutil.copyfile(file.path, part, follow_symlinks=False)
    part.replace(target)


def _stamp(handed: Handed, folder: Path, time: datetime | None, key: str, ledger: Ledger) -> None:
    """When it was handed in, as nbgrader keeps it."""
    beside = handed.file.path.with_name(STAMP)
    if time:
        text = f"{time:%Y-%m-%d %H:%M:%S.%f} UTC\n"
        write(folder / STAMP, text.encode())
        if not (handed.label and handed.label.time):
            ledger.guessed[key] = text
    elif beside.is_file() and not beside.is_symlink() and beside.stat().st_size < 4096:
        write(folder / STAMP, beside.read_bytes())


def _guess_again(handed: Handed, folder: Path, time: datetime | None, key: str, ledger: Ledger) -> None:
    """A due date was set since: unless somebody wrote a better time, what was guessed without it changes."""
    with contextlib.suppress(OSError):
        if key in ledger.guessed and (folder / STAMP).read_text(encoding="utf-8") == ledger.guessed[key]:
            _stamp(handed, folder, time, key, ledger)
