"""Receptive fields: how much of an image one number of a map depends on, followed through any
module's own code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode


@dataclass(frozen=True)
class Field:
    """What the first number of a map sees along one side, in pixels of the input.

    Args:
        low, high: first and last pixel; below 0 and beyond the side where there is padding.
        jump: pixels from one number's field to the next one's.
    """

    low: int = 0
    high: int = 0
    jump: int = 1

    @property
    def size(self) -> int:
        return self.high - self.low + 1

    def slid(self, kernel: int, stride: int, padding: int, dilation: int = 1) -> Field:
        """After a window that slides over the map: r' = r + (k - 1) j, j' = j s (note 001, claim
        Y02)."""
        low = self.low - padding * self.jump
        return Field(
            low,
            low + self.high - self.low + (kernel - 1) * dilation * self.jump,
            self.jump * stride,
        )

    def joined(self, other: Field) -> Field:
        """Of a sum or a row of two maps."""
        return Field(
            min(self.low, other.low), max(self.high, other.high), max(self.jump, other.jump)
        )


Fields = tuple[Field, Field] | None  # along height and width; None: the whole image
WHOLE = "whole"


class Following(TorchFunctionMode):
    """While it is on, every map that is computed from `start`'s images carries its fields along."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        sources = [each for each in _tensors(args) if hasattr(each, "netwise_fields")]
        if sources:
            fields = _after(getattr(function, "__name__", ""), sources, args, kwargs)
            for each in _tensors((result,)):
                each.netwise_fields = fields if each.dim() == 4 else None  # type: ignore[attr-defined]
        return result


def start(images: Tensor) -> Tensor:
    """Mark `images` (samples, channels, height, width) as what fields are counted in."""
    if images.dim() == 4:
        images.netwise_fields = (Field(), Field())  # type: ignore[attr-defined]
    return images


def size_of(map_: Tensor) -> tuple[int, int] | str | None:
    """(height, width) of a map's field, "whole" where it sees all of the image, None where nothing
    is known."""
    fields: Fields | str = getattr(map_, "netwise_fields", WHOLE)
    if isinstance(fields, str):
        return None
    return WHOLE if fields is None else (fields[0].size, fields[1].size)


def _tensors(values: tuple[Any, ...]) -> list[Tensor]:
    found: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, tuple | list):
            found += _tensors(tuple(value))
    return found


def _pair(value: Any) -> tuple[int, int]:
    return (
        (int(value[0]), int(value[-1]))
        if isinstance(value, tuple | list)
        else (int(value), int(value))
    )


def _after(
    name: str, sources: list[Tensor], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Fields:
    known: list[Fields] = [each.netwise_fields for each in sources]  # type: ignore[attr-defined]
    if any(fields is None for fields in known):
        return None
    rows, columns = known[0]  # type: ignore[misc]
    for fields in known[1:]:
        rows, columns = rows.joined(fields[0]), columns.joined(fields[1])  # type: ignore[index]
    if name == "conv2d":
        given = (
            dict(
                zip(
                    ("input", "weight", "bias", "stride", "padding", "dilation", "groups"),
                    args,
                    strict=False,
                )
            )
            | kwargs
        )
        kernel = tuple(given["weight"].shape[2:])
        stride, dilation = _pair(given.get("stride", 1)), _pair(given.get("dilation", 1))
        padding = given.get("padding", 0)
        if isinstance(padding, str):
            padding = (
                tuple((k - 1) * d // 2 for k, d in zip(kernel, dilation, strict=True))
                if padding == "same"
                else 0
            )
        around = _pair(padding)
        return (
            rows.slid(kernel[0], stride[0], around[0], dilation[0]),
            columns.slid(kernel[1], stride[1], around[1], dilation[1]),
        )
    if "pool2d" in name:
        if "adaptive" in name:
            size = _pair(args[1] if len(args) > 1 else kwargs["output_size"])
            shape = tuple(sources[0].shape[2:])
            if any(n % s for n, s in zip(shape, size, strict=True)):
                return None if 1 in size else (rows, columns)
            steps = tuple(n // s for n, s in zip(shape, size, strict=True))
            return (rows.slid(steps[0], steps[0], 0), columns.slid(steps[1], steps[1], 0))
        given = (
            dict(zip(("input", "kernel_size", "stride", "padding"), args, strict=False)) | kwargs
        )
        kernel2 = _pair(given["kernel_size"])
        stride2 = kernel2 if given.get("stride") in (None, [], ()) else _pair(given["stride"])
        around = _pair(given.get("padding") or 0)
        return (
            rows.slid(kernel2[0], stride2[0], around[0]),
            columns.slid(kernel2[1], stride2[1], around[1]),
        )
    if name == "pad":
        sides = args[1] if len(args) > 1 else kwargs["pad"]
        left, top = int(sides[0]), int(sides[2]) if len(sides) > 2 else 0
        return (rows.slid(1, 1, top), columns.slid(1, 1, left))
    if name == "__getitem__":
        return _sliced(rows, columns, args[1])
    if name in ("mean", "sum", "amax", "flatten", "linear", "matmul"):
        return None
    return (rows, columns)


def _sliced(rows: Field, columns: Field, index: Any) -> Fields:
    """Strided slices over the last two axes, as `MaxPool2` takes them."""
    picks = index if isinstance(index, tuple) else (index,)
    last = [each for each in picks if isinstance(each, slice)][-2:]
    if len(last) < 2 or (Ellipsis not in picks and len(picks) < 4):
        return (rows, columns)
    found = []
    for field, pick in zip((rows, columns), last, strict=True):
        begin, step = pick.start or 0, pick.step or 1
        found.append(
            Field(
                field.low + begin * field.jump, field.high + begin * field.jump, field.jump * step
            )
        )
    return (found[0], found[1])
