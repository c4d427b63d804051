"""A sentence read word by word, drawn as in Cheng, Dong and Lapata (2016, figure 1)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from matplotlib.patheffects import withStroke

from utils import plots


def draw_reading(ax: Axes, words: Sequence[str], weights: Sequence[torch.Tensor]) -> None:
    """One line for each word: the word being read in orange-red, the words it attends to shaded by their weight.

    `weights[t]` holds word `t`'s weights over the sentence's first `len(weights[t])` words. What is still to come is grey.
    """
    starts = [sum(len(word) + 2 for word in words[:i]) for i in range(len(words))]
    for line, row in enumerate(weights):
        shades = [float(weight) for weight in row]
        for i, (word, start) in enumerate(zip(words, starts, strict=True)):
            if i < len(shades):
                _shade(ax, start, line, len(word), shades[i])
            color = plots.RED if i == line else "#111827" if i < line else plots.GREY
            ax.text(
                start + len(word) / 2,
                line,
                word,
                ha="center",
                va="center",
                family="monospace",
                color=color,
                weight="bold" if i == line else None,
                path_effects=[withStroke(linewidth=2, foreground="white")] if i == line else None,
            )
    ax.set(xlim=(-1, starts[-1] + len(words[-1]) + 1), ylim=(len(words) - 0.4, -0.6))
    ax.axis("off")


def _shade(ax: Axes, start: float, line: int, length: int, weight: float) -> None:
    box = FancyBboxPatch((start - 0.2, line - 0.32), length + 0.4, 0.64, boxstyle="round,pad=0.02,rounding_size=0.25")
    box.set(facecolor=plots.SKY, edgecolor="none", alpha=min(max(weight, 0.0), 1.0))
    ax.add_patch(box)
