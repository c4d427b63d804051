"""A check in a notebook: its number, its report, what waits for another answer, what was printed, what never ends."""

from __future__ import annotations

import linecache
import sys
import time
from types import SimpleNamespace

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.utils import determine_grade

from autograde import layout
from autograde.authoring import source
from autograde.checking import prerequisites
from autograde.checking.answers import RESULT_MIME
from autograde.checking.result import Result
from autograde.grader.ingest.cells.matching import match
from autograde.grader.ingest.formats.notebook_file import read
from autograde.grader.run.prerequisites import broken
from autograde.notebook import Scoreboard, open_lesson

LESSON = "03_self_attention"
UNSCALED = "def attention_scores(q, k):\n    return q @ k.transpose(-2, -1)\n"
SCALED = "def attention_scores(q, k):\n    return q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5\n"
USES_IT = """
def scaled_dot_product_attention(q, k, v, mask=None):
    scores = attention_scores(q, k)
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    weights = torch.nan_to_num(scores.softmax(-1))
    return weights @ v, weights
"""


class Kernel:
    """Runs cells as a notebook's kernel does, for what a check sees of it: names, and the cells that ran."""

    def __init__(self) -> None:
        self.names = {"__name__": "notebook", "In": [""]}
        self.run("import torch")
        self.lesson = open_lesson(LESSON, self.names)

    def run(self, code: str) -> None:
        """The code is kept as IPython keeps it, also of a cell that stops with an error."""
        self.names["In"].append(code)
        file = f"<cell {len(self.names['In'])} of {id(self)}>"
        linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
        exec(compile(code, file, "exec"), self.names)

    def check(self, name: str):
        return self.lesson.check(name)


@pytest.fixture
def kernel():
    return Kernel()


@pytest.fixture(scope="module")
def reference():
    return source.read(layout.source_path(LESSON))


def test_partial_credit_is_what_stock_nbgrader_reads_and_nothing_else_is_shown(kernel):
    kernel.run(UNSCALED)
    report = kernel.check("attention_scores")
    assert 0 <= report < 3 and repr(report) == repr(float(report)) and "attention_scores" in str(report)
    shown = report._repr_mimebundle_()
    assert all("public checks passed" in text for text in (str(report), shown["text/html"])), "there are hidden ones, and they take points"
    cell = new_code_cell("check(attention_scores)", metadata={"nbgrader": {"grade": True, "solution": False, "points": 3, "grade_id": "c"}})
    cell.outputs = [nbformat.v4.new_output("execute_result", shown, execution_count=1)]
    nbformat.validate(new_notebook(cells=[cell]))
    assert determine_grade(cell) == (float(report), 3)
    assert shown[RESULT_MIME]["score"] == float(report)


def test_what_builds_on_a_wrong_answer_says_so_and_names_no_mistake_of_its_own(kernel):
    kernel.run(UNSCALED)
    wrong = kernel.check("attention_scores")
    kernel.run(USES_IT)
    waiting = kernel.check("scaled_dot_product_attention")
    assert waiting.result.waits_for == ["attention_scores"]
    assert "`attention_scores`" in waiting.result.diagnosis and "once" in waiting.result.diagnosis
    assert waiting.result.diagnosis != wrong.result.diagnosis
    kernel.run(SCALED)  # right now, and its own check not run again
    assert kernel.check("scaled_dot_product_attention").result.waits_for == []
    assert kernel.check("attention_scores").result.status == "passed"


def test_an_answer_that_uses_an_unwritten_one_is_not_called_unwritten(kernel):
    kernel.run('def attention_scores(q, k):\n    # YOUR CODE HERE\n    raise NotImplementedError("attention_scores is not written yet")')
    kernel.run(USES_IT)
    result = kernel.check("scaled_dot_product_attention").result
    assert (result.status, result.waits_for) == ("failed", ["attention_scores"])
    assert kernel.check("attention_scores").result.status == "not_attempted"


@pytest.mark.parametrize(
    "names, said",
    [
        ("f", "It builds on `f`, which does not pass yet: fix that first, then run this check again. When it is graded, this answer is also tried with a right one in"),
        ("fg", "It builds on `f` and `g`, which do not pass yet: fix those first, then run this check again. When it is graded, this answer is also tried with right ones in"),
        ("fgh", "It builds on `f`, `g` and `h`, which do not pass yet: fix those first"),
    ],
)  # fmt: skip
def test_what_an_answer_waits_for_is_told_in_whole_sentences(names, said):
    """It said "fix that first" of two, and "a right ones"."""
    assert prerequisites.waiting(Result("k", 0, 1, "failed"), list(names), True).diagnosis.startswith(said)


