"""L56 from end to end with given accuracies; the choice of a rate; its criteria can fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

import netwise as nw
from netwise.labs import small_photos
from netwise.labs.normalization import whitened_inputs
from netwise.labs.record import recorded
from netwise.labs.small_photos import TUNING_SEED, tuned

Made = Callable[[float, int], nw.Recipe]


def test_l56_is_confirmed_where_preprocessing_gains_two_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def scores(recipe_at: Made, rates: Sequence[float], seeds: int) -> tuple[float, list[float]]:
        recipe = recipe_at(rates[0], 0)
        gains = len(recipe.preprocess) > 1 and "B" not in recipe.network.block
        return rates[0], [0.4 + 0.02 * gains + 0.001 * seed for seed in range(seeds)]

    monkeypatch.setattr(whitened_inputs, "tuned", scores)
    result, old = nw.lab("L56").run(), recorded("L56")
    assert old is not None
    assert list(result.numbers) == list(old["numbers"])
    assert dict(result.recipes) == old["recipes"]
    assert result.verdict == "confirmed"
    assert result.criteria[-1].holds
    none = dict.fromkeys(result.numbers, 0.0)
    held = [criterion.holds for criterion in whitened_inputs.criteria(none)]
    assert held == [False, False, False, True, False]  # intervals of one number decide it


def test_a_rate_is_chosen_by_a_run_that_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def recipe_at(rate: float, seed: int) -> nw.Recipe:
        return small_photos.photo_recipe("CAP", rate, images=100, epochs=1, seed=seed)

    def accuracy(recipe: nw.Recipe) -> float:
        best = recipe.optimizer.lr == 0.003
        return (0.9 if best else 0.5) if recipe.seed == TUNING_SEED else recipe.seed / 10

    monkeypatch.setattr(small_photos, "accuracy_of", accuracy)
    assert tuned(recipe_at, (0.001, 0.003), 3) == (0.003, [0.0, 0.1, 0.2])
