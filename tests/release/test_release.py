"""What students get holds no answer, no hidden test and no misconception, and works alone."""

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from autograde import layout
from autograde.authoring import notebooks, release
from autograde.authoring.rules.leaks import ANYBODY, TOKEN, joined
from tests import shared
from tests.release import leaks
from utils.setup import NEEDED

KINDS = {".py", ".ipynb", ".json", ".md", ".toml", ".yml", ".lock", ".sha256", ""}  # text, each of them
CELL_METADATA = {"nbgrader", "tags", "cellView", "jupyter", "deletable", "editable"}


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    return shared.released_course(tmp_path_factory)


def leaked(line, files):
    """The files that hold the line, unless anybody writes it."""
    run = joined(line)
    return [] if run in ANYBODY else [str(path) for path in files if run in leaks.said(path)]


@pytest.mark.parametrize("name", layout.lesson_names())
def test_no_line_of_an_answer_is_released(released, name):
    told = {" ".join(line): where for line in leaks.answers(name) if (where := leaked(line, leaks.files(released)))}
    assert told == {}
    assert sum(1 for _ in leaks.answers(name)) > 20


@pytest.mark.slow
def test_no_line_of_a_hidden_test_or_a_wrong_answer_is_released(released):
    """Public checks are written in the same words (helpers, marks, shapes), so the next test is for them."""
    elsewhere = [path for path in leaks.files(released) if path.parent.name != "checks"]
    told = {(stem, " ".join(line)): where for stem, line in leaks.hidden_and_wrong() if (where := leaked(line, elsewhere))}
    assert told == {}


def test_no_hidden_test_stands_among_the_public_ones(released):
    said = "\0".join(leaks.said(path) for path in leaks.files(released))
    public = set().union(
        *(leaks.long_runs(path.read_text(encoding="utf-8")) for path in (released / "autograde" / "lessons" / "checks").iterdir())
    )
    for name, title, runs in leaks.hidden_tests():
        assert joined(TOKEN.findall(title)) not in said, title
        assert not runs & public, name


@pytest.mark.parametrize("place", ["a cell", "metadata", "an output", "a list of lines", "a comment in between", "prose", "other blanks"])
def test_an_answer_is_found_wherever_it_hides(tmp_path, place):
    """The search itself: every place that a notebook or a text has."""
    line = next(line for line in leaks.answers("03_self_attention") if len(line) > 20)
    code = " ".join(line)
    cell = nbformat.v4.new_code_cell("x = 1")
    if place == "a cell":
        cell.source = f"def f():\n    {code}\n"
    elif place == "metadata":
        cell.metadata["history"] = {"before": ["1", code]}
    elif place == "an output":
        cell.outputs = [nbformat.v4.new_output("error", ename="E", evalue="", traceback=[code])]
    elif place == "a list of lines":
        cell.metadata["lines"] = [" ".join(line[:9]), "\n", " ".join(line[9:])]
    elif place == "a comment in between":
        cell.source = f"{' '.join(line[:9])}  # here\n{' '.join(line[9:])}"
    path = tmp_path / ("x.md" if place in ("prose", "other blanks") else "x.ipynb")
    text = f"It doesn't hide: `{code}`." if place == "prose" else code.replace(" ", "\n\t ")
    path.write_text(text if path.suffix == ".md" else nbformat.writes(nbformat.v4.new_notebook(cells=[cell])))
    assert leaked(line, [path]) == [str(path)]


def test_it_holds_text_alone_and_notebooks_without_outputs(released):
    """No cache, no archive, no history: nothing that the search above could not read."""
    for path in leaks.files(released):
        assert path.suffix in KINDS and b"\0" not in path.read_bytes()
        assert not {"__pycache__", ".ipynb_checkpoints", ".git", "hidden", "misconceptions", "solutions"} & set(path.parts)
        if path.suffix == ".ipynb":
            notebook = nbformat.read(path, 4)
            assert set(notebook.metadata) == {"kernelspec", "language_info"}
            for cell in notebook.cells:
                assert set(cell.metadata) <= CELL_METADATA and not cell.get("outputs") and not cell.get("execution_count")


