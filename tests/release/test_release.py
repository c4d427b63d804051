"""What students get holds no answer, and works alone."""

import ast
import io
import json
import sys
import textwrap
import tokenize
from functools import cache

import pytest

from autograde import layout, release
from autograde.build import notebooks, source
from utils.setup import NEEDED

WINDOW = 18  # tokens in a row that no release may share with an answer


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release") / "course"
    release.release(folder)
    return folder


def tokens(code):
    """The code as tokens, without comments and layout, so that reformatting hides nothing."""
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type in (tokenize.NAME, tokenize.NUMBER, tokenize.OP, tokenize.STRING):
                found.append(token.string)
    except (tokenize.TokenError, IndentationError):
        pass
    return found


@cache
def windows_of(path):
    """Every run of tokens in a file; read once for all lessons."""
    return frozenset().union(*(windows(tokens(text)) for text in texts(path)))


def windows(listed):
    return {tuple(listed[i : i + WINDOW]) for i in range(len(listed) - WINDOW + 1)}


def secrets(name):
    """Runs of tokens inside solution marks, of hidden tests, and of misconceptions."""
    for cell in source.read(layout.source_path(name)).cells:
        for part in cell.source.split(source.BEGIN)[1:]:
            yield from windows(tokens(_dedent(part.split(source.END)[0])))


def _dedent(text):
    return textwrap.dedent(text.strip("\n"))


def texts(path):
    """Every piece of code in a file: of a notebook its cells, outputs and metadata too."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".ipynb":
        return [s for s in _strings(json.loads(text))] + ["".join(c["source"]) for c in json.loads(text)["cells"]]
    return [text]


def _strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


@pytest.mark.parametrize("name", layout.lesson_names())
def test_no_answer_is_released(released, name):
    given = set()
    for cell in source.read(layout.source_path(name)).cells:
        if not cell.exercise:
            given |= windows(tokens(cell.source))
    wanted = set(secrets(name)) - given
    for path in released.rglob("*"):
        # the public checks hold oracles, which say in PyTorch's words what is right; students have them by design
        if path.is_file() and path.suffix in (".py", ".ipynb", ".json", ".md") and "checks" not in path.parts:
            shared = wanted & windows_of(path)
            assert not shared, f"{path.relative_to(released)} shares with an answer: {' '.join(min(shared))}"


def test_no_hidden_test_and_no_misconception_is_released(released):
    public = "".join(path.read_text(encoding="utf-8") for path in layout.CHECKS.glob("*.py"))
    for folder in (layout.HIDDEN, layout.MISCONCEPTIONS):
        for secret in folder.glob("*.py"):
            names = {line.split("(")[0].removeprefix("def ") for line in secret.read_text().splitlines() if line.startswith("def ")}
            own = {n for n in names if n not in public and len(n) > 14}
            for path in released.rglob("*.py"):
                assert sorted(own & set(tokens(path.read_text(encoding="utf-8")))) == []
    assert not list(released.rglob("*hidden*")) and not list(released.rglob("*misconception*")) and not (released / "solutions").exists()


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


@pytest.mark.slow
@pytest.mark.parametrize("name", layout.lesson_names())
def test_every_notebook_works_from_the_release_alone(released, name, monkeypatch):
    import nbformat

    notebook = nbformat.read(released / "notebooks" / f"{name}.ipynb", 4)
    probe = nbformat.v4.new_code_cell("import autograde, utils; print(autograde.__file__, utils.__file__)")
    notebook.cells.append(probe)
    executed = notebooks.execute(notebook, released / "notebooks")
    assert str(released) in executed.cells[-1].outputs[0]["text"]
