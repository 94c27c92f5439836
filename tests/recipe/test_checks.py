"""What can be said before training: what cannot run, and what will learn badly."""

from __future__ import annotations

import numpy as np
import pytest
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
    (DIGITS.but(network=nw.MLP((63, 10))), "begins with 63 inputs, and a sample has 64. Write [64, 10]."),
    (DIGITS.but(network=nw.MLP((64, 30, 9))), "ends in 9 outputs, and the data have 10 classes. Write [64, 30, 10]."),
    (DIGITS.but(network=nw.LeNet5()), "conv2 (Conv2d) slides a field of 5x5 over maps of 4x4"),
    (DIGITS.but(network=nw.LeNet5((3, 28, 28)), preprocess=(nw.Resize(28, 28),)), "conv1 (Conv2d) takes 3 channels and gets 1. Write 1 for its channels."),
    (nw.Recipe(data=nw.data.wine(), network=nw.LeNet5()), "takes images, and a sample has 13 features in a row. Write MLP((13, 64, 3))."),
    (DIGITS.but(network=nw.Own(Narrow)), "gives 3 outputs, and the data have 10 classes"),
    (nw.Recipe(data=nw.data.diabetes(), network=nw.MLP((10, 1))), "is for classification, and the data are for regression. Write MeanSquaredError()."),
    (DIGITS.but(loss=nw.MeanAbsoluteError()), "is for regression, and the data are for classification. Write CrossEntropy()."),
    (DIGITS.but(network=nw.MLP((64, 30, 10), batch_norm=True), batch_size=1), "gives batch norm one sample"),
    (DIGITS.but(data=nw.data.digits(valid=0.0), stopping=nw.Patience()), "watches the validation part, and data.valid is 0"),
]
BADLY = [
    (DIGITS.but(network=nw.MLP((64, 10), output=nw.Softmax())), "before CrossEntropy, which takes logits and applies the softmax itself. Write Identity()."),
    (DIGITS.but(loss=nw.MeanSquaredError()), "on classes: its gradient fades where an answer is very wrong. Write CrossEntropy()."),
    (nw.Recipe(data=nw.data.wine(), network=nw.MLP((13, 3))), "Write (Standardise(),)."),
    (nw.Recipe(data=nw.data.arrays(np.arange(40.0)[:, None] % 2, [0] * 39 + [1], valid=0.5), network=nw.MLP((1, 2))), "they cannot be learned"),
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
