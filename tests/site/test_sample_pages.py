"""The site's sample pages are those that the code makes today."""

import re

import pytest

from autograde import layout
from autograde.site import build

SECONDS = re.compile(r"\b\d+(\.\d+)? s\b")  # how long a check took, which another run does not repeat


def pages(folder):
    return {path.relative_to(folder).as_posix(): SECONDS.sub("n s", path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}


@pytest.mark.slow
def test_sample_pages_are_what_grading_makes_today(tmp_path):
    pytest.importorskip("playwright")  # with which the same script takes the pictures
    script = layout.load_module(build.DOCS / "pictures.py", "pictures")
    script.sample_pages(script.graded_class(tmp_path), tmp_path / "sample")
    made, kept = pages(tmp_path / "sample"), pages(build.DOCS / "sample")
    assert made.keys() == kept.keys()
    other = sorted(name for name in made if made[name] != kept[name])
    assert other == [], "run `python docs/pictures.py` (or with --pages) and look at what has changed"
