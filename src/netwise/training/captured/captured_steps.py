"""Forward and backward passes of a run, recorded once for each shape of a batch, then repeated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.modules import module as module_hooks

from netwise.recipe.recipe import Recipe
from netwise.training.captured.recorded_operations import Recording

# Computes (output, loss without penalty, loss with penalty) of inputs, targets and weights.
Forward = Callable[[Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor, Tensor]]
Shape = tuple[torch.Size, torch.Size, bool]
MOST_SHAPES = 4  # of batches: most runs have two, the last batch of an epoch is smaller
SHADOWED = 2  # steps that are also computed in the plain way, before the repetition is trusted


def hindrance(recipe: Recipe, device: str, precision: str | None) -> str:
    """Why the steps of this run are not captured, as far as it is known before the first; "" where
    they can be tried."""
    if torch.device(device).type != "cpu":
        return f"not measured on {device}"
    if precision not in (None, "float32"):
        return f"precision is {precision}"
    if recipe.network.own_code:
        return "the network is your own: its code may decide by the values of a batch"
    if recipe.network.is_energy_model or recipe.network.computes_loss:
        return f"{type(recipe.network).__name__} computes its loss itself"
    if recipe.augment:
        return "batches are augmented"
    hooks = (module_hooks._global_forward_hooks, module_hooks._global_forward_pre_hooks)
    if any(hooks):
        return "hooks observe all modules of the process"
    return ""


@dataclass
class _Step:
    """One recorded step: where its inputs go, and where what it computes lies afterwards."""

    recording: Recording
    x: Tensor
    y: Tensor
    w: Tensor | None
    output: Tensor
    plain: Tensor
    gradients: list[Tensor | None]
    shadowed: int = 0

    def fill(self, x: Tensor, y: Tensor, w: Tensor | None) -> None:
        self.x.copy_(x)
        self.y.copy_(y)
        if self.w is not None and w is not None:
            self.w.copy_(w)


class CapturedSteps:
    """The recorded steps of one run.

    Args:
        reason: why nothing is captured; "" to try it.

    Attributes:
        reason: why steps are computed in the plain way; "" as long as they are repeated.
        repeated: steps that were.
    """

    def __init__(self, reason: str = "") -> None:
        self.reason, self.repeated = reason, 0
        self._steps: dict[Shape, _Step] = {}
        self._parameters: Sequence[Tensor] = ()

    def use_parameters(self, parameters: Sequence[Tensor]) -> None:
        """Forget what was recorded, where other parameters train from now on."""
        if list(map(id, parameters)) != list(map(id, self._parameters)):
            self._steps.clear()
        self._parameters = parameters

    def plain(self) -> dict[str, Any]:
        """For the folder of the run."""
        return {"repeated_steps": self.repeated, "reason": self.reason}

    def take(
        self, x: Tensor, y: Tensor, w: Tensor | None, forward: Forward
    ) -> tuple[Tensor, Tensor] | None:
        """(output, loss without penalty) of a batch, with the gradients of all parameters; None:
        the step has to be computed in the plain way."""
        if self.reason:
            return None
        shape = (x.shape, y.shape, w is None)
        step = self._steps.get(shape)
        if step is None:
            return self._record(shape, x, y, w, forward)
        step.fill(x, y, w)
        step.recording.replay()
        if step.shadowed < SHADOWED:
            return self._compare(step, x, y, w, forward)
        for parameter, gradient in zip(self._parameters, step.gradients, strict=True):
            parameter.grad = gradient
        self.repeated += 1
        return step.output.clone(), step.plain.clone()

    def _record(
        self, shape: Shape, x: Tensor, y: Tensor, w: Tensor | None, forward: Forward
    ) -> tuple[Tensor, Tensor] | None:
        """Compute a step in the plain way, and record its operations."""
        if len(self._steps) == MOST_SHAPES:
            self.reason = f"batches have more than {MOST_SHAPES} shapes"
            return None
        x, y, w = x.clone(), y.clone(), None if w is None else w.clone()
        recording = Recording()
        with recording:
            output, plain, loss = forward(x, y, w)
            gradients = torch.autograd.grad(loss, self._parameters, allow_unused=True)
        output, plain = output.detach(), plain.detach()
        self.reason = recording.reason
        if not self.reason:
            own = _own_memory(recording, self._parameters, gradients, (x, output, plain))
            self._steps[shape] = _Step(recording, x, y, w, output, plain, own)
        self._give(gradients)
        return output.clone(), plain.clone()

    def _compare(
        self, step: _Step, x: Tensor, y: Tensor, w: Tensor | None, forward: Forward
    ) -> tuple[Tensor, Tensor]:
        """Compute the step in the plain way too; where one bit differs, nothing is repeated from
        now on."""
        output, plain, loss = forward(x, y, w)
        gradients = torch.autograd.grad(loss, self._parameters, allow_unused=True)
        ours = (step.output, step.plain, *step.gradients)
        if not all(map(_same_bits, ours, (output, plain, *gradients))):
            self.reason = "repeated operations give other bits than the plain step"
        step.shadowed += 1
        self._give(gradients)
        return output.detach(), plain.detach()

    def _give(self, gradients: Sequence[Tensor | None]) -> None:
        """Give each parameter a gradient of its own, in its own layout, as autograd does."""
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = (
                None if gradient is None else torch.empty_like(parameter).copy_(gradient)
            )


def _own_memory(
    recording: Recording,
    parameters: Sequence[Tensor],
    gradients: Sequence[Tensor | None],
    others: Sequence[Tensor],
) -> list[Tensor | None]:
    """The gradients in memory that nothing else shows, in the layout of their parameters: clipping
    changes them in place, and fused kernels read both side by side."""
    taken = {each.untyped_storage()._cdata for each in (*parameters, *others)}
    own: list[Tensor | None] = []
    for parameter, gradient in zip(parameters, gradients, strict=True):
        if gradient is None:
            own.append(None)
            continue
        if (
            gradient.untyped_storage()._cdata in taken
            or gradient.stride() != parameter.stride()
            or gradient.untyped_storage().nbytes() != gradient.nbytes
        ):
            source, gradient = gradient, torch.empty_like(parameter, requires_grad=False)
            recording.copy_at_end(gradient, source)
            gradient.copy_(source)
        taken.add(gradient.untyped_storage()._cdata)
        own.append(gradient)
    return own


def _same_bits(one: Tensor | None, other: Tensor | None) -> bool:
    if one is None or other is None:
        return one is other
    whole = {2: torch.int16, 4: torch.int32, 8: torch.int64}.get(one.element_size())
    if one.dtype != other.dtype or not one.is_floating_point() or whole is None:
        return torch.equal(one, other)
    return torch.equal(one.detach().view(whole), other.detach().view(whole))