def test_one_that_fails_by_itself_waits_for_nothing(kernel):
    kernel.run(UNSCALED)
    kernel.check("attention_scores")
    kernel.run("def causal_mask(T):\n    return torch.ones(T, T)")
    assert kernel.check("causal_mask").result.waits_for == []


def test_the_same_answers_wait_at_home_and_are_tried_again_in_the_grader(kernel, reference, tmp_path):
    template = nbformat.read(layout.NOTEBOOKS / f"{LESSON}.ipynb", 4)
    for cell in template.cells:
        code = {"attention_scores": UNSCALED, "scaled_dot_product_attention": USES_IT}.get(
            cell.metadata.get("nbgrader", {}).get("grade_id")
        )
        cell.source = code or cell.source
    nbformat.write(template, tmp_path / f"{LESSON}.ipynb")
    submission = match(
        read(tmp_path / f"{LESSON}.ipynb"), nbformat.read(layout.NOTEBOOKS / f"{LESSON}.ipynb", 4), list(reference.exercises)
    )
    kernel.run(UNSCALED)
    kernel.run(USES_IT)
    done = {"attention_scores": kernel.check("attention_scores").result}
    at_home = kernel.check("scaled_dot_product_attention").result
    assert broken("scaled_dot_product_attention", submission, done) == at_home.waits_for


def test_the_scoreboard_counts_what_waits_apart_and_nothing_that_changed(kernel, monkeypatch):
    boards = []
    monkeypatch.setattr("autograde.notebook.display", boards.append)
    kernel.run(UNSCALED)
    kernel.check("attention_scores")
    kernel.run(USES_IT)
    waiting = kernel.check("scaled_dot_product_attention").result
    kernel.lesson.scoreboard()
    told = str(boards[-1])
    assert "waits for attention_scores" in told and f"{waiting.points - waiting.score:g} more wait for attention_scores" in told
    kernel.run(UNSCALED.replace("return", "return 1 *"))
    kernel.lesson.scoreboard()
    assert isinstance(boards[-1], Scoreboard) and "changed since its check" in str(boards[-1])


@pytest.mark.parametrize(
    "broken, older",
    [
        (SCALED.replace("return", "return return"), True),
        ("import nothing_of_this_name\n" + SCALED, True),
        (SCALED + "attention_scores()", False),
        (SCALED + "print(attention_scores))", True),
    ],
    ids=["syntax", "before it", "after it", "syntax after it"],
)
def test_a_cell_that_stopped_with_an_error_is_told_in_place_of_the_older_answers_mistake(kernel, monkeypatch, broken, older):
    """The answer of before was checked, and nothing said that it was not the one on the screen."""
    boards = []
    monkeypatch.setattr("autograde.notebook.display", boards.append)
    kernel.run(UNSCALED)
    with pytest.raises((SyntaxError, ImportError, TypeError)):
        kernel.run(broken)
    result = kernel.check("attention_scores").result
    assert ("stopped with an error" in result.diagnosis) == older and (result.status == "passed") != older
    kernel.lesson.scoreboard()
    assert ("changed since its check" in str(boards[-1])) == older
    kernel.run(SCALED)
    assert kernel.check("attention_scores").result.status == "passed"


def test_an_answer_that_was_put_back_is_no_older_one(kernel):
    for code in (SCALED, "old = attention_scores", UNSCALED, "attention_scores = old"):
        kernel.run(code)
    assert kernel.check("attention_scores").result.status == "passed"


def test_what_an_answer_prints_is_shown_and_cut(kernel):
    kernel.run(UNSCALED.replace("    return", "    print('shape', tuple(q.shape))\n    return"))
    assert "shape (" in str(kernel.check("attention_scores"))
    kernel.run("def attention_scores(q, k):\n    print('<b>' + 'x' * 10**6)\n    return q")
    shown = kernel.check("attention_scores")._repr_html_()
    assert "&lt;b&gt;xxx" in shown and len(shown) < 20_000


