"""A written answer is all that stands between its question and the next given cell; where that cannot be told, a person is asked."""

import copy
import json
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell
from nbgrader.utils import determine_grade

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import LESSON, solved_notebook
from autograde.checking.status import SubmissionStatus
from autograde.grader.gradebook.standing import Entry, Standing
from autograde.grader.ingest.cells.matching import match
from autograde.grader.ingest.cells.written_answers import UNANSWERED
from autograde.grader.ingest.formats.notebook_file import read
from autograde.grader.pages.feedback_page import page
from autograde.grader.results.model import Graded
from autograde.grader.written.mathematics import html

TEMPLATE = nbformat.read(layout.NOTEBOOKS / f"{LESSON}.ipynb", 4)
SOLVED = solved_notebook(source.read(layout.source_path(LESSON)))
EXERCISES = [
    c.metadata.nbgrader.grade_id for c in TEMPLATE.cells if c.cell_type == "code" and c.metadata.get("nbgrader", {}).get("solution")
]
AT = next(i for i, c in enumerate(SOLVED.cells) if c.source == UNANSWERED)
QUESTION = SOLVED.cells[AT].metadata.nbgrader.grade_id
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def matched(folder, notebook, name="x.ipynb"):
    (folder / name).write_text(notebook if isinstance(notebook, str) else nbformat.writes(notebook), encoding="utf-8")
    return match(read(folder / name), TEMPLATE, EXERCISES)


def answer(submission):
    return next(c for c in submission.notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == QUESTION)


def edited(change):
    notebook = copy.deepcopy(SOLVED)
    change(notebook.cells)
    return notebook


def insert(*cells, at=AT + 1):
    return lambda all_cells: all_cells.__setitem__(slice(at, at), list(cells))


def instead(cell):
    """Another kind of cell in the answer's place, with the answer's metadata, as the key M, Y or R leaves it."""

    def change(cells):
        cells[AT] = nbformat.from_dict({**cell, "id": cells[AT].id, "metadata": cells[AT].metadata})

    return change


def both(*changes):
    def change(cells):
        for one in changes:
            one(cells)

    return change


def text(words):
    return lambda cells: cells[AT].__setitem__("source", words)


def without(*offsets):
    return lambda cells: [cells.pop(AT + offset) for offset in sorted(offsets, reverse=True)]


def bare(cells):
    for cell in cells:
        cell.metadata = {}
        cell.id = cell.id[::-1]


LONG = "To the question at the end: a row has one weight for each key, so that it sums to one."
FOUND = {  # what a student did, and the words that a person must be shown, in their order
    "in its place": (text("Rows sum to one."), ["Rows sum to one."]),
    "goes on in a second cell": (both(text("First."), insert(new_markdown_cell("Second."))), ["First.", "Second."]),
    "in a cell of its own": (insert(new_markdown_cell("Below.")), ["Below."]),
    "above its cell": (insert(new_markdown_cell("Above."), at=AT), ["Above."]),
    "in the question's cell": (lambda cells: cells[AT - 1].__setitem__("source", cells[AT - 1].source + "\n\nIn there."), ["In there."]),
    "its cell became code": (instead(new_code_cell("It says 16, and so on.")), ["It says 16, and so on."]),
    "its cell became raw": (instead(new_raw_cell("Raw words.")), ["Raw words."]),
    "in a raw cell": (insert(new_raw_cell("Raw, below.")), ["Raw, below."]),
    "with code": (both(text("See:"), insert(new_code_cell("print(16 * 2)"))), ["See:", "```python", "print(16 * 2)"]),
    "its cell is gone": (both(without(0), insert(new_markdown_cell("Kept."), at=AT)), ["Kept."]),
    "the question is gone": (both(text("No question."), without(-1)), ["No question."]),
    "without ids": (both(text("Bare."), insert(new_markdown_cell("More.")), bare), ["Bare.", "More."]),
    "joined with what follows": (
        lambda cells: (cells[AT].__setitem__("source", "Joined.\n\n" + cells[AT + 1].source), cells.pop(AT + 1)),
        ["Joined."],
    ),
    "at the end, its place empty": (insert(new_markdown_cell(LONG), at=10**6), [LONG]),
    "above the first exercise": (insert(new_markdown_cell(LONG), at=3), [LONG]),
    "copied": (both(text("Once."), lambda cells: cells.insert(AT + 1, copy.deepcopy(cells[AT]))), ["Once."]),
    "at the end, all else gone": (lambda cells: cells.__setitem__(slice(None), [new_markdown_cell("My answer: 16.")]), ["My answer: 16."]),
}


