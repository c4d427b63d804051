"""The first two cells of a notebook: where they find the course, and what they say when they cannot."""

import base64
import http.server
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import nbformat
import pytest
from markdown_it import MarkdownIt
from nbconvert.filters import markdown2html

from autograde.authoring import bootstrap


@pytest.fixture
def setting(tmp_path, monkeypatch):
    """setting(address): as if pyproject.toml named it."""

    def setting(address):
        (tmp_path / "settings").mkdir()
        (tmp_path / "settings" / "pyproject.toml").write_text(f'[tool.course]\nrepository = "{address}"\n')
        monkeypatch.setattr(bootstrap, "ROOT", tmp_path / "settings")

    return setting


def stub(folder):
    """As much of a course as the first cell looks for."""
    for name, code in {
        "utils/setup.py": "def get_ready():\n    print('Ready', __file__)\n",
        "autograde/__init__.py": "",
        "autograde/notebook.py": "",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(code)
    return folder


def start(folder, before="", after="", **environment):
    """The first cell in a bare Python that has no course, in `folder`."""
    code = f"{before}\n{bootstrap.bootstrap_cell().source}\n{after}"
    lost = ("JPY_SESSION_NAME", "PYTHONPATH", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    env = {key: value for key, value in os.environ.items() if key not in lost}
    return subprocess.Popen(
        [sys.executable, "-S", "-c", code], cwd=folder, env=env | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )  # fmt: skip


def run(folder, *code, **environment):
    """What the cell prints, and the sentence it ends with when it fails."""
    process = start(folder, *code, **environment)
    out, err = process.communicate(timeout=60)
    return out.strip(), err.strip().splitlines()[-1] if process.returncode else ""


@pytest.fixture
def empty(tmp_path):
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def test_around_the_notebook(tmp_path):
    course = stub(tmp_path / "course with a space")
    (course / "notebooks" / "deep").mkdir(parents=True)
    for folder in (course, course / "notebooks", course / "notebooks" / "deep", tmp_path):
        if folder == tmp_path:
            course = course.rename(tmp_path / "course")  # beside the notebook, as it is fetched
        assert run(folder) == (f"Ready {course / 'utils' / 'setup.py'}", "")


def test_where_jupyterlab_and_vs_code_say_that_the_notebook_lies(tmp_path, empty):
    course = stub(tmp_path / "there")
    notebook = course / "notebooks" / "03_self_attention.ipynb"
    expected = (f"Ready {course / 'utils' / 'setup.py'}", "")
    assert run(empty, JPY_SESSION_NAME=str(notebook)) == expected
    assert run(empty, f"__vsc_ipynb_file__ = {str(notebook)!r}") == expected


def test_installed(tmp_path, empty):
    course = stub(tmp_path / "installed")
    assert run(empty, PYTHONPATH=str(course)) == (f"Ready {course / 'utils' / 'setup.py'}", "")


def test_another_project_is_not_taken_for_the_course(tmp_path, setting):
    setting((tmp_path / "nowhere").as_uri())
    other = tmp_path / "other"
    for name in ("utils/plots.py", "utils/setup.py", "autograde/__init__.py"):
        (other / name).parent.mkdir(parents=True, exist_ok=True)
        (other / name).write_text("")
    assert "could not be fetched" in run(other)[1]


def test_fetched_once_into_an_empty_folder(tmp_path, empty, publish, setting):
    source = stub(tmp_path / "source")
    setting(publish(source))
    expected = (f"Ready {empty / 'course' / 'utils' / 'setup.py'}", "")
    assert run(empty) == expected
    assert [path.name for path in empty.iterdir()] == ["course"]
    source.rename(tmp_path / "gone")
    assert run(empty) == expected


def said(problem):
    """The error's sentence, which must be short and end with what to do."""
    assert problem.startswith("RuntimeError: ") and problem.endswith(". Then run this cell again.") and len(problem) < 400
    return problem


def test_without_git(empty, setting):
    setting("https://example.org/course.git")
    assert re.search(
        "git.* is not installed: install it, or download the course from https://example.org/course.git", said(run(empty, PATH="")[1])
    )


def test_half_of_a_course(empty, git, setting):
    setting("https://example.org/course.git")
    (empty / "course").mkdir()
    git(empty / "course", "init", "--quiet")  # what an interrupted `git clone` leaves
    assert f"{empty / 'course'} is not the whole course (an interrupted download?): delete or rename it" in said(run(empty)[1])


def test_without_a_network(empty, git, setting):
    setting("http://127.0.0.1:9/course.git")
    assert "http://127.0.0.1:9/course.git cannot be reached: look at your network" in said(run(empty)[1])
    assert list(empty.iterdir()) == []


def test_an_address_without_a_course(tmp_path, empty, publish, setting):
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "README.md").write_text("Something else.")
    setting(publish(tmp_path / "else"))
    assert "(what it fetched is not the course): ask your instructor" in said(run(empty)[1])
    assert list(empty.iterdir()) == []


@contextmanager
def server(answer):
    """A web server that answers every request by `answer(handler)`; gives its address."""
    handler = type("Handler", (http.server.BaseHTTPRequestHandler,), {"do_GET": answer, "log_message": lambda *_: None})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        web.daemon_threads = True
        threading.Thread(target=web.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{web.server_port}/course.git"
        web.shutdown()


def ask_for_a_password(handler):
    """As GitHub answers for a private repository, and for one that does not exist."""
    handler.send_response(401)
    handler.send_header("WWW-Authenticate", 'Basic realm="GitHub"')
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def test_a_private_repository(empty, git, setting):
    with server(ask_for_a_password) as address:
        setting(address)
        assert re.search(r"could not be fetched from .*\(fatal: .*\): ask your instructor whether it is public", said(run(empty)[1]))


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL], ids=["stopped", "killed"])
def test_interrupted_it_leaves_nothing_that_counts_as_a_course(tmp_path, empty, publish, setting, end):
    asked = threading.Event()
    with server(lambda handler: (asked.set(), time.sleep(5))) as address:
        setting(address)
        process = start(empty)
        assert asked.wait(20)
        os.killpg(process.pid, end)
        process.communicate(timeout=20)
    assert [path for path in empty.iterdir() if end == signal.SIGINT or not path.name.startswith(".course-")] == []
    source = stub(tmp_path / "source")
    (tmp_path / "settings" / "pyproject.toml").write_text(f'[tool.course]\nrepository = "{publish(source)}"\n')
    assert run(empty) == (f"Ready {empty / 'course' / 'utils' / 'setup.py'}", "")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no folder here that even root cannot write to")
