"""Install the course and show how far it is. `make` runs this file when nothing but Python is there: it imports nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque

EVERY = 30  # seconds between lines where no terminal shows a line that changes
SHOWN_AT_A_FAILURE = 25  # of pip's last lines
ASIDE = r"\s*(?:WARNING|DEPRECATION|Attempting uninstall|Found existing|Uninstalling|Successfully uninstalled|\[notice\]|$)"
CAUSES = (  # what pip says somewhere above its last line, which is often another; the first that is found
    (r"ProxyError|connect to proxy|Tunnel connection failed", "A proxy refuses. Look at the settings: `env | grep -i proxy`."),
    (r"CERTIFICATE_VERIFY_FAILED", "The package index is not trusted. Is this machine's clock right? Behind a company's network set PIP_CERT to its certificate."),
    (r"No space left|Disk quota exceeded", "The disk is full. Setting up takes 3 GB, with PyTorch for GPUs 8 GB; TMPDIR names a folder for what pip unpacks."),
    (
        r"NewConnectionError|NameResolution|name resolution|Connection refused|timed out|Network is unreachable",
        "The package index was not reached. Look at the network, and at PIP_INDEX_URL if it is set: `python3 -m pip config list`.",
    ),
)  # fmt: skip


def install(arguments: list[str], shown=sys.stdout) -> int:
    """`pip install` with these arguments; its own words are shown whole where it fails."""
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", *arguments]
    said: deque[str] = deque(maxlen=SHOWN_AT_A_FAILURE)
    begun = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace") as pip:
        reader = threading.Thread(target=lambda: said.extend(pip.stdout or ()), daemon=True)
        reader.start()
        while pip.poll() is None:
            _tell(int(time.monotonic() - begun), _doing(list(said)), shown)
            time.sleep(1)
        reader.join()
    if shown.isatty():
        shown.write("\r\033[K")
    if pip.returncode:
        shown.write("".join(said) + _cause("".join(said)))
    return pip.returncode


def _doing(said: list[str]) -> str:
    """What pip is at: not what it warns of or has put aside, and of its longest step, in which it says nothing more, how many packages it takes."""
    line = next((line.strip() for line in reversed(said) if not re.match(ASIDE, line)), "")
    if found := re.match(r"Installing collected packages: (.*)", line):
        return f"installing {found[1].count(',') + 1} packages, the last step"
    return line


def _cause(said: str) -> str:
    """The likeliest cause in plain words, below what pip says, and what to do then."""
    found = next((told for signs, told in CAUSES if re.search(signs, said)), "")
    return f"\n{found} Then type the same command again.\n" if found else ""


def _tell(seconds: int, words: str, shown) -> None:
    line = f"  {seconds:3} s  {words}"
    if shown.isatty():
        shown.write("\r\033[K" + line[: shutil.get_terminal_size().columns - 1])
    elif seconds and seconds % EVERY == 0:
        shown.write(line[:100] + "\n")
    shown.flush()


if __name__ == "__main__":
    sys.exit(install(sys.argv[1:]))
