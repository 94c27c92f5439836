"""Forward and backward passes of a run, recorded once for each shape of a batch, then repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.modules import module as module_hooks

from netwise.recipe.recipe import Recipe
from netwise.training.captured.own_memory import own_gradients
from netwise.training.captured.recorded_operations import Recording
from netwise.training.captured.same_steps import Before, same_bits
from netwise.training.captured.whole_steps import Forward, WholeSteps

Shape = tuple[torch.Size, torch.Size, bool]
MOST_SHAPES = 4  # of batches: most runs have two, the last batch of an epoch is smaller
NOTHING_BETWEEN = "something of the run happens between two steps"
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
    if recipe.network.is_energy_model:
        return f"{type(recipe.network).__name__} computes its gradient without autograd"
    if any(change.mixes for change in recipe.augment):
        return "samples are mixed with others, in other shares in each step"
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
        repeated: steps that were, each in a call of its own.
        whole: takes several steps in one call; None: nothing does.
    """

    def __init__(self, reason: str = "") -> None:
        self.reason, self.repeated = reason, 0
        self.whole: WholeSteps | None = None
        self._steps: dict[Shape, _Step] = {}
        self._parameters: Sequence[Tensor] = ()
        self._buffers: Sequence[Tensor] = ()

    def use_parameters(self, parameters: Sequence[Tensor], buffers: Sequence[Tensor] = ()) -> None:
        """Forget what was recorded, where other parameters train from now on.

        Args:
            parameters: that get gradients.
            buffers: that a step may change.
        """
        if list(map(id, parameters)) != list(map(id, self._parameters)):
            self._steps.clear()
        self._parameters, self._buffers = parameters, buffers

    def plain(self) -> dict[str, Any]:
        """For the folder of the run."""
        whole = self.whole
        return {
            "repeated_steps": self.repeated + (0 if whole is None else whole.taken),
            "reason": self.reason,
            "in_one_call": 0 if whole is None else whole.taken,
            "reason_for_single_calls": NOTHING_BETWEEN if whole is None else whole.reason,
            "compiled": 0 if whole is None else whole.compiled,
            "reason_for_not_compiled": "" if whole is None else whole.not_compiled,
            "recorded_in_one_call": 0 if whole is None else whole.recorded,
            "reason_for_recording_alone": NOTHING_BETWEEN if whole is None else whole.not_recorded,
        }

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
        if step.shadowed < SHADOWED:
            return self._compare(step, x, y, w, forward)
        step.fill(x, y, w)
        step.recording.replay()
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
        recording = Recording(self._buffers)
        with recording:
            output, plain, _, loss = forward(x, y, w)
            gradients = torch.autograd.grad(loss, self._parameters, allow_unused=True)
        output, plain = output.detach(), plain.detach()
        self.reason = recording.reason
        if not self.reason:
            own = own_gradients(
                self._parameters, gradients, (x, output, plain), recording.copy_at_end
            )
            self._steps[shape] = _Step(recording, x, y, w, output, plain, own)
        self._give(gradients)
        return output.clone(), plain.clone()

    def _compare(
        self, step: _Step, x: Tensor, y: Tensor, w: Tensor | None, forward: Forward
    ) -> tuple[Tensor, Tensor]:
        """Compute the step in the plain way too; where one bit differs, nothing is repeated from
        now on."""
        before = Before(self._buffers)
        step.fill(x, y, w)
        ours: tuple[Tensor | None, ...] = ()
        try:
            step.recording.replay()
            buffers = [each.clone() for each in self._buffers]
            ours = (step.output, step.plain, *step.gradients, *buffers)
        except (RuntimeError, ValueError) as error:
            self.reason = f"an operation cannot be repeated: {error}"
        before.restore()
        output, plain, _, loss = forward(x, y, w)
        gradients = torch.autograd.grad(loss, self._parameters, allow_unused=True)
        if ours and not all(map(same_bits, ours, (output, plain, *gradients, *self._buffers))):
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
