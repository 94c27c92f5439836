"""The networks and limits of L67 are those of torch; its criteria can fail."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from netwise.labs.lab_definition import LabResult
from netwise.labs.optimizers.gradient_clipping import (
    NORM,
    SMALL_RADIUS,
    UNITS,
    answers,
    clipped,
    criteria,
    diverged,
    norms,
    start,
)


def test_recurrent_weights_have_the_radius() -> None:
    for recurrent in start(1.5, 3)[1]:
        assert torch.linalg.eigvals(recurrent.detach()).abs().max().item() == pytest.approx(
            1.5, rel=1e-4
        )


def test_answers_are_those_of_torch() -> None:
    inward, recurrent, bias, answer, answer_bias = (w.detach() for w in start(1.5, 2))
    x = torch.rand(4, 6, 2, generator=torch.Generator().manual_seed(0))
    network = nn.RNN(2, UNITS, batch_first=True)
    network.weight_ih_l0.data, network.weight_hh_l0.data = inward[1].T, recurrent[1].T
    network.bias_ih_l0.data, network.bias_hh_l0.data = bias[1, 0], torch.zeros(UNITS)
    expected = network(x)[0][:, -1] @ answer[1] + answer_bias[1]
    given = answers([inward, recurrent, bias, answer, answer_bias], x)
    torch.testing.assert_close(given[1], expected[:, 0])


def test_clipping_is_that_of_torch_for_each_network() -> None:
    g = torch.Generator().manual_seed(0)
    gradients = [torch.randn(2, 3, 4, generator=g), torch.randn(2, 1, 4, generator=g) / 100]
    gradients[0][1] /= 100  # the second network's gradient is below the limit
    by_norm = clipped(gradients, "norm")
    for i in range(2):
        weights = [nn.Parameter(torch.zeros_like(each[i])) for each in gradients]
        for weight, each in zip(weights, gradients, strict=True):
            weight.grad = each[i].clone()
        assert nn.utils.clip_grad_norm_(weights, NORM).item() == pytest.approx(
            norms(gradients)[i].item()
        )
        for weight, each in zip(weights, by_norm, strict=True):
            torch.testing.assert_close(weight.grad, each[i])
    assert all(each.abs().max() <= 0.1 for each in clipped(gradients, "value"))
    assert clipped(gradients, "none") is gradients


def test_a_network_has_diverged_where_its_loss_ends_far_above_the_constant_answer() -> None:
    losses = torch.tensor([[0.1, 1.0, 1.0]] * 9 + [[0.2, 2.0, torch.inf]])
    assert diverged(losses) == pytest.approx(2 / 3)


def test_the_criteria_can_fail() -> None:
    numbers = {
        "none: share diverged": 0.2,
        "norm: share diverged": 0.2,
        "value: share diverged": 0.2,
        f"radius {SMALL_RADIUS:g}, norm: loss / that of a constant answer": 0.5,
        "none, best of three rates: loss / that of a constant answer": 0.5,
        "norm, best of three rates: loss / that of a constant answer": 0.5,
    }
    assert not any(criterion.holds for criterion in criteria(numbers))
    right = {
        **numbers,
        "none: share diverged": 0.9,
        "norm: share diverged": 0.0,
        "value: share diverged": 0.0,
    }
    assert LabResult({}, criteria(right), "").verdict == "confirmed"
