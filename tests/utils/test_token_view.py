"""Tokens as spans and boxes: what is shown, that it is escaped, and that the view fetches nothing."""

import json
import re
import shutil
import subprocess

import pytest
from matplotlib.figure import Figure

from utils import plots
from utils.token_view import draw_tokens, merge_view, token_spans, visible


@pytest.mark.parametrize(
    "token, shown",
    [
        (b" the", "·the"),
        ("a b", "a·b"),
        (b"\n\t", "⏎⇥"),
        ("é".encode(), "é"),
        ("é".encode()[:1], "‹c3›"),
        (b"a\xff", "a‹ff›"),
        ("\u200b", "‹200b›"),
        (b"", ""),
    ],
)
def test_everything_can_be_shown(token, shown):
    assert visible(token) == shown


def test_spans_are_one_a_token_and_escaped():
    html = token_spans([b"<b>", b"&", " x"], "three <i>")
    assert html.count("<span") == 3 and "3 tokens" in html
    assert "&lt;b&gt;" in html and "&amp;" in html and "<b>" not in html and "<i>" not in html


FRAMES = [[b"a", b"b", b"</script>"], [b"ab", b"</script>"]]


def frames_in(html):
    return json.loads(re.search(r"frames = (\[.*?\]), colours = ", html).group(1))


def test_the_view_holds_its_frames_and_shows_the_last():
    html = merge_view(FRAMES, ["nothing <yet>", "a + b"])
    assert frames_in(html) == [["nothing <yet>", ["a", "b", "</script>"]], ["a + b", ["ab", "</script>"]]]
    assert html.count("</script>") == 1, "a token must not be able to end the script"
    before_script = html.split("<script>")[0]
    assert before_script.count("<span") == 2 and "a + b" in before_script


def test_the_view_can_start_elsewhere():
    assert merge_view(FRAMES, ["first", "last"], start=0).split("<script>")[0].count("<span") == 3


def test_the_view_is_self_contained():
    html = merge_view(FRAMES, ["one", "two"]) + token_spans([b"x"])
    assert not re.search(r"https?:|src=|@import|url\(", html)
    plots.show_html(html, still=lambda figure: draw_tokens(figure.subplots(), FRAMES[0]), alt="two frames")


def test_captions_must_match_the_frames():
    with pytest.raises(ValueError, match="captions"):
        merge_view(FRAMES, ["one"])
    with pytest.raises(ValueError, match="captions"):
        merge_view([], [])


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node to run the view's script")
def test_moving_the_slider_shows_the_frame():
    script = re.search(r"<script>(.*?)</script>", merge_view(FRAMES, ["one", "two"]), re.DOTALL).group(1)
    page = """
    const slider = {value: 0, addEventListener: (event, act) => { slider.act = act; }}, shown = {}, caption = {};
    const box = {replaceChildren: (...spans) => { box.spans = spans; }};
    const root = {querySelector: name => ({input: slider, output: shown, p: caption, ".tokens": box})[name]};
    const document = {currentScript: {parentElement: root}, createElement: () => ({style: {}})};
    """
    report = "slider.act(); console.log(JSON.stringify([shown.textContent, caption.textContent, box.spans.map(s => s.textContent)]));"
    done = subprocess.run(["node", "-e", page + script + ";" + report], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [0, "one", ["a", "b", "</script>"]]


def test_boxes_wrap_and_are_as_many_as_tokens():
    ax = Figure(figsize=(4, 2)).subplots()
    draw_tokens(ax, [b"token"] * 10, columns=20, caption="ten")
    assert len(ax.patches) == len(ax.texts) == 10
    lines = {round(text.get_position()[1]) for text in ax.texts}
    assert lines == {0, -1, -2, -3} and ax.get_title(loc="left") + ax.get_title() == "ten: 10 tokens"
