"""A bounded output at its wrong limit, with a squared error."""

from __future__ import annotations

import pytest

import netwise as nw
from netwise import signals
from netwise.diagnosis.rules.stuck_output import stuck_output


def history(
    saturated: float, loss: float, activation: str = "Sigmoid", kind: str | None = "squared error"
) -> nw.History:
    key = f"{signals.ACTIVATION_SATURATED}|out"
    rows = [{"step": i, signals.LOSS: loss, key: saturated} for i in range(8)]
    layers = (nw.Layer("out", "Linear", 4, 1, activation),)
    return nw.History.from_rows(rows, layers, nw.RunFacts(loss_kind=kind))


@pytest.mark.parametrize(
    ("saturated", "loss", "activation", "is_found"),
    [
        (1.0, 0.96, "Sigmoid", True),  # Nielsen 2015: weight and bias 2, target 0
        (1.0, 0.48, "Sigmoid", True),  # half the squared error
        (1.0, 3.8, "Tanh", True),
        (1.0, 0.10, "Sigmoid", False),  # one of ten classes: nine outputs of 0 are right
        (0.3, 0.96, "Sigmoid", False),
        (1.0, 0.25, "Tanh", False),
        (1.0, 0.96, "Identity", False),
    ],
)
def test_both_sides_of_the_limits(
    saturated: float, loss: float, activation: str, is_found: bool
) -> None:
    answer = stuck_output(history(saturated, loss, activation))
    assert isinstance(answer, nw.Finding) == is_found


def test_other_losses_are_clear_and_unknown_ones_not_checked() -> None:
    assert stuck_output(history(1.0, 0.96, kind="cross-entropy of logits")) is None
    assert isinstance(stuck_output(history(1.0, 0.96, kind=None)), nw.Unchecked)


def test_cross_entropy_moves_the_neuron_at_once() -> None:
    recipe = nw.gallery.sick["stuck_output"].recipe.but(epochs=10)
    after = {}
    for loss in (nw.MeanSquaredError(), nw.BinaryCrossEntropy()):
        network = recipe.network
        if isinstance(loss, nw.BinaryCrossEntropy):
            network = network.but(output=nw.Identity())
        run = nw.fit(recipe.but(loss=loss, network=network), test=False)
        weights = dict(run.module.named_parameters())
        after[type(loss).__name__] = float(weights["layer1.bias"].detach())
    assert 2.0 - after["BinaryCrossEntropy"] > 5 * (2.0 - after["MeanSquaredError"])
