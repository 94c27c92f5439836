"""Public tables: counts and columns as their descriptions state."""

from __future__ import annotations

import pytest
import torch

import netwise as nw

pytestmark = [pytest.mark.files, pytest.mark.usefixtures("data_files")]


@pytest.mark.parametrize(
    ("data", "sizes", "features", "classes"),
    [
        (nw.data.adult(valid=0.0), (32_561, 0, 16_281), None, 2),
        (nw.data.letter(test=0.2, valid=0.0), (16_000, 0, 4_000), 16, 26),
        (nw.data.spambase(), (2_760, 920, 921), 57, 2),
        (nw.data.sonar(), (125, 41, 42), 60, 2),
    ],
    ids=lambda d: type(d).__name__ if isinstance(d, nw.data.Data) else "",
)
def test_a_table_has_its_published_counts(
    data: nw.data.Data, sizes: tuple[int, ...], features: int | None, classes: int
) -> None:
    samples = data.load()
    assert (len(samples.train), len(samples.valid), len(samples.test)) == sizes
    assert len(samples.classes) == classes
    if features is not None:
        assert samples.train.x.shape[1] == features
    assert torch.isfinite(samples.train.x).all()


def test_adults_gaps_words_and_full_stops() -> None:
    samples = nw.data.adult(valid=0.0).load()
    assert samples.classes == ("<=50K", ">50K")
    assert torch.bincount(samples.train.y).tolist() == [24_720, 7_841]
    assert torch.bincount(samples.test.y).tolist() == [12_435, 3_846]
    names = samples.encoder.features  # type: ignore[attr-defined]
    assert "workclass=(missing)" in names
    assert "age" in names


def test_california_is_a_regression_in_dollars() -> None:
    samples = nw.data.california_housing(valid=0.0, test=0.0).load()
    assert len(samples.train) == 20_640
    assert float(samples.target_mean) == pytest.approx(206_855.8, abs=1)
    assert samples.train.x.shape[1] == 8
