"""An interactive picture of turned queries and keys: self-contained HTML whose every number is given to it."""

from __future__ import annotations

import json
from string import Template

import torch
from torch import Tensor

from utils import plots, themes

_PAGE = Template("""
<div style="max-width:560px;font-family:system-ui,sans-serif;font-size:14px;padding:8px">
<div><label><span style="color:$blue">●</span> the query stands at position <output style="display:inline-block;width:2em;font-weight:600">$position</output>
<input type="range" min="$first" max="$last" value="$position" step="1" style="width:220px;vertical-align:middle"
aria-label="position of the query"></label></div>
<div><label><span style="color:$orange">●</span> the key stands <output style="display:inline-block;width:2em;font-weight:600">$offset</output> before it
<input type="range" min="0" max="$farthest" value="$offset" step="1" style="width:220px;vertical-align:middle"
aria-label="offset of the key"></label></div>
<svg viewBox="0 0 480 320" width="100%" role="img"
aria-label="each pair of columns of the turned query and key as an arrow, and their dot product against the offset">$drawing</svg>
<script>(() => {
  const root = document.currentScript.parentElement, data = $data;
  const [position, offset] = root.querySelectorAll("input"), [shownPosition, shownOffset] = root.querySelectorAll("output");
  const point = (arrows, tips) => root.querySelectorAll(arrows).forEach((arrow, i) => {
    const dot = arrow.nextElementSibling;
    arrow.setAttribute("x2", tips[i][0]); arrow.setAttribute("y2", tips[i][1]);
    dot.setAttribute("cx", tips[i][0]); dot.setAttribute("cy", tips[i][1]);
  });
  const draw = () => {
    const m = +position.value, o = +offset.value, row = m - +position.min;
    const [x, y] = data.curves[row][o], marker = root.querySelector(".marker");
    shownPosition.textContent = m; shownOffset.textContent = o;
    point("line.query", data.queries[m]); point("line.key", data.keys[m - o]);
    root.querySelector("polyline").setAttribute("points", data.curves[row].map(p => p.join(",")).join(" "));
    marker.setAttribute("cx", x); marker.setAttribute("cy", y);
    const score = root.querySelector(".score").textContent = "q · k = " + data.scores[row][o];
    position.setAttribute("aria-valuetext", m + "; " + score); offset.setAttribute("aria-valuetext", o + "; " + score);
  };
  position.addEventListener("input", draw); offset.addEventListener("input", draw); draw();
})()</script></div>
""")
_WIDE, _MIDDLE, _RADIUS = 480, 66, 52  # the drawing's width, height of the circles' centres and their radius, in its own units
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 470, 186, 284  # of the curve


def rotation_view(queries: Tensor, keys: Tensor, farthest: int, position: int, offset: int) -> str:
    """HTML with two sliders, over the query's position and over how many positions before it the key stands.

    Row p of `queries` and of `keys`, both (n, d), is the vector as it is turned for position p. Each pair of columns becomes a circle
    with two arrows, and below them stands q · k against the offset, from 0 to `farthest`. The query's position runs from `farthest` to
    n - 1, so that every offset has its key. The picture begins at `position` and `offset`, and stays there where no script runs.

    Raises:
        ValueError: for shapes that do not fit, for a start outside the sliders, and for numbers that are not finite.
    """
    _validate(queries, keys, farthest, position, offset)
    queries, keys = queries.detach().double(), keys.detach().double()
    positions = range(farthest, len(queries))
    scores = torch.stack([keys[m - farthest : m + 1].flip(0) @ queries[m] for m in positions])  # (positions, farthest + 1)
    length = max(float(x.unflatten(-1, (-1, 2)).norm(dim=-1).max()) for x in (queries, keys)) or 1.0
    data = {
        "queries": _tips(queries, length),
        "keys": _tips(keys, length),
        "curves": _curves(scores),
        "scores": [[f"{s:.3f}" for s in row] for row in scores.tolist()],
    }
    return _PAGE.substitute(
        blue=plots.BLUE,
        orange=plots.ORANGE,
        first=farthest,
        last=len(queries) - 1,
        farthest=farthest,
        position=position,
        offset=offset,
        drawing=_drawing(data, position, offset, farthest, _range(scores)),
        data=json.dumps(data, separators=(",", ":")),
    )


def _validate(queries: Tensor, keys: Tensor, farthest: int, position: int, offset: int) -> None:
    if queries.ndim != 2 or queries.shape != keys.shape or queries.shape[-1] % 2:
        raise ValueError(f"queries and keys must share one shape (n, d) with d even, got {tuple(queries.shape)} and {tuple(keys.shape)}")
    if not 0 < farthest < len(queries):
        raise ValueError(f"farthest must lie in 1 … {len(queries) - 1}, got {farthest}")
    if not farthest <= position < len(queries):
        raise ValueError(f"position must lie in {farthest} … {len(queries) - 1}, got {position}")
    if not 0 <= offset <= farthest:
        raise ValueError(f"offset must lie in 0 … {farthest}, got {offset}")
    if not (queries.isfinite().all() and keys.isfinite().all()):
        raise ValueError("queries and keys must be finite numbers")


