"""The encoder of numbers: arrays of a fixed shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from netwise.data.columns.number_column import centre_and_scale
from netwise.data.precision import lossy_features
from netwise.data.raw_inputs import RawInput
from netwise.errors import DataError


def tensor_of(array: np.ndarray, dtype: torch.dtype | None = None) -> Tensor:
    """The array as a tensor; copied only where its memory is read-only (a mapped file), which torch
    has no tensors for."""
    return torch.as_tensor(np.require(array, requirements="W"), dtype=dtype)


@dataclass(frozen=True)
class ArrayEncoder:
    """Numbers of a fixed shape, divided by a constant (255 for bytes of an image).

    Args:
        shape: of a sample.
        divisor: of all numbers.
        missing: NaN is allowed, and filled by a preprocessing step of the recipe.
        centre: subtracted in float64 from each number of a sample, where some are too close to each
            other for float32; empty: nothing is.
    """

    shape: tuple[int, ...]
    divisor: float = 1.0
    missing: bool = False
    centre: tuple[float, ...] = ()

    def encode(self, raw: Any) -> Tensor:
        return self.computed(self.numbers(raw))

    def raw_inputs(self) -> tuple[RawInput, ...]:
        return (RawInput("input", self.shape, torch.float64 if self.centre else torch.float32),)

    def computed(self, numbers: Sequence[Tensor]) -> Tensor:
        x = numbers[0]
        if self.centre:
            x = (x - x.new_tensor(self.centre).reshape(self.shape)).float()
        return x / self.divisor

    def numbers(self, raw: Any) -> tuple[Tensor, ...]:
        try:
            kind = np.float64 if self.centre else np.float32
            x = tensor_of(np.asarray(raw, dtype=kind))
        except (TypeError, ValueError) as error:
            raise DataError(
                f"the inputs are no array of numbers: {error}. Pass numbers of shape "
                f"{self._shape_text()}"
            ) from None
        size = math.prod(self.shape)
        if tuple(x.shape) == self.shape or (x.dim() == 1 and x.numel() == size):
            x = x[None]  # one sample
        if x.dim() < 1 or (len(x) and x[0].numel() != size):
            raise DataError(
                f"the inputs have shape {tuple(x.shape)}, and the network takes "
                f"{self._shape_text()}: reshape them"
            )
        if not (torch.isfinite(x) | (torch.isnan(x) & self.missing)).all():
            raise DataError(
                f"{int((~torch.isfinite(x)).sum())} of the inputs are not finite numbers: remove "
                "or replace them"
            )
        return (x.reshape(-1, *self.shape),)

    def words(self, raw: Any) -> dict[str, np.ndarray]:
        return {}

    def raw(self, x: Tensor) -> np.ndarray:
        inputs: np.ndarray = (x * self.divisor).numpy()
        return inputs

    def _shape_text(self) -> str:
        return f"(samples, {', '.join(map(str, self.shape))})"

    def plain(self) -> dict[str, Any]:
        return {
            "kind": "array",
            "shape": list(self.shape),
            "divisor": self.divisor,
            "missing": self.missing,
            **({"centre": list(self.centre)} if self.centre else {}),
        }


def fit_arrays(values: Tensor, rows: np.ndarray, missing: bool) -> ArrayEncoder:
    """The encoder of arrays of numbers.

    Args:
        values: (samples, ...), all parts; float64 only where float32 loses differences between
            samples, as `keeping_differences` gives them.
        rows: of the training part, whose mean is subtracted from such features.
        missing: see `ArrayEncoder`.
    """
    shape = tuple(values.shape[1:])
    if values.dtype != torch.float64:
        return ArrayEncoder(shape, missing=missing)
    exact = values.numpy().reshape(len(values), -1)
    centres = np.zeros(exact.shape[1])
    for place in np.flatnonzero(lossy_features(exact)):
        known = exact[rows, place]
        known = known[np.isfinite(known)]
        centres[place] = centre_and_scale(known, f"input {place}")[0]
    return ArrayEncoder(shape, missing=missing, centre=tuple(map(float, centres)))


def takes_any_numbers(encoder: object) -> bool:
    """Whether an encoder gives numbers as they are, so that encoded inputs are raw ones too."""
    return isinstance(encoder, ArrayEncoder) and encoder.divisor == 1 and not encoder.centre
