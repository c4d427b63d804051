"""Scripts beside a notebook, in every way in which its cells may load them: what is taken along, and what the cells then find."""

import builtins
import io
import os
import sys

import IPython
import nbformat
import pytest
from IPython.core import getipython
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from rich.console import Console

from autograde.grader.ingest import helpers
from autograde.grader.ingest.collect import collected
from autograde.grader.worker import written_files
from autograde.grader.worker.cell_runner import Cells
from tests.grader.ingest.situations.table import LESSON, NAME, NOTEBOOK

OWN = "def own(f):\n    return f\n"
WAYS = {  # cells, below which `own` is there
    "helper.py": {
        "import": "from helper import own",
        "star": "from helper import *",
        "a folder on the path": "import sys\nsys.path.insert(0, './')\nfrom helper import own",
        "a drive": "import sys\nsys.path.append('/content/drive/MyDrive/course')\nfrom helper import own",
        "autoreload": "%load_ext autoreload\n%autoreload 2\nimport helper\nown = helper.own",
        "reload": "import importlib\nimport helper\nown = importlib.reload(helper).own",
        "import_module": "import importlib\nown = importlib.import_module('helper').own",
        "__import__": "own = __import__('helper').own",
        "a spec": "import importlib.util as u\nspec = u.spec_from_file_location('mine', 'helper.py')\nmine = u.module_from_spec(spec)\n"
        "spec.loader.exec_module(mine)\nown = mine.own",
        "a loader": "from importlib.machinery import SourceFileLoader\nown = SourceFileLoader('mine', 'helper.py').load_module().own",
        "run_path": "import runpy\nown = runpy.run_path('helper.py')['own']",
        "run_module": "import runpy\nown = runpy.run_module('helper')['own']",
        "open": "exec(open('helper.py').read())",
        "open, its encoding named": "exec(open('./helper.py', encoding='utf-8').read())",
        "open, as bytes": "exec(open('helper.py', 'rb').read())",
        "open, compiled": "exec(compile(open('helper.py').read(), 'helper.py', 'exec'))",
        "with": "with open('helper.py') as f:\n    exec(f.read())",
        "codecs": "import codecs\nexec(codecs.open('helper.py', 'r', 'utf-8').read())",
        "io": "import io\nexec(io.open('helper.py').read())",
        "pathlib": "from pathlib import Path\nexec(Path('helper.py').read_text())",
        "pathlib, opened": "from pathlib import Path\nwith Path('helper.py').open() as f:\n    exec(f.read())",
        "where it is there": "import os\nif not os.path.exists('helper.py'):\n    raise FileNotFoundError('helper.py')\nfrom helper import own",
        "another machine's path": "exec(open(r'C:\\Users\\ann\\helper.py').read())",
        "run": "%run helper.py",
        "run, by hand": "get_ipython().run_line_magic('run', '-i helper.py')",
        "run, in an old way": "get_ipython().magic('run helper.py')",
        "run, in another folder": "%run ../lab/helper.py",
    },
    "my helper.py": {"run, with a blank": '%run "my helper.py"'},
    "my-helper.py": {"a name that is none": "import importlib\nown = importlib.import_module('my-helper').own"},
    "src/helper.py": {
        "import": "from src.helper import own",
        "above": "import sys\nsys.path.append('..')\nfrom src.helper import own",
        "import_module": "import importlib\nown = importlib.import_module('src.helper').own",
        "on the path": "import sys, os\nsys.path.append(os.path.join(os.getcwd(), 'src'))\nfrom helper import own",
        "on the path, by pathlib": "import sys\nfrom pathlib import Path\nsys.path.insert(0, str(Path.cwd() / 'src'))\nfrom helper import own",
        "on the path, by site": "import site\nsite.addsitedir('src')\nfrom helper import own",
        "a path of Windows": "import sys\nsys.path.append(r'C:\\Users\\ann\\src')\nfrom helper import own",
        "cd": "%cd src\nfrom helper import own",
        "chdir": "import os\nos.chdir('src')\nfrom helper import own",
        "copied": "!cp src/helper.py .\nfrom helper import own",
        "a spec": "import importlib.util as u, sys\nspec = u.spec_from_file_location('mine', 'src/helper.py')\nmine = u.module_from_spec(spec)\n"
        "sys.modules['mine'] = mine\nspec.loader.exec_module(mine)\nfrom mine import own",
        "run, without its ending": "%run src/helper",
    },
}
CASES = [(file, cell) for file, ways in WAYS.items() for cell in ways.values()]


