"""An error inside of the observer never reaches the program; several observers do not disturb each
other."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import netwise as nw

X = torch.randn(64, 8, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


class Net(nn.Sequential):
    """A small network with dropout and batch norm."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__(
            nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2)
        )


def train(steps: int = 30) -> list[float]:
    """The usual loop with a validation every ten steps; its losses."""
    model, losses = Net(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for step in range(steps):
        rows = torch.randint(64, (32,))
        optimizer.zero_grad()
        loss = F.cross_entropy(model(X[rows]), Y[rows])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if step % 10 == 9:
            model.eval()
            with torch.no_grad():
                losses.append(F.cross_entropy(model(X), Y).item())
            model.train()
    return losses


PARTS = [
    "autograd_graph.read_graph",
    "loss_graph.read_loss",
    "probe.Probe.forward_begins",
    "probe.Probe.module_called",
    "probe.Probe.forward_ends",
    "probe.Probe.backward_ends",
    "probe.Probe.step_begins",
    "probe.Probe.step_ends",
    "target_statistics.TargetStatistics.add",
    "evaluation_passes.EvaluationPasses.training_pass",
    "evaluation_passes.EvaluationPasses.evaluation_pass",
    "evaluation_losses.EvaluationLosses.start",
    "model_table.ModelTable.root",
    "model_table.ModelTable.model_of",
    "model_table.ModelTable.read_weights",
    "observed_model.ObservedModel.finish_row",
    "observed_parts.Root.read_names",
    "backward_reader.BackwardReader.before",
    "backward_reader.BackwardReader.after",
    "sampling.Sampling.distance",
]


@pytest.mark.parametrize("part", PARTS)
def test_an_error_in_a_part_is_reported_once_and_never_raised(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = train()
    module, _, path = part.partition(".")
    owner: Any = import_module(f"netwise.observe.{module}")
    *outer, name = path.split(".")
    for each in outer:
        owner = getattr(owner, each)
    calls = 0

    def fail(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        raise ZeroDivisionError("injected")

    assert hasattr(owner, name)
    monkeypatch.setattr(owner, name, fail)
    with nw.watch() as w:
        assert train() == expected
    assert calls
    assert [error for error in w.errors if "ZeroDivisionError: injected" in error]
    assert len(set(w.errors)) == len(w.errors) <= 2
    for history in w.histories().values():
        assert nw.diagnose(history).found == ()
    monkeypatch.undo()
    assert train() == expected


def test_an_error_in_a_part_does_not_stop_the_other_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    from netwise.observe.probe import Probe

    def fail(*args: Any) -> None:
        raise ZeroDivisionError("injected")

    monkeypatch.setattr(Probe, "forward_ends", fail)
    with nw.watch() as w:
        train()
    history = w.history()
    assert len(history.of("loss")) > 10
    assert history.wiring.optimizers == ("Adam",)
    assert history.wiring.losses[0].operation == "cross entropy"


def test_two_watches_at_once_record_the_same() -> None:
    expected = train()
    with nw.watch() as outer, nw.watch() as inner:
        assert train() == expected
    assert outer.errors == inner.errors == ()
    for w in (outer, inner):
        assert list(w.histories()) == ["Net"]
        assert w.history().ended.step == 30
    assert outer.history().of("loss") == inner.history().of("loss")
    assert outer.history().wiring == inner.history().wiring


def test_watches_that_end_in_the_order_of_their_start() -> None:
    first, second = nw.watch(), nw.watch()
    engine = torch.autograd._engine_run_backward
    first.start()
    train(10)
    second.start()
    train(10)
    first.stop()
    losses = train(10)
    second.stop()
    assert torch.autograd._engine_run_backward is engine
    assert losses == train(10)
    assert first.errors == second.errors == ()
    assert first.history("Net").ended.step == 10
    assert sorted(first.histories()) == ["Net", "Net-2"]
    assert sorted(second.histories()) == ["Net", "Net-2"]


def test_a_watch_that_runs_cannot_be_started_again() -> None:
    with nw.watch() as w, pytest.raises(RuntimeError, match=r"running already.*stop\(\)"):
        w.start()


def test_a_second_block_after_the_first() -> None:
    with nw.watch() as one:
        train(10)
    with nw.watch() as two:
        train(12)
    assert (one.history().ended.step, two.history().ended.step) == (10, 12)
