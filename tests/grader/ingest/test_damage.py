"""Every kind of broken notebook: recovered where it can be, a reason where not, never an exception."""

import base64
import copy
import html
import json
import os
import signal
import sys
import time

import nbformat
import pytest

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import LESSON, UNSCALED, solved_notebook
from autograde.grader.ingest.cells import own_cells
from autograde.grader.ingest.cells.matching import match
from autograde.grader.ingest.collect import collect
from autograde.grader.ingest.discovery import Found, find, in_folder
from autograde.grader.ingest.formats import loose_json, notebook_file, python_cells
from autograde.grader.run import cache_key
from autograde.grader.run.submission import grade

FULL = 24.0


@pytest.fixture(scope="module")
def solved():
    return solved_notebook(source.read(layout.source_path(LESSON)))


def graded(path):
    return grade(Found("student", LESSON, path), "auto")


def written(tmp_path, content, name=f"{LESSON}.ipynb"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def cell(notebook, name):
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def text(notebook):
    return nbformat.writes(notebook)


def duplicated(notebook):
    """One answer's cell copied: the copy is the released stub, the written one stands first."""
    stub = copy.deepcopy(cell(notebook, "causal_mask"))
    stub.source = "def causal_mask(n, device=None):\n    # YOUR CODE HERE\n    raise NotImplementedError"
    notebook.cells.append(stub)
    return text(notebook)


def reordered(notebook):
    notebook.cells.reverse()
    return text(notebook)


def without_checks(notebook):
    notebook.cells = [c for c in notebook.cells if not c.metadata.get("nbgrader", {}).get("grade_id", "").startswith("check-")]
    return text(notebook)


def without_setup(notebook):
    notebook.cells = [c for c in notebook.cells if "setup" not in c.metadata.get("tags", [])]
    return text(notebook)


def old_format(notebook):
    cells = [
        {
            "cell_type": "code",
            "input": c.source,
            "language": "python",
            "metadata": {},
            "outputs": [],
            "collapsed": False,
            "prompt_number": 1,
        }
        for c in notebook.cells
        if c.cell_type == "code"
    ]
    return json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": cells, "metadata": {}}]})


def with_merge_conflict(notebook):
    lines = text(notebook).splitlines(keepends=True)
    conflict = ["<<<<<<< HEAD\n", ' "nbformat_minor": 5\n', "=======\n", ' "nbformat_minor": 4\n', ">>>>>>> theirs\n"]
    at = next(i for i, line in enumerate(lines) if "nbformat_minor" in line)
    return "".join(lines[:at] + conflict + lines[at + 1 :])


def forged_points(notebook):
    for c in notebook.cells:
        c.metadata.get("nbgrader", {}).update(points=1000) if "points" in c.metadata.get("nbgrader", {}) else None
    cell(notebook, "check-causal_mask").source = "1000.0"
    return text(notebook)


def split_with_helper(notebook):
    """An answer's cell split in two, as JupyterLab does it: both halves carry its id."""
    at = notebook.cells.index(cell(notebook, "causal_mask"))
    helper = copy.deepcopy(notebook.cells[at])
    helper.source = "def lower(n, device):\n    return torch.ones(n, n, dtype=torch.bool, device=device).tril()"
    notebook.cells[at].source = "def causal_mask(n, device=None):\n    return lower(n, device)"
    notebook.cells.insert(at, helper)
    return text(notebook)


RECOVERED = {
    "windows line ends": lambda n: text(n).replace("\n", "\r\n"),
    "byte order mark": lambda n: b"\xef\xbb\xbf" + text(n).encode(),
    "a duplicated cell": duplicated,
    "cells in another order": reordered,
    "deleted checks": without_checks,
    "deleted setup": without_setup,
    "nbformat 3": old_format,
    "merge conflict": with_merge_conflict,
    "forged points and check": forged_points,
    "a split cell": split_with_helper,
    "sources as lists": lambda n: json.dumps({**n, "cells": [{**c, "source": c.source.splitlines(keepends=True)} for c in n.cells]}),
    "sources called as in nbformat 3": lambda n: json.dumps(
        {**n, "cells": [{**c, "input": c.source, "source": None} for c in n.cells]}
    ).replace(', "source": null', ""),
    "metadata of the wrong type": lambda n: json.dumps({**n, "metadata": [], "cells": [{**c, "metadata": "x"} for c in n.cells]}),
}


@pytest.mark.parametrize("damage", RECOVERED.values(), ids=RECOVERED)
def test_recovered(tmp_path, solved, damage):
    result = graded(written(tmp_path, damage(copy.deepcopy(solved))))
    assert (result.status, result.score) == ("graded", FULL), result.reason or [(r.exercise, r.message) for r in result.results]
    assert result.max_score == FULL


def test_a_script_counts_like_a_notebook(tmp_path, solved):
    code = "\n\n".join(c.source for c in solved.cells if c.cell_type == "code")
    assert graded(written(tmp_path, code, f"{LESSON}.py")).score == FULL
    marked = "\n\n".join("# %%\n" + c.source for c in solved.cells if c.cell_type == "code")
    assert graded(written(tmp_path, marked, f"{LESSON}.py")).score == FULL


UNREADABLE = {
    "empty": b"",
    "cut off": lambda n: text(n)[: len(text(n)) // 2],
    "no cells": b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
    "another kind of JSON": b"[1, 2, 3]",
    "binary": bytes(range(256)) * 10,
    "deep JSON": b"[" * 100_000,
    "deep in a cell": b'{"cells": [{"cell_type": "code", "metadata": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}]}",
    "too large": b" " * (21 * 2**20),
    "too much code": lambda n: json.dumps({**n, "cells": [{"cell_type": "code", "metadata": {}, "source": "x = 1\n" * 100_000}]}),
    "conflicts without an end": b"{" + b"<<<<<<< ours\n" * 1_000_000,
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_is_zero_with_a_reason(tmp_path, solved, content):
    content = content(solved) if callable(content) else content
    result = graded(written(tmp_path, content))
    assert (result.status, result.score, result.max_score) == ("unreadable", 0, FULL)
    assert len(result.reason) > 10 and f"{LESSON}.ipynb" in result.reason


def test_a_notebook_of_something_else_is_no_silent_zero(tmp_path):
    other = written(tmp_path, (layout.NOTEBOOKS / "04_multi_head_attention.ipynb").read_text(encoding="utf-8"), "work.ipynb")
    own = written(tmp_path, nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1")])), "own.ipynb")
    reason = graded(other).reason
    assert all(named in reason for named in ("work.ipynb", "lesson 03", "lesson 04"))
    assert graded(own).status == "unreadable" and all(named in graded(own).reason for named in ("own.ipynb", "lesson 03"))


def test_who_handed_in_something_else_reads_what_it_was():
    found = Found("student", LESSON, None, ("essay.docx: a document",))
    assert grade(found).status == "missing" and "essay.docx" in grade(found).reason


PATHOLOGICAL = {
    "a name that is a long sum": "attention_scores = 1" + " + 1" * 900,  # for Python's parser, or for a pattern with a choice too many
    "brackets": "(" * 100_000,
    "signs": "x = " + "-" * 30_000 + "1",
    "a long sum": "x = " + "1+" * 15_000 + "1",
    "attributes": "def attention_scores(q, k):\n    raise NotImplementedError(a" + ".a" * 2500 + ")",
    "fields in a text": 'x = f"' + "{x}" * 150_000 + '"',
    "blank lines": "\n" * 400_000 + "x",
    "a null byte": "x = 1\0",
}


@pytest.mark.parametrize("code", PATHOLOGICAL.values(), ids=PATHOLOGICAL)
def test_reading_takes_no_longer_for_a_pathological_cell(solved, code):
    """A solved notebook with it in a cell of its own, and in an answer's place."""
    notebook = copy.deepcopy(solved)
    notebook.cells.append(nbformat.v4.new_code_cell(code))
    cell(notebook, "attention_scores").source = code
    began = time.process_time()  # of this process: what others do on the machine does not count
    assert (
        "attention_scores"
        in match(notebook_file.RawNotebook([notebook_file._cell(c) for c in notebook.cells]), solved, ["attention_scores"]).answers
    )
    assert time.process_time() - began < 5


@pytest.mark.slow
def test_cells_of_ones_own_are_read_in_time_however_many(solved):
    """What the lesson's cells read was found out anew for each of them."""
    notebook = copy.deepcopy(solved)
    notebook.cells[3:3] = [nbformat.v4.new_code_cell(f"a{i} = 1\ntorch.a{i} = 1") for i in range(1900)]
    raw, began = notebook_file.RawNotebook([notebook_file._cell(c) for c in notebook.cells]), time.process_time()
    assert "attention_scores" in match(raw, solved, ["attention_scores"]).answers
    assert time.process_time() - began < 6


def test_pipes_devices_and_links_are_not_waited_for(tmp_path, solved):
    """A FIFO, a link to an endless device, a link to a neighbour's folder: each as a notebook of no lesson's name."""
    os.makedirs(tmp_path / "neighbour" / "work")
    written(tmp_path / "neighbour" / "work", text(solved))
    for student in ("fifo", "device", "borrower"):
        (tmp_path / student).mkdir()
    os.mkfifo(tmp_path / "fifo" / "homework.ipynb")
    (tmp_path / "device" / "homework.ipynb").symlink_to("/dev/zero")
    (tmp_path / "borrower" / "work").symlink_to(tmp_path / "neighbour" / "work")
    assert {f.student: f.path and f.path.name for f in find([tmp_path])} == {
        "neighbour": f"{LESSON}.ipynb", "fifo": None, "device": None, "borrower": None,
    }  # fmt: skip
    assert "homework.ipynb: a link" in next(f for f in find([tmp_path], LESSON) if f.student == "device").notes[0]
    assert {f.student: graded(f.path).status for f in find([tmp_path], LESSON) if f.path and f.student != "neighbour"} == {
        "fifo": "unreadable",
    }  # fmt: skip


@pytest.mark.slow
def test_of_many_repairs_the_first_are_told(tmp_path, solved):
    notebook = copy.deepcopy(solved)
    notebook.cells.append(nbformat.v4.new_code_cell("def mine(): pass\n" + "".join(f"!ls {n % 500}\n" for n in range(2000))))
    result = graded(written(tmp_path, text(notebook)))
    assert result.score == FULL and len(result.repairs) < 50 and result.repairs[-1].startswith("and 4")


def test_a_version_of_a_million_digits_is_no_fault_of_the_grader(tmp_path, solved):
    notebook = copy.deepcopy(solved)
    notebook.metadata["language_info"] = {"name": "python", "version": "3." + "9" * 5000}
    cell(notebook, "attention_scores").source += "\ndef broken(:"
    result = graded(written(tmp_path, text(notebook)))
    assert result.status == "graded" and 0 < result.score < FULL


NEVER_OPENED = (
    "pipe", "pipe.py", "pipe.py.txt", "notes.txt", "gpt.safetensors", "gpt_config.json", "work.zip", "work.tar.gz", "submission_metadata.yml",
    "timestamp.txt", "cells.json", "03.ipynb.txt", "03_self_attention.py", ".collected.json", "nbgrader_config.py", "ann_03.py", "03.ipynb.eml", "03.ipynb.mbox",
)  # fmt: skip


@pytest.fixture
def within_20_seconds():
    """Nothing here takes that long but opening a pipe, which nobody else ever opens."""

    def ring(*_):
        raise AssertionError("a pipe was opened")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("place", ["ann", "ann/03_self_attention", "."])
def test_a_pipe_of_any_name_is_not_opened(tmp_path, solved, within_20_seconds, place):
    folder = tmp_path / "class"
    for student in ("ann", "bob"):
        (folder / student).mkdir(parents=True)
        written(folder / student, text(solved))
    (folder / place).mkdir(exist_ok=True)
    for name in NEVER_OPENED if place != "." else set(NEVER_OPENED) - {"nbgrader_config.py"}:  # beside students it is the instructor's
        os.mkfifo(folder / place / name)
    (folder / place / "src").mkdir()  # where there are folders, scripts are looked through for their names
    os.mkfifo(folder / place / "src" / "helper.py")
    for lesson in (LESSON, None):
        assert {"ann", "bob"} <= {f.student for f in find([folder], lesson) if f.path}
        rows = collect([folder], tmp_path / f"course {lesson}", lesson).rows
        assert {"ann", "bob"} <= {row.student for row in rows if row.lesson == LESSON}
    for student in ("ann", "bob"):
        found = in_folder(folder / student, LESSON)
        assert found.path and cache_key.files(found)


def test_files_of_students_are_opened_in_one_way():
    """That way opens no pipe and no device; what a file is called, or was a moment ago, says nothing of it."""
    modules = (layout.ROOT / "autograde" / "grader" / "ingest").rglob("*.py")
    ways = [(module.stem, line) for module in modules for line in module.read_text(encoding="utf-8").splitlines()]
    others = [where for where in ways if any(way in where[1] for way in ('.open("rb")', ".read_bytes()", ".read_text("))]
    assert {module for module, _ in others} == {"collect"} and len(others) == 3, (
        others
    )  # what it has written, and a stamp that it has looked at


def test_names_can_be_written_anywhere_and_are_told_apart(tmp_path):
    folders = [
        b"\xff" * 80,
        b"a  b",
        b"a b",
        b"new\nline",
        b"\x1b[2J",
        "\u202eadmin".encode(),
        b"x" * 255,
        b"y" * 255,
        "zoë".encode(),
        b"=1+1",
        b"'=1+1",
    ]
    for folder in folders:
        os.mkdir(os.path.join(os.fsencode(tmp_path), folder))
    names = [f.student for f in find([tmp_path], LESSON)]
    assert len(set(names)) == len(folders) and {"a b", "a b (2)", "new line", "\\x1b[2J", "\\u202eadmin", "zoë"} <= set(names)
    assert all(name.isprintable() and len(name.encode()) <= 220 for name in names)


def test_links_are_not_followed(tmp_path, solved):
    secret = written(tmp_path, text(solved), "another_students.ipynb")
    link = tmp_path / f"{LESSON}.ipynb"
    link.symlink_to(secret)
    assert graded(link).status == "unreadable"


def test_a_missing_cell_costs_its_own_exercise(tmp_path, solved):
    notebook = copy.deepcopy(solved)
    notebook.cells.remove(cell(notebook, "padding_mask"))
    result = graded(written(tmp_path, text(notebook)))
    assert {r.exercise: r.status for r in result.results if r.status != "passed"} == {"padding_mask": "missing"}


def test_the_last_written_version_counts(tmp_path, solved):
    notebook = copy.deepcopy(solved)
    first = copy.deepcopy(cell(notebook, "attention_scores"))
    first.source = UNSCALED
    notebook.cells.insert(3, first)
    assert graded(written(tmp_path, text(notebook))).score == FULL


def test_an_earlier_version_defines_what_the_last_one_uses(tmp_path, solved):
    notebook = copy.deepcopy(solved)
    cell(notebook, "causal_mask").source = (
        "def lower(n, device):\n    return torch.ones(n, n, dtype=torch.bool, device=device).tril()\n\n"
        + ("def causal_mask(n, device=None):\n    return ~lower(n, device)")
    )
    second = "def causal_mask(n, device=None):\n    return lower(n, device).T"
    third = "causal_mask = lambda n, device=None: lower(n, device)"
    notebook.cells += [nbformat.v4.new_code_cell(second), nbformat.v4.new_code_cell(third)]
    assert graded(written(tmp_path, text(notebook))).score == FULL


def test_a_long_cell_is_parsed_once_for_all_that_is_asked_of_it(monkeypatch):
    """With f-strings in it, each time costs as much as running it."""
    times, parse = [], python_cells.syntax.parsed
    monkeypatch.setattr(python_cells.syntax, "parsed", lambda *given: times.append(given) or parse(*given))
    code = "".join(f"name_{i} = f'{{torch}}{i}'\n" for i in range(400))
    own_cells.kept(code, {"name_1"}, ["print(name_1)"], {"attention_scores"})
    assert [len(given[0]) for given in times if given[0] != "print(name_1)"] == [len(code)]


def test_many_long_cells_are_parsed_once_each(tmp_path, solved, monkeypatch):
    """By all that is asked of a submission, also for the versions in their own cells: a tree of one is forgotten when the next is made."""
    notebook, times, parse = copy.deepcopy(solved), [], python_cells.syntax.parsed
    codes = ["".join(f"of_{number}_{i} = [torch * i for i in range(9)]\n" for i in range(300)) for number in range(6)]
    notebook.cells += [nbformat.v4.new_code_cell(code) for code in codes]
    raw = notebook_file.read(written(tmp_path, text(notebook)))
    monkeypatch.setattr(python_cells.syntax, "parsed", lambda code, most: times.append(code) or parse(code, most))
    submission = match(raw, nbformat.read(layout.NOTEBOOKS / f"{LESSON}.ipynb", 4), ["attention_scores"])
    submission.in_place(["attention_scores"])
    assert sorted(code for code in times if code in codes) == sorted(codes)


@pytest.mark.soak
def test_experiments_of_ones_own_cost_no_answer(tmp_path, solved):
    """Five cells that would train for hours, each before an answer."""
    notebook = copy.deepcopy(solved)
    for i in range(5):
        training = nbformat.v4.new_code_cell("losses = []\nwhile True:\n    losses.append(0)\n    losses.clear()")
        notebook.cells.insert(5 + 6 * i, training)
    assert graded(written(tmp_path, text(notebook))).score == FULL


def test_found_under_many_names(tmp_path, solved):
    names = {
        "a": f"{LESSON}.ipynb",
        "b": "Copy of 03_self_attention (2).ipynb",
        "c": "my homework.ipynb",
        "d": "03.ipynb",
        "e": f"{LESSON}/{LESSON}.ipynb",
    }
    for student, name in names.items():
        path = tmp_path / student / name
        path.parent.mkdir(parents=True)
        path.write_text(text(solved))
    assert {f.student for f in find([tmp_path]) if f.path and f.lesson == LESSON} == set(names)


def test_newer_syntax_gets_a_message_with_both_versions(tmp_path, solved):
    notebook = copy.deepcopy(solved)
    notebook.metadata.language_info = {"name": "python", "version": "3.99.1"}
    cell(notebook, "causal_mask").source = "def causal_mask[T](n, device=None) = n.tril()"  # of no Python yet
    message = next(r.message for r in graded(written(tmp_path, text(notebook))).results if r.exercise == "causal_mask")
    assert "SyntaxError" in message and "3.99.1" in message and f"{sys.version_info.major}.{sys.version_info.minor}" in message


def test_commands_that_are_not_run_are_told(tmp_path, solved):
    notebook = copy.deepcopy(solved)
    cell(notebook, "causal_mask").source = "!pip install einops\n" + cell(notebook, "causal_mask").source
    notebook.cells.insert(3, nbformat.v4.new_code_cell("%%bash\nrm -rf x"))
    repairs = match(notebook_file.read(written(tmp_path, text(notebook))), solved, ["causal_mask"]).repairs
    assert any("!pip install einops" in repair and "not run" in repair for repair in repairs)


def test_a_helper_in_a_figures_cell_is_taken_and_the_figure_is_not(tmp_path, solved):
    notebook = copy.deepcopy(solved)
    figure = next(c for c in notebook.cells if "figure" in c.metadata.get("tags", []))
    figure.source += "\n\nlosses = [train() for _ in range(10**9)]\n\n\ndef helper(x):\n    return x\n\n\nhelper(3)"
    own = [c.source for c in match(notebook_file.read(written(tmp_path, text(notebook))), solved, []).cells if c.own]
    assert len(own) == 1 and "def helper" in own[0] and "draw_" not in own[0] and "helper(3)" not in own[0]


@pytest.mark.parametrize(
    "text", ["'" * 10**6 + '"', "," * 10**6, '"\\' * 10**5, "/* " * 10**5, "'\\" * 10**5 + "\\", "[1 2]", '{"a":: 1}', "{"]
)
def test_what_is_no_json_is_known_at_once(text):
    """A pattern that is tried from every character takes hours for these."""
    with pytest.raises(ValueError):
        loose_json.read(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1, /* , */ 2, ]", [1, 2]),
        ('{"a": "it\'s, ]", }', {"a": "it's, ]"}),
        ("{'a': 'say \"x\" it\\'s \\x41', 'b': [True, None]}", {"a": 'say "x" it\'s A', "b": [True, None]}),
        ('["// no comment", "True", "\\\\"]', ["// no comment", "True", "\\"]),
        ('\ufeff["a\nb"] // x', ["a\nb"]),
    ],
)
def test_json_as_people_leave_it(text, value):
    assert loose_json.read(text) == value


SMALL = nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 'é' < '&amp;'\ny = {1}")]))
AROUND = {
    "what Jupyter's server says of a file": lambda text: json.dumps({"type": "notebook", "content": json.loads(text)}),
    "a list of one": lambda text: json.dumps([json.loads(text)]),
    "its JSON as a string": lambda text: json.dumps(text),
    "all of these": lambda text: json.dumps([json.dumps({"content": json.loads(text)})]),
    "a server's headers": lambda text: "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + text,
    "a guard against scripts": lambda text: ")]}'\n" + text,
    "a call": lambda text: f"callback({text});",
    "a fence of Markdown": lambda text: f"```json\n{text}\n```\n",
    "the end of a text of DOS": lambda text: text + "\x1a",
    "the file twice": lambda text: text + text,
    "base64": lambda text: base64.encodebytes(text.encode()).decode(),
    "what GitHub's server says of a file": lambda text: json.dumps(
        {"encoding": "base64", "content": base64.encodebytes(text.encode()).decode()}
    ),
    "a page that a browser has made of it": lambda text: (
        f"<html><head></head><body><pre>{html.escape(text, quote=False)}</pre></body></html>"
    ),
    "the signs of a page": html.escape,
}


@pytest.mark.parametrize("change", AROUND.values(), ids=AROUND)
def test_a_notebook_inside_something_else_is_read(tmp_path, change):
    path = tmp_path / "a.ipynb"
    path.write_text(change(SMALL), encoding="utf-8")
    found = notebook_file.read(path)
    assert [cell.source for cell in found.cells] == ["x = 'é' < '&amp;'\ny = {1}"] and found.repairs


@pytest.mark.parametrize(
    "text", ["[]", '"{"', '"{}"', '{"content": {}}', "[[[[{}]]]]", "x {", "<html>{}", '{"content": []}', "[1, 2]", '"x"']
)
def test_what_holds_no_notebook_is_unreadable(tmp_path, text):
    path = tmp_path / "a.ipynb"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(notebook_file.Unreadable):
        notebook_file.read(path)


@pytest.mark.parametrize("behind", ["tags=null", "tags=7", "tags=[null]", 'tags="x"', "run_control=7", "run_control=null", "{", "a=b=c"])
@pytest.mark.parametrize("mark", ["# %%", "# +"])
def test_what_stands_behind_a_mark_costs_no_cell(tmp_path, mark, behind):
    head = "# ---\n# jupyter:\n#   jupytext:\n#     text_representation:\n#       format_name: light\n# ---\n\n" if mark == "# +" else ""
    path = written(tmp_path, f"{head}{mark} {behind}\nx = 1\n\n{mark}\ndef f():\n    return x\n", "answers.py")
    assert [cell.source for cell in notebook_file.read(path).cells if cell.kind == "code"] == ["x = 1", "def f():\n    return x"]
