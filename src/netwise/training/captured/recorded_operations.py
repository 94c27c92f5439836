"""The operations of one computation, recorded with the memory that they read and write.

While a computation runs, `Recording` sees each operation of torch below autograd, with its tensors.
All of these tensors are kept, so `replay` can do the same operations again in the same memory: the
variants of torch's own kernels that write into given tensors (`out=`). No graph is built, and
nothing is compiled. Views need no operation: they show memory that is written again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

# Their variants with `out=` give other memory to what they write into, and torch warns of that.
MOVE_THEIR_RESULT = {"mse_loss", "huber_loss", "smooth_l1_loss"}
# Computed as before and copied, where no kernel writes into given memory: that is cheap for these
# and for what works on single numbers; elsewhere for few numbers, or nothing would be gained.
CHEAP_TO_COPY = {"sum", "mean", "binary_cross_entropy_with_logits", *MOVE_THEIR_RESULT}
CHEAP_TO_COPY |= {"convolution", "convolution_backward"}  # the kernel takes far longer
FEW = 16_384  # numbers
MOST_BYTES = 256 * 2**20  # kept from step to step; the plain step frees them
# They make the same numbers each time, which are kept, and put back where a step changes them.
CONSTANT = {"zeros", "ones", "full", "arange", "scalar_tensor", "eye"}
CONSTANT |= {"ones_like", "zeros_like", "new_zeros", "new_ones", "new_full"}
# Memory without numbers: what is written into it is the result of the operation that writes.
EMPTY = {"empty_like", "empty", "empty_strided", "new_empty", "new_empty_strided"}
# They change statistics that they get as inputs, which their signature does not tell.
STATISTICS = ("running_mean", "running_var")


@dataclass(frozen=True, eq=False)
class RecordedOperation:
    """One operation, to be done again in the same memory.

    Args:
        again: does it.
        name: of torch, such as "aten::addmm".
        arguments: in the order of its signature, with tensors that it writes into.
        signature: (name, type) of each argument.
        results: types of what it returns.
        copied_to: its results are copied into these, None for a result that is none; empty where
            it writes itself.
        optional: it was recorded inside of `Recording.optional`.
    """

    again: Callable[[], object]
    name: str
    arguments: tuple[Any, ...]
    signature: tuple[tuple[str, str], ...]
    results: tuple[str, ...]
    copied_to: tuple[Tensor | None, ...] = ()
    optional: bool = False


class Recording(TorchDispatchMode):
    """Records while it is entered. An operation that cannot be repeated ends the recording, and the
    computation goes on.

    Args:
        state: tensors from outside that the computation may change, such as running statistics.

    Attributes:
        operations: that `replay` does, in their order.
        reason: which operation cannot be repeated, and why; "" where all can be.
        draws: random numbers are drawn from torch's generator.
        not_optional: why the optional operations cannot be repeated; "" where they can.
    """

    def __init__(self, state: Iterable[Tensor] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations: list[RecordedOperation] = []
        self.reason, self.not_optional, self.draws = "", "", False
        self._optional = False
        self._kept: list[object] = []  # memory must not be given to other tensors
        # Storages that an operation writes again at each replay, and those of the state.
        self._written = {_storage(each) for each in state}
        self._empty: set[int] = set()
        self._bytes = 0
        # By storage: the operation before which a constant was made, it, and its numbers.
        self._constants: dict[int, tuple[int, Tensor, Tensor]] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Else torch imports its compiler at the first operation, to mark it as not compiled."""
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        result = func(*args, **named)
        left_out = self.reason or (self._optional and self.not_optional)
        if not left_out and func.namespace != "profiler":
            self._kept.append((args, named, result))
            operation = self._operation(func, args, named, result)
            if operation is not None:
                self.operations.append(replace(operation, optional=self._optional))
        return result

    @contextmanager
    def optional(self) -> Iterator[None]:
        """What is recorded inside is done again in some rounds only. It changes nothing that other
        operations read; an operation of it that cannot be repeated ends this part alone."""
        self._optional = True
        try:
            yield
        finally:
            self._optional = False

    def _operation(
        self, func: Any, args: tuple[Any, ...], named: dict[str, Any], result: Any
    ) -> RecordedOperation | None:
        """What does the operation again; None: nothing has to be done, or nothing can be."""
        name, results = func.overloadpacket.__name__, _tensors(result)
        if func.namespace != "aten":
            return self._end(f"{func.namespace}::{name} is no operation of torch itself")
        for tag, reason in REASONS.items():
            if tag in func.tags:
                return self._end(f"{name} {reason}")
        self.draws = self.draws or torch.Tag.nondeterministic_seeded in func.tags
        inputs = {_storage(each) for each in _tensors([*args, *named.values()])}
        made = {_storage(each) for each in results} - inputs
        self._bytes += sum(each.nbytes for each in results if _storage(each) in made)
        if self._bytes > MOST_BYTES:
            return self._end(f"a step would keep more than {MOST_BYTES // 2**20} MiB")
        if name in EMPTY:
            self._empty |= made
            return None
        if name in CONSTANT:
            for each in results:
                place = len(self.operations)
                self._constants[_storage(each)] = (place, each, each.clone())
            return None
        changed = {_storage(each) for each in _changed(func, args, named)}
        for storage in changed & self._constants.keys():
            self._put_back(storage)
        if not changed <= self._written | self._empty:
            return self._end(f"{name} changes what the step did not compute, as a buffer")
        if changed:
            self._written |= changed | made
            return _operation(func, args, named, result if made else None)
        if results and not made:
            return None  # a view
        if not inputs and torch.Tag.nondeterministic_seeded not in func.tags:
            return self._end(f"{name} makes numbers of nothing")
        variant, outputs = _writing_variant(func)
        # torch derives some variants from the kernel without `out=`: they compute, and copy
        writes = variant is not None and torch.Tag.generated not in variant.tags
        if name == "relu":  # torch computes it by this kernel, which writes into given memory
            variant, outputs, writes = torch.ops.aten.clamp_min.out, ["out"], True
            args = (*args, 0)
        few = sum(each.numel() for each in results) <= FEW
        pointwise = torch.Tag.pointwise in func.tags
        if not writes and not pointwise and not few and name not in CHEAP_TO_COPY:
            return self._end(f"{name} has no kernel that writes into given memory")
        self._written |= made
        if not writes or name in MOVE_THEIR_RESULT:
            return _operation(func, args, named, result)
        targets = dict(zip(outputs, results, strict=True))
        return _operation(variant, args, {**named, **targets})

    def _put_back(self, storage: int) -> None:
        """A constant is changed from here on: each replay begins with its numbers."""
        place, constant, numbers = self._constants.pop(storage)
        copy = _operation(torch.ops.aten.copy_.default, (constant, numbers), {})
        self.operations.insert(place, copy)
        self._kept.append(numbers)
        self._constants = {
            key: (start + (start >= place), tensor, kept)
            for key, (start, tensor, kept) in self._constants.items()
        }
        self._written.add(storage)

    def _end(self, reason: str) -> RecordedOperation | None:
        if self._optional:
            self.not_optional = reason
            return None
        self.reason = reason
        self.operations.clear()
        self._kept.clear()
        return None

    def copy_at_end(self, target: Tensor, source: Tensor) -> None:
        """Also copy one tensor into another at each replay."""
        self._kept.append((target, source))
        copy = torch.ops.aten.copy_.default
        self.operations.append(_operation(copy, (target, source), {}))

    def replay(self) -> None:
        """Do all operations again. Tensors that were computed get their new values in place."""
        with torch.no_grad():
            for operation in self.operations:
                operation.again()


