"""Questions about what stands on a slide itself: its formula, its table, its figure's axes, its rows of numbers, its statement.

Each rule takes words or symbols from the slide's source and asks about them, so that no two slides are asked the same. None says what is right.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from html import unescape
from itertools import pairwise

from nbformat import NotebookNode

FORMULA = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)
STEP = re.compile(r"(?<![_\\{])(\\(?:alpha|gamma|lambda|varepsilon|beta))(?![a-zA-Z_])")  # a share, between 0 and 1
SIZE = re.compile(r"(?<![_\\{])(\\(?:tau|kappa|sigma|theta)|c)(?![a-zA-Z_(^{])(?=[ \\,^)}]|$)")  # a size, from 0 upwards
SUM = re.compile(r"\\sum_(?:\{)?\(?([a-z])")
SQUASHED = re.compile(r"(\\tanh|\\sigma|\\exp|\\text\{softmax\})\s*\\?(?:left|!)*\(")
LARGEST = re.compile(r"\\(?:arg)?\\?max_\{?([a-z]'?)\}?")
DRAWN = re.compile(r"([a-zA-Z]\w*(?:_\{[^}]*\})?) *\\sim")
BETWEEN = re.compile(r"\\q?quad|\\qquad|\\\\|,\s*\\[;,!]")  # two formulas in one line
NUMBERS = re.compile(r"\(-?[\d.]+(?:, ?-?[\d.]+)+\)|(?<![\w.])[-+−]?\d+(?:\.\d+)?%?(?: to [-+−]?\d+(?:\.\d+)?%?)?(?!\w)")
AMOUNT = re.compile(r"^[-+−]?\$?[-+−]?(\d[\d,]*(?:\.\d+)?)")
MEASURED = re.compile(r"(?<![\w.$])([-+−]?\d+\.\d+|\d+(?:\.\d+)?%)")
TERM = re.compile(r"\*\*([^*\n(]{3,40}?)(?<![.:,])\*\*(?!:)|`(\w[\w.]{2,40}(?:\(\))?)`")
ROW = re.compile(r"^\s*(\w[^\n:]*?)(?::|\s{2,})(?=.*\d)")
CLAIM = re.compile(r"\b(?:since|so|because|never|always|only|every|all|no|must|cannot|nothing|needs?|whatever|equals?|shortest|best)\b")
OPENING = re.compile(
    r"(?:Below|Here|Now|And|But|Both|These|Then|To|From|It|This|That|Text|Over|With|\*{1,2}Worked|\*Needs|All of)\b|[a-z(]"
)
WRITTEN = re.compile(r"written question|own words", re.IGNORECASE)
IN_BRACKETS = re.compile(r"\([^)]*\)|\$[^$]*\$|`[^`]*`")  # years, ranges, formulas, code
STATEMENT = re.compile(r"^(?:[-*>]|\d+\.) +", re.MULTILINE)
TITLE = re.compile(r"^(?:\d+ · |Exercise \d+ · |Stretch · )")
KINDS = {
    "heat map": "where is it darkest, and why there?",
    "bars": "which is the highest, and why?",
    "histogram": "which is the widest, and why?",
    "masks": "which cells are the same in all of them?",
    "matri": "read one row of each aloud: where do its numbers come from?",
    "map": "which way would you take?",
}
DRAWINGS = {
    re.compile(r"plot\(|band\("): "Follow “{up}” over “{across}”: where does it turn, and why there?",
    re.compile(r"bar\("): "For which “{across}” is “{up}” the highest, and why?",
    re.compile(r"heatmap\(|imshow\("): "At which “{up}” and “{across}” is it darkest, and why there?",
}
ELSE = "what stands out, and what makes it so?"
HEAD, ENOUGH, LONG = 22, 8, 24  # words: of what a figure is said to show; of a statement that can be discussed, at least and at most


def about_formulas(text: str) -> Iterator[str]:
    """What can be asked of a formula's own symbols."""
    for formula in FORMULA.findall(text):
        if updated := _left(formula, r"\leftarrow"):
            yield f"When does ${updated}$ stop changing?"
        for letter in dict.fromkeys(STEP.findall(formula)):
            yield f"What is left of the right side for ${letter} = 0$, and what for ${letter} = 1$?"
        for index in dict.fromkeys(SUM.findall(formula)):
            yield f"Write the sum over ${index}$ out for two terms: which one can be the larger, and when?"
        yield from (f"What does the division by ${below}$ do? Try it without." for below in _denominators(formula))
        yield from (
            f"Which numbers can ${name}$ give here, and where does its argument hardly matter any more?"
            for name in dict.fromkeys(SQUASHED.findall(formula))
        )
        yield from (f"What would a mean over ${over}$ change, in place of the largest?" for over in dict.fromkeys(LARGEST.findall(formula)))
        yield from (
            f"What becomes of it for ${letter}$ near 0, and for a very large ${letter}$?" for letter in dict.fromkeys(SIZE.findall(formula))
        )
        yield from (f"Draw ${drawn.strip()}$ twice: what may differ, and what must be the same?" for drawn in DRAWN.findall(formula)[:1])
        if "matrix}" in formula and "=" not in formula:
            yield "Read the matrix's second row aloud: what does each of its numbers say?"
        for part in BETWEEN.split(formula):
            if left := _left(part, "="):
                yield f"Of which shape is ${left}$, and which letter on the right side decides it?"


