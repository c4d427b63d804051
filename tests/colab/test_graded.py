"""Notebooks that went through Colab, VS Code or nbconvert are graded like any other, the written answer included."""

import copy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import LESSON, solved_notebook
from autograde.grader.ingest.cells.matching import match
from autograde.grader.ingest.discovery import Found, find
from autograde.grader.ingest.formats.notebook_file import read
from autograde.grader.run.submission import grade
from tests.colab.exported import NAME, colab_notebook, colab_script, nbconvert_script, vs_code_script

FULL = 24.0
ANSWER = "(1) The scores have a standard deviation of $\\sqrt{256} = 16$.\n\n- so the *softmax* is nearly one-hot,\n- and `W_q` hardly learns.\n\n(2) No."
FORMS = {
    "Colab": (colab_notebook, NAME),
    "Colab, without nbgrader's metadata": (lambda n: colab_notebook(n, strip=True), f"{LESSON} (1).ipynb"),
    "Colab's script": (colab_script, f"copy_of_{LESSON}.py"),
    "Colab's script, backslashes as they are": (lambda n: colab_script(n, escaped=False), f"{LESSON}.py"),
    "VS Code's script": (vs_code_script, f"{LESSON}.py"),
    "nbconvert's script": (nbconvert_script, f"{LESSON}.py"),
}


@pytest.fixture(params=FORMS.values(), ids=FORMS)
def handed_in(request, tmp_path):
    """handed_in(notebook): the file that a student downloads, as it is found."""
    export, name = request.param

    def handed_in(notebook, lesson=LESSON):
        path = tmp_path / "ann" / name.replace(LESSON, lesson)
        path.parent.mkdir()
        path.write_text(export(notebook), encoding="utf-8")
        [found] = find([tmp_path])
        assert (found.student, found.lesson, found.path) == ("ann", lesson, path)
        return found

    return handed_in


@pytest.fixture
def notebook():
    """Lesson 03, solved, with the written answer."""
    solved = solved_notebook(source.read(layout.source_path(LESSON)))
    graded_cell(solved, "written_question").source = ANSWER
    return solved


def graded_cell(notebook, name):
    return next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == name)


def scores(result):
    assert result.status == "graded", result.reason
    return {r.exercise: r.score for r in result.results if r.score < r.points}, result.score


def written(result):
    return graded_cell(nbformat.reads(result.notebook, 4), "written_question").source


def test_solved(handed_in, notebook):
    result = grade(handed_in(notebook), "auto")
    assert scores(result) == ({}, FULL)
    assert written(result) == ANSWER


def test_half_done(handed_in, notebook):
    """The first four exercises; the rest and the question as they were handed out."""
    released = nbformat.read(layout.NOTEBOOKS / f"{LESSON}.ipynb", 4)
    names = [
        c.metadata.nbgrader.grade_id for c in released.cells if c.cell_type == "code" and c.metadata.get("nbgrader", {}).get("solution")
    ]
    for name in [*names[4:], "written_question"]:
        graded_cell(notebook, name).source = graded_cell(released, name).source
    result = grade(handed_in(notebook), "auto")
    assert {r.exercise: r.status for r in result.results} == {name: "passed" if name in names[:4] else "not_attempted" for name in names}
    assert written(result) == "YOUR ANSWER HERE"


HELPER = "table = {}\nfor n in range(12):\n    table[n] = torch.ones(n, n, dtype=torch.bool).tril()"


@pytest.mark.soak
def test_with_what_students_add(handed_in, notebook):
    """Magics, shell lines, a helper in a cell of its own, an experiment that fails, a decorator, a second text for the answer."""
    mask, scores_cell = graded_cell(notebook, "causal_mask"), graded_cell(notebook, "attention_scores")
    mask.source = "@torch.no_grad()\ndef causal_mask(n, device=None):\n    return (table[n] if n < 12 else torch.ones(n, n, dtype=torch.bool).tril()).to(device)"
    scores_cell.source = "%%time\n# with the scale\n" + scores_cell.source
    setup = next(i for i, cell in enumerate(notebook.cells) if "setup" in cell.metadata.get("tags", []))
    mine = [
        new_code_cell("!pip install --quiet einops\n%matplotlib inline"),
        new_code_cell(HELPER),
        new_code_cell("causal_mask(3) + no_such_name"),
    ]
    notebook.cells[setup + 1 : setup + 1] = mine
    after = notebook.cells.index(graded_cell(notebook, "written_question")) + 1
    notebook.cells.insert(after, new_markdown_cell("(3) It is a *property*."))
    result = grade(handed_in(notebook), "auto")
    assert scores(result) == ({}, FULL)
    # a text in a cell of its own is the student's, but only where the cell that was meant for the answer is not known is it taken for a part of it
    assert written(result) in (ANSWER, f"{ANSWER}\n\n(3) It is a *property*.")


@pytest.mark.soak
def test_a_syntax_error_costs_its_own_exercise(handed_in, notebook):
    graded_cell(notebook, "padding_mask").source = "def padding_mask(lengths, n)\n    return None\n"
    lost, score = scores(grade(handed_in(notebook), "auto"))
    assert lost == {"padding_mask": 0.0} and score == FULL - 1.5


def test_an_answer_in_a_cell_of_its_own_is_found(tmp_path, notebook):
    """The cell for the answer left as it was, and the answer written below it."""
    cell = graded_cell(notebook, "written_question")
    cell.source = "YOUR ANSWER HERE"
    notebook.cells.insert(notebook.cells.index(cell) + 1, new_markdown_cell(ANSWER))
    path = tmp_path / f"{LESSON}.ipynb"
    nbformat.write(notebook, path)
    assert written(grade(Found("ann", LESSON, path), "auto")) == ANSWER


def test_what_the_lesson_gives_is_not_run_twice(handed_in, notebook):
    """No line of a figure or an experiment is taken for the student's own."""
    template = nbformat.read(layout.NOTEBOOKS / f"{LESSON}.ipynb", 4)
    exercises = [
        c.metadata.nbgrader.grade_id for c in template.cells if c.cell_type == "code" and c.metadata.get("nbgrader", {}).get("solution")
    ]
    submission = match(read(handed_in(notebook).path), template, exercises)
    assert [cell.source for cell in submission.cells if cell.name.startswith("own-")] == []


def test_the_first_cell_of_an_earlier_release_is_not_run(tmp_path, notebook):
    stripped = copy.deepcopy(notebook)
    first = next(cell for cell in stripped.cells if cell.id == "bootstrap")
    first.source = (
        "import subprocess\nsubprocess.run(['git', 'clone', 'elsewhere'], check=True)\nfrom utils.setup import get_ready\n\nget_ready()"
    )
    path = tmp_path / NAME
    path.write_text(colab_notebook(stripped, strip=True), encoding="utf-8")
    submission = match(read(path), nbformat.read(layout.NOTEBOOKS / f"{LESSON}.ipynb", 4), ["causal_mask"])
    assert not any("clone" in cell.source for cell in submission.cells)


@pytest.mark.soak
@pytest.mark.parametrize("handed_in", [FORMS["Colab's script"]], ids=[""], indirect=True)  # the form that keeps least
@pytest.mark.parametrize("lesson", layout.lesson_names())
def test_every_lesson(handed_in, lesson):
    solved = solved_notebook(source.read(layout.source_path(lesson)))
    result = grade(handed_in(solved, lesson), "auto")
    artefact = {"trained_gpt"}  # the points of the files that lesson 07 is handed in with
    assert {r.exercise: r.message for r in result.results if r.score < r.points and r.exercise not in artefact} == {}
