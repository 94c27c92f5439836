"""The training step: an ordinary module, autograd, torch's optimizer, batches gathered from memory.

`take` runs several steps as fast as eager torch goes. `take_checked` runs the same steps one at a
time and checks all values after each, to find the first that is not finite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from netwise import random_streams
from netwise.data.dataset import Pairs
from netwise.data.streams.row_plan import epoch_order
from netwise.observe.hooked_probe import HookedProbe
from netwise.observe.step_wiring import StepWiring
from netwise.parts.activations import ACTIVATION_MODULES
from netwise.parts.penalties import penalised
from netwise.recipe.recipe import Recipe
from netwise.tasks import task_named
from netwise.training.captured.captured_steps import CapturedSteps
from netwise.training.captured.whole_steps import FEW_RECORDED, StepParts, WholeSteps
from netwise.training.fused_update import updater
from netwise.training.precision import forward_pass
from netwise.training.ranks.ranks import ALONE
from netwise.training.ranks.sharding import own_part
from netwise.training.ranks.shared_step import SharedStep

# For each sample the row that it was mixed with, and the share of its own target.
Blend = tuple[Tensor, float]
GATHERED_BYTES = 1_000_000  # about the size of a core's own cache
LEAST_AT_ONCE, MOST_AT_ONCE = 8, 64  # whole steps of one call; Ctrl-C waits for its end
# To make what is measured a part of programs takes some milliseconds, and saves half a one of each.
LEAST_RECORDED = 20


@dataclass
class StepResults:
    """What several steps computed.

    Args:
        losses: loss of each batch, without its penalty; on a GPU not yet synchronised.
        outputs: of each batch, until they are compared with the targets; only for classes.
        targets: of each batch; only for classes.
        rows: of the recorded steps: (step number, signals); some signals follow later, see
            `HookedProbe.complete`.
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
        precision: see `fit`.
        captured: repeats recorded steps; None: all are computed in the plain way.
        left: steps that the run has left, which decides whether they are compiled; None: they are
            not.
        fused_update, gathered: speedups, see `netwise.training.speedups`.
        wiring: reads the graph of a recorded step; None: nothing does.
        before_step: called with the number of the batch, to set the rate of the step; None: the
            rate is that of the epoch.
        after_step: called after the weights have changed; None: nothing is.
        should_stop: asked after each step; true ends `take` early.
        shared: adds up what several processes compute; None for a lone process.
    """

    def __init__(
        self,
        recipe: Recipe,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        train: Pairs,
        task: str,
        probe: HookedProbe,
        every: int,
        in_order: bool = False,
        *,
        needs_closure: bool = False,
        precision: str | None = None,
        captured: CapturedSteps | None = None,
        left: int | None = None,
        fused_update: bool = True,
        gathered: bool = True,
        wiring: StepWiring | None = None,
        before_step: Callable[[int], None] | None = None,
        after_step: Callable[[], None] | None = None,
        should_stop: Callable[[], bool] = lambda: False,
        shared: SharedStep | None = None,
    ) -> None:
        self.recipe, self.module, self.in_order = recipe, module, in_order
        self.train, self.probe, self.every, self.wiring = train, probe, every, wiring
        self.has_classes = task_named(task).has_classes
        self.before_step, self.after_step = before_step, after_step
        self.should_stop, self.fused_update = should_stop, fused_update
        self.shared = shared
        self.ranks = ALONE if shared is None else shared.ranks
        self.captured = captured or CapturedSteps("switched off")
        self.left = left
        self.gathered_bytes = GATHERED_BYTES if gathered else 0
        self.loss: Callable[[Tensor, Tensor], Tensor] = recipe.loss.build()
        self.computes_loss = recipe.network.computes_loss
        self.forward = forward_pass(module, precision, train.x.device)
        # The mean weight over all samples is 1; the sums of batches differ.
        self.weight = None if train.weight is None else train.weight / train.weight.mean()
        self.loss_per_sample = None if self.weight is None else recipe.loss.per_sample()
        self.whole: WholeSteps | None = None
        self.refresh_parameters()
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
        self.use_optimizer(optimizer, needs_closure)

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
        self.update = updater(optimizer) if self.fused_update else optimizer.step
        self.has_stepped = False
        self.whole = self._whole_steps()

    def refresh_parameters(self) -> None:
        """Read again which parameters require gradients."""
        self.parameters = [p for p in self.module.parameters() if p.requires_grad]
        self.weights = penalised(self.module)
        buffers = list(self.module.buffers())
        self.changing = [*self.module.parameters(), *buffers]
        self.captured.use_parameters(self.parameters, buffers)
        if self.whole is not None:
            self.whole.parts = self._parts()

    def _whole_steps(self) -> WholeSteps | None:
        """Several steps in one call, where nothing of the run has to happen between two steps."""
        x = self.train.x
        if (
            self.captured.reason
            or self.shared is not None
            or self.after_step is not None
            or self.needs_closure
            or self.recipe.augment
            or len(self.optimizer.param_groups) != 1
            or type(x) is not Tensor
            or type(self.train.y) is not Tensor
        ):
            return None
        whole, before = WholeSteps(self._parts(), self.left), self.captured.whole
        whole.not_recorded = "" if self._records_enough else FEW_RECORDED
        if before is not None:  # of the optimizer before
            whole.taken, whole.compiled = before.taken, before.compiled
        self.captured.whole = whole
        return whole

    def _parts(self) -> StepParts:
        data = (self.train.x, self.train.y)
        return StepParts(
            data if self.weight is None else (*data, self.weight),
            self._computed,
            self.parameters,
            self._finish,
            self._set_rate,
            self._state,
            self._settings,
            self.probe if self._records_enough else None,
        )

    @property
    def _records_enough(self) -> bool:
        """Whether it pays to make what is measured of recorded steps a part of programs."""
        return self.every > 0 and (self.left is None or self.left >= LEAST_RECORDED * self.every)

    def _finish(self, update: Callable[[], Any] | None = None) -> None:
        """Change the weights by the gradients that the parameters have.

        Args:
            update: changes them. Default: that of the optimizer, without a closure.
        """
        if self.recipe.clip is not None:
            self.recipe.clip.apply(self.parameters)
        (update or self.update)()
        if self.recipe.penalty is not None:
            self.recipe.penalty.project(self.weights)

    def _set_rate(self, rate: float) -> None:
        self.optimizer.param_groups[0]["lr"] = rate

    def _state(self) -> list[Tensor]:
        """All tensors that a step may change."""
        states = self.optimizer.state.values()
        kept = [each for state in states for each in state.values() if isinstance(each, Tensor)]
        return [*self.changing, *kept]

    def _settings(self) -> object:
        group = self.optimizer.param_groups[0]
        return [(name, value) for name, value in group.items() if name not in ("params", "lr")]

    def batches(self, epoch: int) -> tuple[Tensor, ...]:
        """Row numbers of each batch of an epoch, in an order of its own.

        A last batch of one sample joins the batch before it: batch norm fails on a single sample.
        """
        if self.in_order:
            return tuple(
                rows.to(self.train.x.device)
                for rows in stream_batches(len(self.train), self.recipe.batch_size)
            )
        g = random_streams.generator(self.recipe.seed, random_streams.ORDER, epoch)
        order = epoch_order(self.train.x, epoch, g).to(self.train.x.device)
        batches: tuple[Tensor, ...] = order.split(self.recipe.batch_size)
        if len(batches) > 1 and len(batches[-1]) == 1 and self.recipe.batch_size > 1:
            batches = (*batches[:-2], torch.cat(batches[-2:]))
        return batches

    def take(self, batches: tuple[Tensor, ...], epoch: int, first: int, step: int) -> StepResults:
        """Take a step on each batch.

        Args:
            batches: row numbers of each.
            epoch: number of the epoch.
            first: number of the first batch in its epoch.
            step: number of the first step in the run.
        """
        results = StepResults()
        while results.steps < len(batches):
            done = results.steps
            left = batches[done:]
            if not self._several(left, first + done, step + done, results):
                alone = left[:1] if self._takes_whole else left
                self._singly(alone, epoch, first + done, step, results)
            if self.should_stop():
                break
        return results

    def _singly(
        self, batches: tuple[Tensor, ...], epoch: int, first: int, step: int, results: StepResults
    ) -> None:
        """Take a step on each batch, one after the other; `step` is that of the first result."""
        own = batches if self.shared is None else self.shared.own_rows(batches)
        for number, (x, y, w) in enumerate(self._gathered(own)):
            if self.shared is not None:
                self.shared.begin(batches[number])
            place = step + results.steps
            recorded = self.every > 0 and place % self.every == 0
            self._one(x, y, w, epoch, first + number, place, recorded, results)
            if number + 1 < len(batches) and self.should_stop():
                return

    def _several(
        self, batches: tuple[Tensor, ...], first: int, step: int, results: StepResults
    ) -> bool:
        """Take the first steps in one call, up to the next that is recorded, where that is
        possible; returns whether it was."""
        whole, size = self.whole, len(batches[0])
        if whole is None or whole.reason or not self.has_stepped:
            return False
        wanted = min(len(batches), self._at_once(size))
        recorded = [bool(self.every) and (step + i) % self.every == 0 for i in range(wanted)]
        if not self._is_wired and True in recorded:  # its graph is read in the plain way
            wanted = recorded.index(True)
        while wanted and len(batches[wanted - 1]) != size:
            wanted -= 1
        count = whole.steps_at_once(size, recorded[:wanted]) if wanted else 0
        if not count:
            return False
        rates = []
        for number in range(count):
            if self.before_step is not None:
                self.before_step(first + number)
            rates.append(float(self.optimizer.param_groups[0]["lr"]))
        samples = torch.stack(batches[:count])
        rows: list[dict[str, float] | None] = [{} if each else None for each in recorded[:count]]
        outputs, losses = whole.take(samples, rates, rows)
        results.losses += losses.unbind()
        for place, row in enumerate(rows, step):
            if row is not None:
                results.rows.append((place, row))
        if self.wiring is not None:
            self.wiring.steps += recorded[:count].count(True)
        if self.has_classes and outputs.dim() > 1:
            results.outputs.append(outputs.flatten(0, 1))
            results.targets.append(self.train.y.index_select(0, samples.flatten()))
        results.steps += count
        return True

    @property
    def _is_wired(self) -> bool:
        """The graph of these steps is known: what is captured has the same graph in each."""
        return bool(self.probe.layers) and (self.wiring is None or self.wiring.is_read)

    @property
    def _takes_whole(self) -> bool:
        """Steps are taken as whole ones, but for those that are recorded."""
        return self.whole is not None and not self.whole.reason

    def _at_once(self, size: int) -> int:
        """Steps of one call: as many as a core's cache has room for batches, within limits."""
        x = self.train.x
        batch = max(1, size * math.prod(x.shape[1:]) * x.element_size())
        return max(LEAST_AT_ONCE, min(MOST_AT_ONCE, GATHERED_BYTES // batch))

    def _gathered(
        self, batches: tuple[Tensor, ...]
    ) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Inputs, targets and weights of each batch. Small batches are gathered several at a time,
        as many as fit in a cache."""
        x = self.train.x
        size = max(1, len(batches[0]) * math.prod(x.shape[1:]) * x.element_size())
        count = max(1, self.gathered_bytes // size)
        for start in range(0, len(batches), count):
            group = batches[start : start + count]
            rows, sizes = torch.cat(group), [len(batch) for batch in group]
            weights = (
                [None] * len(group)
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
        recorded: bool,
        results: StepResults,
        checked: bool = False,
    ) -> Tensor:
        """Take one step, add what it computed to `results`, and return its loss with the
        penalty."""
        recipe = self.recipe
        if self.before_step is not None:
            self.before_step(batch)
        if recorded:
            self.probe.attach()
        blend: Blend | None = None
        if recipe.augment:
            stream = self.ranks.stream(random_streams.AUGMENT)
            g = random_streams.generator(recipe.seed, stream, epoch, batch)
            for change in recipe.augment:
                if change.mixes:
                    x, other, share = change.mix(x, g)
                    blend = (other, share)
                else:
                    x = change.apply(x, g)
        captured = (
            None
            if recorded or checked or self.needs_closure or blend is not None or self._takes_whole
            else self.captured.take(x, y, w, self._computed)
        )
        if captured is not None:
            output, plain = captured
            loss = plain
            if self.shared is not None:
                self.shared.add_gradients(self.parameters, self.shared.share)
        else:
            output, plain, loss = self._with_autograd(x, y, w, blend, recorded)
        if self.needs_closure:
            closure: Any = partial(
                self._closure, x, y, w, blend
            )  # torch's annotation lacks tensors
            self._finish(partial(self.optimizer.step, closure))
        else:
            self._finish()
        self.has_stepped = True
        if self.after_step is not None:
            self.after_step()
        if recorded:
            row = self.probe.finish_step()
            if self.shared is not None:
                self.probe.complete()
                row = self.shared.pooled(row, y)
            if row is not None:
                results.rows.append((step, row))
        results.losses.append(plain.detach() if self.shared is None else self.shared.part(plain))
        counts = self.shared is None or self.shared.share > 0
        if self.has_classes and output.dim() and counts:
            results.outputs.append(output.detach())
            results.targets.append(y)
        results.steps += 1
        return loss

    def _with_autograd(
        self, x: Tensor, y: Tensor, w: Tensor | None, blend: Blend | None, recorded: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """(output, loss, loss with penalty) of a batch, with gradients; signals are recorded."""
        output, plain, penalty, loss = self._forward(x, y, w, blend)
        wiring = self.wiring if recorded else None
        if wiring is not None:
            wiring.before_backward(loss, x, self.probe, self.optimizer)
        self._backward(loss)
        if wiring is not None:
            wiring.after_backward()
        if recorded:
            self.probe.record(loss.detach(), y, None if penalty is None else penalty.detach())
        return output, plain, loss

    def _backward(self, loss: Tensor) -> None:
        if self.shared is None:
            loss.backward()
        else:
            self.shared.backward(loss, self.parameters, self.probe.compare_gradient)

    def _computed(
        self, x: Tensor, y: Tensor, w: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None, Tensor]:
        return self._forward(x, y, w, None)

    def _forward(
        self, x: Tensor, y: Tensor, w: Tensor | None, blend: Blend | None
    ) -> tuple[Tensor, Tensor, Tensor | None, Tensor]:
        """(output, loss, penalty or None, loss with penalty) of a batch. Old gradients are
        deleted."""
        if self.activity_hooks:
            self.activities.clear()
        output = self.forward(x, y) if self.computes_loss else self.forward(x)
        auxiliary: tuple[Tensor, ...] = ()
        if type(output) is tuple:  # the outputs of auxiliary heads follow, in training mode only
            output, *rest = output
            auxiliary = tuple(rest)
        loss = plain = output if self.computes_loss else self._loss(output, y, w, blend)
        if auxiliary:
            losses = torch.stack([self._loss(each, y, w, blend) for each in auxiliary])
            loss = loss + self.recipe.network.auxiliary_weight * losses.sum()
        penalty = None
        if self.loss_penalty is not None:
            penalty = self.loss_penalty.value(self.weights, self.activities)
            loss = loss + penalty
        for parameter in self.parameters:  # as `zero_grad`, without its overhead
            parameter.grad = None
        return output, plain, penalty, loss

    def _loss(self, output: Tensor, y: Tensor, w: Tensor | None, blend: Blend | None) -> Tensor:
        """The loss of a batch. For samples that are mixed with other samples, the losses of both
        targets are mixed in the same shares."""
        if blend is not None:
            other, share = blend
            return share * self._loss(output, y, w, None) + (1 - share) * self._loss(
                output, y[other], None if w is None else w[other], None
            )
        if w is None or self.loss_per_sample is None:
            return self.loss(output, y)
        return (w * self.loss_per_sample(output, y)).mean()

    def _closure(self, x: Tensor, y: Tensor, w: Tensor | None, blend: Blend | None) -> Tensor:
        """The loss at the present weights, with gradients, for optimizers that compute it several
        times."""
        with torch.enable_grad():
            loss = self._forward(x, y, w, blend)[3]
            self._backward(loss)
        return loss.detach() if self.shared is None else self.shared.loss(loss)

    def is_finite(self, results: StepResults) -> bool:
        """Whether all losses of these steps, and all weights after them, are finite."""
        found = _are_finite(results.losses) and _are_finite(
            torch._foreach_norm([own_part(p.detach()) for p in self.parameters])
            if self.parameters
            else []
        )
        return self.ranks.all(found)

    def take_checked(
        self,
        batches: tuple[Tensor, ...],
        epoch: int,
        first: int,
        step: int,
        save: Callable[[], None],
        restore: Callable[[], None],
    ) -> tuple[StepResults, NonFinite | None]:
        """The steps of `take`, one at a time, with signals of each.

        Args:
            batches, epoch, first, step: as in `take`.
            save: saves the present weights.
            restore: goes back to them.

        Returns:
            The results of the steps before the first value that is not finite, and that value. The
            weights are those from before its step.
        """
        results = StepResults()
        names = {layer: name for name, layer in self.module.named_modules()}
        leaves = [layer for layer in self.module.modules() if not list(layer.children())]
        for number, rows in enumerate(batches):
            save()
            layers: list[str] = []

            def check_output(
                layer: nn.Module, args: object, output: object, layers: list[str] = layers
            ) -> None:
                if isinstance(output, Tensor) and not bool(torch.isfinite(output).all()):
                    # FSDP gives a layer whose weights are shared out a class of its own
                    kind = type(layer).__name__.removeprefix("FSDP")
                    layers.append(f"{names[layer] or 'the network'} ({kind})")

            handles = [layer.register_forward_hook(check_output) for layer in leaves]
            result = StepResults()
            try:
                own = (rows,) if self.shared is None else self.shared.own_rows((rows,))
                if self.shared is not None:
                    self.shared.begin(rows)
                x, y, w = next(self._gathered(own))
                loss = self._one(
                    x, y, w, epoch, first + number, step + number, self.every > 0, result, True
                )
            finally:
                for handle in handles:
                    handle.remove()
            self.probe.complete()
            non_finite = self.ranks.first_found(self._first_non_finite(step + number, loss, layers))
            if non_finite:
                restore()
                return results, non_finite
            results.rows += result.rows
            results.losses += result.losses
            results.outputs += result.outputs
            results.targets += result.targets
            results.steps += 1
        return results, None

    def _first_non_finite(self, step: int, loss: Tensor, layers: list[str]) -> NonFinite | None:
        """The first value of a step that is not finite; `layers` are those whose outputs are
        not."""
        value = float(loss.detach())
        if layers:
            sentence = f"the outputs of {layers[0]} are the first that are not finite"
            return NonFinite(step, layers[0], f"{sentence}; the loss is {value:.4g}")
        if not math.isfinite(value):
            return NonFinite(
                step, "", f"the loss is {value:.4g}, though all layers gave finite numbers"
            )
        # Gradients flow from the outputs back: the first of them is the nearest to the outputs.
        for what, tensors in (
            ("gradient", [(n, p.grad) for n, p in self.module.named_parameters()][::-1]),
            ("weight", list(self.module.named_parameters())),
        ):
            for name, tensor in tensors:
                if tensor is not None and not bool(torch.isfinite(tensor).all()):
                    sentence = f"the {what} of {name} is the first that is not finite"
                    return NonFinite(step, name, f"{sentence}; the loss was still {value:.4g}")
        return None


def _are_finite(numbers: Sequence[Tensor]) -> bool:
    return not numbers or bool(torch.isfinite(torch.stack(list(numbers))).all())


def stream_batches(rows: int, batch_size: int) -> list[Tensor]:
    """Row numbers of each batch where the rows follow each other, as pieces of one text.

    The rows are cut into `batch_size` streams of equal length, and batch number i holds row i of
    each stream. Rows left over at the end are not used.

    Example:
        >>> from netwise.training.step import stream_batches
        >>> [batch.tolist() for batch in stream_batches(7, 2)]
        [[0, 3], [1, 4], [2, 5]]
    """
    streams = min(batch_size, rows)
    steps = rows // streams
    return list((torch.arange(streams)[None, :] * steps + torch.arange(steps)[:, None]).unbind())


def count_correct(results: StepResults) -> int:
    """Correct answers during training, before each step changed the weights; a sequence may have
    one answer for each of its time steps."""
    if not results.outputs or results.outputs[0].dim() != results.targets[0].dim() + 1:
        return 0
    return int((torch.cat(results.outputs).argmax(1) == torch.cat(results.targets)).sum())
