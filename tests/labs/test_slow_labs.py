"""Slow labs from end to end on small data: their numbers have the names of the recorded result, in
its order, and criteria that read them."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.labs.energy import contrastive_divergence, encoder_problems, hopfield_recall
from netwise.labs.features import autoencoders, sparse_codes
from netwise.labs.record import recorded
from netwise.labs.tuning import (
    bayesian_search,
    choice_on_test_data,
    cross_validation,
    learning_rate_threshold,
)

ais = nw.energy.ais


def check_form(name: str, result: nw.LabResult) -> None:
    old = recorded(name)
    assert old is not None
    assert list(result.numbers) == list(old["numbers"])
    assert len(result.criteria) == len(old["criteria"])
    assert [row["of_the_note"] for row in old["criteria"]] == [
        criterion.part_of_claim for criterion in result.criteria
    ]
    assert list(result.recipes) == list(old["recipes"])
    assert all(np.isfinite(value) for value in result.numbers.values())
    assert result.figure.startswith("<svg")


def test_l12(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = iter([0.5, 0.2, 3.0, 0.0, 0.1, 0.4])

    def compared(recipe: nw.Recipe, seeds: object) -> dict[str, float]:
        keys = ("threshold", "at half of it", "best of 12", "behind, points")
        return dict(zip(keys, (1.0, 0.8, 0.9, next(rows)), strict=True))

    monkeypatch.setattr(learning_rate_threshold, "compare_with_grid", compared)
    result = nw.lab("L12").run()
    check_form("L12", result)
    assert result.numbers["ReLU, momentum: behind, points"] == 3.0
    assert result.verdict == "confirmed"  # five of six within a point


def test_l18(monkeypatch: pytest.MonkeyPatch) -> None:
    def quality(
        units: int, load: float, seeds: object, flipped: float
    ) -> hopfield_recall.RecallQuality:
        overlap = 1.0 if load < 0.14 else 0.3
        return hopfield_recall.RecallQuality(overlap, units / 2000, load)

    monkeypatch.setattr(hopfield_recall, "recall_quality", quality)
    result = nw.lab("L18").run()
    check_form("L18", result)
    assert result.numbers["N = 1000, P/N = 0.2: found again exactly"] == 0.5
    assert result.numbers["N = 1000, P/N = 0.2: overlap from flipped units"] == 0.2
    assert 0.138 < result.numbers["N = 1000: P/N where the overlap crosses 0.9"] < 0.15
    assert result.verdict == "confirmed"


def test_l19(monkeypatch: pytest.MonkeyPatch) -> None:
    g = torch.Generator().manual_seed(0)
    prototype = torch.rand(1, 1, 28, 28, generator=g) ** 4
    alike = (prototype + 0.15 * torch.rand(10, 1, 28, 28, generator=g)).clamp(max=1)
    samples = SimpleNamespace(train=SimpleNamespace(x=alike))
    source = SimpleNamespace(load=lambda: samples)
    monkeypatch.setattr(hopfield_recall, "data", SimpleNamespace(mnist=lambda first, valid: source))
    result = nw.lab("L19").run(draws=1)
    check_form("L19", result)
    assert result.numbers["random patterns, Hebb, 25 % flipped"] == 1.0
    assert result.numbers["largest |dE + u dx|"] < 1e-9
    assert result.numbers["highest final energy"] < -100  # -N / 2 for one pattern of 784 units
    assert result.numbers["digits, Hebb, 10 % flipped"] < 0.5  # patterns alike


def test_l22(monkeypatch: pytest.MonkeyPatch) -> None:
    def trained(machines: encoder_problems.EncoderMachines, check_every: int = 10) -> torch.Tensor:
        return torch.arange(machines.machines)  # all but the first

    assert encoder_problems.solved_by_exact_gradient(machines=2, updates=3) <= 1
    monkeypatch.setattr(encoder_problems.EncoderMachines, "run", trained)
    monkeypatch.setattr(encoder_problems, "solved_by_exact_gradient", lambda: 0.5)
    result = nw.lab("L22").run()
    check_form("L22", result)
    assert result.numbers["4-2-4: share of the machines that solved it"] == pytest.approx(0.99)
    assert result.numbers["8-3-8: median of the cycles"] == 10
    assert result.verdict == "confirmed"


@pytest.fixture
def small_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Machines of 64 visible units on the bundled digits, one epoch."""
    small = contrastive_divergence.SMALL.but(
        data=nw.data.digits(valid=0.0), network=nw.RBM(64, 4), epochs=1
    )
    for name, value in (
        ("SMALL", small),
        ("PLAIN", nw.RBM(64, 4, centred=False)),
        ("LARGE", nw.RBM(64, 8, centred=False)),
        ("GIBBS_STEPS", (1, 3, 10, 25)),
        ("fit_many", partial(nw.fit_many, jobs=1)),
        ("ais", lambda machine, chains, temperatures: ais(machine, chains=50, temperatures=100)),
    ):
        monkeypatch.setattr(contrastive_divergence, name, value)


