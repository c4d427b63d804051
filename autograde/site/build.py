"""Gather the pages in one folder and let Sphinx make the site; every warning is an error."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import nbformat

from autograde import layout
from autograde.authoring import benchmark_tables
from autograde.site.lessons import lesson_page

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
        pages = Path(scratch) / "pages"
        gather(pages)
        arguments = ["-W", "--keep-going", "-q", "-b", "html", "-c", str(DOCS), "-d", str(Path(scratch) / "doctrees"), str(pages), str(out)]
        if build_main(arguments):
            raise SiteError("the site was not built: fix what is named above")
    (out / ".buildinfo").unlink(missing_ok=True)
    return out / "index.html"


def gather(folder: Path) -> None:
    """Put every page into `folder`: the guides, the lessons and what was measured."""
    folder.mkdir(parents=True)
    for page in DOCS.glob("*.md"):
        # a link to a notebook leads to the lesson's page here
        (folder / page.name).write_text(page.read_text(encoding="utf-8").replace("](../notebooks/", "](lessons/"), encoding="utf-8")
    shutil.copytree(DOCS / "images", folder / "images")
    (folder / "lessons").mkdir()
    for name in layout.lesson_names():
        nbformat.write(lesson_page(name), folder / "lessons" / f"{name}.ipynb")
    (folder / "measured").mkdir()
    (folder / "measured" / "strength.md").write_text(STRENGTH + _table("strength", "python -m autograde strength --save"), encoding="utf-8")
    paths = sorted((layout.ROOT / "benchmarks").glob("*.py"))
    benchmarks = [_table(path.stem, f"python benchmarks/{path.name}{' --save' * (path.stem != 'gpu')}") for path in paths]
    (folder / "measured" / "benchmarks.md").write_text(BENCHMARKS + "\n".join(benchmarks), encoding="utf-8")


def _table(name: str, command: str) -> str:
    """The measured table as Markdown, or how to measure it."""
    path = benchmark_tables.FOLDER / f"{name}.json"
    if path.exists():
        return benchmark_tables.markdown(benchmark_tables.load(path))
    title, words = ("On a GPU", benchmark_tables.gpu_status().capitalize()) if name == "gpu" else (name.capitalize(), "Not measured yet")
    return f"## {title}\n\n{words}: `{command}` writes the table.\n"


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
