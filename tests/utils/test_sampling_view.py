"""The view of temperature and top-p shows what the function does, and fetches nothing."""

import json
import re

import pytest
import torch

from utils import plots
from utils.sampling_view import TEMPERATURES, TOP_PS, sampling_view, visible

LOGITS = torch.linspace(2, -2, 20)
TOKENS = [*"abcdefghijklmnop", " ", "\n", "</script>", "é"]


def always(token):
    def sample(logits, temperature, top_k, top_p, generator):
        assert logits.shape == (50, 20) and top_k is None and (top_p is None or 0 < top_p < 1)
        return torch.full(logits.shape[:-1], token)

    return sample


def facts(html):
    return json.loads(re.search(r"const facts = (\{.*\});", html).group(1))


def test_the_bars_are_shares_of_draws():
    view = sampling_view(always(3), LOGITS, TOKENS, "What s", draws=50)
    data = facts(view.html)
    assert len(data["shares"]) == len(TEMPERATURES) and len(data["shares"][0]) == len(TOP_PS)
    for row in (row for rows in data["shares"] for row in rows):
        *bars, rest, different = row
        assert bars[3] == 1.0 and sum(bars) == 1.0 and rest == 0.0 and different == 1
    assert data["names"][3] == "d" and data["names"][-1] == "rest"


def test_a_token_outside_the_bars_counts_as_the_rest():
    *bars, rest, _ = facts(sampling_view(always(19), LOGITS, TOKENS, "", draws=50).html)["shares"][0][0]
    assert sum(bars) == 0 and rest == 1.0


def test_the_sliders_settings_reach_the_function():
    seen = []

    def sample(logits, temperature, top_k, top_p, generator):
        seen.append((temperature, top_p))
        return logits.argmax(-1)

    sampling_view(sample, LOGITS, TOKENS, "", draws=5)
    assert seen == [(t, None if p == 1.0 else p) for t in TEMPERATURES for p in TOP_PS]


def test_the_page_is_self_contained_and_no_token_breaks_it():
    view = sampling_view(always(0), LOGITS.flip(0), TOKENS, "</script><b>\n", draws=50)
    assert view.html.count("</script>") == 1 and "<b>" not in view.html
    assert not re.search(r"https?://(?!www\.w3\.org/)|src=|@import|url\(", view.html)
    assert "%" not in re.sub(r'100%|"%"|\d%|in %', "", view.html), "every placeholder is filled"


def test_the_still_picture_is_drawn():
    view = sampling_view(always(2), LOGITS, TOKENS, "x", draws=50)
    assert plots.render(view.draw).startswith(b"\x89PNG") and "temperatures" in view.alt


@pytest.mark.parametrize("token, seen", [(" ", "␣"), ("\n", "↵"), ("a", "a")])
def test_invisible_tokens_are_made_visible(token, seen):
    assert visible(token) == seen


def test_an_unwritten_function_says_so():
    def sample(*_):
        raise NotImplementedError("sample_next is not written yet")

    with pytest.raises(NotImplementedError):
        sampling_view(sample, LOGITS, TOKENS, "")
