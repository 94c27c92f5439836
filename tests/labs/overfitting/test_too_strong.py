"""The share of the penalty's gradient against autograd, and criteria that can fail."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import netwise as nw
from netwise.labs.overfitting.too_strong import STRENGTHS, penalty_share, strength_criteria
from netwise.labs.stacked_training import untrained_stack

TURN = 30.0


def numbers(collapse_at: float = 100.0) -> dict[str, float]:
    made = {}
    for decay in STRENGTHS:
        made[f"lambda {decay:g}: training accuracy, %"] = 11.0 if decay >= collapse_at else 95.0
        made[f"lambda {decay:g}: share of the first gradient"] = decay / (decay + TURN + 1)
    return made


def test_each_criterion_can_fail() -> None:
    assert [c.holds for c in strength_criteria(numbers())] == [True, True, True]
    assert [c.holds for c in strength_criteria(numbers(300.0))] == [False, True, True]
    assert [c.holds for c in strength_criteria(numbers(30.0))] == [True, False, True]
    assert [c.holds for c in strength_criteria(numbers(1e9))] == [False, True, False]


def test_the_share_is_that_of_the_gradients_of_autograd() -> None:
    network = nw.MLP((64, 6, 10), activation=nw.Sigmoid())
    recipe = nw.Recipe(data=nw.data.digits(), network=network, loss=nw.BinaryCrossEntropy())
    stack = untrained_stack(recipe, (0, 1))
    train = recipe.data.load().train
    for seed in (0, 1):
        module = network.build()
        layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
        for layer, w, b in zip(layers, stack.weights, stack.biases, strict=True):
            layer.weight.data, layer.bias.data = w[seed].clone(), b[seed, 0].clone()
        weights = [layer.weight for layer in layers]
        loss = recipe.loss(module(train.x), train.y)
        size = torch.cat([g.ravel() for g in torch.autograd.grad(loss, weights)]).norm()
        pull = 0.3 * torch.cat([w.detach().ravel() for w in weights]).norm()
        share = penalty_share(stack, 0.3)[seed]
        assert share == pytest.approx(float(pull / (pull + size)), rel=1e-4)
