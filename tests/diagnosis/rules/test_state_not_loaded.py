"""States that did not fit: the sentence names both sides, the change says how to mend the names."""

from __future__ import annotations

import pytest

from histories import found, observed
from netwise.diagnosis.rules.loaded_states import state_not_loaded


@pytest.mark.parametrize(
    ("given", "change"),
    [
        ("module.fc.weight", 'removeprefix("module.")'),
        ("state_dict", 'checkpoint["state_dict"]'),
        ("layer1.weight", "assert not keys.unexpected_keys"),
    ],
)
def test_a_state_without_effect(given: str, change: str) -> None:
    entry = f"Net: 0 of 4: {given}: fc.weight"
    finding = found(state_not_loaded(observed(unmatched_states=(entry,))))
    assert f"which has `{given}` where the module has `fc.weight`" in finding.sentence
    assert change in finding.change


def test_no_finding() -> None:
    assert state_not_loaded(observed()) is None
