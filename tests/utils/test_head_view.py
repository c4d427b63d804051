"""The view of heads: what it holds, what it refuses, and (where Node is installed) what its script does."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
import torch
from matplotlib.figure import Figure

from utils import plots
from utils.head_view import draw_heads, head_view

ROWS, COLUMNS = ["The", "FBI", "chases"], ["a", "criminal", "on", "the run"]
WEIGHTS = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0)).mul(2).softmax(-1)
NASTY = ["</script><script>alert(1)</script>", '" onload="x', "a & b < c", "'", "é 🙂 \u2028"]
VOID = {"rect", "path", "img", "br"}


class Tree(HTMLParser):
    """The elements of a page as nested dictionaries; unbalanced tags are an error."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.root = {"tag": "page", "attributes": {}, "children": [], "text": ""}
        self.open = [self.root]
        self.feed(text)
        self.close()
        assert self.open == [self.root], f"never closed: {[e['tag'] for e in self.open[1:]]}"

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "attributes": {k: v or "" for k, v in attrs}, "children": [], "text": ""}
        self.open[-1]["children"].append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop()["tag"] == tag

    def handle_data(self, data):
        self.open[-1]["text"] += data

    def find(self, tag, name=None):
        """Every element of this tag (and class)."""
        found, waiting = [], [self.root]
        while waiting:
            element = waiting.pop(0)
            waiting = element["children"] + waiting
            if element["tag"] == tag and (name is None or name in element["attributes"].get("class", "").split()):
                found.append(element)
        return found


def test_a_reader_without_scripts_sees_one_head_and_one_token():
    page = Tree(head_view(ROWS, WEIGHTS, COLUMNS, head=1, row=2))
    assert [e["text"] for e in page.find("text", "number")] == [f"{x:.2f}" for x in WEIGHTS[1, 2].tolist()]
    assert [e["attributes"]["aria-pressed"] for e in page.find("g", "row")] == ["false", "false", "true"]
    assert "hidden" in page.find("div", "heads")[0]["attributes"], "buttons that do nothing must not be shown"
    assert len(page.find("path", "link")) == len(COLUMNS)


def test_the_view_fetches_nothing():
    page = head_view(ROWS, WEIGHTS, COLUMNS)
    assert not re.search(r"//|@import|url\(|<link|<img|fetch|XMLHttp|import\(|require", page.replace("</", "<"))
    plots.show_html(page, still=lambda figure: draw_heads(figure, ROWS, WEIGHTS, COLUMNS), alt="heads")


def test_tokens_cannot_become_markup():
    weights = torch.full((1, 5, 5), 0.2)
    page = Tree(head_view(NASTY, weights))
    assert len(page.find("script")) == 1
    assert [e["children"][1]["text"] for e in page.find("g", "row")] == NASTY
    assert json.loads(page.find("div")[0]["attributes"]["data-view"])["rows"] == NASTY
    assert all(not name.startswith("on") for e in page.find("g") + page.find("svg") for name in e["attributes"])


def test_the_same_weights_give_the_same_page():
    assert head_view(ROWS, WEIGHTS, COLUMNS) == head_view(ROWS, WEIGHTS.clone(), COLUMNS)
    assert head_view(ROWS, WEIGHTS, COLUMNS) != head_view(ROWS, WEIGHTS.flip(0), COLUMNS)


def test_weights_in_training_and_in_float64_are_welcome():
    page = Tree(head_view(ROWS, WEIGHTS.double().requires_grad_(), COLUMNS))
    data = json.loads(page.find("div")[0]["attributes"]["data-view"])
    assert torch.allclose(torch.tensor(data["weights"]), WEIGHTS, atol=6e-4)


@pytest.mark.parametrize(
    "weights, options, said",
    [
        (WEIGHTS[0], {}, "shape"),
        (WEIGHTS.mT, {}, "shape"),
        (WEIGHTS[:0], {}, "shape"),
        (WEIGHTS, {"head": 2}, "head = 2"),
        (WEIGHTS, {"row": -1}, "row = -1"),
        (WEIGHTS * float("nan"), {}, "NaN"),
    ],
)
def test_wrong_arguments_are_named(weights, options, said):
    with pytest.raises(ValueError, match=said):
        head_view(ROWS, weights, COLUMNS, **options)


