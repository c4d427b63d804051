"""A wheel holds every file of the package: templates, pictures, scripts and manifests too."""

import subprocess
import sys
import zipfile

from autograde.layout import PACKAGE, ROOT


def test_a_wheel_holds_every_file_of_the_package(tmp_path):
    build = f"from setuptools import build_meta; print(build_meta.build_wheel({str(tmp_path)!r}))"
    # in a copy, since setuptools leaves folders where it builds
    copy = tmp_path / "course"
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "autograde", "utils", "pyproject.toml", "README.md", "LICENSE"],
                            cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()  # fmt: skip
    for name in listed:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((ROOT / name).read_bytes())
    done = subprocess.run([sys.executable, "-c", build], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    with zipfile.ZipFile(tmp_path / done.stdout.splitlines()[-1]) as wheel:
        inside = set(wheel.namelist())
    assert {name for name in listed if name.startswith(f"{PACKAGE.name}/")} <= inside
