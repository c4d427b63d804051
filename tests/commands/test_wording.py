"""How many of something, in words; where a name breaks on a narrow screen."""

import pytest

from autograde.wording import breakable, counted


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 points"), (1, "1 point"), (1.0, "1 point"), (1.5, "1.5 points"), (2, "2 points"), (1234567, "1234567 points")],
)
def test_one_is_said_as_one(number, words):
    assert counted(number, "point") == words


@pytest.mark.parametrize(
    ("name", "html"),
    [
        ("scaled_dot_product", "scaled_<wbr>dot_<wbr>product"),
        ("SelfAttention", "Self<wbr>Attention"),
        ("_a<b", "_<wbr>a&lt;b"),
        ("GPT", "GPT"),
        ("causal", "causal"),
    ],
)
def test_a_name_breaks_between_its_words_and_nowhere_else(name, html):
    assert breakable(name) == html
