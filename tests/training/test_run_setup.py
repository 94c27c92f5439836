"""What is fixed of a run: batches, parameters and their rates, module and data."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import netwise as nw
from netwise.recipe.prepared import prepare
from netwise.training.fit import initialize
from netwise.training.run_setup import Setup, set_up
from netwise.training.settings import RunOptions

DIGITS = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 20, 10)), batch_size=100)


def setup_of(recipe: nw.Recipe) -> Setup:
    return set_up(recipe, prepare(recipe), RunOptions(), initialize)


def test_a_network_without_weights_is_refused() -> None:
    recipe = nw.Recipe(
        data=nw.data.arrays(np.zeros((20, 2)), [0, 1] * 10),
        network=nw.CustomNetwork("torch.nn:Flatten"),
    )
    with pytest.raises(nw.WrongValue, match="has no weights that can be trained"):
        nw.fit(recipe)


def test_a_last_batch_of_one_joins_the_one_before() -> None:
    data = nw.data.arrays(
        np.random.default_rng(0).normal(size=(21, 3)), [0, 1, 1] * 7, valid=0, test=0
    )
    recipe = nw.Recipe(
        data=data, network=nw.MLP((3, 4, 2), batch_norm=True), batch_size=5, epochs=2
    )
    run = nw.fit(recipe)
    assert run.history.ended.step == 8
    assert run.score is None


@pytest.mark.parametrize(("rows", "steps"), [(20, 4), (21, 4), (22, 5), (3, 1), (1, 1)])
def test_steps_of_an_epoch_are_the_batches_that_are_made(rows: int, steps: int) -> None:
    data = nw.data.arrays(np.eye(rows), np.arange(rows) % 2, valid=0, test=0)
    setup = setup_of(nw.Recipe(data=data, network=nw.MLP((rows, 2)), batch_size=5))
    assert setup.steps_per_epoch == steps


def test_equal_recipes_have_equal_first_weights() -> None:
    first, second = (setup_of(DIGITS).module.state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_without_initialize_the_weights_are_those_of_the_built_module() -> None:
    zeros = DIGITS.but(init=nw.Constant(0.0))
    setup = set_up(zeros, prepare(zeros), RunOptions(), None)
    assert float(setup.module[1].weight.detach().abs().max()) > 0  # type: ignore[index]


def test_parameters_are_grouped_by_their_rate_and_frozen_ones_need_no_gradient() -> None:
    tuning = nw.FineTune(freeze=("layer1",), rates=("layer2=0.1",))
    setup = setup_of(DIGITS.but(tuning=tuning))
    sizes = {group.factor: sum(p.numel() for p in group.params) for group in setup.groups}
    assert sizes == {0.1: 30 * 20 + 20, 1.0: 20 * 10 + 10}
    frozen = [p for p in setup.module.parameters() if not p.requires_grad]
    assert sum(p.numel() for p in frozen) == 64 * 30 + 30
    assert setup.layer_factors["layer1"] == 0


def test_augmentations_that_add_samples_enlarge_the_training_part_alone() -> None:
    setup = setup_of(DIGITS.but(augment=(nw.NoiseCopies(),)))
    assert len(setup.train) > len(setup.samples.train)
    assert len(setup.valid) == len(setup.samples.valid)


class TooNarrow(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1)[:, :3]


def test_an_own_network_with_too_few_outputs_is_refused() -> None:
    recipe = DIGITS.but(network=nw.CustomNetwork(TooNarrow))
    with pytest.raises(nw.WrongValue, match="gives 3 outputs, and the data have 10 classes"):
        nw.fit(recipe)


def test_stacks_are_modules_whose_layers_train_one_after_the_other() -> None:
    stack = setup_of(
        nw.Recipe(data=nw.data.digits(), network=nw.DBN((64, 10, 5)), loss=nw.CD(), epochs=2)
    )
    assert stack.stack is stack.module
    assert setup_of(DIGITS).unsupervised is None
