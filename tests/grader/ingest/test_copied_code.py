"""Code that a program has changed on its way is found again; what is Python stays as it is, and what is none stays wrong."""

import time

import pytest

from autograde.grader.ingest.formats.copied_code import LONGEST, as_it_was

CODE = 'def f(x):\n    """Twice."""\n    return x - -x if x > 1 else "<b>"'
CHANGED = {
    "blanks that do not break": CODE.replace("    ", "\u00a0" * 4),
    "blanks of no width": CODE.replace("\n", "\u200b\n"),
    "a byte order mark": "\ufeff" + CODE,
    "typeset quotes": CODE.replace('"""', "“““", 1).replace('"""', "”””", 1),
    "typeset dashes": CODE.replace("- -", "– −"),
    "fences": f"```python\n{CODE}\n```",
    "fences without a name": f"```\n{CODE}\n```",
    "words around fences": f"Sure! Here it is:\n\n~~~py\n{CODE}\n~~~\nIt doubles x.",
    "the last fence": f"{CODE}\n```",
    "numbers of lines": "\n".join(f"{n}. {line}" for n, line in enumerate(CODE.split("\n"), 7)),
    "numbers before a tab": "\n".join(f"{n:>3}\t{line}" for n, line in enumerate(CODE.split("\n"), 1)),
    "an answered mail": "\n".join(f"> {line}" for line in CODE.split("\n")),
    "a comparison": "\n".join(f"+{line}" for line in CODE.split("\n")),
    "a web page": CODE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;"),
    "two at once": f"```python\n{CODE.replace('    ', chr(0xA0) * 4)}\n```",
}


@pytest.mark.parametrize("code", CHANGED.values(), ids=CHANGED)
def test_it_is_as_it_was(code):
    found, taken = as_it_was(code)
    assert found.strip() == CODE and taken


@pytest.mark.parametrize(
    "code",
    [CODE, 'blank = "\u00a0“x”"', "def f(:\n    pass", "1 2\n3 4", "> not\n> Python", "```\nwords alone\n```", "%%time\n" + CODE, ""],
)
def test_python_stays_and_so_does_what_is_none_without_marks(code):
    assert as_it_was(code) == (code, "")


@pytest.mark.parametrize("piece", ["\n", "```\n", "1 \n", "> ", "&", "\u200b", " ", "~~~py\n(\n"])
def test_it_takes_no_time(piece):
    began = time.process_time()
    as_it_was("(" + piece * (LONGEST // len(piece) - 1))
    assert time.process_time() - began < 2
