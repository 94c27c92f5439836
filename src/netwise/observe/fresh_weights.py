"""Whether weights look as a layer of torch initializes them: numbers that are spread evenly between
two limits. Training and normal initializations leave tails."""

from __future__ import annotations

from torch import Tensor

from netwise.observe.readable import readable
from netwise.observe.weight_samples import sample_of

CENTRED = 0.15  # largest mean over the root mean square
FEWEST = 512  # numbers: in fewer, many distributions look even
# Of even numbers: E(x^4) / E(x^2)^2 is 1.8, of normal ones 3. The standard error of 1024 is 0.036.
KURTOSIS, NEAR = 1.8, 0.15
# Largest over root mean square: the root of 3 within 0.025, and 3.2 for 1024 normal numbers.
EDGE, NEAR_EDGE = 3**0.5, 0.1


def looks_fresh(weights: Tensor) -> bool:
    """Whether the numbers of a matrix are spread evenly around 0.

    Args:
        weights: any tensor; one of fewer than `FEWEST` numbers is not.

    Example:
        >>> import torch
        >>> looks_fresh(torch.nn.Linear(64, 64).weight), looks_fresh(torch.zeros(64, 64))
        (True, False)
    """
    values = readable(weights)
    sample = None if values is None else sample_of([("", values)])
    if sample is None or len(sample.numbers) < FEWEST:
        return False
    numbers = sample.numbers
    square = float((numbers**2).mean())
    if not square > 0 or abs(float(numbers.mean())) > CENTRED * square**0.5:
        return False
    kurtosis = float((numbers**4).mean()) / square**2
    edge = float(abs(numbers).max()) / square**0.5
    return abs(kurtosis - KURTOSIS) < NEAR and abs(edge - EDGE) < NEAR_EDGE
