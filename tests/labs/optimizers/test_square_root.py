"""The paths of L46 are those of published formulas, and its criteria can fail."""

from __future__ import annotations

import pytest
import torch

from netwise.labs.lab_definition import LabResult
from netwise.labs.optimizers.square_root import STEPS, criteria, last_step, path, rules, spread


@pytest.mark.parametrize("scale", [1.0, 1000.0])
@pytest.mark.parametrize(
    ("name", "optimizer"),
    [
        ("Adam", lambda w: torch.optim.Adam([w], lr=0.3)),
        ("RMSProp", lambda w: torch.optim.RMSprop([w], lr=0.3, alpha=0.9)),
        ("AdaGrad", lambda w: torch.optim.Adagrad([w], lr=0.3)),
    ],
)
def test_divided_paths_are_those_of_torch(name: str, optimizer: object, scale: float) -> None:
    w = torch.tensor([5.0], dtype=torch.float64, requires_grad=True)
    steps = optimizer(w)  # type: ignore[operator]
    expected = [5.0]
    for _ in range(STEPS):
        steps.zero_grad()
        (scale * (w + 1) ** 2).sum().backward()
        steps.step()
        expected.append(w.item())
    assert path(rules(0.3)[name], scale, 5.0, divide=True) == pytest.approx(expected, abs=1e-6)


def test_multiplied_adagrad_is_the_printed_formula() -> None:
    w, total, expected = 5.0, 0.0, [5.0]
    for _ in range(3):
        g = 2 * (w + 1)
        total += g * g
        w -= 0.01 * g * total**0.5
        expected.append(w)
    weights = path(rules(0.01)["AdaGrad"], 1, 5.0, divide=False)
    assert weights[:4] == pytest.approx(expected, rel=1e-6)


def test_a_path_ends_where_it_runs_away() -> None:
    assert last_step(path(rules(0.3)["Adam"], 1, 5.0, divide=False)) == 4
    assert last_step(path(rules(0.3)["Adam"], 1, 5.0, divide=True)) == STEPS


def test_the_spread_is_that_of_the_worst_step() -> None:
    assert spread([[0.0, 1.0, 2.0], [0.0, 1.5, 2.1]]) == 0.5


def test_the_criteria_can_fail() -> None:
    end = "multiplied, scale 1: steps before it runs away"
    numbers = {
        "Adam: paths of all scales differ by": 1.0,
        f"Adam, {end}": 100.0,
        f"AdaGrad, {end}": 100.0,
        "Adam, multiplied, rate 0.1, scale 1: steps before it runs away": 50.0,
        "Adam, multiplied, rate 0.1, scale 10: steps before it runs away": 100.0,
    }
    assert not any(criterion.holds for criterion in criteria(numbers))
    right = {**numbers, f"Adam, {end}": 4.0, f"AdaGrad, {end}": 3.0}
    right["Adam: paths of all scales differ by"] = 1e-9
    assert LabResult({}, criteria(right), "").verdict == "confirmed"
