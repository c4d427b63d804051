"""Fit a submission's cells to the lesson's: by nbgrader's id where it survived, else by what they define."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from autograde.checking.cells import grade_id
from autograde.grader.ingest.cells import shown_cells
from autograde.grader.ingest.cells.own_cells import Kept, commands, defines_something, kept, new_definitions, squeeze
from autograde.grader.ingest.cells.written_answers import Answer, Places, is_written
from autograde.grader.ingest.formats import script_file
from autograde.grader.ingest.formats.cell_facts import bound_names, defined_names, facts, read_names
from autograde.grader.ingest.formats.copied_code import as_it_was
from autograde.grader.ingest.formats.notebook_file import RawCell, RawNotebook

SURELY = 20  # characters: who writes so many again in one cell has not meant to
FENCED = re.compile(r"\A\s*```(?:python|py)?[^\S\n]*\n(.*?)\n?```\s*\Z", re.DOTALL)
SHOW = {"figure", "experiment"}
NOT_RUN = {*SHOW, "bootstrap"}


@dataclass(frozen=True)
class CodeCell:
    """A cell for the worker: `exercise` names the answer it holds, if any; `own` when the student has added it, which `keeps` what others need."""

    name: str
    source: str
    exercise: str = ""
    own: bool = False
    keeps: Kept = Kept()


@dataclass
class Submission:
    """A submitted notebook in the lesson's shape."""

    cells: list[CodeCell]
    answers: dict[str, str]
    attempted: set[str]
    notebook: NotebookNode
    repairs: list[str] = field(default_factory=list)
    python: str = ""  # the version that it was written with
    twice: frozenset[str] = frozenset()  # answers that are written in their own cells, and count as they are written below
    # The same submission with the versions in their own cells of these answers.
    in_place: Callable[[Collection[str]], Submission] | None = field(default=None, repr=False, compare=False)

    @property
    def written(self) -> bool:
        """Whether a question has an answer in words."""
        return any(is_written(cell) for cell in self.notebook.cells)


def match(raw: RawNotebook, template: NotebookNode, exercises: list[str], in_place: Collection[str] = ()) -> Submission:
    """The submission's answers in the template's places, with the student's own cells where they stood. Of an answer that is written several
    times the last version counts; of those `in_place` the last one in its own cell does."""
    repairs, came = list(raw.repairs), raw
    raw = replace(raw, cells=[_once(_as_code(cell, exercises, repairs), repairs) for cell in raw.cells])
    raw = replace(raw, cells=[_without_start(_as_it_was(cell, repairs), template) for cell in raw.cells])
    stubs = {grade_id(c): c.source for c in template.cells if grade_id(c) in exercises}
    defined = [defined_names(c.source) if c.kind == "code" else frozenset() for c in raw.cells]
    found = {name: _candidates(name, raw.cells, defined, stubs.get(name, ""), repairs) for name in exercises}
    above = {name: index for name, candidates in found.items() if (index := _in_its_cell(name, candidates, raw.cells)) is not None}
    dropped = {i for name in above.keys() & set(in_place) for i in found[name] if i > above[name]}
    found = {name: [i for i in candidates if i not in dropped] for name, candidates in found.items()}
    chosen = {name: candidates[-1] if candidates else None for name, candidates in found.items()}
    used = frozenset(i for c in found.values() for i in c) | dropped | _unwritten_again(raw.cells, defined, exercises)
    places = _places(raw, template, used, set(exercises))
    words = {p: places.answer(p, used, raw.in_pieces) for p, c in enumerate(template.cells) if c.cell_type == "markdown" and grade_id(c)}
    extras = _extras(raw, places, used | {i for answer in words.values() for i in answer.texts})
    notebook = _fill(template, raw.cells, chosen, _earlier(found), extras, words, repairs)
    answers = {name: raw.cells[i].source for name, i in chosen.items() if i is not None}
    attempted = {name for name, text in answers.items() if not _unwritten(text, stubs.get(name, ""))}
    cells = _to_run(notebook, exercises)
    repairs += [f"`{c}` is not run here" for cell in cells if cell.own or cell.exercise for c in commands(cell.source)]
    twice = frozenset(above.keys() - set(in_place))
    return Submission(cells, answers, attempted, notebook, repairs, raw.python, twice, partial(match, came, template, exercises))


