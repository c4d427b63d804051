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
TENSOR = re.compile(
    r"(?:\\(?:mathbf|boldsymbol|hat|tilde)\{?\\?\w+\}?|[A-Z])(?:_\{?\w+\}?|\^\{?[\w\\]+\}?)*'*$"
)  # a letter for a vector or a matrix
INDEX = re.compile(r"_(?:\{[^}]*\}|\w)$")
BETWEEN = re.compile(r"\\q?quad|\\qquad|\\\\|,\s*\\[;,!]")  # two formulas in one line
NUMBERS = re.compile(r"\(-?[\d.]+(?:, ?-?[\d.]+)+\)|(?<![\w.])[-+−]?\d+(?:\.\d+)?%?(?: to [-+−]?\d+(?:\.\d+)?%?)?(?!\w)")
AMOUNT = re.compile(r"^[-+−]?\$?[-+−]?(\d[\d,]*(?:\.\d+)?)")
MEASURED = re.compile(r"(?<![\w.$])([-+−]?\d+\.\d+|\d+(?:\.\d+)?%)")
TERM = re.compile(r"\*\*([^*\n(]{5,40}?)(?<![.:,])\*\*(?!:)")
AMOUNTS = r"(?=.*(?<![\w.:-])[-+−]?\d[\d,.]*(?![\w.,]*[-:]))"  # a number behind, which is no date
ROWS = re.compile(r"^\s*(\w[^\n:]*?)(?::|\s{2,})" + AMOUNTS), re.compile(r"^\s*(\w.*?)\s{2,}" + AMOUNTS)
CLAIM = re.compile(r"\b(?:never|always|only|cannot|must|nothing|whatever|no matter)\b")
VIEW = re.compile(
    r"\b(?:more|less|fewer|larger|smaller|no|never|nothing|nobody|only|always|every|nearly|cannot|whatever|most|makes?|lets?)\b"
)
SAYS = re.compile(
    r"`|\b(?:figure|cell|exercises?|section|lesson|lecture|picture)\b|: [a-z]+ [a-z]+, "
)  # of the text itself, of code; a list
REASON = re.compile(r"^(.{20,}?),? (?:since|because) ")
OPENING = re.compile(
    r"(?:Below|Here|Now|And|But|Both|These|Then|To|From|It|This|That|They|Text|Over|With|One|Each|In|So|\*{1,2}\w[^.]*:|\*{1,2}Worked|\*Needs|All of)(?:\b|(?<=:))|[a-z(]"
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
    "weights": "where are the largest ones, and why there?",
    "map": "which way would you take?",
    " against ": "which way do the values go, and why?",
}
MANY = re.compile(r"(?<!by )\b(two|three|four|five|six|seven|eight|nine|ten|twice)\b(?! by)")
CHANGES = "How does “{up}” change with “{across}”, and why?"
DRAWINGS = {
    re.compile(r"plot$|band$"): CHANGES,
    re.compile(r"bar$"): "For which “{across}” is “{up}” highest, and why?",
    re.compile(r"heatmap$|imshow$"): "At which “{up}” and “{across}” is it darkest, and why there?",
}
ELSE = "what do you see first, and how would you explain it?"
HEAD, ENOUGH, LONG = 22, 8, 24  # words: of what a figure is said to show; of a statement that can be discussed, at least and at most


def about_formulas(text: str) -> Iterator[str]:
    """What can be asked of a formula's own symbols."""
    for formula in FORMULA.findall(text):
        if updated := _left(formula, r"\leftarrow"):
            yield f"When does ${updated}$ stop changing?"
        for letter in dict.fromkeys(STEP.findall(formula)):
            yield f"What is left of the right side for ${letter} = 0$, and what for ${letter} = 1$?"
        for index in dict.fromkeys(SUM.findall(formula)):
            yield f"Write out the sum over ${index}$ for two terms: when is one of them much larger than the other?"
        yield from (f"What does the division by ${below}$ do? What would happen without it?" for below in _denominators(formula))
        yield from (
            f"In which range are the values of ${name}$ here, and where do they hardly change any more?"
            for name in dict.fromkeys(SQUASHED.findall(formula))
        )
        yield from (
            f"What would change with a mean over ${over}$ in place of the maximum?" for over in dict.fromkeys(LARGEST.findall(formula))
        )
        yield from (
            f"What becomes of it for ${letter}$ near 0, and for a very large ${letter}$?" for letter in dict.fromkeys(SIZE.findall(formula))
        )
        yield from (f"Draw ${drawn.strip()}$ twice: what may differ, and what must be the same?" for drawn in DRAWN.findall(formula)[:1])
        if "matrix}" in formula and "=" not in formula:
            yield "What does each number in the matrix's second row say?"
        for part in BETWEEN.split(formula):
            yield from _about_equation(part)


