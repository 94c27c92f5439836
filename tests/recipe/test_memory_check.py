"""Recipes that need more memory than is free have an answer before anything is allocated."""

from __future__ import annotations

import tracemalloc

import pytest
import torch

import netwise as nw
from netwise.recipe.memory_check import memory_problem

DIGITS = nw.data.digits()
IMAGES = (nw.Resize(8, 8),)


def free(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    for place in ("netwise.memory", "netwise.recipe.memory_check"):
        monkeypatch.setattr(f"{place}.available_memory", lambda: size)


def problem(recipe: nw.Recipe) -> nw.Problem | None:
    return memory_problem(recipe, recipe.data.load())


def test_the_product_of_allowed_fields_is_answered_with_its_size() -> None:
    network = nw.ConvNet(image=(1, 8, 8), channels=(1_000_000, 1_000_000))
    recipe = nw.Recipe(data=DIGITS, network=network)
    DIGITS.load()
    tracemalloc.start()
    try:
        problems = nw.check(recipe)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
    assert [each.grade for each in problems] == ["cannot run"]
    assert "9,000,057,000,014 weights" in problems[0].reason
    assert "block2.conv.weight of 1,000,000 x 1,000,000 x 3 x 3" in problems[0].reason
    assert "32.7 TiB" in problems[0].reason
    with pytest.raises(nw.WrongValue, match=r"32\.7 TiB"):
        nw.fit(recipe)


def test_weights_count_twice_since_each_has_a_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = nw.Recipe(data=DIGITS, network=nw.MLP((64, 300_000, 10)))
    weights = 4 * (64 * 300_000 + 300_000 + 300_000 * 10 + 10)
    free(monkeypatch, 2 * weights - 1)
    assert problem(recipe).reason.startswith("has 22,500,010 weights")
    assert "with their gradients" in problem(recipe).reason
    free(monkeypatch, weights - 1)
    assert "gradients" not in problem(recipe).reason
    free(monkeypatch, 3 * weights)
    assert problem(recipe) is None


def test_what_a_batch_keeps_counts_and_a_smaller_batch_is_proposed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = nw.ConvNet(image=(1, 64, 64), channels=(50, 50))
    recipe = nw.Recipe(
        data=DIGITS, network=network, preprocess=(nw.Resize(64, 64),), batch_size=1000
    )
    maps = 4 * 64 * 64 * 50 * 1000  # of the first convolution, kept for its norm
    free(monkeypatch, maps)
    found = nw.check(recipe)[0]
    assert (found.field, found.given, found.instead) == ("batch_size", "1000", "62")
    assert "make a step of ConvNet need" in found.reason
    free(monkeypatch, 20 * maps)
    assert nw.check(recipe.but(batch_size=64)) == []


def test_the_chains_of_an_energy_model_count(monkeypatch: pytest.MonkeyPatch) -> None:
    data = nw.data.encoder_problem(units=500)
    recipe = nw.Recipe(data=data, network=nw.RBM(1000, 5), loss=nw.PCD(chains=1_000_000))
    free(monkeypatch, 3_900_000_000)
    assert problem(recipe).reason.startswith("has Markov chains that need 3.7 GiB")
    free(monkeypatch, 4_100_000_000)
    assert problem(recipe) is None


def test_user_code_is_not_called() -> None:
    recipe = nw.Recipe(data=DIGITS, network=nw.CustomNetwork("no_such_module:build"))
    assert problem(recipe) is None


@pytest.mark.parametrize(
    "data",
    [
        nw.data.adding(samples=10**7, length=10_000),
        nw.data.copying(samples=10**7, wait=10_000),
        nw.data.random_patterns(count=10**6, units=10**5),
    ],
    ids=lambda data: data.kind,
)
def test_drawn_data_are_not_drawn_where_they_do_not_fit(data: nw.Data) -> None:
    with pytest.raises(nw.WrongValue, match=r"need \d\.\d TiB, and .* of memory are free"):
        data.load()


@pytest.mark.parametrize(
    "step", [nw.Resize(4096, 4096), nw.Whiten()], ids=lambda step: type(step).__name__
)
def test_preprocessing_is_not_started_where_its_result_does_not_fit(
    step: nw.Preprocess, monkeypatch: pytest.MonkeyPatch
) -> None:
    free(monkeypatch, 10**8)
    x = torch.zeros(10, 3, 40, 40)
    with pytest.raises(nw.WrongValue, match="of memory are free"):
        step.apply(x, step.fit(x))


@pytest.mark.parametrize(
    "augment",
    [
        nw.NoiseCopies(copies=100),
        nw.ShiftCopies(),
        nw.Resample(factor=100.0),
        nw.FromDistribution(factor=100.0),
    ],
    ids=lambda augment: type(augment).__name__,
)
def test_enlarging_is_not_started_where_its_result_does_not_fit(
    augment: nw.Augment, monkeypatch: pytest.MonkeyPatch
) -> None:
    free(monkeypatch, 10**8)
    x, y = torch.zeros(5_000, 1, 32, 32), torch.arange(5_000) % 2
    with pytest.raises(nw.WrongValue, match="of memory are free"):
        augment.enlarge(x, y, torch.Generator())
