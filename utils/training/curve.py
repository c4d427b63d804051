"""What one sees of a training: a progress bar, and in a notebook a loss curve that redraws itself."""

from __future__ import annotations

from typing import Any

import torch
from tqdm.auto import tqdm

from utils.training.plan import History, Plan


class LiveCurve:
    """A progress bar, and in a notebook a loss curve that redraws itself."""

    def __init__(self, plan: Plan, enabled: bool) -> None:
        self.plan, self.enabled, self.handle = plan, enabled, None
        self.bar = tqdm(total=plan.steps, disable=not enabled, unit="step", leave=False)  # the curve says it all afterwards

    def update(self, history: History, shown: dict[str, str], redraw: bool) -> None:
        if not self.enabled:
            return
        self.bar.update(len(history.losses) - self.bar.n)
        if redraw and history.evals:
            self.bar.set_postfix(validation=f"{history.evals[-1][1]:.3f}", **shown)
            if _in_notebook():
                self._draw(history)

    def _draw(self, history: History) -> None:
        from IPython.display import display

        from utils import plots

        alt = f"Training loss and validation loss over {len(history.losses)} steps; the last validation loss is {history.evals[-1][1]:.2f}"
        picture = plots.Figured(plots.render(lambda figure: draw_history(figure, history, self.plan.steps)), alt, 640)
        if self.handle is None:
            self.handle = display(picture, display_id=True)
        else:
            self.handle.update(picture)

    def say(self, line: str) -> None:
        """One line beside the bar."""
        if self.enabled and line:
            print(line)

    def close(self) -> None:
        self.bar.close()


def draw_history(figure: Any, history: History, steps: int | None = None) -> Any:
    """Training loss (smoothed over 20 steps, above a pale trace of every step) and validation loss; gives the axes."""
    from utils import plots

    ax = figure.subplots()
    losses = torch.tensor(history.losses)
    ax.plot(range(1, len(losses) + 1), losses, color=plots.BLUE, alpha=0.25, linewidth=0.8)
    if len(losses) >= 20:
        ax.plot(range(20, len(losses) + 1), losses.unfold(0, 20, 1).mean(1), color=plots.BLUE, label="training (mean of 20 steps)")
    ax.plot(*zip(*history.evals), "o-", color=plots.ORANGE, label="validation")
    ax.set(xlabel="step", ylabel="loss (nats per token)", xlim=(0, steps or len(losses)))
    ax.legend()
    return ax


def _in_notebook() -> bool:
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None
