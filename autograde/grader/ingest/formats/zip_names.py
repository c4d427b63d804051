"""The names in a zip that does not say how they are encoded: packers of Windows write them in the encoding of the machine's language."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Sequence

from autograde.grader.ingest.formats.odd_zips import UTF_8
from autograde.grader.spelling import likeliest

SAMPLE = 300  # names by which the encoding is told
ENCODINGS = (  # of packers, the most frequent first
    *("cp437", "cp850", "cp866", "cp1252", "cp852", "cp857", "cp737", "cp1254", "cp1250", "cp1251", "cp1253"),
    *("gb18030", "cp932", "big5", "cp949"),
)


def names(infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    """The names of an archive's members as they were meant."""
    unsaid = [info.filename for info in infos if _is_unsaid(info)]
    encoding = _encoding([name for name in unsaid if _decoded(name, "utf-8") is None][:SAMPLE])
    return [_meant(info.filename, encoding) if _is_unsaid(info) else info.filename for info in infos]


def _is_unsaid(info: zipfile.ZipInfo) -> bool:
    return not info.flag_bits & UTF_8 and not info.filename.isascii()


def _meant(name: str, encoding: str) -> str:
    """Some packers write UTF-8 without saying so, and hardly anything else is."""
    return _decoded(name, "utf-8") or _decoded(name, encoding) or name


def _decoded(name: str, encoding: str) -> str | None:
    with contextlib.suppress(UnicodeError):  # Python has read the bytes as those of DOS
        return name.encode("cp437").decode(encoding)
    return None


def _encoding(unsaid: Sequence[str]) -> str:
    """The encoding in which the names look most like names."""
    return likeliest([name.encode("cp437") for name in unsaid], ENCODINGS)
