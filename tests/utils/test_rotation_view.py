"""The view of turned queries and keys shows the numbers it is given, and needs nothing from outside."""

import json
import re
from html.parser import HTMLParser

import pytest
import torch

from utils.rotation_view import rotation_view


def turned(vector, n):
    """A vector of pairs, turned by complex multiplication for positions 0 … n - 1."""
    pairs = torch.view_as_complex(vector.reshape(-1, 2).double())
    speeds = torch.tensor([1.0, 0.3], dtype=torch.float64)
    return torch.view_as_real(pairs * torch.exp(1j * torch.arange(n)[:, None] * speeds)).flatten(1)


QUERIES, KEYS = turned(torch.tensor([1.0, 0.5, -0.3, 2.0]), 13), turned(torch.tensor([0.2, 1.0, 1.5, 0.0]), 13)


def data_of(html):
    return json.loads(re.search(r"data = (\{.*?\});", html).group(1))


def test_scores_are_the_dot_products_at_every_position_and_offset():
    scores = data_of(rotation_view(QUERIES, KEYS, farthest=5, position=7, offset=2))["scores"]
    assert len(scores) == 8 and all(len(row) == 6 for row in scores)
    for row, numbers in enumerate(scores):
        for offset, number in enumerate(numbers):
            assert float(number) == pytest.approx(float(QUERIES[row + 5] @ KEYS[row + 5 - offset]), abs=6e-4)


def test_turned_vectors_show_one_curve_wherever_the_query_stands():
    curves = data_of(rotation_view(QUERIES, KEYS, farthest=5, position=7, offset=2))["curves"]
    assert all(torch.allclose(torch.tensor(curve), torch.tensor(curves[0]), atol=0.11) for curve in curves)
    unturned = data_of(rotation_view(QUERIES + torch.arange(13)[:, None], KEYS, farthest=5, position=7, offset=2))["curves"]
    assert unturned[0] != unturned[-1]


def test_the_longest_arrow_reaches_the_circle_and_points_up_for_a_positive_second_number():
    tips = data_of(rotation_view(torch.tensor([[0.0, 2.0], [1.0, 0.0]]), torch.zeros(2, 2), farthest=1, position=1, offset=0))["queries"]
    assert tips == [[[240.0, 14.0]], [[266.0, 66.0]]]


def test_the_still_state_is_that_of_the_start():
    html = rotation_view(QUERIES, KEYS, farthest=5, position=9, offset=4)
    data = data_of(html)
    assert f"q · k = {data['scores'][4][4]}</text>" in html
    x, y = data["queries"][9][0]
    assert f'x2="{x}" y2="{y}"' in html
    x, y = data["keys"][5][1]
    assert f'x2="{x}" y2="{y}"' in html


def test_the_page_is_self_contained_and_well_formed():
    html = rotation_view(QUERIES, KEYS, farthest=5, position=9, offset=4)
    assert "http" not in html and "src" not in html and "$" not in html
    assert " id=" not in html, "a page may hold the view twice"
    opened = []

    class Balanced(HTMLParser):
        def handle_starttag(self, tag, attributes):
            if tag != "input":
                opened.append(tag)

        def handle_endtag(self, tag):
            assert opened.pop() == tag

        def handle_startendtag(self, tag, attributes):
            pass

    Balanced().feed(html)
    assert not opened
    assert html.count("aria-label") == 3


@pytest.mark.parametrize(
    "queries, keys, options, named",
    [
        (QUERIES[:, :3], KEYS[:, :3], {}, "queries and keys"),
        (QUERIES, KEYS[:9], {}, "queries and keys"),
        (QUERIES * float("nan"), KEYS, {}, "finite"),
        (QUERIES, KEYS, {"farthest": 13}, "farthest"),
        (QUERIES, KEYS, {"position": 4}, "position"),
        (QUERIES, KEYS, {"position": 13}, "position"),
        (QUERIES, KEYS, {"offset": 6}, "offset"),
        (QUERIES, KEYS, {"offset": -1}, "offset"),
    ],
)
def test_what_cannot_be_drawn_is_refused(queries, keys, options, named):
    with pytest.raises(ValueError, match=named):
        rotation_view(queries, keys, **({"farthest": 5, "position": 9, "offset": 4} | options))
