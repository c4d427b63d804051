"""The conda file makes the same environment as `make`: its pip section installs, by the one lock file."""

import io
import re
import shutil
import subprocess
import sys
from importlib.metadata import distributions

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from autograde.authoring import set_up
from autograde.layout import ROOT

OLDEST = "3.11.0"  # the guides promise 3.11; Debian 12 has 3.11.2


def pip_section():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    return next(entry["pip"] for entry in listed if isinstance(entry, dict))


def test_the_lock_file_is_what_both_install_by():
    assert pip_section() == ["-c requirements.lock", "-e ."]
    assert "-c requirements.lock -e ." in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "torch==2.13.0" in (ROOT / "requirements.lock").read_text(encoding="utf-8").split()


def test_an_hour_of_fuzzing_is_not_taken_for_a_test_that_hangs():
    """pytest ends a run in which one test takes longer than pyproject.toml says, and a fuzzer is one test."""
    rule = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nfuzz:")[2].partition("\n\n")[0]
    assert "-o faulthandler_timeout=$$(($(FUZZ_SECONDS) * 10" in rule


def test_every_locked_version_installs_on_the_oldest_python_that_the_guides_name():
    locked = set(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(encoding="utf-8").casefold(), re.MULTILINE))
    wants = {(d.metadata["Name"].casefold(), d.version.split("+")[0]): d.metadata.get("Requires-Python") for d in distributions()}
    newer = {name: python for name, python in wants.items() if name in locked and python and OLDEST not in SpecifierSet(python)}
    assert newer == {}, f"`make lock` took what {OLDEST} cannot install: write an older version into requirements.lock"
    assert len(locked & set(wants)) > 100


def test_setting_up_shows_how_far_it_is_and_why_it_failed(tmp_path):
    """It was silent for minutes. `make` runs it by a Python without any package."""
    terminal = Terminal()
    assert set_up.install(["--no-index", "no-such-package"], terminal) == 1
    assert "0 s" in terminal.getvalue() and "No matching distribution found for no-such-package" in terminal.getvalue()
    done = subprocess.run([sys.executable, "-I", "-S", set_up.__file__, "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "setting, told",
    [({"HTTPS_PROXY": "http://127.0.0.1:9"}, "A proxy refuses."), ({"NO_PROXY": "*"}, "The package index was not reached.")],
)
def test_a_network_that_refuses_is_named_below_what_pip_says(monkeypatch, setting, told):
    """pip's own last line was `No matching distribution found`."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": "", "PIP_RETRIES": "1", **setting}.items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    assert set_up.install(["--index-url", "https://127.0.0.1:9/simple", "no-such-package"], terminal) == 1
    assert terminal.getvalue().splitlines()[-1].startswith(told) and "No matching distribution" in terminal.getvalue()


def test_other_causes_of_a_failure_are_named():
    assert "clock" in set_up._cause("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))")
    assert "disk is full" in set_up._cause("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device")
    assert set_up._cause("ERROR: No matching distribution found for no-such-package") == ""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.soak
def test_the_pip_section_installs(tmp_path):
    for name in ("environment.yml", "pyproject.toml", "requirements.lock", "README.md", "LICENSE", "autograde", "utils"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    # conda hands pip the section as a requirements file beside environment.yml
    (tmp_path / "condaenv.txt").write_text("\n".join(pip_section()))
    run(sys.executable, "-m", "venv", tmp_path / "env", cwd=tmp_path)
    python = tmp_path / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "-r", "condaenv.txt", cwd=tmp_path)
    run(python, "-c", "import torch, nbgrader, jupyterlab, tiktoken, autograde.cli, utils.plots", cwd=tmp_path / "env")


def run(*command, cwd):
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_what_pip_is_at_is_told_and_not_what_it_warns_of_or_puts_aside():
    """For a minute `make demo` said "Successfully uninstalled setuptools", as if it went back."""
    said = ["Collecting torch", "WARNING: Location x is ignored"]
    assert set_up._doing(said) == "Collecting torch"
    said += ["Installing collected packages: a, b, c", "  Attempting uninstall: a", "    Successfully uninstalled a-1.0"]
    assert set_up._doing(said) == "installing 3 packages, the last step" and set_up._doing([]) == ""
