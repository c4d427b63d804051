"""Mails that were saved whole, one (`.eml`) or many (`.mbox`): what is attached to them, by who sent it and when."""

from __future__ import annotations

import email.policy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parseaddr
from pathlib import Path

from autograde.files import opened

ENDINGS = (".eml", ".mbox")
STAMP = "timestamp.txt"  # by which nbgrader tells when something came
MAX_BYTES = 2**30  # of a mailbox


@dataclass(frozen=True)
class Attached:
    """A file that came by mail, called `name`: in the folder of its time, which may be in that of who sent it."""

    name: str
    content: bytes
    time: float  # seconds since 1970


def is_one(path: Path) -> bool:
    """Whether a file is a mail or a mailbox with something attached, as far as its beginning says."""
    if not path.name.lower().endswith(ENDINGS) or path.stat().st_size > MAX_BYTES:
        return False
    try:
        with opened(path) as stream:
            start = stream.read(2**16)
    except OSError:
        return False
    return b"filename" in start or len(start) == 2**16


def alone(path: Path) -> bool:
    """Whether nothing but mails lies in the folder of a mail: somebody has saved what came by mail. Beside other files a mail is what a student
    handed in, and who sent it says what the student likes."""
    return all(other.name.lower().endswith(ENDINGS) for other in path.parent.iterdir() if not other.name.startswith("."))


def attached(path: Path, sender: bool) -> Iterator[Attached]:
    """The attachments of a mail, or of all mails of a mailbox; `sender` says that they are to lie in the folders of who sent them."""
    if path.name.lower().endswith(".mbox"):
        with opened(path) as stream:
            for raw in _mails(stream):
                yield from _of(_parsed(raw), sender)
    else:
        with opened(path) as stream:
            raw = stream.read()
        yield from _of(_parsed(raw), sender)


def _mails(stream: Iterable[bytes]) -> Iterator[bytes]:
    """The mails of a mailbox: each begins behind a line `From …`, as it stands at the mailbox's beginning or behind an empty line."""
    lines: list[bytes] = []
    empty = True
    for line in stream:
        if empty and line.startswith(b"From "):
            if lines:
                yield b"".join(lines)
            lines = []
        else:
            lines.append(line)
        empty = not line.strip()
    if lines:
        yield b"".join(lines)


def _parsed(raw: bytes) -> EmailMessage:
    message = BytesParser(policy=email.policy.default).parsebytes(raw)
    assert isinstance(message, EmailMessage), "as this policy makes them"
    return message


def _of(message: EmailMessage, sender: bool) -> Iterator[Attached]:
    name, address = parseaddr(str(message["from"] or ""))
    who = (address or name).lower().replace("/", "_").strip(" .") or "nobody"
    sent = _time(message)
    folder = (f"{who}/" if sender else "") + (f"{sent:%Y-%m-%d_%H-%M-%S}/" if sent else "")
    files = [(part.get_filename(), part.get_payload(decode=True)) for part in message.walk() if part.get_filename()]
    for file, content in files:
        if file and isinstance(content, bytes):
            yield Attached(folder + file.replace("/", "_"), content, sent.timestamp() if sent else 0.0)
    if files and sent:
        yield Attached(folder + STAMP, f"{sent:%Y-%m-%d %H:%M:%S} UTC\n".encode(), sent.timestamp())


def _time(message: EmailMessage) -> datetime | None:
    """When it was sent, in UTC."""
    try:
        sent = message["date"].datetime
        return sent.astimezone(UTC) if 1970 < sent.year < 9000 else None
    except (AttributeError, ValueError, OverflowError, TypeError):
        return None
