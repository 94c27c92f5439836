"""L36: which units are dead is counted as by hand; its criteria can fail."""

from __future__ import annotations

import torch

import netwise as nw
from netwise.labs.lab_definition import LabResult
from netwise.labs.starts.dead_units import (
    HEALTHY,
    dead_criteria,
    dead_units,
    gradient_of_dead,
    take_census,
)


def recipe(bias: float) -> nw.Recipe:
    return nw.Recipe(
        data=nw.data.digits(),
        network=nw.MLP((64, 8, 8, 10)),
        init=nw.WithBiases(weights=nw.He(), bias=bias),
        optimizer=nw.SGD(lr=0.1),
        epochs=1,
    )


def test_units_that_fire_for_no_sample_are_dead_and_have_no_gradient() -> None:
    torch.manual_seed(0)
    module, x = nw.MLP((4, 5, 3)).build(), torch.rand(20, 4)
    with torch.no_grad():
        module.layer1.bias[:] = torch.tensor([-9.0, 9, 9, -9, 9])  # type: ignore[index, union-attr]
    assert [layer.tolist() for layer in dead_units(module, x)] == [
        [True, False, False, True, False]
    ]
    assert gradient_of_dead(module, recipe(0.0), x, torch.zeros(20, dtype=torch.int64)) == 0
    assert float(module.layer1.weight.grad.abs().max()) > 0  # type: ignore[union-attr, operator]


def test_a_census_of_two_networks() -> None:
    healthy, dead = take_census(recipe(0.0)), take_census(recipe(-20.0))
    assert healthy.end < 0.2
    assert dead.start == dead.end == 1
    assert dead.revived == dead.gradient == 0


def test_l36_can_be_confirmed_and_refuted() -> None:
    names = (HEALTHY, "bad bias", "rate too high", "weights too large")
    numbers = {f"{name}: dead after training": 0.5 for name in names[1:]}
    numbers |= {f"{name}: share of those dead at the start that fire": 0.0 for name in names}
    numbers |= {f"{HEALTHY}: dead after training": 0.0, "largest gradient of a dead unit": 0.0}
    assert LabResult({}, dead_criteria(numbers), "").verdict == "confirmed"
    wrong = dict.fromkeys(numbers, 0.2)
    assert LabResult({}, dead_criteria(wrong), "").verdict == "refuted"
