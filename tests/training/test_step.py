"""Batches of an epoch, and steps that are taken again to find the first value that is not
finite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.data.dataset import Pairs
from netwise.observe.hooked_probe import HookedProbe
from netwise.training.step import Stepper, StepResults, count_correct, stream_batches

RECIPE = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), batch_size=20)


def stepper_of(recipe: nw.Recipe, train: Pairs | None = None, **options: Any) -> Stepper:
    torch.manual_seed(0)
    module = recipe.network.build()
    optimizer = recipe.optimizer.build(list(module.parameters()))
    train = recipe.data.load().train if train is None else train
    task = recipe.data.load().task
    return Stepper(recipe, module, optimizer, train, task, HookedProbe(module), 0, **options)


@pytest.mark.parametrize(("rows", "sizes"), [(40, [20, 20]), (41, [20, 21]), (42, [20, 20, 2])])
def test_batches_are_a_permutation_and_no_batch_has_one_sample(rows: int, sizes: list[int]) -> None:
    train = Pairs(torch.zeros(rows, 4), torch.zeros(rows, dtype=torch.long))
    batches = stepper_of(RECIPE, train).batches(epoch=0)
    assert [len(batch) for batch in batches] == sizes
    assert sorted(torch.cat(batches).tolist()) == list(range(rows))


def test_each_epoch_has_its_own_order_that_depends_on_the_seed() -> None:
    orders = [
        torch.cat(stepper_of(RECIPE.but(seed=seed)).batches(epoch)).tolist()
        for seed, epoch in ((0, 0), (0, 0), (0, 1), (1, 0))
    ]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    assert orders[0] != orders[3]


def test_streams_continue_from_batch_to_batch() -> None:
    batches = torch.stack(stream_batches(23, 4))
    assert batches.shape == (5, 4)
    assert bool((batches[1:] == batches[:-1] + 1).all())
    assert len(set(batches.flatten().tolist())) == 20


def test_fast_and_checked_steps_are_the_same() -> None:
    fast, checked = stepper_of(RECIPE), stepper_of(RECIPE)
    batches = fast.batches(0)
    results = fast.take(batches, 0, 0, 0)
    same, non_finite = checked.take_checked(
        batches, 0, 0, 0, save=lambda: None, restore=lambda: None
    )
    assert non_finite is None
    assert [float(loss) for loss in results.losses] == [float(loss) for loss in same.losses]
    assert count_correct(results) == count_correct(same)
    for one, other in zip(fast.parameters, checked.parameters, strict=True):
        assert torch.equal(one, other)


def test_a_request_to_stop_ends_after_the_step_of_the_moment() -> None:
    stepper = stepper_of(RECIPE, should_stop=lambda: True)
    assert stepper.take(stepper.batches(0), 0, 0, 0).steps == 1


def test_callbacks_are_called_once_a_step_with_the_number_of_the_batch() -> None:
    before: list[int] = []
    after: list[int] = []
    stepper = stepper_of(RECIPE, before_step=before.append, after_step=lambda: after.append(1))
    batches = stepper.batches(0)
    stepper.take(batches[:2], 0, 3, 3)
    assert before == [3, 4]
    assert after == [1, 1]


def test_inputs_that_are_not_finite_are_found_at_their_step_and_layer() -> None:
    samples = RECIPE.data.load().train
    x = samples.x.clone()
    stepper = stepper_of(RECIPE, Pairs(x, samples.y))
    batches = stepper.batches(0)
    x[batches[2]] = np.nan
    restored: list[int] = []
    assert not stepper.is_finite(stepper.take(batches, 0, 0, 0))
    stepper = stepper_of(RECIPE, Pairs(x, samples.y))
    results, non_finite = stepper.take_checked(
        batches, 0, 0, 0, save=lambda: None, restore=lambda: restored.append(1)
    )
    assert results.steps == 2
    assert non_finite is not None
    assert non_finite.step == 2
    assert restored == [1]


def test_correct_answers_are_counted_at_each_time_step() -> None:
    outputs = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])  # one sample, classes, steps
    assert count_correct(StepResults(outputs=[outputs], targets=[torch.tensor([[1, 0]])])) == 2
    assert count_correct(StepResults(outputs=[outputs], targets=[torch.tensor([[1, 1]])])) == 1
    assert count_correct(StepResults()) == 0


def test_hooks_of_activity_penalties_are_removed() -> None:
    recipe = RECIPE.but(penalty=nw.ActivityPenalty(strength=0.01))
    stepper = stepper_of(recipe)
    stepper.take(stepper.batches(0)[:1], 0, 0, 0)
    assert stepper.activities
    stepper.close()
    assert not any(layer._forward_hooks for layer in stepper.module.modules())
