"""The learning-rate range test: what its curve shows, on curves of known shape and in a run."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import netwise as nw

RATES = [10 ** (-6 + 7 * i / 200) for i in range(200)]


def curve(begins: float, rises: float) -> list[float]:
    """Falls from 2 to 0.5 around one rate and rises around another."""
    return [2 - 1.5 / (1 + (begins / r) ** 1.5) + (r / rises) ** 3 for r in RATES]


@pytest.mark.parametrize(("begins", "rises"), [(1e-3, 1.0), (1e-4, 0.1), (1e-2, 5.0)])
def test_the_rates_of_a_known_curve(begins: float, rises: float) -> None:
    found = nw.read_range(RATES, curve(begins, rises))
    assert found.begins is not None
    assert found.steepest is not None
    assert found.lowest is not None
    assert found.rises is not None
    assert begins / 20 < found.begins < begins * 2
    assert begins / 3 < found.steepest < begins * 8  # the running mean lags behind
    assert found.begins <= found.steepest <= found.lowest < found.rises
    assert rises / 5 < found.rises < rises * 3


def test_a_curve_that_does_not_fall_has_no_rate() -> None:
    for losses in ([2.0] * 200, [2 + i / 100 for i in range(200)]):
        found = nw.read_range(RATES, losses)
        assert found.steepest is None
        assert found.sentence.startswith("The loss falls at no rate of the range")


def test_a_curve_ends_where_a_loss_is_not_finite() -> None:
    losses = curve(1e-3, 100.0)
    losses[180:] = [math.inf] * 20
    found = nw.read_range(RATES, losses)
    assert found.diverged
    assert len(found.rates) == len(found.smoothed) == 180
    assert found.rises == RATES[179]


def test_a_run_over_all_rates(tmp_path: Path) -> None:
    recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)), optimizer=nw.SGD())
    found = nw.rate_range(recipe)
    assert len(found.rates) >= 200
    assert found.rates[0] == pytest.approx(1e-6)
    assert found.rates[-1] < 10.0
    assert found.steepest is not None
    assert 0.03 < found.steepest < 3
    trained = nw.fit(nw.with_learning_rate(recipe, found.steepest).but(epochs=5), test=False)
    accuracy = trained.history.of("valid.accuracy")
    assert accuracy is not None
    assert accuracy.last > 0.85
    assert nw.plot_rate_range(found, tmp_path / "range.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"low": 1.0, "high": 0.1}, "low below high"),
        ({"low": 0.0}, "above 0"),
        ({"steps": 5}, "at least 20"),
    ],
)
def test_what_is_no_range_is_refused(settings: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        nw.rate_range(nw.suggest(nw.data.iris()), **settings)  # type: ignore[arg-type]