@pytest.fixture
def as_it_was(tmp_path, monkeypatch):
    """What a worker changes in its own process stays in this test."""
    before = dict(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    for module, name in (
        (builtins, "open"),
        (io, "open"),
        (io, "open_code"),
        (written_files._io, "open"),
        (written_files._io, "open_code"),
        (IPython, "get_ipython"),
        (getipython, "get_ipython"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))
    monkeypatch.setattr(os, "stat", os.stat)
    (tmp_path / "empty").mkdir()
    yield
    for name in set(sys.modules) - set(before):
        del sys.modules[name]
    sys.modules.update(before)


def run(folder, monkeypatch, *cells, **beside):
    """The globals after the cells of a notebook beside which these files lie, where only what is taken along is there."""
    (folder / "nb.ipynb").write_text(nbformat.writes(new_notebook(cells=[new_code_cell(cell) for cell in cells])), encoding="utf-8")
    for name, text in beside.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    found = helpers.texts(folder, helpers.beside(folder, "nb.ipynb"))
    monkeypatch.chdir(folder / "empty")
    own = Cells()
    own.files.update(found)
    for number, cell in enumerate(cells):
        try:
            own.run(str(number), cell)
        except OSError:  # as where a folder is not there: the rest of the cell has run
            pass
    return own.namespace


@pytest.mark.parametrize(("file", "cell"), CASES, ids=[f"{file}: {way}" for file, ways in WAYS.items() for way in ways])
def test_a_script_is_loaded_in_any_way(file, cell, tmp_path, monkeypatch, as_it_was):
    assert run(tmp_path, monkeypatch, cell, **{file: OWN})["own"](1) == 1


def test_what_is_not_there_is_not(tmp_path, monkeypatch, as_it_was):
    cell = "import os\nthere = [os.path.exists(name) for name in ('helper.py', 'other.py', 'elper.py')]\n"
    assert run(tmp_path, monkeypatch, cell, **{"helper.py": OWN})["there"] == [True, False, False]
    for name, mode in (("other.py", "r"), ("helper.py", "r+")):
        with pytest.raises(FileNotFoundError):
            open(name, mode)


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("helper.py", "helper.py"), ("./helper.py", "helper.py"), ("/content/src/helper.py", "src/helper.py"), ("../a/helper.py", "a/helper.py"),
        ("deep.py", "a/deep.py"), ("twice.py", ""), ("x.py", ""), ("", ""), ("elper.py", ""),
    ],
)  # fmt: skip
def test_which_file_a_path_means(path, file):
    files = ["helper.py", "src/helper.py", "a/helper.py", "a/deep.py", "a/twice.py", "b/twice.py"]
    assert written_files.found(dict.fromkeys(files, ""), path) == file


LAYOUTS = {  # a project's folders, and what lies beside the notebook when it is graded
    "notebooks beside src": ({"ann/notebooks/{}": ".. src.helper", "ann/src/helper.py": OWN}, ["src/helper.py"]),
    "notebooks below scripts": ({"ann/Notebooks/{}": "..", "ann/helper.py": OWN}, ["helper.py"]),
    "a folder that nothing names": ({"ann/notebooks/{}": "", "ann/src/helper.py": OWN}, []),
    "another student's": ({"ann/notebooks/{}": ".. src.helper", "bo/{}": "", "bo/src/helper.py": OWN, "src/helper.py": OWN}, []),
    "no folder of notebooks": ({"ann/hw3/{}": ".. src.helper", "ann/src/helper.py": OWN}, []),
}


@pytest.mark.parametrize(("files", "beside"), LAYOUTS.values(), ids=LAYOUTS)
def test_scripts_of_a_project_lie_beside_its_folder_of_notebooks(files, beside, tmp_path):
    for name, text in files.items():
        path = tmp_path / "class" / name.format(NAME)
        path.parent.mkdir(parents=True, exist_ok=True)
        cell = f"import sys\nsys.path.append('..')\nfrom {text.split()[-1]} import own" if text.startswith("..") else ""
        own = NotebookNode({**NOTEBOOK, "cells": [*NOTEBOOK.cells, new_code_cell(cell)]})
        path.write_text(text if name.endswith(".py") else nbformat.writes(own), encoding="utf-8")
    found, _ = collected([tmp_path / "class"], LESSON, tmp_path / "out", Console(quiet=True))
    ann = next(one for one in found if one.student == "ann")
    assert [helpers.named(ann.path.parent, path) for path in helpers.beside(ann.path.parent, ann.path.name)] == beside
