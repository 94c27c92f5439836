"""Several whole steps in one call: batches are gathered, gradients computed, weights updated, and
no line of Python runs between two steps.

A step is computed once in the plain way and recorded below autograd, with clipping, update and
projection of the weights; it becomes a `StepProgram`. The next steps are computed by the program
and in the plain way, from the same state. If all bits are the same, weights, state of the optimizer
and running statistics included, programs take the steps from then on. In long runs a program is
also compiled (`native_program`) while it takes steps, compared in the same way, and then takes the
steps that are left.

What is measured of recorded steps belongs to the program too, and is done in these steps alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from netwise.observe.hooked_probe import HookedProbe
from netwise.observe.kept_steps import Measure, MeasurePlan, Packed, Row, packed, planned
from netwise.training.captured.native_program import NativeProgram, steps_of, why_not_native
from netwise.training.captured.native_text import NativeText
from netwise.training.captured.own_memory import own_gradients
from netwise.training.captured.recorded_operations import Recording
from netwise.training.captured.same_steps import Before, same_bits
from netwise.training.captured.step_program import CannotBeWritten, StepProgram

# Computes (output, loss without penalty, penalty or None, loss with penalty) of inputs, targets and
# weights.
Forward = Callable[[Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor, Tensor | None, Tensor]]
COMPARED = 2  # steps that are also computed in the plain way
MOST_PROGRAMS = 4  # of batches of other sizes
OFTEN = 100  # steps after which a program is: not those of the last batches of epochs
SHORT = "the run is short"
OFF = "switched off"
FEW_RECORDED = "few steps are recorded"


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
        probe: measures recorded steps; None: none are recorded.
    """

    data: tuple[Tensor, ...]
    forward: Forward
    parameters: Sequence[Tensor]
    finish: Callable[[], object]
    set_rate: Callable[[float], object]
    state: Callable[[], list[Tensor]]
    settings: Callable[[], object]
    probe: HookedProbe | None = None


@dataclass(eq=False)
class _Recorded:
    """A program and the gradients that it writes.

    Args:
        program, gradients: they.
        text: to compile it; None where it cannot be.
        plan: of what is measured in recorded steps; None where nothing is.
        compared, plan_compared: with plain steps, without and with what is measured.
        taken: steps.
        compiled: not yet used.
    """

    program: StepProgram | NativeProgram
    gradients: list[Tensor | None]
    text: NativeText | None
    plan: MeasurePlan | None
    compared: bool = False
    plan_compared: bool = False
    taken: int = 0
    compiled: NativeProgram | None = None


@dataclass(frozen=True, eq=False)
class _Step:
    """What was computed of one step.

    Args:
        batch: inputs, targets and weights.
        output, loss: of the network, without a penalty.
        gradients: of the parameters.
        measures: for its signals.
    """

    batch: list[Tensor]
    output: Tensor
    loss: Tensor
    gradients: list[Tensor | None]
    measures: list[Measure]


