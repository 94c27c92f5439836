"""A bounded store of batches that a program has trained and evaluated on.

Facts of the data and short trials need inputs with their targets. The observer gives the arguments
of watched passes here, and afterwards the target of their loss. What is kept are copies on the CPU
without graphs, so the program's tensors are neither held nor changed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from netwise.observe.nested import DEEPEST, tensors_in
from netwise.observe.row_fingerprints import fingerprints
from netwise.observe.tensor_samples import plain

LIMIT = 16 * 1024 * 1024  # bytes of one store
OF_TRAINING, OF_EVALUATION, OF_KNOWN = 0.55, 0.25, 0.2  # its parts
LARGEST = 0.1  # part of a store that the inputs of one batch may fill, and its target as well
MOST_BATCHES = 512  # of each part, so that tiny batches cost little
RECOGNISED_BY = 8  # rows of an evaluated batch whose fingerprints show that it was kept before
PLAIN = (int, float, complex, str, bytes, type(None), torch.dtype, torch.device, torch.Size)


@dataclasses.dataclass(frozen=True, eq=False)
class KeptBatch:
    """Arguments of one pass of a module, and the target that its outputs were compared with.

    Args:
        args, kwargs: of the module; all tensors are copies on the CPU without a graph.
        target: of the loss; None where it is not known.
        operation: of the loss, a name of `netwise.wiring.LOSS_OPERATIONS`; "" where not known.
        reduction: of the loss: "mean", "sum", "none" or "".
        ignore_index: the class number that the loss leaves out; None without one.
        weighted: whether the loss multiplies its elements by numbers of their own.
        step: optimizer steps that were done before it.
        training: whether it was a pass of training.
        on_training_rows: an evaluated batch whose rows are known from training.
        rows: samples that the pass had; more than are kept where the batch was large.
        block: number of the block without gradients that an evaluated batch is from.
        number: of the pass without gradients, in the order of evaluation.

    Example:
        >>> import torch
        >>> KeptBatch((torch.zeros(4, 2),), {}, rows=4).inputs[0].shape
        torch.Size([4, 2])
    """

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    target: Tensor | None = None
    operation: str = ""
    reduction: str = ""
    ignore_index: int | None = None
    weighted: bool = False
    step: int = 0
    training: bool = True
    on_training_rows: bool = False
    rows: int = 0
    block: int = 0
    number: int = 0

    @property
    def inputs(self) -> list[Tensor]:
        """All tensors among the arguments."""
        return list(tensors_in((self.args, self.kwargs)))

    @property
    def bytes(self) -> int:
        """Of all its tensors."""
        own = sum(_bytes(tensor) for tensor in self.inputs)
        return own + (0 if self.target is None else _bytes(self.target))


class KeptBatches:
    """Batches of one module, spread over the watched steps, in bounded memory.

    A pass of training waits for its loss: `training_pass`, then `loss_read`. Where a part of the
    store is full, every second batch of it is dropped and only every second one added from then on;
    no random numbers are drawn. Of batches that are evaluated again and again one copy is kept.

    Args:
        limit: bytes of the store; the least that is not cut off is one row of a batch.

    Example:
        >>> import torch
        >>> kept = KeptBatches()
        >>> kept.training_pass((torch.ones(4, 2),), {}, step=0)
        >>> kept.loss_read(torch.zeros(4).long(), "cross entropy", "mean", None)
        >>> [batch.target.shape for batch in kept.training]
        [torch.Size([4])]
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._largest = max(1, int(limit * LARGEST))
        self._training = _Part(int(limit * OF_TRAINING))
        self._evaluation = _Part(int(limit * OF_EVALUATION))
        self._known = _Part(int(limit * OF_KNOWN))
        self._waiting: list[KeptBatch] = []  # training passes whose loss was not read yet
        self._passes = 0  # without gradients
        self._evaluated: KeptBatch | None = None  # whose loss was not computed yet
        self._seen: set[int] = set()  # fingerprints of the evaluated batches that were kept

    @property
    def training(self) -> tuple[KeptBatch, ...]:
        """Batches of training, oldest first."""
        return tuple(self._training.batches)

    @property
    def evaluation(self) -> tuple[KeptBatch, ...]:
        """Batches of passes without gradients, oldest first."""
        last = [] if self._evaluated is None else [self._evaluated]
        batches = [*self._evaluation.batches, *self._known.batches, *last]
        return tuple(sorted(batches, key=lambda batch: batch.number))

    def training_pass(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], step: int) -> None:
        """A pass with gradients has ended.

        Args:
            args, kwargs: of the module.
            step: optimizer steps that were done.
        """
        batch = self._copied(args, kwargs, step) if self._training.takes_next() else None
        if batch is not None:
            self._waiting = [*self._waiting[-3:], batch]

    def loss_read(
        self,
        target: Tensor | None,
        operation: str,
        reduction: str,
        ignore_index: int | None,
        weighted: bool = False,
    ) -> None:
        """The loss of the last pass was read. Of several passes that wait for one loss it is not
        known which has this target.

        Args:
            target, operation, reduction, ignore_index, weighted: as in `KeptBatch`.
        """
        waiting, self._waiting = self._waiting, []
        if len(waiting) == 1:
            batch = waiting[0]
            self._training.add(
                dataclasses.replace(
                    batch,
                    target=_target_of(batch, target, self._largest),
                    operation=operation,
                    reduction=reduction,
                    ignore_index=ignore_index,
                    weighted=weighted,
                )
            )
        else:
            for batch in waiting:
                self._training.add(batch)

    def forget_waiting(self) -> None:
        """Do not keep passes whose loss was not read."""
        self._waiting = []

    def evaluation_pass(
        self,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        step: int,
        on_training_rows: bool = False,
        block: int = 0,
    ) -> None:
        """A pass without gradients has ended.

        Args:
            args, kwargs: of the module.
            step: optimizer steps that were done.
            on_training_rows: its rows are known from training.
            block: number of the block without gradients.
        """
        self.end_evaluation()
        self._passes += 1
        part = self._known if on_training_rows else self._evaluation
        if part.is_full:
            return
        inputs = list(tensors_in((args, kwargs)))
        first = [t[:RECOGNISED_BY] for t in inputs if t.dim() and t.layout is torch.strided]
        key = hash(tuple(fingerprints(first, RECOGNISED_BY)))
        if key in self._seen:
            return
        self._seen.add(key)
        batch = self._copied(args, kwargs, step)
        if batch is not None:
            self._evaluated = dataclasses.replace(
                batch,
                training=False,
                on_training_rows=on_training_rows,
                block=block,
                number=self._passes,
            )

    def evaluation_loss(
        self, target: Tensor, operation: str, reduction: str = "", ignore_index: int | None = None
    ) -> None:
        """A loss or a score of the last pass without gradients was computed; of several the first
        one counts."""
        batch = self._evaluated
        if batch is not None:
            self._evaluated = dataclasses.replace(
                batch,
                target=_target_of(batch, target, self._largest),
                operation=operation,
                reduction=reduction,
                ignore_index=ignore_index,
            )
            self.end_evaluation()

    @property
    def waits_for_target(self) -> bool:
        """Whether a kept batch of evaluation has no target yet."""
        return self._evaluated is not None

    def end_evaluation(self) -> None:
        """Keep the last evaluated batch, also without a target."""
        batch, self._evaluated = self._evaluated, None
        if batch is not None:
            (self._known if batch.on_training_rows else self._evaluation).add(batch)

    def _copied(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], step: int
    ) -> KeptBatch | None:
        """Copies of the arguments, of large batches the first rows; None where they hold what
        cannot be copied, or are too large."""
        inputs = list(tensors_in((args, kwargs)))
        if not inputs or any(plain(tensor) is None for tensor in inputs):
            return None
        size, rows = sum(map(_bytes, inputs)), _rows(inputs)
        most: int | None = None
        if size > self._largest:
            most = self._largest * rows // size
            if not most:
                return None
        try:
            copied = _mapped((args, dict(kwargs)), lambda t: _copy(t, most), DEEPEST)
        except TypeError:
            return None
        return KeptBatch(copied[0], copied[1], step=step, rows=rows)


