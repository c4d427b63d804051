"""Dates as people write them, in ten languages, and the same dates in ISO 8601: the task of lesson 02.

The forms come from the Unicode CLDR through Babel: `24.9.1987`, `24 de set. de 1987`, `czwartek, 24 września 1987`. A period of
two dates is written with the language's own range pattern; its ISO form is a time interval, `1987-09-24/1991-03-12`.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import torch
from jaxtyping import Bool, Int
from torch import Tensor

LOCALES = ("en", "de", "fr", "es", "it", "pt", "nl", "sv", "pl", "tr")
STYLES = ("numeric", "medium", "long", "full")
FIRST_DAY, LAST_DAY = datetime.date(1950, 1, 1), datetime.date(2049, 12, 31)
PAD, START, END = 0, 1, 2
TARGET_CHARACTERS = "0123456789-/"
Option = TypeVar("Option")


@dataclass(frozen=True)
class DatePair:
    """One example: what a person wrote, and the ISO 8601 form of it."""

    source: str
    target: str
    locale: str
    style: str
    n_dates: int


def day(year: int, month: int, number: int) -> datetime.date:
    """A calendar day."""
    return datetime.date(year, month, number)


def write_date(date: datetime.date, locale: str, style: str) -> str:
    """`date` as people write it: `style` is `numeric` (day.month.year everywhere), `medium`, `long` or `full`.

    The languages' own all-number forms are left out on purpose: 4/11/87 is two different days in London and in Boston.
    """
    if style not in STYLES:
        raise ValueError(f"style must be one of {', '.join(STYLES)}, not {style!r}")
    from babel.dates import format_date  # here, so that who never writes a date never loads Babel

    text = format_date(date, "d.M.y" if style == "numeric" else style, locale=locale)
    return _plain_spaces(text)


def write_period(first: datetime.date, last: datetime.date, locale: str, style: str) -> str:
    """Two dates joined as the language joins them: `24 sep 1987 – 12 mar 1991`."""
    return _plain_spaces(_range_pattern(locale).format(write_date(first, locale, style), write_date(last, locale, style)))


def sample_pairs(
    n: int,
    generator: torch.Generator,
    n_dates: int = 1,
    held_out: bool = False,
    styles: Sequence[str] = STYLES,
    locales: Sequence[str] = LOCALES,
) -> list[DatePair]:
    """`n` random pairs of one date, or of a period of two; the same generator state gives the same pairs.

    Days whose number in the calendar ends in 7 are held out: they occur only, and alone, with `held_out=True`, so a model is
    never tested on a day that it was trained on.
    """
    if n_dates not in (1, 2):
        raise ValueError(f"n_dates must be 1 or 2, not {n_dates}")
    days = [d for d in range(FIRST_DAY.toordinal(), LAST_DAY.toordinal() + 1) if (d % 10 == 7) == held_out]

    def pick(options: Sequence[Option]) -> Option:
        return options[int(torch.randint(len(options), (1,), generator=generator))]

    pairs = []
    for _ in range(n):
        dates = sorted(datetime.date.fromordinal(pick(days)) for _ in range(n_dates))
        pairs.append(make_pair(dates, pick(locales), pick(styles)))
    return pairs


def make_pair(dates: Sequence[datetime.date], locale: str, style: str) -> DatePair:
    """The pair of one date or of two."""
    if len(dates) == 1:
        source = write_date(dates[0], locale, style)
    else:
        first, last = dates
        source = write_period(first, last, locale, style)
    return DatePair(source, "/".join(d.isoformat() for d in dates), locale, style, len(dates))


@lru_cache
def source_characters() -> str:
    """Every character that a source may hold, sorted: those of all months, all weekdays and all digits in every form."""
    days = [datetime.date(1987, month, day) for month in range(1, 13) for day in (1, 11, 21)]
    texts = [write_period(day, day, locale, style) for locale in LOCALES for style in STYLES for day in days]
    return "".join(sorted(set("".join(texts) + "0123456789")))


def encode_sources(sources: Sequence[str]) -> tuple[Int[Tensor, "B n"], Bool[Tensor, "B n"]]:
    """Character ids padded with `PAD` to the longest source, and the mask that is True where a character stands."""
    known = {c: i for i, c in enumerate(source_characters(), END + 1)}
    ids = _padded([[known[c] for c in source] for source in sources])
    return ids, ids != PAD


def encode_targets(targets: Sequence[str]) -> Int[Tensor, "B m"]:
    """Character ids of ISO dates, each closed by `END` and padded with `PAD`."""
    known = {c: i for i, c in enumerate(TARGET_CHARACTERS, END + 1)}
    return _padded([[*(known[c] for c in target), END] for target in targets])


def decode_target(ids: Sequence[int]) -> str:
    """The text before the first `END`; a `PAD` or `START` inside it, which no right answer has, becomes `?`."""
    text = ""
    for i in ids:
        if i == END:
            break
        text += TARGET_CHARACTERS[i - END - 1] if i > END else "?"
    return text


def n_source_ids() -> int:
    """How many ids a source may hold, the three special ones included."""
    return END + 1 + len(source_characters())


def n_target_ids() -> int:
    """How many ids a target may hold, the three special ones included."""
    return END + 1 + len(TARGET_CHARACTERS)


def _padded(rows: list[list[int]]) -> Int[Tensor, "B n"]:
    ids = torch.full((len(rows), max(map(len, rows), default=0)), PAD)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
    return ids


@lru_cache
def _range_pattern(locale: str) -> str:
    from babel import Locale

    return Locale.parse(locale).interval_formats[None]


def _plain_spaces(text: str) -> str:
    """CLDR has thin and no-break spaces in places that change from one version to the next."""
    for space in "\u00a0\u2009\u202f":
        text = text.replace(space, " ")
    return text
