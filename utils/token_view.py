"""Tokens as coloured spans, and a view that merges a text step by step. The pages are self-contained; the stills show the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from string import Template

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

Token = bytes | str
# light enough for dark text on them (more than 12:1), one after the other so that neighbours differ
COLOURS = ("#CFE8F7", "#FCE7B8", "#CDEFE1", "#F8D9C9", "#EEDCE8")
INK = "#111827"
MARKS = {" ": "·", "\n": "⏎", "\t": "⇥", "\r": "␍"}

_SPAN = "display:inline-block;padding:1px 2px;margin:1px;border-radius:3px;white-space:pre;font-family:ui-monospace,Menlo,Consolas,monospace;color:#111827"
_PAGE = Template("""
<div style="max-width:680px;font:14px system-ui,sans-serif;padding:8px">
<label>step <output style="display:inline-block;width:2.5em;font-weight:600">$at</output>
<input type="range" min="0" max="$last" value="$at" step="1" style="width:min(360px,100%);vertical-align:middle" aria-label="step of the merging"></label>
<p aria-live="polite" style="margin:6px 0;min-height:1.4em">$caption</p>
<div class="tokens" style="line-height:1.9;min-height:$lines">$spans</div>
<script>(() => {
  const root = document.currentScript.parentElement, frames = $frames, colours = $colours;
  const slider = root.querySelector("input"), shown = root.querySelector("output");
  const caption = root.querySelector("p"), box = root.querySelector(".tokens");
  slider.addEventListener("input", () => {
    const [words, tokens] = frames[slider.value];
    shown.textContent = slider.value;
    caption.textContent = words;
    box.replaceChildren(...tokens.map((token, i) => {
      const span = document.createElement("span");
      span.style.cssText = "$style;background:" + colours[i % colours.length];
      span.textContent = token;
      return span;
    }));
  });
})()</script></div>
""")


def visible(token: Token) -> str:
    """A token as it can be shown: white space as a mark, bytes that are no whole character as ‹hexadecimal›.

    >>> visible(b" the"), visible("é".encode()[:1])
    ('·the', '‹c3›')
    """
    text = token if isinstance(token, str) else token.decode("utf-8", "surrogateescape")
    return "".join(_character(character) for character in text)


def _character(character: str) -> str:
    if character in MARKS:
        return MARKS[character]
    if 0xDC80 <= ord(character) <= 0xDCFF:  # what surrogateescape makes of a byte that is no UTF-8
        return f"‹{ord(character) - 0xDC00:02x}›"
    return character if character.isprintable() else f"‹{ord(character):x}›"


def token_spans(tokens: Sequence[Token], caption: str = "") -> str:
    """HTML: one coloured span a token, and their number after the caption."""
    head = f'<p style="margin:4px 0">{escape(caption)}: {len(tokens)} tokens</p>' if caption else ""
    return f'<div style="max-width:680px;font:14px system-ui,sans-serif;padding:6px;line-height:1.9">{head}{_spans(tokens)}</div>'


def merge_view(frames: Sequence[Sequence[Token]], captions: Sequence[str], start: int | None = None) -> str:
    """HTML with a slider over `frames`, the tokens after 0, 1, 2 … merges; `captions[i]` is the sentence above frame i.

    The frame `start` (the last one, if not given) is shown before the slider is moved, and where no script runs.
    """
    if len(frames) != len(captions) or not frames:
        raise ValueError(f"captions must be as many as frames and at least one, got {len(captions)} and {len(frames)}")
    at = len(frames) - 1 if start is None else start
    data = [[words, [visible(token) for token in tokens]] for words, tokens in zip(captions, frames)]
    longest = max(sum(len(token) + 1 for token in tokens) for _, tokens in data)
    return _PAGE.substitute(
        at=at,
        last=len(frames) - 1,
        caption=escape(captions[at]),
        spans=_spans(frames[at]),
        # a string in a script must not be able to end it
        frames=json.dumps(data, ensure_ascii=False).replace("<", "\\u003c"),
        colours=json.dumps(COLOURS),
        style=_SPAN,
        lines=f"{1.9 * (longest // 60 + 1):.1f}em",
    )


def draw_tokens(ax: Axes, tokens: Sequence[Token], columns: int = 64, caption: str = "") -> None:
    """The still picture: tokens as coloured boxes in lines of about `columns` characters."""
    x, line = 0.0, 0
    size = ax.figure.bbox.width / ax.figure.dpi * 72 / (columns * 0.66)  # points: a monospaced letter is about 0.6 of its size wide
    for i, token in enumerate(tokens):
        text = visible(token)
        width = len(text) + 0.5
        if x > 0 and x + width > columns:
            x, line = 0.0, line + 1
        box = FancyBboxPatch((x + 0.1, -line - 0.38), width - 0.2, 0.76, boxstyle="round,pad=0,rounding_size=0.15", linewidth=0)
        box.set_facecolor(COLOURS[i % len(COLOURS)])
        ax.add_patch(box)
        ax.text(x + width / 2, -line, text, ha="center", va="center_baseline", family="monospace", fontsize=min(size, 11), color=INK)
        x += width
    ax.set(xlim=(0, columns), ylim=(-line - 0.6, 0.6))
    ax.set_axis_off()
    if caption:
        ax.set_title(f"{caption}: {len(tokens)} tokens")


def _spans(tokens: Sequence[Token]) -> str:
    return "".join(
        f'<span style="{_SPAN};background:{COLOURS[i % len(COLOURS)]}">{escape(visible(token))}</span>' for i, token in enumerate(tokens)
    )
