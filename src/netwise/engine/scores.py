"""What a network is worth on data it has not learned from, with the interval that the number of samples allows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from netwise import streams
from netwise.data.source import Pairs
from netwise.losses import CLASSIFICATION


@dataclass(frozen=True)
class Score:
    """A score with its 95 % interval.

    Args:
        name: "accuracy" (Wilson's interval) or "r2" (share of variance explained; bootstrap interval).
        value: the score itself.
        low, high: ends of the interval.
        samples: how many it was measured on.

    Example:
        >>> import netwise as nw
        >>> print(nw.Score("accuracy", 0.9694, 0.946, 0.983, 360))
        accuracy 96.9 % (95 % interval 94.6 to 98.3; 360 samples)
    """

    name: str
    value: float
    low: float
    high: float
    samples: int

    def __str__(self) -> str:
        if self.name == "accuracy":
            numbers = f"accuracy {100 * self.value:.1f} % (95 % interval {100 * self.low:.1f} to {100 * self.high:.1f}"
        else:
            numbers = f"R² {self.value:.3f} (95 % interval {self.low:.3f} to {self.high:.3f}"
        return f"{numbers}; {self.samples} samples)"


def wilson(right: int, samples: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a share. Source: Wilson 1927; honest near 0 and 1, where the normal one is not."""
    share = right / samples
    middle = share + z * z / (2 * samples)
    reach = z * math.sqrt(share * (1 - share) / samples + z * z / (4 * samples * samples))
    scale = 1 + z * z / samples
    # The last digit may be rounded past the share itself, or past 0 and 1.
    return max(0.0, min(share, (middle - reach) / scale)), min(1.0, max(share, (middle + reach) / scale))


def outputs_of(module: nn.Module, x: Tensor) -> Tensor:
    """What the module gives for all of `x`, in evaluation mode, in pieces that fit in memory; modes are put back."""
    rows = max(1, min(4096, 2**21 // max(1, x[0].numel() if len(x) else 1)))
    modes = [(layer, layer.training) for layer in module.modules()]
    module.eval()
    try:
        with torch.no_grad():
            return torch.cat([module(piece) for piece in x.split(rows)])
    finally:
        for layer, mode in modes:
            layer.training = mode


def evaluate(module: nn.Module, loss: Callable[[Tensor, Tensor], Tensor], part: Pairs, task: str) -> tuple[float, float]:
    """(loss, accuracy or R²) on one part."""
    output = outputs_of(module, part.x)
    with torch.no_grad():
        value = float(loss(output, part.y))
    return value, _quality(output, part.y, task)


def _quality(output: Tensor, y: Tensor, task: str) -> float:
    if task == CLASSIFICATION:
        return float((output.argmax(1) == y).sum()) / max(1, y.numel())
    return r2(output, y)


def r2(output: Tensor, y: Tensor) -> float:
    """1 - squared error / variance, mean over targets: 0 for the best constant, 1 for a perfect answer."""
    wrong, spread = (output - y).double().square().sum(0), (y - y.mean(0)).double().square().sum(0)
    return float((1 - wrong / torch.where(spread > 0, spread, torch.ones_like(spread))).mean())


def score(module: nn.Module, part: Pairs, task: str, seed: int) -> Score:
    """The final score on a held-out part."""
    output, n = outputs_of(module, part.x).cpu(), len(part)
    y = part.y.cpu()
    if task == CLASSIFICATION:
        right, answers = int((output.argmax(1) == y).sum()), y.numel()  # a sequence answers at each of its places
        return Score("accuracy", right / answers, *wilson(right, answers), answers)
    g = streams.generator(seed, streams.RESAMPLE)
    draws = [torch.randint(n, (n,), generator=g) for _ in range(1000)]
    spread = torch.tensor([r2(output[rows], y[rows]) for rows in draws], dtype=torch.float64)
    low, high = torch.quantile(spread, torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return Score("r2", r2(output, y), low, high, n)
