"""Takes the pictures of the README from the product itself: `python docs/pictures.py`, with the browser extra and a Chromium.

What a check says to a wrong answer comes from the report that a notebook shows; the class page from the sample class of `make demo`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, sync_playwright  # noqa: E402
from rich.console import Console  # noqa: E402

from autograde.authoring.sample_class import LESSON, sample_class  # noqa: E402
from autograde.checking.lesson import load_lesson  # noqa: E402
from autograde.checking.report import Report  # noqa: E402
from autograde.checking.scoring import examine  # noqa: E402
from autograde.checking.student import LocalStudent  # noqa: E402
from autograde.grader.batch.class_run import grade_class  # noqa: E402
from autograde.grader.sandbox.modes import Mode  # noqa: E402

IMAGES = Path(__file__).with_name("images")
FRAME = '<body style="margin:16px;font:14px system-ui,sans-serif;width:640px"><pre style="background:#f5f5f5;padding:8px">{code}</pre>{report}</body>'
WRONG = "def attention_scores(q, k):\n    return q @ k.transpose(-1, -2)\n\ncheck(attention_scores)"


def main() -> None:
    """Write both pictures."""
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        _picture_of_a_check(browser)
        _picture_of_a_class(browser, Path(folder))
        browser.close()


def _picture_of_a_check(browser: Browser) -> None:
    lesson = load_lesson(LESSON)
    answers: dict[str, object] = {}
    exec(WRONG.rsplit("\n", 1)[0], answers)
    result = examine(lesson, lesson.exercises["attention_scores"], LocalStudent(answers))
    page = browser.new_page(viewport={"width": 680, "height": 100}, device_scale_factor=2)
    page.set_content(FRAME.format(code=WRONG, report=Report(result)._repr_html_()))
    page.screenshot(path=IMAGES / "check.png", full_page=True)


def _picture_of_a_class(browser: Browser, folder: Path) -> None:
    sample_class(folder / "class")
    grade_class([folder / "class"], LESSON, folder / "out", None, None, Mode.AUTO, Console(quiet=True))
    page = browser.new_page(viewport={"width": 1100, "height": 1000}, device_scale_factor=1)
    page.goto((folder / "out" / "class.html").as_uri())
    page.screenshot(path=IMAGES / "class.png")


if __name__ == "__main__":
    main()
