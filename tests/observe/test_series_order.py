"""Whether outputs see later numbers of a series, and whether these are their targets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.kept_batches import KeptBatch
from netwise.observe.series_order import later_in_series, series_as_targets

G = torch.Generator().manual_seed(0)
WINDOWS = torch.randn(15, 13, 3, generator=G).cumsum(1)
X, NEXT = WINDOWS[:, :-1], WINDOWS[:, 1:]
KERNEL = torch.randn(3, 3, 3, generator=G)
DENSE = torch.randn(12, 12, generator=G)
BOTH_WAYS = nn.GRU(3, 3, batch_first=True, bidirectional=True)
ONE_WAY = nn.GRU(3, 3, batch_first=True)
ATTENTION = nn.TransformerEncoderLayer(3, 1, 8, dropout=0.0, batch_first=True)
MASK = nn.Transformer.generate_square_subsequent_mask


def convolved(left: int, right: int) -> Callable[[Tensor], Tensor]:
    return lambda x: F.conv1d(F.pad(x.transpose(1, 2), (left, right)), KERNEL).transpose(1, 2)


@pytest.mark.parametrize(
    ("network", "sees"),
    [
        (convolved(1, 1), True),
        (convolved(2, 0), False),
        (lambda x: BOTH_WAYS(x)[0], True),
        (lambda x: ONE_WAY(x)[0], False),
        (lambda x: ATTENTION(x), True),
        (lambda x: ATTENTION(x, src_mask=MASK(x.shape[1])), False),
        (lambda x: (x.transpose(1, 2) @ DENSE).transpose(1, 2), False),  # places are features
        (lambda x: convolved(1, 1)(x)[:, -1], False),  # one forecast
    ],
)
def test_later_places_that_outputs_see(network: Callable[[Tensor], Tensor], sees: bool) -> None:
    with torch.no_grad():
        answer = later_in_series(lambda args, _: [network(*args)], (X,), {}, [network(X)], 15)
    assert answer == (((0, 1),) if sees else ())


def test_channels_before_the_places() -> None:
    x, network = X.transpose(1, 2), nn.Conv1d(3, 2, 3, padding=1)
    with torch.no_grad():
        answer = later_in_series(lambda args, _: [network(*args)], (x,), {}, [network(x)], 15)
    assert answer == ((0, 2),)


@pytest.mark.parametrize(
    ("series", "target", "answer"),
    [
        (X, NEXT, ((0, 1),)),
        (X, 20 * NEXT + 3, ((0, 1),)),  # in other units
        (X.transpose(1, 2), NEXT.transpose(1, 2), ((0, 2),)),
        (X, NEXT[:, :, 1], ((0, 1),)),  # one channel of several
        (X[:, :, 0], NEXT[:, :, :1], ((0, 1),)),
        (X, X, ()),  # an autoencoder
        (X + torch.randn(X.shape, generator=G), X, ()),  # denoising
        (X, X.roll(-1, 1), ()),  # moved as a whole: the last target is known
        (X, F.pad(X[:, 1:], (0, 0, 0, 1)), ()),
        (X[:, :6], WINDOWS[:, 6:12], ()),  # a horizon that is not in the window
        (X[:, :1].expand(15, 12, 3), X[:, :1].expand(15, 12, 3), ()),  # the same at all places
        (X, NEXT + 0.1 * torch.randn(X.shape, generator=G), ()),
    ],
)
def test_targets_one_place_later(
    series: Tensor, target: Tensor, answer: tuple[tuple[int, int], ...]
) -> None:
    rows = [KeptBatch((series[i : i + 8],), {}, target=target[i : i + 8]) for i in (0, 7)]
    assert series_as_targets(rows) == answer
