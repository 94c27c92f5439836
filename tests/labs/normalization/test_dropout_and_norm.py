"""L54 with given accuracies: effects of two factors, and criteria that can fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch

import netwise as nw
from netwise.labs.lab_definition import LabResult
from netwise.labs.normalization import dropout_and_norm
from netwise.labs.normalization.dropout_and_norm import (
    LOCAL,
    criteria,
    effects,
    network_with_local_norm,
)
from netwise.labs.record import recorded

Made = Callable[[float, int], nw.Recipe]


def test_effects_are_those_of_the_two_factors() -> None:
    scores = {"neither": [0.5], "dropout": [0.52], "batch norm": [0.56], "both": [0.6]}
    found = effects({**scores, LOCAL: [0.49]})
    assert {name: round(values[0], 9) for name, values in found.items()} == {
        "dropout": 3.0,
        "batch norm": 7.0,
        "interaction": 1.0,
        LOCAL: -1.0,
    }


def test_small_gains_confirm_the_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    def scores(recipe_at: Made, rates: Sequence[float], seeds: int) -> tuple[float, list[float]]:
        network = recipe_at(rates[0], 0).network
        block = getattr(network, "block", "")
        gain = 0.01 * ("B" in block) + 0.02 * ("D" in block) + 0.015 * (not block)
        return rates[0], [0.4 + gain + 0.001 * seed for seed in range(seeds)]

    monkeypatch.setattr(dropout_and_norm, "tuned", scores)
    result, old = nw.lab("L54").run(), recorded("L54")
    assert old is not None
    assert list(result.numbers) == list(old["numbers"])
    assert dict(result.recipes) == old["recipes"]
    assert all(criterion.holds for criterion in result.criteria)


@pytest.mark.parametrize("effect", [-1.0, 5.0])
def test_harm_and_large_gains_refute_it(effect: float) -> None:
    names = ("dropout", "batch norm", LOCAL)
    numbers = {
        f"effect of {name}, points, {end}": effect for name in names for end in ("mean", "low")
    }
    assert LabResult({}, criteria(numbers), "").verdict == "refuted"


def test_the_local_norm_is_that_of_alexnet() -> None:
    network = network_with_local_norm()
    [first, *_] = [each for each in network if isinstance(each, torch.nn.LocalResponseNorm)]
    assert (first.size, first.alpha, first.beta, first.k) == (5, 5e-4, 0.75, 2.0)
    assert network(torch.zeros(2, 3, 16, 16)).shape == (2, 10)
