"""Look through what an instructor points at: which file is whose, of which lesson, and what was left out and why. Nothing is written but
what archives hold, in a folder that the caller gives."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path

from autograde import layout
from autograde.checking.errors import UserError
from autograde.checking.manifest import outcome_files
from autograde.grader.ingest import archive, kinds, listings, systems, whose
from autograde.grader.ingest.kinds import Kind
from autograde.grader.ingest.lesson_of import by_content, full_name, is_of, lesson_of
from autograde.grader.ingest.names import plain_name, readable
from autograde.grader.ingest.not_handed_in import EARLIER, OWN_FOLDERS, RETURNED, given_back, is_graders, of_systems_alone
from autograde.grader.ingest.systems import Label
from autograde.grader.ingest.work_words import is_work, said
from autograde.grader.sandbox.bounded import TooMuch, used

COURSE_FOLDERS = {"source", "release", "autograded", "feedback", "utils", "data", "docs", "autograde"}  # beside `submitted`
DEEPEST, NESTED = 20, 3  # folders in folders, archives in archives
STUDENT_SECONDS = 30  # of processor time for looking into all files of a student; a usual notebook takes a thousandth of it
TOO_MANY = "the other files of this student took all the time for looking into them: hand in fewer"
NOBODYS = "its name does not say whose it is: put it into a folder with the student's name"
OURS = "called like a folder of the grader's: if it is a student's, give it another name"
OF_THE_COURSE = "in a folder that is called by solutions, beside folders of students: if it is a student's, rename it"
Parts = tuple[str, ...]
EXPORT = re.compile(r"assignment_\d+_export")  # how Gradescope calls the folder of a class, in which a list says whose a folder is
LINKS = {".webloc", ".url", ".desktop", ".gdoc", ".gsheet"}
DRIVE = re.compile(r"-\d{8}T\d{6}Z(?:-\d+)+\.zip$", re.IGNORECASE)  # how Google Drive names the parts of a folder that it packs
ADDRESS = re.compile(rb"\s*https?://\S+\s*|\s*\{[^{}]*\"url\"\s*:\s*\"https?://[^{}]*\}\s*")
WORK = (Kind.NOTEBOOK, Kind.SCRIPT, Kind.MODEL, Kind.ARCHIVE)
SUGGESTIONS = {
    ".html": "a page, not a notebook: ask for the .ipynb file",
    ".pdf": "a PDF, not a notebook: ask for the .ipynb file",
    **dict.fromkeys((".mhtml", ".mht", ".webarchive"), "a page, not a notebook: ask for the .ipynb file"),
    ".docx": "a document, not a notebook: ask for the .ipynb file",
    **dict.fromkeys((".md", ".qmd", ".rmd"), "a text, not a notebook: ask for the .ipynb file"),
    **dict.fromkeys((".eml", ".emlx", ".msg", ".mbox"), "a mail: save the notebook that is attached to it"),
    ".icloud": "a placeholder of iCloud, whose file was never downloaded: ask for the .ipynb file",
    **dict.fromkeys(kinds.UNREAD, "an archive of a kind that is not read: ask for a .zip or the .ipynb file"),
}


@dataclass(frozen=True)
class File:
    """A regular file: where its bytes lie, and its folders and name below what the instructor pointed at; `origin` is the latter."""

    path: Path
    parts: tuple[str, ...]
    origin: Path
    packed: bool = False
    trouble: str = ""  # why an archive could not be unpacked

    @property
    def shown(self) -> str:
        return "/".join(self.parts)


@dataclass(frozen=True)
class Handed:
    """A notebook, script or model file that belongs to a student; `lesson` is "" for a model until its notebook is known."""

    file: File
    student: str
    lesson: str
    kind: Kind
    label: Label | None = None
    place: tuple[str, ...] = ()

    @property
    def order(self) -> tuple:
        """Newest last, by what tells most: the system's time and number, then numbers in the names of folders and file, `(2)` and `-2`."""
        label = self.label
        time = label.time.replace(tzinfo=label.time.tzinfo or UTC).timestamp() if label and label.time else 0.0
        number = label.order if label else 0
        name = label.file if label and label.file else self.file.parts[-1]
        return (kinds.rank(self.file.parts), time, number, *_natural((*self.file.parts[:-1], name)))


