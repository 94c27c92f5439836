"""The outermost module of each call."""

from __future__ import annotations

import torch
from torch import nn

from netwise.observe.model_table import ModelTable
from netwise.observe.module_calls import ModuleCalls
from tests.observe.observed_loops import classifier


def test_calls_nest() -> None:
    net = classifier()
    calls = ModuleCalls(ModelTable(None))
    root = calls.begin(net)
    assert root is not None
    assert calls.begin(net[0]) is None
    assert calls.end(net[0]) == (False, root)
    assert calls.end(net) == (True, root)
    assert not calls.any


def test_calls_after_an_exception_in_a_part() -> None:
    net = classifier()
    calls = ModuleCalls(ModelTable(None))
    root = calls.begin(net)
    calls.begin(net[0])  # never ends
    assert calls.end(net) == (True, root)
    assert not calls.any


def test_the_given_module_is_a_root_inside_of_another() -> None:
    net = classifier()
    outer = nn.Sequential(net)
    calls = ModuleCalls(ModelTable(net))
    assert calls.begin(outer) is not None
    assert calls.begin(net) is not None


def test_gradients_through_layers() -> None:
    net = classifier()
    calls = ModuleCalls(ModelTable(None))
    root = calls.begin(net)
    assert root is not None
    x = torch.ones(1, 6)
    hidden = net[0](x)
    calls.note(root, net[0], (x,), {}, hidden)
    calls.note(root, net[2], (hidden.detach(),), {}, net[2](hidden.detach()))
    calls.note(root, net, (x,), {}, hidden)  # no layer
    assert [(c.layer, c.takes, c.gives) for c in root.calls] == [
        ("0", False, True),
        ("2", False, True),
    ]
