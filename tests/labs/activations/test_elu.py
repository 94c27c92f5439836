"""L86: mean activations and noise are those of the formulas; its criteria can fail."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.labs.activations.elu import accuracy_under_noise, elu_criteria, mean_activation
from netwise.labs.lab_definition import LabResult
from netwise.recipe.prepared import prepare


@pytest.fixture(scope="module")
def run() -> nw.Run:
    network = nw.MLP((64, 6, 5, 10), activation=nw.ELU())
    return nw.fit(nw.Recipe(data=nw.data.digits(), network=network, epochs=8), test=False)


def test_the_mean_activation_is_that_of_all_hidden_units(run: nw.Run) -> None:
    x = prepare(run.recipe).samples.valid.x.flatten(1)
    with torch.no_grad():
        first = torch.nn.functional.elu(run.module.layer1(x))  # type: ignore[operator]
        second = torch.nn.functional.elu(run.module.layer2(first))  # type: ignore[operator]
    means = torch.cat([first.mean(0).abs(), second.mean(0).abs()])
    assert mean_activation(run) == pytest.approx(float(means.mean()), rel=1e-5)


def test_noise_costs_accuracy(run: nw.Run) -> None:
    plain = accuracy_under_noise(run, 0.0)
    assert plain == pytest.approx(run.history.of("valid.accuracy").last)  # type: ignore[union-attr]
    assert accuracy_under_noise(run, 5.0) < plain


@pytest.mark.parametrize(("high", "verdict"), [(-0.1, "confirmed"), (0.1, "refuted")])
def test_l86_can_be_confirmed_and_refuted(high: float, verdict: str) -> None:
    names = (
        "mean activation, ELU - ReLU",
        "training loss, ELU - ReLU",
        "training loss, ELU - PReLU",
        "points lost by noise, ELU - ReLU",
    )
    numbers = {f"{name}, high": high for name in names}
    assert LabResult({}, elu_criteria(numbers), "").verdict == verdict
