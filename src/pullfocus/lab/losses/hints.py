"""Learning from a teacher's features, stage by stage."""

from __future__ import annotations

from torch import Tensor, zeros_like
from torch.nn import functional


class HintScale:
    """Running mean square of a teacher's channels, by which hint errors are measured."""

    def __init__(self, momentum: float = 0.02) -> None:
        self.momentum = momentum
        self.square: dict[str, Tensor] = {}

    def loss(self, name: str, own: Tensor, hint: Tensor) -> Tensor:
        """Return the squared error (Huber beyond 3) of own's first channels, both b k h w.

        In units of each channel's own power, so 1 = as bad as answering zero.
        """
        now = hint.float().square().mean((0, 2, 3))
        kept = self.square.get(name)
        self.square[name] = now if kept is None else kept.lerp(now, self.momentum)
        power = self.square[name]
        weight = 1 / (power + 0.05 * power.mean() + 1e-6)
        error = (own[:, : hint.shape[1]].float() - hint.float()) * weight.sqrt()[:, None, None]
        return 2 * functional.huber_loss(error, zeros_like(error), delta=3.0)
