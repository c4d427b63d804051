"""Gather the pages in one folder and let Sphinx make the site; every warning is an error."""

from __future__ import annotations

import ast
import base64
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograde import layout
from autograde.authoring.measuring import benchmark_tables
from autograde.site.lessons import lesson_page
from autograde.site.typeset import glued

PLAIN = str.maketrans({"|": "/", "[": "(", "]": ")", "\n": " "})  # what would end a cell of a table, or a picture's words
PICTURE = re.compile(
    r'<picture><source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)"><img alt="([^"]*)" src="([^"]+)"></picture>'
)
IN_BOTH = (
    "```{image} \\3\n:alt: \\2\n:class: only-light\n```\n```{image} \\1\n:alt: \\2\n:class: only-dark\n```"  # as the theme's button says
)
DOCS = layout.ROOT / "docs"


class SiteError(RuntimeError):
    """Sphinx refused the pages; it has said why on standard error."""


def build(out: Path) -> Path:
    """Write the site into `out`, which is emptied first, and return its first page.

    Raises:
        autograde.site.lessons.PageError: where a lesson cannot be shown.
        SiteError: for a broken link, a heading out of order and whatever else Sphinx warns of.
        ValueError: when `out` holds something that is no site.
    """
    from sphinx.cmd.build import build_main

    _empty(out)
    with tempfile.TemporaryDirectory() as scratch:
        pages, doctrees, made = (Path(scratch) / name for name in ("pages", "doctrees", "site"))
        gather(pages)
        if build_main(["-W", "--keep-going", "-q", "-b", "html", "-c", str(DOCS), "-d", str(doctrees), str(pages), str(made)]):
            raise SiteError("the site was not built: fix what is named above")
        shutil.copytree(made, out)  # myst-nb leaves a folder beside what it makes
    (out / ".buildinfo").unlink(missing_ok=True)
    if (DOCS / "sample").is_dir():
        shutil.copytree(DOCS / "sample", out / "sample")  # pages as they are: they are no part of Sphinx's
    return out / "index.html"


def gather(folder: Path) -> None:
    """Put every page into `folder`: the guides, the lessons and what was measured."""
    folder.mkdir(parents=True)
    shutil.copytree(DOCS / "images", folder / "images")
    (folder / "lessons").mkdir()
    pages = {name: lesson_page(name) for name in layout.lesson_names()}
    for name, page in pages.items():
        for cell in (cell for cell in page.cells if cell.cell_type == "markdown"):
            cell.source = glued(cell.source)
        nbformat.write(page, folder / "lessons" / f"{name}.ipynb")
    for path in DOCS.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        if path.name == "index.md":
            text = with_figures(text, pages, folder / "images")
        text = PICTURE.sub(IN_BOTH, text)
        # a link to a notebook leads to the lesson's page here
        (folder / path.name).write_text(text.replace("](../notebooks/", "](lessons/"), encoding="utf-8")
    (folder / "measured").mkdir()
    (folder / "measured" / "strength.md").write_text(STRENGTH + _strength(), encoding="utf-8")
    (folder / "measured" / "benchmarks.md").write_text(BENCHMARKS + _benchmarks(), encoding="utf-8")


def with_figures(index: str, pages: Mapping[str, NotebookNode], images: Path) -> str:
    """The first page's table of lessons with a figure of each, which is written into `images`, and how long the lesson takes."""
    lines: list[str] = []
    for line in index.splitlines():
        name = next((name for name in pages if line.startswith("|") and f"notebooks/{name}.ipynb" in line), None)
        if name:
            line = f"| {_figure(name, pages[name], images)} {line.removesuffix('|')}| {_hours(pages[name])} |"
        elif line.startswith("| lesson | what you write |"):
            line = "| a figure | lesson | what you write | time |"
        elif lines and lines[-1].startswith("| a figure | lesson |"):
            line = "| --- | --- | --- | --- |"
        lines.append(line)
    return "\n".join(lines) + "\n"


def _figure(name: str, page: NotebookNode, images: Path) -> str:
    """The lesson's first picture that has words for who cannot see it, as Markdown."""
    for cell in page.cells:
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        data = next((output.data["image/png"] for output in cell.get("outputs", []) if "image/png" in output.get("data", {})), "")
        if alt and data:
            (images / f"lesson-{name[:2]}.png").write_bytes(base64.b64decode(data))
            return f"![{alt.translate(PLAIN)}](images/lesson-{name[:2]}.png)"
    return ""


def _hours(page: NotebookNode) -> str:
    """`2 hours`, from the lesson's first lines."""
    found = re.search(r"about ([\d.½ ]+(?:to [\d.½ ]+)?hours?)", page.cells[0].source)
    return found[1] if found else ""


def _strength() -> str:
    path = benchmark_tables.FOLDER / "strength.json"
    command = "`python -m autograde strength --save`"
    return (
        benchmark_tables.markdown(benchmark_tables.load(path)) if path.exists() else f"{command} tries all checks and writes the table.\n"
    )


def _benchmarks() -> str:
    """The tables that were measured, and then how to measure the rest."""
    tables, rest = [], []
    for script in sorted((layout.ROOT / "benchmarks").glob("*.py")):
        path = benchmark_tables.FOLDER / f"{script.stem}.json"
        if path.exists():
            tables.append(benchmark_tables.markdown(benchmark_tables.load(path)))
        else:
            about = (ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or "").splitlines()[0]
            rest.append(f"- `python benchmarks/{script.name}{' --save' * (script.stem != 'gpu')}`: {about}")
    listed = ["## To run yourself", "", "Tables that come with no numbers here, and what writes them:", "", *rest, ""] if rest else []
    return "\n".join([*tables, *listed])


def _empty(out: Path) -> None:
    if out.exists() and any(out.iterdir()) and not (out / "searchindex.js").exists():
        raise ValueError(f"{out} holds something else than a site; name a new folder")
    shutil.rmtree(out, ignore_errors=True)


STRENGTH = """# How strong the checks are

Every exercise has known wrong answers, each a mistake that people make, and unusual right ones: loops instead of `einsum`, other names, another order of
the sums. The checks must take points from every wrong answer and from no right one; one that slips through fails the project's tests.
*Recognised* are the mistakes that the check names to a student, since their output on fixed inputs is like no other.

"""
BENCHMARKS = """# What was measured

Claims of speed rest on these runs. Times depend on the machine; a ratio compares two runs of one command on one machine.

"""
