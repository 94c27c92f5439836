"""The operations of one computation, recorded with the memory that they read and write.

While a computation runs, `Recording` sees each operation of torch below autograd, with its tensors.
All of these tensors are kept, so `replay` can do the same operations again in the same memory: the
variants of torch's own kernels that write into given tensors (`out=`). No graph is built, and
nothing is compiled. Views need no operation: they show memory that is written again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

# Their variants with `out=` give other memory to what they write into, and torch warns of that.
MOVE_THEIR_RESULT = {"mse_loss", "huber_loss", "smooth_l1_loss"}
# Computed as before and copied, where no kernel writes into given memory: that is cheap for these
# and for what works on single numbers; elsewhere nothing would be gained.
CHEAP_TO_COPY = {"sum", "mean", "binary_cross_entropy_with_logits", *MOVE_THEIR_RESULT}
# Never changed: what they make does not count as written.
FILLED_ONCE = {"ones_like", "zeros_like", "empty_like"}
# They change statistics that they get as inputs, which their signature does not tell.
CHANGES_INPUTS = ("batch_norm", "batchnorm")


class Recording(TorchDispatchMode):
    """Records while it is entered. An operation that cannot be repeated ends the recording, and the
    computation goes on.

    Attributes:
        calls: that `replay` makes, in their order.
        reason: which operation cannot be repeated, and why; "" where all can be.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[Callable[[], object]] = []
        self.reason = ""
        self._kept: list[object] = []  # memory must not be given to other tensors
        self._written: set[int] = set()  # storages that a call writes again at each replay

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        result = func(*args, **named)
        if not self.reason:
            self._kept.append((args, named, result))
            call = self._call(func, args, named, result)
            if call is not None:
                self.calls.append(call)
        return result

    def _call(
        self, func: Any, args: tuple[Any, ...], named: dict[str, Any], result: Any
    ) -> Callable[[], object] | None:
        """What does the operation again; None: nothing has to be done, or nothing can be."""
        name, results = func.overloadpacket.__name__, _tensors(result)
        for tag, reason in REASONS.items():
            if tag in func.tags:
                return self._end(f"{name} {reason}")
        if any(word in name for word in CHANGES_INPUTS):
            return self._end(f"{name} changes running statistics")
        inputs = {_storage(each) for each in _tensors([*args, *named.values()])}
        if func._schema.is_mutable:
            if not {_storage(each) for each in results} <= self._written:
                return self._end(f"{name} changes what the step did not compute, as a buffer")
            return partial(_quick(func), *args, **named)
        if results and all(_storage(each) in inputs for each in results):
            return None  # a view
        if not inputs:
            return self._end(f"{name} makes numbers of nothing")
        if name in FILLED_ONCE:
            return None
        variant, outputs = _writing_variant(func)
        # torch derives some variants from the kernel without `out=`: they compute, and copy
        writes = variant is not None and torch.Tag.generated not in variant.tags
        if not writes and torch.Tag.pointwise not in func.tags and name not in CHEAP_TO_COPY:
            return self._end(f"{name} has no kernel that writes into given memory")
        self._written |= {_storage(each) for each in results}
        if not writes or name in MOVE_THEIR_RESULT:
            return partial(_compute_and_copy, partial(_quick(func), *args, **named), results)
        targets = dict(zip(outputs, results, strict=True))
        return partial(_quick(variant), *args, **named, **targets)

    def _end(self, reason: str) -> Callable[[], object] | None:
        self.reason = reason
        self.calls.clear()
        self._kept.clear()
        return None

    def copy_at_end(self, target: Tensor, source: Tensor) -> None:
        """Also copy one tensor into another at each replay."""
        self._kept.append((target, source))
        self.calls.append(partial(target.copy_, source))

    def replay(self) -> None:
        """Do all operations again. Tensors that were computed get their new values in place."""
        with torch.no_grad():
            for call in self.calls:
                call()


REASONS = {
    torch.Tag.nondeterministic_seeded: "draws random numbers",
    torch.Tag.data_dependent_output: "gives a number to Python, which may decide by it",
    torch.Tag.dynamic_output_shape: "has results whose shape depends on their values",
}


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
