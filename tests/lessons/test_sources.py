"""Each work in a lesson's list of sources stands in docs/sources.md, with what it is cited for and where public text says so."""

import re

import pytest

from autograde import layout

ROWS = [row.split("|") for row in (layout.ROOT / "docs" / "sources.md").read_text(encoding="utf-8").splitlines() if row.startswith("| ")]
YEAR = re.compile(r"\((\d{4})[ab]?\)")


def listed(lesson):
    """(surname of the first author, year) of each work in the lesson's list."""
    text = layout.source_path(lesson).read_text(encoding="utf-8")
    start = max(text.rfind("**Sources"), text.rfind("## Sources"))
    block = text[start : text.find("# %%", start)].replace("\n# ", " ")
    found = []
    for year in YEAR.finditer(block):
        names = re.split(r"; |- |\*[,.]? |\. (?=[A-Z])", block[: year.start()])[-1]
        if surname := re.search(r"[A-ZÀ-Ž][\w'’-]+", names):  # none where the year follows a title
            found.append((surname[0], year[1]))
    return found


@pytest.mark.parametrize("lesson", layout.lesson_names())
def test_each_listed_work_is_accounted_for(lesson):
    works = listed(lesson)
    assert len(works) >= 5
    missing = [work for work in works if not any(work[0] in row[1] and work[1] in row[1] for row in ROWS)]
    assert missing == []


def test_each_row_says_how_far_it_was_read():
    for row in ROWS:
        if row[1].strip() not in ("source", "---"):
            assert row[3].strip().startswith(("quoted", "named", "unread")), row[1]
