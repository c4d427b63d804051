"""A JupyterLab server, and the few things that a person does in it."""

from __future__ import annotations

import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
from playwright.sync_api import Locator, Page, expect

from tests.classroom import environment

START_SECONDS, CELL_SECONDS = 60, 120
QUIET = (
    "--no-browser",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port_retries=0",
    "--ServerApp.allow_root=True",
)
# no look for news and updates; every cell is in the page, also those outside of the window, so that a test can find them
SETTINGS = {
    "@jupyterlab/notebook-extension/tracker.jupyterlab-settings": '{"windowingMode": "none", "autosaveInterval": 3600}',
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": '{"fetchNews": "false", "checkForUpdates": false}',
    "@jupyterlab/docmanager-extension/plugin.jupyterlab-settings": '{"autosave": false}',
}


class Lab:
    """JupyterLab of this Python on a free port of this machine, with `root` as its folder and `home` for its settings."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root, self.home, self.token = root, home, secrets.token_hex(16)
        for name, text in SETTINGS.items():
            path = home / "config" / "lab" / "user-settings" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home / "server.log"
        command = [
            sys.executable,
            "-m",
            "jupyter",
            "lab",
            *QUIET,
            f"--ServerApp.port={self.port}",
            f"--IdentityProvider.token={self.token}",
        ]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, cwd=root, env=environment(home), stdout=log, stderr=subprocess.STDOUT)
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/api/status?token={self.token}", timeout=2)
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        self.close()
        raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text()[-3000:]}")

    def address(self, path: str) -> str:
        """Of a page of this server, with the token that opens it."""
        return f"{self.url}/{path}{'&' if '?' in path else '?'}token={self.token}"

    def close(self) -> None:
        """End the server, and with it its kernels."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class NotebookPage:
    """A notebook open in JupyterLab."""

    def __init__(self, page: Page, lab: Lab, path: str) -> None:
        self.page, self.path = page, lab.root / path
        # a workspace of its own, so that no other test's notebook is open beside it
        page.goto(lab.address(f"lab/workspaces/w{secrets.token_hex(4)}/tree/{path}"))
        self.panel = page.locator(".jp-NotebookPanel")
        self.cells = self.panel.locator(".jp-Cell")
        expect(self.cells).to_have_count(len(nbformat.read(self.path, 4).cells), timeout=60_000)
        expect(self.panel.locator(".jp-KernelName")).to_have_text(re.compile("Python 3"), timeout=60_000)
        self.wait_until_idle()

    def wait_until_idle(self) -> None:
        """Until every cell that was asked to run has run."""
        expect(self.panel.locator(".jp-InputArea-prompt", has_text="[*]")).to_have_count(0, timeout=CELL_SECONDS * 1000)
        idle = self.panel.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
        expect(idle).to_be_attached(timeout=CELL_SECONDS * 1000)

    def cell(self, text: str) -> Locator:
        """The code cell that holds this text."""
        return self.panel.locator(".jp-CodeCell").filter(has=self.page.locator(".jp-InputArea-editor", has_text=text)).first

    def output(self, cell: Locator) -> Locator:
        """What a cell shows."""
        return cell.locator(".jp-OutputArea")

    def write(self, cell: Locator, code: str) -> None:
        """Replace a cell's text, as a person does who selects all and pastes."""
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(code)

    def run(self, cell: Locator) -> Locator:
        """Run one cell with the keyboard and give its output."""
        cell.locator(".cm-content").click()
        before = cell.locator(".jp-InputArea-prompt").inner_text()
        self.page.keyboard.press("Control+Enter")
        prompt = cell.locator(".jp-InputArea-prompt")
        expect(prompt).not_to_have_text(before)
        expect(prompt).to_have_text(re.compile(r"\[\d+\]:"), timeout=CELL_SECONDS * 1000)
        self.wait_until_idle()
        return self.output(cell)

    def answer_in_words(self, text: str) -> Locator:
        """Write the answer to the question that a person grades, and give it as it is rendered."""
        cells = self.panel.locator(".jp-MarkdownCell")
        cell = cells.nth(cells.evaluate_all("all => all.findIndex(cell => cell.textContent.includes('YOUR ANSWER HERE'))"))
        cell.locator(".jp-RenderedMarkdown").dblclick()
        self.write(cell, text)
        self.page.keyboard.press("Control+Enter")
        expect(cell.locator(".jp-RenderedMarkdown")).to_be_visible()
        return cell.locator(".jp-RenderedMarkdown")

    def run_above(self, cell: Locator) -> None:
        """Run every cell above this one, by the menu."""
        cell.locator(".cm-content").click()
        self.choose("Run", "Run All Above Selected Cell")
        self.wait_until_idle()

    def choose(self, *names: str) -> None:
        """Click through the menu bar."""
        self.page.locator(".lm-MenuBar-item", has_text=re.compile(f"^{re.escape(names[0])}$")).click()
        for name in names[1:]:
            self.page.locator(
                ".lm-Menu-item", has=self.page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{re.escape(name)}$"))
            ).click()

    def save(self) -> None:
        """Save with the keyboard, and wait until the file is written."""
        before = self.path.stat().st_mtime_ns
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+s")
        end = time.monotonic() + 10
        while self.path.stat().st_mtime_ns == before and time.monotonic() < end:
            self.page.wait_for_timeout(50)
        assert self.path.stat().st_mtime_ns != before, "the notebook was not saved"
