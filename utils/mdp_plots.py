"""Grid pictures for lesson 01: values as colours, actions as arrows, a path as a line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from torch import Tensor

from utils import plots

# the (row, column) step of each action; the two tasks number the directions differently
CLIFF_ARROWS = ((-1, 0), (0, 1), (1, 0), (0, -1))
LAKE_ARROWS = ((0, -1), (1, 0), (0, 1), (-1, 0))


def draw_grid(
    ax: Axes,
    values: Tensor,
    shape: tuple[int, int],
    *,
    letters: dict[int, str] | None = None,
    hidden: Sequence[int] = (),
    numbers: bool = True,
    limits: tuple[float, float] | None = None,
    label: str = "",
) -> None:
    """State values on a grid of `shape` (rows, columns), read row by row; `hidden` cells are grey, `letters` are written in theirs."""
    if values.shape != (math.prod(shape),):
        raise ValueError(f"values has shape {tuple(values.shape)}, a grid of shape {shape} has {math.prod(shape)} cells")
    letters = letters or {}
    grid = values.detach().to("cpu", torch.float64).clone()
    grid[list(hidden)] = float("nan")
    low, high = limits or (float(grid[~grid.isnan()].min()), float(grid[~grid.isnan()].max()))
    image = ax.imshow(grid.reshape(shape).numpy(), cmap=_map(low, high), norm=_norm(low, high))
    _cells(ax, shape)
    for cell, value in enumerate(grid.tolist()):
        row, column = divmod(cell, shape[1])
        grey = value != value
        ink = {"color": "#111827"} if grey else _ink(image, value)
        if cell in letters:  # in the corner of a cell that has a value, so that arrows and paths do not hide it
            x, y, ha, va = (column, row, "center", "center") if grey else (column - 0.4, row - 0.4, "left", "top")
            ax.text(x, y, letters[cell], fontsize=9, weight="bold", ha=ha, va=va, **ink)
        if numbers and not grey:
            ax.text(column, row + 0.42, f"{value:.2g}", ha="center", va="bottom", fontsize=7, **ink)
    if label:
        bar = ax.figure.colorbar(image, ax=ax, fraction=0.03, pad=0.02, shrink=0.8, label=label)
        bar.outline.set_visible(False)


def draw_arrows(ax: Axes, q: Tensor, shape: tuple[int, int], moves: Sequence[tuple[int, int]], skip: Sequence[int] = ()) -> None:
    """An arrow for every best action of a cell; a cell where all actions are equal has none."""
    shown = ax.images[0].get_array() if ax.images else None
    for cell, row_of_q in enumerate(q.detach().tolist()):
        best = max(row_of_q)
        chosen = [a for a, value in enumerate(row_of_q) if best - value < 1e-9]
        if cell in skip or len(chosen) == len(row_of_q):
            continue
        row, column = divmod(cell, shape[1])
        ink = "#111827" if shown is None else _ink(ax.images[0], float(shown[row, column]))["color"]
        for a in chosen:
            down, right = moves[a]
            tip = (column + 0.22 * right, row - 0.08 + 0.22 * down)
            tail = (column - 0.22 * right, row - 0.08 - 0.22 * down)
            ax.annotate("", tip, tail, arrowprops={"arrowstyle": "-|>", "color": ink, "lw": 1.3, "mutation_scale": 10})


def draw_path(ax: Axes, cells: Sequence[int], shape: tuple[int, int], color: str, label: str, offset: float = 0.0) -> None:
    """A walk through the grid; `offset` (in cells) keeps two paths apart."""
    rows, columns = zip(*(divmod(cell, shape[1]) for cell in cells))
    ax.plot(
        [c + offset for c in columns],
        [r + offset for r in rows],
        color=color,
        label=label,
        lw=2.4,
        marker="o",
        ms=3.5,
        solid_capstyle="round",
    )


def _cells(ax: Axes, shape: tuple[int, int]) -> None:
    ax.set_facecolor("#D1D5DB")
    ax.set_xticks([c - 0.5 for c in range(shape[1] + 1)], labels=[])
    ax.set_yticks([r - 0.5 for r in range(shape[0] + 1)], labels=[])
    ax.grid(color="white", lw=1.5)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def _norm(low: float, high: float) -> TwoSlopeNorm | None:
    if high - low < 1e-12:
        high = low + 1
    return TwoSlopeNorm(vcenter=(low + high) / 2, vmin=low, vmax=high)


def _map(low: float, high: float) -> str:
    return plots.SEQUENTIAL if high > 0 else plots.SEQUENTIAL + "_r"


def _ink(image: Any, value: float) -> dict[str, Any]:
    return plots.on(image.cmap(image.norm(value)))