def _centres(n_pairs: int) -> list[float]:
    return [_WIDE * (i + 0.5) / n_pairs for i in range(n_pairs)]


def _tips(vectors: Tensor, length: float) -> list[list[list[float]]]:
    """For every position and pair, the end of its arrow; an arrow of `length` reaches the circle. SVG's y grows downwards."""
    pairs = vectors.unflatten(-1, (-1, 2)) * (_RADIUS / length)
    centres = _centres(pairs.shape[1])
    return [[[round(c + x, 1), round(_MIDDLE - y, 1)] for c, (x, y) in zip(centres, row, strict=True)] for row in pairs.tolist()]


def _range(scores: Tensor) -> tuple[float, float]:
    """The lowest and the highest number on the curve's axis, which always shows 0."""
    return min(float(scores.min()), 0.0), max(float(scores.max()), 0.0)


def _curves(scores: Tensor) -> list[list[list[float]]]:
    """For every position of the query, the points of q · k against the offset; one scale for all of them."""
    low, high = _range(scores)
    step, height = (_RIGHT - _LEFT) / (scores.shape[1] - 1), (_BOTTOM - _TOP) / (high - low or 1.0)
    return [[[round(_LEFT + i * step, 1), round(_BOTTOM - (s - low) * height, 1)] for i, s in enumerate(row)] for row in scores.tolist()]


def _drawing(data: dict, position: int, offset: int, farthest: int, span: tuple[float, float]) -> str:
    row = position - farthest
    parts = [_circle(i, centre) for i, centre in enumerate(_centres(len(data["queries"][0])))]
    for kind, color, tips in (("query", plots.BLUE, data["queries"][position]), ("key", plots.ORANGE, data["keys"][position - offset])):
        parts += [_arrow(kind, color, centre, tip) for centre, tip in zip(_centres(len(tips)), tips, strict=True)]
    points = " ".join(f"{x},{y}" for x, y in data["curves"][row])
    x, y = data["curves"][row][offset]
    parts += [
        f'<path d="M{_LEFT} {_TOP - 6}V{_BOTTOM + 4}H{_RIGHT}" fill="none" stroke="{themes.QUIET}"/>',
        f'<polyline points="{points}" fill="none" stroke="{plots.GREEN}" stroke-width="2"/>',
        f'<circle class="marker" cx="{x}" cy="{y}" r="5" fill="{plots.RED}"/>',
        f'<text class="score" x="{_RIGHT}" y="{_TOP - 10}" text-anchor="end" font-weight="600" fill="currentColor">q · k = {data["scores"][row][offset]}</text>',
        f'<text x="{_LEFT}" y="{_TOP - 10}" fill="{themes.QUIET}">q · k at every offset</text>',
        f'<text x="{_LEFT - 6}" y="{_TOP + 5}" text-anchor="end" font-size="12" fill="{themes.QUIET}">{span[1]:.1f}</text>',
        f'<text x="{_LEFT - 6}" y="{_BOTTOM + 4}" text-anchor="end" font-size="12" fill="{themes.QUIET}">{span[0]:.1f}</text>',
        f'<text x="{_LEFT}" y="{_BOTTOM + 20}" font-size="12" fill="{themes.QUIET}">0</text>',
        f'<text x="{(_LEFT + _RIGHT) / 2}" y="{_BOTTOM + 20}" text-anchor="middle" fill="{themes.QUIET}">offset (positions)</text>',
        f'<text x="{_RIGHT}" y="{_BOTTOM + 20}" text-anchor="end" font-size="12" fill="{themes.QUIET}">{farthest}</text>',
    ]
    return "".join(parts)


def _circle(i: int, centre: float) -> str:
    ring = f'<circle cx="{centre}" cy="{_MIDDLE}" r="{_RADIUS}" fill="none" stroke="{themes.LINE}"/>'
    below = _MIDDLE + _RADIUS + 20
    return f'{ring}<text x="{centre}" y="{below}" text-anchor="middle" fill="{themes.QUIET}">columns {2 * i}, {2 * i + 1}</text>'


def _arrow(kind: str, color: str, centre: float, tip: list[float]) -> str:
    line = f'<line class="{kind}" x1="{centre}" y1="{_MIDDLE}" x2="{tip[0]}" y2="{tip[1]}" stroke="{color}" stroke-width="3"/>'
    return f'{line}<circle cx="{tip[0]}" cy="{tip[1]}" r="5" fill="{color}"/>'
