"""Other letters in texts."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from autograde.grader.run.symmetries.symmetry import Change, each, is_function, translated


@dataclass(frozen=True)
class Respelt:
    """Other letters in all texts and bytes, but for those that are `fixed`; `ordered` ones follow each other as before, however long the words.
    With `digits` other digits, too; 0 stays. Entries of tables that are numbered below `first` stay: a vocabulary begins with all bytes."""

    fixed: str = ""
    ordered: bool = False
    digits: bool = False
    first: int = 0

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        used = set("".join(_texts(args)).lower())
        table = _spelling(string.ascii_lowercase, self.fixed, used, self.ordered, chosen)
        table |= _spelling(string.digits, self.fixed + "0", used, self.ordered, chosen) if self.digits else {}
        table |= {old.upper(): new.upper() for old, new in table.items()}
        there, back = Texts(table, self.first), Texts({new: old for old, new in table.items()}, self.first)
        return [translated(arg, back, there) if is_function(arg) else there(arg) for arg in args], back


@dataclass(frozen=True)
class RespeltTokenizer:
    """Other letters in the merges, the longer tokens and the texts of a tokenizer, but for those that are `fixed`; each single byte keeps its id."""

    fixed: str = ""

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        table = _spelling(string.ascii_lowercase, self.fixed, set(), False, chosen)
        table |= {old.upper(): new.upper() for old, new in table.items()}
        there, back = Texts(table, 0), Texts({new: old for old, new in table.items()}, 0)
        vocab, *rest = args
        ids = {token: i for i, token in vocab.items() if len(token) == 1}
        moved = {i: ids.get(there(token), i) for token, i in ids.items()}
        longer = {i: token if len(token) == 1 else there(token) for i, token in vocab.items()}
        ways = there, back, moved, {new: old for old, new in moved.items()}
        return [longer, *map(there, rest)], lambda made: _Tokenizer(made, *ways)


class _Tokenizer:
    """A student's tokenizer, whose texts and ids are put into its words and back."""

    def __init__(self, made: Any, there: Change, back: Change, moved: Mapping[int, int], before: Mapping[int, int]) -> None:
        self._made, self._there, self._back, self._moved, self._before = made, there, back, moved, before

    def encode(self, text: str) -> Any:
        found = self._made.encode(self._there(text))
        return [*map(self._id, found)] if type(found) in (list, tuple) else found

    def encode_iterable(self, lines: Iterable[str]) -> Iterator[Any]:
        return map(self._id, self._made.encode_iterable(map(self._there, lines)))

    def decode(self, ids: Iterable[int]) -> Any:
        return self._back(self._made.decode([self._moved.get(i, i) for i in ids]))

    def _id(self, found: Any) -> Any:
        return self._before.get(found, found) if type(found) is int else found


class Texts:
    """Letters put in the place of others, in whatever holds texts or bytes."""

    def __init__(self, table: Mapping[str, str], first: int) -> None:
        self.first = first
        self.letters = str.maketrans(dict(table))
        self.bytes = bytes.maketrans("".join(table).encode(), "".join(table.values()).encode())

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            return value.translate(self.letters)
        if isinstance(value, dict):
            return {self(key): item if type(key) is int and key < self.first else self(item) for key, item in value.items()}
        return value.translate(self.bytes) if isinstance(value, bytes) else each(value, self)


def _texts(values: Any) -> list[str]:
    """Every text, and all bytes as one, in a nest."""
    if isinstance(values, (str, bytes)):
        return [values if isinstance(values, str) else values.decode("latin-1")]
    if isinstance(values, dict):
        values = [*values.keys(), *values.values()]
    return [text for value in values for text in _texts(value)] if isinstance(values, (list, tuple, set, frozenset)) else []


def _spelling(alphabet: str, fixed: str, used: set[str], ordered: bool, chosen: Random) -> dict[str, str]:
    """Which letter stands for which: another for each that is not fixed; where they are `ordered`, those that are used in the alphabet's order."""
    if not ordered:
        free = chosen.sample(letters := [letter for letter in alphabet if letter not in fixed], len(letters))
        return dict(zip(free, [*free[1:], *free[:1]]))
    table: dict[str, str] = {}
    for gap in "".join("|" if letter in fixed else letter for letter in alphabet).split("|"):  # between two letters that stay
        known = others = [letter for letter in gap if letter in used]
        while known and others == known and len(known) < len(gap):
            others = sorted(chosen.sample(gap, len(known)))
        table.update(zip(known, others))
        table.update(zip([letter for letter in gap if letter not in known], [letter for letter in gap if letter not in others]))
    return table
