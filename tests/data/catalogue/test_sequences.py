"""Sequence tasks: inputs and targets as their papers define them."""

from __future__ import annotations

import pytest
import torch

import netwise as nw


def test_inputs_and_targets_are_as_described() -> None:
    adding = nw.data.adding(length=20, samples=200).load()
    assert adding.train.x.shape[1:] == (20, 2)
    marks = adding.train.x[:, :, 1]
    assert bool((marks[:, :10].sum(1) == 1).all())
    assert bool((marks[:, 10:].sum(1) == 1).all())
    assert (
        nw.data.adding(seed=1, samples=50).load().train.x[0, 0, 0]
        != nw.data.adding(seed=2, samples=50).load().train.x[0, 0, 0]
    )
    copying = nw.data.copying(word=4, wait=6, letters=3, samples=100).load()
    assert copying.classes == ("a", "b", "c", "_", ">")
    x, y = copying.train.x, copying.train.y
    assert x.shape[1] == 15
    assert torch.equal(x[:, :4], y[:, -4:])
    assert bool((x[:, 10] == 4).all())
    assert bool((y[:, :-4] == 3).all())


def test_the_target_of_adding_is_the_sum_of_the_marked_numbers() -> None:
    train = nw.data.adding(length=7, samples=500).load().train
    marked = train.x[:, :, 1] == 1
    for x, y, marks in zip(train.x, train.y, marked, strict=True):
        assert float(y) == pytest.approx(float(x[marks, 0].sum()), abs=1e-6)


def test_a_constant_prediction_of_adding_has_its_stated_error() -> None:
    data = nw.data.adding(samples=20_000, valid=0.0, test=0.0, length=4).load().train
    assert float((data.y - 1).square().mean()) == pytest.approx(1 / 6, abs=0.005)


def test_copying_has_equal_frequencies_of_letters() -> None:
    x = nw.data.copying(word=5, wait=2, letters=4, samples=4000).load().train.x
    shares = torch.bincount(x[:, :5].flatten(), minlength=6) / x[:, :5].numel()
    assert torch.allclose(shares[:4], torch.full((4,), 0.25), atol=0.02)
    assert shares[4:].sum() == 0


def test_wrong_sizes_are_refused_with_what_to_write() -> None:
    with pytest.raises(nw.WrongValue, match="length = 1  must be at least 2.* Write 50"):
        nw.data.adding(length=1)
    with pytest.raises(nw.WrongValue, match="letters = 27  must be at most 26.* Write 8"):
        nw.data.copying(letters=27)