@pytest.mark.usefixtures("small_machines")
def test_l23() -> None:
    result = nw.lab("L23").run(epochs=1)
    check_form("L23", result)
    test = contrastive_divergence.binary_test_images()
    assert set(test.unique().tolist()) == {0.0, 1.0}
    # The mean log-likelihood of independent pixels is minus their entropy, up to the split.
    p = test.mean(0).clamp(1e-3, 1 - 1e-3)
    entropy = -float((p * p.log() + (1 - p) * (1 - p).log()).sum())
    assert result.numbers["independent pixels, nats"] == pytest.approx(-entropy, abs=1)


@pytest.mark.usefixtures("small_machines")
def test_l24() -> None:
    result = nw.lab("L24").run(epochs=2)
    check_form("L24", result)
    small = [result.numbers[f"16 hidden, CD-{k}, nats"] for k in (1, 3, 10, 25)]
    assert len(set(small)) == 4


@pytest.fixture
def images(monkeypatch: pytest.MonkeyPatch) -> nw.data.Data:
    """300 images of 28 x 28 from ten blurred classes."""
    rng = np.random.default_rng(0)
    y = np.arange(300) % 10
    x = np.clip(rng.random((10, 1, 28, 28))[y] ** 3 + 0.05 * rng.random((300, 1, 28, 28)), 0, 1)
    source = nw.data.arrays(x.astype(np.float32), y, valid=0.0, test=0.3)
    monkeypatch.setattr(autoencoders, "IMAGES", source)
    fake = SimpleNamespace(
        digits=nw.data.digits, arrays=nw.data.arrays, fashion_mnist=lambda valid: source
    )
    monkeypatch.setattr(autoencoders, "data", fake)
    return source


@pytest.mark.usefixtures("images")
def test_l26(monkeypatch: pytest.MonkeyPatch) -> None:
    arms = autoencoders.reconstruction_arms(autoencoders.ReconstructionSettings())
    quick = {name: recipe.but(epochs=2, batch_size=50) for name, recipe in arms.items()}
    monkeypatch.setattr(autoencoders, "reconstruction_arms", lambda _: quick)
    result = nw.lab("L26").run()
    check_form("L26", result)
    assert result.numbers["Fashion-MNIST over MNIST"] == 1  # the same images here
    assert result.numbers["squared error of a pixel, noise"] > 0.05


@pytest.mark.usefixtures("images")
def test_l27(monkeypatch: pytest.MonkeyPatch) -> None:
    recipes = {
        name: autoencoders.image_recipe(nw.Autoencoder((784, 6)), epochs=1)
        for name in autoencoders.denoising_arms(autoencoders.DenoisingSettings())
    }
    monkeypatch.setattr(autoencoders, "denoising_arms", lambda _: recipes)
    monkeypatch.setattr(autoencoders, "fit_many", partial(nw.fit_many, jobs=1))
    result = nw.lab("L27").run(seeds=2)
    check_form("L27", result)
    assert result.numbers["gain of the best share over none, points"] == 0  # equal arms here


@pytest.mark.usefixtures("images")
def test_l28(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse_codes, "fit_many", partial(nw.fit_many, jobs=1))
    check_form("L28", nw.lab("L28").run(width=6, epochs=1))


def test_l59(monkeypatch: pytest.MonkeyPatch) -> None:
    random = bayesian_search.samplers()["random"]
    makers = dict.fromkeys(bayesian_search.samplers(), random)
    monkeypatch.setattr(bayesian_search, "samplers", lambda random: makers)
    result = nw.lab("L59").run(searches=3)
    check_form("L59", result)
    assert [criterion.value for criterion in result.criteria] == [0, 0]  # equal methods here


def test_l62(monkeypatch: pytest.MonkeyPatch) -> None:
    def accuracies(rows: int, draw: int, epochs: int) -> tuple[np.ndarray, np.ndarray]:
        valid = np.zeros((8, 5))
        valid[0, 0], valid[1] = 1.0, 0.5 + 0.01 * draw  # the first fold misleads
        return valid, np.linspace(0.8, 0.9, 8) if rows == 500 else np.full(8, 0.9)

    monkeypatch.setattr(cross_validation, "train_settings", accuracies)
    result = nw.lab("L62").run(draws=12)
    check_form("L62", result)
    assert result.numbers["500: median of one hold-out"] == pytest.approx(10)
    assert result.numbers["10000: regret of five folds"] == 0


def test_l77(monkeypatch: pytest.MonkeyPatch, small: nw.Recipe) -> None:
    swapped = choice_on_test_data.SwappedParts(data=small.data)
    recipes = {False: small, True: small.but(data=swapped)}
    monkeypatch.setattr(
        choice_on_test_data, "early_stopping_recipe", lambda swapped, settings: recipes[swapped]
    )
    monkeypatch.setattr(choice_on_test_data, "DRAWS", 20)
    result = nw.lab("L77").run()
    check_form("L77", result)
    by_size = [v for name, v in result.numbers.items() if name.startswith("best of")]
    assert all(value >= 0 for value in by_size)
