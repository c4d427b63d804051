"""Takes the pictures of the README and of the tour, and makes the site's sample pages, from the product itself.

`python docs/pictures.py`, with the browser extra and a Chromium; `python docs/pictures.py --pages` makes the pages alone. The sample class
of `make demo` is graded; some of its students also answer the written question here. The pages in `docs/sample/` show no answer's code, since
the site is public.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402
from rich.console import Console  # noqa: E402

from autograde.authoring.sample_class import LESSON, sample_class  # noqa: E402
from autograde.checking.lesson import load_lesson  # noqa: E402
from autograde.checking.report import Report  # noqa: E402
from autograde.checking.scoring import examine  # noqa: E402
from autograde.checking.student import LocalStudent  # noqa: E402
from autograde.grader.batch.class_run import grade_class  # noqa: E402
from autograde.grader.gradebook import roster  # noqa: E402
from autograde.grader.gradebook.course_dir import open_gradebook  # noqa: E402
from autograde.grader.gradebook.standing import standings  # noqa: E402
from autograde.grader.pages import answers_page, class_page, feedback_page, likeness_page  # noqa: E402
from autograde.grader.results.class_list import ClassList  # noqa: E402
from autograde.grader.results.store import RESULTS, ResultStore  # noqa: E402
from autograde.grader.sandbox.modes import Mode  # noqa: E402

IMAGES = Path(__file__).with_name("images")
SAMPLE = Path(__file__).with_name("sample")
# As in JupyterLab, by whose attribute the report knows which theme it stands in.
FRAME = """<body data-jp-theme-light="{light}" style="margin:16px;font:14px system-ui,sans-serif;width:640px;background:{ground};color:{ink}">
<pre style="background:{code_ground};padding:8px">{code}</pre>{report}</body>"""
LIGHT = {"light": "true", "ground": "#fff", "ink": "#111", "code_ground": "#f5f5f5"}
DARK = {"light": "false", "ground": "#111", "ink": "#e0e0e0", "code_ground": "#212121"}
WRONG = "def attention_scores(q, k):\n    return q @ k.transpose(-1, -2)\n\ncheck(attention_scores)"


SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SIZE = {"width": 1100, "height": 800}
NAMES = {"ada": "Ada Okoro", "ben": "Ben Sato", "chloe": "Chloe Marin", "dev": "Dev Rao", "eva": "Eva Lind", "finn": "Finn Daly", "gita": "Gita Bose",
         "hugo": "Hugo Silva", "ines": "Ines Costa", "jun": "Jun Park", "kofi": "Kofi Mensah", "lena": "Lena Wolf", "mo": "Mo Haddad", "nora": "Nora Berg"}  # fmt: skip
CARELESS = "Padding is no problem, because the words behind the end of a sentence get the weight zero anyway."
WRITTEN = {
    "ada": "1. A score is a sum of 256 products, so it is about $\\sqrt{256} = 16$ in size, and the softmax is nearly one-hot: its gradient\n   "
           "$a_i (1 - a_i)$ almost vanishes.\n2. Rows no longer sum to one: $(\\frac12, \\frac12)$ becomes $(\\frac12, 0)$.\n3. No: without positions "
           "attention sees a set. A causal mask makes them differ.",
    "dev": f"The scores are too large. {CARELESS}",
    "finn": f"I think the gradients explode. {CARELESS}",
    "kofi": "The softmax saturates, so learning is slow at first. With a mask the two sentences would differ.",
}  # fmt: skip


def main() -> None:
    """Grade the sample class, make the sample pages, and take all pictures."""
    if sys.argv[1:] == ["--pages"]:
        with tempfile.TemporaryDirectory() as scratch:
            sample_pages(graded_class(Path(scratch)), SAMPLE)
        return
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as scratch:
        course = graded_class(Path(scratch))
        sample_pages(course, SAMPLE)
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        _picture_of_a_check(browser)
        for name, (path, act) in TOUR.items():
            _pictures(browser, name, (SAMPLE / path).as_uri(), act)
        with _written(course) as address:
            _pictures(browser, "tour-written", address, _grade_one)
        browser.close()


def graded_class(folder: Path) -> Path:
    """The sample class with names, sections and written answers, graded."""
    sample_class(folder / "class")
    for student, answer in WRITTEN.items():
        _write(folder / "class" / student / f"{LESSON}.ipynb", answer)
    people = [roster.Person(student, name, "AB"[i % 2], f"{student}@example.org") for i, (student, name) in enumerate(NAMES.items())]
    course = folder / "course"
    course.mkdir()
    with open_gradebook(course) as gradebook:
        roster.save(people, course, gradebook)
    grade_class([folder / "class"], LESSON, course, None, None, Mode.AUTO, Console(quiet=True))
    return course


def _write(path: Path, answer: str) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown" and "YOUR ANSWER HERE" in "".join(cell["source"]):
            cell["source"] = answer
    path.write_text(json.dumps(notebook), encoding="utf-8")


def sample_pages(course: Path, out: Path) -> None:
    """The class's pages without any answer's code, in `out` in place of what is there."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    for name in ("grades.csv", "exercises.csv", roster.FILE, likeness_page.FILE):
        shutil.copy(course / name, out)
    with open_gradebook(course) as gradebook:
        known = {s.student: s for s in standings(gradebook)}
    names = {person.student: person.name for person in roster.read(course)}
    store, answers = ResultStore(course / RESULTS), []
    for (student, _), entry in ClassList.read(course).members():
        if graded := store.load(entry.key):
            bare = replace(graded, notebook="")
            feedback_page.save(bare, out, known.get(student), names.get(student, ""))
            answers += answers_page.of(bare, {})
    sheets = answers_page.sheets(answers)
    for sheet in sheets:
        answers_page.save(sheet, out, names)
    class_page.save(out, list(known.values()), sheets, alike=1)
    for table in out.glob("*.csv"):
        table.unlink()


