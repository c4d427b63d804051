"""Slides: what is to be seen is on them, what is to be said is in the notes, no hint and no answer anywhere, nothing from a network."""

from __future__ import annotations

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from autograde import layout
from autograde.authoring import notebooks, source
from autograde.site import slides, typeset

INTRO = """# 03 · Self-attention

Words look at words. This is why.

## 1 · Scores

A score says how well a word fits. But how large is it? It grows with the length.

$$s = q^\\top k$$

*Worked number.* With 64 numbers a score is about 8.

| word | score |
| --- | --- |
| *Thinking* | 14 |

- **Query.** What is looked for. More words about it.
- **Key.** What is there.

<details><summary>Hint 1</summary>

$$the hint$$
</details>

### Exercise 1 · `attention_scores` (●○○, 8 minutes, 3 points)

Divide by the root."""

LONG = " And more" + ", and more" * 20 + "."  # a second sentence that a short one does not take along


def made(*cells):
    return slides.slides(new_notebook(cells=list(cells)))


def figure(alt):
    cell = new_code_cell("draw()", outputs=[new_output("display_data", {"image/png": "AAAA"})])
    cell.metadata["mystnb"] = {"image": {"alt": alt}}
    return cell


def test_equations_worked_numbers_tables_and_figures_are_seen_and_prose_is_said():
    title, *parts = made(
        new_markdown_cell(INTRO),
        new_code_cell("def attention_scores(q, k):\n    raise NotImplementedError"),
        new_code_cell("def helper():\n    pass"),
        figure("Two lines cross"),
    )
    assert (title.heading, title.shown) == ("03 · Self-attention", ["Words look at words. This is why."])
    scores = [slide for slide in parts if slide.heading == "1 · Scores"]
    seen = "\n".join(block for slide in scores for block in slide.shown)
    for wanted in ("$$s = q^\\top k$$", "*Worked number.*", "| *Thinking* | 14 |", "**Query.**"):
        assert wanted in seen
    assert "It grows with the length" not in seen and "More words" not in seen
    said = "\n".join(block for slide in scores for block in slide.said)
    assert "It grows with the length" in said and "More words" in said
    assert scores[0].question == "But how large is it?"
    exercise, shown = [slide for slide in parts if slide.heading == "Exercise 1 · `attention_scores`"]
    assert "def attention_scores(q, k):" in exercise.shown[-1] and shown.figure and "Two lines cross" in shown.said[0]
    assert "hint" not in str([(slide.shown, slide.said) for slide in [title, *parts]])


def test_a_slide_is_never_crowded():
    many = "## Many\n\n" + "\n\n".join(f"$$x_{i}$$" for i in range(8))
    found = made(new_markdown_cell("# Title"), new_markdown_cell(many))[1:]
    assert [len(slide.shown) for slide in found] == [3, 3, 2] and {slide.heading for slide in found} == {"Many"}
    table = "## Long\n\n| a | b |\n| --- | --- |\n" + "\n".join(f"| {i} | {i} |" for i in range(30))
    assert made(new_markdown_cell("# Title"), new_markdown_cell(table))[1:] == []


@pytest.mark.parametrize("name", layout.lesson_names())
def test_a_lessons_slides_hold_no_answer_and_no_hint(name, monkeypatch):
    """Made from the student's version, without figures: whether these are up to date is the site's to test."""
    lesson = source.read(layout.source_path(name))
    monkeypatch.setattr(slides, "lesson_page", lambda name: notebooks.student_notebook(lesson))
    deck = slides.deck(name)
    text = "\n".join(cell.source for cell in deck.cells)
    assert len(deck.cells) > 40 and "Hint" not in text and "YOUR ANSWER" not in text and "{measured:" not in text
    hints = [hint for cell in lesson.cells for hint in re.findall(r"<summary>Hint \d</summary>\s*(.{20,60})", cell.source)]
    assert [hint for hint in hints if hint in text] == []
    for exercise in lesson.exercises.values():
        assert re.search(rf"```python\n(?:.*\n)*?(?:def|class) {exercise.name}\b", text) or exercise.outcome, "every exercise has its slide"
    kinds = [cell.metadata["slideshow"]["slide_type"] for cell in deck.cells]
    assert kinds[0] == "slide" and kinds.count("notes") == kinds.count("slide") + kinds.count("subslide")
    asked = sum(cell.source.startswith("**Ask:**") for cell in deck.cells if cell.metadata["slideshow"]["slide_type"] == "notes")
    assert asked >= len(lesson.exercises) / 2


