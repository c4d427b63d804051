"""Which result counts for each student and lesson, over all calls that graded into one folder; and who has left the class.

It stands in the results folder, in `.class.json`. Every table, page and export is made of what it lists.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from autograde.files import write

FILE = ".class.json"
Key = tuple[str, str]  # student, lesson


@dataclass(frozen=True)
class Entry:
    """The result of a submission by its key in the store; `place` is where the file lay, `missing` that there was none, `checks` a digest of
    what it was checked by, "" where that is not known."""

    key: str
    place: str = ""
    missing: bool = False
    checks: str = ""


@dataclass
class ClassList:
    """`gone` are students whose files are no longer where they were, `withdrawn` single submissions of others: their results stay, no
    table, page or export shows them."""

    folder: Path
    entries: dict[Key, Entry] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    withdrawn: set[Key] = field(default_factory=set)

    @classmethod
    def read(cls, folder: Path) -> ClassList:
        """The list of a results folder; an empty one where there is none, or where it is damaged."""
        try:
            said = json.loads((folder / FILE).read_text(encoding="utf-8"))
            entries = {(s, lesson): Entry(**entry) for s, lessons in said["students"].items() for lesson, entry in lessons.items()}
            return cls(folder, entries, set(said["gone"]), {(s, lesson) for s, lesson in said.get("withdrawn", [])})
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls(folder)

    def save(self) -> None:
        students: dict[str, dict[str, dict]] = {}
        for (student, lesson), entry in sorted(self.entries.items()):
            students.setdefault(student, {})[lesson] = asdict(entry)
        said = {"students": students, "gone": sorted(self.gone), "withdrawn": sorted(self.withdrawn)}
        content = json.dumps(said, indent=1) + "\n"
        write(self.folder / FILE, content.encode())

    def put(self, student: str, lesson: str, key: str, place: Path | None, missing: bool, checks: str = "") -> bool:
        """What a call found; whether it counts. Nothing found never takes the place of what was graded before: it may lie elsewhere."""
        known = self.entries.get((student, lesson))
        counts = known is None or known.missing or not missing
        if counts:
            self.entries[student, lesson] = Entry(key, self._written(place), missing, checks)
        self.gone.discard(student)
        if not missing:
            self.withdrawn.discard((student, lesson))
        return counts

    def merge(self, recorded: Iterable[tuple[str, str, str]]) -> None:
        """Take up (student, lesson, key) of what was recorded, also by a run that was killed before it wrote the list."""
        for student, lesson, key in recorded:
            known = self.entries.get((student, lesson), Entry(""))
            if (student, lesson) not in self.withdrawn and (known.missing or known.key != key):
                self.entries[student, lesson] = Entry(key, known.place)

    def checked_otherwise(self, lesson: str, checks: str) -> list[str]:
        """Whose result of a lesson came of other checks than these."""
        return [student for (student, name), e in self.members() if name == lesson and not e.missing and e.checks not in ("", checks)]

    def leave(self, roots: Collection[Path], present: Collection[str]) -> list[str]:
        """Who was not found though all their files lay in the folders `roots`, which were looked through whole: they are gone now."""
        places: dict[str, list[str]] = {}
        for (student, _), entry in self.entries.items():
            places.setdefault(student, []).append(entry.place)
        looked = [self._written(root) for root in roots]
        left = [s for s, own in places.items() if s not in present and all(any(_inside(p, r) for r in looked) for p in own)]
        fresh = sorted(set(left) - self.gone)
        self.gone.update(fresh)
        return fresh

    def withdraw(self, roots: Collection[Path], nothing: Mapping[Key, str]) -> list[Key]:
        """The submissions that lay in the folders `roots` and do not any more, of who is still there: they count no longer.

        `nothing` are the results, by their keys in the store, of whom this call found nothing in a lesson.
        """
        looked = [self._written(root) for root in roots]
        lost = [key for key, entry in self.entries.items() if key[0] not in self.gone and self._is_lost(entry, looked)]
        fresh = sorted(set(lost) - self.withdrawn)
        self.withdrawn.update(lost)
        self.entries |= {key: replace(self.entries[key], key=nothing[key], missing=True) for key in lost if key in nothing}
        return fresh

    def _is_lost(self, entry: Entry, looked: Collection[str]) -> bool:
        there = entry.missing or os.path.lexists(self.folder / entry.place)
        return not there and any(_inside(entry.place, root) for root in looked)

    def counts(self, key: Key) -> bool:
        """Whether the gradebook's points for it count: its student has not left the class, nor its file."""
        return key[0] not in self.gone and key not in self.withdrawn

    def members(self) -> list[tuple[Key, Entry]]:
        """Everyone's submissions but those that do not count, sorted. Of a lesson that is withdrawn whole nobody has anything to hand in."""
        handed_in = {key[1] for key, entry in self.entries.items() if self.counts(key) and not entry.missing}
        over = {lesson for _, lesson in self.withdrawn} - handed_in
        shown = [key for key, entry in self.entries.items() if key[0] not in self.gone and (entry.missing or self.counts(key))]
        return [(key, self.entries[key]) for key in sorted(shown) if key[1] not in over]

    def _written(self, place: Path | None) -> str:
        """A place as it is kept: below the results folder by what leads there, so that a class can be moved."""
        if place is None:
            return ""
        path, home = place.resolve(), self.folder.resolve()
        return str(path.relative_to(home)) if path.is_relative_to(home) else str(path)


def _inside(place: str, root: str) -> bool:
    return bool(place) and (root == "." and not os.path.isabs(place) or place == root or place.startswith(root + os.sep))
