"""Facts and provenance of a run, which its history has beside the recorded numbers."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from netwise.data.streams.row_plan import looked_at
from netwise.history import Provenance, RunFacts
from netwise.parts.losses import Loss, least_loss, loss_kind, loss_of_guessing, target_facts
from netwise.scoring.metrics import is_uneven
from netwise.tasks import task_named
from netwise.training.evaluate import outputs_of
from netwise.training.run_setup import Setup
from netwise.training.run_state import RunState

MOST_TARGETS = 100_000  # that enter the loss of guessing
# The least possible loss is searched for in several ways, each over all targets, and depends less
# on how many there are.
MOST_TARGETS_OF_LEAST_LOSS = 10_000


def run_facts(setup: Setup, state: RunState, loss: Callable[[Tensor, Tensor], Tensor]) -> RunFacts:
    """The facts of a run: sizes, losses to compare with, and settings that rules read.

    Args:
        setup, state: of the run before its next step.
        loss: the built loss of the recipe.
    """
    recipe, samples, train = setup.recipe, setup.samples, setup.train
    of_all_networks: dict[str, Any] = {
        "task": samples.task,
        "train_size": len(train),
        "valid_size": len(setup.valid),
        "batch_size": recipe.batch_size,
        "loss": type(recipe.loss).__name__,
        "optimizer": type(recipe.optimizer).__name__,
        "rate": state.part.lr,
        "epochs": recipe.epochs,
        "weight_decay": float(getattr(recipe.optimizer, "weight_decay", 0.0)),
        "classes": len(samples.classes) or None,
        "metric": None if setup.metric is None else setup.metric.metric.name,
        "metric_of_guessing": None if setup.metric is None else setup.metric.of_guessing,
    }
    if recipe.network.is_energy_model:
        return RunFacts(**of_all_networks)
    targets = looked_at(train.y).cpu()
    some = _thinned(targets, MOST_TARGETS)
    fewer = _thinned(targets, MOST_TARGETS_OF_LEAST_LOSS)
    dropout = [
        float(layer.p)
        for layer in setup.module.modules()
        if isinstance(layer, torch.nn.modules.dropout._DropoutNd)
    ]
    outputs = outputs_of(setup.module, train.x[:64]).cpu()
    classes = None if some.is_floating_point() else _Classes.of(some, fewer)
    guessing, least = (
        (loss_of_guessing(loss, some, samples.outputs), least_loss(loss, fewer, samples.outputs))
        if classes is None
        else _losses_of_classes(recipe.loss, classes, samples.outputs)
    )
    return RunFacts(
        **target_facts(some),
        **of_all_networks,
        loss_kind=loss_kind(loss, outputs, train.y[:64].cpu()),
        loss_of_guessing=guessing,
        least_loss=least,
        dropout=max(dropout, default=0.0),
    )


@dataclass(frozen=True)
class _Classes:
    """Class numbers that are equal where all of their numbers are."""

    digest: bytes
    some: Tensor = field(compare=False)
    fewer: Tensor = field(compare=False)

    @classmethod
    def of(cls, some: Tensor, fewer: Tensor) -> _Classes:
        content = hashlib.blake2b(f"{some.dtype} {tuple(some.shape)}".encode(), digest_size=16)
        content.update(some.contiguous().numpy().tobytes())
        return cls(content.digest(), some, fewer)


@lru_cache(maxsize=4)
def _losses_of_classes(
    loss: Loss, targets: _Classes, outputs: int
) -> tuple[float | None, float | None]:
    """(loss of guessing, least loss): the runs of a search have the same."""
    function = loss.build()
    return (
        loss_of_guessing(function, targets.some, outputs),
        least_loss(function, targets.fewer, outputs),
    )


def end_facts(setup: Setup, facts: RunFacts) -> RunFacts:
    """The facts of a run that has ended: of classes of very unequal size also how each of them is
    answered on the validation part."""
    y = setup.samples.train.y
    has_classes = task_named(setup.samples.task).has_classes
    if not has_classes or y.dim() != 1 or not len(setup.valid) or setup.unsupervised is not None:
        return facts
    counts = torch.bincount(y, minlength=len(setup.samples.classes))
    if not is_uneven(counts.numpy()):
        return facts
    output, truth = outputs_of(setup.module, setup.valid.x).cpu(), setup.valid.y.cpu()
    answer = output[:, : len(counts)].argmax(1)
    rows = (
        torch.bincount(each, minlength=len(counts)).tolist()
        for each in (truth, answer, truth[truth == answer])
    )
    shares = tuple((counts / counts.sum()).tolist())
    return replace(
        facts,
        class_shares=shares,
        class_names=tuple(map(str, setup.samples.classes)),
        valid_answers=tuple(zip(*rows, strict=True)),
    )


def _thinned(targets: Tensor, most: int) -> Tensor:
    """Every n-th target, so that at most `most` are left."""
    return targets if len(targets) <= most else targets[:: len(targets) // most + 1]


def versions() -> dict[str, str]:
    """Versions of what computes."""
    from netwise import __version__

    return {"python": platform.python_version(), "torch": torch.__version__, "netwise": __version__}


def provenance(setup: Setup, seconds: float) -> Provenance:
    """What a run was computed with."""
    device, settings = setup.device, setup.settings
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else settings.device
    return Provenance(setup.recipe.hash, versions(), name, settings.threads, round(seconds, 3))