@dataclass(frozen=True)
class LeftOut:
    """A file that is not taken; `student` is "" where nobody can tell whose it is. `file` is it, where it is a regular one."""

    shown: str
    why: str
    student: str = ""
    file: File | None = None
    label: Label | None = None


@dataclass
class Survey:
    """What was found. `students` has those without any file, too."""

    handed: list[Handed] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    students: set[str] = field(default_factory=set)
    barren: list[tuple[str, ...]] = field(default_factory=list)  # folders and links below the source: whose they are counts, too
    given: set[str] = field(default_factory=set)  # the names of students as they came
    apart: set[str] = field(default_factory=set)  # those that are another student's but for how their letters are composed
    names: dict[str, str] = field(default_factory=dict)  # what each student is called, by what their folder or system says
    spent: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))  # seconds for looking into each student's files
    in_place: bool = True  # every file lies in a folder of its student's and is what it says

    @contextmanager
    def looking(self, student: str) -> Iterator[bool]:
        """Whether there is time left to look into a file of this student's; what is looked into meanwhile is counted."""
        began = used()
        try:
            yield self.spent[student] < STUDENT_SECONDS
        finally:
            self.spent[student] += used() - began

    def called(self, name: str) -> str:
        """A student's name as it can be written anywhere; no two the same where that had to be changed, in a table for spreadsheets either."""
        came, given, name = name, _composed(name), plain_name(name).replace("/", "_")
        if given != name and name in self.given:  # somebody else's, who is called just so
            name = given
        if came in self.apart:
            self.called(given)  # has the name before this one
            name = came
        if name not in self.names:
            plain, taken, count = _as_folder(readable(_composed(name))), {known.lstrip("'") for known in self.names.values()}, 1
            while (unique := f"{plain} ({count})" if count > 1 else plain).lstrip("'") in taken and unique:
                count += 1
            self.names[name] = unique
        return self.names[name]


def _composed(name: str) -> str:
    """A name as it came, in one file's or folder's part."""
    return unicodedata.normalize("NFC", name).replace("/", "_")


