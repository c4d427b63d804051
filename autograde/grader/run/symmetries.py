"""Ways to ask an answer the same thing in other words or numbers: what it gives is the same in the other words or numbers.

A check writes many inputs out, and students have it. Asked through a symmetry of its exercise the check stays as it is, what reaches the answer
is something else, and what comes back is put into the check's own words. Which symmetries an exercise has, its hidden checks say (`SYMMETRIES`).
"""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Protocol

import torch

from autograde.checking.expect import is_record
from autograde.checking.student import Student

Change = Callable[[Any], Any]
SCALES = (2.0, 4.0, 8.0)  # powers of two, so that scaling back is exact
REWARDS = ("reward",)  # what of a table of `utils.mdp` has the unit of a reward


class Symmetry(Protocol):
    """A kind of change after which an exercise is the same."""

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        """Other arguments, and what makes of the answer's result the one for the arguments as they were."""


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
        there, back = _Texts(table, self.first), _Texts({new: old for old, new in table.items()}, self.first)
        return [_asking(arg, back, there) if _is_function(arg) else there(arg) for arg in args], back


@dataclass(frozen=True)
class Scaled:
    """Another unit for rewards and values: that of the `arguments` at these places (of a function, what it gives) and of the result, or of
    these `results` where it has several."""

    arguments: tuple[int, ...]
    results: tuple[int, ...] = ()
    alike: bool = False  # the result has no unit

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        factor = chosen.choice(SCALES)
        there, back = _Numbers(lambda x: x * factor), _Numbers(lambda x: x / factor)
        given = [there.wherever(arg) if i in self.arguments else arg for i, arg in enumerate(args)]
        return given, (lambda result: result) if self.alike else lambda result: _in_parts(result, back, self.results)


@dataclass(frozen=True)
class Renumbered:
    """Other whole numbers for things, in the `arguments` at these places and in the result; those in `but` are no names of things."""

    arguments: tuple[int, ...]
    but: tuple[int, ...] = ()

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        moved = chosen.randint(11, 60)
        given = [self._moved(arg, moved) if i in self.arguments else arg for i, arg in enumerate(args)]
        return given, lambda result: self._moved(result, -moved)

    def _moved(self, value: Any, by: int) -> Any:
        if isinstance(value, torch.Tensor) and value.dtype == torch.long:
            names = torch.stack([value != number for number in self.but]).all(0) if self.but else torch.ones_like(value, dtype=torch.bool)
            return torch.where(names, value + by, value)
        if type(value) is tuple:
            return tuple(self._moved(one, by) for one in value)
        return value + by if type(value) is int else value


@dataclass(frozen=True)
class Reversed:
    """Entries in the opposite order: of the `arguments` at these places along these dimensions, and of the result along another, or of these
    results where it has several."""

    arguments: Mapping[int, int]
    results: int | Mapping[int, int]

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        given = [_flipped(arg, self.arguments[i]) if i in self.arguments else arg for i, arg in enumerate(args)]
        return given, self._back

    def _back(self, result: Any) -> Any:
        if isinstance(self.results, int):
            return _flipped(result, self.results)
        if type(result) not in (list, tuple):
            return result
        return tuple(_flipped(part, self.results[i]) if i in self.results else part for i, part in enumerate(result))


@dataclass(frozen=True)
class Longer:
    """A larger size as the `argument` at this place: along these `dimensions` its result begins with the one for the size that was asked for."""

    argument: int
    dimensions: tuple[int, ...]

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        if self.argument >= len(args):
            return [*args], lambda result: result
        size, more = args[self.argument], chosen.randint(2, 5)
        given = [arg + more if i == self.argument else arg for i, arg in enumerate(args)]
        return given, lambda result: self._cut(result, size, size + more)

    def _cut(self, result: Any, size: int, asked: int) -> Any:
        for dimension in self.dimensions:
            if isinstance(result, torch.Tensor) and result.dim() >= -dimension:
                result = _of_size(result, dimension, asked, size)
                result = result if result is None or result.shape[dimension] != asked else result.narrow(dimension, 0, size)
        return result


