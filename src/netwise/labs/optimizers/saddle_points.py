"""L70: in many dimensions nearly all critical points are saddle points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.part import integer
from netwise.report.pictures.drawing import BLUE, GREY, ORANGE, figure, svg, use_log_scale

SIZES = (1, 2, 3, 4, 5)
EXACT = {1: 0.5, 2: (2 - 2**0.5) / 4, 3: (np.pi - 2 * 2**0.5) / (4 * np.pi)}
INPUTS = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
TARGETS = torch.tensor([0.0, 1.0, 1.0, 0.0], dtype=torch.float64)
CRITICAL, NEGATIVE = 1e-9, -1e-6  # norm of the gradient; eigenvalue

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class SaddlePointsSettings(LabSettings):
    """What can be varied in L70.

    Args:
        draws: random matrices of each size. Default 400000.
        starts: of Newton's method on the network. Default 400.
        width: hidden units of the network. Default 2, which has 9 weights.
    """

    draws: int = integer(400_000, least=1000, most=10**7, because="a share needs some draws")
    starts: int = integer(400, least=10, most=10_000, because="a share needs some starts")
    width: int = integer(2, least=1, most=8, because="the Hessian of each start is inverted")


def share_positive(size: int, draws: int, seed: int = 0) -> float:
    """The share of random symmetric matrices, normal off the diagonal and with twice the variance
    on it, that have positive eigenvalues only: those whose pivots are positive."""
    rng = np.random.default_rng(seed)
    matrices = rng.standard_normal((draws, size, size))
    matrices = matrices + matrices.transpose(0, 2, 1)
    for k in range(size):
        matrices = matrices[matrices[:, k, k] > 0]
        row = matrices[:, k, :]
        matrices = matrices - row[:, :, None] * row[:, None, :] / matrices[:, k, k][:, None, None]
    return len(matrices) / draws


def xor_loss(w: Tensor) -> Tensor:
    """Half the mean square error on XOR of a network with two inputs, tanh units and one linear
    output, whose weights are `w`."""
    width = (len(w) - 1) // 4
    hidden = torch.tanh(INPUTS @ w[: 2 * width].reshape(2, width) + w[2 * width : 3 * width])
    return (hidden @ w[3 * width : 4 * width] + w[-1] - TARGETS).square().mean() / 2


def critical_points(settings: SaddlePointsSettings) -> tuple[np.ndarray, np.ndarray]:
    """(loss, number of negative eigenvalues) of the points with a gradient of 0 that damped Newton
    steps on the gradient reach, saddle points and maxima as well as minima."""
    g = torch.Generator().manual_seed(0)
    w = torch.randn(settings.starts, 4 * settings.width + 1, generator=g, dtype=torch.float64)
    gradient_of = torch.func.vmap(torch.func.grad(xor_loss))
    hessian_of = torch.func.vmap(torch.func.jacrev(torch.func.grad(xor_loss)))
    damping = torch.full((settings.starts,), 1e-2, dtype=torch.float64)
    for _ in range(200):
        gradient, hessian = gradient_of(w), hessian_of(w)
        # Levenberg's step for the sum of squares of the gradient.
        normal = hessian @ hessian + damping[:, None, None] * torch.eye(w.shape[1])
        tried = w - torch.linalg.solve(normal, (hessian @ gradient[:, :, None]))[:, :, 0]
        better = gradient_of(tried).norm(dim=1) < gradient.norm(dim=1)
        w = torch.where(better[:, None], tried, w)
        damping = torch.where(better, damping / 5, damping * 5).clamp(1e-14, 1e6)
    found = (gradient_of(w).norm(dim=1) < CRITICAL) & (w.norm(dim=1) < 20)
    w = w[found]
    losses = torch.func.vmap(xor_loss)(w)
    negative = (torch.linalg.eigvalsh(hessian_of(w)) < NEGATIVE).sum(1)
    return losses.numpy(), negative.numpy()


def falls_faster(shares: list[float]) -> bool:
    """Whether each share is a smaller part of the one before than that was of its own."""
    ratios = [after / before if before else 0.0 for before, after in pairwise(shares)]
    return all(after < before for before, after in pairwise(ratios))


def criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    shares = [numbers[f"n = {n}: share with positive eigenvalues only"] for n in SIZES]
    last = shares[-1] / shares[-2] if shares[-2] else 0.0
    saddles = numbers["network: share of saddle points"]
    off = max(abs(shares[i] - EXACT[n]) for i, n in enumerate(SIZES) if n in EXACT)
    gap = numbers["network: mean loss, saddle points - minima"]
    return (
        Criterion(
            "from n = 1 to 5 the share with positive eigenvalues only falls faster than "
            "exponentially: each ratio to the one before is smaller (the last ratio)",
            last,
            falls_faster(shares),
        ),
        Criterion(
            "more of the network's critical points are saddle points than minima (their share is "
            "above 0.5)",
            saddles,
            saddles > 0.5,
        ),
        Criterion("the shares of n = 1, 2, 3 are those of theory to 0.01", off, off < 0.01, False),
        Criterion("the loss at saddle points is higher than at minima", gap, gap > 0, False),
    )


def run_l70(settings: SaddlePointsSettings) -> LabResult:
    numbers = {
        f"n = {n}: share with positive eigenvalues only": share_positive(n, settings.draws)
        for n in SIZES
    }
    losses, negative = critical_points(settings)
    minima = negative == 0
    numbers["network: critical points found"] = float(len(losses))
    numbers["network: share of saddle points"] = float((~minima).mean()) if len(losses) else 0.0
    numbers["network: mean number of negative eigenvalues"] = float(negative.mean())
    both = minima.any() and not minima.all()
    gap = losses[~minima].mean() - losses[minima].mean() if both else 0.0
    numbers["network: mean loss, saddle points - minima"] = float(gap)
    return LabResult(numbers, criteria(numbers), picture(numbers, losses, negative), seeds=(0,))


def picture(numbers: Numbers, losses: np.ndarray, negative: np.ndarray) -> str:
    title = "Minima among critical points"
    with figure(columns=2) as (drawing, axes):
        left, right = axes[0]
        left.plot(SIZES, [0.5**n for n in SIZES], color=GREY, label="1 / 2ⁿ")
        shares = [numbers[f"n = {n}: share with positive eigenvalues only"] for n in SIZES]
        left.plot(SIZES, shares, color=BLUE, marker="o", label="measured")
        use_log_scale(left, "y")
        left.set_title("random matrices")
        left.set_xlabel("dimension n")
        left.set_ylabel("share of minima")
        left.legend()
        right.plot(negative + np.linspace(-0.2, 0.2, len(negative)), losses, ".", color=ORANGE)
        right.set_title("XOR network")
        right.set_xlabel("directions downhill")
        right.set_ylabel("loss")
        return svg(drawing, title)


L70 = Lab(
    "L70",
    lab_texts()["L70"],
    run_l70,
    SaddlePointsSettings(),
    minutes=0.1,
    small={"draws": 2000, "starts": 20},
)