@pytest.mark.parametrize(("change", "words"), FOUND.values(), ids=FOUND)
def test_all_of_it_is_there_and_a_person_is_asked(tmp_path, change, words):
    cell = answer(matched(tmp_path, edited(change)))
    places = [cell.source.find(word) for word in words]
    assert -1 not in places and places == sorted(places) and UNANSWERED not in cell.source
    assert all(cell.source.count(word) == 1 for word in words)
    assert "## Stretch" not in cell.source and SOLVED.cells[AT - 1].source[:60] not in cell.source, "the lesson's own text is in it"
    assert determine_grade(cell)[0] is None


@pytest.mark.parametrize(
    "change",
    [
        lambda cells: None,
        insert(new_markdown_cell("A note of mine."), at=6),
        text(""),
        text("  \n"),
        insert(new_code_cell("")),
        without(0),
        bare,
    ],
)
def test_who_wrote_nothing_gets_0_unasked(tmp_path, change):
    cell = answer(matched(tmp_path, edited(change)))
    assert cell.source == UNANSWERED and determine_grade(cell)[0] == 0


def test_pictures_come_along(tmp_path):
    first, second = new_markdown_cell("![a](attachment:a.png)"), new_markdown_cell("![b](attachment:b.png) ![c](attachment:gone.png)")
    first.attachments, second.attachments = {"a.png": {"image/png": PIXEL}}, {"b.png": {"image/png": PIXEL}}
    cell = answer(matched(tmp_path, edited(insert(first, second))))
    assert set(cell.attachments) == {"a.png", "b.png"} and cell.attachments["a.png"] == {"image/png": PIXEL}
    assert "attachment:b.png" in cell.source and "attachment:gone.png" not in cell.source and "gone.png: not in the notebook" in cell.source


def test_what_cells_of_code_show_comes_along(tmp_path):
    """A plot below the question is an answer, too, and so is what its cell prints."""
    plot = new_code_cell("plt.plot(rows);", outputs=[new_output("display_data", {"image/png": PIXEL + "\n", "text/plain": "<Figure>"})])
    printed = new_code_cell("rows.sum()", outputs=[new_output("stream", text="\x1b[1m16\x1b[0m ``` _x_"), new_output("error", ename="E")])
    page = new_code_cell("", outputs=[new_output("display_data", {"text/html": "<div>", "image/svg+xml": "<svg/>"})])
    cell = answer(matched(tmp_path, edited(insert(plot, new_markdown_cell("As it shows."), printed, page))))
    [(name, kinds)] = cell.attachments.items()
    order = [cell.source.find(words) for words in ("plt.plot", f"attachment:{name}", "As it shows.", "16 ``` _x_", "open it")]
    assert kinds == {"image/png": PIXEL} and -1 not in order and order == sorted(order) and "<Figure>" not in cell.source
    assert PIXEL in html(cell.source, dict(cell.attachments)) and "\n````text\n16" in cell.source and determine_grade(cell)[0] is None


def test_a_picture_alone_is_an_answer(tmp_path):
    plot = new_code_cell("", outputs=[new_output("display_data", {"image/jpeg": PIXEL})])
    cell = answer(matched(tmp_path, edited(insert(plot))))
    assert len(cell.attachments) == 1 and determine_grade(cell)[0] is None


def test_large_outputs_are_named_and_left_out(tmp_path):
    plot = new_code_cell("plt.plot(rows)", outputs=[new_output("display_data", {"image/png": PIXEL * 60_000})])
    cell = answer(matched(tmp_path, edited(insert(plot))))
    assert "attachments" not in cell and "plt.plot" in cell.source and "too large" in cell.source


def test_a_picture_in_a_file_beside_is_named(tmp_path):
    words = '![a](plots/a.png "a") <img src="b.png" width=3> ![c](https://x.edu/c.png) <img src="data:image/png;base64,AAAA">'
    source = answer(matched(tmp_path, edited(text(words)))).source
    assert "picture plots/a.png" in source and "picture b.png" in source and '<img src="b' not in source
    assert "![c](https://x.edu/c.png)" in source and '<img src="data:image/png;base64,AAAA">' in source


def test_pictures_stand_on_the_feedback_page(tmp_path):
    words = new_markdown_cell("![a](attachment:a.png)")
    words.attachments = {"a.png": {"image/png": PIXEL}, "b.svg": {"image/svg+xml": "<svg onload=x>"}, "c.png": {"image/png": '"><script>'}}
    notebook = nbformat.writes(matched(tmp_path, edited(insert(words))).notebook)
    graded = Graded("ann", LESSON, SubmissionStatus.GRADED, [], notebook=notebook)
    entry = Entry(QUESTION, 0.0, 3.0, None, None, 0.0, "", True)
    html_page = page(graded, Standing("ann", "Ann", LESSON, (entry,), 0.0, 3.0, 0.0, 0.0, 0.0))
    assert f'src="data:image/png;base64,{PIXEL}"' in html_page and "<script>" not in html_page and "<svg onload" not in html_page


