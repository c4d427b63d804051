"""What no release may hold, line by line as tokens; and everything a release says, wherever in it that stands."""

import ast
import json
import re
from functools import cache

from autograde import layout
from autograde.authoring import source
from autograde.authoring.rules.leaks import SHORTEST, TOKEN, answer_lines, joined, logical_lines

FRAGMENT = 12  # the same for a line of text within code, which may be a part of a longer one
LONG_RUN = 70  # tokens in a row of a hidden test's body, that a public check of the same exercise may not share


def answers(name):
    """Every line between solution marks of a lesson's exercises and questions."""
    for cell in source.read(layout.source_path(name)).cells:
        yield from answer_lines(cell)


def hidden_and_wrong():
    """(file, line) of hidden tests and misconceptions, also of the code that a misconception holds as text; imports are not told."""
    for path in (*layout.HIDDEN.glob("*.py"), *layout.MISCONCEPTIONS.glob("*.py")):
        code = path.read_text(encoding="utf-8")
        texts = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        inner = [line for text in texts if "\n" in text.strip() for line in map(TOKEN.findall, text.splitlines())]
        own = [line for line in logical_lines(code) if len(line) >= SHORTEST and line[0] not in ("import", "from")]
        yield from ((path.stem, line) for line in own + [line for line in inner if len(line) >= FRAGMENT])


def hidden_tests():
    """(name, title, long runs of its body) of each hidden test."""
    for path in layout.HIDDEN.glob("test_*.py"):
        code = path.read_text(encoding="utf-8")
        for node in ast.parse(code).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                body = "\n".join(code.splitlines()[node.body[1].lineno - 1 : node.end_lineno])
                yield node.name, ast.get_docstring(node), long_runs(body)


def long_runs(code):
    """Every run of LONG_RUN tokens in code; of shorter code the whole of it."""
    tokens = [token for line in logical_lines(code) for token in line]
    return {" ".join(tokens[i : i + LONG_RUN]) for i in range(max(1, len(tokens) - LONG_RUN + 1))}


@cache
def said(path):
    """All that a file says, as tokens, with and without comments: of JSON every string, also keys, metadata, outputs and lists of lines."""
    text = path.read_bytes().decode("utf-8")
    pieces = list(strings(json.loads(text))) if path.suffix in (".ipynb", ".json") else [text]
    pieces += [re.sub(r"(?m)#.*$", "", piece) for piece in pieces if "#" in piece]
    return "\0".join(joined(TOKEN.findall(piece)) for piece in pieces)


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        if all(isinstance(item, str) for item in value):
            yield "\n".join(value)
        else:
            for item in value:
                yield from strings(item)


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())
