"""Fingerprints of rows: equal for equal rows, and for hardly any others."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from netwise.observe.row_fingerprints import KnownRows, fingerprints


def draw(*shape: int, seed: int = 3) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    "dtype",
    [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8],
    ids=str,
)
def test_rows_have_the_same_fingerprint_in_any_batch(dtype: torch.dtype) -> None:
    x = (draw(100, 3, 12, 12) * 40).abs().to(dtype)
    whole = fingerprints([x])
    assert len(set(whole)) == 100
    order = torch.randperm(100, generator=torch.Generator().manual_seed(0))
    assert fingerprints([x[order]]) == [whole[i] for i in order]
    assert fingerprints([x[7:8]]) == whole[7:8]


def test_small_changes_change_the_fingerprint() -> None:
    x = draw(1000, 8)
    assert not set(fingerprints([x])) & set(fingerprints([x + 1e-6]))
    bits = torch.tensor([[i >> b & 1 for b in range(12)] for i in range(1, 4095)])
    assert len(set(fingerprints([bits]))) == 4094
    assert len(set(fingerprints([bits.float()]))) == 4094


def test_rows_of_few_words_are_told_apart() -> None:
    """Of two thousand words a text has forty: any 64 columns are most often all but empty."""
    words = (torch.rand(600, 2000, generator=torch.Generator().manual_seed(2)) < 0.02).float()
    whole = fingerprints([words])
    assert len(set(whole)) == 600
    known = KnownRows()
    known.add([words[:400]])
    assert known.share([words[400:]]) == 0
    assert known.share([words[100:110]]) == 1
    assert fingerprints([words[7:9]]) == whole[7:9]


def test_rows_of_several_inputs() -> None:
    users, items = torch.arange(20).repeat(20), torch.arange(20).repeat_interleave(20)
    assert len(set(fingerprints([users, items]))) == 400
    assert fingerprints([users[5:9], items[5:9]]) == fingerprints([users, items])[5:9]


def test_what_has_no_fingerprint() -> None:
    assert fingerprints([]) == []
    assert fingerprints([torch.zeros(5, 784)]) == []  # empty pictures
    assert fingerprints([torch.tensor(3.0)]) == []
    assert fingerprints([torch.zeros(0, 4)]) == []
    assert fingerprints([torch.ones(4, 2, device="meta")]) == []
    assert KnownRows().share([draw(3, 2)]) is None


def test_known_rows_are_bounded() -> None:
    known, x = KnownRows(most=100), draw(400, 4)
    for part in x.split(50):
        known.add([part])
    assert known.share_kept == pytest.approx(0.25)
    assert known.share([x]) == pytest.approx(0.25)
    assert known.share([draw(50, 4, seed=5)]) == 0


def test_large_batches_are_read_in_part() -> None:
    x = draw(20_000, 100)
    assert len(fingerprints([x])) == 4096
    assert len(fingerprints([x], most_rows=32)) == 32
    known = KnownRows()
    known.add([x])
    assert known.share([x], most_rows=4096) == 1
