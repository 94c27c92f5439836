"""Recorded operations as a program of torch's own interpreter: many rounds of them in one call.

A round costs no Python. The program is run as it is written: torch's optimizing executor is not
used, since it removes operations whose only effect is on the members of a list, such as the fused
kernels of optimizers.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, groupby
from typing import Any

import torch
from torch import Tensor

from netwise.training.captured.recorded_operations import RecordedOperation

RATE = "lr"  # an argument with this name is that of the round
# By their numbers in torch's C++.
NUMBERS: dict[object, int] = {torch.uint8: 0, torch.int32: 3, torch.int64: 4, torch.float32: 6}
NUMBERS |= {torch.float64: 7, torch.bool: 11, torch.strided: 0}
NUMBERS |= {torch.contiguous_format: 0, torch.preserve_format: 1, torch.channels_last: 2}
HEAD = "%count : int, %rates : float[], %rows : Tensor, %outputs : Tensor, %losses : Tensor"
HEAD += ", %places : int[]"
Kept = Sequence[Sequence[Tensor]]  # tensors by kind, whose numbers some rounds keep


class CannotBeWritten(Exception):
    """A value that the text of a program cannot hold."""


@dataclass(frozen=True, eq=False)
class Results:
    """Memory for the results of rounds.

    Args:
        made: outputs and losses, (rounds, ...) each, then what some rounds keep of each kind,
            (rounds that keep, numbers) each.
        places: of each round, its place among those that keep; -1 for one that does not.
    """

    made: tuple[Tensor, ...]
    places: list[int]


class StepProgram:
    """Rounds of recorded operations, each on rows of its own.

    Args:
        operations: of a round.
        gathered: (all rows, where those of a round go), of inputs, targets and weights.
        output, loss: what each round keeps of what it computed.
        kept: what rounds keep too that have a place for it; optional operations are done in these
            rounds alone. Empty: in none.

    Attributes:
        uses_rate: an operation takes the learning rate; else the rate of the recording is fixed.

    Raises:
        CannotBeWritten: an operation has an argument of another kind.
    """

    def __init__(
        self,
        operations: Sequence[RecordedOperation],
        gathered: Sequence[tuple[Tensor, Tensor]],
        output: Tensor,
        loss: Tensor,
        kept: Kept = (),
    ) -> None:
        self._tensors: list[Tensor] = []
        self._names: dict[object, str] = {}
        self._constants: list[str] = []
        self._body: list[str] = []
        self._count = 0
        self.uses_rate = any(name == RATE for each in operations for name, _ in each.signature)
        zero = self._value(0)
        rows = self._call("aten::select", ["%rows", zero, "%i"], ["Tensor"])[0]
        rate = self._call("aten::__getitem__", ["%rates", "%i"], ["float"])[0]
        for every, own in gathered:
            inputs = [self._value(every), zero, rows, self._value(own)]
            self._call("aten::index_select", inputs, ["Tensor"])
        place = self._call("aten::__getitem__", ["%places", "%i"], ["int"])[0]
        self._has_place = self._call("aten::ge", [place, zero], ["bool"])[0]
        for optional, group in groupby(operations, key=lambda each: each.optional):
            write = partial(self._add_all, list(group), rate)
            if not optional:
                write()
            elif kept:
                self._in_some_rounds(write)
        for results, value in (("%outputs", output), ("%losses", loss)):
            to = self._call("aten::select", [results, zero, "%i"], ["Tensor"])[0]
            self._copy(to, self._value(value))
        if kept:
            self._in_some_rounds(partial(self._keep, kept, place))
        self._kept = [(members[0], sum(each.numel() for each in members)) for members in kept]
        self._graph = torch._C.parse_ir(self._text())
        self._output, self._loss = output, loss

    def run(
        self, rows: Tensor, rates: Sequence[float], keeps: Sequence[bool] = ()
    ) -> tuple[Tensor, ...]:
        """(outputs, losses) of the rounds, (rounds, ...) each, and the numbers of each kind that
        rounds have kept, (rounds that keep, numbers) each.

        Args:
            rows: numbers of the rows of each round, (rounds, batch).
            rates: the learning rate of each.
            keeps: which of them keep what `kept` says. Default: none.
        """
        results = self.results(len(rows), keeps)
        # Without gradients, operations need not pass by autograd: a small step takes 9 % less.
        with torch.no_grad(), torch._C._AutoDispatchBelowAutograd():
            torch._C._jit_interpret_graph(  # type: ignore[attr-defined]
                self._graph,
                (
                    len(rows),
                    list(rates),
                    rows,
                    *results.made[:2],
                    results.places,
                    *results.made[2:],
                    *self._tensors,
                ),
            )
        return results.made

    def results(self, count: int, keeps: Sequence[bool] = ()) -> Results:
        """Memory for the results of so many rounds."""
        ends = list(accumulate(map(int, keeps)))
        places = [end - 1 if keep else -1 for end, keep in zip(ends, keeps, strict=True)]
        rounds = ends[-1] if ends else 0
        made = (
            self._output.new_empty((count, *self._output.shape)),
            self._loss.new_empty((count,)),
            *(one.new_empty((rounds, size)) for one, size in self._kept),
        )
        return Results(made, places or [-1] * count)

    def _text(self) -> str:
        tensors = [f"%kept{i} : Tensor" for i in range(len(self._kept))]
        tensors += [f"%t{i} : Tensor" for i in range(len(self._tensors))]
        true, none = self._value(True), self._value(None)
        return "\n".join(
            [
                f"graph({', '.join([HEAD, *tensors])}):",
                *(f"  {line}" for line in self._constants),
                f"  prim::Loop(%count, {true})",
                "    block0(%i : int):",
                *(f"      {line}" for line in self._body),
                f"      -> ({true})",
                f"  return ({none})\n",
            ]
        )

    def _in_some_rounds(self, write: Callable[[], object]) -> None:
        """What the function writes is done in rounds that have a place for what they keep."""
        before, self._body = self._body, []
        write()
        inside, self._body = self._body, before
        lines = ["block0():", *(f"  {line}" for line in inside), "  -> ()", "block1():", "  -> ()"]
        self._body += [f"prim::If({self._has_place})", *(f"  {line}" for line in lines)]

    def _keep(self, kept: Kept, place: str) -> None:
        """Copy the numbers of each kind, one after the other, to their place."""
        zero, flat = self._value(0), self._value([-1], "List[int]")
        for kind, members in enumerate(kept):
            values = [
                self._value(each.view(-1))
                if each.is_contiguous()
                else self._call("aten::reshape", [self._value(each), flat], ["Tensor"])[0]
                for each in members
            ]
            to = self._call("aten::select", [f"%kept{kind}", zero, place], ["Tensor"])[0]
            pieces = self._call("prim::ListConstruct", values, ["List[Tensor]"])[0]
            self._call("aten::cat", [pieces, zero, to], ["Tensor"])

    def _add_all(self, operations: Sequence[RecordedOperation], rate: str) -> None:
        for each in operations:
            self._add(each, rate)

    def _add(self, operation: RecordedOperation, rate: str) -> None:
        inputs = [
            rate if name == RATE else self._value(value, kind)
            for (name, kind), value in zip(operation.signature, operation.arguments, strict=True)
        ]
        results = self._call(operation.name, inputs, operation.results)
        if operation.copied_to and operation.results == ("List[Tensor]",):
            kinds = ["Tensor"] * len(operation.copied_to)
            results = self._call("prim::ListUnpack", results, kinds)
        for target, result in zip(operation.copied_to, results, strict=False):
            if target is not None:
                self._copy(self._value(target), result)

    def _copy(self, target: str, source: str) -> None:
        self._call("aten::copy_", [target, source, self._value(False)], ["Tensor"])

    def _call(self, name: str, inputs: Sequence[str], kinds: Sequence[str]) -> list[str]:
        """Add a line; returns the names of its results."""
        results = [self._fresh() for _ in kinds]
        typed = ", ".join(
            f"{result} : {'Tensor[]' if kind == 'List[Tensor]' else kind}"
            for result, kind in zip(results, kinds, strict=True)
        )
        self._body.append(f"{typed}{' = ' if typed else ''}{name}({', '.join(inputs)})")
        return results

    def _fresh(self) -> str:
        self._count += 1
        return f"%v{self._count}"

    def _value(self, value: Any, kind: str = "") -> str:
        """The name of a tensor, a constant or a list of these, as an argument of type `kind`."""
        if isinstance(value, Tensor):
            if id(value) not in self._names:
                self._names[id(value)] = f"%t{len(self._tensors)}"
                self._tensors.append(value)
            return self._names[id(value)]
        if isinstance(value, list | tuple):
            member = kind.removeprefix("Optional[").removeprefix("List[").rstrip("]")
            members = [self._value(each, member) for each in value]
            return self._constant(f"{member}[]", f"prim::ListConstruct({', '.join(members)})")
        if isinstance(value, torch.dtype | torch.memory_format | torch.layout) and value in NUMBERS:
            value = NUMBERS[value]
        if kind in ("float", "Optional[float]") and type(value) is int:
            value = float(value)
        if isinstance(value, bool) and ("number" in kind or "Tensor" in kind):
            value = int(value)
        key = (type(value), value, math.copysign(1.0, value) if value == 0 else 0.0)
        if key not in self._names:
            self._names[key] = self._constant(*_constant(value))
        return self._names[key]

    def _constant(self, kind: str, text: str) -> str:
        name = self._fresh()
        self._constants.append(f"{name} : {kind} = {text}")
        return name


def _constant(value: object) -> tuple[str, str]:
    """(type, expression) of a constant in the text of a program."""
    if value is None:
        return "NoneType", "prim::Constant()"
    if isinstance(value, bool | int):
        kind = type(value).__name__
        return kind, f"prim::Constant[value={int(value)}]()"
    smallest = sys.float_info.min  # the reader of the text knows no smaller one
    if isinstance(value, float) and (value == 0 or smallest <= abs(value) < math.inf):
        return "float", f"prim::Constant[value={value!r}]()"
    if isinstance(value, str) and value.isidentifier():
        return "str", f'prim::Constant[value="{value}"]()'
    if isinstance(value, torch.Generator):
        raise CannotBeWritten("it draws from a random generator of its own")
    raise CannotBeWritten(f"an operation has the argument {value!r}")
