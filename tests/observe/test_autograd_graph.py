"""The census of a loss's leaves is exact: it names the weights that have a gradient after the
backward pass."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from netwise.observe.autograd_graph import MARK, is_linear, read_graph
from netwise.observe.loss_graph import read_loss
from netwise.observe.non_finite import cause_of_loss, risky_inputs
from networks_of_daily_life import LOSSES, X, Y, mlp, weights_of


@pytest.mark.parametrize("make", LOSSES, ids=[make.__name__ for make in LOSSES])
def test_leaves_are_the_weights_with_a_gradient(make) -> None:
    torch.manual_seed(0)
    made, loss = make()
    reading = read_graph(loss)
    loss.backward()
    weights = list(weights_of(made))
    reached = {id(weight) for weight in weights if weight.grad is not None}
    assert {id(weight) for weight in weights} & set(reading.leaves) == reached
    assert reached
    assert reading.complete
    # no healthy network here mixes the samples of a batch by accident
    assert (reading.widened, reading.softmax_over_batch) == ("", "")


@pytest.mark.parametrize("make", LOSSES, ids=[make.__name__ for make in LOSSES])
def test_reading_changes_no_gradient(make) -> None:
    torch.manual_seed(0)
    made, loss = make()
    loss.backward()
    expected = [weight.grad for weight in weights_of(made)]
    torch.manual_seed(0)
    made, loss = make()
    state = torch.get_rng_state()
    read_graph(loss), read_loss(loss), is_linear(loss), cause_of_loss(loss), risky_inputs(loss)
    assert torch.equal(torch.get_rng_state(), state)
    loss.backward()
    for weight, slope in zip(weights_of(made), expected, strict=True):
        assert (weight.grad is None) == (slope is None)
        if slope is not None:
            assert torch.equal(weight.grad.to_dense(), slope.to_dense())


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_compiled_networks(backend) -> None:
    model = mlp()
    unused = nn.Linear(2, 2)
    loss = F.cross_entropy(torch.compile(model, backend=backend)(X), Y)
    reading = read_graph(loss)
    assert set(reading.leaves) == {id(weight) for weight in model.parameters()}
    assert id(unused.weight) not in reading.leaves
    assert reading.opaque == (backend == "aot_eager")
    chain = read_loss(loss).terms[0].term.chain
    assert chain == (("LogSoftmax", "?") if reading.opaque else ("LogSoftmax", "Addmm"))


def test_marks_of_outputs_that_the_loss_uses() -> None:
    model = nn.ModuleDict({"class": nn.Linear(8, 3), "value": nn.Linear(8, 1)})
    outputs = [layer(X) for layer in model.values()]
    for number, output in enumerate(outputs):
        output.grad_fn.metadata[MARK] = (id(model), number)
    assert read_graph(F.cross_entropy(outputs[0], Y)).outputs == {(id(model), 0)}


def test_opaque_functions() -> None:
    layer = nn.Linear(8, 3)
    hidden = X.clone().requires_grad_()
    loss = checkpoint(layer, hidden, use_reentrant=True).sum()
    assert read_graph(loss).opaque  # the layer is below, and cannot be seen
    assert not read_graph(checkpoint(layer, hidden, use_reentrant=False).sum()).opaque


def test_a_graph_that_is_too_large() -> None:
    value = torch.ones(1, requires_grad=True)
    for _ in range(50):
        value = value + 1
    assert read_graph(value).complete
    assert not read_graph(value, most=20).complete


def test_values_without_a_graph() -> None:
    leaf = torch.ones(2, requires_grad=True)
    assert set(read_graph(leaf).leaves) == {id(leaf)}
    for value in (torch.ones(()), None, 1.5, "loss", [leaf]):
        assert read_graph(value).leaves == {}
        assert read_loss(value).terms == ()
        assert is_linear(value) is None
    freed = leaf.exp().sum()
    freed.backward()
    assert read_graph(freed).operations["Exp"] == 1
    assert len(read_loss(freed).terms) == 1
    per_sample = F.cross_entropy(mlp()(X), Y, reduction="none")
    assert read_loss(per_sample).terms[0].term.reduction == "none"


def test_nothing_is_kept_alive() -> None:
    model = mlp()
    loss = F.cross_entropy(model(X), Y) + 1e-4 * model[0].weight.square().sum()
    readings = [read_loss(loss), risky_inputs(loss), is_linear(loss), cause_of_loss(loss)]
    graph = read_graph(loss)
    parts = [weakref.ref(part) for part in (loss, model, model[0].weight)]
    del loss, model, graph
    gc.collect()
    assert [part() for part in parts] == [None, None, None]
    assert readings[0].terms[0].output.grad_fn is None


def test_a_checkpoint_runs_its_forward_pass_no_second_time() -> None:
    calls = []

    class Counted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(8, 3)

        def forward(self, x):
            calls.append(1)
            return (self.layer(x).exp() + 1).log().sqrt()

    model = Counted()
    inside = checkpoint(lambda x: F.cross_entropy(model(x), Y), X, use_reentrant=False)
    for loss in (F.cross_entropy(checkpoint(model, X, use_reentrant=False), Y), inside):
        before = len(calls)
        read_graph(loss), read_loss(loss), is_linear(loss), cause_of_loss(loss)
        risky_inputs(loss)
        assert len(calls) == before


@pytest.mark.parametrize("make", LOSSES, ids=[make.__name__ for make in LOSSES])
def test_tensors_that_are_packed_by_hooks_are_not_read(make) -> None:
    unpacked = []

    def unpack(packed):
        unpacked.append(1)
        return packed[0]

    torch.manual_seed(0)
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: (tensor,), unpack):
        _, loss = make()
    before = len(unpacked)
    read_graph(loss), read_loss(loss), is_linear(loss, [X]), cause_of_loss(loss)
    risky_inputs(loss)
    assert len(unpacked) == before


@pytest.mark.parametrize("make", LOSSES, ids=[make.__name__ for make in LOSSES])
def test_graphs_that_were_freed(make) -> None:
    torch.manual_seed(0)
    _, loss = make()
    loss.backward()
    read_graph(loss), read_loss(loss), is_linear(loss, [X]), cause_of_loss(loss)
    risky_inputs(loss)


def test_values_that_have_no_numbers() -> None:
    model = mlp().to("meta")
    loss = F.cross_entropy(model(X.to("meta")), Y.to("meta"))
    assert len(read_graph(loss).leaves) == 4
    assert read_loss(loss).terms == ()
    assert cause_of_loss(loss) == ""
    value = torch.ones(3, dtype=torch.complex64, requires_grad=True)
    assert read_loss((value * value).sum()).terms[0].value is None