def _left(formula: str, sign: str) -> str:
    """What stands left of the sign, where that is one thing."""
    left, found, _ = formula.partition(sign)
    left = re.sub(r"^.*?\\text\{[^}]*: *\}", "", left.strip(" \n;,.")).strip()
    return left if found and left and len(left) < 45 and left.count("{") == left.count("}") and "matrix" not in left else ""


def _denominators(formula: str) -> Iterator[str]:
    for start in (found.end() for found in re.finditer(r"\\frac", formula)):
        below = _braced(formula, formula.find("}", start + len(_braced(formula, start)) + 1) + 1 if formula[start] == "{" else start)
        if below and len(below) < 40 and not below.strip().isdigit():
            yield below


def _braced(text: str, start: int) -> str:
    """What the braces hold that open at `start`; nothing where none do."""
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return text[start + 1 : at]
    return ""


def about_tables(text: str) -> Iterator[str]:
    """Of a column of numbers the largest; of one of words what stands in it."""
    lines = [line.replace("\\|", "\0") for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip().replace("\0", "\\|") for cell in line.strip("|").split("|")] for line in lines if not line.startswith("| ---")]
    if len(rows) < 3:
        return
    header, *body = rows
    for column in range(1, len(header)):
        amounts = {found[1] for row in body if column < len(row) and (found := AMOUNT.match(row[column]))}
        if len(amounts) > 1 and header[column]:
            yield f"In which row is “{header[column]}” the largest, and why there?"
    for row in body[len(body) // 2 :] + body:
        if row[0] and header[-1]:
            yield f"Why does “{header[-1]}” say what it says beside {row[0]}?"


def about_figures(alt: str, drawn: NotebookNode | None) -> Iterator[str]:
    """Of a figure's axes, of what it shows, or of the rows that it prints."""
    if drawn is None:
        return
    drawings = [asked for drawing, asked in DRAWINGS.items() if drawing.search(drawn.source)]
    asked = drawings[0] if len(drawings) == 1 else "Read “{up}” over “{across}”: " + ELSE
    for across, up in _axes(drawn.source):
        if across and up:
            yield asked.format(up=up, across=across)
    if said := _head(alt):
        yield f"{said}: {next((ask for kind, ask in KINDS.items() if kind in said.lower()), ELSE)}"
    yield from (f"Look along “{name}”: {ELSE}" for axes in _axes(drawn.source) for name in axes if name)
    labels = list(_labels(drawn))
    pairs = [*zip(labels[:1], labels[-1:]), *pairwise(labels)]
    yield from (f"Compare “{one}” with “{other}”: what makes the difference?" for one, other in pairs if one != other)
    yield from (f"{name}: what changes first when you move it? Say it before you do." for name in _views(drawn))


def _axes(code: str) -> Iterator[tuple[str, str]]:
    """(across, up) of each call that names axes, and of two that name one each."""
    waiting = {"xlabel": "", "ylabel": ""}
    for call in (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)):
        names = {word.arg: word.value.value for word in call.keywords if word.arg in waiting and isinstance(word.value, ast.Constant)}
        name = call.func.attr.removeprefix("set_") if isinstance(call.func, ast.Attribute) else ""
        if name in waiting and call.args and isinstance(call.args[0], ast.Constant):
            waiting[name] = str(call.args[0].value)
        elif len(names) == 2:
            yield str(names["xlabel"]), str(names["ylabel"])
        else:
            waiting |= {key: str(value) for key, value in names.items() if key}
    yield waiting["xlabel"], waiting["ylabel"]


