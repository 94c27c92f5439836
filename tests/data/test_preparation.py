"""Prepared inputs are used like other tensors and arrays, and keep their mark."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.data.preparation import PreparedArray, PreparedTensor, preparation_of, unmarked
from netwise.recipe.prepared import prepare
from netwise.training.run_setup import set_up
from netwise.training.settings import RunOptions

X = nw.data.digits().load().test.x


@pytest.mark.parametrize(
    ("result", "changed"),
    [
        (X[2:5], False),
        (X[[1, 4]], False),
        (X.split(100)[1], False),
        (X.numpy()[::2], False),
        (np.asarray(X)[3], False),
        (X / 2, True),
        (1 - X, True),
        (X.clamp(0, 0.5), True),
        (X.numpy() - 1, True),
        (torch.stack([X, X + 1]), True),
        (X.mean(0), None),
        (X.flatten(1) @ torch.ones(64, 3), None),
        (torch.nn.Linear(8, 2)(X), None),
        (X > 0.5, None),
        (np.array(X), None),
        (np.array(X.numpy()), None),
        (np.asarray(X, np.float64), None),
        (X.numpy() > 0.5, None),
        (X.tolist(), None),
    ],
)
def test_what_is_made_of_prepared_inputs(result: object, changed: bool | None) -> None:
    mark = preparation_of(result)
    assert (None if mark is None else mark.changed) == changed


def test_they_are_numbers_like_others() -> None:
    plain = unmarked(X)
    assert type(plain) is torch.Tensor
    assert plain.data_ptr() == X.data_ptr()
    assert torch.equal(X, plain)
    assert isinstance(X, PreparedTensor)
    assert isinstance(X.numpy(), PreparedArray)
    assert float(X.sum()) == float(plain.sum())
    assert type(X.numpy().mean()) is np.float32
    assert torch.equal(pickle.loads(pickle.dumps(X)), plain)
    torch.save(X, io.BytesIO())
    x = X.clone().requires_grad_()
    (x * 2).sum().backward()
    assert torch.equal(x.grad, torch.full_like(plain, 2))  # type: ignore[arg-type]


def test_training_takes_plain_tensors(small: nw.Recipe) -> None:
    prepared = prepare(small.but(preprocess=(nw.Standardise(),)))
    setup = set_up(small, prepared, RunOptions(), None)
    parts = (setup.train, setup.valid, setup.test)
    assert {type(part.x) for part in parts} == {torch.Tensor}
    assert {type(part.y) for part in parts} == {torch.Tensor}
    mark = preparation_of(prepared.samples.test.x)
    assert mark is not None
    assert mark.steps == (nw.Standardise(),)