@dataclass(frozen=True)
class Wider:
    """Twice as many columns as the `argument` at this place says: of pairs whose speeds fall evenly from the first to the last, every other one is a
    pair of the table or matrix that was asked for, along these `dimensions`."""

    argument: int
    dimensions: tuple[int, ...]

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        if self.argument >= len(args) or args[self.argument] % 2:  # an odd number is an error, and twice it is none
            return [*args], lambda result: result
        width = args[self.argument]
        given = [2 * arg if i == self.argument else arg for i, arg in enumerate(args)]
        return given, lambda result: self._chosen(result, width)

    def _chosen(self, result: Any, width: int) -> Any:
        pairs = torch.arange(2 * width).unflatten(0, (-1, 2))[::2].flatten()
        for dimension in self.dimensions:
            if isinstance(result, torch.Tensor) and result.dim() >= -dimension:
                result = _of_size(result, dimension, 2 * width, width)
                result = result if result is None or result.shape[dimension] != 2 * width else result.index_select(dimension, pairs)
        return result


def _of_size(result: torch.Tensor, dimension: int, asked: int, written: int) -> torch.Tensor | None:
    """Nothing where an answer gives the size that its check writes out, though it was asked for another."""
    return None if result.shape[dimension] == written != asked else result


def _flipped(value: Any, dimension: int) -> Any:
    return value.flip(dimension) if isinstance(value, torch.Tensor) and value.dim() >= -dimension else value


@dataclass(frozen=True)
class Reordered:
    """Another order of the vocabulary for which the `argument` at this place has a number each, in its last dimension; the result holds tokens of it."""

    argument: int

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        scores = args[self.argument]
        size = scores.shape[-1] if isinstance(scores, torch.Tensor) and scores.dim() else 0
        circle = chosen.sample(range(size), size)
        meant = torch.tensor(
            [token for _, token in sorted(zip(circle, [*circle[1:], *circle[:1]]))], dtype=torch.long
        )  # no token stays where it was
        given = [arg[..., meant] if i == self.argument and size else arg for i, arg in enumerate(args)]
        return given, lambda result: meant[result] if _are_below(result, size) else result


def _are_below(value: Any, size: int) -> bool:
    return isinstance(value, torch.Tensor) and value.dtype == torch.long and bool(((value >= 0) & (value < size)).all())


@dataclass(frozen=True)
class Repeated:
    """Every token of the vocabulary several times in the last dimension of the `argument` at this place: each has so much less probability, and the
    result, a mean of -log p, is larger by the logarithm of their number."""

    argument: int

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        times = chosen.randint(2, 5)
        given = [
            torch.cat([arg] * times, -1) if i == self.argument and isinstance(arg, torch.Tensor) else arg for i, arg in enumerate(args)
        ]
        less = _Numbers(lambda loss: loss - math.log(times))
        return given, less


@dataclass(frozen=True)
class MoreRows:
    """More rows in the `argument` at this place: each result begins with those that were asked for."""

    argument: int

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        rows, times = args[self.argument], chosen.randint(2, 3)
        if not isinstance(rows, torch.Tensor) or not rows.dim():
            return [*args], lambda result: result
        given = [torch.cat([rows] * times) if i == self.argument else arg for i, arg in enumerate(args)]
        return given, lambda result: self._first(result, len(rows), times * len(rows))

    def _first(self, result: Any, rows: int, asked: int) -> Any:
        if type(result) in (list, tuple):
            return type(result)(self._first(part, rows, asked) for part in result)
        found = _of_size(result, 0, asked, rows) if isinstance(result, torch.Tensor) and result.dim() else result
        return found[:rows] if isinstance(found, torch.Tensor) and found.dim() and len(found) == asked else found


@dataclass(frozen=True)
class Backwards:
    """States counted from the last to the first: in experience, of which the second argument says how many states there are, in models, and in
    tables with a state in front and a next one at the end."""

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        return [_backwards(arg, args[1]) for arg in args], lambda result: _backwards(result, args[1])


def _backwards(value: Any, states: Any) -> Any:
    if isinstance(value, torch.Tensor) and value.dim() == 3:
        return value.flip(0, 2)
    if not is_record(value):
        return value
    found = {name: one for name, one in vars(value).items() if isinstance(one, torch.Tensor)}
    if "next_state" in found:
        return replace(value, **{name: states - 1 - one for name, one in found.items() if name in ("state", "next_state")})
    return replace(value, **{name: _backwards(one, states) if one.dim() == 3 else one.flip(0) for name, one in found.items() if one.dim()})