def test_fingerprints_hold_no_code(released):
    for path in (released / "autograde" / "lessons" / "manifests").glob("*.json"):
        lesson = json.loads(path.read_text(encoding="utf-8"))
        assert set(lesson) == {"lesson", "title", "exercises", "mistakes"}
        for mistake in (m for listed in lesson["mistakes"].values() for m in listed):
            assert set(mistake) == {"sentence", "fingerprint"} and set(mistake["fingerprint"]) == {"form", "numbers"}


# --- what else may lie in the course's folder


@pytest.fixture
def used_course(tmp_path):
    """A course that its instructor works in: answers saved in notebooks/, caches, checkpoints, a trained model, a repository."""
    course = tmp_path / "course"
    for part in ("autograde", "utils", "solutions", "notebooks", "data", "docs"):
        shutil.copytree(layout.ROOT / part, course / part, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    for name in release.TOP_LEVEL:
        shutil.copy(layout.ROOT / name, course)
    solved = (course / "solutions" / "03_self_attention.ipynb").read_bytes()
    for place in ("notebooks/03_self_attention.ipynb", "notebooks/.ipynb_checkpoints/03_self_attention-checkpoint.ipynb", "notebooks/mine.ipynb",
                  "utils/__pycache__/mine.pyc", "utils/mine.ipynb", "autograde/lessons/checks/.ipynb_checkpoints/mine.py", "data/.cache/mine",
                  "autograde/lessons/manifests/mine.json", ".git/objects/mine", "notebooks/gpt.safetensors"):  # fmt: skip
        (course / place).parent.mkdir(parents=True, exist_ok=True)
        (course / place).write_bytes(solved)
    return course


def command(course, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(course)}
    return subprocess.run(
        [sys.executable, "-m", "autograde", *map(str, arguments)], cwd=course, env=environment, capture_output=True, text=True
    )


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in leaks.files(folder)}


@pytest.mark.slow
def test_a_used_course_gives_the_same_bytes(used_course, released, tmp_path):
    done = command(used_course, "release", tmp_path / "out", "--repository", shared.REPOSITORY)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "out") == contents(released)


@pytest.mark.slow
def test_a_lesson_that_was_changed_and_not_built_is_not_released(used_course, tmp_path):
    path = used_course / "solutions" / "03_self_attention.py"
    path.write_text(path.read_text().replace('check="causal_mask" points=1.5', 'check="causal_mask" points=2', 1))
    done = command(used_course, "release", tmp_path / "out", "03", "--repository", shared.REPOSITORY)
    assert done.returncode == 2 and "build 03" in done.stderr and not (tmp_path / "out").exists()


# --- where it is written


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    for name, text in (("thesis.md", "x"), (release.SUMS, "not a list"), (release.SUMS, f"{'0' * 64}  thesis.md\n")):
        folder = tmp_path / name / str(len(text))
        folder.mkdir(parents=True)
        (folder / name).write_text(text)
        with pytest.raises(ValueError, match="no earlier release"):
            release.release(folder, repository=shared.REPOSITORY)
        assert contents(folder) == {name: text.encode()}


@pytest.mark.slow
def test_an_earlier_release_is_brought_up_to_date(tmp_path):
    folder = tmp_path / "out"
    release.release(folder, repository=shared.REPOSITORY)
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref")
    (folder / "syllabus.pdf").write_bytes(b"%PDF")
    written = release.release(folder, ["03_self_attention"], repository=shared.REPOSITORY)
    assert {path.name for path in (folder / "notebooks").iterdir()} == {"03_self_attention.ipynb"}
    assert set(leaks.files(folder)) == {*written, folder / ".git" / "HEAD", folder / "syllabus.pdf"}
    sums = dict(reversed(line.split("  ")) for line in (folder / release.SUMS).read_text().splitlines())
    assert sums == {
        n: hashlib.sha256(c).hexdigest() for n, c in contents(folder).items() if n not in (release.SUMS, ".git/HEAD", "syllabus.pdf")
    }