def test_a_folder_that_cannot_be_written_to(git, setting):
    setting("https://example.org/course.git")
    assert re.search(r"/proc cannot be written to \(.*\): move this notebook to a folder of your own", said(run("/proc")[1]))


def test_no_name_is_left_that_an_answer_could_come_to_rely_on(tmp_path):
    course = stub(tmp_path / "course")
    before, after = "before = set(globals())", "print(sorted(set(globals()) - before - {'before'}))"
    assert run(course, before, after)[0].splitlines()[-1] == "['fetch_course', 'find_course', 'get_ready']"


def test_the_badge(setting):
    setting("https://github.com/ann/attention.course.git")
    cell = bootstrap.badge_cell("03_self_attention")
    alternative, picture, address = re.fullmatch(r"\[!\[(.*?)\]\(data:image/png;base64,(.*?)\)\]\((.*)\)", cell.source).groups()
    assert alternative == "Open in Colab" and base64.b64decode(picture).startswith(b"\x89PNG") and len(picture) < 1500
    assert address == "https://colab.research.google.com/github/ann/attention.course/blob/main/notebooks/03_self_attention.ipynb"


@pytest.mark.parametrize("render", [MarkdownIt().render, markdown2html], ids=["as VS Code and Colab do", "as nbconvert and GitHub do"])
def test_the_badge_is_a_picture_in_a_link(setting, render):
    """What renders Markdown takes pictures from data addresses in few formats, SVG not among them."""
    setting("https://github.com/ann/course.git")
    page = render(bootstrap.badge_cell("03_self_attention").source)
    assert re.search(
        r'<a href="https://colab\.research\.google\.com/[^"]*"><img src="data:image/png;base64,[^"]*" alt="Open in Colab"', page
    )


@pytest.mark.parametrize("address", ["https://gitlab.example.org/ann/course.git", "file:///srv/course", "git@github.com:ann/course.git"])
def test_where_colab_cannot_open_the_repository_words_say_what_to_do(setting, address):
    setting(address)
    assert "Upload notebook" in bootstrap.badge_cell("03_self_attention").source


def test_the_cell_is_valid():
    cell = bootstrap.bootstrap_cell()
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))
    compile(cell.source, "cell", "exec")
