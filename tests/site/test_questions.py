"""What a lecturer is given to ask is about the slide that is shown: a rule for each kind of content, and no slide without."""

from __future__ import annotations

import pytest
from nbformat.v4 import new_code_cell, new_output

from autograde import layout
from autograde.checking.manifest import read_manifest
from autograde.site import questions, slides
from autograde.site.lessons import lesson_page


@pytest.mark.parametrize(
    "formula, asked",
    [
        (r"q \leftarrow q + \alpha\,[\, r - q \,]", ["When does $q$ stop", r"for $\alpha = 0$, and what for $\alpha = 1$"]),
        (r"z_i = \sum_j a_{ij} v_j", ["the sum over $j$", "Of which shape is $z_i$"]),
        (r"S = \frac{Q K^\top}{\sqrt{d_k}}", [r"division by $\sqrt{d_k}$"]),
        (r"\frac 1 n \max_{a'} q(s', a')", ["a mean over $a'$"]),
        (r"c = \tanh(W h)", [r"Which numbers can $\tanh$ give"]),
        (r"S_{t+1} \sim T_\eta(S_{t+1} \mid S_t)", ["Draw $S_{t+1}$ twice"]),
        (r"\begin{pmatrix} 1 & 0 \\ 1 & 1 \end{pmatrix}", ["second row aloud"]),
    ],
)
def test_a_formula_is_asked_about_by_its_own_symbols(formula, asked):
    found = list(questions.about_formulas(f"It is\n\n$${formula}$$"))
    assert all(any(part in question for question in found) for part in asked), found
    assert all(question.count("$") % 2 == 0 for question in found)


def test_a_table_is_asked_about_its_largest_number_or_its_last_column():
    numbers = "| scheme | at 32 | at 64 |\n| --- | --- | --- |\n| none | 54% | 31% |\n| rotary | 100% | 57% |"
    assert next(questions.about_tables(numbers)) == "In which row is “at 32” the largest, and why there?"
    words = "| field | meaning |\n| --- | --- |\n| `start` | where it begins |\n| `end` | where it ends |"
    assert list(questions.about_tables(words))[0] == "Why does “meaning” say what it says beside `end`?"


def drawn(code, alt="", printed=""):
    cell = new_code_cell(code, outputs=[new_output("stream", text=printed)] if printed else [])
    return next(questions.about_figures(alt, cell), "")


@pytest.mark.parametrize(
    "code, alt, printed, asked",
    [
        ('ax.plot(x)\nax.set(xlabel="step", ylabel="loss")', "Loss: it falls", "", "Follow “loss” over “step”"),
        ('ax.bar(x, y)\nax.set_xlabel("action")\nax.set_ylabel("share")', "", "", "For which “action” is “share” the highest"),
        ("plots.heatmap(ax, w)", "Heat map of a layer's weights: a triangle", "", "Heat map of a layer's weights: where is it darkest"),
        ("show()", "", "GPT-2     2.7 bytes\nown merges  1.9 bytes\n", "Compare “GPT-2” with “own merges”"),
        ("write()", "", "KING: what 2 do\nand then\nthere was none\nat all\n", ""),
        ("show()", "The tree with the prior wins", "", ""),
    ],
)
def test_a_figure_is_asked_about_by_its_axes_its_name_or_its_rows_and_what_it_shows_is_not_told(code, alt, printed, asked):
    assert drawn(code, alt, printed).startswith(asked) if asked else drawn(code, alt, printed) == ""


@pytest.mark.parametrize(
    "shown, asked",
    [
        ("*Worked number.* With $x = (1, 2)$ it is 4.", "Put other numbers in place of (1, 2)"),
        ("- **Query.** What is looked for.\n- **Key.** What is there.", "“Query” and “Key”"),
        ("Over 5 seeds it is right in 43% of them.", "What had you guessed in place of 43%"),
        ("1. cut the text,\n2. count all pairs,\n3. merge one.", "Leave out “count all pairs”"),
        (
            "A decoder that looks back never needs a bottleneck of one vector.",
            "“A decoder that looks back never needs a bottleneck of one vector.” Always?",
        ),
        ("A layer owns its three matrices and learns them.", "“A layer owns its three matrices and learns them.” What follows"),
        ("Here is more.", "“Scores”: what would you tell"),
    ],
)
def test_words_are_asked_about_by_their_numbers_steps_terms_and_claims(shown, asked):
    assert next(questions.about_words("2 · Scores", [shown])).startswith(asked)


@pytest.mark.parametrize("name", layout.lesson_names())
def test_every_slide_of_a_lesson_has_a_question_of_its_own(name):
    """Half of them had one that fits any slide, such as what one sees."""
    mistakes = {exercise: [mistake["sentence"] for mistake in known] for exercise, known in read_manifest(name)["mistakes"].items()}
    asked = [slide.question for slide in slides.slides(lesson_page(name), mistakes)]
    assert len(set(asked)) == len(asked) and slides.WHAT_IS_SEEN not in asked
    assert sum("somebody who was not here" in question for question in asked) <= len(asked) / 8