class _Part:
    """Batches of one kind, no more bytes than `limit`."""

    def __init__(self, limit: int) -> None:
        self.batches: list[KeptBatch] = []
        self._limit, self._bytes = limit, 0
        self._distance, self._count = 1, 0

    @property
    def is_full(self) -> bool:
        """Whether something would have to be dropped for another batch."""
        largest = max((batch.bytes for batch in self.batches), default=0)
        return self._bytes + largest > self._limit or len(self.batches) >= MOST_BATCHES

    def takes_next(self) -> bool:
        """Count a batch; whether it is one of those that are kept."""
        self._count += 1
        return (self._count - 1) % self._distance == 0

    def add(self, batch: KeptBatch) -> None:
        self.batches.append(batch)
        self._bytes += batch.bytes
        while self._bytes > self._limit or len(self.batches) > MOST_BATCHES:
            self.batches = self.batches[::2] if len(self.batches) > 1 else []
            self._bytes = sum(each.bytes for each in self.batches)
            self._distance *= 2


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _rows(tensors: list[Tensor]) -> int:
    """Samples of a batch: the size of the first axis, where all tensors agree; else 0."""
    sizes = {len(tensor) for tensor in tensors if tensor.dim()}
    return sizes.pop() if len(sizes) == 1 and all(t.dim() for t in tensors) else 0


def _copy(tensor: Tensor, most_rows: int | None = None) -> Tensor:
    values = plain(tensor)
    assert values is not None
    # Copies of tensors made in inference mode are ordinary ones.
    with torch._C.DisableTorchFunction(), torch.inference_mode(False):
        if most_rows is not None:
            values = values[:most_rows]
        return values.clone() if values.device.type == "cpu" else values.cpu()


def _target_of(batch: KeptBatch, target: Tensor | None, largest: int) -> Tensor | None:
    """A copy of the same rows of the target of a batch; None where they are not known."""
    values = None if target is None else plain(target)
    if values is None:
        return None
    kept = _rows(batch.inputs)
    if batch.rows and kept != batch.rows:
        if not values.dim() or len(values) != batch.rows:
            return None
        with torch._C.DisableTorchFunction():
            values = values[:kept]
    return None if _bytes(values) > largest else _copy(values)


def _mapped(value: Any, function: Callable[[Tensor], Tensor], deepest: int) -> Any:
    """`value` with all tensors replaced. Raises TypeError for objects that cannot be copied."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, PLAIN):
        return value
    if not deepest:
        raise TypeError("containers are nested too deep")
    if isinstance(value, tuple | list):
        parts = [_mapped(part, function, deepest - 1) for part in value]
        if isinstance(value, list):
            return parts
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if isinstance(value, Mapping):
        return {key: _mapped(part, function, deepest - 1) for key, part in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.init}
        parts_of = {key: _mapped(part, function, deepest - 1) for key, part in fields.items()}
        return type(value)(**parts_of)
    raise TypeError(f"no copy of a {type(value).__name__}")
