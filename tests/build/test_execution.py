"""Every notebook runs from top to bottom: solved and half done; tests/release runs it untouched, from what students get.

A lesson that is as `make verify` left it is not executed again (`--every-lesson` does): test_executed.py looks at the digests.
Its time is processor time: lessons use one thread, and on a machine with nothing else to do it is what a clock shows.
"""

import resource

import nbformat
import pytest

from autograde import layout
from autograde.authoring import notebooks, source
from autograde.authoring.sample_class import solved_notebook

LESSONS = [pytest.param(name, marks=pytest.mark.executes(name)) for name in layout.lesson_names()]
CLAIMS = layout.ROOT / "tests" / "lessons" / "claims"
SOLVED_SECONDS = {"02": 300, "07": 400, "08": 400}  # the others: 240; twice what a slow core takes that has a machine to itself
WITH_A_GPU = """
from autograde.checking import pretend_gpu
machine = pretend_gpu.machine(pretend_gpu.Card("Tesla P4", (6, 1), 64 * 2**20, 20))
machine.__enter__()
"""


def run(notebook, tmp_path):
    """Execute beside the course; give the seconds that its kernel took."""
    began = _kernels_seconds()
    # student notebooks run in notebooks/, but what a lesson saves must not land in the repository
    executed = notebooks.execute(notebook, layout.NOTEBOOKS)
    return executed, _kernels_seconds() - began


def _kernels_seconds():
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


def solved(name):
    """The lesson with every answer; what the text says of its experiments, from tests/lessons/claims/, is the last cell."""
    notebook = solved_notebook(source.read(layout.source_path(name)))
    if (claims := CLAIMS / f"{name}.py").exists():
        notebook.cells.append(nbformat.v4.new_code_cell(claims.read_text(encoding="utf-8")))
    return notebook


def assert_full_points(executed):
    scores = [
        o["data"]["text/plain"]
        for c in executed.cells
        if c.get("outputs") and is_check(c)
        for o in c.outputs
        if o.output_type == "execute_result"
    ]
    points = [float(c.metadata["nbgrader"]["points"]) for c in executed.cells if is_check(c)]
    assert [float(s) for s in scores] == points


@pytest.mark.soak
@pytest.mark.parametrize("name", LESSONS)
def test_solved(name, tmp_path):
    """Full points, in time, and what the text says of its experiments is true."""
    executed, seconds = run(solved(name), tmp_path)
    assert seconds < SOLVED_SECONDS.get(name[:2], 240)
    assert_full_points(executed)


@pytest.mark.soak
@pytest.mark.parametrize("name", LESSONS)
def test_solved_on_a_machine_with_a_gpu(name, tmp_path):
    """The same results with the pretend GPU: whoever asks for a device, as lesson 07's training does, gets it.

    The card is small and old, so that the plan and the precision are the CPU's. Compiling is tried, and fails, as on Colab without a compiler.
    """
    notebook = solved(name)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(WITH_A_GPU))
    if name == "07_gpt":  # it trains there; the others compute where their tensors are, on the CPU
        notebook.cells.append(nbformat.v4.new_code_cell("assert torch.gpu.max_memory_allocated() > 2**20"))
    executed, _ = run(notebook, tmp_path)
    assert "Tesla P4" in "".join(o.text for c in executed.cells[:4] for o in c.get("outputs", []) if o.output_type == "stream")
    assert_full_points(executed)


@pytest.mark.soak
@pytest.mark.parametrize("name", LESSONS)
def test_half_done(name, tmp_path):
    half = nbformat.read(layout.NOTEBOOKS / f"{name}.ipynb", 4)
    lesson = source.read(layout.source_path(name))
    solved = {
        c.metadata["nbgrader"]["grade_id"]: c.source
        for c in solved_notebook(lesson).cells
        if c.metadata.get("nbgrader", {}).get("solution")
    }
    answers = [c for c in half.cells if c.cell_type == "code" and c.metadata.get("nbgrader", {}).get("solution")]
    for cell in answers[::2]:
        cell.source = solved[cell.metadata["nbgrader"]["grade_id"]]
    run(half, tmp_path)


def is_check(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id", "").startswith("check-") and cell.metadata["nbgrader"]["grade"]
