"""One headless Chromium for the folder; a page watches for errors and for requests that leave this machine."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from urllib.parse import urlparse

import pytest

from tests import shared

sync_api = pytest.importorskip("playwright.sync_api", reason="these tests need Playwright: pip install -e '.[browser]'")

from tests.browser.lab import Lab  # noqa: E402  (it needs Playwright)

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
)  # fmt: skip
HERE = "127.0.0.1"
TIMEOUT_MS = 60_000  # for whatever a page has to show; a busy machine of two cores is slow, and to wait is better than to fail


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything that starts a browser or a server takes long."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.soak)
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def browser():
    """The machine's own Chromium."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.skip("no Chromium found: install one (Debian: apt-get install chromium; or Google Chrome), nothing else is downloaded")
    with sync_api.sync_playwright() as playwright:
        sync_api.expect.set_options(timeout=TIMEOUT_MS)
        chromium = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Where screenshots are kept: tests/browser/artefacts, or the folder that BROWSER_ARTEFACTS names."""
    folder = Path(os.environ.get("BROWSER_ARTEFACTS") or Path(__file__).parent / "artefacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Watched:
    """A page, what its console complained about, and which other hosts it asked for something."""

    def __init__(self, page, artefacts: Path) -> None:
        self.page, self._artefacts = page, artefacts
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console", lambda message: message.type == "error" and self.complaints.append(f"{message.text} ({message.location.get('url')})")
        )
        page.on("request", lambda request: self.hosts.add(urlparse(request.url).hostname or HERE))

    def shot(self, name: str, of=None) -> Path:
        """Keep a picture of the page, or of one element."""
        path = self._artefacts / f"{name}.png"
        (of or self.page).screenshot(path=path)
        return path

    def assert_quiet(self) -> None:
        """No error in the console, and nothing was asked of another machine."""
        assert self.complaints == []
        assert self.hosts <= {HERE}


@pytest.fixture
def watch(browser, artefacts, request):
    """watch(width=1280, …) → a fresh browser window; a test that fails leaves a picture of it."""
    opened: list[Watched] = []

    def watch(width: int = 1280, height: int = 900, **options) -> Watched:
        context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True, **options)
        context.set_default_timeout(TIMEOUT_MS)
        opened.append(Watched(context.new_page(), artefacts))
        return opened[-1]

    yield watch
    for i, watched in enumerate(opened):
        if getattr(request.node, "failed", False):
            watched.shot(f"failed-{re.sub(r'[^0-9A-Za-z_.]+', '-', request.node.name)}-{i}")
        watched.page.context.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """Tell the fixtures of a test that it failed."""
    report = (yield).get_result()
    if report.when == "call":
        item.failed = report.failed


@pytest.fixture(scope="session")
def released(tmp_path_factory) -> Path:
    """The course as students get it."""
    return Path(shutil.copytree(shared.released_course(tmp_path_factory), tmp_path_factory.mktemp("student") / "course"))


@pytest.fixture(scope="session")
def lab(browser, released, tmp_path_factory):
    """JupyterLab in the students' course; every test opens a notebook of its own there."""
    lab = Lab(released, tmp_path_factory.mktemp("home"))
    yield lab
    lab.close()
