"""Patterns without labels, and the file of binarized digits."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.data.catalogue.image_sets import read_bits


def test_the_encoder_problem_has_one_bit_in_each_group() -> None:
    x = nw.data.encoder_problem(units=8).load().train.x
    assert x.shape == (8, 16)
    assert torch.equal(x[:, :8], x[:, 8:])
    assert bool((x.sum(1) == 2).all())


def test_random_patterns_are_equal_for_equal_seeds_and_half_on() -> None:
    one, other = (
        nw.data.random_patterns(count=500, units=40, seed=s).load().train.x for s in (1, 2)
    )
    assert torch.equal(one, nw.data.random_patterns(count=500, units=40, seed=1).load().train.x)
    assert not torch.equal(one, other)
    assert abs(float(one.mean())) < 0.03


def test_arrays_need_no_targets_where_inputs_are_learned() -> None:
    data = nw.data.arrays(np.eye(6, dtype=np.float32))
    samples = data.load()
    assert samples.task == "density"
    assert len(samples.train) + len(samples.valid) + len(samples.test) == 6
    with pytest.raises(nw.WrongValue, match="is for classification, and the data are for density"):
        nw.fit(nw.Recipe(data=data, network=nw.MLP((6, 2))))
    run = nw.fit(
        nw.Recipe(data=data, network=nw.Autoencoder((6, 3)), loss=nw.MeanSquaredError(), epochs=1)
    )
    assert run.history.ended.how == "finished"


def test_a_file_of_bits_is_read_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.amat"
    path.write_text("0 1 1\n1 0 0\n")
    assert read_bits(path, 3).tolist() == [[0, 1, 1], [1, 0, 0]]
    path.write_bytes(gzip.compress(b"0 1 1\n1 0 0\n"))
    assert read_bits(path, 3).tolist() == [[0, 1, 1], [1, 0, 0]]
    path.write_text("0 1 1\n1 0\n")
    with pytest.raises(nw.DataError, match="should have 3 on each line"):
        read_bits(path, 3)
    path.write_bytes(gzip.compress(b"0 1 1\n1 0 0\n")[:-4])
    with pytest.raises(nw.DataError, match="no whole file of bits"):
        read_bits(path, 3)


def test_the_published_parts_of_binarized_mnist(data_files: Path) -> None:
    samples = nw.data.binarized_mnist(first=100).load()
    assert (len(samples.train), len(samples.valid), len(samples.test)) == (100, 10_000, 10_000)
    assert float(samples.valid.x.mean()) == pytest.approx(0.1311, abs=5e-4)
    assert float(samples.test.x.mean()) == pytest.approx(0.1325, abs=5e-4)
    assert samples.train.x.unique().tolist() == [0.0, 1.0]
