"""What a sample of a data set in Python is: its inputs and its target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from netwise.errors import DataError, UnknownName, short_repr

USUAL_TARGETS = ("label", "labels", "target", "y")


@dataclass(frozen=True)
class SampleForm:
    """Where the inputs and the target of a sample are.

    Args:
        inputs: names of the inputs of a sample that is a mapping; none: all but the target.
        target: name of its target; "": one of `USUAL_TARGETS`, where it has one.
    """

    inputs: tuple[str, ...] = ()
    target: str = ""

    def parts(self, sample: Any) -> tuple[Any, Any]:
        """(inputs, target) of a sample, or of a batch of them; the target is None where there is
        none. Several inputs come as a list.

        Example:
            >>> from netwise.data.streams.sample_form import SampleForm
            >>> SampleForm().parts({"size": 2.0, "age": 3.0, "label": "old"})
            ([2.0, 3.0], 'old')
            >>> SampleForm().parts(([1.0, 2.0], 0))
            ([1.0, 2.0], 0)
        """
        if isinstance(sample, Mapping):
            return self._of_mapping(sample)
        if isinstance(sample, tuple) or (isinstance(sample, list) and _holds_arrays(sample)):
            if len(sample) == 1:
                return sample[0], None
            if len(sample) != 2:
                raise DataError(
                    f"a sample is a {type(sample).__name__} of {len(sample)} values: give each as "
                    "(inputs, target), or as a mapping of names"
                )
            return sample[0], sample[1]
        return sample, None

    def _of_mapping(self, sample: Mapping[str, Any]) -> tuple[Any, Any]:
        names = [str(name) for name in sample]
        target = self.target or next((each for each in USUAL_TARGETS if each in names), "")
        for name in (*self.inputs, target):
            if name and name not in names:
                raise UnknownName("value of a sample", name, names)
        inputs = self.inputs or tuple(name for name in names if name != target)
        if not inputs:
            raise DataError(
                f"a sample has no value besides its target {short_repr(target)}: add some"
            )
        values = [sample[name] for name in inputs]
        return values[0] if len(values) == 1 else values, sample[target] if target else None


def _holds_arrays(values: Sequence[Any]) -> bool:
    """Whether a list is one of inputs and target, as `default_collate` gives it, and no row of
    numbers."""
    return any(hasattr(each, "shape") or isinstance(each, list | tuple) for each in values)


def one_row(inputs: Any) -> Tensor:
    """The inputs of one sample as a float32 tensor."""
    if isinstance(inputs, list) and _holds_arrays(inputs):
        return torch.cat([_numbers(each).reshape(-1) for each in inputs])
    return _numbers(inputs)


def many_rows(inputs: Any) -> Tensor:
    """The inputs of a batch as a float32 tensor (samples, ...)."""
    if isinstance(inputs, list) and _holds_arrays(inputs):
        # torch's default_collate makes of lists of numbers a list of columns.
        tall = [torch.stack(each, 1) if isinstance(each, list) else each for each in inputs]
        arrays = [_numbers(each) for each in tall]
        return torch.cat([each.reshape(len(each), -1) for each in arrays], 1)
    return _numbers(inputs)


def _numbers(value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach().to("cpu", torch.float32)
    if hasattr(value, "getbands"):  # a picture of Pillow
        pixels = np.asarray(value.convert("L" if value.mode in ("1", "L", "I;16") else "RGB"))
        pixels = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        return torch.from_numpy(pixels.astype(np.float32) / 255)
    try:
        return torch.from_numpy(np.array(value, np.float32))
    except (TypeError, ValueError):
        raise DataError(
            f"the inputs of a sample are {short_repr(value)}, and a network takes numbers: give "
            "tensors, arrays or pictures, or name the columns of numbers by columns=(...)"
        ) from None


def targets_array(targets: Sequence[Any]) -> np.ndarray | None:
    """The targets of several samples as an array (samples, ...); None where they have none."""
    if len(targets) and targets[0] is None:
        return None
    return np.array([np.asarray(each) if hasattr(each, "shape") else each for each in targets])


def batch_targets(targets: Any) -> np.ndarray | None:
    """The targets of a batch as an array (samples, ...); None where it has none."""
    if targets is None:
        return None
    if isinstance(targets, Tensor):
        array: np.ndarray = targets.detach().cpu().numpy()
        return array
    return np.asarray(targets)


def require_finite(x: Tensor, rows: Sequence[int], missing: bool) -> None:
    """Refuse inputs that are no finite numbers.

    Args:
        x: of these rows.
        rows: their numbers in the source.
        missing: gaps (NaN) are allowed.
    """
    if bool(torch.isfinite(x.sum())):
        return
    fine = torch.isfinite(x) | (torch.isnan(x) & missing)
    bad = (~fine.flatten(1).all(1)).nonzero().flatten().tolist()
    if bad:
        raise DataError(
            f"sample {rows[bad[0]]} has inputs that are not finite numbers: remove it or replace "
            "them, or pass allow_missing=True for gaps (NaN) that FillMissing fills"
        )