Results = tuple[Tensor, Tensor]  # outputs and losses of steps, (steps, ...) each
Rows = Sequence[Row | None]  # for the signals of each step; None for one that is not recorded


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
        not_recorded: why recorded steps are not among them; "" as long as they are.
        recorded: steps that are.
    """

    def __init__(self, parts: StepParts, left: int | None = None) -> None:
        self.parts, self.reason, self.taken, self.compiled = parts, "", 0, 0
        self.not_recorded, self.recorded = "", 0
        self.not_compiled = OFF if left is None else why_not_native() or SHORT
        self._left = left or 0
        self._programs: dict[int, _Recorded] = {}
        self._valid_for: object = None

    def steps_at_once(self, batch: int, recorded: Sequence[bool]) -> int:
        """How many of the wanted steps the next call can take.

        Args:
            batch: samples of each.
            recorded: for each wanted step, whether its signals are.
        """
        if self.reason:
            return 0
        parts = self.parts
        memory = [each.data_ptr() for each in parts.state()]
        present = (memory, list(map(id, parts.parameters)), parts.settings())
        if self._valid_for != present:  # programs are of other memory, or other settings
            self._programs.clear()
            self._valid_for = present
        found = self._programs.get(batch)
        if found is None:  # modules compute the first one, with its signals if there is a probe
            return int(not recorded[0] or parts.probe is not None)
        self._compile(found)
        wanted = len(recorded) if found.compared else min(len(recorded), COMPARED)
        if found.plan_compared or True not in recorded[:wanted]:
            return wanted
        unrecorded = list(recorded).index(True)  # steps before the first that is
        if found.plan is None or (found.compared and unrecorded):
            return unrecorded
        return min(wanted, COMPARED)

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
                recorded.plan_compared = False
                recorded.text = recorded.compiled = None
        except CannotBeWritten as error:
            self.not_compiled = str(error)

    def take(self, batches: Tensor, rates: Sequence[float], rows: Rows = ()) -> Results:
        """Take as many steps as `steps_at_once` just said.

        Args:
            batches: numbers of the samples of each, (steps, batch).
            rates: the learning rate of each.
            rows: see `Rows`. Default: no step is recorded.
        """
        rows = rows or [None] * len(batches)
        recorded = self._programs.get(batches.shape[1])
        if recorded is None:
            return self._record(batches[0], rates[0], rows[0])
        self.parts.set_rate(rates[-1])
        keeps = [row is not None for row in rows]
        if not recorded.compared or (True in keeps and not recorded.plan_compared):
            return self._compare(recorded, batches, rates, rows)
        recorded.taken += len(batches)
        self.taken += len(batches)
        program = recorded.program
        if isinstance(program, NativeProgram):
            self.compiled += len(batches) if program.keeps else keeps.count(False)
        outputs, losses, *kept = self._run(recorded, batches, rates, keeps)
        self._give_rows(recorded.plan, rows, tuple(kept))
        return outputs, losses

    def _give_rows(self, plan: MeasurePlan | None, rows: Rows, kept: Packed) -> None:
        """What was measured of recorded steps goes to the probe."""
        those = [row for row in rows if row is not None]
        if those and plan is not None and self.parts.probe is not None:
            self.recorded += len(those)
            self.parts.probe.add_steps(those, plan, kept)

    def _run(
        self, recorded: _Recorded, batches: Tensor, rates: Sequence[float], keeps: Sequence[bool]
    ) -> tuple[Tensor, ...]:
        results = recorded.program.run(batches, rates, keeps)
        self._give(recorded.gradients)
        return results

    def _record(self, samples: Tensor, rate: float, row: Row | None) -> Results:
        """Take a step in the plain way, and make it a program."""
        probe = self.parts.probe
        if probe is not None and not probe.layers:  # they become known in a step with modules
            probe = None
        if len(self._programs) == MOST_PROGRAMS:
            self.reason = f"batches have more than {MOST_PROGRAMS} sizes"
            return self._plain(samples, rate, row)[0]
        recording = Recording(self.parts.state())
        step = self._step(samples, rate, probe, recording)
        plan, kept = planned(step.measures)
        if row is not None and probe is not None:
            probe.add_steps([row], plan, packed(kept))
        self.reason = recording.reason
        self.not_recorded = self.not_recorded or recording.not_optional
        if not self.reason:
            keeps = bool(step.measures) and not recording.not_optional
            gathered = list(zip(self.parts.data, step.batch, strict=True))
            parts = (recording.operations, gathered, step.output, step.loss, kept if keeps else ())
            try:
                program = StepProgram(*parts)
            except (CannotBeWritten, RuntimeError, AttributeError) as error:
                self.reason = f"no program can be written of a step: {error}"
            else:
                text = self._text(partial(NativeText, *parts))
                self._programs[len(samples)] = _Recorded(
                    program, step.gradients, text, plan if keeps else None
                )
                if not program.uses_rate:
                    self.reason = "the optimizer has no kernel that takes the rate of each step"
        return step.output.clone()[None], step.loss.clone()[None]

    def _text(self, write: Callable[[], NativeText]) -> NativeText | None:
        """To compile a program; None where it cannot be, or takes too few steps."""
        if self.not_compiled in ("", SHORT):
            try:
                text = write()
            except CannotBeWritten as error:
                self.not_compiled = str(error)
            else:
                is_long = steps_of(text.text, self._left) >= text.worth
                self.not_compiled = "" if is_long else SHORT
                return text if is_long else None
        return None

    def _plain(
        self, samples: Tensor, rate: float, row: Row | None = None
    ) -> tuple[Results, tuple[MeasurePlan, Packed] | None]:
        """Take a step in the plain way; returns its results and what was measured of it."""
        probe = None if row is None else self.parts.probe
        step = self._step(samples, rate, probe)
        results = step.output[None], step.loss[None]
        if probe is None or row is None:
            return results, None
        plan, kept = planned(step.measures)
        numbers = packed(kept)
        probe.add_steps([row], plan, numbers)
        return results, (plan, numbers)

    def _step(
        self,
        samples: Tensor,
        rate: float,
        probe: HookedProbe | None,
        recording: Recording | None = None,
    ) -> _Step:
        """Compute a step by modules and autograd.

        Args:
            samples: their numbers.
            rate: the learning rate.
            probe: measures it; None: nothing does.
            recording: gets its operations, those of the measures as optional ones.
        """
        parts, measures = self.parts, list[Measure]()
        parts.set_rate(rate)
        batch = [each.index_select(0, samples) for each in parts.data]
        x, y, w = (*batch, None)[:3]
        assert x is not None
        assert y is not None
        optional = nullcontext if recording is None else recording.optional
        if probe is not None:
            probe.attach()
        with recording or nullcontext():
            output, plain, penalty, loss = parts.forward(x, y, w)
            found = torch.autograd.grad(loss, list(parts.parameters), allow_unused=True)
            output, plain = output.detach(), plain.detach()
            gradients = own_gradients(parts.parameters, found, (*batch, output, plain))
            self._give(gradients)
            if probe is not None:
                penalty = None if penalty is None else penalty.detach()
                with optional():
                    measures += probe.before_update(loss.detach(), y, penalty, is_fresh=True)
            parts.finish()
            if probe is not None:
                with optional():
                    measures += probe.after_update()
        if probe is not None:
            probe.detach()
        return _Step(batch, output, plain, gradients, measures)

    def _compare(
        self, recorded: _Recorded, batches: Tensor, rates: Sequence[float], rows: Rows
    ) -> Results:
        """Take the same steps by the program and in the plain way; where one bit differs, no
        program is used from now on."""
        before, keeps = Before(self.parts.state()), [row is not None for row in rows]
        kept: list[Tensor] = []
        try:
            outputs, losses, *kept = self._run(recorded, batches, rates, keeps)
            ours = (outputs, losses, *map(torch.clone, self.parts.state()))
        except RuntimeError as error:
            ours = ()
            self.reason = f"torch does not run the program of a step: {error}"
        before.restore()
        steps = [self._plain(*each) for each in zip(batches, rates, rows, strict=True)]
        outputs, losses = (torch.cat(each) for each in zip(*(r for r, _ in steps), strict=True))
        self._judge(
            recorded,
            not ours or all(map(same_bits, ours, (outputs, losses, *self.parts.state()))),
            kept,
            [each for _, each in steps if each is not None],
        )
        return outputs, losses

    def _judge(
        self,
        recorded: _Recorded,
        same_steps: bool,
        kept: Sequence[Tensor],
        measured: Sequence[tuple[MeasurePlan, Packed]],
    ) -> None:
        """Decide whether a program is used from now on.

        Args:
            recorded: it.
            same_steps: its results and the state after it are those of plain steps.
            kept: what it measured.
            measured: what was measured of each plain step that is recorded.
        """
        plain = map(torch.cat, zip(*(numbers for _, numbers in measured), strict=True))
        same_measures = all(plan == recorded.plan for plan, _ in measured) and all(
            map(same_bits, kept, plain)
        )
        recorded.compared = True
        recorded.plan_compared |= bool(measured) and same_measures
        if same_steps and same_measures:
            return
        what = "measure" if same_steps else "give"
        if isinstance(recorded.program, NativeProgram):
            recorded.program = recorded.program.interpreted
            recorded.plan_compared = False
            self.not_compiled = f"compiled programs {what} other bits than the plain step"
        elif same_steps:
            recorded.plan = None
            self.not_recorded = f"programs {what} other bits than the plain step"
        else:
            self.reason = f"programs {what} other bits than the plain step"

    def _give(self, gradients: Sequence[Tensor | None]) -> None:
        for parameter, gradient in zip(self.parts.parameters, gradients, strict=True):
            parameter.grad = gradient
