"""An interactive picture of scores, their scale and their softmax: self-contained HTML whose numbers are all given to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from string import Template

from utils import plots, themes

_PAGE = Template("""
<div style="max-width:560px;font-family:system-ui,sans-serif;font-size:14px;padding:8px">
<label>divide the scores by <output style="display:inline-block;width:3em;font-weight:600">$start</output>
<input type="range" min="0" max="$last" value="$at" step="1" style="width:min(320px,100%);vertical-align:middle"
 aria-label="divisor of the scores"></label>
<svg viewBox="0 0 480 $height" width="100%" style="margin-top:8px" role="img" aria-label="bars of the divided scores and of the softmax weights">$bars</svg>
<script>(() => {
  const root = document.currentScript.parentElement, frames = $frames;
  const slider = root.querySelector("input"), shown = root.querySelector("output");
  const draw = () => {
    const [divisor, rows] = frames[slider.value];
    shown.textContent = divisor;
    root.querySelector("text.divided").textContent = "score ÷ " + divisor;
    root.querySelectorAll("rect").forEach((bar, i) => bar.setAttribute("width", rows[i][0]));
    root.querySelectorAll("text.number").forEach((text, i) => { text.textContent = rows[i][1]; text.setAttribute("x", rows[i][2]); });
    const weights = [...root.querySelectorAll("text.word")].map((word, i) => word.textContent + " " + rows[2 * i + 1][1]);
    slider.setAttribute("aria-valuetext", divisor + "; weights: " + weights.join(", "));
  };
  slider.addEventListener("input", draw); draw();
})()</script></div>
""")
_LEFT, _RIGHT, _WIDTH, _ROW = 80, 290, 130, 34  # of the two columns of bars, in the units of the drawing


def scale_view(
    words: Sequence[str],
    divisors: Sequence[float],
    frames: Sequence[tuple[Sequence[float], Sequence[float]]],
    start: float,
) -> str:
    """HTML with a slider over `divisors`; `frames[i]` holds the divided scores and the weights of `words` at `divisors[i]`.

    The bars stand at `start` before the slider is moved, and where no script runs.
    """
    top = max(max(scores) for scores, _ in frames)
    drawn = [_numbers(scores, weights, top) for scores, weights in frames]
    at = list(divisors).index(start)
    return _PAGE.substitute(
        start=f"{start:g}",
        last=len(divisors) - 1,
        at=at,
        height=_ROW * len(words) + 34,
        bars=_bars(words, drawn[at], f"{start:g}"),
        frames=json.dumps([[f"{divisor:g}", rows] for divisor, rows in zip(divisors, drawn, strict=True)]),
    )


def _numbers(scores: Sequence[float], weights: Sequence[float], top: float) -> list[list]:
    """For every bar, scores and weights in turn: its width, its number and where the number stands."""
    rows = []
    for score, weight in zip(scores, weights, strict=True):
        for left, share, text in ((_LEFT, score / top, f"{score:.1f}"), (_RIGHT, weight, f"{weight:.3f}")):
            width = round(_WIDTH * max(share, 0.0), 1)
            rows.append([width, text, round(left + width + 6, 1)])
    return rows


def _bars(words: Sequence[str], rows: list[list], divisor: str) -> str:
    titles = ((_LEFT, "divided", f"score ÷ {divisor}"), (_RIGHT, "", "weight, by softmax"))
    parts = [f'<text class="{kind}" x="{x}" y="14" fill="{themes.QUIET}">{title}</text>' for x, kind, title in titles]
    for i, word in enumerate(words):
        y = 26 + i * _ROW
        parts.append(f'<text class="word" x="{_LEFT - 8}" y="{y + 17}" text-anchor="end" fill="{themes.INK}">{escape(word)}</text>')
        for left, (width, text, x) in zip((_LEFT, _RIGHT), rows[2 * i : 2 * i + 2]):
            parts.append(f'<rect x="{left}" y="{y}" width="{width}" height="24" rx="2" fill="{plots.CYCLE[i % len(plots.CYCLE)]}"/>')
            parts.append(f'<text class="number" x="{x}" y="{y + 17}" fill="{themes.INK}">{text}</text>')
    return "".join(parts)
