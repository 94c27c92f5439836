"""The training step: an ordinary module, autograd, torch's optimizer, batches gathered from memory.

`take` runs several steps as fast as eager torch goes. `take_checked` runs the same steps one at a
time and checks all values after each, to find the first that is not finite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from netwise import random_streams
from netwise.data.dataset import Pairs
from netwise.observe.probe import Probe
from netwise.parts.activations import ACTIVATION_MODULES
from netwise.parts.penalties import penalised
from netwise.recipe.recipe import Recipe
from netwise.tasks import task_named
from netwise.training.fused_update import updater

# For each sample the row that it was mixed with, and the share of its own target.
Blend = tuple[Tensor, float]
GATHERED_BYTES = 1_000_000  # about the size of a core's own cache


@dataclass
class StepResults:
    """What several steps computed.

    Args:
        losses: loss of each batch, without its penalty; on a GPU not yet synchronised.
        outputs: of each batch, until they are compared with the targets; only for classes.
        targets: of each batch; only for classes.
        rows: of the recorded steps: (step number, signals).
        steps: how many were taken.
    """

    losses: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    targets: list[Tensor] = field(default_factory=list)
    rows: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    steps: int = 0


@dataclass(frozen=True)
class NonFinite:
    """The first value of a run that is not finite.

    Args:
        step: number of the step, from 0.
        layer: the layer or the parameter; "" where only the loss is not finite.
        sentence: describes it.
    """

    step: int
    layer: str
    sentence: str


class Stepper:
    """Takes the steps of one run.

    Args:
        recipe, module, optimizer, train, task: what trains, on what.
        probe: records the signals of a step.
        every: signals are recorded on one of so many steps; 0: on none.
        in_order: rows follow each other, and batches keep their order.
        needs_closure: the optimizer computes the loss several times in one step.
        before_step: called with the number of the batch, to set the rate of the step; None: the
            rate is that of the epoch.
        after_step: called after the weights have changed; None: nothing is.
        should_stop: asked after each step; true ends `take` early.
    """

    def __init__(
        self,
        recipe: Recipe,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        train: Pairs,
        task: str,
        probe: Probe,
        every: int,
        in_order: bool = False,
        *,
        needs_closure: bool = False,
        before_step: Callable[[int], None] | None = None,
        after_step: Callable[[], None] | None = None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.recipe, self.module, self.in_order = recipe, module, in_order
        self.train, self.probe, self.every = train, probe, every
        self.has_classes = task_named(task).has_classes
        self.before_step, self.after_step = before_step, after_step
        self.should_stop = should_stop
        self.loss: Callable[[Tensor, Tensor], Tensor] = recipe.loss.build()
        self.computes_loss = recipe.network.computes_loss
        # The mean weight over all samples is 1; the sums of batches differ.
        self.weight = None if train.weight is None else train.weight / train.weight.mean()
        self.loss_of_each = None if self.weight is None else recipe.loss.per_sample()
        self.refresh_parameters()
        self.use_optimizer(optimizer, needs_closure)
        penalty = recipe.penalty
        self.loss_penalty = penalty if penalty is not None and penalty.adds_to_loss else None
        self.activities: list[Tensor] = []
        self.activity_hooks = [
            layer.register_forward_hook(self._keep_activity)
            for layer in module.modules()
            if penalty is not None
            and penalty.needs_activations
            and type(layer).__name__ in ACTIVATION_MODULES
        ]

    def _keep_activity(self, layer: nn.Module, args: object, output: Tensor) -> None:
        if layer.training:
            self.activities.append(output)

    def close(self) -> None:
        """Remove all hooks from the module."""
        for hook in self.activity_hooks:
            hook.remove()

    def use_optimizer(self, optimizer: torch.optim.Optimizer, needs_closure: bool = False) -> None:
        """Take the steps with this optimizer from now on."""
        self.optimizer, self.needs_closure = optimizer, needs_closure
        self.update = updater(optimizer)

    def refresh_parameters(self) -> None:
        """Read again which parameters require gradients."""
        self.parameters = [p for p in self.module.parameters() if p.requires_grad]
        self.weights = penalised(self.module)

    def batches(self, epoch: int) -> tuple[Tensor, ...]:
        """Row numbers of each batch of an epoch, in its own order.

        A last batch of a single sample joins the one before it: batch norm could not learn from it
        alone.
        """
        if self.in_order:
            return tuple(
                rows.to(self.train.x.device)
                for rows in stream_batches(len(self.train), self.recipe.batch_size)
            )
        g = random_streams.generator(self.recipe.seed, random_streams.ORDER, epoch)
        order = torch.randperm(len(self.train), generator=g)
        batches = order.split(self.recipe.batch_size)
        if len(batches) > 1 and len(batches[-1]) == 1 and self.recipe.batch_size > 1:
            batches = (*batches[:-2], torch.cat(batches[-2:]))
        device = self.train.x.device
        return tuple(batch.to(device) for batch in batches) if device.type != "cpu" else batches

    def take(self, batches: tuple[Tensor, ...], epoch: int, first: int, step: int) -> StepResults:
        """Steps over `batches`, the first of which is number `first` of its epoch and `step` of the
        run."""
        results = StepResults()
        for number, (x, y, w) in enumerate(self._gathered(batches)):
            watched = self.every > 0 and (step + number) % self.every == 0
            self._one(x, y, w, epoch, first + number, step + number, watched, results)
            if self.should_stop():
                break
        return results

    def _gathered(
        self, batches: tuple[Tensor, ...]
    ) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Inputs, targets and weights of each batch; small batches are gathered several at a time,
        while they fit in a cache."""
        size = max(1, len(batches[0]) * self.train.x[0].numel() * self.train.x.element_size())
        together = max(1, GATHERED_BYTES // size)
        for start in range(0, len(batches), together):
            some = batches[start : start + together]
            rows, sizes = torch.cat(some), [len(batch) for batch in some]
            weights = (
                [None] * len(some)
                if self.weight is None
                else self.weight.index_select(0, rows).split(sizes)
            )
            yield from zip(
                self.train.x.index_select(0, rows).split(sizes),
                self.train.y.index_select(0, rows).split(sizes),
                weights,
                strict=True,
            )

    def _one(
        self,
        x: Tensor,
        y: Tensor,
        w: Tensor | None,
        epoch: int,
        batch: int,
        step: int,
        watched: bool,
        results: StepResults,
    ) -> Tensor:
        recipe = self.recipe
        if self.before_step is not None:
            self.before_step(batch)
        if watched:
            self.probe.attach()
        blend: Blend | None = None
        if recipe.augment:
            g = random_streams.generator(recipe.seed, random_streams.AUGMENT, epoch, batch)
            for change in recipe.augment:
                if change.mixes:
                    x, other, share = change.mix(x, g)
                    blend = (other, share)
                else:
                    x = change.apply(x, g)
        output, plain, penalty, loss = self._forward(x, y, w, blend)
        loss.backward()
        if watched:
            self.probe.record(loss.detach(), y, None if penalty is None else penalty.detach())
        if recipe.clip is not None:
            recipe.clip.apply(self.parameters)
        if self.needs_closure:
            self.optimizer.step(lambda: self._closure(x, y, w, blend))  # type: ignore[arg-type, return-value]  # it takes tensors too
        else:
            self.update()
        if recipe.penalty is not None:
            recipe.penalty.project(self.weights)
        if self.after_step is not None:
            self.after_step()
        if watched:
            row = self.probe.finish_step()
            if row is not None:
                results.rows.append((step, row))
        results.losses.append(plain.detach())
        if self.has_classes and output.dim():
            results.outputs.append(output.detach())
            results.targets.append(y)
        results.steps += 1
        return loss

    def _forward(
        self, x: Tensor, y: Tensor, w: Tensor | None, blend: Blend | None
    ) -> tuple[Tensor, Tensor, Tensor | None, Tensor]:
        """(output, its loss, the penalty or None, what is to be made small) of a batch; old
        gradients are gone."""
        if self.activity_hooks:
            self.activities.clear()
        output = self.module(x, y) if self.computes_loss else self.module(x)
        others: tuple[Tensor, ...] = ()
        if type(output) is tuple:  # auxiliary heads, which a network has while it trains
            output, *rest = output
            others = tuple(rest)
        loss = plain = output if self.computes_loss else self._loss(output, y, w, blend)
        if others:
            theirs = torch.stack([self._loss(each, y, w, blend) for each in others])
            loss = loss + self.recipe.network.auxiliary_weight * theirs.sum()
        penalty = None
        if self.loss_penalty is not None:
            penalty = self.loss_penalty.value(self.weights, self.activities)
            loss = loss + penalty
        for parameter in self.parameters:  # what zero_grad does, without its wrapping
            parameter.grad = None
        return output, plain, penalty, loss

    def _loss(self, output: Tensor, y: Tensor, w: Tensor | None, blend: Blend | None) -> Tensor:
        """The loss of a batch; of samples that were mixed with each other that of both targets, in
        the same shares."""
        if blend is not None:
            other, share = blend
            return share * self._loss(output, y, w, None) + (1 - share) * self._loss(
                output, y[other], None if w is None else w[other], None
            )
        if w is None or self.loss_of_each is None:
            return self.loss(output, y)
        return (w * self.loss_of_each(output, y)).mean()

    def _closure(self, x: Tensor, y: Tensor, w: Tensor | None, blend: Blend | None) -> Tensor:
        """The loss at the present weights, with its gradients, for an optimizer that asks more than
        once."""
        with torch.enable_grad():
            loss = self._forward(x, y, w, blend)[3]
            loss.backward()
        return loss.detach()

    def is_finite(self, results: StepResults) -> bool:
        """All losses of a stretch and all weights after it are finite. One look, after many
        steps."""
        if results.losses and not bool(torch.isfinite(torch.stack(results.losses)).all()):
            return False
        return not self.parameters or bool(
            torch.isfinite(
                torch.stack(torch._foreach_norm([p.detach() for p in self.parameters]))
            ).all()
        )

    def take_checked(
        self,
        batches: tuple[Tensor, ...],
        epoch: int,
        first: int,
        step: int,
        keep: Callable[[], None],
        back: Callable[[], None],
    ) -> tuple[StepResults, NonFinite | None]:
        """The same steps, one at a time, each watched; ends before the first that breaks, with the
        weights from before it."""
        results = StepResults()
        names = {layer: name for name, layer in self.module.named_modules()}
        leaves = [layer for layer in self.module.modules() if not list(layer.children())]
        for number, rows in enumerate(batches):
            keep()
            culprits: list[str] = []

            def look(
                layer: nn.Module, args: object, output: object, culprits: list[str] = culprits
            ) -> None:
                if (
                    isinstance(output, Tensor)
                    and not culprits
                    and not bool(torch.isfinite(output).all())
                ):
                    culprits.append(f"{names[layer] or 'the network'} ({type(layer).__name__})")

            handles = [layer.register_forward_hook(look) for layer in leaves]
            alone = StepResults()
            try:
                x, y, w = next(self._gathered((rows,)))
                loss = self._one(
                    x, y, w, epoch, first + number, step + number, self.every > 0, alone
                )
            finally:
                for handle in handles:
                    handle.remove()
            non_finite = self._non_finite(step + number, loss, culprits)
            if non_finite:
                back()
                return results, non_finite
            results.rows += alone.rows
            results.losses += alone.losses
            results.outputs += alone.outputs
            results.targets += alone.targets
            results.steps += 1
        return results, None

    def _non_finite(self, step: int, loss: Tensor, culprits: list[str]) -> NonFinite | None:
        value = float(loss.detach())
        if culprits:
            return NonFinite(
                step,
                culprits[0],
                f"the outputs of {culprits[0]} are the first that are not finite; the loss is {value:.4g}",
            )
        if not math.isfinite(value):
            return NonFinite(
                step, "", f"the loss is {value:.4g}, though all layers gave finite numbers"
            )
        # Gradients flow from the output back: the first to break is the nearest to it.
        for what, tensors in (
            ("gradient", [(n, p.grad) for n, p in self.module.named_parameters()][::-1]),
            ("weight", list(self.module.named_parameters())),
        ):
            for name, tensor in tensors:
                if tensor is not None and not bool(torch.isfinite(tensor).all()):
                    return NonFinite(
                        step,
                        name,
                        f"the {what} of {name} is the first that is not finite; the loss was still {value:.4g}",
                    )
        return None


def stream_batches(rows: int, batch_size: int) -> list[Tensor]:
    """Row numbers of each batch where the rows follow each other: each place of a batch goes
    through its own stretch of them.

    The rows left over where `rows` is no multiple are not trained on: no stream could go on with
    them.
    """
    streams = min(batch_size, rows)
    steps = rows // streams
    return list((torch.arange(streams)[None, :] * steps + torch.arange(steps)[:, None]).unbind())


def count_correct(results: StepResults) -> int:
    """How many answers of a stretch were right, as it learned; a sequence has one for each of its
    places."""
    if not results.outputs or results.outputs[0].dim() != results.targets[0].dim() + 1:
        return 0
    return int((torch.cat(results.outputs).argmax(1) == torch.cat(results.targets)).sum())
