"""Confusion matrix and worst mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix as reference

from netwise.report.pictures.answer_plots import confusion_matrix, worst_mistakes


def test_the_matrix_has_the_counts_of_scikit_learn(drawn: list[Any]) -> None:
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 4, 60), rng.integers(0, 4, 60)
    expected = reference(truth, predicted)
    picture = confusion_matrix(expected.tolist(), ["a", "b", "c", "d"], "test")
    assert picture.startswith("<svg")
    axis = drawn[0].axes[0]
    counts = np.zeros((4, 4), dtype=int)
    for text in axis.texts:
        column, row = text.get_position()
        counts[row, column] = int(text.get_text())
    np.testing.assert_array_equal(counts, expected)
    fractions = expected / expected.sum(1, keepdims=True)
    np.testing.assert_allclose(axis.images[0].get_array(), fractions)
    assert axis.get_ylabel() == "true class"


def test_a_class_without_samples_and_too_many_classes() -> None:
    assert confusion_matrix([[0, 0], [0, 0]], ["a", "b"], "test").startswith("<svg")
    assert confusion_matrix([[0] * 31] * 31, [str(i) for i in range(31)], "test") == ""
    assert confusion_matrix([], [str(i) for i in range(101)], "test") == ""


def test_mistakes_are_titled_with_both_classes_and_the_probability(drawn: list[Any]) -> None:
    images = np.random.default_rng(0).random((12, 1, 8, 8))
    truth, predicted = ["cat"] * 12, ["dog"] * 12
    probability = np.linspace(0.99, 0.5, 12)
    assert worst_mistakes(images, truth, predicted, probability).startswith("<svg")
    shown = [axis for axis in drawn[0].axes if axis.images]
    assert len(shown) == 10
    assert shown[0].get_title() == "cat\n→ dog\nat 99 %"
    low, high = shown[0].images[0].get_array().min(), shown[0].images[0].get_array().max()
    assert (low, high) == (0.0, 1.0)


def test_colour_images_keep_their_channels_and_no_mistakes_no_picture(drawn: list[Any]) -> None:
    images = np.random.default_rng(0).random((2, 3, 4, 4))
    worst_mistakes(images, ["a", "b"], ["b", "a"], np.array([0.9, 0.8]))
    assert drawn[0].axes[0].images[0].get_array().shape == (4, 4, 3)
    assert worst_mistakes(images[:0], [], [], np.zeros(0)) == ""
