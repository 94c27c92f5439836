"""Data without columns have a summary, too."""

from __future__ import annotations

import numpy as np
import pytest

import netwise as nw


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (nw.data.iris(), "150 samples of 4 numbers. | 3 classes, setosa: 50 (33.3 %) | 30 for the"),
        (nw.data.digits(), "1,797 samples of 1 x 8 x 8 numbers. | each class by its share"),
        (
            nw.data.diabetes(),
            "numbers (regression) from 25 to 346 | drawn at random (split_seed 0).",
        ),
        (nw.data.random_patterns(), "Target: none (density)."),
        (nw.data.Fold(data=nw.data.iris()), "iris: 150 samples | 96 rows to train on"),
        (nw.data.adding(samples=100, length=10), "adding: 100 samples of"),
        (nw.data.arrays(np.eye(20), [0, 1] * 10, time=range(20)), "earlier rows first"),
        (nw.data.arrays(np.eye(20), [0, 1] * 10, group=np.arange(20) // 2), "whole groups, drawn"),
        (
            nw.data.arrays(np.eye(20), [0, 1] * 10, test=(np.eye(20)[:3], [0, 1, 1])),
            "3 for the test | the test part is your own | Repeated rows: 2 of 23",
        ),
    ],
    ids=range(9),
)
def test_summaries(data: nw.data.Data, words: str) -> None:
    text = " ".join(str(data.summary()).split())
    for word in words.split(" | "):
        assert word in text


def test_copies_across_parts_are_told() -> None:
    X = np.repeat(np.random.default_rng(0).normal(size=(50, 3)), 4, axis=0)
    summary = nw.data.arrays(X, X[:, 0]).summary()
    assert summary.repeats is not None
    assert summary.repeats.rows == 150
    assert "rows of the test part" in summary.advice[0]
    grouped = nw.data.arrays(X, X[:, 0], group=np.arange(200) // 4).summary()
    assert grouped.repeats is not None
    assert grouped.repeats.test == 0
    assert grouped.advice == ()
