"""Install the course and show how far it is. `make` runs this file when nothing but Python is there: it imports nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections import deque

EVERY = 30  # seconds between lines where no terminal shows a line that changes
SHOWN_AT_A_FAILURE = 25  # of pip's last lines


def install(arguments: list[str], shown=sys.stdout) -> int:
    """`pip install` with these arguments; its own words are shown whole where it fails."""
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", *arguments]
    said: deque[str] = deque(maxlen=SHOWN_AT_A_FAILURE)
    begun = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace") as pip:
        reader = threading.Thread(target=lambda: said.extend(pip.stdout or ()), daemon=True)
        reader.start()
        while pip.poll() is None:
            _tell(int(time.monotonic() - begun), said[-1].strip() if said else "", shown)
            time.sleep(1)
        reader.join()
    if shown.isatty():
        shown.write("\r\033[K")
    if pip.returncode:
        shown.write("".join(said))
    return pip.returncode


def _tell(seconds: int, words: str, shown) -> None:
    line = f"  {seconds:3} s  {words}"
    if shown.isatty():
        shown.write("\r\033[K" + line[: shutil.get_terminal_size().columns - 1])
    elif seconds and seconds % EVERY == 0:
        shown.write(line[:100] + "\n")
    shown.flush()


if __name__ == "__main__":
    sys.exit(install(sys.argv[1:]))
