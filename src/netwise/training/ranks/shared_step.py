"""What a training step of several processes has beside that of one: gradients, losses and signals
of the whole batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from netwise import signals
from netwise.training.ranks.ranks import Ranks
from netwise.training.ranks.sharding import is_sharded

# Signals of a step that differ between the processes: means over the samples of each.
_MEANS = (signals.LOSS, signals.PENALTY, signals.ACCURACY)
_MEANS_OF_LAYERS = (signals.ACTIVATION_ZEROS, signals.ACTIVATION_SATURATED)
_SPREADS = (
    (signals.INPUT_MEAN, signals.INPUT_STD),
    (signals.ACTIVATION_MEAN, signals.ACTIVATION_STD),
)


class SharedStep:
    """The part of a step in which processes add up what they have computed.

    Args:
        ranks: the processes.
        module: that trains.
        synced: whether its batch norm is over all rows already.

    Attributes:
        share: of the batch of the present step, that this process has.
    """

    def __init__(self, ranks: Ranks, module: nn.Module, synced: bool) -> None:
        self.ranks, self.share = ranks, 1.0
        norms = [layer for layer in module.modules() if isinstance(layer, _BatchNorm)]
        self._norms = [] if synced else norms
        self._sharded = any(map(is_sharded, module.parameters()))

    def own_rows(self, batches: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The rows of each batch that this process computes."""
        return tuple(self.ranks.share(batch)[0] for batch in batches)

    def begin(self, batch: Tensor) -> None:
        """A step on this batch begins."""
        self.share = self.ranks.share(batch)[1]

    def part(self, loss: Tensor) -> Tensor:
        """What this process contributes to the loss of the whole batch."""
        return loss.detach() * self.share

    def backward(
        self, loss: Tensor, parameters: Sequence[Tensor], before_adding: Callable[[], None]
    ) -> None:
        """Compute the gradients of the loss of the whole batch, from that of the own rows.

        The loss is weighted before its backward pass, not its gradient after it: layers that
        normalise over all rows send gradients from one process to another.

        Args:
            loss: of the own rows.
            parameters: that train.
            before_adding: called while they have the gradients of the own rows alone.
        """
        if self._sharded:  # its gradients are averaged in the backward pass
            (loss * (self.share * self.ranks.size)).backward()
            self.ranks.add(self._statistics(), self.share)
            return
        (loss * self.share).backward()
        before_adding()
        self.add_gradients(parameters, 1.0)

    @torch.no_grad()
    def add_gradients(self, parameters: Sequence[Tensor], scale: float) -> None:
        """Add up the gradients of all processes, and what batch norm remembers.

        A parameter may have no gradient in one process, such as that of a layer that was left out
        at random: there it counts as 0, and stays without one where no process has one.
        """
        has = [parameter.grad is not None for parameter in parameters]
        gradients = [
            torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            for parameter in parameters
        ]
        if not parameters:
            return
        having = gradients[0].new_tensor([float(each) for each in has])
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        statistics = self._statistics()
        if statistics:
            torch._foreach_mul_(statistics, self.share)
        if scale != 1.0:
            torch._foreach_mul_(gradients, scale)
        self.ranks.add([*gradients, *statistics, having])
        if not all(has):
            for parameter, count in zip(parameters, having.tolist(), strict=True):
                if not count:
                    parameter.grad = None

    def _statistics(self) -> list[Tensor]:
        """What batch norm remembers: a mean over rows, so that shares of it are added as well."""
        return [
            each
            for layer in self._norms
            if layer.training
            for each in (layer.running_mean, layer.running_var)
            if each is not None
        ]

    def loss(self, loss: Tensor) -> Tensor:
        """The loss of the whole batch, for optimizers that decide by it."""
        whole = self.part(loss)
        self.ranks.add([whole])
        return whole

    def pooled(self, row: dict[str, float] | None, y: Tensor) -> dict[str, float] | None:
        """The signals of a recorded step, of all rows of the batch.

        Gradients, weights and updates are those of the whole batch already. Losses and activations
        are means over the rows of each process. Units that were 0 for long are those of the first
        process, as they take many steps to count.

        Args:
            row: signals that this process has.
            y: the targets of its rows.
        """
        classes: Sequence[Any] = ()
        if row is not None and signals.BATCH_CLASSES in row and self.share:
            classes = y.unique().tolist()
        rows = self.ranks.gather((row, self.share, classes))
        if row is None:
            return None
        found = [(each, share) for each, share, _ in rows if each is not None and share]
        result = dict(row if self.ranks.is_first else found[0][0])
        for name in result:
            signal, _, layer = name.partition("|")
            if name in _MEANS or signal in _MEANS_OF_LAYERS:
                result[name] = _mean(found, name)
            for mean, std in _SPREADS:
                if signal == mean:
                    spread = f"{std}|{layer}" if layer else std
                    result[name], result[spread] = _mean_and_std(found, name, spread)
        if signals.BATCH_CLASSES in result:
            result[signals.BATCH_CLASSES] = float(len({c for *_, each in rows for c in each}))
        row.update(result)  # the same object: samples of weights are written into it later
        return row


Found = Sequence[tuple[Mapping[str, float], float]]


def _mean(found: Found, name: str) -> float:
    having = [(row[name], share) for row, share in found if name in row]
    return math.fsum(value * share for value, share in having) / sum(s for _, s in having)


def _mean_and_std(found: Found, mean: str, std: str) -> tuple[float, float]:
    """Of all rows, from those of the rows of each process."""
    found = [(row, share) for row, share in found if mean in row and std in row]
    middle = _mean(found, mean)
    squares = [({"": row[std] ** 2 + (row[mean] - middle) ** 2}, share) for row, share in found]
    return middle, math.sqrt(_mean(squares, ""))