@pytest.mark.parametrize(
    "names", [layout.lesson_names(), ["01_sample_based_planning", "04_multi_head_attention"], ["03_self_attention", "07_gpt"]]
)
def test_the_guide_tells_of_the_lessons_that_are_handed_out_and_of_no_other(names):
    """It named files to hand in with lesson 07, and fetched lesson 03, where there were none."""
    guide = release._readme(names)
    assert ("lesson 07" in guide, "gpt.safetensors" in guide) == ("07_gpt" in names,) * 2
    told = re.findall(r"(?:fetch_assignment|submit|fetch_feedback|folder) `?(\d\d_\w+)", guide)
    assert len(told) >= 3 and set(told) <= set(names) and "<!--" not in guide
    assert not re.search(r" [.,:]\s", guide.split("```")[0])


@pytest.mark.slow
def test_a_correction_in_mid_term_keeps_the_lessons_and_the_address(tmp_path):
    """Typed again without them, it once handed out all lessons, or stopped for want of an address."""
    folder = tmp_path / "out"
    first = release.release(folder, ["01_sample_based_planning", "03_self_attention"], repository=shared.REPOSITORY)
    before = contents(folder)
    assert release.release(folder) == first and contents(folder) == before
    with pytest.raises(ValueError, match="the default"):
        release.release(tmp_path / "new", ["03_self_attention"])


@pytest.mark.slow
def test_what_someone_changed_in_an_earlier_release_is_not_overwritten(tmp_path):
    folder = tmp_path / "out"
    release.release(folder, ["03_self_attention"], repository=shared.REPOSITORY)
    notebook = folder / "notebooks" / "03_self_attention.ipynb"
    notebook.write_text(notebook.read_text() + " ")
    before = contents(folder)
    with pytest.raises(ValueError, match="was changed since"):
        release.release(folder, repository=shared.REPOSITORY)
    notebook.write_bytes(notebook.read_bytes().rstrip(b" "))
    (folder / "notebooks" / "04_multi_head_attention.ipynb").write_text("mine")
    with pytest.raises(ValueError, match="04_multi_head_attention.ipynb is not of the earlier release"):
        release.release(folder, layout.lesson_names(), repository=shared.REPOSITORY)
    assert set(before) <= set(contents(folder))


# --- it works


def test_its_readme_names_its_lessons_and_its_links_lead_somewhere(tmp_path):
    release.release(tmp_path / "out", ["01_sample_based_planning", "03_self_attention"], repository=shared.REPOSITORY)
    text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    links = [part.split(")")[0] for part in text.split("](")[1:]]
    assert all((tmp_path / "out" / link).is_file() for link in links if "://" not in link) and len(links) > 2
    assert text.startswith("# Attention") and "03 · Self-attention" in text and "04 ·" not in text and text.count("\n# ") == 0


def test_what_is_released_imports_only_what_the_first_cell_installs(released):
    """Wherever a notebook is opened: on a machine that has only torch, what comes with it, and Jupyter."""
    there = {
        *sys.stdlib_module_names,
        "torch",
        "numpy",
        "IPython",
        "ipywidgets",
        "utils",
        "autograde",
        "regex",
    }  # regex comes with tiktoken
    commands = {
        released / "autograde" / "cli.py",
        *(released / "autograde" / "commands").glob("*.py"),
    }  # for a terminal: no notebook imports them
    for path in set(released.rglob("*.py")) - commands:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            modules = (
                [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names] if isinstance(node, ast.Import) else []
            )
            for module in modules:
                assert module.split(".")[0] in there | set(NEEDED), f"{path.relative_to(released)} imports {module}"


@pytest.mark.soak
@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.executes(name)) for name in layout.lesson_names()])
def test_every_notebook_works_from_the_release_alone(released, tmp_path, name):
    released = shutil.copytree(released, tmp_path / "course")  # a run writes beside the notebook
    notebook = nbformat.read(released / "notebooks" / f"{name}.ipynb", 4)
    probe = nbformat.v4.new_code_cell("import autograde, utils; print(autograde.__file__, utils.__file__)")
    notebook.cells.append(probe)
    executed = notebooks.execute(notebook, released / "notebooks")
    assert str(released) in executed.cells[-1].outputs[0]["text"]