def _in_its_cell(name: str, candidates: Sequence[int], cells: Sequence[RawCell]) -> int | None:
    """The last version that stands in the answer's own cell, where the one that counts stands elsewhere."""
    own = [i for i in candidates if cells[i].grade_id == name]
    return own[-1] if own and own[-1] != candidates[-1] and name in defined_names(cells[own[-1]].source) else None


def _unwritten_again(cells: Sequence[RawCell], defined: Sequence[frozenset[str]], exercises: Collection[str]) -> frozenset[int]:
    """Cells that define answers once more, and none of them is written: they take no written one away."""
    names = set(exercises)
    return frozenset(i for i, cell in enumerate(cells) if defined[i] and defined[i] <= names and _unwritten(cell.source, ""))


def _candidates(name: str, cells: list[RawCell], defined: list[frozenset[str]], stub: str, repairs: list[str]) -> list[int]:
    """The cells that answer `name`. The last counts: it is written and carries the id or defines the name; an unwritten one failing that."""
    labelled = [i for i, c in enumerate(cells) if c.kind == "code" and c.grade_id == name]
    defining = [i for i, names in enumerate(defined) if name in names]
    defining = [i for i in defining if i in labelled or name not in facts(cells[i].source).used_up]
    candidates = sorted(set(labelled) | set(defining))
    if not candidates:
        return []
    if len(labelled) > 1:
        repairs.append(f"{name}: {len(labelled)} cells carry its id; the last written one counts")
    elif not labelled:
        repairs.append(f"{name}: found by its definition, since its cell lost nbgrader's id")
    written = [i for i in candidates if not _unwritten(cells[i].source, stub)]
    # a labelled cell that no longer defines the name gives way to one that does; one with a syntax error defines nothing at all
    defines = [i for i in written if i in defining]
    counts = (defines or written or candidates)[-1]
    if written and not defines and (others := defined_names(cells[counts].source)) and facts(cells[counts].source).is_python:
        repairs.append(f"{name}: its cell defines `{'`, `'.join(sorted(others)[:3])}` and no `{name}`")
    return [*(i for i in written if i < counts), counts]


def _earlier(found: dict[str, list[int]]) -> dict[str, list[int]]:
    """The versions of each answer that do not count; a cell with several answers stands once."""
    placed = {candidates[-1] for candidates in found.values() if candidates}
    earlier = {}
    for name, candidates in found.items():
        earlier[name] = [i for i in candidates if i not in placed]
        placed.update(candidates)
    return earlier


def _unwritten(code: str, stub: str) -> bool:
    """The released stub, or one like it: every function still raises NotImplementedError and does nothing else."""
    return squeeze(code) == squeeze(stub) or facts(code).is_unwritten


def _places(raw: RawNotebook, template: NotebookNode, used: frozenset[int], exercises: set[str]) -> Places:
    """Each submitted cell's place in the lesson: by its text, its ids or what it defines."""
    known = {squeeze(c.source): position for position, c in enumerate(template.cells)}
    parts = _parts(template.cells, exercises) if raw.in_pieces else {}
    ids = {grade_id(c): position for position, c in enumerate(template.cells) if grade_id(c)}
    own = {c.id: position for position, c in enumerate(template.cells) if "id" in c and c.cell_type == "markdown"}
    after, places = 0, list[int | None]()
    for i, cell in enumerate(raw.cells):
        text = squeeze(cell.source)
        position = known.get(text, ids.get(cell.grade_id))
        if position is None and cell.kind == "markdown":
            position = own.get(cell.cell_id)
        if position is None:  # the same line may stand in several cells of a lesson
            position = next((p for p in parts.get(text, ()) if p >= after), None)
        if position is None and i in used:
            position = next((ids[n] for n in defined_names(cell.source) if n in ids), None)
        places.append(position)
        after = after if position is None else position
    return Places(template.cells, raw.cells, places, raw.path)