def _composed_otherwise(works: Set[tuple[str, ...]], files: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The files below a name that differs from one beside it only in how letters are composed, where both hold work: who made the second is
    not the first one's student. The first is the composed one."""
    forms: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
    for parts in works:
        for depth in range(1, len(parts) + 1):
            forms[tuple(map(_composed, parts[:depth]))].add(parts[:depth])
    second = {form for whole, same in forms.items() for form in sorted(same, key=lambda form: (form != whole, form))[1:]}
    return [parts for parts in files if any(parts[:depth] in second for depth in range(1, len(parts) + 1))] if second else []


def _as_folder(name: str) -> str:
    """A name that a folder may have which is looked into: none that leads out of where it lies, is hidden, or is kept for other things."""
    kept = name.startswith(".") or name in OWN_FOLDERS or name in kinds.SYSTEM_FOLDERS
    return f"_{name}" if kept else name


def survey(sources: Sequence[Path], lesson: str | None, scratch: Path) -> Survey:
    """Look through files, folders and archives. Archives are unpacked below `scratch`.

    Raises:
        ValueError: when a path does not exist.
    """
    found = Survey()
    for number, (root, files) in enumerate(_grouped(sources)):
        found.barren = []
        listed = list(_files(root, files, scratch / str(number), found))
        _assign(root, files is not None, listed, lesson, found)
    found.students.discard("")
    found.in_place = found.in_place and not _shared_folder(found)
    return found


def _shared_folder(found: Survey) -> bool:
    """Whether a notebook lies beside another student's notebook, model or script: what is beside it then does not go with it."""
    scripts = [out for out in found.left_out if out.file and kinds.is_script(out.file.parts[-1])]
    lying = [(one.file, one.student) for one in found.handed] + [(out.file, out.student) for out in scripts if out.file]
    beside: dict[tuple[Path, tuple[str, ...]], set[str]] = defaultdict(set)
    for file, student in lying:
        beside[file.origin, file.parts[:-1]].add(student)
    return any(len(students) > 1 for students in beside.values())


def student_folder(folder: Path, lesson: str, scratch: Path) -> Survey:
    """The same for the folder of one student."""
    found = Survey()
    files = list(_walk(folder, (), folder, scratch, found, 0))
    models = frozenset(outcome_files(lesson))
    for file in files:
        _add(file, kinds.kind(file.path, file.parts, models), folder.name, None, lesson, models, found)
    found.left_out = [replace(out, student=folder.name) for out in found.left_out]  # whose else
    return found


def is_course(path: Path) -> bool:
    """Whether a folder is an nbgrader course directory: by its configuration or gradebook, or since it has `submitted/<student>/<lesson>/`."""
    if (path / "nbgrader_config.py").is_file() or (path / "gradebook.db").is_file():
        return True
    inside = path / "submitted"
    if not inside.is_dir():
        return False
    if any(_is_persons(beside) for beside in path.iterdir() if beside.name != inside.name):
        return False  # somebody of that name among others
    people = [p for p in inside.iterdir() if not p.name.startswith(".")]
    return not any(full_name(p.name) or p.is_file() and ".ipynb" in p.name for p in people)


def _is_persons(folder: Path) -> bool:
    """Whether a folder is called by a person and holds a lesson."""
    if folder.name in COURSE_FOLDERS or is_work(folder.name) or folder.name.startswith(".") or not folder.is_dir():
        return False
    return any(full_name(inside.name) for inside in folder.iterdir())


def _grouped(sources: Sequence[Path]) -> Iterator[tuple[Path, list[Path] | None]]:
    """Each folder to look through, with the files of it that were named, or None for all."""
    single: dict[Path, list[Path]] = defaultdict(list)
    for source in sources:
        if not source.exists():
            raise UserError(f"there is no file or folder {source}")
        if source.is_dir():
            yield (source / "submitted" if is_course(source) else source), None
        else:
            single[source.absolute().parent].append(source.absolute())
    yield from single.items()


def folders(sources: Sequence[Path]) -> list[Path]:
    """The folders that `survey` looks through whole."""
    return [root for root, named in _grouped(sources) if named is None]


def _files(root: Path, named: list[Path] | None, scratch: Path, found: Survey) -> Iterator[File]:
    """Every regular file, those in archives included."""
    if named is None:
        if root.is_dir():
            yield from _walk(root, (), root, scratch, found, 0)
        return
    for path in named:
        if path.is_symlink():
            found.left_out.append(LeftOut(path.name, "a link; links are not followed"))
        elif len(named) == 1 and _unpackable(path):
            found.in_place = False
            try:
                yield from _unpacked(path, (), root, scratch, found, 1)
            except archive.BadArchive as error:
                found.left_out.append(LeftOut(path.name, str(error)))
        else:
            yield from _one(path, (path.name,), root, scratch, found, 0)


def _walk(
    folder: Path, parts: tuple[str, ...], origin: Path, scratch: Path, found: Survey, nested: int, around: archive.Room | None = None
) -> Iterator[File]:
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        found.left_out.append(LeftOut("/".join(parts), f"the folder cannot be read ({error.strerror})"))
        return
    for path in inside:
        here = (*parts, path.name)
        if path.is_symlink():
            found.left_out.append(LeftOut("/".join(here), "a link; links are not followed"))
            found.barren.append(here if parts or not path.is_dir() else (*here, ""))
        elif not path.is_dir():
            yield from _one(path, here, origin, scratch, found, nested, around)
        elif path.name in kinds.SYSTEM_FOLDERS or _is_hidden(path.name) or is_graders(path):
            continue
        elif path.name in OWN_FOLDERS - {EARLIER}:
            found.left_out.append(LeftOut("/".join(here), OURS))
        elif path.name in ("outbound", "feedback") and (path.parent / "inbound").is_dir():
            found.left_out.append(LeftOut("/".join(here), "what nbgrader's exchange hands out or back, not what was handed in"))
        elif (path / "gradebook.db").is_file():
            found.left_out.append(LeftOut("/".join(here), "results of grading, not a student's folder"))
        elif len(here) < DEEPEST:
            empty = True
            for file in _walk(path, here, origin, scratch, found, nested, around):
                empty = False
                yield file
            if empty:
                found.barren.append((*here, ""))


def _is_hidden(name: str) -> bool:
    """Whether a folder's name hides it, and is not a system's for a person whose name begins with a dot."""
    return name.startswith(".") and name != ".ipynb_checkpoints" and systems.read(name) is None


def _one(
    path: Path, parts: tuple[str, ...], origin: Path, scratch: Path, found: Survey, nested: int, around: archive.Room | None = None
) -> Iterator[File]:
    if not path.is_file() and ".ipynb" not in path.name.lower():  # a notebook that is none is its student's result, by its name
        found.left_out.append(LeftOut("/".join(parts), "a pipe or a device, not a file"))
        found.barren.append(parts)
    elif nested < NESTED and path.is_file() and kinds.kind(path, parts, frozenset()) is Kind.ARCHIVE:
        found.in_place = False
        label = systems.read(path.name)  # the system's name stays on what the archive holds
        name = path.name if label else re.sub(r"\.(zip|tar|tgz)(\.\w+)?$", "", path.name, flags=re.IGNORECASE)
        own = (*parts[:-1], name if label or len(parts) > 1 else said(name) or name)
        if DRIVE.search(path.name):  # a part of one folder
            own = parts[:-1]
        before, empty = len(found.left_out), True
        try:
            for file in _unpacked(path, own, origin, scratch, found, nested + 1, around):
                empty = False
                yield file
            if empty:
                why = [f"nothing in it could be unpacked: {out.why}" for out in found.left_out[before:]]
                yield File(path, parts, origin, nested > 0, why[0] if why else "the archive is empty")
        except archive.BadArchive as error:  # its name may still say whose it is
            yield File(path, parts, origin, nested > 0, str(error))
    else:
        yield File(path, parts, origin, nested > 0)


def _unpackable(path: Path) -> bool:
    return path.is_file() and kinds.kind(path, (path.name,), frozenset()) is Kind.ARCHIVE and systems.read(path.name) is None


def _unpacked(
    path: Path, parts: tuple[str, ...], origin: Path, scratch: Path, found: Survey, nested: int, around: archive.Room | None = None
) -> Iterator[File]:
    folder = scratch / f"{nested}-{len(list(scratch.iterdir())) if scratch.is_dir() else 0}"
    result = archive.unpack(path, folder, around)
    found.left_out += [LeftOut(f"{path.name}/{name}", why) for name, why in result.left_out]
    yield from _walk(folder, parts, origin, scratch, found, nested, result.room)


def _assign(root: Path, named: bool, files: list[File], lesson: str | None, found: Survey) -> None:
    """Say whose each file is, and which lesson's."""
    models = frozenset(model for name in layout.lesson_names() for model in outcome_files(name))
    known = [(file, kinds.kind(file.path, file.parts, models)) for file in files]
    found.barren += of_systems_alone([(file.parts, kind is Kind.SYSTEM) for file, kind in known])
    one, called = _own_folder(root, named)
    course = whose.of_nbgrader([file.parts for file in files], called)
    labels, owners = ({}, {}) if course else _by_systems(known)
    barren = {parts for parts in found.barren if len(parts) > 1 and (course or not _label(parts)) and not one}
    plain = whose.students(sorted(_unlabelled(known, labels, owners) | barren), called, one)
    plain |= _by_content(known, plain, called) | listings.of_cocalc(plain)
    for parts in _composed_otherwise({file.parts for file, kind in known if kind in WORK}, plain):
        plain[parts] = unicodedata.normalize("NFD", plain[parts])
        found.apart |= {plain[parts]} - {_composed(plain[parts])}
    by_systems = [label.members for label in labels.values()] + [[label.name for label in people] for people in owners.values()]
    found.given |= {_composed(name) for names in [plain.values(), *by_systems] for name in names}
    found.students |= {found.called(plain[parts]) for parts in barren}
    returned = given_back([file.parts for file in files])
    for file, kind in known:
        for student, label in _owners(file, owners, labels, plain):
            if file.parts in returned:
                found.left_out.append(LeftOut(file.shown, RETURNED, found.called(student) if student else "", file, label))
            else:
                _add(file, kind, student, label, lesson, models, found)


def _by_systems(known: Sequence[tuple[File, Kind]]) -> tuple[dict[Parts, Label], dict[Parts, list[Label]]]:
    """What learning systems say of files: by the names that they give them, and in lists beside them."""
    personal = _personal({f.parts for f, kind in known if kind in WORK and not _label(f.parts) and not any(map(EXPORT.fullmatch, f.parts))})
    ours = {file.parts: file.path for file, _ in known if not _in_ones_own(file.parts[:-1], personal)}
    labels = {file.parts: label for file, kind in known if kind is not Kind.SYSTEM and (label := _label(file.parts, personal))}
    return listings.completed(labels, ours), listings.gradescope(ours, [file.parts for file, _ in known])


def _unlabelled(known: Sequence[tuple[File, Kind]], labels: Mapping[Parts, Label], owners: Mapping[Parts, list[Label]]) -> set[Parts]:
    """The files of which no system says whose they are, but for those that it put beside the students' folders."""
    systems_own = {parts[:depth] for parts in labels for depth in range(len(parts))}  # folders in which a system made a folder for each
    people = {f.parts for f, kind in known if len(f.parts) > 1 and kind is Kind.OTHER and f.parts[:-1] not in systems_own or kind in WORK}
    return people - labels.keys() - owners.keys()


def _by_content(known: Sequence[tuple[File, Kind]], plain: Mapping[tuple[str, ...], str], root: str) -> dict[tuple[str, ...], str]:
    """Whose files are where their names alone would mislead: notebooks `01` to `08` that hold the lessons of these numbers are one student's,
    and a script of no lesson beside folders of students is nobody's."""
    numbered: dict[tuple[str, ...], list[File]] = defaultdict(list)
    for file, kind in known:
        if kind is Kind.NOTEBOOK and (stem := plain.get(file.parts, "")).isdecimal() and file.parts[-1].lower() == f"{stem}.ipynb":
            numbered[file.parts[:-1]].append(file)
    lessons = {folder: files for folder, files in numbered.items() if len(files) > 1 and all(map(_holds_its_number, files))}
    found = {file.parts: folder[-1] if folder else root for folder, files in lessons.items() for file in files}
    for file, kind in known if any(len(parts) > 1 for parts in plain) else ():
        others = kind is Kind.SCRIPT and file.parts in plain and len(file.parts) == 1 and _content(file) is None
        if others and not any(who == plain[file.parts] and parts != file.parts for parts, who in plain.items()):
            found[file.parts] = ""
    return found


def _holds_its_number(file: File) -> bool:
    return (_content(file) or "")[:2] == file.parts[-1].partition(".")[0].zfill(2)


def _content(file: File) -> str | None:
    """The lesson that a file holds; None where that cannot be told."""
    try:
        return by_content(file.path)
    except TooMuch:
        return None


def _own_folder(root: Path, named: bool) -> tuple[bool, str]:
    """Whether what was pointed at is one student's own folder (a place in `submitted/` is), and the student's or the folder's name."""
    path = root.absolute()
    above = [p.name for p in path.parents]
    if "submitted" in above[:2]:
        return True, path.name if above[0] == "submitted" else path.parent.name
    if named and full_name(path.name):
        return False, path.parent.name
    return False, path.name


def _owners(file: File, owners: dict, labels: dict, plain: dict) -> list[tuple[str, Label | None]]:
    if file.parts in owners:
        return [(label.name, label) for label in owners[file.parts]]
    if label := labels.get(file.parts):
        return [(name, replace(label, name=name)) for name in label.members]
    return [(plain.get(file.parts, ""), None)]


def _personal(unlabelled: Set[tuple[str, ...]]) -> Callable[[tuple[str, ...]], bool]:
    """Whether a folder is one student's, by its neighbours: one of them holds work that no system named.

    What stands in such a folder was named by that student, who could use a system's way to name another.
    """
    holders = {parts[:depth] for parts in unlabelled for depth in range(1, len(parts))}
    neighbours: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for holder in holders:
        neighbours[holder[:-1]].add(holder[-1])

    def personal(folder: tuple[str, ...]) -> bool:
        others = neighbours[folder[:-1]] - {folder[-1]}
        return not whose.WRAPPER.fullmatch(folder[-1]) and not all(whose.WRAPPER.fullmatch(o) or is_work(o) for o in others)

    return personal


def _in_ones_own(parts: tuple[str, ...], personal: Callable[[tuple[str, ...]], bool]) -> bool:
    return any(personal(parts[:depth]) for depth in range(1, len(parts) + 1))


def _label(parts: tuple[str, ...], personal: Callable[[tuple[str, ...]], bool] = lambda folder: False) -> Label | None:
    """The outermost part that a system named, and no student could have; the file's own name where it did not say one."""
    for depth, part in enumerate(parts):
        if label := systems.read(part):
            if _in_ones_own(parts[:depth], personal):
                return None
            return label if depth == len(parts) - 1 else replace(label, file=label.file if depth == len(parts) - 1 else "")
    return None


def _add(file: File, kind: Kind, student: str, label: Label | None, lesson: str | None, models: frozenset[str], found: Survey) -> None:
    student = found.called(student)
    name = label.file if label and label.file else file.parts[-1]
    folder = next((part for part in reversed(file.parts[:-1]) if full_name(part)), file.parts[-2] if len(file.parts) > 1 else "")
    if kind is Kind.SYSTEM or name == listings.METADATA or name in ("timestamp.txt", "submission_secret.txt"):
        return
    which, trouble = (
        _lesson(file, kind, student, lesson, folder, name, found) if kind in (Kind.NOTEBOOK, Kind.SCRIPT) else ("", file.trouble)
    )
    if kind in WORK and (file.path.stat().st_size if file.path.is_file() else 0) > archive.MAX_MEMBER:
        found.left_out.append(LeftOut(file.shown, f"it has more than {archive.MAX_MEMBER // 2**20} MB", student, file, label))
    elif kind is Kind.MODEL:
        found.handed.append(Handed(file, student, "", kind, label, file.parts[:-1]))
    elif which and student:
        found.in_place = found.in_place and not label and len(file.parts) > 1 and not file.packed
        found.handed.append(Handed(file, student, which, kind, label, file.parts[:-1]))
    elif kind in (Kind.NOTEBOOK, Kind.SCRIPT) and not student:
        found.left_out.append(LeftOut(file.shown, OF_THE_COURSE if any(map(whose.MODEL_ANSWERS.fullmatch, file.parts[:-1])) else NOBODYS))
    else:
        found.left_out.append(LeftOut(file.shown, trouble or _why(kind, file), student, file, label))
    found.students.add(student)


def _lesson(file: File, kind: Kind, student: str, wanted: str | None, folder: str, name: str, found: Survey) -> tuple[str | None, str]:
    """The lesson, or why it cannot be told. So many files that they take more than a student's time are told by their names alone."""
    with found.looking(student) as look:
        try:
            which = lesson_of(file.path, wanted, folder, name, look)
            if look and which and kind is Kind.SCRIPT and not is_of(file.path, which, name):
                which = None
            return which, "" if look else TOO_MANY
        except TooMuch as error:
            return None, f"which lesson it is cannot be told: {error}"


def _why(kind: Kind, file: File) -> str:
    if kind is Kind.NOTEBOOK:
        return "a notebook of no lesson that can be told: name it with --lesson"
    if kind is Kind.SCRIPT:
        return "a script of no lesson; beside a notebook it comes along"
    if file.path.suffix.lower() in LINKS or _is_address(file.path):
        return "the address of a notebook, not the notebook: ask for the .ipynb file"
    if archived := kinds.archive_name(file.path):
        return SUGGESTIONS[archived]
    return SUGGESTIONS.get(file.path.suffix.lower(), "neither a notebook nor a script")


def _is_address(path: Path) -> bool:
    """Whether a small text holds nothing but a link, such as one to Colab."""
    try:
        return path.suffix.lower() in (".txt", ".json") and path.stat().st_size < 4096 and bool(ADDRESS.fullmatch(path.read_bytes()))
    except OSError:
        return False


def _natural(parts: Sequence[str]) -> tuple:
    """`attempt 9` before `attempt 10`, and `03_x.ipynb` before `03_x (1).ipynb`."""
    keys = []
    for part in parts:
        stem = re.sub(r"\.\w+$", "", part)
        keys.append(tuple((0, int(x)) if x.isdigit() else (1, x) for x in re.findall(r"\d{1,18}|\D+", stem)))
    return tuple(keys)