REASONS = {
    torch.Tag.data_dependent_output: "gives a number to Python, which may decide by it",
    torch.Tag.inplace_view: "changes the shape of a tensor in place",
    torch.Tag.dynamic_output_shape: "has results whose shape depends on their values",
}


def _operation(
    func: Any, args: tuple[Any, ...], named: dict[str, Any], copied: Any = None
) -> RecordedOperation:
    """An operation whose results are copied into those of its first time, where these are given."""
    again: Callable[[], object] = partial(_quick(func), *args, **named)
    if copied is not None:
        again = partial(_compute_and_copy, again, _tensors(copied))
    signature = func._schema.arguments
    return RecordedOperation(
        again,
        func._schema.name,
        tuple(
            args[i] if i < len(args) else named.get(each.name, each.default_value)
            for i, each in enumerate(signature)
        ),
        tuple((each.name, str(each.type)) for each in signature),
        tuple(str(each.type) for each in func._schema.returns),
        () if copied is None else tuple(copied) if isinstance(copied, list | tuple) else (copied,),
    )


def _changed(func: Any, args: tuple[Any, ...], named: dict[str, Any]) -> list[Tensor]:
    """The tensors among the arguments that an operation changes."""
    hidden = STATISTICS if "batch_norm" in func.overloadpacket.__name__ else ()
    hidden = () if "backward" in func.overloadpacket.__name__ else hidden
    changed = []
    for i, each in enumerate(func._schema.arguments):
        if (each.alias_info is not None and each.alias_info.is_write) or each.name in hidden:
            changed += _tensors(args[i] if i < len(args) else named.get(each.name))
    return changed


def _writing_variant(func: Any) -> tuple[Any, list[str]]:
    """The overload that takes the same arguments and its results, with the names of these."""
    packet = func.overloadpacket
    wanted = [(each.name, str(each.type)) for each in func._schema.arguments]
    for name in packet.overloads():
        variant = getattr(packet, name)
        arguments = variant._schema.arguments
        outputs = [each.name for each in arguments if each.is_out]
        taken = [(each.name, str(each.type)) for each in arguments if not each.is_out]
        if outputs and taken == wanted and len(outputs) == len(func._schema.returns):
            return variant, outputs
    return None, []


def _compute_and_copy(compute: Callable[[], object], targets: list[Tensor]) -> None:
    for target, found in zip(targets, _tensors(compute()), strict=True):
        target.copy_(found)


def _quick(operation: Any) -> Callable[..., object]:
    """The operation without the Python around it, where this version of torch has it there."""
    quick: Callable[..., object] = getattr(operation, "_op", operation)
    return quick


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, list | tuple):
        return [tensor for each in value for tensor in _tensors(each)]
    return []


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)
