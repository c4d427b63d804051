"""Lines of answers where students can read them: in texts, hints and helpers, in public tests, in `utils`, and in other lessons."""

from __future__ import annotations

import io
import keyword
import re
import textwrap
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from autograde import layout
from autograde.authoring import source
from autograde.authoring.source import Cell, SourceError

SHORTEST = 8  # tokens; a shorter line, such as `return q`, is nobody's secret
FORMULA = 12  # the same for what is left of a line when it may use other names
TOKEN = re.compile(r"\w+|[^\w\s]")
NAME = re.compile(r"[^\W\d]\w*")
COMMENT = re.compile(r"(?m)#.*$")


def joined(tokens: Iterable[str]) -> str:
    """Tokens with blanks around each, so that a run of them is found as text."""
    return f" {' '.join(tokens)} "


# Lines that anybody writes, or that stand in what a lesson gives. Each is in some answer, too, and gives nothing of it away.
ANYBODY = frozenset(
    joined(TOKEN.findall(line))
    for line in """
for _ in range(n):
for _ in range(depth):
for _ in range(steps):
for _ in range(episodes):
for dtype in (torch.float32, torch.float64):
def forward(self, x):
d = x.shape[-1]
n = ids.shape[-1]
if kind == "encoder":
if kind == "prefix":
context = x if context is None else context
q = torch.zeros_like(model.reward)
distance = places - position[..., None]
terminal = torch.zeros(n_states, dtype=torch.bool)
ends[list(terminal)] = True
weights = self.weigh(s, h, mask)
next_state, reward, terminated = mdp.step(state, action, generator)
return torch.Generator().manual_seed(seed)
return torch._standard_gamma(shape, generator=generator)
return "equal" if float(a) == float(b) else "a" if float(a) > float(b) else "b"
""".strip().splitlines()
)


# Formulas, with other names, that a lesson's text may use though an answer does: making a layer, making bytes of a text.
ANYBODYS_FORMULA = ("nn.Linear(d_model, d_k, bias=False)", "tuple(bytes([byte]) for byte in piece.encode())")


@dataclass(frozen=True)
class Passage:
    """A text that students get: the file it stands in, its tokens (with blanks around each), and which line of the file each is on."""

    file: str
    tokens: str
    lines: tuple[int, ...]

    def line_of(self, run: str) -> int | None:
        """The line on which a run of tokens begins; None where the passage does not hold it."""
        at = self.tokens.find(run)
        return None if at < 0 else self.lines[self.tokens.count(" ", 0, at)]

    def nameless(self) -> Passage:
        """The passage with one name for all variables."""
        return Passage(self.file, joined(nameless(self.tokens.split())), self.lines)


@dataclass(frozen=True)
class Secret:
    """What a line of an answer says, as tokens with blanks around each."""

    name: str
    run: str


def complaints(name: str) -> list[str]:
    """Where a lesson tells a line of an answer, its own or another's, and where others tell a line of its answers: `file:line: what`.

    In the lesson itself a line is found under other names, too.
    """
    path = layout.source_path(name)
    others = [other for other in map(layout.source_path, layout.lesson_names()) if other != path]
    public = [*sorted((layout.ROOT / "utils").rglob("*.py")), *(layout.checks_path(other.stem) for other in others)]
    own = [*passages(path), *_of_file(layout.checks_path(name))]
    theirs = [passage for other in others for passage in passages(other)] + [passage for file in public for passage in _of_file(file)]
    foreign = [secret for other in others for secret in secrets(other)]
    same = _told(formulas(path), [passage.nameless() for passage in passages(path)], "a formula of the answer to")
    lines = {*_told(secrets(path), [*own, *theirs]), *_told(foreign, own)}
    told = {line.split(": ")[0] for line in lines}
    return sorted(lines | {line for line in same if line.split(": ")[0] not in told})


def secrets(path: Path) -> list[Secret]:
    """The lines of a lesson's answers, but for those that anybody would write."""
    return _secrets_at(path, path.stat().st_mtime_ns)


@lru_cache
def _secrets_at(path: Path, time: int) -> list[Secret]:
    lines = ((cell.exercise or cell.question or "", joined(line)) for cell in _cells(path) for line in answer_lines(cell))
    return [Secret(name, run) for name, run in lines if run not in ANYBODY]


