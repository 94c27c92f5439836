"""What several processes cannot train together, with what to write instead."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from netwise.data.dataset import Samples
from netwise.errors import Problem, WrongValue
from netwise.parts.optimizers import (
    SGD,
    Adam,
    AdamW,
    Optimizer,
    SimulatedAnnealing,
    SwitchOptimizer,
)
from netwise.recipe.recipe import Recipe
from netwise.training.ranks.ranks import Ranks
from netwise.training.settings import RunOptions

_FOR_SHARDS = (SGD, Adam, AdamW)  # their steps treat each number by itself
_WITHOUT = "start it without torchrun"


def problems_of_ranks(
    recipe: Recipe, samples: Samples, ranks: Ranks, options: RunOptions
) -> list[Problem]:
    """Why these processes cannot train the recipe; empty where they can.

    Args:
        recipe: what to train.
        samples: its data.
        ranks: the processes.
        options: how it is to be computed.
    """
    if ranks.alone:
        if not options.shard:
            return []
        reason = (
            "has nothing to share out in one process: start several, torchrun --nproc-per-node 2"
        )
        return [Problem("shard", "True", reason, "False")]
    found = [*_of_recipe(recipe, samples, ranks), *_of_device(ranks, options.device)]
    if not options.shard:
        return found
    if options.watch_every:
        reason = "needs whole weights, and shard leaves a part of each in each process"
        found.append(Problem("watch_every", str(options.watch_every), reason, "0"))
    return [*found, *_of_shards(recipe)]


def _of_recipe(recipe: Recipe, samples: Samples, ranks: Ranks) -> Iterator[Problem]:
    network, name = recipe.network, type(recipe.network).__name__
    if network.is_memory or network.is_energy_model:
        what = "stores its samples at once" if network.is_memory else "has chains of its own states"
        reason = f"{what}, which {ranks.size} processes cannot share: {_WITHOUT}"
        yield Problem("network", name, reason)
    if samples.in_order:
        reason = "carries states from batch to batch, whose rows stay in one process"
        yield Problem("data.in_order", "True", f"{reason}: {_WITHOUT}", "False")
    for optimizer in _optimizers(recipe.optimizer):
        if isinstance(optimizer, SimulatedAnnealing) or (
            optimizer.needs_closure and not type(optimizer).__module__.startswith("netwise.")
        ):
            reason = "draws its moves, which would differ between the processes"
            yield Problem("optimizer", type(optimizer).__name__, reason, "SGD()")
    rows = min(recipe.batch_size, len(samples.train))
    if rows < ranks.size:
        reason = f"has fewer rows than there are processes, {ranks.size}"
        yield Problem("batch_size", str(recipe.batch_size), reason, str(32 * ranks.size))


def _of_device(ranks: Ranks, device: str) -> Iterator[Problem]:
    try:
        kind = torch.device(device).type
    except RuntimeError:
        return  # no device at all, which the options themselves report
    if kind not in ("cpu", "cuda"):
        reason = "has no way to send gradients to other processes"
        yield Problem("device", device, reason, '"cpu"')
    if kind != "cuda":
        return
    if torch.device(device).index is not None and ranks.size > 1:
        reason = f"is one device for {ranks.size} processes, each of which takes its own"
        yield Problem("device", device, reason, '"cuda"')
    if ranks.local_rank >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        reason = f"has {count} devices on this machine, and this is process {ranks.local_rank + 1}"
        yield Problem("device", device, f"{reason}: use torchrun --nproc-per-node {count}")


def _of_shards(recipe: Recipe) -> Iterator[Problem]:
    if recipe.network.computes_loss:
        reason = "computes its loss from whole weights, and shard leaves parts of them"
        yield Problem("shard", "True", reason, "False")
    if type(recipe.optimizer) not in _FOR_SHARDS:
        reason = "needs whole weights, and shard leaves a part of each in each process"
        yield Problem("optimizer", type(recipe.optimizer).__name__, reason, "AdamW()")
    for field, value, instead in (
        ("penalty", recipe.penalty, "optimizer = AdamW(weight_decay=0.01)"),
        ("average", recipe.average, "None"),
        ("tuning", recipe.tuning, "None"),
    ):
        if value is not None:
            reason = "needs whole weights, and shard leaves a part of each in each process"
            yield Problem(field, type(value).__name__, reason, instead)


def _optimizers(optimizer: Optimizer) -> tuple[Optimizer, ...]:
    if isinstance(optimizer, SwitchOptimizer):
        return (*_optimizers(optimizer.first), *_optimizers(optimizer.then))
    return (optimizer,)


def require_one_run(recipe: Recipe, samples: Samples, ranks: Ranks) -> None:
    """Refuse processes of which each would train something else: their gradients are added.

    Args:
        recipe: of this process.
        samples: its data.
        ranks: the processes.

    Raises:
        WrongValue: in all of them.
    """
    whole = ranks.gather((recipe.hash, samples.fingerprint))
    for field, values in zip(("recipe", "data"), zip(*whole, strict=True), strict=True):
        if len(set(values)) > 1:
            reason = (
                "differ between the processes, which train one model together. Give all of them "
                "the same, or train runs of your own by fit_many(recipes), without torchrun"
            )
            raise WrongValue.of("fit", field, " and ".join(dict.fromkeys(values)), reason)


def require_rows_to_normalise(module: nn.Module, rows: int, batch_size: int, ranks: Ranks) -> None:
    """Refuse batches of which a process has one row, where layers normalise over rows.

    Args:
        module: that trains.
        rows: of the training part.
        batch_size: of the recipe.
        ranks: the processes.

    Raises:
        WrongValue: a process has one row, of which no variance can be computed.
    """
    if not any(isinstance(layer, nn.BatchNorm1d) for layer in module.modules()):
        return
    last = rows % batch_size
    least = min(size for size in (min(rows, batch_size), last) if size > 1)
    if ranks.alone or least // ranks.size > 1:
        return
    reason = (
        f"leaves a process one row of a batch of {least}, and batch norm needs two. Write another "
        "one, or normalise over the rows of all processes: sync_batch_norm = True, "
        "--sync-batch-norm"
    )
    raise WrongValue.of("recipe", "batch_size", str(batch_size), reason)
