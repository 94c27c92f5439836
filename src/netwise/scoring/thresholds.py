"""Answers of a classifier by thresholds of probability, in the place of the likeliest class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from netwise.errors import UnknownName, WrongValue, short_repr

Threshold = float | Mapping[str, float]


def thresholds_of(threshold: Threshold, classes: Sequence[str]) -> dict[str, float]:
    """The threshold of each class that has one. A number alone is that of the second of two
    classes, which scikit-learn calls the positive one.

    Raises:
        WrongValue: it is not between 0 and 1, or it names no class and there are not two of them.
        UnknownName: there is no such class.

    >>> thresholds_of(0.3, ("no", "yes"))
    {'yes': 0.3}
    """
    if not isinstance(threshold, Mapping):
        if len(classes) != 2:
            reason = f"is for two classes, and there are {len(classes)}"
            write = f"{{{classes[-1]!r}: {threshold}}}"
            raise WrongValue.of("predict", "threshold", str(threshold), reason, write)
        threshold = {classes[1]: threshold}
    for name, value in threshold.items():
        if name not in classes:
            raise UnknownName("class", name, classes)
        if not 0 < value <= 1:
            reason = f"of {short_repr(name)} is no probability above 0 and at most 1"
            raise WrongValue.of("predict", "threshold", str(value), reason, "0.3")
    return dict(threshold)


def chosen_classes(
    probability: NDArray[np.floating], classes: Sequence[str], threshold: Threshold
) -> NDArray[np.int64]:
    """The class that each row of probabilities `(samples, classes)` is answered.

    A class with a threshold is the answer where its probability reaches it; of several, the one
    that exceeds its own by the largest factor. Else the likeliest class without a threshold is.

    Raises:
        WrongValue, UnknownName: see `thresholds_of`.

    >>> shares = np.array([[0.6, 0.4], [0.8, 0.2]])
    >>> chosen_classes(shares, ("no", "yes"), {"yes": 0.3})
    array([1, 0])
    """
    limits = np.full(len(classes), np.nan)
    for name, value in thresholds_of(threshold, classes).items():
        limits[list(classes).index(name)] = value
    excess = np.nan_to_num(probability / limits, nan=-1.0)
    reached = excess >= 1
    rest = np.where(np.isnan(limits), probability, -1.0) if np.isnan(limits).any() else excess
    chosen: NDArray[np.int64] = np.where(
        reached.any(1), np.where(reached, excess, -1.0).argmax(1), rest.argmax(1)
    )
    return chosen
