"""Scores as text, with the units of what they measure."""

from __future__ import annotations

import pytest

from netwise.scoring.score import Score, number_text, value_text


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("accuracy", 0.9694, "96.9 %"),
        ("balanced_accuracy", 0.5, "50.0 %"),
        ("auc", 0.91234, "0.912"),
        ("log_loss", 0.12345, "0.123 nats"),
        ("mae", 1234.5, "1234"),
        ("mae", 0.00123456, "0.001235"),
        ("rmse", 3.2e9, "3.2e+09"),
        ("r2", -0.5, "-0.500"),
    ],
)
def test_values_have_their_units(name: str, value: float, text: str) -> None:
    assert value_text(name, value) == text
    assert text.startswith(number_text(name, value))


def test_a_score_says_what_it_measures() -> None:
    assert str(Score("balanced_accuracy", 0.5, 0.4, 0.6, 80)) == (
        "balanced accuracy 50.0 % (95 % interval 40.0 to 60.0; 80 samples)"
    )
