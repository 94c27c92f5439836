"""Wider and deeper copies of a module, whatever code joins its layers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from netwise.observe.kept_batches import KeptBatch
from netwise.trials.grown_network import DEEPER, WIDER, factor_of, grown


def batch_of(x: Tensor) -> KeptBatch:
    return KeptBatch((x,), {}, torch.zeros(len(x), dtype=torch.long))


class Joined(nn.Module):
    """Hidden values are added and joined; the recurrent layer reads a sequence of them."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(11, 6)
        self.rnn = nn.GRU(6, 6, batch_first=True)
        self.norm = nn.LayerNorm(6)
        self.out = nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        rows = self.embed(x)
        hidden = self.norm(rows + self.rnn(rows)[0])
        return self.out(torch.cat([hidden[:, -1], hidden.mean(1)], 1).view(len(x), -1))


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2, bias=False))


def cnn() -> nn.Module:
    head = nn.Sequential(nn.Flatten(), nn.Linear(4 * 9, 3))
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), head)


PIXELS, ROWS, WORDS = torch.randn(2, 1, 5, 5), torch.randn(3, 5), torch.randint(11, (4, 7))


@pytest.mark.parametrize(
    ("make", "x", "how", "weights"),
    [
        (mlp, ROWS, WIDER, 5 * 32 + 32 + 2 * 32 + 32 * 2),
        (mlp, ROWS, DEEPER, 5 * 8 + 8 + 8 * 8 + 8 + 2 * 8 + 8 * 2),
        (cnn, PIXELS, WIDER, 32 * 9 + 32 + 2 * 32 + 9 * 32 * 3 + 3),
        (cnn, PIXELS, DEEPER, 4 * 9 + 4 + 4 * 4 * 9 + 4 + 2 * 4 + 9 * 4 * 3 + 3),
        (lambda: nn.Sequential(nn.Linear(5, 2)), ROWS, DEEPER, 5 * 64 + 64 + 64 * 2 + 2),
        (Joined, WORDS, WIDER, 11 * 36 + 6 * 36 * 36 + 6 * 36 + 72 + 219),
    ],
    ids=["mlp", "mlp-deeper", "cnn", "cnn-deeper", "linear-deeper", "joined"],
)
def test_the_copy_has_more_weights_and_the_same_outputs(
    make: Callable[[], nn.Module], x: Tensor, how: str, weights: int
) -> None:
    module, batch = make(), batch_of(x)
    shape = module.eval()(x).shape
    made = grown(module, how, batch)
    assert made is not None
    assert made.eval()(x).shape == shape
    assert sum(p.numel() for p in made.parameters()) == weights


class Stated(nn.Module):
    """A size is written into the code."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(5, 8), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.two(self.one(x).view(-1, 2, 4)[:, 0])


class OwnWeights(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale, self.one, self.two = (
            nn.Parameter(torch.ones(8)),
            nn.Linear(5, 8),
            nn.Linear(8, 2),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.two(self.one(x) * self.scale)


class Again(nn.Sequential):
    """A layer is used twice."""

    def forward(self, x: Tensor) -> Tensor:
        return self[1](self[0](self[0](x)))


@pytest.mark.parametrize(
    ("make", "how"),
    [
        (Stated, WIDER),
        (OwnWeights, WIDER),
        (OwnWeights, DEEPER),
        (lambda: nn.Linear(5, 2), DEEPER),
        (lambda: nn.Sequential(nn.Linear(5, 2)), WIDER),
        (lambda: Again(nn.Linear(5, 5), nn.Linear(5, 2)), WIDER),
        (lambda: nn.Sequential(nn.Linear(5, 5000), nn.Linear(5000, 2)), DEEPER),
    ],
    ids=[
        "stated size",
        "own weights",
        "own weights, deeper",
        "a layer",
        "none hidden",
        "twice",
        "large",
    ],
)
def test_there_is_no_copy_of_code_that_would_not_run_or_is_too_large(
    make: Callable[[], nn.Module], how: str
) -> None:
    assert grown(make(), how, batch_of(ROWS)) is None


@pytest.mark.parametrize(("units", "times"), [(1, 16), (4, 8), (8, 4), (64, 4)])
def test_narrow_layers_get_a_usual_width(units: int, times: int) -> None:
    module = nn.Sequential(nn.Linear(5, units), nn.Linear(units, 2))
    assert factor_of(module, batch_of(ROWS)) == times


def test_the_type_of_the_numbers_is_kept() -> None:
    made = grown(mlp().double(), WIDER, batch_of(ROWS.double()))
    assert made is not None
    assert {p.dtype for p in made.parameters()} == {torch.float64}
