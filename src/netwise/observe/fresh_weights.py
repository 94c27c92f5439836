"""Whether weights look as a layer of torch initializes them: numbers that are spread evenly between
two limits. Training and normal initializations leave tails. Rows of an embedding, which torch draws
from a normal distribution, are noise where they have no direction in common."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from netwise.observe.readable import readable
from netwise.observe.weight_samples import sample_of

CENTRED = 0.15  # largest mean over the root mean square
# Of a table of random numbers. The largest singular value of noise is above the edge by a few parts
# in a hundred where the shorter axis has at least so many places.
NORMAL, SURE = 3.0, 4.0  # kurtosis; standard errors
NEAR_NOISE, FEWEST_AXES = 1.06, 6
MOST_ROWS = 2048  # that are read
FEWEST = 512  # numbers: in fewer, many distributions look even
# Of even numbers: E(x^4) / E(x^2)^2 is 1.8, of normal ones 3. The standard error of 1024 is 0.036.
KURTOSIS, NEAR = 1.8, 0.15
# Largest over root mean square: the root of 3 within 0.025, and 3.2 for 1024 normal numbers.
EDGE, NEAR_EDGE = 3**0.5, 0.1
# Of the largest of 64 even numbers: it is below 0.9 of their limit once in 850 draws.
FEWEST_OF_LAYER, AT_LIMIT = 64, 0.9


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


def looks_drawn(table: Tensor) -> bool:
    """Whether the rows of a table cannot be told from independent random numbers: no direction has
    more of them than noise has.

    Vectors that were learned share directions, as related words do, and places or classes that are
    written as numbers have other values than random ones.

    Args:
        table: rows of vectors; one of fewer than `FEWEST` numbers is not.

    Example:
        >>> import torch
        >>> noise, few = torch.randn(200, 16), torch.randn(200, 2) @ torch.randn(2, 16)
        >>> looks_drawn(noise), looks_drawn(few + noise)
        (True, False)
    """
    values = readable(table)
    if values is None or values.dim() != 2 or values.numel() < FEWEST:
        return False
    step = -(-len(values) // MOST_ROWS)
    rows = values[::step].detach().double().cpu()
    rows = rows[(rows != 0).any(1)]  # that of the padding is 0
    if rows.numel() < FEWEST or min(rows.shape) < FEWEST_AXES:
        return False
    spread = float(rows.std())
    if not spread > 0:
        return False
    rows = rows / spread
    kurtosis, error = float((rows**4).mean()), (24 / rows.numel()) ** 0.5
    if min(abs(kurtosis - KURTOSIS), abs(kurtosis - NORMAL)) > SURE * error:
        return False
    least, most = sorted(rows.shape)
    edge = most**0.5 + least**0.5  # of the largest singular value of noise
    largest = float(torch.linalg.matrix_norm(rows, 2))
    return bool(largest < NEAR_NOISE * edge)


def drawn_by_torch(module: nn.Module) -> bool:
    """Whether all larger matrices of a module's linear and convolutional layers are as torch draws
    them: within 1 / sqrt(inputs of a unit), and up to that. Training leaves this range.

    Args:
        module: with at least one such layer of `FEWEST_OF_LAYER` numbers; others are not.

    Example:
        >>> import torch
        >>> layer = torch.nn.Linear(10, 8)
        >>> before, _ = drawn_by_torch(layer), layer.weight.data.mul_(2)
        >>> before, drawn_by_torch(layer)
        (True, False)
    """
    layers = [m for m in module.modules() if isinstance(m, nn.Linear | nn.modules.conv._ConvNd)]
    # A parametrised weight (spectral norm) is computed anew, with new buffers, by reading it.
    stored = [layer._parameters.get("weight") for layer in layers]
    known = [readable(weight) for weight in stored if weight is not None]
    matrices = [m for m in known if m is not None and m.numel() >= FEWEST_OF_LAYER]
    shares = [float(m.abs().max()) * m[0].numel() ** 0.5 for m in matrices]
    return bool(shares) and all(AT_LIMIT < share <= 1 + 1e-4 for share in shares)
