"""The capacity test: few and many samples, and the verdict."""

from __future__ import annotations

import pytest

import netwise as nw
from netwise.treatment.fitted_rows import verdict_of

DIGITS = nw.data.digits()


@pytest.mark.parametrize(
    ("left", "verdict"),
    [
        ((0.01, 0.05, 0.08), "fits all"),
        ((0.01, 0.2, 0.5), "too small"),
        ((0.9, 0.9, 0.9), "fits nothing"),
        ((float("inf"), 0.1, 0.1), "fits nothing"),
        ((0.05, 0.1, 0.2), "partly"),
    ],
)
def test_verdicts(left: tuple[float, ...], verdict: str) -> None:
    assert verdict_of(left) == verdict


@pytest.mark.parametrize(
    ("left", "wider", "verdict"),
    [
        ((0.5, 0.6), 0.1, "too small"),  # a network so small that it does not even fit few
        ((0.9, 0.9), 0.9, "fits nothing"),
        ((0.01, 0.5), 0.5, "partly"),  # a wider one fits no better: not its size
        ((0.01, 0.08), 0.001, "fits all"),
        ((0.01, float("nan")), 0.05, "partly"),
    ],
)
def test_verdicts_beside_a_wider_network(
    left: tuple[float, ...], wider: float, verdict: str
) -> None:
    assert verdict_of(left, wider) == verdict


def test_few_samples_that_are_fitted_better_and_better_only_need_more_steps() -> None:
    assert verdict_of((0.9, 0.9), 0.9, falls=True) == "partly"
    recipe = nw.Recipe(data=DIGITS, network=nw.MLP((64, 30, 10)), optimizer=nw.SGD(lr=0.05))
    result = nw.capacity_test(recipe.but(epochs=1, batch_size=64), (6, 1078), jobs=1)
    assert result.left[0] > 0.3
    assert (result.verdict, "train for longer" in result.sentence) == ("partly", True)


@pytest.mark.parametrize(
    ("units", "rate", "verdict"),
    [(2, 0.03, "too small"), (64, 0.005, "fits all"), (64, 1e-8, "fits nothing")],
)
def test_networks_of_known_capacity(units: int, rate: float, verdict: str) -> None:
    recipe = nw.Recipe(
        data=DIGITS,
        network=nw.MLP((64, units, 10), activation=nw.Tanh(), dropout=0.3),
        optimizer=nw.Adam(lr=rate),
        penalty=nw.L2(strength=0.1),
        batch_size=128,
        epochs=50,
    )
    result = nw.capacity_test(recipe, (6, 1078), jobs=1)
    assert result.verdict == verdict, result
    assert str(result.rows[0]) in result.sentence
    assert (result.wider is None) == (verdict == "fits all")
    assert ("wider layers" in result.sentence) == (result.wider is not None)


def test_what_cannot_be_tested_is_refused() -> None:
    recipe = nw.suggest(DIGITS)
    with pytest.raises(nw.WrongValue, match="must be at least two numbers between 2 and"):
        nw.capacity_test(recipe, (10, 10**6))
    memory = nw.Recipe(data=DIGITS, network=nw.Hopfield(64))
    with pytest.raises(nw.WrongValue, match="has no targets to fit"):
        nw.capacity_test(memory)
