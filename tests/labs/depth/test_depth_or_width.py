"""The networks of L64 have equal numbers of parameters; its tasks are what they are said to be; its
criteria can fail both ways."""

from __future__ import annotations

import pytest
import torch

from netwise.labs.depth.depth_or_width import (
    DEPTHS,
    MNIST,
    PARAMETERS,
    PRODUCT,
    DepthOrWidthSettings,
    depth_criteria,
    parameters,
    product_task,
    train,
    widths_of,
)
from netwise.labs.lab_definition import LabResult
from netwise.labs.stacked_mlp import new_stack
from netwise.networks import MLP


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(("task", "inputs", "outputs"), [(MNIST, 784, 10), (PRODUCT, 4, 2)])
def test_networks_have_equal_numbers_of_parameters(
    depth: int, task: str, inputs: int, outputs: int
) -> None:
    widths = widths_of(inputs, outputs, depth, PARAMETERS[task])
    module = MLP(widths).build()
    assert sum(p.numel() for p in module.parameters()) == parameters(widths)
    assert parameters(widths) == pytest.approx(PARAMETERS[task], rel=0.05)
    assert len(widths) == depth + 2


def test_the_class_is_the_sign_of_a_product_of_products() -> None:
    task = product_task(50, tested=10)
    pairs = torch.sign(task.x[:, :2].prod(1)) * torch.sign(task.x[:, 2:].prod(1))
    assert torch.equal(task.y, (pairs > 0).long())
    assert len(task.test_x) == 10


def test_training_lowers_the_error() -> None:
    task = product_task(200, tested=100)
    settings = DepthOrWidthSettings(steps=200, rate=0.01)
    trained, tested = train(new_stack((4, 20, 20, 2), [0, 1]), task, settings)
    assert (trained < 25).all()
    assert tested.shape == (2,)


def errors(
    mnist: dict[int, float], product: dict[int, float]
) -> dict[tuple[str, int], list[float]]:
    return {
        (task, depth): [row[depth] - 0.1, row[depth] + 0.1]
        for task, row in ((MNIST, mnist), (PRODUCT, product))
        for depth in DEPTHS
    }


def test_criteria_can_fail_both_ways() -> None:
    falling = {depth: 10.0 - depth for depth in DEPTHS}
    rising = {depth: 5.0 + depth for depth in DEPTHS}
    deep = depth_criteria(errors(falling, falling))
    assert LabResult({}, deep, "").verdict == "confirmed"
    assert [criterion.holds for criterion in deep[2:]] == [False, False]
    shallow = depth_criteria(errors(rising, rising))
    assert LabResult({}, shallow, "").verdict == "refuted"
    assert [criterion.holds for criterion in shallow[2:]] == [True, True]
    assert LabResult({}, depth_criteria(errors(rising, falling)), "").verdict == "partly confirmed"
