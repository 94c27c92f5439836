"""Answers by thresholds of probability."""

from __future__ import annotations

import numpy as np
import pytest

import netwise as nw
from netwise.scoring.thresholds import chosen_classes, thresholds_of

SHARES = np.array([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.4, 0.4, 0.2], [0.05, 0.05, 0.9]])
NAMES = ("a", "b", "c")


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        ({}, "acac"),
        ({"a": 0.35}, "acac"),
        ({"b": 0.25}, "bcbc"),
        ({"b": 0.25, "c": 0.85}, "babc"),
        ({"c": 0.95}, "abaa"),
        ({"a": 0.9, "b": 0.9, "c": 0.9}, "acac"),
        ({"a": 0.5, "b": 0.2}, "bbbc"),
    ],
)
def test_a_class_is_the_answer_from_its_threshold_on(
    threshold: dict[str, float], expected: str
) -> None:
    assert "".join(NAMES[i] for i in chosen_classes(SHARES, NAMES, threshold)) == expected


def test_a_number_alone_is_for_the_second_of_two_classes() -> None:
    assert thresholds_of(0.3, ("no", "yes")) == {"yes": 0.3}
    shares = np.array([[0.71, 0.29], [0.7, 0.3], [0.2, 0.8]])
    assert chosen_classes(shares, ("no", "yes"), 0.3).tolist() == [0, 1, 1]
    for threshold in np.linspace(0.05, 1, 20):
        expected = (shares[:, 1] >= threshold).astype(int)
        np.testing.assert_array_equal(chosen_classes(shares, ("no", "yes"), threshold), expected)


def test_wrong_thresholds_are_named() -> None:
    with pytest.raises(nw.WrongValue, match=r"is for two classes, and there are 3.*'c': 0\.3"):
        thresholds_of(0.3, NAMES)
    with pytest.raises(nw.UnknownName, match="'d'"):
        thresholds_of({"d": 0.3}, NAMES)
    for value in (0.0, 1.5, -1, float("nan")):
        with pytest.raises(nw.WrongValue, match="no probability above 0"):
            thresholds_of({"a": value}, NAMES)
