"""L09: gradients are those of autograd, pairs are counted as they should be, criteria can fail."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from netwise.labs.activations.epochs_to_separate import (
    ACTIVATIONS,
    SeparationSettings,
    gradients,
    hidden,
    initial_weights,
    paired_ratio,
    parabolas,
    separate,
    separation_criteria,
)
from netwise.labs.lab_definition import LabResult


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradients_are_those_of_autograd(name: str) -> None:
    parameters = [p + 0.1 for p in initial_weights(3)]
    x, y = parabolas()
    rows = torch.arange(0, 2000, 130)
    by_hand = gradients(parameters, name, x[rows].expand(3, -1, -1), y[rows])
    for p in parameters:
        p.requires_grad_()
    a = hidden(parameters, name, x[rows].expand(3, -1, -1))
    z = torch.baddbmm(parameters[3], a, parameters[2])
    loss = torch.nn.functional.binary_cross_entropy_with_logits(
        z, y[rows].expand(3, -1, -1), reduction="sum"
    )
    for ours, theirs in zip(
        by_hand, torch.autograd.grad(loss / len(rows), parameters), strict=True
    ):
        assert torch.allclose(ours, theirs, atol=1e-6)


def test_the_parabolas_are_half_apart() -> None:
    x, y = parabolas()
    assert torch.allclose(x[:1000, 1] - x[1000:, 1], torch.tensor(0.5))
    assert y.sum() == 1000


def test_a_seed_gives_the_same_epochs_alone_and_among_others() -> None:
    settings = SeparationSettings(epochs=12)
    assert separate("tanh", settings.but(seeds=8))[:2].tolist() == pytest.approx(
        separate("tanh", settings.but(seeds=2)).tolist()
    )


def test_pairs_count_failures() -> None:
    inf = np.inf
    ratios = paired_ratio(np.array([3, inf, 4, inf]), np.array([4, 5, inf, inf]))
    assert ratios.tolist() == [0.75, inf, 0]


def test_l09_can_be_confirmed_and_refuted() -> None:
    numbers = {
        "sigmoid / tanh, ratio of the medians": 4.0,
        "ReLU / tanh, median of the paired ratios": 0.75,
        "share of the pairs in which ReLU needs at most 75 % of tanh's epochs": 0.6,
        "tanh: separated, share": 1.0,
        "ReLU: separated, share": 1.0,
    }
    assert LabResult({}, separation_criteria(numbers), "").verdict == "confirmed"
    wrong = numbers | {
        "sigmoid / tanh, ratio of the medians": 1.0,
        "ReLU / tanh, median of the paired ratios": 1.2,
    }
    assert LabResult({}, separation_criteria(wrong), "").verdict == "refuted"
