"""Several whole steps in one call: batches are gathered, gradients computed, weights updated, and
no line of Python runs between two steps.

A step is computed once in the plain way and recorded below autograd, with clipping, update and
projection of the weights; it becomes a `StepProgram`. The next steps are computed by the program
and in the plain way, from the same state. If all bits are the same, weights, state of the optimizer
and running statistics included, programs take the steps from then on. In long runs a program is
also compiled (`native_program`) while it takes steps, compared in the same way, and then takes the
steps that are left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from netwise.training.captured.native_program import NativeProgram, steps_of, why_not_native
from netwise.training.captured.native_text import NativeText
from netwise.training.captured.own_memory import own_gradients
from netwise.training.captured.recorded_operations import Recording
from netwise.training.captured.same_steps import Before, same_bits
from netwise.training.captured.step_program import CannotBeWritten, StepProgram

# Computes (output, loss without penalty, loss with penalty) of inputs, targets and weights.
Forward = Callable[[Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor, Tensor]]
COMPARED = 2  # steps that are also computed in the plain way
MOST_PROGRAMS = 4  # of batches of other sizes
# Compiling takes 0.2 to 0.8 s of a core, and saves 25 microseconds of a small step, more of others.
LONG_RUN = (
    10_000  # steps, of one run or of several of this process, for which programs are compiled
)
OFTEN = 100  # steps after which a program is: not those of the last batches of epochs
SHORT = "the run is short"
OFF = "switched off"


@dataclass(frozen=True, eq=False)
class StepParts:
    """What a whole step consists of.

    Args:
        data: inputs, targets and weights of all samples, or the first two.
        forward: see `Forward`.
        parameters: that get gradients.
        finish: changes the weights, from the gradients of the parameters.
        set_rate: gives the optimizer a learning rate.
        state: all tensors that a step may change: weights, buffers, state of the optimizer.
        settings: of the optimizer, but for its rate; other ones need another program.
    """

    data: tuple[Tensor, ...]
    forward: Forward
    parameters: Sequence[Tensor]
    finish: Callable[[], object]
    set_rate: Callable[[float], object]
    state: Callable[[], list[Tensor]]
    settings: Callable[[], object]


@dataclass(eq=False)
class _Recorded:
    """A program and the gradients that it writes; `text` to compile it, None where it cannot be."""

    program: StepProgram | NativeProgram
    gradients: list[Tensor | None]
    text: NativeText | None
    compared: bool = False
    taken: int = 0
    compiled: NativeProgram | None = None  # not yet used


Results = tuple[Tensor, Tensor]  # outputs and losses of steps, (steps, ...) each


class WholeSteps:
    """The programs of one run.

    Args:
        parts: of a step.
        left: steps that the run has left; None: no program is compiled.

    Attributes:
        reason: why no program is used; "" as long as they are.
        taken: steps by programs.
        not_compiled: why no program is compiled; "" as long as they are.
        compiled: steps by compiled programs.
    """

    def __init__(self, parts: StepParts, left: int | None = None) -> None:
        self.parts, self.reason, self.taken, self.compiled = parts, "", 0, 0
        self.not_compiled = OFF if left is None else why_not_native() or SHORT
        self._left = left or 0
        self._programs: dict[int, _Recorded] = {}
        self._valid_for: object = None

    def steps_at_once(self, batch: int, wanted: int) -> int:
        """How many of the wanted steps the next call can take."""
        if self.reason:
            return 0
        parts = self.parts
        memory = [each.data_ptr() for each in parts.state()]
        present = (memory, list(map(id, parts.parameters)), parts.settings())
        if self._valid_for != present:  # programs are of other memory, or other settings
            self._programs.clear()
            self._valid_for = present
        recorded = self._programs.get(batch)
        if recorded is None:
            return 1
        self._compile(recorded)
        return wanted if recorded.compared else min(wanted, COMPARED)

    def _compile(self, recorded: _Recorded) -> None:
        """Begin to compile a program that is used often; where that is done, it takes the steps."""
        if self.not_compiled or recorded.taken < OFTEN or recorded.text is None:
            return
        program = recorded.program
        try:
            if recorded.compiled is None and isinstance(program, StepProgram):
                recorded.compiled = NativeProgram(recorded.text, program)
            elif recorded.compiled is not None and recorded.compiled.is_compiled():
                recorded.compiled.load()
                recorded.program, recorded.compared = recorded.compiled, False
                recorded.text = recorded.compiled = None
        except CannotBeWritten as error:
            self.not_compiled = str(error)

    def take(self, rows: Tensor, rates: Sequence[float]) -> Results:
        """Take as many steps as `steps_at_once` just said.

        Args:
            rows: numbers of the rows of each, (steps, batch).
            rates: the learning rate of each.
        """
        recorded = self._programs.get(rows.shape[1])
        if recorded is None:
            return self._record(rows[0], rates[0])
        self.parts.set_rate(rates[-1])
        if not recorded.compared:
            return self._compare(recorded, rows, rates)
        recorded.taken += len(rows)
        self.taken += len(rows)
        if isinstance(recorded.program, NativeProgram):
            self.compiled += len(rows)
        return self._run(recorded, rows, rates)

    def _run(self, recorded: _Recorded, rows: Tensor, rates: Sequence[float]) -> Results:
        results = recorded.program.run(rows, rates)
        for parameter, gradient in zip(self.parts.parameters, recorded.gradients, strict=True):
            parameter.grad = gradient
        return results

    def _record(self, rows: Tensor, rate: float) -> Results:
        """Take a step in the plain way, and make it a program."""
        parts = self.parts
        if len(self._programs) == MOST_PROGRAMS:
            self.reason = f"batches have more than {MOST_PROGRAMS} sizes"
            return self._plain(rows, rate)
        parts.set_rate(rate)
        batch = [each.index_select(0, rows) for each in parts.data]
        x, y, w = (*batch, None)[:3]
        assert x is not None
        assert y is not None
        recording = Recording(parts.state())
        with recording:
            output, plain, loss = parts.forward(x, y, w)
            found = torch.autograd.grad(loss, list(parts.parameters), allow_unused=True)
            output, plain = output.detach(), plain.detach()
            gradients = own_gradients(parts.parameters, found, (*batch, output, plain))
            self._give(gradients)
            parts.finish()
        self.reason = recording.reason
        if not self.reason:
            gathered = list(zip(parts.data, batch, strict=True))
            try:
                program = StepProgram(recording.operations, gathered, output, plain)
            except (CannotBeWritten, RuntimeError, AttributeError) as error:
                self.reason = f"no program can be written of a step: {error}"
            else:
                self._programs[len(rows)] = _Recorded(
                    program, gradients, self._text(recording, gathered, output, plain)
                )
                if not program.uses_rate:
                    self.reason = "the optimizer has no kernel that takes the rate of each step"
        return output.clone()[None], plain.clone()[None]

    def _text(
        self,
        recording: Recording,
        gathered: Sequence[tuple[Tensor, Tensor]],
        output: Tensor,
        loss: Tensor,
    ) -> NativeText | None:
        """To compile a program; None where it cannot be, or takes too few steps."""
        if self.not_compiled in ("", SHORT):
            try:
                text = NativeText(recording.operations, gathered, output, loss)
            except CannotBeWritten as error:
                self.not_compiled = str(error)
            else:
                is_long = steps_of(text.text, self._left) >= LONG_RUN
                self.not_compiled = "" if is_long else SHORT
                return text if is_long else None
        return None

    def _plain(self, rows: Tensor, rate: float) -> Results:
        """Take a step in the plain way."""
        parts = self.parts
        parts.set_rate(rate)
        batch = [each.index_select(0, rows) for each in parts.data]
        x, y, w = (*batch, None)[:3]
        assert x is not None
        assert y is not None
        output, plain, loss = parts.forward(x, y, w)
        found = torch.autograd.grad(loss, list(parts.parameters), allow_unused=True)
        self._give(own_gradients(parts.parameters, found, (*batch, output, plain)))
        parts.finish()
        return output.detach()[None], plain.detach()[None]

    def _compare(self, recorded: _Recorded, rows: Tensor, rates: Sequence[float]) -> Results:
        """Take the same steps by the program and in the plain way; where one bit differs, no
        program is used from now on."""
        before = Before(self.parts.state())
        try:
            ours = (*self._run(recorded, rows, rates), *map(torch.clone, self.parts.state()))
        except RuntimeError as error:
            ours = ()
            self.reason = f"torch does not run the program of a step: {error}"
        before.restore()
        steps = [self._plain(each, rate) for each, rate in zip(rows, rates, strict=True)]
        outputs, losses = (torch.cat(each) for each in zip(*steps, strict=True))
        if ours and not all(map(same_bits, ours, (outputs, losses, *self.parts.state()))):
            if isinstance(recorded.program, NativeProgram):
                recorded.program = recorded.program.interpreted
                self.not_compiled = "compiled programs give other bits than the plain step"
            else:
                self.reason = "programs give other bits than the plain step"
        recorded.compared = True
        return outputs, losses

    def _give(self, gradients: Sequence[Tensor | None]) -> None:
        for parameter, gradient in zip(self.parts.parameters, gradients, strict=True):
            parameter.grad = gradient
