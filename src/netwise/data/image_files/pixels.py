"""Pictures in memory: bytes that become floats where and when they are used.

A picture of 224 x 224 in colour has 150 kB as bytes and 600 kB as floats; 50,000 of them have 7.5
and 30 GB. A network needs the floats of one batch at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from netwise.data.preparation import Preparation, marked
from netwise.memory import require_memory

Step = Callable[[Tensor], Tensor]
PIECE = 2**24  # numbers that are made floats at once, where all are looked at
aten = torch.ops.aten


class Pixels(Tensor):
    """Pictures as a tensor of float32 numbers from 0 to 1, (samples, channels, height, width), of
    which only bytes are in memory.

    Slices, pieces and rows of it are `Pixels` of the same memory. All other operations get floats:
    `index_select` those of the rows that it is asked for, arithmetic those of all samples, which is
    refused where they do not fit in memory.

    Args:
        store: uint8 (samples, height, width, channels), maybe mapped from a file.
        rows: of the store, in order; None: all.
        steps: functions of floats (samples, ...), each of a sample by itself, applied in order.
        device: where the floats are wanted.

    Example:
        >>> store = torch.arange(48, dtype=torch.uint8).reshape(4, 2, 2, 3)
        >>> x = Pixels.of(store)
        >>> x.shape, type(x[1:]).__name__, type(x.index_select(0, torch.tensor([3]))).__name__
        (torch.Size([4, 3, 2, 2]), 'Pixels', 'Tensor')
        >>> torch.equal(x * 255, store.permute(0, 3, 1, 2).float())
        True
        >>> x.then(lambda x: x.flatten(1)).shape
        torch.Size([4, 12])
    """

    store: Tensor
    rows: Tensor | None
    steps: tuple[Step, ...]
    preparation: Preparation | None  # how they were prepared, where they are marked so

    @classmethod
    def of(
        cls,
        store: Tensor,
        rows: Tensor | None = None,
        steps: tuple[Step, ...] = (),
        device: torch.device | None = None,
        preparation: Preparation | None = None,
    ) -> Self:
        """Pictures of this store; see the class."""
        count = len(store) if rows is None else len(rows)
        shape = _floats(store[:1], steps).shape[1:]
        self: Self = Tensor._make_wrapper_subclass(
            cls, (count, *shape), dtype=torch.float32, device=device or store.device
        )
        self.store, self.rows, self.steps, self.preparation = store, rows, steps, preparation
        return self

    def without_mark(self) -> Pixels:
        """The same, not marked as prepared: training takes plain floats."""
        return Pixels.of(self.store, self.rows, self.steps, self.device)

    def then(self, step: Step) -> Pixels:
        """The same after one more function, which is applied when floats are asked for."""
        return Pixels.of(self.store, self.rows, (*self.steps, step), self.device)

    def at(self, rows: Tensor) -> Pixels:
        """The samples with these numbers, still as bytes."""
        rows = rows.to(self.store.device)
        chosen = rows if self.rows is None else self.rows.index_select(0, rows)
        return Pixels.of(self.store, chosen, self.steps, self.device, self.preparation)

    def marked_floats(self) -> Tensor:
        """All samples as floats, marked as prepared where these are."""
        x = self.floats()
        return x if self.preparation is None else marked(x, self.preparation)

    def floats(self) -> Tensor:
        """All samples as plain floats.

        Raises:
            WrongValue: they do not fit in memory.
        """
        what = f"pictures of shape {tuple(self.shape[1:])} are floats that need"
        require_memory(4 * self.numel(), "data.images", "samples", len(self), what)
        if self.numel() <= PIECE:
            return self._gathered(self.rows)
        whole = torch.empty(self.shape, dtype=torch.float32, device=self.device)
        start = 0
        for piece in self.pieces():
            whole[start : start + len(piece)] = piece
            start += len(piece)
        return whole

    def pieces(self) -> Iterator[Tensor]:
        """All samples as floats, some at a time."""
        size = max(1, PIECE // max(1, math.prod(self.shape[1:])))
        every = torch.arange(len(self.store), device=self.store.device)
        for rows in (every if self.rows is None else self.rows).split(size):
            yield self._gathered(rows)

    def _gathered(self, rows: Tensor | None) -> Tensor:
        chosen = self.store if rows is None else self.store.index_select(0, rows)
        return _floats(chosen.to(self.device), self.steps)

    def to(self, device: Any, *args: Any, **kwargs: Any) -> Tensor:  # type: ignore[override]
        """The same on another device: the bytes too, where they fit there twice."""
        if not isinstance(device, str | torch.device):
            return self.floats().to(device, *args, **kwargs)
        place = torch.device(device)
        if place.type == "meta":
            return torch.empty(self.shape, dtype=self.dtype, device=place)
        store, rows = self.store, self.rows
        if place.type == "cuda" and store.device.type != "cuda":
            free, _ = torch.cuda.mem_get_info(place)
            store = store.to(place) if 2 * store.numel() < free else store
        elif place.type == "cpu":
            store = store.to(place)
        rows = None if rows is None else rows.to(store.device)
        return Pixels.of(store, rows, self.steps, place, self.preparation)

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
        """Mean, mean square and number of values over these axes, the first of them 0."""
        dims = tuple(range(self.dim())) if dim is None else (dim,) if isinstance(dim, int) else dim
        if 0 not in dims:
            x = self.floats().double()
            total, square = x.sum(dims, keepdim), x.square().sum(dims, keepdim)
        else:
            sums = [
                (piece.double().sum(dims, keepdim), piece.double().square().sum(dims, keepdim))
                for piece in self.pieces()
            ]
            total, square = (torch.stack(each).sum(0) for each in zip(*sums, strict=True))
        count = math.prod(self.shape[axis] for axis in dims)
        return total / count, square / count, count

    def _extreme(self, of: Callable[..., Tensor], dim: Any, keepdim: bool) -> Tensor:
        dims = tuple(range(self.dim())) if dim == () else (dim,) if isinstance(dim, int) else dim
        if 0 not in dims:
            return of(self.floats(), dims, keepdim)
        return of(torch.stack([of(piece, dims, keepdim) for piece in self.pieces()]), 0)

    # ---- how torch's functions see it

    def __repr__(self, **kwargs: Any) -> str:  # type: ignore[override]
        return f"Pixels(shape={tuple(self.shape)}, device={str(self.device)!r})"

    def __deepcopy__(self, memo: object) -> Pixels:
        return self  # nothing changes it

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.floats().__reduce_ex__(protocol)

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
            is_pixels = isinstance(args[0], Pixels) or func is aten.cat.default
            answer = lazy(*args, **(kwargs or {})) if is_pixels else None
            if answer is not None:
                return answer
        return func(*tree_map(_as_floats, args), **tree_map(_as_floats, kwargs or {}))


def of_each_sample(step: Step, x: Tensor) -> Tensor:
    """The result of a function that changes each sample by itself: at once, or for `Pixels` when
    their floats are asked for."""
    return x.then(step) if isinstance(x, Pixels) else step(x)


def are_bytes(x: Tensor) -> bool:
    """Whether only bytes of these inputs are in memory: their floats may not fit."""
    return isinstance(x, Pixels)


def _as_floats(value: Any) -> Any:
    return value.floats() if isinstance(value, Pixels) else value


def _floats(store: Tensor, steps: Sequence[Step]) -> Tensor:
    """Bytes (samples, height, width, channels) as floats (samples, ...) after these steps."""
    x = store.permute(0, 3, 1, 2).contiguous().float().div_(255.0)
    for step in steps:
        x = step(x)
    return x


# ---- operations that stay lazy: each gives None where it is no operation on samples


def _slice(
    x: Pixels, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Pixels | None:
    if dim:
        return None
    return x.at(torch.arange(len(x), device=x.store.device)[start:end:step])


def _split(x: Pixels, size: int, dim: int = 0) -> list[Pixels] | None:
    if dim:
        return None
    rows = torch.arange(len(x), device=x.store.device)
    return [x.at(piece) for piece in rows.split(size)]


def _index(x: Pixels, indices: Sequence[Tensor | None]) -> Pixels | None:
    first = indices[0]
    if len(indices) != 1 or first is None or first.dim() != 1:
        return None
    return x.at(first.nonzero().flatten() if first.dtype == torch.bool else _positive(first, x))


def _positive(rows: Tensor, x: Pixels) -> Tensor:
    return torch.where(rows < 0, rows + len(x), rows)


def _select(x: Pixels, dim: int, index: int) -> Tensor | None:
    if dim:
        return None
    return x.at(torch.tensor([index % max(1, len(x))])).marked_floats()[0]


def _index_select(x: Pixels, dim: int, rows: Tensor) -> Tensor | None:
    return None if dim else x.at(rows).marked_floats()


def _cat(tensors: Sequence[Tensor], dim: int = 0) -> Pixels | None:
    first = tensors[0]
    if dim or not isinstance(first, Pixels):
        return None
    rows = []
    for x in tensors:
        if not isinstance(x, Pixels) or (x.store is not first.store or x.steps != first.steps):
            return None
        every = torch.arange(len(x.store), device=x.store.device)
        rows.append(every if x.rows is None else x.rows)
    return Pixels.of(first.store, torch.cat(rows), first.steps, first.device, first.preparation)


def _same(x: Pixels) -> Pixels:
    return x


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
