"""Samples that are not in memory as floats: they become floats where and when they are used.

The rows may be bytes of pictures, lie in a file that is mapped into memory, or come from a data set
that reads them one by one. A network needs the floats of one batch at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from netwise.data.preparation import Preparation, marked
from netwise.memory import require_memory

Step = Callable[[Tensor], Tensor]
aten = torch.ops.aten


class RowStore(Protocol):
    """Where the rows are. A tensor is one."""

    @property
    def device(self) -> torch.device:
        """Where `index_select` gives them."""

    def __len__(self) -> int:
        """How many there are."""

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        """The rows with these numbers, `dim` is 0."""


class LazyRows(Tensor):
    """Samples as a tensor of float32 numbers (samples, ...) that are read when they are asked for.

    Slices, pieces and rows of it are `LazyRows` of the same store. All other operations get floats:
    `index_select` those of the rows that it is asked for, arithmetic those of all samples, which is
    refused where they do not fit in memory.

    Args:
        store: has the rows, as they are before `decoded`.
        rows: of the store, in order; None: all.
        steps: functions of floats (samples, ...), each of a sample by itself, applied in order.
        device: where the floats are wanted.

    Example:
        >>> from netwise.data.lazy_rows import LazyRows
        >>> store = torch.arange(12, dtype=torch.uint8).reshape(4, 3)
        >>> x = LazyRows.of(store)
        >>> type(x[1:]).__name__, x.index_select(0, torch.tensor([3]))
        ('LazyRows', tensor([[ 9., 10., 11.]]))
        >>> x.then(lambda x: x.unflatten(1, (1, 3))).shape
        torch.Size([4, 1, 3])
    """

    owner: ClassVar[str] = "data"  # what errors call the data
    piece: ClassVar[int] = 2**18  # numbers that are made floats at once, where all are looked at
    store: RowStore
    rows: Tensor | None
    steps: tuple[Step, ...]
    example: Tensor  # the first row of the store as floats; empty where there is none
    preparation: Preparation | None  # how they were prepared, where they are marked so
    known_moments: dict[tuple[tuple[int, ...], bool], tuple[Tensor, Tensor, int]]

    @classmethod
    def of(
        cls,
        store: RowStore,
        rows: Tensor | None = None,
        steps: tuple[Step, ...] = (),
        device: torch.device | None = None,
        preparation: Preparation | None = None,
        example: Tensor | None = None,
    ) -> Self:
        """Samples of this store; see the class. The first row is read where `example` is None."""
        if example is None:
            first = torch.arange(min(1, len(store)), device=store.device)
            example = cls.decoded(store.index_select(0, first))
            for step in steps:
                example = step(example)
        count = len(store) if rows is None else len(rows)
        self: Self = Tensor._make_wrapper_subclass(
            cls, (count, *example.shape[1:]), dtype=torch.float32, device=device or store.device
        )
        self.store, self.rows, self.steps, self.example = store, rows, steps, example
        self.preparation, self.known_moments = preparation, {}
        return self

    @staticmethod
    def decoded(stored: Tensor) -> Tensor:
        """Rows of the store as floats (samples, ...)."""
        return stored.float()

    def _but(self, **changes: Any) -> Self:
        kept = ("store", "rows", "steps", "device", "preparation", "example")
        return self.of(**{name: getattr(self, name) for name in kept} | changes)

    def without_mark(self) -> Self:
        """The same, not marked as prepared: training takes plain floats."""
        return self._but(preparation=None)

    def then(self, step: Step) -> Self:
        """The same after one more function, which is applied when floats are asked for."""
        return self._but(steps=(*self.steps, step), preparation=None, example=step(self.example))

    def at(self, rows: Tensor) -> Self:
        """The samples with these numbers, still in the store."""
        rows = rows.to(self.store.device)
        return self._but(rows=rows if self.rows is None else self.rows.index_select(0, rows))

    def marked_floats(self) -> Tensor:
        """All samples as floats, marked as prepared where these are."""
        x = self.floats()
        return x if self.preparation is None else marked(x, self.preparation)

    def floats(self) -> Tensor:
        """All samples as plain floats.

        Raises:
            WrongValue: they do not fit in memory.
        """
        what = f"samples of shape {tuple(self.shape[1:])} are floats that need"
        require_memory(4 * self.numel(), self.owner, "samples", len(self), what)
        if self.numel() <= self.piece:
            return self._gathered(self.numbers())
        whole = torch.empty(self.shape, dtype=torch.float32, device=self.device)
        start = 0
        for piece in self.pieces():
            whole[start : start + len(piece)] = piece
            start += len(piece)
        return whole

    def pieces(self) -> Iterator[Tensor]:
        """All samples as floats, some at a time."""
        size = max(1, self.piece // max(1, math.prod(self.shape[1:])))
        for rows in self.numbers().split(size):
            yield self._gathered(rows)

    def numbers(self) -> Tensor:
        """Of the rows in the store."""
        if self.rows is not None:
            return self.rows
        return torch.arange(len(self.store), device=self.store.device)

    def _gathered(self, rows: Tensor) -> Tensor:
        stored = self.store.index_select(0, rows)
        if not self.steps:
            return self.decoded(sent(stored, self.device))
        x = self.decoded(stored)
        for step in self.steps:  # where the store is: what a step was fitted to is there, too
            x = step(x)
        return sent(x, self.device)

    def to(self, device: Any, *args: Any, **kwargs: Any) -> Tensor:  # type: ignore[override]
        """The same on another device: the bytes too, where they fit there twice and no step has to
        be applied to them."""
        if not isinstance(device, str | torch.device):
            return self.floats().to(device, *args, **kwargs)
        place = torch.device(device)
        if place.type == "meta":
            return torch.empty(self.shape, dtype=self.dtype, device=place)
        store, rows = self.store, self.rows
        if isinstance(store, Tensor) and not self.steps:
            store = _moved(store, place)
        rows = None if rows is None else rows.to(store.device)
        return self._but(store=store, rows=rows, device=place)

    def cpu(self, *args: Any, **kwargs: Any) -> Tensor:
        return self.to("cpu")

    def numpy(self, *args: Any, **kwargs: Any) -> Any:
        return self.floats().numpy()

    def tolist(self) -> Any:
        return self.floats().tolist()

    # ---- statistics of all samples, which need no more than a piece at a time

    def mean(self, dim: Any = None, keepdim: bool = False, **kwargs: Any) -> Tensor:
        return self._moments(dim, keepdim)[0].float()

    def std(  # type: ignore[override]
        self, dim: Any = None, unbiased: bool = True, keepdim: bool = False, **kwargs: Any
    ) -> Tensor:
        mean, square, count = self._moments(dim, keepdim)
        return (
            (square.sub(mean.square()).clamp_min(0) * count / max(1, count - unbiased))
            .sqrt()
            .float()
        )

    def amin(self, dim: Any = (), keepdim: bool = False) -> Tensor:
        return self._extreme(torch.amin, dim, keepdim)

    def amax(self, dim: Any = (), keepdim: bool = False) -> Tensor:
        return self._extreme(torch.amax, dim, keepdim)

    def _moments(self, dim: Any, keepdim: bool) -> tuple[Tensor, Tensor, int]:
        """Mean, mean square and number of values over these axes. They are kept: who asks for the
        mean asks for the deviation too."""
        dims = tuple(range(self.dim())) if dim is None else (dim,) if isinstance(dim, int) else dim
        dims = tuple(axis % self.dim() for axis in dims)
        if (dims, keepdim) not in self.known_moments:
            self.known_moments[dims, keepdim] = self.moments_over(dims, keepdim)
        return self.known_moments[dims, keepdim]

    def moments_over(self, dims: tuple[int, ...], keepdim: bool) -> tuple[Tensor, Tensor, int]:
        """Mean, mean square and number of values over these axes, by a pass over all samples."""
        if 0 not in dims:
            x = self.floats().double()
            total, square = x.sum(dims, keepdim), x.square().sum(dims, keepdim)
        else:
            zeros = self.example[:0].double().sum(dims, keepdim)
            total, square = zeros.clone(), zeros.clone()
            for piece in self.pieces():  # added in place: a list of sums would scatter the memory
                exact = piece.double()
                total += exact.sum(dims, keepdim)
                square += exact.square_().sum(dims, keepdim)
        count = math.prod(self.shape[axis] for axis in dims)
        return total / count, square / count, count

    def _extreme(self, of: Callable[..., Tensor], dim: Any, keepdim: bool) -> Tensor:
        dims = tuple(range(self.dim())) if dim == () else (dim,) if isinstance(dim, int) else dim
        if 0 not in dims:
            return of(self.floats(), dims, keepdim)
        pieces = self.pieces()
        found = of(next(pieces), dims, keepdim)
        for piece in pieces:
            found = of(torch.stack([found, of(piece, dims, keepdim)]), 0)
        return found

    # ---- how torch's functions see it

    def __repr__(self, **kwargs: Any) -> str:  # type: ignore[override]
        return f"{type(self).__name__}(shape={tuple(self.shape)}, device={str(self.device)!r})"

    def __deepcopy__(self, memo: object) -> Self:
        return self  # nothing changes it

    def __reduce_ex__(self, protocol: Any) -> Any:
        if isinstance(self.store, Tensor):
            return self.floats().__reduce_ex__(protocol)
        kept = (self.store, self.rows, self.steps, self.device, self.preparation, self.example)
        return type(self).of, kept

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        lazy = _LAZY.get(func)
        if lazy is not None:
            is_lazy = isinstance(args[0], LazyRows) or func is aten.cat.default
            answer = lazy(*args, **(kwargs or {})) if is_lazy else None
            if answer is not None:
                return answer
        return func(*tree_map(_as_floats, args), **tree_map(_as_floats, kwargs or {}))


def of_each_sample(step: Step, x: Tensor) -> Tensor:
    """The result of a function that changes each sample by itself: at once, or for `LazyRows` when
    their floats are asked for."""
    return x.then(step) if isinstance(x, LazyRows) else step(x)


def pieces_of(x: Tensor) -> Iterator[Tensor]:
    """All samples as floats: those of `LazyRows` some at a time."""
    yield from x.pieces() if isinstance(x, LazyRows) else (x,)


def are_lazy(x: Tensor) -> bool:
    """Whether these inputs are not in memory as floats: they may not fit."""
    return isinstance(x, LazyRows)


def sent(rows: Tensor, device: torch.device) -> Tensor:
    """Rows on a device. For a CUDA device they are copied from pinned memory, which the host does
    not wait for."""
    if device.type == "cuda" and rows.device.type == "cpu":
        return rows.pin_memory().to(device, non_blocking=True)
    return rows.to(device)


def on_device(x: Tensor, device: torch.device, free: float | None = None) -> Tensor:
    """Inputs for a device. Where they do not fit there twice, they stay where they are, and batches
    are sent when they are asked for.

    Args:
        x: inputs (samples, ...).
        device: that computes.
        free: bytes of its memory. Default: as many as it says.
    """
    if are_lazy(x) or x.dtype != torch.float32 or x.device.type == device.type:
        return x.to(device)
    fits = 2 * x.nbytes < (free_memory(device) if free is None else free)
    return x.to(device) if fits else LazyRows.of(x, device=device)


def free_memory(device: torch.device) -> float:
    """Bytes that are free on a CUDA device; of others it is not asked."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else math.inf