@dataclass(frozen=True)
class RespeltTokenizer:
    """Other letters in the merges, the longer tokens and the texts of a tokenizer, but for those that are `fixed`; each single byte keeps its id."""

    fixed: str = ""

    def changes(self, args: Sequence[Any], chosen: Random) -> tuple[list[Any], Change]:
        table = _spelling(string.ascii_lowercase, self.fixed, set(), False, chosen)
        table |= {old.upper(): new.upper() for old, new in table.items()}
        there, back = _Texts(table, 0), _Texts({new: old for old, new in table.items()}, 0)
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


class Otherwise(Student):
    """A student whose answer to one exercise is asked through its symmetries; whatever else is asked, is asked as it is."""

    def __init__(self, student: Student, exercise: str, symmetries: Sequence[Symmetry], seed: int) -> None:
        self._student, self._exercise, self._symmetries, self._seed = student, exercise, symmetries, seed

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._student, name)
        return _Asked(found, self._symmetries, self._seed) if name == self._exercise and self._symmetries and callable(found) else found

    def pullback(self, function: Callable, *args: Any, **kwargs: Any) -> Any:
        return self._student.pullback(_itself(function), *args, **kwargs)

    def parameter_gradients(self, module: Any, *args: Any, **kwargs: Any) -> Any:
        return self._student.parameter_gradients(module, *args, **kwargs)

    def arguments_after(self, function: Callable, *args: Any, **kwargs: Any) -> Any:
        return self._student.arguments_after(_itself(function), *args, **kwargs)

    def largest_tensor(self, function: Callable, *args: Any, **kwargs: Any) -> Any:
        return self._student.largest_tensor(_itself(function), *args, **kwargs)

    def new(self, qualified_name: str, *args: Any, **kwargs: Any) -> Any:
        return self._student.new(qualified_name, *args, **kwargs)

    def artifact(self, name: str) -> bytes | None:
        return self._student.artifact(name)

    def on_gpu(self, drawing: str) -> Any:
        return self._student.on_gpu(drawing)


class _Asked:
    """A function of the student's, asked through symmetries: the last one's words are those that it hears."""

    def __init__(self, function: Callable, symmetries: Sequence[Symmetry], seed: int) -> None:
        self.function, self.symmetries, self.seed = function, symmetries, seed

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        given, names, back = [*args, *kwargs.values()], list(kwargs), list[Change]()
        for symmetry in self.symmetries:
            given, undo = symmetry.changes(given, Random(self.seed))
            back.append(undo)
        result = self.function(*given[: len(args)], **dict(zip(names, given[len(args) :])))
        for undo in reversed(back):
            result = undo(result)
        return result


def _itself(function: Callable) -> Callable:
    return function.function if isinstance(function, _Asked) else function


class _Texts:
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
        return value.translate(self.bytes) if isinstance(value, bytes) else _each(value, self)


class _Numbers:
    """A change of every number that is no whole one, in whatever holds numbers; of tables, their rewards."""

    def __init__(self, change: Change) -> None:
        self.change = change

    def __call__(self, value: Any) -> Any:
        if isinstance(value, float) or isinstance(value, torch.Tensor) and value.is_floating_point():
            return self.change(value)
        if is_record(value):
            return replace(value, **{name: self(getattr(value, name)) for name in REWARDS if hasattr(value, name)})
        return {key: self(item) for key, item in value.items()} if isinstance(value, dict) else _each(value, self)

    def wherever(self, value: Any) -> Any:
        """The value with other numbers; of a function, what it gives."""
        return _asking(value, lambda given: given, self) if _is_function(value) else self(value)


def _each(value: Any, change: Change) -> Any:
    return type(value)(map(change, value)) if type(value) in (list, tuple, set, frozenset) else value


def _in_parts(result: Any, change: Change, parts: Sequence[int]) -> Any:
    if not parts:
        return change(result)
    return tuple(change(part) if i in parts else part for i, part in enumerate(result)) if type(result) in (list, tuple) else result


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, (type, torch.nn.Module))


def _asking(function: Callable, there: Change, back: Change) -> Callable:
    """A function of the check's that is asked in the answer's words and says it in them."""
    return lambda *args: back(function(*map(there, args)))


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
