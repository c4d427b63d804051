"""`autograde doctor`: each problem is made, found, explained, and has a remedy."""

import collections
import importlib.metadata
import os
import subprocess
import sys
import types

import pytest
from typer.testing import CliRunner

from autograde import doctor, layout
from autograde.checking import pretend_gpu
from autograde.cli import app
from autograde.grader.gradebook import course_dir
from utils import device


def sick(look):
    """The one thing that is not well, as (words, remedy)."""
    (found,) = [finding for finding in look() if not finding.well]
    return found.words, found.remedy


def test_an_old_python(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    monkeypatch.setattr(sys, "version", "3.10.4 (main)")
    words, remedy = sick(doctor.python)
    assert "3.10.4" in words and "3.11" in words and "install Python 3.11" in remedy


def test_outside_the_environment(monkeypatch):
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    words, remedy = sick(doctor.environment)
    assert "the system's own Python" in words and "activate" in remedy


@pytest.mark.parametrize("found, said", [(None, "tiktoken is not installed"), ("0.0.1", "is 0.0.1, the course is tested with")])
def test_a_package_missing_or_of_another_version(found, said, monkeypatch):
    real = importlib.metadata.version

    def version(package):
        if package != "tiktoken":
            return doctor._locked().get(package) or real(package)
        if found is None:
            raise importlib.metadata.PackageNotFoundError(package)
        return found

    monkeypatch.setattr(doctor, "version", version)
    words, remedy = sick(doctor.packages)
    assert words.startswith(said) and "requirements.lock" in remedy


def test_a_python_without_anything_is_told_what_to_do(tmp_path):
    """What `python3 -m autograde doctor` says where .venv is not active: the commands themselves cannot be imported."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(layout.ROOT)}
    python = getattr(sys, "_base_executable", sys.executable)
    hidden = "import sys; sys.modules['typer'] = None; sys.argv[1:] = ['grade', 'x']; import runpy; runpy.run_module('autograde', run_name='__main__')"
    done = subprocess.run(
        [python, "-I", "-c", f"import sys; sys.path.insert(0, {str(layout.ROOT)!r}); {hidden}"],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "typer" in done.stderr and "✗ Environment" in done.stderr and "source .venv/bin/activate" in done.stderr


def fake_torch(ones):
    return types.SimpleNamespace(__version__="2.0", ones=ones)


def test_numpy_of_another_abi(monkeypatch):
    def ones(_):
        raise RuntimeError("Numpy is not available")

    monkeypatch.setitem(sys.modules, "torch", fake_torch(ones))
    words, remedy = sick(doctor.torch)
    assert "NumPy" in words and "Numpy is not available" in words and "pip uninstall -y torch numpy" in remedy


def test_a_driver_that_torch_does_not_see(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", fake_torch(lambda n: types.SimpleNamespace(numpy=lambda: None)))
    monkeypatch.setattr(doctor.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(device.torch.cuda, "is_available", lambda: False)
    words, remedy = sick(doctor.torch)
    assert "sees no GPU" in words and "lessons work without it" in remedy


def test_a_gpu_is_named(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda _: None)
    with pretend_gpu.machine(pretend_gpu.T4):
        (finding,) = doctor.torch()
    assert finding.well and "Tesla T4" in finding.words


def test_two_torches(monkeypatch):
    def copy(place):
        return types.SimpleNamespace(metadata={"Name": "torch"}, locate_file=lambda _: place)

    monkeypatch.setattr(doctor, "distributions", lambda: [copy("/a"), copy("/b")])
    monkeypatch.setattr(doctor.shutil, "which", lambda _: None)
    words, remedy = sick(doctor.torch)
    assert "2 times: /a, /b" in words and "pip uninstall torch" in remedy


def test_the_kernel_of_another_python(monkeypatch, tmp_path):
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(
        '{"argv": ["/elsewhere/bin/python3", "-m", "ipykernel"], "display_name": "x", "language": "python"}'
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    words, remedy = sick(doctor.kernel)
    assert "/elsewhere/bin/python3" in words and sys.executable in words and "ipykernel install" in remedy


def test_lessons_that_are_not_built_or_not_there(monkeypatch, tmp_path):
    monkeypatch.setattr(layout, "NOTEBOOKS", tmp_path)
    words, remedy = sick(doctor.lessons)
    assert words.startswith("0 of ") and str(tmp_path) in words and "build 01" in remedy
    monkeypatch.setattr(layout, "SOLUTIONS", tmp_path / "absent")
    assert "get the course anew" in sick(doctor.lessons)[1]


def test_another_copy_of_the_course(monkeypatch, tmp_path):
    (tmp_path / "autograde").mkdir()
    (tmp_path / "autograde" / "layout.py").touch()
    monkeypatch.chdir(tmp_path)
    words, remedy = sick(doctor.course)
    assert str(tmp_path) in words and str(layout.ROOT) in words and str(tmp_path) in remedy


def test_text_that_is_not_utf8(monkeypatch):
    monkeypatch.setattr(doctor.locale, "getpreferredencoding", lambda _: "cp1252")
    monkeypatch.setattr(
        doctor, "sys", types.SimpleNamespace(flags=types.SimpleNamespace(utf8_mode=0))
    )  # Python sets it where no language is set
    words, remedy = sick(doctor.text)
    assert "cp1252" in words and "PYTHONUTF8=1" in remedy


def test_a_terminal_without_our_signs_is_told_about_them():
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-m", "autograde", "doctor", "--only", "students"],
        cwd=layout.ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr and "x Text: is read as" in done.stdout and "PYTHONUTF8=1" in done.stdout


def test_a_full_disk_and_a_home_that_cannot_be_written(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor.Path, "home", lambda: tmp_path / "absent")
    words, remedy = sick(doctor.disk)
    assert "cannot be written to" in words and "quota" in remedy
    monkeypatch.undo()
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage(9, 9, 0))
    assert sick(doctor.disk)[0].startswith("0.0 GB free")


def test_scripts_that_are_not_on_the_path(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    words, remedy = sick(doctor.search_path)
    assert "alembic" in words and "activate" in remedy


LISTED = """\
    nbgrader.server_extensions.formgrader \x1b[31mdisabled\x1b[0m
    nbgrader.server_extensions.course_list \x1b[32menabled\x1b[0m
"""


def test_nbgraders_extension_switched_off(monkeypatch):
    answer = types.SimpleNamespace(stdout="", stderr=LISTED)
    monkeypatch.setattr(doctor.subprocess, "run", lambda *_, **__: answer)
    words, remedy = sick(doctor.extension)
    assert "no formgrader" in words and remedy.endswith("extension enable --sys-prefix nbgrader.server_extensions.formgrader")


def test_too_few_open_files(monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 4096))
    words, remedy = sick(doctor.open_files)
    assert "256" in words and "ulimit" in remedy


def test_a_machine_without_a_sandbox(monkeypatch):
    from autograde.grader.sandbox import probe

    lack = types.SimpleNamespace(what="user namespaces", reason="they are switched off", remedy="sysctl kernel.unprivileged_userns_clone=1")
    monkeypatch.setattr(
        probe, "support", lambda: types.SimpleNamespace(level="limits", missing=[lack], seccomp=False, landlock=0, groups=())
    )
    found = [finding for finding in doctor.sandbox() if not finding.well]
    assert "limits" in found[0].words and found[-1].words == lack.reason and found[-1].remedy == lack.remedy
    assert len(found) == 9  # and each of the seven promises that nothing keeps there


@pytest.mark.parametrize("line, well", [("", False), (doctor.SAFE_MARKDOWN, True)])
def test_a_course_directory_of_an_earlier_version(tmp_path, monkeypatch, line, well):
    """Its configuration is the instructor's file: we do not write to it, so the doctor says what is missing."""
    monkeypatch.chdir(tmp_path)
    assert list(doctor.course_directory()) == []
    (tmp_path / "nbgrader_config.py").write_text(
        f'c.Autograde.autograde_preprocessors = ["autograde.grader.plugin.GradeInSandbox"]\n{line}\n'
    )
    (found,) = doctor.course_directory()
    assert found.well is well and doctor.SAFE_MARKDOWN in found.remedy and doctor.SAFE_MARKDOWN in course_dir.CONFIG


def test_the_status_says_whether_all_is_well(monkeypatch):
    def well():
        yield doctor.Finding("Thing", True, "is well")

    def ill():
        yield doctor.Finding("Thing", False, "is ill", "do this")

    def broken():
        raise OSError("gone")
        yield

    for looks, status, said in (
        ((well,), 0, "✓ Thing: is well"),
        ((well, ill), 1, "→ do this"),
        ((broken, ill), 1, "could not be looked at (OSError: gone)"),
    ):
        monkeypatch.setattr(doctor, "LOOKS", {"students": looks, "graders": ()})
        result = CliRunner().invoke(app, ["doctor"])
        assert result.exit_code == status and said in result.output
    assert CliRunner().invoke(app, ["doctor", "--only", "cats"]).exit_code == 2