def formulas(path: Path) -> list[Secret]:
    """What the lines of a lesson's exercises compute, whatever the variables are called."""
    lines = ((cell.exercise, _right_side(line)) for cell in _cells(path) if cell.exercise for line in answer_lines(cell))
    runs = ((name, joined(nameless(line))) for name, line in lines if len(line) >= FORMULA)
    anybodys = {joined(nameless(TOKEN.findall(line))) for line in ANYBODYS_FORMULA}
    return [Secret(name, run) for name, run in runs if run not in anybodys]


def nameless(tokens: Sequence[str]) -> list[str]:
    """Code's tokens with `_` for every name but attributes, functions that are called, and Python's own words."""
    around = zip(["", *tokens], tokens, [*tokens[1:], ""])
    return ["_" if NAME.fullmatch(t) and before != "." and after != "(" and not keyword.iskeyword(t) else t for before, t, after in around]


def _right_side(line: list[str]) -> list[str]:
    """What a line gives: without `return`, and without the names that it is given to."""
    if line[:1] == ["return"]:
        return line[1:]
    depth = 0
    for i, token in enumerate(line):
        depth += (token in "([{") - (token in ")]}")
        if token == "=" and not depth and i and line[i - 1] not in "=<>!":
            return line[i + 1 :]
    return line


def answer_lines(cell: Cell) -> Iterator[list[str]]:
    """Every line between solution marks, as tokens; an answer of short lines alone counts as one line."""
    for part in cell.source.split(source.BEGIN)[1:]:
        body = part.split(source.END)[0]
        found = logical_lines(body) if cell.kind == "code" else [TOKEN.findall(line.lstrip("# ")) for line in body.splitlines()]
        long = [line for line in found if len(line) >= SHORTEST]
        yield from long or [[token for line in found for token in line]]


def logical_lines(code: str) -> list[list[str]]:
    """The logical lines of code as tokens, without comments: other indentation, line ends and blanks hide nothing."""
    found: list[list[str]] = []
    line: list[str] = []
    for token in tokenize.generate_tokens(io.StringIO(textwrap.dedent(code.strip("\n")) + "\n").readline):
        if token.type in (tokenize.NEWLINE, tokenize.ENDMARKER):
            found.append(line)
            line = []
        elif token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT):
            line += TOKEN.findall(token.string)
    return [line for line in found if line]


def passages(path: Path) -> list[Passage]:
    """What students see of a lesson's source: every cell without its answer."""
    return _passages_at(path, path.stat().st_mtime_ns)


@lru_cache
def _passages_at(path: Path, time: int) -> list[Passage]:
    return [passage for cell in _cells(path) for passage in _passages(_shown(path), _without_answer(cell.source), cell.line + 1)]


def _cells(path: Path) -> list[Cell]:
    return _cells_of(path, path.stat().st_mtime_ns)


@lru_cache
def _cells_of(path: Path, time: int) -> list[Cell]:
    try:
        return source.read(path).cells
    except SourceError:  # told when that lesson is built
        return []


def _of_file(path: Path) -> list[Passage]:
    return _of_file_at(path, path.stat().st_mtime_ns) if path.exists() else []


@cache
def _of_file_at(path: Path, time: int) -> list[Passage]:
    return _passages(_shown(path), path.read_text(encoding="utf-8"))


def _shown(path: Path) -> str:
    return path.relative_to(layout.ROOT).as_posix() if path.is_relative_to(layout.ROOT) else path.name


def _without_answer(text: str) -> str:
    """The same lines, those of an answer empty."""
    kept, inside = [], False
    for line in text.splitlines():
        inside = inside or line.strip() == source.BEGIN
        kept.append("" if inside else line)
        inside = inside and line.strip() != source.END
    return "\n".join(kept)


def _passages(file: str, text: str, first: int = 1) -> list[Passage]:
    """A text as it is and, where it has comments, without them: one in between hides no line."""
    return [_passage(file, each, first) for each in ([text, COMMENT.sub("", text)] if "#" in text else [text])]


def _passage(file: str, text: str, first: int) -> Passage:
    found = [(token, number) for number, line in enumerate(text.splitlines(), first) for token in TOKEN.findall(line)]
    return Passage(file, joined(token for token, _ in found), tuple(number for _, number in found))


def _told(secrets: Sequence[Secret], passages: Sequence[Passage], what: str = "a line of the answer to") -> list[str]:
    return [
        f"{passage.file}:{line}: {what} {secret.name}, which students read here: {secret.run.strip()[:70]}"
        for passage in passages
        for secret in secrets
        if (line := passage.line_of(secret.run)) is not None
    ]
