"""How learning systems name what they export: who handed a file in, as which attempt, when, and what it was called.

Sources: Canvas's `lib/content_zipper.rb`, Moodle's `mod/assign/classes/downloader.php`, nbgrader's exchange, and files that the others export.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime

YEARS = range(1970, 9000)  # in which something may be handed in


@dataclass(frozen=True)
class Label:
    """What a system's name for a file or folder says. `number` is the system's own for the student; `file` is empty for a folder."""

    system: str
    name: str
    number: str = ""
    file: str = ""
    late: bool = False
    order: int = 0  # of the attempt, where the system numbers them: larger is newer
    time: datetime | None = None

    def __post_init__(self) -> None:
        """A time near the ends of the calendar is none: a student may choose it, and in another zone there would be no such year."""
        if self.time and self.time.year not in YEARS:
            object.__setattr__(self, "time", None)

    @property
    def members(self) -> list[str]:
        """Each student of a group, whose names the system writes one after the other."""
        between = {"A+": "+", "Sakai": "; "}.get(self.system.split(",")[0])
        return self.name.split(between) if between else [self.name]


ATTEMPT = (  # as Blackboard calls it in the language of whoever downloads
    "attempt|poging|tentative|intento|intent|versuch|tentativa|tentativo|forsøk|forsøg|försök|yritys|próba|kísérlet|pokus|попытка|спроба|deneme|ymgais"
    "|προσπάθεια|محاولة|ניסיון|尝试|嘗試|試行|試み|受験|시도"
)
LOCAL = ("Blackboard", "Brightspace")  # whose times are in the zone of whoever downloads
DATE = r"(?=[^-]*\d{4})[^-]+"  # in the language and form of whoever downloads
SAKAI = r"[^,();]+,[^();]*\((?!\d{1,2}\))[^();]+\)"  # last name, first name, user name; `(2)` is the second of a name
FILE = r"(?:_(?P<file>.+))?"
PATTERNS: dict[str, re.Pattern[str]] = {
    "Moodle": re.compile(
        r"(?P<name>.+?)(?:_(?P<number>\d+))?__?assign(?:submission|feedback)_(?:file|onlinetext|comments|editpdf)_?(?P<file>.+)?"
    ),
    "Blackboard": re.compile(rf".+?_(?P<name>[^_]+)_(?i:{ATTEMPT})_(?P<time>\d{{4}}(?:-\d{{2}}){{5}})(?:\.txt|{FILE})"),
    "Brightspace": re.compile(rf"(?P<number>\d+)-\d+ - (?P<name>.+?) ?- (?P<time>{DATE})(?: - (?P<file>.+))?"),
    "nbgrader": re.compile(r"(?P<name>[^+]+)\+\d\d_\w+\+(?P<time>\d{4}-\d\d-\d\d \d\d(?:[:_.-]\d\d){2}(?:\.\d+)?) \w+(?:\+[\w-]+)?"),
    "Canvas, blind": re.compile(r"(?P<late>LATE_)?(?P<name>anon_(?P<number>\w{5}))_(?P<order>\d+)_(?P<file>.+)"),
    "Canvas, quiz": re.compile(r"(?P<name>[-\w]*?[^\W\d])(?P<number>\d+)_question_\d+_(?P<order>\d+)_(?P<file>.+)"),
    "Canvas": re.compile(  # a day and a time are no name and number
        r"(?!(?:.*_)?20\d{6}_\d{6}(?:_|$)|.*?_20\d\d_(?:[1-9]|1[0-2])_(?:[0-2]?\d|3[01])(?!\d))(?P<name>\w+?)_(?:(?P<late>(?i:LATE))_)?(?P<number>[1-9]\d{0,18})_(?:(?P<late2>(?i:LATE))_)?(?P<order>[1-9]\d*)_(?P<file>.+)"
    ),
    "Canvas, words": re.compile(r"(?P<name>\w+?)_(?:(?P<late>LATE)_)?(?P<number>[1-9]\d{0,18})_(?P<file>(?:text|link)\.html)"),
    "Autolab": re.compile(r"(?P<name>[^@\s]+@[^_\s]+)_(?:\w+_v)?(?P<order>\d+)_(?P<file>handin\..+)"),
    "PrairieLearn": re.compile(r"(?P<name>[^@\s]+@[^_\s]+)_.+?_(?P<order>\d{3,})_(?P<file>.+)"),
    "edX": re.compile(r"\[\d+\] - (?P<name>.+?) - (?P<file>.+)"),
    "A+, by number": re.compile(r"(?P<name>\d+(?:\+\d+)*)_file\d+_submission(?P<order>\d+)(?P<file>\..+)?"),
    "A+": re.compile(r"(?P<name>\d+)_submission_(?P<file>file_?\d*\..+)"),
    "Sakai": re.compile(rf"(?P<name>{SAKAI}(?:; {SAKAI})*)(?:_(?:[^_]+_)?(?P<file>.+))?"),
}
FORMATS: dict[str, tuple[str, ...]] = {
    "Blackboard": ("%Y-%m-%d-%H-%M-%S",),
    "Brightspace": tuple(
        f"{day} {hour}"
        for day in ("%b %d, %Y", "%B %d, %Y", "%d %B, %Y", "%d %b, %Y", "%d %B %Y")
        for hour in ("%I%M %p", "%I%M%p", "%I:%M %p", "%H%M", "%H:%M")
    ),
    "nbgrader": ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S"),
}


def read(name: str) -> Label | None:
    """The label that a file or a folder bears; None where no system named it."""
    composed = unicodedata.normalize("NFC", name)  # a Mac's letters come in parts
    letters = "".join("x" if unicodedata.category(c) in ("Mn", "Mc") else c for c in composed)  # vowels of Hindi, say: no letters to Python
    for system, pattern in PATTERNS.items():
        if found := pattern.fullmatch(letters):
            return _tidy(_label(system, {k: composed[slice(*found.span(k))] for k in found.groupdict()}))
    return None


def _label(system: str, said: dict[str, str]) -> Label:
    late = bool(said.get("late") or said.get("late2"))
    order = int(said.get("order") or 0)
    return Label(
        system, said["name"].strip(), said.get("number", ""), said.get("file", ""), late, order, _time(system, said.get("time", ""))
    )


def _tidy(label: Label) -> Label:
    """Moodle may put the user name before the full name; a blind one names nobody but its number. Canvas writes names without blanks, but for
    files of a quiz; Sakai the user names of a group."""
    if label.system == "Canvas, quiz":
        return replace(label, name=label.name.replace("_", ""))
    if label.system == "Sakai":
        return replace(label, name="; ".join(re.findall(r"\(([^()]+)\)", label.name)))
    blind = (
        label.system == "Moodle" and label.number and re.fullmatch(r"(participant|teilnehmer\S*|deelnemer|participante?)", label.name, re.I)
    )
    return replace(label, name=f"{label.name}_{label.number}") if blind else label


def _time(system: str, said: str) -> datetime | None:
    if system == "nbgrader":  # a colon is no part of a name everywhere
        said = re.sub(r"(?<= \d\d)\D(\d\d)\D", r":\1:", said)
    for form in FORMATS.get(system, ()):
        try:
            time = datetime.strptime(said, form)
            return time.astimezone() if system in LOCAL else time
        except (ValueError, OverflowError):  # the latter for the last day of all, west of Greenwich
            pass
    return None


def gradescope(metadata: object) -> dict[str, tuple[list[Label], datetime | None]]:
    """`submission_metadata.yml` as folders, with whose each is: all of a group."""
    found = {}
    for folder, about in metadata.items() if isinstance(metadata, dict) else ():
        people = about.get(":submitters") if isinstance(about, dict) else None
        made = about.get(":created_at") if isinstance(about, dict) else None
        labels = [label for person in people or () if isinstance(person, dict) and (label := _person(person))]
        if labels:
            found[str(folder)] = (labels, made if isinstance(made, datetime) else None)
    return found


def _person(said: dict) -> Label | None:
    """Called by the number that the university gave, else by the e-mail address, else by name: the first is what rosters have."""
    values = [str(said.get(key) or "").strip() for key in (":sid", ":email", ":name")]
    return Label("Gradescope", next(filter(None, values), ""), values[0]) if any(values) else None
