"""Settings of the estimators that are names or "auto"."""

from __future__ import annotations

import pytest

import netwise as nw
from netwise.estimators import defaults


@pytest.mark.parametrize(
    ("setting", "rows", "fraction", "expected"),
    [
        ("auto", 999, 0.1, False),
        ("auto", 1000, 0.1, True),
        (True, 10, 0.1, True),
        (True, 9, 0.1, False),  # a tenth of nine samples is none
        (False, 10**6, 0.1, False),
    ],
)
def test_a_part_is_held_out_where_it_pays(
    setting: bool | str, rows: int, fraction: float, expected: bool
) -> None:
    assert defaults.holds_out(setting, rows, fraction) is expected


def test_activations_by_name_and_their_initial_weights() -> None:
    assert defaults.activation_of("ReLU") == nw.ReLU()
    assert defaults.activation_of("logistic") == nw.Sigmoid()
    assert defaults.initializer_for(nw.GELU()) == nw.He()
    assert defaults.initializer_for(nw.Tanh()) == nw.Glorot()
    with pytest.raises(ValueError, match="must be one of .*Did you mean `tanh`"):
        defaults.activation_of("tanhh")


def test_members_are_an_ensemble_unless_the_model_is_linear() -> None:
    assert defaults.members_for("auto", (256,)) == 8
    assert defaults.members_for(3, (256,)) == 3
    assert defaults.members_for("auto", ()) == 1
    for wrong in (0, 1.5, "many"):
        with pytest.raises(ValueError, match="members = .* must be a whole number from 1"):
            defaults.members_for(wrong, (256,))  # type: ignore[arg-type]