def test_an_endless_loop_costs_one_deadline_and_no_more(kernel, monkeypatch):
    monkeypatch.setattr("autograde.checking.deadline.SECONDS", 0.2)
    calls = []
    kernel.names["calls"] = calls
    kernel.run("def attention_scores(q, k):\n    calls.append(1)\n    while True:\n        pass")
    began = time.process_time()
    result = kernel.check("attention_scores").result
    assert result.status == "timeout" and len(calls) == 1
    assert {o.message for o in result.outcomes[1:]} == {"not tried: a check before it ended this way"}, "of one check it said checks"
    assert "interrupt the kernel" in result.diagnosis, "a figure below calls it, too, and no deadline stops that one"
    assert time.process_time() - began < 20  # of computing: not of waiting


ENDLESS = "def attention_scores(q, k):\n    sum(range(10**6))\n    while forever:\n        pass"
FIGURE = "plots.show(lambda figure: figure.subplots().imshow(%s(row, row)), alt='drawn')"
SETUP = """
import time
import torch
from autograde.checking import deadline
from autograde.notebook import open_lesson
from utils import plots
from utils.lesson import attempt
deadline.SECONDS = 1
row, forever = torch.ones(2, 2), True
check = open_lesson("03_self_attention", globals()).check
"""


@pytest.mark.parametrize("ids, told", [("aa", False), ("ab", True), ([None, None], False)])
def test_a_wrong_copy_in_a_cell_below_is_said_to_be_what_the_check_is_about(kernel, ids, told):
    """The grader counts the right one above it, as nbgrader does, and the check named a mistake that could not be found there."""
    for code, identity in zip((SCALED, UNSCALED), ids):
        kernel.lesson.places.note(SimpleNamespace(raw_cell=code, cell_id=identity))
        kernel.run(code)
    result = kernel.check("attention_scores").result
    assert result.status != "passed" and ("two cells that define `attention_scores`" in result.diagnosis) == told
    kernel.run(SCALED)
    assert kernel.check("attention_scores").result.diagnosis == ""


@pytest.mark.slow
def test_cells_that_call_an_endless_answer_come_to_an_end_and_no_others_are_stopped():
    """*Run All* of a notebook whose answer does not end: it hung at the first figure below the check."""
    long = "end = time.process_time() + 2\nwhile time.process_time() < end:\n    pass"
    calls = "def called(q, k):\n    return attention_scores(q, k)"
    often = "forever = False\nend = time.process_time() + 3\nwhile time.process_time() < end:\n    attention_scores(row, row)"
    cells = [SETUP, ENDLESS, calls, "check('attention_scores')", FIGURE % "called", "attempt(attention_scores, row, row)", "called(row, row)",
             long, often, UNSCALED, FIGURE % "called", "check('attention_scores')", "import signal; signal.getitimer(signal.ITIMER_PROF)"]  # fmt: skip
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=60, allow_errors=True, resources={"metadata": {"path": str(layout.ROOT)}}).execute()
    told = ["\n".join(map(str, cell.outputs)) for cell in notebook.cells]
    assert "are stopped after" in told[3]
    assert all("`attention_scores` does not end" in said for said in told[4:7])
    [error] = notebook.cells[6].outputs
    assert len(error["traceback"]) == 1, "a sentence, and no traceback"
    assert not any(told[7:10]), "what calls none, and calls of it that end"
    assert "'text/plain': 'drawn'" in told[10]
    assert "(0.0, 0.0)" in told[12], "nothing ticks on once it is mended"


@pytest.mark.slow
@pytest.mark.parametrize("seconds, status", [(2, "passed"), (60, "timeout")])
def test_what_is_imported_at_its_first_use_is_no_endless_loop(kernel, monkeypatch, tmp_path, seconds, status):
    """PyTorch imports sympy at its first operation on `meta`, on Colab for longer than a check may take. An import that never ends is ended."""
    monkeypatch.setattr("autograde.checking.deadline.SECONDS", 1)
    monkeypatch.setattr("autograde.checking.deadline.POSTPONED", 4)
    (tmp_path / "slow_to_import.py").write_text(
        f"import time\nend = time.process_time() + {seconds}\nwhile time.process_time() < end:\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "slow_to_import", raising=False)
    kernel.run(SCALED.replace("    return", "    import slow_to_import\n    return"))
    result = kernel.check("attention_scores").result
    assert result.status == status, result.message
