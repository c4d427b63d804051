"""The tree shows what the model says and how often, and the page fetches nothing."""

import itertools
import json
import re

import matplotlib
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.text import Text

from utils import plots
from utils.rollout_view import brief, colour, rollout_view

HALL = "you are in the hall . the study is locked . you carry the key ."


def counting():
    """'a' alternates between two outcomes, three to one; 'b' ends; 'c' gives nothing."""
    turns = itertools.cycle([(0.1, "x", False)] * 3 + [(-0.2, "</script><b>", False)])

    def sample(obs, action):
        return {"a": lambda: next(turns), "b": lambda: (0.9, "y", True), "c": lambda: None}[action]()

    return sample


def view(depth=2):
    return rollout_view(counting(), HALL, lambda obs: ["a", "b", "c"], draws=8, depth=depth)


def facts(html):
    return json.loads(re.search(r"const tree = (\{.*\});", html).group(1))


def test_shares_are_counted():
    tree = view().tree
    assert [(n.action, n.text, n.share) for n in tree.children[:2]] == [("a", "x", 0.75), ("a", "</script><b>", 0.25)]
    ended, nothing = tree.children[2:]
    assert ended.note == "+0.9, the end" and not ended.children
    assert nothing.note == "unusable" and nothing.share == 1 and not nothing.children
    assert len(tree.children[0].children) == 4 and not tree.children[1].children, "only the likeliest outcome is followed"


def test_the_page_holds_the_tree_and_fetches_nothing():
    html = view().html
    assert facts(html)["children"][0]["share"] == 0.75
    assert html.count("</script>") == 1 and "<b>" not in html
    assert not re.search(r"https?://(?!www\.w3\.org/)|src=|@import|url\(", html)
    assert not re.search(r"%[A-Z]+%", html), "every placeholder is filled"


def test_the_still_picture_is_drawn():
    assert plots.render(view().draw).startswith(b"\x89PNG")


@pytest.mark.parametrize("actions", [["wait"], ["unlock door", "take apple", "go north", "go south"]])
def test_the_words_of_the_still_picture_are_large_and_within_their_boxes(actions):
    """As large as those of other figures, however many outcomes there are."""
    turns = itertools.cycle(
        [(0.9, HALL.replace("locked", "open").replace("key", "key and the apple"), True), None, (-0.1, "z" * 90, False)]
    )
    still = rollout_view(lambda obs, action: next(turns), HALL, lambda obs: actions, draws=9).draw
    with matplotlib.rc_context(plots.STYLE):
        figure = Figure(figsize=(7.6, 3.4), layout="constrained", dpi=110)
        still(figure)
        figure.draw_without_rendering()
    boxes = [box.get_window_extent() for box in figure.findobj(FancyBboxPatch)]
    words = [text for text in figure.findobj(Text) if text.get_text()]
    assert len(words) == len(boxes) > 3
    assert min(text.get_fontsize() for text in words) >= plots.STYLE["font.size"]
    for text in words:
        ends = text.get_window_extent()
        assert any(b.x0 < ends.x0 and ends.x1 < b.x1 and b.y0 < ends.y0 and ends.y1 < b.y1 for b in boxes), text.get_text()
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


def test_surer_is_darker():
    assert colour(0) == "#dbeaf7" and colour(1) == "#08519c" and colour(0.4) != colour(0.6)


def test_boxes_are_brief():
    assert brief(HALL) == "hall · key"
    assert brief("you are in the garden . the study is open . you carry the key and the apple .") == "garden · key, apple · open"
    assert len(brief("z" * 90)) <= 26 and brief("you are in the") == "you are in the"
