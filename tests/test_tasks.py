"""Tasks: what follows from each, and names that no task has."""

from __future__ import annotations

import pytest

from netwise.tasks import BOUNDED, RECTIFIERS, TASKS, task_named


def test_a_task_has_one_kind_of_target() -> None:
    for name, task in TASKS.items():
        kinds = (
            task.has_classes,
            task.has_values,
            task.inputs_are_targets,
            task.is_density,
            task.is_memory,
        )
        assert sum(kinds) == 1, name
        assert task.name == name


@pytest.mark.parametrize("name", [None, "", "clustering"])
def test_nothing_is_known_of_other_tasks(name: str | None) -> None:
    task = task_named(name)
    assert not task.has_classes
    assert not task.has_values
    assert task.unit == "points"


@pytest.mark.parametrize("name", BOUNDED)
def test_bounded_activations_keep_their_limits(name: str) -> None:
    import torch

    x = torch.linspace(-1e4, 1e4, 2001)
    y = getattr(torch.nn, name)()(x)
    low, high = BOUNDED[name]
    assert float(y.min()) == pytest.approx(low, abs=1e-3)
    assert float(y.max()) == pytest.approx(high, abs=1e-3)


@pytest.mark.parametrize("name", RECTIFIERS)
def test_rectifiers_are_0_below_0(name: str) -> None:
    import torch

    x = torch.linspace(-5, 5, 101)
    assert torch.equal(getattr(torch.nn, name)()(x) > 0, x > 0)
