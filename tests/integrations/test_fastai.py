"""fastai: observed without a change of the program. Its optimizers are none of torch's."""

from __future__ import annotations

import warnings
from functools import partial

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from framework_checks import (
    BATCH,
    EPOCHS,
    RATE,
    Network,
    Numbers,
    classes,
    names,
    numbers,
    observed,
    validation,
)

pytestmark = pytest.mark.filterwarnings("ignore")  # warnings of fastai's dependencies

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it uses torch.jit.script
    pytest.importorskip("fastai.callback.progress", reason="needs fastai: pip install fastai")
    from fastai.data.core import DataLoaders
    from fastai.data.load import DataLoader
    from fastai.learner import Learner


def train(fault: str = "", epochs: int = EPOCHS) -> Numbers:
    torch.manual_seed(0)
    data = TensorDataset(*classes())
    loaders = DataLoaders(
        DataLoader(data, bs=BATCH), DataLoader(TensorDataset(*validation()), bs=64)
    )
    learner = Learner(loaders, Network(fault=fault), loss_func=nn.CrossEntropyLoss())
    with learner.no_bar(), learner.no_logging():
        learner.fit(epochs, RATE)
    return numbers(learner.model, [float(each) for each in learner.recorder.losses])


def test_nothing_is_found_in_a_healthy_program_and_its_steps_are_not_observed() -> None:
    history = observed(train).history()
    assert names(history) == ()
    assert history.wiring.optimizers == ()
    assert history.wiring.losses[0].operation == "cross entropy"
    assert any("torch.optim.Optimizer" in reason for reason in history.wiring.not_observed.values())


def test_a_second_softmax_is_named() -> None:
    assert "output_misfits_loss" in names(observed(partial(train, "softmax")).history())