def _extras(raw: RawNotebook, places: Places, used: frozenset[int]) -> dict[int, int]:
    """The student's own cells of code, and of words where they are cells: their index, and after which of the lesson's cells they stand."""
    ids = {grade_id(cell) for cell in places.template} - {""}
    texts = {squeeze(cell.source) for cell in places.template}
    statements = _parts(places.template, set()).keys()
    after, extras = 0, {}
    for i, cell in enumerate(raw.cells):
        after = after if (position := places.of[i]) is None else position
        # splitting an answer's cell copies its id to the half that holds only helpers
        split = cell.kind == "code" and cell.grade_id in ids and cell.grade_id not in defined_names(cell.source)
        own = position is None and not cell.grade_id or split
        if own and cell.kind == "code" and NOT_RUN & set(cell.tags):  # a helper that was written into a figure's cell
            raw.cells[i] = cell = replace(cell, source=new_definitions(cell.source, statements), tags=())
        text = squeeze(cell.source)
        given = not text or text in texts or "import get_ready" in text  # the last: the first cell of an earlier release
        if own and i not in used and not given and (cell.kind == "code" or not raw.in_pieces):
            extras[i] = after
    return extras


def _as_code(cell: RawCell, exercises: list[str], repairs: list[str]) -> RawCell:
    """A cell whose kind was changed by a key pressed too often: an answer to an exercise is code, whatever its cell is."""
    if cell.kind == "code" or not cell.source.strip():
        return cell
    fenced = FENCED.match(cell.source)
    text = fenced[1] if fenced else cell.source
    names = [cell.grade_id] if cell.grade_id in exercises else sorted(set(exercises) & _defined_in(text))
    if not names:
        return cell
    repairs.append(f"{', '.join(names)}: its cell was of the kind {cell.kind}, and is taken as code")
    return replace(cell, kind="code", source=text)


