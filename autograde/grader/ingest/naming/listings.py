"""What learning systems write beside the files that they export: who handed in what, and when. Students can write files of these names, too, in
folders of their own: the caller leaves those out."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import yaml

from autograde.files import opened
from autograde.grader.ingest.naming import systems
from autograde.grader.ingest.naming.systems import Label
from autograde.grader.sandbox.bounded import bounded

METADATA = "submission_metadata.yml"
COCALC = re.compile(r"STUDENT - (?P<name>.+)\.txt")  # in a student's folder, which is called by a number
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIMESTAMP = "timestamp.txt"
BEGINNING = 4096  # bytes that are read of a note
NAMED = re.compile(r"\A\ufeff?\w{1,20}\s?[:：][^\n]*\((?P<name>[^()\n]+)\)\s*$", re.MULTILINE)  # `Name:` in any language
DIGITS = re.compile(r"\d{17}")
Parts = tuple[str, ...]


class _Loader(yaml.SafeLoader):
    """Reads Ruby's tags as the plain values they stand before."""


_Loader.add_multi_constructor("!", lambda loader, _, node: _plain_node(loader, node))


def _plain_node(loader: yaml.SafeLoader, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else loader.construct_scalar(node)


def gradescope(ours: Mapping[Parts, Path], files: Iterable[Parts]) -> dict[Parts, list[Label]]:
    """Whose files are by Gradescope's lists among `ours`; a group's are each member's."""
    owners: dict[Parts, list[Label]] = {}
    for listing in sorted((parts for parts in ours if parts[-1] == METADATA), key=len):
        if listing in owners:
            continue
        try:
            said = _people(ours[listing])
        except (OSError, ValueError, yaml.YAMLError, RecursionError):
            continue
        depth = len(listing) - 1
        for parts in files:
            if parts[:depth] == listing[:depth] and len(parts) > depth and parts[depth] in said:
                people, time = said[parts[depth]]
                owners[parts] = [replace(label, time=time) for label in people]
    return owners


def _people(path: Path) -> dict[str, tuple[list[Label], datetime | None]]:
    return {
        folder: ([Label(*said) for said in people], datetime.fromisoformat(time) if time else None)
        for folder, (people, time) in _listed(path).items()
    }


@bounded()
def _listed(path: Path) -> dict[str, tuple[list[tuple[str, str, str]], str]]:
    """Students may hand in a file of this name, too."""
    with opened(path) as stream:
        found = systems.gradescope(yaml.load(stream.read().decode("utf-8"), _Loader))  # a safe loader
    return {
        folder: ([(x.system, x.name, x.number) for x in people], time.isoformat() if time else "")
        for folder, (people, time) in found.items()
    }


def of_cocalc(plain: Mapping[Parts, str]) -> dict[Parts, str]:
    """The names of students who are called by a number of CoCalc's, where a file in the folder says one, and nobody else's says the same."""
    names: dict[str, set[str]] = defaultdict(set)
    for parts, who in plain.items():
        if UUID.fullmatch(who) and parts[-2:-1] == (who,) and (found := COCALC.fullmatch(parts[-1])):
            names[who].add(found["name"])
    alone = {who: min(said) for who, said in names.items() if len(said) == 1}
    counts = Counter(alone.values())
    return {parts: alone[who] for parts, who in plain.items() if who in alone and counts[alone[who]] == 1}


def completed(labels: Mapping[Parts, Label], ours: Mapping[Parts, Path]) -> dict[Parts, Label]:
    """Labels with what notes beside the files say: Blackboard's the user name, which a file's name does not tell apart from the assignment's
    where it holds a `_`; Sakai's the time."""
    names = {
        _attempt(p): name for p, label in labels.items() if label.system == "Blackboard" and not label.file and (name := _name(ours.get(p)))
    }
    times = {parts[:-1]: time for parts, path in ours.items() if _is_sakais(parts) and (time := _time(path))}
    return {parts: _complete(label, parts, names, times) for parts, label in labels.items()}


def _is_sakais(parts: Parts) -> bool:
    """Whether a time stamp stands where Sakai writes it: in a student's folder, not among what the student handed in."""
    return parts[-1] == TIMESTAMP and len(parts) > 1 and bool((label := systems.read(parts[-2])) and label.system == "Sakai")


def _complete(label: Label, parts: Parts, names: Mapping[Parts, str], times: Mapping[Parts, datetime]) -> Label:
    if label.system == "Blackboard":
        return replace(label, name=names.get(_attempt(parts), label.name))
    above = (parts[:depth] for depth in range(1, len(parts)) if systems.read(parts[depth - 1]))
    time = next((times[folder] for folder in above if folder in times), None) if label.system == "Sakai" else None
    return replace(label, time=time) if time else label


def _attempt(parts: Parts) -> Parts:
    """An attempt of Blackboard's: all that stands before the file's own name."""
    found = re.match(rf".+?_(?i:{systems.ATTEMPT})_\d{{4}}(?:-\d\d){{5}}", parts[-1])
    return (*parts[:-1], found[0] if found else parts[-1])


def _name(path: Path | None) -> str:
    found = NAMED.search(_beginning(path)) if path else None
    return found["name"].strip() if found else ""


def _time(path: Path) -> datetime | None:
    """As nbgrader or Sakai writes it, in UTC; a student may hand in a file of this name, too."""
    try:
        return datetime.fromisoformat(_stamped(_beginning(path).strip()))
    except Exception:  # dateutil has a dozen kinds for what is no time, and looks for files of the names in it
        return None


@bounded()
def _stamped(text: str) -> str:
    from nbgrader.utils import parse_utc  # with which all of nbgrader comes: 0.4 s before the first result of a class

    found = datetime.strptime(text, "%Y%m%d%H%M%S%f") if DIGITS.fullmatch(text) else parse_utc(text)
    return found.replace(tzinfo=UTC).isoformat()


def _beginning(path: Path) -> str:
    try:
        with opened(path) as stream:
            return stream.read(BEGINNING).decode("utf-8", errors="replace")
    except OSError:
        return ""
