"""What a network is worth on data it has not learned from, with the interval that the number of
samples allows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from netwise import random_streams
from netwise.data.dataset import Pairs
from netwise.intervals import NORMAL, wilson
from netwise.module_modes import evaluation_mode
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.signals import VALID_ACCURACY, VALID_LOSS, VALID_R2
from netwise.tasks import task_named

Each = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Score:
    """A score with its 95 % interval.

    Args:
        name: "accuracy" (Wilson's interval), "r2" (share of variance explained; bootstrap interval)
            or "log-likelihood" (in nats); "recall" of stored patterns.
        value: the score itself.
        low, high: ends of the interval.
        samples: how many it was measured on.
        how: by which way, where there are several: "exact", or that of an estimate.

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
    how: str = ""

    def __str__(self) -> str:
        if self.name == "accuracy":
            numbers = f"accuracy {100 * self.value:.1f} % (95 % interval {100 * self.low:.1f} to {100 * self.high:.1f}"
        elif self.name == "recall":
            numbers = f"recall {100 * self.value:.1f} % (95 % interval {100 * self.low:.1f} to {100 * self.high:.1f}"
        elif self.name == "log-likelihood":
            numbers = f"log-likelihood {self.value:.2f} nats (95 % interval {self.low:.2f} to {self.high:.2f}"
        else:
            numbers = f"R² {self.value:.3f} (95 % interval {self.low:.3f} to {self.high:.3f}"
        return f"{numbers}; {self.samples} samples{'; ' if self.how else ''}{self.how})"


def outputs_of(module: nn.Module, x: Tensor) -> Tensor:
    """What the module gives for all of `x`, in evaluation mode, in pieces that fit in memory; modes
    are put back."""
    rows = max(1, min(4096, 2**21 // max(1, x[0].numel() if len(x) else 1)))
    with evaluation_mode(module), torch.no_grad():
        return torch.cat([module(piece) for piece in x.split(rows)])


def evaluate(
    module: nn.Module,
    loss: Callable[[Tensor, Tensor], Tensor],
    part: Pairs,
    task: str,
    seed: int = 0,
    each: Each | None = None,
) -> dict[str, float]:
    """The loss on one part, and accuracy or R², by the names of their signals; of an energy model
    what it is judged by.

    Where samples count unequally, `each` gives the loss of each; shares of right answers count all
    alike.
    """
    kind = task_named(task)
    if kind.is_density:
        assert isinstance(module, UnsupervisedModule)
        return {VALID_LOSS: module.evaluation_loss(part.x, seed)}
    if kind.inputs_are_targets:
        return {
            VALID_LOSS: cost_of(module, part, seed),
            VALID_R2: pooled_r2(*_errors(reconstructions_of(module, part.x), part.y)),
        }
    output = outputs_of(module, part.x)
    with torch.no_grad():
        value = float(
            loss(output, part.y)
            if part.weight is None or each is None
            else (part.weight * each(output, part.y)).sum() / part.weight.sum()
        )
    if kind.has_classes:
        return {
            VALID_LOSS: value,
            VALID_ACCURACY: float((output.argmax(1) == part.y).sum()) / max(1, part.y.numel()),
        }
    return {VALID_LOSS: value, VALID_R2: r2(output, part.y)}


def cost_of(module: nn.Module, part: Pairs, seed: int) -> float:
    """What a module that counts its own loss says of one part, mean over its samples; equal seeds
    draw alike."""
    assert isinstance(module, UnsupervisedModule)
    with evaluation_mode(module), torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(seed)
        pieces = list(zip(part.x.split(1000), part.y.split(1000), strict=True))
        return math.fsum(float(module.batch_loss(x, y)) * len(x) for x, y in pieces) / len(part)


def reconstructions_of(module: nn.Module, x: Tensor) -> Tensor:
    """(samples, inputs): what an autoencoder or a machine makes of its inputs, in their own
    units."""
    assert isinstance(module, UnsupervisedModule)
    with evaluation_mode(module), torch.no_grad():
        return torch.cat([module.reconstruct(piece) for piece in x.split(4096)])


def _errors(output: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """(samples,) each: squared error of an answer, and squared distance of the target from the
    mean, summed over the targets."""
    wrong = (output.reshape(y.shape) - y).double().square().sum(1)
    return wrong, (y - y.mean(0)).double().square().sum(1)


def pooled_r2(wrong: Tensor, spread: Tensor) -> float:
    """1 - squared error / variance over all targets together: a pixel that is never on counts
    nothing."""
    return 1 - float(wrong.sum()) / max(float(spread.sum()), 1e-300)


def r2(output: Tensor, y: Tensor) -> float:
    """1 - squared error / variance, mean over targets: 0 for the best constant, 1 for a perfect
    answer."""
    wrong, spread = (output - y).double().square().sum(0), (y - y.mean(0)).double().square().sum(0)
    return float((1 - wrong / torch.where(spread > 0, spread, torch.ones_like(spread))).mean())


def score(module: nn.Module, part: Pairs, task: str, seed: int) -> Score:
    """The final score on a held-out part."""
    kind = task_named(task)
    if kind.is_density:
        return _likelihood(module, part, seed)
    y, n = part.y.cpu(), len(part)
    output = (reconstructions_of if kind.inputs_are_targets else outputs_of)(module, part.x).cpu()
    if kind.has_classes:
        right, answers = (
            int((output.argmax(1) == y).sum()),
            y.numel(),
        )  # a sequence answers at each of its places
        return Score("accuracy", right / answers, *wilson(right, answers), answers)
    g = random_streams.generator(seed, random_streams.RESAMPLE)
    draws = [torch.randint(n, (n,), generator=g) for _ in range(1000)]
    if kind.inputs_are_targets:
        return _explained(*_errors(output, y), draws)
    spread = torch.tensor([r2(output[rows], y[rows]) for rows in draws], dtype=torch.float64)
    return Score("r2", r2(output, y), *_ends(spread), n)


def _explained(wrong: Tensor, spread: Tensor, draws: Sequence[Tensor]) -> Score:
    found = torch.tensor(
        [pooled_r2(wrong[rows], spread[rows]) for rows in draws], dtype=torch.float64
    )
    return Score("r2", pooled_r2(wrong, spread), *_ends(found), len(wrong))


def _ends(found: Tensor) -> tuple[float, float]:
    low, high = torch.quantile(found, torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return low, high


def _likelihood(module: nn.Module, part: Pairs, seed: int) -> Score:
    """Mean ln p of the held-out inputs. The interval holds the spread of the samples and, where Z
    is estimated, that of the estimate."""
    assert isinstance(module, UnsupervisedModule)
    told = module.estimate_log_likelihood(part.x, seed)
    if told is None:  # of these units no likelihood is known: what is given back of an input
        given = reconstructions_of(module, part.x).cpu()
        g = random_streams.generator(seed, random_streams.RESAMPLE)
        draws = [torch.randint(len(part), (len(part),), generator=g) for _ in range(1000)]
        return _explained(*_errors(given, part.x.flatten(1).cpu()), draws)
    ln, error, how = told
    value = float(ln.double().mean())
    reach = NORMAL * math.hypot(
        float(ln.double().std()) / math.sqrt(len(ln)) if len(ln) > 1 else 0.0, error
    )
    return Score("log-likelihood", value, value - reach, value + reach, len(ln), how)
