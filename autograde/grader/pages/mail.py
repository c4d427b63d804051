"""One message for each student, with their feedback pages: files that mail programs open and send, `.eml`. Nothing is sent here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import getaddresses
from pathlib import Path

from autograde.checking.errors import UserError
from autograde.checking.manifest import read_manifest
from autograde.files import write
from autograde.grader.gradebook.roster import Person
from autograde.grader.gradebook.standing import Standing
from autograde.grader.pages.feedback_page import path_of

ASCII = SMTP.clone(cte_type="7bit")  # a server on the way may refuse other bytes
TITLES = 2  # lessons that a subject calls by their titles; of more it has the numbers, as mail programs cut a long one
GREETING = "Hello {name},\n\nyour points, also in the attached {pages}, which say why:\n\n{points}\n"


@dataclass
class Mail:
    """The files that were written, the students of whom the roster has no usable address, and those whose written answer still waits."""

    files: list[Path] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


def save(
    folder: Path, out: Path, standings: Iterable[Standing], people: Iterable[Person], lessons: Collection[str], sender: str = ""
) -> Mail:
    """Write `out/<student>.eml` for everyone with a feedback page in the results `folder` in one of the `lessons`.

    Raises:
        UserError: when `sender` is not one address, or `out` holds messages that this call does not write: whoever sends all of the folder
            would send these again. Nothing is written then.
    """
    if sender and not _address(sender):
        raise UserError(f'--from must be one address, as "Ada Lovelace <ada@example.org>" or ada@example.org, and is "{sender}"')
    known = {person.student: person for person in people}
    made, messages = Mail(), dict[Path, bytes]()
    for student, own in sorted(_with_pages(folder, standings, lessons).items()):
        address = _address(known[student].email) if student in known else ""
        if not address:
            made.without.append(student)
            continue
        if any(standing.waiting for standing in own):
            made.waiting.append(student)
        messages[out / _file_name(student)] = message(folder, own, known[student].name or student, address, sender).as_bytes()
    if others := sorted(path.name for path in out.glob("*.eml") if path not in messages):
        raise UserError(f"{out} holds messages of an earlier call ({_some(others)}): delete them, or name another folder")
    for path, content in messages.items():
        write(path, content)
    made.files = list(messages)
    return made


def _with_pages(folder: Path, standings: Iterable[Standing], lessons: Collection[str]) -> dict[str, list[Standing]]:
    """Of each student the lessons that have a feedback page."""
    found: dict[str, list[Standing]] = {}
    for standing in standings:
        if standing.lesson in lessons and path_of(folder, standing.student, standing.lesson).is_file():
            found.setdefault(standing.student, []).append(standing)
    return found


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def message(folder: Path, standings: list[Standing], name: str, address: str, sender: str = "") -> EmailMessage:
    """A draft: points in words, the pages attached."""
    standings = sorted(standings, key=lambda s: s.lesson)
    titles = [read_manifest(s.lesson)["title"] for s in standings]
    points = [f"{title}: {s.total:g} of {s.max_score:g}{_notes(s)}" for title, s in zip(titles, standings)]
    made = EmailMessage(policy=ASCII)
    made["To"] = address
    if sender:
        made["From"] = Address(_line(getaddresses([sender])[0][0]), addr_spec=_address(sender))
    numbers = "lessons " + ", ".join(s.lesson[:2] for s in standings)
    made["Subject"] = f"Feedback: {', '.join(titles) if len(titles) <= TITLES else numbers}"
    made["X-Unsent"] = "1"  # mail programs open it as a draft
    made.set_content(GREETING.format(name=_line(name), pages="pages" if len(points) > 1 else "page", points="\n".join(points)))
    for standing in standings:
        page = path_of(folder, standing.student, standing.lesson).read_bytes()
        made.add_attachment(page, maintype="text", subtype="html", filename=f"{standing.lesson}.html", params={"charset": "utf-8"})
    made.set_boundary("=_" + hashlib.sha256(standings[0].student.encode()).hexdigest()[:16])  # `=_` stands in no encoded part
    return made


def _notes(standing: Standing) -> str:
    late = f", {standing.penalty:g} taken off for being late" if standing.penalty else ""
    return late + (" (the written answer is not graded yet)" if standing.waiting else "")


def _address(text: str) -> str:
    """The address in `Ann <ann@x.org>` or `ann@x.org`, as every mail server reads it; empty for what is none, or would add a second line to the
    header, and for a name before the @ that only few servers take."""
    found = [address for _, address in getaddresses([text])]
    if len(found) != 1 or not re.fullmatch(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+", found[0]) or "\n" in text or "\r" in text:
        return ""
    name, _, domain = found[0].partition("@")
    try:
        return str(Address(username=name.encode("ascii").decode(), domain=domain.encode("idna").decode()).addr_spec)
    except (UnicodeError, ValueError):
        return ""


def _line(text: str) -> str:
    return " ".join(text.split())


def _file_name(student: str) -> str:
    """A name of its own for each student, whatever characters are in it."""
    plain = re.sub(r"[^\w.@-]+", "_", student)
    return (
        f"{plain}.eml"
        if plain == student and not plain.startswith(".")
        else f"{plain.lstrip('.')}-{hashlib.sha256(student.encode()).hexdigest()[:8]}.eml"
    )