def _about_equation(part: str) -> Iterator[str]:
    """Of a tensor its shape; of a number with an index how it goes with that; of a probability or a function what is said of it."""
    left, right = _left(part, "="), part.partition("=")[2]
    indices = [
        index for index in re.findall(r"[a-z]", (INDEX.search(left) or [""])[0]) if re.search(rf"(?<![\\a-zA-Z]){index}(?![a-zA-Z])", right)
    ]
    if TENSOR.match(left):
        yield f"What is the shape of ${left}$, and which symbols on the right side decide it?"
    elif indices and "(" not in left.replace("^{(", ""):
        yield f"What happens to ${left}$ as ${indices[-1]}$ grows?"
    elif left:
        yield f"Read this aloud without a symbol: ${part.strip(' .,;')}$. What does it say?"


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
            yield f"In which row is “{header[column]}” largest, and why there?"
    for row in body[len(body) // 2 :] + body:
        if row[0] and header[-1]:
            name = row[0] if re.search(r"[`$<*]", row[0]) else f"“{row[0]}”"
            yield f"Cover the column “{header[-1]}”: what belongs beside {name}?"


def about_figures(alt: str, drawn: NotebookNode | None) -> Iterator[str]:
    """Of a figure's axes, of what it shows, or of the rows that it prints."""
    if drawn is None:
        return
    for asked, across, up in _axes(drawn.source):
        if across and up:
            yield asked.format(up=up, across=across)
    if said := _head(alt):
        yield f"{said}: {_of_its_kind(said)}"
    yield from _about_views(drawn)
    heads, labels = _printed(drawn)
    if heads and len(labels) > 1:
        yield f"How does “{heads[-1]}” change from “{labels[0]}” to “{labels[-1]}” ({heads[0]}), and why?"
    pairs = [*zip(labels[:1], labels[-1:]), *pairwise(labels)]
    yield from (f"“{one}” and “{other}”: why do these two rows differ?" for one, other in pairs if one != other)
    yield from (f"Look along the axis “{name}”: {ELSE}" for _, *axes in _axes(drawn.source) for name in axes if name)


def _of_its_kind(said: str) -> str:
    """What is asked of a figure of which this is said; of several things beside each other, how they differ."""
    kinds = [asked for kind, asked in KINDS.items() if kind in said.lower()]
    many = [found.replace("twice", "two") for found in MANY.findall(said.lower())]
    return (kinds + [f"how do the {number} differ, and why?" for number in many] + [ELSE])[0]


def _axes(code: str) -> Iterator[tuple[str, str, str]]:
    """(question, across, up) of each call that names axes, and of two that name one each; the question is that of what was drawn before."""
    waiting, asked = {"xlabel": "", "ylabel": ""}, CHANGES
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        names = {word.arg: word.value.value for word in call.keywords if word.arg in waiting and isinstance(word.value, ast.Constant)}
        called = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        asked = next((question for drawing, question in DRAWINGS.items() if drawing.search(called)), asked)
        name = called.removeprefix("set_")
        if name in waiting and call.args and isinstance(call.args[0], ast.Constant):
            waiting[name] = str(call.args[0].value)
        elif len(names) == 2:
            yield asked, str(names["xlabel"]), str(names["ylabel"])
        else:
            waiting |= {key: str(value) for key, value in names.items() if key}
    yield asked, waiting["xlabel"], waiting["ylabel"]


def _head(alt: str) -> str:
    """What a figure shows, without what is found there: the words before the first colon or full stop."""
    head, sign, _ = alt.partition(":")
    first, *rest = re.split(r"(?<=[a-z)])\. (?=[A-Z])", head)
    head, sign = first, sign or "." * bool(rest)
    head = _short(head)
    return head if sign and head and head.split()[0] not in ("Left", "Right", "Above") and len(head.split()) > 2 else ""


def _short(words: str) -> str:
    """These words, or where they are too many those before the first comma; nothing where a quotation is cut."""
    words = words if len(words.split()) <= HEAD else re.split(r", (?=[a-z])", words)[0]
    whole = len(re.findall(r"(?<!\w)'|'(?!\w)", words)) % 2 == 0
    return words if whole and len(words.split()) <= HEAD else ""


def _printed(drawn: NotebookNode) -> tuple[list[str], list[str]]:
    """What heads the columns of printed numbers, where a line does, and what the rows are about."""
    printed = "".join(output.get("text", "") for output in drawn.outputs if output.output_type == "stream")
    lines = [line for line in printed.splitlines() if line.strip()]
    for row in ROWS:
        found = [said[1].strip(" ,.") for said in map(row.match, lines) if said and not re.search(r"[<>{}\[\]|^]", said[1])]
        labels = [label for label in found if 1 <= len(label) <= 40]
        if len(found) >= max(2, len(lines) / 2) and len(set(labels)) > 1:  # a text that a model wrote has colons, too
            heads = re.split(r"\s{2,}", lines[0].strip())
            return (heads if len(heads) > 1 and not re.search(r"\d", lines[0]) else []), labels
    return [], []


def _about_views(drawn: NotebookNode) -> Iterator[str]:
    for output in drawn.outputs:
        html = output.get("data", {}).get("text/html", "")
        act = "the slider moves" if re.search(r"type=\W*range", html) else "you open one part"
        for name in re.findall(r'role="group" aria-label="([^"]*)"', html):
            if head := _short(unescape(name).split(":")[0]):
                yield f"{head}: what will change when {act}, and what will not? Say it before you do it."


def about_words(heading: str, shown: Iterable[str], said: Iterable[str] = ()) -> Iterator[str]:
    """Of a worked number, of measured ones, of steps and terms that stand side by side, of a reason or a claim."""
    text = "\n".join(block for block in shown if not block.startswith(("|", "```", "$$")))
    if WRITTEN.search(heading):
        yield "Which figure or which number of this lesson would you begin your answer with?"
    worked = (NUMBERS.search(line) for line in text.splitlines() if re.match(r"\*{1,2}Worked", line))
    yield from (
        f"Replace {found[0]} by {'other numbers' if '(' in found[0] else 'another number'}: what changes, and what stays the same?"
        for found in worked
        if found
    )
    yield from _about_bold(text)
    yield from _blanks(text, said)
    measured = MEASURED.findall(IN_BRACKETS.sub("", text))
    yield from (f"Is {number} more or less than you had expected, and why?" for number in dict.fromkeys(measured))
    steps = re.findall(r"^\d+\. (.+?)[.,:;]?$", text, re.MULTILINE)
    yield from (f"Leave out “{step}”: what goes wrong?" for step in steps[1:-1])
    yield from _about_statements(text, said)


def about_anything(heading: str, figure: bool) -> Iterator[str]:
    """What can be asked where a slide offers nothing else."""
    if title := _title(heading):
        if figure:
            yield f"“{title}”: which other input would you try here, and what would you see then?"
        yield f"How would you sum up “{title}” in one sentence?"
        yield f"“{title}”: which question would you still ask?"


def _about_bold(text: str) -> Iterator[str]:
    """Of two terms what they share; of findings in a list which one was not expected; of one term what it is."""
    begins = re.findall(r"^(?:[-*] +|\d+\. +)?\*\*([^*\n]{3,60}?)(\.?)[:,]?\*\*", text, re.MULTILINE)
    terms, findings = ([term for term, stop in begins if bool(stop) == whole] for whole in (False, True))
    yield from (f"What do “{one}” and “{other}” have in common, and where do they differ?" for one, other in pairwise(terms))
    if len(findings) > 1:
        yield f"Which of these did you not expect, and why: {', '.join(f'“{finding}”' for finding in findings[:-1])} or “{findings[-1]}”?"
    yield from (
        f"How would you explain “{term}” to your neighbour, without reading from the slide?" for term in dict.fromkeys(TERM.findall(text))
    )


def _blanks(text: str, said: Iterable[str]) -> Iterator[str]:
    """A sentence that only the lecturer sees, with a blank for what was measured."""
    for sentence in _sentences("\n".join(" ".join(block.split()) for block in said)):
        if (
            sentence not in text
            and "$" not in sentence
            and "`" not in sentence
            and (found := MEASURED.search(IN_BRACKETS.sub("", sentence)))
        ):
            yield f"Which number belongs in the blank? “{sentence.replace(found[1], '____', 1)}”"


def _about_statements(text: str, said: Iterable[str]) -> Iterator[str]:
    """The reason for what has one, best where the slide does not show it; whether it is so where no exception is named."""
    spoken = list(_sentences("\n".join(" ".join(block.split()) for block in said)))
    for sentence in sorted(dict.fromkeys([*spoken, *_sentences(text)]), key=lambda sentence: sentence in text):
        if found := REASON.match(sentence):
            yield f"“{found[1]}.” Why?"
    hidden = [sentence for sentence in spoken if sentence not in text and VIEW.search(sentence) and not SAYS.search(sentence)]
    yield from (f"Do you agree, and why? “{sentence}”" for sentence in hidden)
    for claim in _sentences(text):
        if CLAIM.search(claim):
            yield f"“{claim}” Is it always so? Give a counterexample, or say why there is none."


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
