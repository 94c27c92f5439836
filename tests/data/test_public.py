"""Public sets in the data folder: counts and ranges as their descriptions state."""

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


def test_usps_olivetti_and_silhouettes_are_as_described() -> None:
    usps = nw.data.usps(valid=0.0).load()
    assert torch.bincount(usps.train.y).tolist() == [
        1194,
        1005,
        731,
        658,
        652,
        556,
        664,
        645,
        542,
        644,
    ]
    assert torch.bincount(usps.test.y).tolist() == [
        359,
        264,
        198,
        166,
        200,
        160,
        170,
        147,
        166,
        177,
    ]
    assert usps.shape == (1, 16, 16)
    assert (float(usps.train.x.min()), float(usps.train.x.max())) == (-1.0, 1.0)
    faces = nw.data.olivetti(valid=0.0, test=0.0).load()
    assert faces.shape == (1, 64, 64)
    assert torch.bincount(faces.train.y).tolist() == [10] * 40
    things = nw.data.silhouettes().load()
    assert (len(things.train), len(things.valid), len(things.test)) == (4_100, 2_264, 2_307)
    assert len(things.classes) == 101
    assert sorted(things.train.x.unique().tolist()) == [0.0, 1.0]
    assert float(things.train.x.mean()) == pytest.approx(
        1 - 0.5511, abs=1e-4
    )  # the thing is 1, where the file has 0


def test_the_faces_stand_upright() -> None:
    x = nw.data.olivetti(valid=0.0, test=0.0).load().train.x.mean(0)[0]
    # A mean face is symmetric from left to right, and is not from top to bottom.
    assert float((x - x.flip(1)).abs().mean()) < 0.5 * float((x - x.flip(0)).abs().mean())


def test_tiny_shakespeare_has_its_alphabet() -> None:
    samples = nw.data.text(length=100).load()
    assert len(samples.classes) == 65
    assert len(samples.train) == (round(1_115_394 * 0.9) - 1) // 100
    assert samples.encoder.decode(samples.train.x[0, :13].tolist()) == "First Citizen"  # type: ignore[attr-defined]


def test_the_notes_way_with_mnist_watches_the_test_images() -> None:
    samples = nw.data.mnist(first=1000, validate_on="test").load()
    assert (len(samples.train), len(samples.valid), len(samples.test)) == (1000, 10_000, 0)
    whole = nw.data.mnist(valid=0.0).load()
    assert torch.equal(samples.train.x, whole.train.x[:1000])
    assert torch.equal(samples.valid.x, whole.test.x)
    with pytest.raises(nw.DataError, match="there are 60000 training images"):
        nw.data.mnist(first=70_000).load()
