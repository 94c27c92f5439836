"""Losses and scores of a network on data that it was not trained on, with intervals for the number
of samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn

from netwise import random_streams
from netwise.data.dataset import Pairs
from netwise.intervals import NORMAL, wilson
from netwise.module_modes import evaluation_mode
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.scoring.score import Score
from netwise.signals import VALID_ACCURACY, VALID_LOSS, VALID_R2
from netwise.tasks import task_named

LossPerSample = Callable[[Tensor, Tensor], Tensor]
RESAMPLES = 1000  # of a bootstrap interval
FEWEST_RESAMPLES = 100  # of one with very many samples
MOST_DRAWN = 50_000_000  # rows of all resamples together


def outputs_of(module: nn.Module, x: Tensor) -> Tensor:
    """Outputs `(samples, ...)` for all of `x`, in evaluation mode, computed in pieces that fit in
    memory."""
    rows = max(1, min(4096, 2**21 // max(1, x[0].numel() if len(x) else 1)))
    with evaluation_mode(module), torch.no_grad():
        return torch.cat([module(piece) for piece in x.split(rows)])


def evaluate(
    module: nn.Module,
    loss: Callable[[Tensor, Tensor], Tensor],
    part: Pairs,
    task: str,
    seed: int = 0,
    loss_per_sample: LossPerSample | None = None,
    measure: Callable[[Tensor, Tensor, Tensor | None], dict[str, float]] | None = None,
    outputs: Callable[[nn.Module, Tensor], Tensor] = outputs_of,
) -> dict[str, float]:
    """The loss on one part, and accuracy or R², by the names of their signals. For an energy model
    the loss is `evaluation_loss` of its module.

    Args:
        module: the network.
        loss: mean over the samples of (outputs, targets).
        part: to evaluate on; not empty.
        task: of the samples.
        seed: of what modules draw.
        loss_per_sample: for parts whose samples have weights.
        measure: gives more signals of (outputs, targets, weights). Default: none.
        outputs: computes the outputs of (network, inputs). Default: `outputs_of`.
    """
    kind = task_named(task)
    if kind.is_density:
        assert isinstance(module, UnsupervisedModule)
        return {VALID_LOSS: module.evaluation_loss(part.x, seed)}
    if kind.inputs_are_targets:
        errors, deviations = _squared_errors(reconstructions_of(module, part.x), part.y)
        return {
            VALID_LOSS: mean_batch_loss(module, part, seed),
            VALID_R2: pooled_r2(errors, deviations),
        }
    output = outputs(module, part.x)
    with torch.no_grad():
        if part.weight is None or loss_per_sample is None:
            value = float(loss(output, part.y))
        else:
            losses = part.weight * loss_per_sample(output, part.y)
            value = float(losses.sum() / part.weight.sum())
    if kind.has_classes:
        right, answers = _right_answers(output, part)
        signals = {VALID_LOSS: value, VALID_ACCURACY: right / max(1, answers)}
    else:
        signals = {VALID_LOSS: value, VALID_R2: r2(output, part.y, part.weight)}
    return signals if measure is None else signals | measure(output, part.y, part.weight)


def _right_answers(output: Tensor, part: Pairs) -> tuple[float, float]:
    """(right answers, answers); where samples have weights, of as many answers of equal weight as
    the share of right ones is as certain as."""
    right, answers = output.argmax(1) == part.y, part.y.numel()
    weight = _positive(part.weight)
    if weight is None:
        return int(right.sum()), answers
    each = right.flatten(1).double().mean(1) if right.dim() > 1 else right.double()
    count = answers / len(part) / float(weight.square().sum())
    return float((weight * each).sum()) * count, count


def _positive(weight: Tensor | None) -> Tensor | None:
    """Weights as shares of their sum, float64; None where there are none, or all are 0."""
    if weight is None or not float(weight.sum()):
        return None
    return weight.double() / weight.double().sum()


def mean_batch_loss(module: nn.Module, part: Pairs, seed: int) -> float:
    """The loss that a module computes itself, mean over the samples; equal seeds draw the same."""
    assert isinstance(module, UnsupervisedModule)
    with evaluation_mode(module), torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(seed)
        pieces = list(zip(part.x.split(1000), part.y.split(1000), strict=True))
        losses = (float(module.batch_loss(x, y)) * len(x) for x, y in pieces)
        return math.fsum(losses) / len(part)


def reconstructions_of(module: nn.Module, x: Tensor) -> Tensor:
    """Reconstructions `(samples, inputs)` of an autoencoder or an energy model, in the units of
    `x`."""
    assert isinstance(module, UnsupervisedModule)
    with evaluation_mode(module), torch.no_grad():
        return torch.cat([module.reconstruct(piece) for piece in x.split(4096)])


def _squared_errors(output: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """For each sample, summed over its targets: squared error of the output, and squared distance
    of the target from the mean target; `(samples,)` each."""
    errors = (output.reshape(y.shape) - y).double().square().sum(1)
    return errors, (y - y.mean(0)).double().square().sum(1)


def pooled_r2(errors: Tensor, deviations: Tensor) -> float:
    """1 - squared error / variance, summed over all targets: a constant target has no influence."""
    return 1 - float(errors.sum()) / max(float(deviations.sum()), 1e-300)


def r2(output: Tensor, y: Tensor, weight: Tensor | None = None) -> float:
    """1 - squared error / variance, mean over the targets: 0 for the best constant output, 1 for a
    perfect one.

    Args:
        output, y: `(samples, targets)`.
        weight: of each sample `(samples,)`; None: all are equal.
    """
    share = _positive(weight)
    if share is None:
        errors = (output - y).double().square().sum(0)
        deviations = (y - y.mean(0)).double().square().sum(0)
    else:
        mean = share @ y.double()
        errors = share @ (output - y).double().square()
        deviations = share @ (y.double() - mean).square()
    divisors = torch.where(deviations > 0, deviations, torch.ones_like(deviations))
    return float((1 - errors / divisors).mean())


def score(module: nn.Module, part: Pairs, task: str, seed: int) -> Score:
    """The final score on a part that was not used in training."""
    kind = task_named(task)
    if kind.is_density:
        return _likelihood_score(module, part, seed)
    y, n = part.y.cpu(), len(part)
    output = (reconstructions_of if kind.inputs_are_targets else outputs_of)(module, part.x).cpu()
    if kind.has_classes:
        part = Pairs(output, y, None if part.weight is None else part.weight.cpu())
        correct, answers = _right_answers(output, part)
        return Score("accuracy", correct / answers, *wilson(correct, answers), y.numel())
    draws = _bootstrap_rows(n, seed)
    if kind.inputs_are_targets:
        return _reconstruction_score(*_squared_errors(output, y), draws)
    weight = None if part.weight is None else part.weight.cpu()
    drawn = (r2(output[rows], y[rows], None if weight is None else weight[rows]) for rows in draws)
    values = torch.tensor(list(drawn), dtype=torch.float64)
    return Score("r2", r2(output, y, weight), *_central_95_percent(values), n)


def _bootstrap_rows(samples: int, seed: int) -> Iterator[Tensor]:
    """Row numbers of each resample, drawn with replacement; one at a time, since a thousand of a
    large part need more memory than the part. Of more samples fewer resamples are enough work."""
    g = random_streams.generator(seed, random_streams.RESAMPLE)
    for _ in range(max(FEWEST_RESAMPLES, min(RESAMPLES, MOST_DRAWN // samples))):
        yield torch.randint(samples, (samples,), generator=g)


def _reconstruction_score(errors: Tensor, deviations: Tensor, draws: Iterable[Tensor]) -> Score:
    values = torch.tensor(
        [pooled_r2(errors[rows], deviations[rows]) for rows in draws], dtype=torch.float64
    )
    interval = _central_95_percent(values)
    return Score("r2", pooled_r2(errors, deviations), *interval, len(errors))


def _central_95_percent(values: Tensor) -> tuple[float, float]:
    low, high = torch.quantile(values, torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return low, high


def _likelihood_score(module: nn.Module, part: Pairs, seed: int) -> Score:
    """Mean ln p of the inputs. The interval covers the spread of the samples and, where ln Z is
    estimated, the standard error of the estimate."""
    assert isinstance(module, UnsupervisedModule)
    estimate = module.estimate_log_likelihood(part.x, seed)
    if estimate is None:  # no likelihood is known for these units: score the reconstruction
        output = reconstructions_of(module, part.x).cpu()
        errors, deviations = _squared_errors(output, part.x.flatten(1).cpu())
        return _reconstruction_score(errors, deviations, _bootstrap_rows(len(part), seed))
    log_p, error, how = estimate
    value = float(log_p.double().mean())
    n = len(log_p)
    standard_error = float(log_p.double().std()) / math.sqrt(n) if n > 1 else 0.0
    reach = NORMAL * math.hypot(standard_error, error)
    return Score("log-likelihood", value, value - reach, value + reach, n, how)