def _once(cell: RawCell, repairs: list[str]) -> RawCell:
    """A cell whose text was written twice into it, end to end, as editing together can do: once, where it is surely so."""
    text = cell.source.strip()
    if cell.kind != "code" or len(text) < SURELY or facts(cell.source).is_python or facts(text).is_python:
        return cell
    name = cell.grade_id or next(iter(sorted(defined_names(text))), "a cell")
    half = text[: len(text) // 2].rstrip()
    if text.startswith(half) and text[len(half) :].lstrip() == half and facts(half).is_python:
        repairs.append(f"{name}: its text stood twice in its cell, and counts once")
        return replace(cell, source=half)
    if text.find(text[:SURELY], SURELY) > 0:
        repairs.append(f"{name}: its text seems to stand twice in its cell; it is run as it came")
    return cell


def _as_it_was(cell: RawCell, repairs: list[str]) -> RawCell:
    """A cell that is Python but for what a program has put into it on its way, without that."""
    source, taken = as_it_was(cell.source) if cell.kind == "code" else (cell.source, "")
    if taken:
        name = cell.grade_id or next(iter(sorted(defined_names(source))), "a cell")
        repairs.append(f"{name}: its cell was no Python for {taken}; it is taken without")
    return replace(cell, source=source) if taken else cell


def _without_start(cell: RawCell, template: NotebookNode) -> RawCell:
    """A cell into which the lesson's first cell was put together with answers, as merging cells does: without it and the calls of checks, which
    are not for here."""
    start = next((c.source for c in template.cells if "bootstrap" in c.metadata.get("tags", ())), "")
    if cell.kind != "code" or not start or start not in cell.source or squeeze(start) == squeeze(cell.source):
        return cell
    given = {squeeze(start), *(squeeze(c.source) for c in template.cells if grade_id(c).startswith("check-"))}
    pieces = [piece for kind, piece in script_file.pieces(cell.source.replace(start, "", 1)) if kind == "code"]
    return replace(cell, source="\n\n".join(piece for piece in pieces if squeeze(piece) not in given))


def _defined_in(text: str) -> frozenset[str]:
    """What a text defines that is Python as a whole: prose that quotes a definition is none."""
    return facts(text).defined


def _parts(template: Sequence[NotebookNode], exercises: set[str]) -> dict[str, list[int]]:
    """Every statement that the lesson gives, and the cells that it stands in."""
    parts: dict[str, list[int]] = {}
    for position, cell in enumerate(template):
        if cell.cell_type == "code" and grade_id(cell) not in exercises:
            for kind, source in script_file.pieces(cell.source):
                if kind == "code":
                    parts.setdefault(squeeze(source), []).append(position)
    return parts


def _fill(
    template: NotebookNode,
    cells: list[RawCell],
    chosen: dict[str, int | None],
    earlier: dict[str, list[int]],
    extras: dict[int, int],
    words: dict[int, Answer],
    repairs: list[str],
) -> NotebookNode:
    """The template with the student's answers, texts and own cells; locked cells stay the template's.

    Earlier versions of an answer stand before it: they may define what it uses.
    """
    notebook = NotebookNode(nbformat=4, nbformat_minor=5, metadata=template.metadata, cells=[])
    for position, original in enumerate(template.cells):
        cell = NotebookNode({**original, "metadata": NotebookNode(original.metadata)})
        name = grade_id(cell)
        if (index := chosen.get(name)) is not None:
            cell.source = cells[index].source
        elif name in chosen:
            repairs.append(f"{name}: its cell is missing")
        elif position in words:
            _answer_in_words(cell, words[position], repairs)
        after = [i for i, place in extras.items() if place == position]
        notebook.cells += [*_own(cells, earlier.get(name, [])), cell, *_own(cells, after)]
    return notebook


def _answer_in_words(cell: NotebookNode, answer: Answer, repairs: list[str]) -> None:
    cell.source = answer.text
    if answer.attachments:
        cell.attachments = NotebookNode(answer.attachments)
    if answer.note:
        repairs.append(f"{grade_id(cell)}: {answer.note}")


def _own(cells: list[RawCell], which: Iterable[int]) -> list[NotebookNode]:
    """Cells of the student's own; a raw one is shown as it is."""
    new = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
    found = []
    for i in which:
        cell = new[cells[i].kind](cells[i].source, id=f"own-{i:04d}", metadata={"tags": ["own"]})
        if cells[i].attachments:
            cell.attachments = NotebookNode(cells[i].attachments)
        found.append(cell)
    return found


def _to_run(notebook: NotebookNode, exercises: list[str]) -> list[CodeCell]:
    """What defines: answers, the lesson's own helpers, and the student's own cells that define something."""
    cells = []
    own = [c.source for c in notebook.cells if c.cell_type == "code" and ("own" in c.metadata.get("tags", ()) or grade_id(c) in exercises)]
    objects = frozenset().union(*map(defined_names, own)) - set(exercises)
    answers = [c.source for c in notebook.cells if grade_id(c) in exercises]
    shown = _shown(notebook, [*answers, *_helping(own, answers)])
    for cell in notebook.cells:
        tags, name = set(cell.metadata.get("tags", [])), grade_id(cell)
        if source := shown.get(cell.id):
            cells.append(CodeCell(cell.id, source, own=True))
        if cell.cell_type != "code" or tags & NOT_RUN or name.startswith("check-"):
            continue
        if "own" in tags and not defines_something(cell.source, objects):
            continue
        cells.append(CodeCell(cell.id, cell.source, name if name in exercises else "", "own" in tags))
    return _with_kept_names(cells, exercises)


def _helping(own: Sequence[str], answers: Sequence[str]) -> list[str]:
    """The student's cells that define what answers read: others may read what takes long to compute."""
    read = set[str]().union(*map(read_names, answers))
    return [code for code in own if code not in answers and bound_names(code) & read]


def _shown(notebook: NotebookNode, own: Sequence[str]) -> dict[str, str]:
    """By the ids of cells that show something, what of them the student's answers read and no other cell defines."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and not grade_id(cell).startswith("check-")]
    drawn = [cell for cell in code if set(cell.metadata.get("tags", ())) & SHOW]
    names = set[str]().union(*(bound_names(cell.source) for cell in drawn))
    if not names & set[str]().union(*map(read_names, own)):
        return {}
    bound = set[str]().union(*(bound_names(cell.source) for cell in code if cell not in drawn))
    wanted = names & shown_cells.not_bound(own, bound)
    return {cell.id: source for cell in drawn if wanted and (source := shown_cells.used(cell.source, wanted))}


def _with_kept_names(cells: Sequence[CodeCell], exercises: Collection[str]) -> list[CodeCell]:
    """The same with what each of the student's own cells keeps."""
    above, settled, found = set[str](), set[str](), []  # what cells bind, and what of it the lesson binds or answers may still read
    for i, cell in enumerate(cells):
        below = [other.source for other in cells[i + 1 :] if not other.own]
        keeps = (
            kept(cell.source, above & settled, below, exercises)
            if cell.own
            else Kept(instead=facts(cell.source).definitions, at_once=facts(cell.source).at_once)
        )
        found.append(replace(cell, keeps=keeps))
        said = facts(cell.source)
        above |= said.bound
        settled |= said.read_later if cell.own else said.bound | said.read
    return found
