"""Changing the optimizer within a run."""

from __future__ import annotations

import netwise as nw


def test_a_switch_at_an_epoch_or_a_plateau() -> None:
    at = nw.SwitchOptimizer(epoch=2)
    state = at.start()
    names = []
    for epoch in range(4):
        state = at.next_state(state, epoch, 0.5)
        names.append(type(at.active(state)).__name__)
    assert names == ["Adam", "Adam", "SGD", "SGD"]
    plateau = nw.SwitchOptimizer(patience=2)
    state, names = plateau.start(), []
    for epoch, loss in enumerate([None, 1.0, 0.9, 0.95, 0.95, 0.1]):
        state = plateau.next_state(state, epoch, loss)
        names.append(type(plateau.active(state)).__name__)
    assert names == ["Adam", "Adam", "Adam", "Adam", "SGD", "SGD"]
