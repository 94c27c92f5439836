"""Numbers that float32 cannot tell apart, such as 1.7e9 and 1.7e9 + 50."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

# Of a feature's range: the largest rounding error that is no loss. Random numbers around 0 lose
# less than a hundredth of it.
LOSS = 1e-5


def keeping_differences(values: Any) -> Tensor:
    """Numbers (samples, ...) as float32, or as float64 where float32 loses differences between
    samples in some feature.

    Example:
        >>> import numpy as np
        >>> from netwise.data.precision import keeping_differences
        >>> keeping_differences(np.array([0.1, 0.2])).dtype
        torch.float32
        >>> keeping_differences(np.array([1.7e9, 1.7e9 + 50])).dtype
        torch.float64

    Raises:
        TypeError, ValueError: they are no numbers.
    """
    array = np.require(np.asarray(values), requirements="W")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    wide = array.dtype.kind in "iuf" and array.dtype.itemsize > 2 and array.dtype != np.float32
    if wide and len(array) and lossy_features(array).any():
        return torch.as_tensor(array.astype(np.float64))
    return torch.as_tensor(array, dtype=torch.float32)


def lossy_features(values: np.ndarray) -> np.ndarray:
    """Whether float32 loses differences between the samples, for each feature: bool with the
    shape of a sample. Features with a gap or an infinite value answer by their other samples."""
    with np.errstate(over="ignore", invalid="ignore"):
        exact = values.astype(np.float64)
        errors = np.abs(exact - exact.astype(np.float32))
        known = np.isfinite(exact)
        errors = np.where(known, errors, 0).max(axis=0)
        low = np.where(known, exact, np.inf).min(axis=0)
        high = np.where(known, exact, -np.inf).max(axis=0)
        lossy: np.ndarray = (errors > LOSS * (high - low)) & (high > low)
    return lossy
