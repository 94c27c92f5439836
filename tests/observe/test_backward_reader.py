"""What a backward pass shows."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from netwise.observe.backward_reader import BackwardReader
from netwise.observe.model_table import ModelTable
from tests.observe.observed_loops import batch, classifier


def call(part: str, function: Any, *args: Any) -> Any:
    return function(*args)


def reader_of(net: nn.Module) -> BackwardReader:
    table = ModelTable(None)
    table.root(net)
    return BackwardReader(table, call)


def test_loss_targets_and_gradients() -> None:
    net = classifier()
    reader = reader_of(net)
    x, y = batch(0)
    loss = F.cross_entropy(net(x), y)
    entry = reader.before(loss / 2, "train.py:4", 3, in_step=False)
    (loss / 2).backward()
    reader.after(entry)
    assert entry.value == pytest.approx(loss.item() / 2)
    assert entry.factor == 0.5
    assert entry.reached == {id(p) for p in net.parameters()}
    assert all(entry.fills(id(p)) for p in net.parameters())
    assert entry.site.batch_size == 20
    assert entry.site.terms[0].operation == "cross entropy"
    accuracy = float((net(x).argmax(1) == y).float().mean())
    assert entry.signals["accuracy"] == pytest.approx(accuracy)


def test_the_scale_of_a_gradient_scaler_is_taken_out() -> None:
    net = classifier()
    reader = reader_of(net)
    x, y = batch(0)
    loss = F.cross_entropy(net(x), y)
    scaler = torch.amp.GradScaler("cpu", init_scale=64.0)
    reader.loss_scales(scaler)
    entry = reader.before(scaler.scale(loss), "", 0, in_step=False)
    assert (entry.scale, entry.factor) == (64.0, 1.0)
    assert entry.value == pytest.approx(loss.item())
    assert entry.site.terms[0].factor == 1.0
    assert reader.before(loss, "", 0, in_step=False).scale == 1.0  # of this loss alone


def test_parameters_outside_of_the_module() -> None:
    net = classifier()
    extra = nn.Linear(3, 3)  # in a Python list, not a part of the module
    entry = reader_of(net).before(extra(net(batch(0)[0])).sum(), "", 0, in_step=False)
    assert sorted(entry.outside.values()) == ["(3, 3)", "(3,)"]


def test_no_tensor_is_kept() -> None:
    net = classifier()
    reader = reader_of(net)
    output = net(batch(0)[0])
    reader.note_output(output)
    loss = output.square().mean()
    entry = reader.before(loss, "", 0, in_step=False)
    loss.backward()
    reader.after(entry)
    references = [weakref.ref(output), weakref.ref(loss)]
    del output, loss
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def fit(net: nn.Module, x: Tensor, y: Tensor, steps: int = 6) -> None:
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()


@pytest.mark.parametrize("dies", [False, True])
def test_networks_that_one_function_trains_have_targets_of_their_own(dies: bool) -> None:
    """Of networks that are gone the next one may have the addresses."""
    torch.manual_seed(0)
    x = torch.randn(40, 6)
    seen = []
    with nw.watch() as w:
        for classes in (10, 2, 5):
            net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, classes))
            fit(net, x, torch.arange(40) % classes)
            if not dies:
                seen.append(net)
    histories = list(w.histories().values())
    assert [h.facts.classes for h in histories] == [10, 2, 5]
    shapes = [[term.output_shape for term in h.wiring.losses] for h in histories if h.wiring]
    assert shapes == [[(40, 10)], [(40, 2)], [(40, 5)]]
    for history, classes in zip(histories, (10, 2, 5), strict=True):
        assert history.facts.loss_of_guessing == pytest.approx(torch.tensor(classes).log())
