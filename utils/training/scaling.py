"""Float16 has no numbers below 6 · 10⁻⁸: the loss is multiplied before the backward pass, and gradients are divided where they leave it.

As PyTorch's `GradScaler`, but around a training step that knows nothing of it, and without waiting for the device (Micikevicius et al. 2018).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

GROWTH_STEPS = 2000  # so many steps without an overflow, and the scale is doubled


class _Scale(torch.autograd.Function):
    """The loss as it is; its gradient times `scale`."""

    @staticmethod
    def forward(ctx, loss: Tensor, scale: Tensor) -> Tensor:
        ctx.save_for_backward(scale)
        return loss.clone()

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient * ctx.saved_tensors[0], None


class ScaledLoss(nn.Module):
    """`inner(x, y) -> (logits, loss)` with a scaled backward pass; `optimizer` (a fused AdamW) skips steps whose gradients overflowed."""

    def __init__(self, inner: nn.Module, optimizer: torch.optim.Optimizer, scale: float = 2.0**16) -> None:
        super().__init__()
        self.inner = inner
        self.weights = [p for p in inner.parameters() if p.requires_grad]
        device = self.weights[0].device
        self.state = {"scale": torch.tensor(scale, device=device), "steps": torch.zeros((), device=device)}
        self.overflow = torch.zeros((), device=device)  # 1 where this step's gradients are not finite
        for weight in self.weights:
            weight.register_hook(self._unscaled)
        optimizer.register_step_pre_hook(self._before)
        optimizer.register_step_post_hook(self._after)

    def forward(self, *batch: Tensor) -> tuple[Tensor, Tensor]:
        logits, loss = self.inner(*batch)
        return logits, _Scale.apply(loss, self.state["scale"])

    def _unscaled(self, gradient: Tensor) -> Tensor:
        return gradient / self.state["scale"]

    def _before(self, optimizer: torch.optim.Optimizer, *_) -> None:
        finite = torch.stack([w.grad.isfinite().all() for w in self.weights if w.grad is not None]).all()
        self.overflow = 1 - finite.float()
        optimizer.found_inf = self.overflow  # type: ignore[attr-defined]  # PyTorch's fused kernel looks for it

    def _after(self, optimizer: torch.optim.Optimizer, *_) -> None:
        overflow, scale, steps = self.overflow > 0, self.state["scale"], self.state["steps"]
        steps = torch.where(overflow, torch.zeros_like(steps), steps + 1)
        grown = torch.where(steps >= GROWTH_STEPS, scale * 2, scale)
        self.state = {
            "scale": torch.where(overflow, scale / 2, grown),
            "steps": torch.where(steps >= GROWTH_STEPS, torch.zeros_like(steps), steps),
        }
