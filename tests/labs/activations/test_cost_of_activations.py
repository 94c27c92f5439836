"""L48: what is timed is a training step and a pass; nothing is asserted about times."""

from __future__ import annotations

import torch

import netwise as nw
from netwise.labs.activations.cost_of_activations import (
    medians,
    passes_through,
    timing_criteria,
    training_step,
)
from netwise.labs.lab_definition import LabResult


def test_a_pass_gives_the_slope() -> None:
    z = torch.linspace(-2, 2, 9)
    (gradient,) = passes_through(nw.Tanh(), z)()  # type: ignore[misc]
    assert torch.allclose(gradient, 1 - torch.tanh(z) ** 2)


def test_all_works_are_called_in_each_round() -> None:
    calls: list[str] = []
    times = medians(
        {name: lambda name=name: calls.append(name) for name in "ab"},  # type: ignore[misc]
        rounds=3,
        repeats=2,
    )
    assert "".join(calls) == "ab" + 3 * "aabb"
    assert set(times) == {"a", "b"}
    training_step(nw.ReLU(), 3)()


def test_l48_can_be_confirmed_and_refuted() -> None:
    def verdict(relu: float) -> str:
        numbers = {f"{n}: share of a training step": 0.01 for n in ("sigmoid", "tanh")}
        numbers |= {
            f"{n}: ns an element, forward and backward": 2.0 for n in ("sigmoid", "tanh", "ReLU")
        }
        numbers["ReLU: ns an element, forward and backward"] = relu
        return LabResult({}, timing_criteria(numbers), "").verdict

    assert verdict(1.0) == "confirmed"
    assert verdict(3.0) == "refuted"
