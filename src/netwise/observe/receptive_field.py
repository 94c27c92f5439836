"""Receptive fields: how much of an image one number of a feature map depends on, tracked through
the code of any module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode


@dataclass(frozen=True)
class Field:
    """The receptive field of a map's first number along one side, in pixels of the input.

    Args:
        low, high: first and last pixel; below 0 or beyond the side where there is padding.
        jump: pixels from the field of one number to that of the next.
    """

    low: int = 0
    high: int = 0
    jump: int = 1

    @property
    def size(self) -> int:
        return self.high - self.low + 1

    def after_window(self, kernel: int, stride: int, padding: int, dilation: int = 1) -> Field:
        """After a convolution or pooling: r' = r + (k - 1) j, j' = j s, of field r, jump j,
        kernel k and stride s.

        Source: Dumoulin, Visin 2016, arXiv 1603.07285.
        """
        low = self.low - padding * self.jump
        return Field(
            low,
            low + self.high - self.low + (kernel - 1) * dilation * self.jump,
            self.jump * stride,
        )

    def union(self, other: Field) -> Field:
        """After two maps are added or concatenated."""
        return Field(
            min(self.low, other.low), max(self.high, other.high), max(self.jump, other.jump)
        )


Fields = tuple[Field, Field] | None  # along height and width; None: all of the image
WHOLE = "whole"
ATTRIBUTE = "netwise_fields"  # of tensors, with their `Fields`


class FieldTracking(TorchFunctionMode):
    """While it is active, each map computed from images of `mark_input` carries its fields, in
    `ATTRIBUTE`."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        sources = [each for each in _tensors(args) if hasattr(each, ATTRIBUTE)]
        if sources:
            fields = _after(getattr(function, "__name__", ""), sources, args, kwargs)
            for each in _tensors((result,)):
                setattr(each, ATTRIBUTE, fields if each.dim() == 4 else None)
        return result


def mark_input(images: Tensor) -> Tensor:
    """Mark `images` (samples, channels, height, width) as those whose pixels fields refer to."""
    if images.dim() == 4:
        setattr(images, ATTRIBUTE, (Field(), Field()))
    return images


def field_size(map_: Tensor) -> tuple[int, int] | str | None:
    """(height, width) of a map's field; "whole" where it is all of the image, None where it is not
    known."""
    fields: Fields | str = getattr(map_, ATTRIBUTE, WHOLE)
    if isinstance(fields, str):
        return None
    return WHOLE if fields is None else (fields[0].size, fields[1].size)


def _tensors(values: tuple[Any, ...]) -> list[Tensor]:
    """All tensors in nested tuples and lists."""
    tensors: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            tensors.append(value)
        elif isinstance(value, tuple | list):
            tensors += _tensors(tuple(value))
    return tensors


def _pair(value: Any) -> tuple[int, int]:
    return (
        (int(value[0]), int(value[-1]))
        if isinstance(value, tuple | list)
        else (int(value), int(value))
    )


def _after(
    name: str, sources: list[Tensor], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Fields:
    """The fields of what a function of torch computes from `sources`."""
    known: list[Fields] = [getattr(source, ATTRIBUTE) for source in sources]
    if any(fields is None for fields in known):
        return None
    rows, columns = known[0]  # type: ignore[misc]
    for fields in known[1:]:
        rows, columns = rows.union(fields[0]), columns.union(fields[1])  # type: ignore[index]
    if name == "conv2d":
        return _after_window(rows, columns, *_convolution(_named(CONV2D, args, kwargs)))
    if "pool2d" in name:
        if "adaptive" in name:
            return _after_adaptive_pooling(rows, columns, sources[0], args, kwargs)
        return _after_window(rows, columns, *_pooling(_named(POOL2D, args, kwargs)))
    if name == "pad":
        sides = args[1] if len(args) > 1 else kwargs["pad"]
        left, top = int(sides[0]), int(sides[2]) if len(sides) > 2 else 0
        return (rows.after_window(1, 1, top), columns.after_window(1, 1, left))
    if name == "__getitem__":
        return _sliced(rows, columns, args[1])
    if name in ("mean", "sum", "amax", "flatten", "linear", "matmul"):
        return None
    return (rows, columns)


# Names of the positional arguments.
CONV2D = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
POOL2D = ("input", "kernel_size", "stride", "padding")
Pair = tuple[int, int]  # along height and width


def _named(names: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    return dict(zip(names, args, strict=False)) | kwargs


def _convolution(given: dict[str, Any]) -> tuple[Pair, Pair, Pair, Pair]:
    """Kernel, stride, padding and dilation of a call of `conv2d`."""
    kernel = _pair(tuple(given["weight"].shape[2:]))
    stride, dilation = _pair(given.get("stride", 1)), _pair(given.get("dilation", 1))
    padding = given.get("padding", 0)
    if padding == "same":
        padding = tuple((k - 1) * d // 2 for k, d in zip(kernel, dilation, strict=True))
    elif isinstance(padding, str):
        padding = 0
    return kernel, stride, _pair(padding), dilation


def _pooling(given: dict[str, Any]) -> tuple[Pair, Pair, Pair, Pair]:
    """Kernel, stride, padding and dilation of a call of a pooling function."""
    kernel = _pair(given["kernel_size"])
    stride = kernel if given.get("stride") in (None, [], ()) else _pair(given["stride"])
    return kernel, stride, _pair(given.get("padding") or 0), (1, 1)


def _after_window(
    rows: Field, columns: Field, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> Fields:
    return (
        rows.after_window(kernel[0], stride[0], padding[0], dilation[0]),
        columns.after_window(kernel[1], stride[1], padding[1], dilation[1]),
    )


def _after_adaptive_pooling(
    rows: Field, columns: Field, source: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Fields:
    size = _pair(args[1] if len(args) > 1 else kwargs["output_size"])
    shape = tuple(source.shape[2:])
    if any(n % s for n, s in zip(shape, size, strict=True)):
        return None if 1 in size else (rows, columns)  # windows of unequal sizes
    steps = tuple(n // s for n, s in zip(shape, size, strict=True))
    return (rows.after_window(steps[0], steps[0], 0), columns.after_window(steps[1], steps[1], 0))


def _sliced(rows: Field, columns: Field, index: Any) -> Fields:
    """After slices with strides over the last two axes, as `MaxPool2` takes them."""
    picks = index if isinstance(index, tuple) else (index,)
    last = [pick for pick in picks if isinstance(pick, slice)][-2:]
    if len(last) < 2 or (Ellipsis not in picks and len(picks) < 4):
        return (rows, columns)
    return (_strided(rows, last[0]), _strided(columns, last[1]))


def _strided(field: Field, pick: slice) -> Field:
    offset = (pick.start or 0) * field.jump
    return Field(field.low + offset, field.high + offset, field.jump * (pick.step or 1))
