"""What can be said before training: what cannot run, and what will learn badly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import netwise as nw

DIGITS = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))


class Narrow(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))

    def forward(self, x):  # type: ignore[no-untyped-def]
        return self.body(x)


CANNOT = [
    (
        DIGITS.but(network=nw.MLP((63, 10))),
        "begins with 63 inputs, and a sample has 64. Write [64, 10].",
    ),
    (
        DIGITS.but(network=nw.MLP((64, 30, 9))),
        "ends in 9 outputs, and the data have 10 classes. Write [64, 30, 10].",
    ),
    (DIGITS.but(network=nw.LeNet5()), "conv2 (Conv2d) has a kernel of 5x5 and gets maps of 4x4"),
    (
        DIGITS.but(network=nw.LeNet5((3, 28, 28)), preprocess=(nw.Resize(28, 28),)),
        "conv1 (Conv2d) takes 3 channels and gets 1. Write 1 for its channels.",
    ),
    (
        nw.Recipe(data=nw.data.wine(), network=nw.LeNet5()),
        "takes images, and a sample has 13 features in a row. Write MLP((13, 64, 3)).",
    ),
    (DIGITS.but(network=nw.CustomNetwork(Narrow)), "gives 3 outputs, and the data have 10 classes"),
    (
        nw.Recipe(data=nw.data.diabetes(), network=nw.MLP((10, 1))),
        "is for classification, and the data are for regression. Write MeanSquaredError().",
    ),
    (
        DIGITS.but(loss=nw.MeanAbsoluteError()),
        "is for regression, and the data are for classification. Write CrossEntropy().",
    ),
    (
        DIGITS.but(network=nw.MLP((64, 30, 10), batch_norm=True), batch_size=1),
        "gives batch norm one sample",
    ),
    (
        DIGITS.but(data=nw.data.digits(valid=0.0), stopping=nw.Patience()),
        "watches the validation part, and data.valid is 0",
    ),
]
BADLY = [
    (
        DIGITS.but(network=nw.MLP((64, 10), output=nw.Softmax())),
        "before CrossEntropy, which takes logits and applies the softmax itself. Write Identity().",
    ),
    (
        DIGITS.but(loss=nw.MeanSquaredError()),
        "on classes: its gradient fades where an answer is very wrong. Write CrossEntropy().",
    ),
    (nw.Recipe(data=nw.data.wine(), network=nw.MLP((13, 3))), "Write (Standardise(),)."),
    (
        nw.Recipe(
            data=nw.data.arrays(np.arange(40.0)[:, None] % 2, [0] * 39 + [1], valid=0.5),
            network=nw.MLP((1, 2)),
        ),
        "they cannot be learned",
    ),
]


@pytest.mark.parametrize(("recipe", "text"), CANNOT, ids=range(len(CANNOT)))
def test_what_cannot_run_is_told_and_raised_before_any_work(recipe: nw.Recipe, text: str) -> None:
    problems = [p for p in nw.check(recipe) if p.grade == "cannot run"]
    assert any(text in str(problem) for problem in problems)
    with pytest.raises(nw.WrongValue, match="Nothing was trained"):
        nw.fit(recipe)
    with pytest.raises(nw.WrongValue, match="recipe 2 of 2"):
        nw.fit_many([DIGITS.but(epochs=1), recipe], jobs=1)


@pytest.mark.parametrize(("recipe", "text"), BADLY, ids=range(len(BADLY)))
def test_what_will_learn_badly_is_told_and_runs(recipe: nw.Recipe, text: str) -> None:
    problems = nw.check(recipe)
    assert problems
    assert all(problem.grade == "will learn badly" for problem in problems)
    assert any(text in str(problem) for problem in problems)
    assert nw.fit(recipe.but(epochs=1)).history.ended.how == "finished"


def test_a_sound_recipe_has_no_problems_and_what_cannot_run_comes_first() -> None:
    assert nw.check(DIGITS) == []
    both = nw.check(DIGITS.but(network=nw.MLP((64, 9), output=nw.Softmax())))
    assert [problem.grade for problem in both] == ["cannot run", "will learn badly"]


def test_batch_norm_anywhere_refuses_a_batch_of_one() -> None:
    for network in (
        nw.ConvNet(image=(1, 8, 8), channels=(4,)),
        nw.CIFARResNet(depth=8, image=(1, 8, 8)),
        nw.MLP((64, 8, 10), batch_norm=True),
    ):
        problem = nw.check(nw.Recipe(data=nw.data.digits(), network=network, batch_size=1))[0]
        assert "gives batch norm one sample" in str(problem)
    plain = nw.ConvNet(image=(1, 8, 8), channels=(4,), block="CAP")
    assert not nw.check(nw.Recipe(data=nw.data.digits(), network=plain, batch_size=1))


def test_several_labels_at_once_need_targets_from_0_to_1() -> None:
    x = torch.rand(60, 4)
    y = (x[:, :3] > 0.5).float().numpy()
    recipe = nw.Recipe(
        data=nw.data.arrays(x, y),
        network=nw.MLP((4, 16, 3)),
        loss=nw.BinaryCrossEntropy(),
        optimizer=nw.Adam(lr=0.05),
        epochs=60,
    )
    assert "which standardises its targets. Write data with scale_target = false" in str(
        nw.check(recipe)[0]
    )
    run = nw.fit(recipe.but(data=nw.data.arrays(x, y, scale_target=False)))
    answers = torch.sigmoid(run.outputs(x.numpy())) > 0.5
    assert float((answers == torch.from_numpy(y).bool()).float().mean()) > 0.9
