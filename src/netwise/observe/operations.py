"""The operations of a forward pass with copies of their results, to compare two passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from netwise.observe.nested import tensors_in
from netwise.observe.program_place import program_place

_MOST_BYTES = 400_000_000  # of values that are kept


@dataclass
class Operation:
    """One operation of a forward pass.

    Args:
        name: of the function of torch, such as "softmax".
        layer, kind: name and class of the innermost module that runs.
        line: of the program, such as "train.py:14"; "" for that of the caller.
        args, kwargs: of the function.
        inputs: its floating-point tensors, as they were before it.
        output: the first floating-point tensor of its result.
        alone: whether the module takes one sequence without an axis of samples.
    """

    name: str
    layer: str
    kind: str
    line: str
    args: Any
    kwargs: Any
    inputs: list[Tensor]
    output: Tensor
    alone: bool


@dataclass
class _Trace(TorchFunctionMode):
    """The operations of one forward pass with copies of their results."""

    running: list[tuple[str, str, bool]]
    caller: str  # of the module: a line that is in none of its forward passes
    operations: list[Operation] = field(default_factory=list)
    bytes: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        inputs = [_kept(t) for t in tensors_in(args) if t.is_floating_point()]
        result = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if name == "__get__" or self.bytes > _MOST_BYTES:
            return result
        output = next((t for t in tensors_in(result) if t.is_floating_point() and t.dim()), None)
        if output is not None:
            self.bytes += 2 * output.numel() * output.element_size()
            line = program_place()
            line = "" if line == self.caller else line
            layer, kind, alone = self.running[-1]
            self.operations.append(
                Operation(
                    name, layer, kind, line, args, kwargs or {}, inputs,
                    output.detach().clone(), alone,
                )
            )  # fmt: skip
        return result


def _kept(tensor: Tensor) -> Tensor:
    """A value before the operation, which may change it; weights are not changed."""
    return tensor.detach() if isinstance(tensor, nn.Parameter) else tensor.detach().clone()


def traced(
    module: nn.Module, call: Callable[[Any, Any], object], inputs: tuple[Any, Any]
) -> list[Operation]:
    """The operations of one forward pass, in their order.

    Args:
        module: the copy that `call` calls.
        call: runs the forward pass.
        inputs: positional and keyword arguments.
    """
    running = [("", "", _is_alone(inputs))]  # the module itself
    handles = []
    for name, part in module.named_modules():
        if name:
            handles += [
                part.register_forward_pre_hook(_enter(running, name)),
                part.register_forward_hook(_leave(running), always_call=True),
            ]
    trace = _Trace(running, program_place())
    try:
        with trace:
            call(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    return trace.operations


def is_whole(operations: Sequence[Operation]) -> bool:
    """Whether a trace has all operations of its pass: one of too many values ends early."""
    kept = sum(each.output.numel() * each.output.element_size() for each in operations)
    return 2 * kept <= _MOST_BYTES


def _enter(running: list[tuple[str, str, bool]], name: str) -> Callable[..., None]:
    def enter(module: nn.Module, args: Any) -> None:
        running.append((name, type(module).__name__, _is_alone(args)))

    return enter


def _is_alone(args: Any) -> bool:
    first = next(tensors_in(args), None)
    return first is not None and (first.dim() < 3 or 1 in first.shape[:2])


def _leave(running: list[tuple[str, str, bool]]) -> Callable[..., None]:
    def leave(module: nn.Module, args: Any, output: Any) -> None:
        running.pop()

    return leave
