"""A world model's imagination as a tree: what it says may happen, how often, and what follows.

Every share is counted from draws of the function that is passed in, so the page shows what that function really does.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from textwrap import wrap
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

LOW, HIGH = (219, 234, 247), (8, 81, 156)  # the colours of a share of 0 and of 1
ROW, WIDE, LETTERS = 0.55, 0.41, 29  # of the still picture: inches for a box and its gap, half a box's width, how many letters fit into it


@dataclass
class Node:
    """An observation (or the end of the model's words) with the share of draws that led here, and what follows."""

    text: str
    action: str = ""
    share: float = 1.0
    note: str = ""
    children: list[Node] = field(default_factory=list)


@dataclass(frozen=True)
class RolloutView:
    """The page, the still picture, and the tree behind both."""

    html: str
    draw: Callable[[Figure], Any]
    tree: Node


def rollout_view(
    sample: Callable[[str, str], tuple[float, str, bool] | None],
    obs: str,
    actions: Callable[[str], Sequence[str]],
    draws: int = 30,
    depth: int = 3,
    widest: int = 3,
) -> RolloutView:
    """Draw `draws` outcomes of every action with `sample(obs, action)`, and again from each outcome, `depth` steps deep.

    At most the `widest` most frequent outcomes of an action are shown; only the most frequent one is followed further.
    """
    tree = grow(sample, obs, actions, draws, depth, widest)
    return RolloutView(_page(tree), lambda figure: _still(figure, tree), tree)


def grow(sample: Callable, obs: str, actions: Callable, draws: int, depth: int, widest: int) -> Node:
    """The tree of outcomes under `obs`."""
    root = Node(obs)
    level = [root]
    for _ in range(depth):
        following = []
        for node in level:
            for action in actions(node.text):
                counts = Counter(sample(node.text, action) for _ in range(draws))
                for i, (outcome, count) in enumerate(counts.most_common(widest)):
                    child = _node(outcome, action, count / draws)
                    node.children.append(child)
                    if i == 0 and outcome is not None and not outcome[2]:
                        following.append(child)
        level = following
    return root


def _node(outcome: tuple[float, str, bool] | None, action: str, share: float) -> Node:
    if outcome is None:
        return Node("(nothing that can be used)", action, share, "unusable")
    reward, text, ended = outcome
    return Node(text, action, share, f"{reward:+.1f}" + (", the end" if ended else ""))


def colour(share: float) -> str:
    """Light for rare, dark for sure."""
    return "#" + "".join(f"{round(a + (b - a) * min(max(share, 0.0), 1.0)):02x}" for a, b in zip(LOW, HIGH))


def ink(share: float) -> str:
    """White or black, whichever has the higher contrast to the share's colour (WCAG 2.2: at least 4.5 : 1 with either, all along)."""
    channels = [int(colour(share)[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear))
    return "#ffffff" if luminance < 0.179 else "#000000"


def brief(text: str) -> str:
    """An observation in few words, for a box: the place, and what is carried."""
    words = text.split()
    if words[:4] != ["you", "are", "in", "the"] or len(words) < 5:
        return text if len(text) <= 26 else text[:25] + "…"
    sentences = [s.strip() for s in text.split(" .")]
    carried = next(
        (s.removeprefix("you carry ").replace("the ", "").replace(" and ", ", ") for s in sentences if s.startswith("you carry")), ""
    )
    return (
        words[4] + (f" · {carried}" if carried and carried != "nothing" else "") + (" · open" if "the study is open" in sentences else "")
    )


def _still(figure: Figure, tree: Node) -> None:
    """The root, its outcomes, and what follows the surest of each; as high as its boxes need."""
    columns: list[list[tuple[Node, int]]] = [[(tree, 0)]]
    for _ in range(2):
        columns.append([(child, i) for i, (parent, _) in enumerate(columns[-1]) for child in parent.children])
    most = max(map(len, columns))
    figure.set_figheight(max(figure.get_figheight(), ROW * most))
    ax = figure.subplots()
    places: list[list[float]] = []
    for column in columns:
        n = max(len(column), 1)
        places.append([1 - (i + 0.5) / n for i in range(len(column))])
    half = 0.42 * ROW / figure.get_figheight()
    for x, column in enumerate(columns):
        for (node, parent), y in zip(column, places[x]):
            if x:
                ax.plot(
                    [x - 1 + WIDE, x - WIDE], [places[x - 1][parent], y], color=colour(node.share), linewidth=0.8 + 3 * node.share, zorder=1
                )
            _box(ax, node, x, y, half)
    ax.set(xlim=(-WIDE - 0.02, len(columns) - 1 + WIDE + 0.02), ylim=(0, 1))
    ax.axis("off")


def _box(ax: Any, node: Node, x: float, y: float, half: float) -> None:
    shape = "round,pad=0,rounding_size=0.02"
    box = FancyBboxPatch((x - WIDE, y - half), 2 * WIDE, 2 * half, boxstyle=shape, facecolor=colour(node.share), edgecolor="none", zorder=2)
    ax.add_patch(box)
    head = f"{node.action}  {node.share:.0%}  {node.note}".strip() if node.action else "start"
    text = "\n".join([*wrap(head, LETTERS), *wrap(brief(node.text), LETTERS)])
    ax.text(x, y, text, ha="center", va="center", fontsize=9, linespacing=1.05, color=ink(node.share), zorder=3)


def _facts(node: Node) -> dict:
    return {
        "text": node.text,
        "brief": brief(node.text),
        "action": node.action,
        "share": round(node.share, 4),
        "note": node.note,
        "fill": colour(node.share),
        "ink": ink(node.share),
        "children": [_facts(child) for child in node.children],
    }


def _page(tree: Node) -> str:
    data = json.dumps(_facts(tree), ensure_ascii=True).replace("<", "\\u003c")  # no text can end the script
    return PAGE.replace("%START%", escape(tree.text)).replace("%DATA%", data)


PAGE = """<div style="font-family:system-ui,sans-serif;max-width:760px;padding:8px">
<div style="font-size:13px">a box: the action, how often the model said this, its reward · darker: more often · click a box (or press Enter) to open or close what follows</div>
<div style="overflow:auto"><svg role="group" aria-label="tree of imagined outcomes"></svg></div>
<div role="status" aria-live="polite" style="font-size:13px;min-height:2.6em">%START%</div>
<script>(() => {
const tree = %DATA%;
const view = document.currentScript.parentElement, svg = view.querySelector("svg"), status = view.querySelector("[role=status]");
const wide = 160, gap = 190, high = 34, row = 42;
const leaves = (node, all) => !node.children.length || !all && !node.open ? 1 : node.children.reduce((sum, child) => sum + leaves(child, all), 0);
const open = (node, depth) => { node.open = depth < 1; node.children.forEach(child => open(child, depth + 1)); };
open(tree, 0);
// A frame, as Colab makes for each output, may keep the height that the view has at first: there the tree scrolls as it grows.
const most = Math.min(leaves(tree, false) + 3, leaves(tree, true));
if (window !== window.parent) svg.parentElement.style.height = most * row + 18 + "px";
const make = (name, parent, attributes) => {
  const element = parent.appendChild(document.createElementNS("http://www.w3.org/2000/svg", name));
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};
const show = focused => {
  svg.replaceChildren();
  let rows = 0, deepest = 0, again = null;
  const place = (node, depth) => {
    deepest = Math.max(deepest, depth); node.x = depth * gap + 2;
    const shown = node.open ? node.children : [];
    if (!shown.length) { node.y = rows++ * row + 2; return; }
    shown.forEach(child => place(child, depth + 1));
    node.y = (shown[0].y + shown[shown.length - 1].y) / 2;
  };
  place(tree, 0);
  const width = deepest * gap + wide + 4, height = rows * row;
  for (const [key, value] of Object.entries({viewBox: `0 0 ${width} ${height}`, width, height})) svg.setAttribute(key, value);
  const draw = node => {
    const shown = node.open ? node.children : [], middle = node.y + high / 2;
    shown.forEach(child => {
      const to = child.y + high / 2, bend = node.x + wide + 15;
      make("path", svg, {d: `M${node.x + wide} ${middle}C${bend} ${middle} ${bend} ${to} ${child.x} ${to}`, fill: "none", stroke: child.fill, "stroke-width": 1 + 5 * child.share});
    });
    const percent = Math.round(100 * node.share) + "%", head = node.action ? `${node.action}  ${percent}  ${node.note}` : "start";
    const box = make("g", svg, {tabindex: 0, role: "button", "aria-expanded": !!shown.length, "aria-label": `${head}: ${node.text}`, style: "cursor:pointer"});
    make("rect", box, {x: node.x, y: node.y, width: wide, height: high, rx: 5, fill: node.fill});
    [head, node.brief].forEach((line, i) => {
      make("text", box, {x: node.x + 7, y: node.y + 14 + 14 * i, "font-size": 11, fill: node.ink}).textContent = line;
    });
    const fold = node.children.length ? (node.open ? "▾" : "▸") : "";
    make("text", box, {x: node.x + wide - 15, y: middle + 5, "font-size": 14, fill: node.ink}).textContent = fold;
    const turn = () => { node.open = !node.open; show(node); };
    const tell = () => { status.textContent = (node.action ? `${head} → ` : "") + node.text; };
    box.onclick = turn; box.onfocus = box.onmouseenter = tell;
    box.onkeydown = event => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); turn(); } };
    if (node === focused) again = box;
    shown.forEach(draw);
  };
  draw(tree);
  if (!again) return;
  again.focus();
  if (focused.open && focused.children.length) {  // what was opened is seen, also where the tree is larger than its frame
    const frame = svg.parentElement, first = focused.children[0].y, end = focused.children[focused.children.length - 1].y + high;
    frame.scrollLeft = Math.max(frame.scrollLeft, focused.x + gap + wide + 2 - frame.clientWidth);
    frame.scrollTop = Math.min(Math.max(frame.scrollTop, end + 2 - frame.clientHeight), first - 2);
  }
};
show(null);
})()</script></div>"""
