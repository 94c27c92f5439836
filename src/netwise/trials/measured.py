"""What a state of a module reaches on kept batches: its loss, and its score as a skill."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from netwise.module_modes import evaluation_mode
from netwise.observe.kept_batches import KeptBatch
from netwise.trials.rebuilt_loss import BITS, CLASSES, RebuiltLoss


@dataclass(frozen=True)
class Measured:
    """Loss and score on some batches.

    Args:
        loss: mean over the batches.
        skill: the score on a scale where 0 is the best constant answer and 1 is perfect: accuracy
            above that of the largest class, or R².
        error: standard error of the skill.
        score: accuracy or R².
    """

    loss: float = math.nan
    skill: float = math.nan
    error: float = math.inf
    score: float = math.nan

    def exceeds(self, other: Measured, margin: float) -> bool:
        """Whether its skill is higher by `margin`, and by more than chance."""
        chance = 2 * math.hypot(self.error, other.error)
        return self.skill - other.skill > max(margin, chance)


def measured(module: nn.Module, batches: Sequence[KeptBatch], loss: RebuiltLoss) -> Measured:
    """Measure a module in evaluation mode."""
    losses, predictions, targets = [], [], []
    with evaluation_mode(module), torch.no_grad():
        for batch in batches:
            assert batch.target is not None
            output = module(*batch.args, **batch.kwargs)
            losses.append(float(loss(output, batch.target)))
            predictions.append(loss.prediction(output, batch.target))
            targets.append(batch.target)
    mean = sum(losses) / len(losses) if losses else math.nan
    if not losses or not math.isfinite(mean):
        return Measured(loss=math.inf, skill=-1.0, error=0.0)
    if loss.kind == CLASSES:
        hits, constant = _class_hits(predictions, targets)
    elif loss.kind == BITS:
        flat = torch.cat([p.flatten() > loss.middle for p in predictions])
        bits = torch.cat([t.flatten() > 0.5 for t in targets])
        share = float(bits.float().mean())
        hits, constant = flat == bits, max(share, 1 - share)
    else:
        return _of_numbers(mean, predictions, targets)
    if not len(hits):
        return Measured(loss=mean)
    right, room = float(hits.float().mean()), max(1 - constant, 1e-3)
    error = math.sqrt(max(right * (1 - right), 0.5 / len(hits)) / len(hits)) / room
    return Measured(mean, (right - constant) / room, error, right)


def _class_hits(predictions: Sequence[Tensor], targets: Sequence[Tensor]) -> tuple[Tensor, float]:
    """Which answers are right, and the share of the largest class."""
    hits, classes = [], []
    for prediction, target in zip(predictions, targets, strict=True):
        rows = target.is_floating_point() or target.shape == prediction.shape
        wanted = target.argmax(1) if rows else target
        if wanted.dim() == prediction.dim():
            wanted = wanted.squeeze(1)
        valid = (wanted >= 0) & (wanted < prediction.shape[1])
        hits.append((prediction.argmax(1) == wanted)[valid].flatten())
        classes.append(wanted[valid].flatten())
    every = torch.cat(classes).long()
    largest = int(torch.bincount(every).max()) if len(every) else 0
    return torch.cat(hits), largest / max(len(every), 1)


def _of_numbers(mean: float, predictions: Sequence[Tensor], targets: Sequence[Tensor]) -> Measured:
    prediction = torch.cat([p.reshape(len(p), -1).double() for p in predictions])
    target = torch.cat([t.reshape(len(t), -1).double() for t in targets])
    if prediction.shape != target.shape:
        return Measured(loss=mean)
    squares = (prediction - target).square().mean(1)
    variance = float(target.var(0, correction=0).mean())
    if not variance > 0:
        return Measured(loss=mean)
    r2 = 1 - float(squares.mean()) / variance
    error = float(squares.std()) / variance / math.sqrt(len(squares)) if len(squares) > 1 else 1.0
    return Measured(mean, max(r2, -1.0), min(error, 1.0), r2)