def test_a_script_that_lost_the_texts_is_no_silent_zero(tmp_path):
    code = "\n\n".join(c.source for c in SOLVED.cells if c.cell_type == "code")
    cell = answer(matched(tmp_path, code, "x.py"))
    assert "ask the student" in cell.source and determine_grade(cell)[0] is None


def test_it_is_the_same_when_it_is_matched_again(tmp_path):
    """nbgrader's own autograde matches the notebook that was repaired."""
    change = both(text("First."), insert(new_markdown_cell("Second."), new_code_cell("x = 16")), insert(new_markdown_cell("Mine."), at=6))
    once = matched(tmp_path, edited(change))
    twice = matched(tmp_path, once.notebook)
    assert [(c.cell_type, c.source) for c in twice.notebook.cells] == [(c.cell_type, c.source) for c in once.notebook.cells]
    assert [c.source for c in once.notebook.cells if "own" in c.metadata.get("tags", [])] == ["Mine.", "x = 16"]


KINDS = {
    "markdown": lambda code: new_markdown_cell(code),
    "fenced": lambda code: new_markdown_cell(f"```python\n{code}\n```"),
    "raw": lambda code: new_raw_cell(code),
}


@pytest.mark.parametrize("labelled", [True, False], ids=["with its id", "without"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_is_code_whatever_its_cell_became(tmp_path, kind, labelled):
    notebook = copy.deepcopy(SOLVED)
    at = next(i for i, c in enumerate(notebook.cells) if c.metadata.get("nbgrader", {}).get("grade_id") == "causal_mask")
    code = notebook.cells[at].source
    metadata = notebook.cells[at].metadata if labelled else {}
    notebook.cells[at] = nbformat.from_dict({**KINDS[kind](code), "metadata": metadata})
    submission = matched(tmp_path, notebook)
    assert submission.answers["causal_mask"] == code and "causal_mask" in submission.attempted
    assert any("causal_mask" in repair and kind.replace("fenced", "markdown") in repair for repair in submission.repairs)


def test_attachments_of_any_type_stop_nothing(tmp_path):
    data = json.loads(nbformat.writes(SOLVED))
    data["cells"][AT] |= {"attachments": [1], "source": "Words."}
    data["cells"][AT - 1]["attachments"] = {"a": {"image/png": 3}, "b": 1}
    (tmp_path / "x.ipynb").write_text(json.dumps(data))
    cell = answer(match(read(tmp_path / "x.ipynb"), TEMPLATE, EXERCISES))
    assert cell.source == "Words." and "attachments" not in cell


ONCE = "def causal_mask(n, device=None):\n    return torch.ones(n, n, dtype=torch.bool, device=device).tril()"
TWICE = {  # a cell's text, what of it counts, and whether a person is told what it looks like
    "end to end": (ONCE + ONCE, ONCE, "counts once"),
    "with a blank": (ONCE + " " + ONCE, ONCE, "counts once"),
    "not all of it": (ONCE + ONCE[:60], ONCE + ONCE[:60], "seems to stand twice"),
    "right as it is": (ONCE + "\n\n" + ONCE, ONCE + "\n\n" + ONCE, ""),
    "another mistake": (ONCE + ")", ONCE + ")", ""),
}


@pytest.mark.parametrize(("written", "counts", "told"), TWICE.values(), ids=TWICE)
def test_a_text_that_stands_twice_in_its_cell(tmp_path, written, counts, told):
    notebook = copy.deepcopy(SOLVED)
    next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "causal_mask").source = written
    submission = matched(tmp_path, notebook)
    assert submission.answers["causal_mask"] == counts
    assert [told in repair for repair in submission.repairs if "causal_mask" in repair] == ([True] if told else [])


@pytest.mark.parametrize("text", ["![a](", "[", "![a](attachment:x", "<img ", "<img src=a "])
def test_pictures_that_begin_and_never_end_are_looked_for_in_no_time(tmp_path, text):
    """Sixty thousand of them took minutes: each was followed to the end of the text."""
    notebook = edited(lambda cells: cells[AT].update(source=text * 60_000))
    began = time.process_time()
    assert len(answer(matched(tmp_path, notebook)).source) > 50_000
    assert time.process_time() - began < 3
