"""The plain step: the ordinary module, autograd, torch's optimizer, batches gathered from memory.

`take` runs a stretch of them as fast as eager torch goes; `take_carefully` runs the same steps one
at a time and looks at everything after each, to find the one that broke.
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

Blend = tuple[
    Tensor, float
]  # for each sample the row it was mixed with, and the share of its own target
GATHERED_BYTES = 1_000_000  # about what a core's own cache holds


@dataclass
class Stretch:
    """What a stretch of steps said.

    Args:
        losses: loss of each batch, without its penalty, as tensors that nobody has waited for.
        outputs: of each batch, kept until they are compared with the targets; classification only.
        targets: the same for the targets.
        rows: of the watched steps: (step number, signals).
        steps: how many were taken.
    """

    losses: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    targets: list[Tensor] = field(default_factory=list)
    rows: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    steps: int = 0


@dataclass(frozen=True)
class Broken:
    """A step that gave a number that is not finite: where, first, and a sentence that says so."""

    step: int
    layer: str
    sentence: str


class Stepper:
    """Takes the steps of one run."""

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
    ) -> None:
        self.recipe, self.module, self.in_order = recipe, module, in_order
        self.train, self.probe, self.every = train, probe, every
        self.has_classes = task_named(task).has_classes
        self.loss: Callable[[Tensor, Tensor], Tensor] = recipe.loss.build()
        self.computes_loss = recipe.network.computes_loss
        self.weight = (
            None if train.weight is None else train.weight / train.weight.mean()
        )  # batches have unequal sums; the mean over all is 1
        self.loss_of_each = None if self.weight is None else recipe.loss.per_sample()
        self.learn()
        self.mode(optimizer)
        self.asked_to_stop: Callable[[], bool] = lambda: False
        self.before_step: Callable[[int], None] | None = (
            None  # told the number of the batch: sets a rate that changes at each step
        )
        self.after_step: Callable[[], None] | None = (
            None  # weights have moved: an average takes them in
        )
        self.priced = (
            recipe.penalty if recipe.penalty is not None and recipe.penalty.adds_to_loss else None
        )
        self.activities: list[Tensor] = []
        heard = (
            [layer for layer in module.modules() if type(layer).__name__ in ACTIVATION_MODULES]
            if recipe.penalty is not None and recipe.penalty.needs_activations
            else []
        )
        self.ears = [layer.register_forward_hook(self._heard) for layer in heard]

    def _heard(self, layer: nn.Module, args: object, output: Tensor) -> None:
        if layer.training:
            self.activities.append(output)

    def close(self) -> None:
        """Leave nothing on the module."""
        for ear in self.ears:
            ear.remove()

    def mode(self, optimizer: torch.optim.Optimizer, needs_closure: bool = False) -> None:
        """Take the steps with this optimizer from now on."""
        self.optimizer, self.needs_closure = optimizer, needs_closure
        self.update = updater(optimizer)

    def learn(self) -> None:
        """Look anew which parameters take gradients."""
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
                for rows in in_streams(len(self.train), self.recipe.batch_size)
            )
        g = random_streams.generator(self.recipe.seed, random_streams.ORDER, epoch)
        order = torch.randperm(len(self.train), generator=g)
        batches = order.split(self.recipe.batch_size)
        if len(batches) > 1 and len(batches[-1]) == 1 and self.recipe.batch_size > 1:
            batches = (*batches[:-2], torch.cat(batches[-2:]))
        device = self.train.x.device
        return tuple(batch.to(device) for batch in batches) if device.type != "cpu" else batches

    def take(self, batches: tuple[Tensor, ...], epoch: int, first: int, step: int) -> Stretch:
        """Steps over `batches`, the first of which is number `first` of its epoch and `step` of the
        run."""
        said = Stretch()
        for number, (x, y, w) in enumerate(self._gathered(batches)):
            watched = self.every > 0 and (step + number) % self.every == 0
            self._one(x, y, w, epoch, first + number, step + number, watched, said)
            if self.asked_to_stop():
                break
        return said

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
        said: Stretch,
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
            self.optimizer.step(lambda: self._again(x, y, w, blend))  # type: ignore[arg-type, return-value]  # it takes tensors too
        else:
            self.update()
        if recipe.penalty is not None:
            recipe.penalty.project(self.weights)
        if self.after_step is not None:
            self.after_step()
        if watched:
            row = self.probe.finish_step()
            if row is not None:
                said.rows.append((step, row))
        said.losses.append(plain.detach())
        if self.has_classes and output.dim():
            said.outputs.append(output.detach())
            said.targets.append(y)
        said.steps += 1
        return loss

    def _forward(
        self, x: Tensor, y: Tensor, w: Tensor | None, blend: Blend | None
    ) -> tuple[Tensor, Tensor, Tensor | None, Tensor]:
        """(output, its loss, the penalty or None, what is to be made small) of a batch; old
        gradients are gone."""
        if self.ears:
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
        if self.priced is not None:
            penalty = self.priced.value(self.weights, self.activities)
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

    def _again(self, x: Tensor, y: Tensor, w: Tensor | None, blend: Blend | None) -> Tensor:
        """The loss at the present weights, with its gradients, for an optimizer that asks more than
        once."""
        with torch.enable_grad():
            loss = self._forward(x, y, w, blend)[3]
            loss.backward()
        return loss.detach()

    def is_finite(self, said: Stretch) -> bool:
        """All losses of a stretch and all weights after it are finite. One look, after many
        steps."""
        if said.losses and not bool(torch.isfinite(torch.stack(said.losses)).all()):
            return False
        return not self.parameters or bool(
            torch.isfinite(
                torch.stack(torch._foreach_norm([p.detach() for p in self.parameters]))
            ).all()
        )

    def take_carefully(
        self,
        batches: tuple[Tensor, ...],
        epoch: int,
        first: int,
        step: int,
        keep: Callable[[], None],
        back: Callable[[], None],
    ) -> tuple[Stretch, Broken | None]:
        """The same steps, one at a time, each watched; ends before the first that breaks, with the
        weights from before it."""
        said = Stretch()
        names = {layer: name for name, layer in self.module.named_modules()}
        leaves = [layer for layer in self.module.modules() if not list(layer.children())]
        for number, rows in enumerate(batches):
            keep()
            guilty: list[str] = []

            def look(
                layer: nn.Module, args: object, output: object, guilty: list[str] = guilty
            ) -> None:
                if (
                    isinstance(output, Tensor)
                    and not guilty
                    and not bool(torch.isfinite(output).all())
                ):
                    guilty.append(f"{names[layer] or 'the network'} ({type(layer).__name__})")

            handles = [layer.register_forward_hook(look) for layer in leaves]
            alone = Stretch()
            try:
                x, y, w = next(self._gathered((rows,)))
                loss = self._one(
                    x, y, w, epoch, first + number, step + number, self.every > 0, alone
                )
            finally:
                for handle in handles:
                    handle.remove()
            broken = self._broken(step + number, loss, guilty)
            if broken:
                back()
                return said, broken
            said.rows += alone.rows
            said.losses += alone.losses
            said.outputs += alone.outputs
            said.targets += alone.targets
            said.steps += 1
        return said, None

    def _broken(self, step: int, loss: Tensor, guilty: list[str]) -> Broken | None:
        value = float(loss.detach())
        if guilty:
            return Broken(
                step,
                guilty[0],
                f"the outputs of {guilty[0]} are the first that are not finite; the loss is {value:.4g}",
            )
        if not math.isfinite(value):
            return Broken(
                step, "", f"the loss is {value:.4g}, though all layers gave finite numbers"
            )
        # Gradients flow from the output back: the first to break is the nearest to it.
        for what, tensors in (
            ("gradient", [(n, p.grad) for n, p in self.module.named_parameters()][::-1]),
            ("weight", list(self.module.named_parameters())),
        ):
            for name, tensor in tensors:
                if tensor is not None and not bool(torch.isfinite(tensor).all()):
                    return Broken(
                        step,
                        name,
                        f"the {what} of {name} is the first that is not finite; the loss was still {value:.4g}",
                    )
        return None


def in_streams(rows: int, batch_size: int) -> list[Tensor]:
    """Row numbers of each batch where the rows follow each other: each place of a batch goes
    through its own stretch of them.

    The rows left over where `rows` is no multiple are not trained on: no stream could go on with
    them.
    """
    streams_ = min(batch_size, rows)
    steps = rows // streams_
    return list((torch.arange(streams_)[None, :] * steps + torch.arange(steps)[:, None]).unbind())


def right_of(said: Stretch) -> int:
    """How many answers of a stretch were right, as it learned; a sequence has one for each of its
    places."""
    if not said.outputs or said.outputs[0].dim() != said.targets[0].dim() + 1:
        return 0
    return int((torch.cat(said.outputs).argmax(1) == torch.cat(said.targets)).sum())