@pytest.mark.parametrize(
    "after, beside",
    [
        ("The row of *you* is the darkest.", True),
        ("| word | score |\n| --- | --- |\n| *Thinking* | 14 |", False),
        ("The row is dark:\n\n$$s = q^\\top k$$", False),
    ],
)
def test_beside_a_figure_there_is_room_for_a_sentence_and_for_no_table_or_formula(after, beside):
    exercise = new_code_cell("def attention_scores(q, k):\n    raise NotImplementedError")
    found = made(new_markdown_cell(INTRO), exercise, figure("Two lines"), new_markdown_cell(after))
    at = next(number for number, slide in enumerate(found) if slide.figure)
    assert bool(found[at].shown) == beside and len(found[at + 1 :]) == (0 if beside else 1)
    assert beside or after.split("\n")[-1] in "\n".join(found[at + 1].shown)


def test_a_list_that_follows_a_sentence_at_once_is_no_part_of_it():
    cells = [new_markdown_cell("## The table, drawn\n\nRead it row by row.\n- **Content.** It is pale.\n- **Dot.** It is not.")]
    [slide] = slides.slides(new_notebook(cells=cells))
    assert slide.shown == ["Read it row by row."] and "It is pale." in slide.said[0]


@pytest.mark.parametrize(
    "text", ["**planning**: `n` times, pick a pair.", "The idea: **use the model to draw samples.**", 'A colleague says: "64 numbers."']
)
def test_what_stands_behind_a_colon_is_part_of_a_sentence(text):
    """Without it the slide would announce something and not show it."""
    assert slides._first(text + LONG) == text


def test_of_a_long_sentence_what_stands_before_its_colon_is_shown():
    assert slides._first("Three games: *one*" + ", another" * 70 + ".") == "Three games:"


def test_a_bar_within_code_in_a_table_is_shown_without_its_backslash():
    cells = [new_markdown_cell("## Back\n\n| text | result |\n| --- | --- |\n| `+0.9 \\| a <b>` | `None` |")]
    [slide] = slides.slides(new_notebook(cells=cells))
    assert "<code>+0.9 &#124; a &lt;b&gt;</code> | `None` |" in slide.shown[0]


@pytest.mark.parametrize("line", ["*●○○ · 10 minutes · 1 point*", "*3 points*", "*3 points, graded by a person.*"])
def test_an_exercises_effort_and_points_are_not_shown(line):
    """They are of use to who does it alone; the line stands right below the heading."""
    [slide] = slides.slides(
        new_notebook(cells=[new_markdown_cell(f"## 9 · What decays\n\n{line}\n\nWeights shrink a little. Gains do not.")])
    )
    assert slide.shown == ["Weights shrink a little. Gains do not."] and line not in "".join(slide.said)


@pytest.mark.parametrize(
    "text", ["Cheng et al. (2016) put attention inside an LSTM.", "After R. Sutton and A. Barto (2018) it is a table."]
)
def test_an_abbreviation_does_not_end_a_sentence(text):
    assert slides._first(text + LONG) == text


@pytest.mark.parametrize("label", ["**Padding.**", "*Worked example.*", "Everything is there."])
def test_a_short_sentence_takes_the_next_along(label):
    """Alone on a slide it says nothing."""
    both = f"{label} Weights of words that are not there are zero."
    assert slides._first(f"{both} And more.") == both
    assert slides._first(label + LONG) == label and slides._first(f"{label} It is this:") == label


@pytest.mark.parametrize(
    "text, shown",
    [
        ("at $x$. And ($\\tau = 1$), $y$ alone", "at $x\\text{.}$ And ($\\tau = 1\\text{),}$ $y$ alone"),
        ("`$x$.` and ``a ` $x$.`` and $$x$$. and \\$5, $x$ 1", "`$x$.` and ``a ` $x$.`` and $$x$$. and \\$5, $x$ 1"),
    ],
)
def test_a_mark_stays_with_its_formula(text, shown):
    """To a browser a formula is a picture, behind which a line may end: the next one began with a point."""
    assert typeset.glued(text) == shown


def test_a_display_ends_without_the_comma_that_led_on():
    assert typeset.alone("$$\nx, \\quad y,\n$$") == "$$\nx, \\quad y$$" and typeset.alone("$$x, y$$ and more,") == "$$x, y$$ and more,"


