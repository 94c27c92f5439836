"""L41 with given curves; its criteria can fail."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import netwise as nw
from netwise.labs.optimizers import adam_then_sgd
from netwise.labs.optimizers.adam_then_sgd import candidates, criteria
from netwise.labs.record import recorded
from netwise.labs.small_photos import PhotoSettings
from netwise.parts.optimizers import SGD, Adam, Optimizer, SwitchOptimizer


def test_the_claim_is_confirmed_where_each_has_its_part(monkeypatch: pytest.MonkeyPatch) -> None:
    def curve(optimizer: Optimizer, settings: PhotoSettings, seed: int) -> Sequence[float]:
        start = 0.2 if isinstance(optimizer, SGD) else 0.3
        end = 0.5 if isinstance(optimizer, Adam) else 0.55
        steps = settings.epochs - 1
        return [start + (end - start) * i / steps + 0.001 * seed for i in range(settings.epochs)]

    monkeypatch.setattr(adam_then_sgd, "curve", curve)
    result, old = nw.lab("L41").run(), recorded("L41")
    assert old is not None
    assert list(result.numbers) == list(old["numbers"])
    assert dict(result.recipes) == old["recipes"]
    assert all(criterion.holds for criterion in result.criteria)


def test_the_switch_begins_with_the_chosen_adam() -> None:
    chosen = Adam(lr=0.003)
    for optimizer in candidates("Adam, then SGD", chosen):
        assert isinstance(optimizer, SwitchOptimizer)
        assert optimizer.first == chosen
        assert isinstance(optimizer.then, SGD)


def test_the_criteria_can_fail() -> None:
    numbers = {
        "epoch 1: Adam - SGD, points, mean": -1.0,
        "end: SGD - Adam, points, mean": -1.0,
        "end: SGD - Adam, points, low": -2.0,
        "Adam: accuracy, end": 0.5,
        "SGD: accuracy, end": 0.4,
        "Adam, then SGD: accuracy, end": 0.49,
    }
    assert not any(criterion.holds for criterion in criteria(numbers))
