"""What no release may hold, line by line as tokens; and everything a release says, wherever in it that stands."""

import ast
import io
import json
import re
import textwrap
import tokenize
from functools import cache

from autograde import layout
from autograde.authoring import source

SHORTEST = 8  # tokens; a shorter line, such as `return q`, is nobody's secret
FRAGMENT = 12  # the same for a line of text within code, which may be a part of a longer one
LONG_RUN = 70  # tokens in a row of a hidden test's body, that a public check of the same exercise may not share
TOKEN = re.compile(r"\w+|[^\w\s]")


def joined(tokens):
    """Tokens with blanks around each, so that a run of them is found as text."""
    return f" {' '.join(tokens)} "


def lines(code):
    """The logical lines of code as tokens, without comments: other indentation, line ends and blanks hide nothing."""
    found, line = [], []
    for token in tokenize.generate_tokens(io.StringIO(textwrap.dedent(code.strip("\n")) + "\n").readline):
        if token.type in (tokenize.NEWLINE, tokenize.ENDMARKER):
            found.append(line)
            line = []
        elif token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT):
            line += TOKEN.findall(token.string)
    return [line for line in found if line]


def answers(name):
    """Every line between solution marks of a lesson's exercises; an answer of short lines alone counts as one."""
    for cell in source.read(layout.source_path(name)).cells:
        for part in cell.source.split(source.BEGIN)[1:]:
            prose = cell.kind == "markdown"
            body = part.split(source.END)[0]
            found = [TOKEN.findall(line.lstrip("# ")) for line in body.splitlines()] if prose else lines(body)
            long = [line for line in found if len(line) >= SHORTEST]
            yield from long or [[token for line in found for token in line]]


def hidden_and_wrong():
    """(file, line) of hidden tests and misconceptions, also of the code that a misconception holds as text; imports are not told."""
    for path in (*layout.HIDDEN.glob("*.py"), *layout.MISCONCEPTIONS.glob("*.py")):
        code = path.read_text(encoding="utf-8")
        texts = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        inner = [line for text in texts if "\n" in text.strip() for line in map(TOKEN.findall, text.splitlines())]
        own = [line for line in lines(code) if len(line) >= SHORTEST and line[0] not in ("import", "from")]
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
    tokens = [token for line in lines(code) for token in line]
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
