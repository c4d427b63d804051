"""A page for each student and lesson: what passed, what did not, why, and which known mistake it looks like."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from pathlib import Path

import nbformat
from jinja2 import Environment, FileSystemLoader, Template, select_autoescape

from autograde.checking.lesson import read_manifest
from autograde.checking.runner import Outcome
from autograde.checking.scoring import Result, tell
from autograde.files import write
from autograde.grader.results.model import Graded

WORDS = {
    "passed": "all checks passed",
    "partial": "some checks passed",
    "failed": "no check passed",
    "error": "stopped with an error",
    "timeout": "did not finish in time",
    "missing": "not found",
    "not_attempted": "not written yet",
}


def save(graded: Graded, folder: Path) -> Path:
    """Write `feedback/<student>/<lesson>.html` under `folder`."""
    path = folder / "feedback" / graded.student / f"{graded.lesson}.html"
    write(path, page(graded).encode())
    return path


def page(graded: Graded) -> str:
    """The page: self-contained, readable without a server, and without any hidden test's values."""
    title, passed = read_manifest(graded.lesson)["title"], sum(r.status == "passed" for r in graded.results)
    return _template().render(
        graded=graded, title=title, passed=passed, words=WORDS, tell=tell, message=_why, grouped=_grouped, answers=_answers(graded)
    )


def _why(result: Result) -> str:
    return "" if result.status == "not_attempted" else result.diagnosis or (result.message if not result.outcomes else "")


def _grouped(result: Result) -> list[tuple[Outcome, int]]:
    """One test on several inputs is one line, where it says the same of each."""
    said = [(o, (o.title, o.passed, o.hidden, "" if o.passed else tell(o))) for o in result.outcomes]
    same = [list(group) for _, group in groupby(said, key=lambda pair: pair[1])]
    return [(group[0][0], len(group)) for group in same]


def _answers(graded: Graded) -> dict[str, str]:
    if not graded.notebook:
        return {}
    cells = nbformat.reads(graded.notebook, as_version=4).cells
    return {
        c.metadata["nbgrader"]["grade_id"]: c.source
        for c in cells
        if c.cell_type == "code" and c.metadata.get("nbgrader", {}).get("solution")
    }


@lru_cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=select_autoescape(default=True, default_for_string=True)
    )
    environment.filters["points"] = lambda value: f"{value:g}"
    return environment.get_template("feedback.html.j2")