def _pictures(browser: Browser, name: str, address: str, act: Callable[[Page], object]) -> None:
    """One for light pages, and one for dark ones."""
    for scheme in SCHEMES:
        page = browser.new_page(viewport=SIZE, color_scheme=scheme)
        page.goto(address)
        act(page)
        page.screenshot(path=IMAGES / f"{name}{'-dark' * (scheme == 'dark')}.png")
        page.close()


def _scroll_to(selector: str) -> Callable[[Page], object]:
    return lambda page: page.locator(selector).first.evaluate("e => { e.scrollIntoView(); scrollBy(0, -20); }")


def _grade_one(page: Page) -> None:
    """The first answer that is not short, with the rubric's first point given."""
    page.locator("#who", has_text="Answer").wait_for()
    while page.locator("#answer math").count() < 2:
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(300)
    if page.locator("#points").input_value() == "":  # it has its points in the second picture
        page.keyboard.press("1")
        page.locator("#state", has_text="Saved").wait_for()


@contextmanager
def _written(course: Path) -> Iterator[str]:
    """The address of `autograde written` while it runs."""
    command = [sys.executable, "-u", "-m", "autograde", "written", str(course), "--no-browser"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()


def _picture_of_a_check(browser: Browser) -> None:
    lesson = load_lesson(LESSON)
    answers: dict[str, object] = {}
    exec(WRONG.rsplit("\n", 1)[0], answers)
    result = examine(lesson, lesson.exercises["attention_scores"], LocalStudent(answers))
    page = browser.new_page(viewport={"width": 680, "height": 100}, device_scale_factor=2)
    for name, colours in {"check": LIGHT, "check-dark": DARK}.items():
        page.set_content(FRAME.format(code=WRONG, report=Report(result)._repr_html_(), **colours))
        page.screenshot(path=IMAGES / f"{name}.png", full_page=True)


FEEDBACK = f"feedback/dev/{LESSON}.html"
TOUR: dict[str, tuple[str, Callable[[Page], object]]] = {
    "class": ("class.html", lambda page: None),
    "tour-exercises": ("class.html", _scroll_to("h3:text-is('Exercises')")),
    "tour-mistakes": ("class.html", _scroll_to("h3:text-is('Sections compared'), h3:text-is('Commonest mistakes recognised')")),
    "tour-who": ("class.html", _scroll_to("table.heat")),
    "tour-answers": (f"answers/{LESSON}/causal_mask.html", lambda page: None),
    "tour-likenesses": (likeness_page.FILE, lambda page: None),
    "tour-feedback": (FEEDBACK, lambda page: None),
    "tour-written-feedback": (FEEDBACK, _scroll_to("h2:text-is('Written')")),
}


if __name__ == "__main__":
    main()