def test_printed_columns_stand_near_each_other_where_a_line_is_long():
    """A table of 118 columns was broken into two lines a row."""
    wide = "steps" + " " * 60 + "wrong\n50" + " " * 64 + "1.4%\n\n"
    assert typeset.narrowed(wide) == "steps   wrong\n50       1.4%\n\n"
    assert typeset.narrowed("a" + " " * 20 + "b") == "a" + " " * 20 + "b"


def test_a_figure_stands_on_the_slide_that_leads_to_it():
    lead = new_markdown_cell("## Why the root?\n\nLet the numbers in both be independent, with mean 0 and variance 1.")
    [slide] = slides.slides(new_notebook(cells=[lead, figure("Two lines cross")]))
    assert slide.figure and slide.shown and slide.said[0] == "The figure: Two lines cross."


def test_what_follows_an_exercise_is_headed_by_its_section():
    """It leads to a figure, or to the next exercise."""
    code = new_code_cell("def attention_scores(q, k):\n    raise NotImplementedError")
    *_, exercise, after = made(
        new_markdown_cell(INTRO), code, new_markdown_cell("Here are queries and keys with the lecture's numbers, 112 and 96.")
    )
    assert exercise.asks and (after.heading, len(after.shown)) == ("1 · Scores", 1)


def test_a_worked_number_that_a_formula_ends_stays_with_it():
    text = "## 6 · A penalty\n\nOne formula and nothing else is told of the distance here.\n\n$$a$$\n\n$$b$$\n\n*Worked number.* For three words, head 1 has\n\n$$c$$"
    first, last = slides.slides(new_notebook(cells=[new_markdown_cell(text)]))
    assert len(first.shown) == 3 and "head 1 has" in last.shown[0] and "$$c$$" in last.shown[0]


@pytest.mark.parametrize("name", layout.lesson_names())
def test_the_notes_of_every_slide_hold_a_question(name):
    said = [cell.source for cell in slides.deck(name).cells if cell.metadata["slideshow"]["slide_type"] == "notes"]
    assert [text[:80] for text in said if not re.match(r"\*\*Ask:\*\* .*\?", text)] == []


EXERCISE = """class Layer(nn.Module):
    \"\"\"One head: projections without bias,
    and nothing else.

    More, which is not shown.
    \"\"\"

    def forward(
        self, x
    ):
        \"\"\"The output.\"\"\"
        raise NotImplementedError"""


def test_an_exercise_shows_what_is_to_be_written():
    """A signature alone says little to an audience."""
    [slide] = made(new_markdown_cell("## Exercise 1 · `Layer`"), new_code_cell(EXERCISE))
    shown = "class Layer(nn.Module):\n    # One head: projections without bias,\n    # and nothing else.\n    def forward(\n        self, x\n    ):"
    assert slide.shown == [f"{slides.CODE}\n{shown}\n```"] and slide.exercise == "Layer"


def test_an_exercise_asks_about_a_known_mistake_and_no_question_is_asked_twice():
    cells = [new_markdown_cell("## 1 · Part"), new_markdown_cell("### Exercise 1 · `Layer`\n\nOf any size."), new_code_cell(EXERCISE)]
    told = "How would you sum up “{}” in one sentence?".format
    [*_, exercise] = slides.slides(new_notebook(cells=cells), {"Layer": ["The bias is there."]})
    assert exercise.question == slides.ABOUT_A_MISTAKE.format("The bias is there.")
    text = "## 1 · Part\n\nIt grows. How fast does it grow with n?\n\n### Next\n\nNo question.\n\n### Last\n\nWhat had you expected there? It ends."
    asked = [slide.question for slide in made(new_markdown_cell(text + "\n\n## 2 · Other\n\nNothing."))]
    assert asked == ["How fast does it grow with n?", told("Next"), "What had you expected there?", told("Other")]
    first = made(new_markdown_cell("## 1 · Part\n\nSay it.\n\n### Next\n\nHow fast does it grow? Why does it ever stop?"))
    assert [slide.question for slide in first] == ["Why does it ever stop?", "How fast does it grow?"]


def test_a_short_question_comes_with_the_sentence_before_it():
    [slide] = made(new_markdown_cell("## 1 · Part\n\nIt was a *good* rule. The model has *found it. Has it?*"))
    assert slide.question == "The model has *found it. Has it?*"
