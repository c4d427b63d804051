"""An interactive picture of temperature and top-p on one next-token distribution.

Every bar is a share of draws with the function that is passed in; the page only looks them up, so it shows what that function really does.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from utils import plots, themes

TEMPERATURES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
TOP_PS = (0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
BARS, DRAWS = 14, 1000


@dataclass(frozen=True)
class SamplingView:
    """The page, and the still picture with its alternative text."""

    html: str
    draw: Callable[[Figure], Any]
    alt: str


def sampling_view(sample: Callable[..., Tensor], logits: Tensor, tokens: Sequence[str], prompt: str, draws: int = DRAWS) -> SamplingView:
    """Draw `draws` tokens with `sample(logits, temperature, top_k, top_p, generator)` at every setting of the two sliders.

    `logits (V,)` is one distribution over `tokens`, what follows `prompt`.
    """
    shown = logits.argsort(descending=True)[:BARS]
    copies = logits.expand(draws, -1)
    shares = {}
    for temperature, top_p in itertools.product(TEMPERATURES, TOP_PS):
        drawn = sample(copies, temperature, None, None if top_p == 1.0 else top_p, torch.Generator().manual_seed(0))
        counts = torch.bincount(drawn, minlength=len(logits))
        shares[temperature, top_p] = [*(counts[shown] / draws).tolist(), (1 - counts[shown].sum() / draws).item(), int((counts > 0).sum())]
    names = [*(visible(tokens[i]) for i in shown), "rest"]
    alt = f"Next-token shares after the prompt {prompt!r} for three temperatures and top-p values: sharper when lower, flatter when higher"
    return SamplingView(_page(shares, names, prompt, draws), lambda figure: _still(figure, shares, names), alt)


def visible(token: str) -> str:
    """A token as something one can see."""
    return {" ": "␣", "\n": "↵", "\t": "⇥"}.get(token, token)


def _still(figure: Figure, shares: dict, names: list[str]) -> None:
    settings = [(0.5, 1.0), (1.0, 1.0), (1.0, 0.8)]
    for ax, (temperature, top_p) in zip(figure.subplots(1, 3, sharey=True), settings):
        ax.bar(range(len(names)), shares[temperature, top_p][:-1], color=plots.BLUE)
        ax.set_xticks(range(len(names)), [*names[:-1], "…"], fontsize=7)
        ax.set_title(f"temperature {temperature:g}, top-p {'off' if top_p == 1 else f'{top_p:g}'}", fontsize=9)
    figure.axes[0].set_ylabel("share of draws")


def _page(shares: dict, names: list[str], prompt: str, draws: int) -> str:
    table = [[[round(v, 4) for v in shares[t, p]] for p in TOP_PS] for t in TEMPERATURES]
    facts = {"names": names, "temperatures": TEMPERATURES, "topPs": TOP_PS, "shares": table, "draws": draws}
    data = json.dumps(facts, ensure_ascii=True).replace("<", "\\u003c")  # no token can end the script
    page = PAGE.replace("%DATA%", data).replace("%PROMPT%", escape("".join(visible(c) for c in prompt))).replace("%BLUE%", plots.BLUE)
    return page.replace("%FILL%", themes.FILL).replace("%LINE%", themes.LINE).replace("%QUIET%", themes.QUIET)


PAGE = """<div style="font-family:system-ui,sans-serif;max-width:560px;padding:8px">
<div style="font-size:14px;margin-bottom:6px">after <code style="background:%FILL%">%PROMPT%</code> comes …</div>
<svg viewBox="0 0 480 210" width="100%" role="img" aria-label="share of draws of each token"></svg>
<label style="display:flex;gap:8px;font-size:13px">temperature <input type="range" min="0" max="7" value="4" style="flex:1"><output style="width:3em"></output></label>
<label style="display:flex;gap:8px;font-size:13px">top-p <input type="range" min="0" max="6" value="6" style="flex:1"><output style="width:3em"></output></label>
<div role="status" aria-live="polite" style="font-size:13px"></div>
<script>(() => {
const facts = %DATA%;
const view = document.currentScript.parentElement, svg = view.querySelector("svg");
const [temperature, topP] = view.querySelectorAll("input"), [shownT, shownP] = view.querySelectorAll("output");
const left = 38, width = (480 - left) / facts.names.length, make = name => svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", name));
for (const [share, y] of [[0, 186], [50, 106], [100, 26]]) {
  const line = make("line"), text = make("text");
  for (const [key, v] of Object.entries({x1: left, x2: 480, y1: y, y2: y, stroke: "%LINE%"})) line.setAttribute(key, v);
  for (const [key, v] of Object.entries({x: left - 5, y: y + 4, "text-anchor": "end", "font-size": 12, fill: "%QUIET%"})) text.setAttribute(key, v);
  text.textContent = share + "%";
}
const columns = facts.names.map((name, i) => {
  const bar = make("rect"), label = make("text"), value = make("text");
  for (const [key, v] of Object.entries({x: left + i * width + 3, width: width - 6, fill: name === "rest" ? "#9CA3AF" : "%BLUE%"})) bar.setAttribute(key, v);
  for (const text of [label, value]) { text.setAttribute("x", left + (i + 0.5) * width); text.setAttribute("text-anchor", "middle"); }
  label.setAttribute("y", 204); label.setAttribute("fill", "currentColor"); value.setAttribute("fill", "currentColor"); label.setAttribute("font-size", 14); label.textContent = name; value.setAttribute("font-size", 12);
  return {bar, value};
});
const show = () => {
  const row = facts.shares[temperature.value][topP.value], t = facts.temperatures[temperature.value], p = facts.topPs[topP.value];
  columns.forEach(({bar, value}, i) => {
    const height = 160 * row[i], percent = Math.round(100 * row[i]);
    bar.setAttribute("y", 186 - height); bar.setAttribute("height", height);
    value.setAttribute("y", 182 - height); value.textContent = row[i] ? percent || "<1" : "";
  });
  shownT.textContent = t; shownP.textContent = p === 1 ? "off" : p;
  temperature.setAttribute("aria-valuetext", t); topP.setAttribute("aria-valuetext", shownP.textContent);
  const kinds = row[row.length - 1], many = facts.draws.toLocaleString("en") + " draws";
  view.querySelector("[role=status]").textContent = kinds === 1 ? "the same token in all " + many : kinds + " different tokens in " + many + "; the bars are their shares in %";
};
temperature.oninput = topP.oninput = show; show();
})()</script></div>"""
