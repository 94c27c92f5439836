"""Data sets load into three parts that do not overlap, drawn by their own seed, stratified."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

import netwise as nw
from netwise.data.dataset import split_rows


@given(
    st.integers(30, 400),
    st.integers(2, 4),
    st.sampled_from([0.0, 0.1, 0.25, 0.4]),
    st.sampled_from([0.0, 0.15, 0.3]),
    st.integers(0, 2**32 - 1),
)
def test_a_split_is_a_partition_stratified_and_repeatable(
    rows: int, classes: int, valid: float, test: float, seed: int
) -> None:
    labels = np.arange(rows) % classes
    data = nw.data.digits(valid=valid, test=test, split_seed=seed)
    parts = split_rows(labels, rows, data)
    assert sorted(np.concatenate(parts).tolist()) == list(range(rows))
    assert len(parts[2]) == int(np.ceil(rows * test))
    for part in parts:
        if len(part) >= classes:
            share = np.bincount(labels[part], minlength=classes) / len(part)
            assert np.abs(share - 1 / classes).max() < 1.5 / len(part) + 1.5 / rows
    again = split_rows(labels, rows, data)
    assert all((a == b).all() for a, b in zip(parts, again, strict=True))


def test_another_split_seed_is_another_split_and_the_run_seed_is_not() -> None:
    one, other = nw.data.iris(split_seed=0).load(), nw.data.iris(split_seed=1).load()
    assert not torch.equal(one.test.x, other.test.x)


def test_a_class_of_one_sample_does_not_stop_the_split() -> None:
    labels = np.array([0] * 30 + [1])
    parts = split_rows(labels, 31, nw.data.digits())
    assert sum(map(len, parts)) == 31


def test_without_stratify_rows_are_drawn_regardless_of_class() -> None:
    labels = np.repeat([0, 1], 50)
    parts = split_rows(labels, 100, nw.data.digits(stratify=False))
    plain = split_rows(None, 100, nw.data.digits())
    assert all((a == b).all() for a, b in zip(parts, plain, strict=True))
    with_default = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 3)))
    assert "stratify" not in nw.recipe_text(with_default)
    without = with_default.but(data=nw.data.iris(stratify=False))
    assert "stratify = false" in nw.recipe_text(without)
    assert without.hash != with_default.hash


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(
        nw.DataError, match="1 samples are too few for parts of valid = 0.2 and test = 0.2"
    ):
        split_rows(None, 1, nw.data.digits())


def test_regression_targets_are_scaled_by_the_training_part() -> None:
    raw, scaled = nw.data.diabetes(scale_target=False).load(), nw.data.diabetes().load()
    mean, scale = raw.train.y.mean(0), raw.train.y.std(0, unbiased=False)
    assert torch.allclose(
        scaled.test.y * scaled.target_scale + scaled.target_mean, raw.test.y, atol=1e-3
    )
    assert torch.allclose(scaled.target_mean, mean)
    assert torch.allclose(scaled.target_scale, scale)


def test_loading_twice_reads_once() -> None:
    assert nw.data.iris().load() is nw.data.iris().load()


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,y\n" + "1,u\n2,v\n" * 10)
    data = nw.data.csv(path, "y", valid=0.0, test=0.0)
    first = data.load()
    assert data.load() is first
    path.write_text("a,y\n" + "1,u\n2,v\n" * 12)
    assert len(data.load().train) == 24


def test_views_of_a_file_that_changed_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,y\n" + "1,u\n2,v\n" * 10)
    fold = nw.data.Fold(data=nw.data.csv(path, "y"), folds=2)
    fewer = nw.data.Fewer(data=fold, rows=4)
    before = len(fold.load().train), fewer.load()
    path.write_text("a,y\n" + "1,u\n2,v\n" * 40)
    assert len(fold.load().train) > before[0]
    assert fewer.load() is not before[1]


def test_an_interface_names_a_data_set_to_use() -> None:
    with pytest.raises(TypeError, match="Data is an interface without this method: use a member"):
        nw.data.Data().read()


def test_rewritten_texts_and_images_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "song.txt"
    path.write_text("do re mi " * 100)
    text = nw.data.text(path, length=10)
    assert len(text.load().classes) == 7
    path.write_text("la la la " * 100)
    assert len(text.load().classes) == 3

    from PIL import Image

    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(5):
            Image.new("L", (2, 2), 10 * number).save(tmp_path / "photos" / name / f"{number}.png")
    images = nw.data.images(tmp_path / "photos", height=2, width=2, colour="grey")
    assert sum(len(part) for part in _parts(images.load())) == 10
    Image.new("L", (2, 2)).save(tmp_path / "photos" / "dog" / "6.png")
    assert sum(len(part) for part in _parts(images.load())) == 11


def _parts(samples: nw.data.Samples) -> tuple[nw.data.Pairs, ...]:
    return samples.train, samples.valid, samples.test