@pytest.mark.parametrize("n_heads, panels", [(1, 1), (3, 3), (5, 8)])
def test_the_still_picture_has_a_panel_for_each_head(n_heads, panels):
    figure = Figure()
    draw_heads(figure, ROWS, WEIGHTS[:1].expand(n_heads, -1, -1), COLUMNS)
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles == [f"head {i + 1}" for i in range(n_heads)] and len(figure.axes) == panels + 1


# Just enough of a browser's document for the view's script: elements with attributes, text, classes and listeners.
BROWSER = """
const {page, script, steps} = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const everything = [];
function build(spec) {
  const e = {tag: spec.tag, attributes: {...spec.attributes}, textContent: spec.text, heard: {}, properties: {}};
  e.hidden = 'hidden' in spec.attributes;
  e.children = spec.children.map(build);
  e.getAttribute = k => e.attributes[k];
  e.setAttribute = (k, v) => { e.attributes[k] = String(v); };
  e.style = {setProperty: (k, v) => { e.properties[k] = v; }};
  e.addEventListener = (k, f) => { e.heard[k] = f; };
  e.focus = () => { global.focused = e; };
  e.querySelectorAll = s => below(e).filter(x => s[0] === '.' ? (x.attributes.class || '').split(' ').includes(s.slice(1)) : x.tag === s);
  everything.push(e);
  return e;
}
const below = e => e.children.flatMap(c => [c, ...below(c)]);
build(page);
global.document = {querySelectorAll: s => {
  const id = /id="([^"]+)"/.exec(s)[1];
  return everything.filter(e => e.attributes.id === id && !('data-ready' in e.attributes));
}};
eval(script);
eval(script);  // a page may hold the same view twice; a second run must not wire the first one again
const root = everything.find(e => (e.attributes.id || '').startsWith('head-view'));
const state = () => ({
  words: root.querySelectorAll('p')[0].textContent, numbers: root.querySelectorAll('.number').map(e => e.textContent),
  paths: root.querySelectorAll('.link').map(e => e.attributes.d),
  pressed: root.querySelectorAll('.row').map(e => e.attributes['aria-pressed']),
  heads: root.querySelectorAll('button').map(e => e.attributes['aria-pressed']), hidden: root.querySelectorAll('.heads')[0].hidden,
  colour: root.properties['--head'],
});
const states = [state()];
for (const [what, index, event, key] of steps) {
  root.querySelectorAll(what)[index].heard[event]({key, preventDefault() {}});
  states.push(state());
}
console.log(JSON.stringify(states));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="Node runs the view's script; it is not installed")
def test_a_reader_picks_a_head_and_a_token():
    page = Tree(head_view(ROWS, WEIGHTS, COLUMNS))
    steps = [("button", 1, "click", ""), (".row", 2, "click", ""), (".row", 2, "keydown", "ArrowUp"), (".row", 0, "keydown", "Enter")]
    steps += [(".row", 0, "keydown", "ArrowUp"), (".row", 1, "keydown", "x")]  # nothing above the first, and a key of no meaning
    given = json.dumps({"page": page.root["children"][0], "script": page.find("script")[0]["text"], "steps": steps})
    states = json.loads(subprocess.run(["node", "-e", BROWSER], input=given, capture_output=True, text=True, check=True, timeout=60).stdout)
    for state, (head, row) in zip(states, [(0, 0), (1, 0), (1, 2), (1, 1), (1, 0), (1, 0), (1, 0)], strict=True):
        weights = WEIGHTS[head, row]
        assert [abs(float(n) - w) < 0.0061 for n, w in zip(state["numbers"], weights.tolist())] == [True] * 4
        assert state["pressed"] == [str(i == row).lower() for i in range(3)] and state["heads"] == [
            str(i == head).lower() for i in range(2)
        ]
        assert state["words"].startswith(f"Head {head + 1}, “{ROWS[row]}” looks at “{COLUMNS[weights.argmax()]}”")
        assert state["colour"] == plots.CYCLE[head] and state["hidden"] is False
        still = Tree(head_view(ROWS, WEIGHTS, COLUMNS, head=head, row=row))
        assert state["paths"] == [e["attributes"]["d"] for e in still.find("path", "link")], "the script draws what Python draws"
