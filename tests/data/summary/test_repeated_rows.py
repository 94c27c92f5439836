"""Rows are equal where their hashes are, in frames and in tensors."""

from __future__ import annotations

import numpy as np
import polars as pl
import torch
from hypothesis import given, strategies as st

from netwise.data.summary.repeated_rows import counted_repeats, hashes_of_frame, hashes_of_tensors

ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=3, max_size=40)


@given(ROWS, st.data())
def test_repeats_are_those_of_sets(rows: list[tuple[int, int]], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(rows))))
    cut = sorted(data.draw(st.tuples(*[st.integers(0, len(rows))] * 2)))
    parts = [np.array(order[a:b], int) for a, b in ((0, cut[0]), cut, (cut[1], None))]  # type: ignore[arg-type,misc]
    train, valid, test = ([rows[i] for i in part] for part in parts)
    expected = (
        len(rows) - len(set(rows)),
        sum(row in set(train) for row in valid),
        sum(row in {*train, *valid} for row in test),
    )
    x = torch.tensor([row[0] for row in rows], dtype=torch.float32)
    y = torch.tensor([row[1] for row in rows])
    frame = pl.DataFrame({"x": [row[0] for row in rows], "y": [str(row[1]) for row in rows]})
    assert counted_repeats(hashes_of_tensors([x, y]), parts) == expected
    assert counted_repeats(hashes_of_frame(frame), parts) == expected


def test_pictures_in_blocks_and_both_zeros() -> None:
    x = torch.rand(9, 1, 8, 8)
    x[4] = x[2]
    x[5], x[6] = 0.0, -0.0
    hashes = hashes_of_tensors([x])
    assert hashes[4] == hashes[2]
    assert hashes[5] == hashes[6]
    assert len(set(hashes.tolist())) == 7
    assert hashes_of_tensors([x[:0], torch.zeros(0, 0)]).shape == (0,)
