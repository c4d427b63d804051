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
        (r"z_i = \sum_j a_{ij} v_j", ["the sum over $j$", "Read this aloud without a symbol: $z_i ="]),
        (r"\theta_i = \text{base}^{-2i/d}", [r"What happens to $\theta_i$ as $i$ grows?"]),
        (r"S = \frac{Q K^\top}{\sqrt{d_k}}", [r"division by $\sqrt{d_k}$", "What is the shape of $S$"]),
        (r"\frac 1 n \max_{a'} q(s', a')", ["a mean over $a'$"]),
        (r"c = \tanh(W h)", [r"In which range are the values of $\tanh$"]),
        (r"S_{t+1} \sim T_\eta(S_{t+1} \mid S_t)", ["Draw $S_{t+1}$ twice"]),
        (r"\begin{pmatrix} 1 & 0 \\ 1 & 1 \end{pmatrix}", ["matrix's second row"]),
        (r"P[S', R \mid S] = P[S' \mid S]\, P[R \mid S]", [r"Read this aloud without a symbol: $P[S', R \mid S] ="]),
    ],
)
def test_a_formula_is_asked_about_by_its_own_symbols(formula, asked):
    found = list(questions.about_formulas(f"It is\n\n$${formula}$$"))
    assert all(any(part in question for question in found) for part in asked), found
    assert all(question.count("$") % 2 == 0 for question in found)


def test_a_table_is_asked_about_its_largest_number_or_its_last_column():
    numbers = "| scheme | at 32 | at 64 |\n| --- | --- | --- |\n| none | 54% | 31% |\n| rotary | 100% | 57% |"
    assert next(questions.about_tables(numbers)) == "In which row is “at 32” largest, and why there?"
    words = "| field | meaning |\n| --- | --- |\n| `start` | where it begins |\n| `end` | where it ends |"
    assert list(questions.about_tables(words))[0] == "Cover the column “meaning”: what belongs beside `end`?"


def drawn(code, alt="", printed=""):
    cell = new_code_cell(code, outputs=[new_output("stream", text=printed)] if printed else [])
    return next(questions.about_figures(alt, cell), "")


@pytest.mark.parametrize(
    "code, alt, printed, asked",
    [
        ('ax.plot(x)\nax.set(xlabel="step", ylabel="loss")', "Loss: it falls", "", "How does “loss” change with “step”"),
        (
            "ax.plot(x)\nax.set(xlabel='t', ylabel='y')\nplots.heatmap(a, w, xlabel='key', ylabel='query')",
            "",
            "",
            "How does “y” change with “t”",
        ),
        ("draw()", "Permutation gaps of five layers: none for two", "", "Permutation gaps of five layers: how do the five differ"),
        ("draw()", "A grid of four by four cells: all alike", "", "A grid of four by four cells: what do you see first"),
        (
            "show()",
            "",
            "steps of play  imagined  real\n  50  +0.50  -2.25\n 200  -0.07  +0.55\n",
            "How does “real” change from “50” to “200” (steps of play)",
        ),
        ("show()", "", "18 lis 2043      2043-11-18\nMay 17, 1981     1981-05-17\n", ""),
        ('ax.bar(x, y)\nax.set_xlabel("action")\nax.set_ylabel("share")', "", "", "For which “action” is “share” highest"),
        ("plots.heatmap(ax, w)", "Heat map of a layer's weights: a triangle", "", "Heat map of a layer's weights: where is it darkest"),
        ("show()", "", "GPT-2     2.7 bytes\nown merges  1.9 bytes\n", "“GPT-2” and “own merges”: why do these two rows differ?"),
        ("write()", "", "KING: what 2 do\nand then\nthere was none\nat all\n", ""),
        ("show()", "The tree with the prior wins", "", ""),
    ],
)
def test_a_figure_is_asked_about_by_its_axes_its_name_or_its_rows_and_what_it_shows_is_not_told(code, alt, printed, asked):
    assert drawn(code, alt, printed).startswith(asked) if asked else drawn(code, alt, printed) == ""


@pytest.mark.parametrize(
    "shown, asked",
    [
        ("*Worked number.* With $x = (1, 2)$ it is 4.", "Replace (1, 2) by other numbers"),
        ("- **Query**: what is looked for.\n- **Key**: what is there.", "What do “Query” and “Key” have in common"),
        (
            "- **It gets better.** More play.\n- **It gets worse.** Less.",
            "Which of these did you not expect, and why: “It gets better” or “It gets worse”?",
        ),
        ("**Q-planning** repeats one step.", "How would you explain “Q-planning” to your neighbour"),
        ("Over 5 seeds it is right in 43% of them.", "Is 43% more or less than you had expected"),
        ("1. cut the text,\n2. count all pairs,\n3. merge one.", "Leave out “count all pairs”"),
        (
            "A decoder that looks back never needs a bottleneck of one vector.",
            "“A decoder that looks back never needs a bottleneck of one vector.” Is it always so?",
        ),
    ],
)
def test_words_are_asked_about_by_their_numbers_steps_terms_and_claims(shown, asked):
    assert next(questions.about_words("2 · Scores", [shown])).startswith(asked)


@pytest.mark.parametrize(
    "said, asked",
    [
        (
            "Trained longer it is right in 43% of all the sentences.",
            "Which number belongs in the blank? “Trained longer it is right in ____ of",
        ),
        ("Sarsa needs whole trajectories, since it must know what follows.", "“Sarsa needs whole trajectories.” Why?"),
        ("Longer training makes the second error smaller, not the first.", "Do you agree, and why? “Longer training makes"),
    ],
)
def test_what_only_the_notes_say_is_asked_before_it_is_told(said, asked):
    assert next(questions.about_words("2 · Scores", ["A score is a number."], [said])).startswith(asked)
    assert (
        list(questions.about_words("2 · Scores", ["A score is a number."], ["Special tokens come first, in the order that is given."]))
        == []
    )


@pytest.mark.parametrize("name", layout.lesson_names())
def test_every_slide_of_a_lesson_has_a_question_of_its_own(name):
    """Half of them had one that fits any slide, such as what one sees."""
    mistakes = {exercise: [mistake["sentence"] for mistake in known] for exercise, known in read_manifest(name)["mistakes"].items()}
    asked = [slide.question for slide in slides.slides(lesson_page(name), mistakes)]
    assert len(set(asked)) == len(asked) and slides.WHAT_IS_SEEN not in asked
    fits_any = [
        question for question in asked if "sum up" in question or "which other input" in question or "would you still ask" in question
    ]
    assert len(fits_any) <= len(asked) / 7