def _head(alt: str) -> str:
    """What a figure shows, without what is found there: the words before the first colon or full stop."""
    head, sign, _ = alt.partition(":")
    first, *rest = re.split(r"(?<=[a-z)])\. (?=[A-Z])", head)
    head, sign = first, sign or "." * bool(rest)
    return head if sign and _quoted(head) and head.split()[0] not in ("Left", "Right", "Above") and 2 < len(head.split()) <= HEAD else ""


def _quoted(words: str) -> bool:
    """Whether each quotation that begins here ends here."""
    return len(re.findall(r"(?<!\w)'|'(?!\w)", words)) % 2 == 0


def _labels(drawn: NotebookNode) -> Iterator[str]:
    """What printed rows of numbers are about."""
    printed = "".join(output.get("text", "") for output in drawn.outputs if output.output_type == "stream")
    lines = [line for line in printed.splitlines() if line.strip()]
    found = [row[1].strip(" ,.") for row in map(ROW.match, lines) if row and not re.search(r"[<>{}\[\]|^]", row[1])]
    if len(found) >= max(2, len(lines) / 2):  # a text that a model wrote has colons, too
        yield from (label for label in found if 3 <= len(label) <= 40)


def _views(drawn: NotebookNode) -> Iterator[str]:
    for output in drawn.outputs:
        for name in re.findall(r'role="group" aria-label="([^"]*)"', output.get("data", {}).get("text/html", "")):
            head = unescape(name).split(":")[0]
            yield from [head] if len(head.split()) <= HEAD and _quoted(head) else []


def about_words(heading: str, shown: Iterable[str]) -> Iterator[str]:
    """Of a worked number, of measured ones, of steps and terms that stand side by side, of a claim."""
    text = "\n".join(block for block in shown if not block.startswith(("|", "```", "$$")))
    if WRITTEN.search(heading):
        yield "Which figure or which number of this lesson would you begin your answer with?"
    worked = (NUMBERS.search(line) for line in text.splitlines() if re.match(r"\*{1,2}Worked", line))
    yield from (f"Put other numbers in place of {found[0]}: what else changes, and what stays?" for found in worked if found)
    bold = re.findall(r"^(?:[-*] +|\d+\. +)?\*\*([^*\n]{3,60}?)[.:,]?\*\*", text, re.MULTILINE)
    yield from (f"“{one}” and “{other}”: what have they in common, and where do they part?" for one, other in pairwise(bold))
    measured = MEASURED.findall(IN_BRACKETS.sub("", text))
    yield from (f"What had you guessed in place of {number}, and why?" for number in dict.fromkeys(measured))
    steps = re.findall(r"^\d+\. (.+?)[.,:;]?$", text, re.MULTILINE)
    yield from (f"Leave out “{step}”: what goes wrong?" for step in steps[1:-1])
    said = list(_sentences(text))
    yield from (f"“{claim}” Always? Name a case in which it is not so, or say why there is none." for claim in said if CLAIM.search(claim))
    terms = dict.fromkeys(one or other for one, other in TERM.findall(text))
    yield from (f"What is {f'`{term}`' if f'`{term}`' in text else f'“{term}”'}? Say it without the slide's words." for term in terms)
    yield from (f"“{statement}” What follows from it?" for statement in said)
    if title := _title(heading):
        yield f"“{title}”: what would you tell somebody who was not here, in one sentence?"
        yield f"“{title}”: what had you expected here, and what is different?"


def untitled(heading: str) -> str:
    """Without its number or the word before its name."""
    rest = TITLE.sub("", heading)
    return rest[:1].upper() + rest[1:]


def _title(heading: str) -> str:
    return untitled(heading).rstrip("?.")


def _sentences(text: str) -> Iterator[str]:
    """The statements of a slide that can be discussed as they stand: neither announcements nor continuations."""
    for line in STATEMENT.sub("", text).splitlines():
        for sentence in re.split(r"(?:(?<=[a-z)*`]\.)|(?<=\.\*\*)) (?=[A-Z*])", line):
            if ENOUGH <= len(sentence.split()) <= LONG and sentence.endswith(".") and not OPENING.match(sentence):
                yield sentence.replace("“", "‘").replace("”", "’")


def about_sections(headings: Iterable[str]) -> Iterator[str]:
    """Of a lesson's first and last slide: what its audience knows of its parts."""
    names = [f"“{_title(heading)}”" for heading in headings]
    if len(names) > 3:
        yield f"Which of these could you explain already: {names[0]}, {names[1]} or {names[2]}?"
        yield f"Which of these could you explain now, with a drawing: {names[0]}, {names[1]} or {names[2]}?"
