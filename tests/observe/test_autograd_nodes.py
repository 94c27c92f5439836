"""Nodes of the autograd graph: names, saved values, shapes."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from netwise.observe import autograd_nodes
from netwise.observe.autograd_graph import read_graph
from netwise.observe.autograd_nodes import (
    MARK,
    head,
    is_opaque,
    is_weight,
    leaf_of,
    only_input,
    operation,
    saved,
    saved_tensors,
    shape_of,
    signed,
)
from netwise.observe.linearity import is_linear
from netwise.observe.loss_graph import read_loss
from netwise.observe.non_finite import cause_of_loss, risky_inputs
from networks_of_daily_life import IMAGES, WORDS, X, Y


def test_names_and_shapes() -> None:
    value = nn.Linear(8, 3)(X).relu()
    assert operation(value.grad_fn) == "Relu"
    assert shape_of(value.grad_fn) == (6, 3)
    assert shape_of(value.grad_fn, 5) is None
    assert operation(nn.Embedding(9, 2)(WORDS).grad_fn) == "Embedding"
    assert operation(nn.Conv2d(2, 3, 3)(IMAGES).grad_fn) == "Convolution"
    slope = torch.ones(3, requires_grad=True)
    (twice,) = torch.autograd.grad(slope.tanh().sum(), slope, create_graph=True)
    assert operation(twice.grad_fn) == "TanhBackward"  # no tanh of the forward pass


def test_saved_values_are_detached() -> None:
    loss = F.cross_entropy(nn.Linear(8, 3)(X), Y)
    assert torch.equal(saved(loss.grad_fn, "target"), Y)
    assert not saved(loss.grad_fn, "self").requires_grad
    assert signed(saved(loss.grad_fn, "ignore_index")) == -100
    assert saved(loss.grad_fn, "nothing") is None
    assert set(saved_tensors(loss.grad_fn)) == {"self", "target", "total_weight"}
    loss.backward()
    assert saved(loss.grad_fn, "target") is None


def test_saved_values_that_were_changed_in_place() -> None:
    value = torch.ones(3, requires_grad=True).exp()
    value.mul_(2)
    assert saved(only_input(value.grad_fn), "result") is None


def test_weights_and_the_head_of_a_loss() -> None:
    layer = nn.Linear(8, 3)
    loss = F.cross_entropy(layer(X), Y)
    assert [operation(node) for node in head(loss.grad_fn)] == ["NllLoss", "LogSoftmax"]
    product = (X @ layer.weight.T).grad_fn
    assert is_weight(product.next_functions[1][0])
    assert leaf_of(product.next_functions[1][0]).data_ptr() == layer.weight.data_ptr()
    assert not is_weight(product)


def test_opaque_nodes() -> None:
    value = X.clone().requires_grad_() * 1
    assert not is_opaque(value.grad_fn)
    value[:, 0] = value[:, 1] * 2
    assert is_opaque(value.grad_fn)
    hidden = X.clone().requires_grad_()
    assert is_opaque(checkpoint(torch.exp, hidden, use_reentrant=True).grad_fn)


def test_where_torch_shows_no_hooks_nothing_below_an_output_is_read(monkeypatch) -> None:
    monkeypatch.setattr(autograd_nodes, "SHOWS_HOOKS", False)
    monkeypatch.setattr("netwise.observe.linearity.SHOWS_HOOKS", False)
    calls = []

    class Squared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(8, 3)

        def forward(self, x):
            calls.append(1)
            return self.layer(x).exp() * torch.arange(3.0)

    output = checkpoint(Squared(), X, use_reentrant=False)
    output.grad_fn.metadata[MARK] = (1, 0)
    for loss in (F.cross_entropy(output, Y), ((output - 1) ** 2).mean(), output.mean()):
        reading = read_loss(loss)
        read_graph(loss), is_linear(output, [X]), cause_of_loss(loss), risky_inputs(loss)
        assert len(reading.terms) == 1
    assert len(calls) == 1
