"""`make lab` opens the course in JupyterLab."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from autograde import layout

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")


def command(run, options=""):
    return ["make", "--silent", "-o", ".venv/.ready", "lab", f"RUN={run}", f"LAB={options}"]


def test_figures_show_and_formgraders_helpers_are_found(tmp_path):
    fake = tmp_path / "python"
    fake.write_text('#!/bin/sh\n[ "$2" = jupyter ] || exit 0\necho "$@"\necho "backend=[$MPLBACKEND]"\necho "$PATH"\n')
    fake.chmod(0o755)
    environment = {**os.environ, "MPLBACKEND": "agg"}
    said = subprocess.run(command(fake), cwd=layout.ROOT, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[:2] == ["-m jupyter lab notebooks", "backend=[]"] and said[2].startswith(f"{layout.ROOT}/.venv/bin:")


def test_a_home_that_cannot_be_written_to_is_told_in_a_line(tmp_path):
    """JupyterLab ended in a traceback of thirty lines."""
    home = tmp_path / "home"
    home.touch()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    done = subprocess.run(
        command(sys.executable), cwd=layout.ROOT, env={**environment, "HOME": str(home)}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode and done.stdout == "" and "Traceback" not in done.stderr
    assert done.stderr.startswith(f"autograde: JupyterLab keeps files in {home}/") and "set HOME" in done.stderr


@pytest.mark.soak
def test_the_server_offers_the_lessons(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f"--no-browser --allow-root --ip=127.0.0.1 --port={port} --IdentityProvider.token=secret"
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path), "JUPYTER_DATA_DIR": str(tmp_path)}
    lab = subprocess.Popen(
        command(sys.executable, options),
        cwd=layout.ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        names = {entry["name"] for entry in contents(port)["content"]}
    finally:
        os.killpg(lab.pid, signal.SIGKILL)
        lab.wait()
    assert {f"{name}.ipynb" for name in layout.lesson_names()} <= names


def contents(port, seconds=90):
    """What the server's first folder holds, as soon as it answers."""
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/contents?token=secret", timeout=10) as reply:
                return json.load(reply)
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.5)