def _moved(store: Tensor, place: torch.device) -> Tensor:
    """The store on another device, where it fits there twice."""
    if place.type == "cuda" and store.device.type != "cuda":
        return store.to(place) if 2 * store.nbytes < free_memory(place) else store
    return store.to(place) if place.type == "cpu" else store


def _as_floats(value: Any) -> Any:
    return value.floats() if isinstance(value, LazyRows) else value


# ---- operations that stay lazy: each gives None where it is no operation on samples


def _slice(
    x: LazyRows, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> LazyRows | None:
    if dim:
        return None
    return x.at(torch.arange(len(x), device=x.store.device)[start:end:step])


def _split(x: LazyRows, size: int, dim: int = 0) -> list[LazyRows] | None:
    if dim:
        return None
    rows = torch.arange(len(x), device=x.store.device)
    return [x.at(piece) for piece in rows.split(size)]


def _index(x: LazyRows, indices: Sequence[Tensor | None]) -> LazyRows | None:
    first = indices[0]
    if len(indices) != 1 or first is None or first.dim() != 1:
        return None
    return x.at(first.nonzero().flatten() if first.dtype == torch.bool else _positive(first, x))


def _positive(rows: Tensor, x: LazyRows) -> Tensor:
    return torch.where(rows < 0, rows + len(x), rows)


def _select(x: LazyRows, dim: int, index: int) -> Tensor | None:
    if dim:
        return None
    return x.at(torch.tensor([index % max(1, len(x))])).marked_floats()[0]


def _index_select(x: LazyRows, dim: int, rows: Tensor) -> Tensor | None:
    return None if dim else x.at(rows).marked_floats()


def _cat(tensors: Sequence[Tensor], dim: int = 0) -> LazyRows | None:
    first = tensors[0]
    if dim or not isinstance(first, LazyRows):
        return None
    for x in tensors:
        if not isinstance(x, LazyRows) or (x.store is not first.store or x.steps != first.steps):
            return None
    return first._but(rows=torch.cat([x.numbers() for x in tensors]))  # type: ignore[attr-defined]


def _same(x: LazyRows) -> LazyRows:
    return x._but()  # torch refuses a view that is its own base


_LAZY: dict[Any, Callable[..., Any]] = {
    aten.slice.Tensor: _slice,
    aten.split.Tensor: _split,
    aten.cat.default: _cat,
    aten.index.Tensor: _index,
    aten.select.int: _select,
    aten.index_select.default: _index_select,
    aten.detach.default: _same,
    aten.alias.default: _same,
}
