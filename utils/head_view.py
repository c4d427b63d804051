"""A self-contained view of attention heads: pick a head and a token, and see where it looks.

The view holds its numbers, its script and its drawing; it fetches nothing. Without scripts it shows one head and one token, still.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from utils import plots, themes

ROW, TOP, GAP, BAR = 30, 22, 100, 64  # the drawing's measures: height of a row, of the heading, width of the links, of the longest bar

STYLE = """
#@ID@{font:14px system-ui,sans-serif;border:1px solid @LINE@;border-radius:6px;padding:10px 14px;max-width:680px}
#@ID@ button{font:inherit;margin:0 6px 6px 0;padding:3px 10px;
  border:2px solid @LINE@;border-radius:14px;background:none;color:inherit;cursor:pointer}
#@ID@ button[aria-pressed=true]{border-color:var(--head);box-shadow:inset 0 -4px 0 var(--head);font-weight:600}
#@ID@ svg{display:block;width:100%;max-width:560px;height:auto}
#@ID@ text{font-size:14px;fill:currentColor}
#@ID@ .row{cursor:pointer}
#@ID@ .row rect{fill:transparent;stroke:@LINE@}
#@ID@ .row[aria-pressed=true] rect{stroke:var(--head);stroke-width:2.5}
#@ID@ .row:focus-visible,#@ID@ button:focus-visible{outline:3px solid currentColor}
#@ID@ .link{stroke:var(--head)}
#@ID@ .bar{fill:var(--head)}
#@ID@ .number,#@ID@ .heading{font-size:12px;fill:@QUIET@}
#@ID@ p{margin:6px 0 0;min-height:2.6em}
"""

# Every element is drawn beforehand; the script only changes attributes and texts, so no markup is ever made from a token.
SCRIPT = """
(function(){
  document.querySelectorAll('[id="@ID@"]:not([data-ready])').forEach(function(root){
    root.setAttribute('data-ready','');
    var data=JSON.parse(root.getAttribute('data-view')),head=data.head,row=data.row;
    var all=function(s){return Array.prototype.slice.call(root.querySelectorAll(s))};
    var buttons=all('button'),rows=all('.row'),links=all('.link'),bars=all('.bar'),numbers=all('.number'),words=all('p')[0];
    var middle=function(i){return data.top+data.step*(i+0.5)};
    function path(i,j){
      var bend=(data.left+data.right)/2;
      return 'M'+data.left+' '+middle(i)+'C'+bend+' '+middle(i)+' '+bend+' '+middle(j)+' '+data.right+' '+middle(j);
    }
    function draw(){
      var w=data.weights[head][row];
      root.style.setProperty('--head',data.colours[head]);
      buttons.forEach(function(b,i){b.setAttribute('aria-pressed',String(i===head))});
      rows.forEach(function(r,i){r.setAttribute('aria-pressed',String(i===row))});
      w.forEach(function(x,j){
        links[j].setAttribute('d',path(row,j));
        links[j].setAttribute('stroke-width',(0.5+7*x).toFixed(2));
        links[j].setAttribute('stroke-opacity',Math.min(1,0.06+x).toFixed(2));
        bars[j].setAttribute('width',(data.bar*x).toFixed(1));
        numbers[j].setAttribute('x',(data.bars+4+data.bar*x).toFixed(1));
        numbers[j].textContent=x.toFixed(2);
      });
      var best=w.map(function(x,j){return [x,j]}).sort(function(a,b){return b[0]-a[0]}).slice(0,3);
      words.textContent='Head '+(head+1)+', \\u201c'+data.rows[row]+'\\u201d looks at '+best.map(function(b){
        return '\\u201c'+data.columns[b[1]]+'\\u201d '+b[0].toFixed(2)}).join(', ')+'.';
    }
    buttons.forEach(function(b,i){b.addEventListener('click',function(){head=i;draw()})});
    rows.forEach(function(r,i){
      r.addEventListener('click',function(){row=i;draw()});
      r.addEventListener('keydown',function(e){
        var step={ArrowDown:1,ArrowUp:-1}[e.key];
        if(e.key==='Enter'||e.key===' '){row=i}
        else if(step&&rows[i+step]){row=i+step;rows[row].focus()}
        else{return}
        e.preventDefault();draw();
      });
    });
    all('.heads')[0].hidden=false;
    draw();
  });
})();
"""


@dataclass(frozen=True)
class _Layout:
    """Where things stand, by the length of the longest token on either side."""

    left: int
    right: int
    bars: int

    @classmethod
    def of(cls, rows: Sequence[str], columns: Sequence[str]) -> _Layout:
        left = 24 + 15 * max(map(len, rows)) // 2
        right = left + GAP
        return cls(left, right, right + 20 + 15 * max(map(len, columns)) // 2)

    def path(self, i: int, j: int) -> str:
        """A curve from row i on the left to column j on the right."""
        bend = (self.left + self.right) / 2
        return f"M{self.left} {_middle(i):g}C{bend:g} {_middle(i):g} {bend:g} {_middle(j):g} {self.right} {_middle(j):g}"


def head_view(
    rows: Sequence[str],
    weights: Float[Tensor, "n_heads T_q T_k"],
    columns: Sequence[str] | None = None,
    head: int = 0,
    row: int = 0,
) -> str:
    """HTML in which a reader picks a head and a token of `rows` and sees its weights over `columns` (the same tokens where None).

    `head` and `row` are shown first. Works by mouse and by keyboard; made for up to about 16 heads and 40 tokens.
    """
    columns = rows if columns is None else columns
    numbers = _numbers(rows, columns, weights, head, row)
    layout = _Layout.of(rows, columns)
    data: dict[str, Any] = {
        "rows": list(rows),
        "columns": list(columns),
        "weights": numbers,
        "colours": [plots.CYCLE[i % len(plots.CYCLE)] for i in range(len(numbers))],
        "head": head,
        "row": row,
        **{"left": layout.left, "right": layout.right, "bars": layout.bars, "bar": BAR, "top": TOP, "step": ROW},
    }
    packed = json.dumps(data, separators=(",", ":"))
    name = "head-view-" + hashlib.sha256(packed.encode()).hexdigest()[:12]
    buttons = "".join(f'<button type="button" aria-pressed="{_flag(i == head)}">head {i + 1}</button>' for i in range(len(numbers)))
    return (
        f'<div id="{name}" style="--head:{data["colours"][head]}" data-view="{escape(packed, quote=True)}">'
        f"<style>{STYLE.replace('@ID@', name).replace('@LINE@', themes.LINE).replace('@QUIET@', themes.QUIET)}</style>"
        f'<div class="heads" role="group" aria-label="Pick a head" hidden>{buttons}</div>'
        f"{_drawing(layout, rows, columns, numbers[head][row], head, row)}"
        f'<p aria-live="polite">Head {head + 1}, “{escape(rows[row])}”: the thicker a line, the larger its weight.</p>'
        f"<script>{SCRIPT.replace('@ID@', name)}</script></div>"
    )


def draw_heads(
    figure: Figure, rows: Sequence[str], weights: Float[Tensor, "n_heads T_q T_k"], columns: Sequence[str] | None = None, across: int = 4
) -> None:
    """The still picture: one small heat map for every head, all on one scale from 0 to 1."""
    columns = rows if columns is None else columns
    numbers = torch.tensor(_numbers(rows, columns, weights, 0, 0))
    across = min(across, len(numbers))
    axes = figure.subplots(math.ceil(len(numbers) / across), across, squeeze=False).flatten()
    for i, ax in enumerate(axes):
        if i >= len(numbers):
            ax.set_axis_off()
            continue
        image = ax.imshow(numbers[i].numpy(), cmap=plots.SEQUENTIAL, vmin=0, vmax=1, aspect="auto")
        ax.set_title(f"head {i + 1}")
        ax.set_xticks(range(len(columns)), columns, rotation=60, ha="right", rotation_mode="anchor", fontsize=8)
        ax.set_yticks(range(len(rows)), rows if i % across == 0 else [""] * len(rows), fontsize=8)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    figure.colorbar(image, ax=list(axes), fraction=0.025, pad=0.02, label="weight").outline.set_visible(False)


def _numbers(rows: Sequence[str], columns: Sequence[str], weights: Tensor, head: int, row: int) -> list[list[list[float]]]:
    """The weights as nested lists of three decimals, after a check of all arguments."""
    if weights.ndim != 3 or 0 in weights.shape or weights.shape[1:] != (len(rows), len(columns)):
        raise ValueError(f"weights must have shape (n_heads, {len(rows)}, {len(columns)}) and hold something, got {tuple(weights.shape)}")
    if not 0 <= head < len(weights) or not 0 <= row < len(rows):
        raise ValueError(f"head = {head} or row = {row} lies outside of {len(weights)} heads and {len(rows)} rows")
    if not torch.isfinite(weights).all():
        raise ValueError("weights hold NaN or infinity")
    return [[[round(x, 3) for x in line] for line in matrix] for matrix in weights.detach().cpu().double().tolist()]


def _middle(i: int) -> float:
    return TOP + ROW * (i + 0.5)


def _flag(condition: bool) -> str:
    return "true" if condition else "false"


def _drawing(layout: _Layout, rows: Sequence[str], columns: Sequence[str], weights: Sequence[float], head: int, row: int) -> str:
    """The SVG of one head and one row, every element in its place for the script to change."""
    links = "".join(
        f'<path class="link" fill="none" d="{layout.path(row, j)}" stroke-width="{0.5 + 7 * x:.2f}" '
        f'stroke-opacity="{min(1, 0.06 + x):.2f}"/>'
        for j, x in enumerate(weights)
    )
    left = "".join(
        f'<g class="row" tabindex="0" role="button" aria-label="{escape(token, quote=True)}" aria-pressed="{_flag(i == row)}">'
        f'<rect x="2" y="{TOP + ROW * i + 2}" width="{layout.left - 4}" height="{ROW - 4}" rx="5"/>'
        f'<text x="{layout.left - 10}" y="{_middle(i) + 5:g}" text-anchor="end">{escape(token)}</text></g>'
        for i, token in enumerate(rows)
    )
    right = "".join(
        f'<text x="{layout.right + 8}" y="{_middle(j) + 5:g}">{escape(token)}</text>'
        f'<rect class="bar" x="{layout.bars}" y="{TOP + ROW * j + 9}" width="{BAR * x:.1f}" height="{ROW - 18}"/>'
        f'<text class="number" x="{layout.bars + 4 + BAR * x:.1f}" y="{_middle(j) + 4:g}">{x:.2f}</text>'
        for j, (token, x) in enumerate(zip(columns, weights))
    )
    heading = (
        f'<text class="heading" x="{layout.left - 10}" y="14" text-anchor="end">who looks</text>'
        f'<text class="heading" x="{layout.right + 8}" y="14">at whom</text>'
    )
    label = escape(f"Where head {head + 1} looks from {rows[row]}", quote=True)
    size = f"0 0 {layout.bars + BAR + 40} {TOP + ROW * max(len(rows), len(columns)) + 4}"
    return f'<svg viewBox="{size}" role="group" aria-label="{label}">{heading}{links}{left}{right}</svg>'
