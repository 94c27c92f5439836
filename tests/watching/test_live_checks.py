"""Rules while a loop trains: what is printed, what ends it, and that nothing else changes."""

from __future__ import annotations

from collections.abc import Callable, Collection

import pytest
import torch
from torch import nn

import netwise as nw
from netwise.watching import live_checks


def train(
    *,
    sick: bool,
    live: bool = False,
    stop_on: Collection[str] = (),
    steps: int = 60,
    weights: list[torch.Tensor] | None = None,
) -> nw.watch:
    """A regression whose optimizer has the last layer alone (sick) or both."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD((model[2] if sick else model).parameters(), lr=0.1)
    x = torch.randn(64, 4)
    y = x.sum(1, keepdim=True)
    with nw.watch(live=live, stop_on=stop_on) as w:
        try:
            for _ in range(steps):
                rows = torch.randperm(64)[:16]
                optimizer.zero_grad()
                (model(x[rows]) - y[rows]).square().mean().backward()
                optimizer.step()
        finally:
            if weights is not None:
                weights.extend([*model.parameters(), torch.rand(2)])
    return w


def test_a_cause_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    w = train(sick=True, live=True)
    lines = capsys.readouterr().err.splitlines()
    (line,) = lines
    assert line == (
        "netwise: step 5: Weights missing from the optimizer (cause). A loss reaches "
        "model[0].bias and model[0].weight, but no optimizer holds them."
    )
    assert [each.rule for each in w.findings] == ["weights_stand_still"]
    assert w.errors == ()


def test_a_healthy_loop_prints_nothing_and_is_not_ended(capsys: pytest.CaptureFixture[str]) -> None:
    w = train(sick=False, live=True, stop_on=("suspect",))
    assert (w.findings, w.errors) == ((), ())
    assert w.history().ended.step == 60
    assert capsys.readouterr().err == ""


def test_a_cause_ends_the_run_after_the_optimizers_step() -> None:
    weights: list[torch.Tensor] = []
    with pytest.raises(nw.TrainingStopped, match="stopped at step 5: Weights missing") as caught:
        train(sick=True, stop_on=("cause",), weights=weights)
    assert isinstance(caught.value.finding, nw.Finding)
    assert (caught.value.step, caught.value.finding.rule) == (5, "weights_stand_still")
    assert "optimizer.add_param_group(" in str(caught.value)
    plain: list[torch.Tensor] = []
    train(sick=True, steps=5, weights=plain)
    assert all(torch.equal(a, b) for a, b in zip(weights, plain, strict=True))


def test_a_cause_does_not_end_a_run_that_only_a_proof_shall_end() -> None:
    w = train(sick=True, stop_on=("proved",))
    assert w.history().ended.step == 60
    assert [each.rule for each in w.findings] == ["weights_stand_still"]


def test_checks_change_no_number_of_the_loop() -> None:
    watched: list[torch.Tensor] = []
    bare: list[torch.Tensor] = []
    train(sick=False, live=True, weights=watched)
    train(sick=False, weights=bare)
    assert all(torch.equal(a, b) for a, b in zip(watched, bare, strict=True))


def test_without_live_and_stop_on_nothing_is_checked() -> None:
    w = train(sick=True, steps=20)
    assert w.findings == ()


@pytest.mark.parametrize("stop_on", ["cause", ("sure",)], ids=["text", "no grade"])
def test_a_wrong_grade_is_refused(stop_on: Collection[str]) -> None:
    with pytest.raises(ValueError, match=r'Write \("cause",\)'):
        nw.watch(stop_on=stop_on)


def test_weights_of_an_optimizer_that_has_not_stepped_yet_are_no_cause() -> None:
    torch.manual_seed(0)
    first, second = nn.Linear(4, 8), nn.Linear(8, 1)
    model = nn.Sequential(first, nn.Tanh(), second)
    by_turns = [torch.optim.SGD(each.parameters(), lr=0.1) for each in (first, second)]
    with nw.watch(stop_on=("cause",)) as w:
        for step in range(40):
            loss = model(torch.randn(16, 4)).square().mean()
            model.zero_grad()
            loss.backward()
            by_turns[step // 20].step()
    assert w.history().ended.step >= 20
    assert w.errors == ()


def test_an_error_of_a_check_does_not_reach_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr(live_checks.LiveFindings, "check", fail)
    w = train(sick=True, stop_on=("cause",), steps=20)
    assert w.history().ended.step == 20
    assert w.errors == ("live findings: ValueError: no",)


def test_a_loop_without_a_torch_optimizer_is_ended_from_backward() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4), nn.Softmax(0))
    x, y = torch.randn(64, 4), torch.arange(64) % 4
    with pytest.raises(nw.TrainingStopped), nw.watch(stop_on=("suspect",)):
        for _ in range(300):
            loss = nn.functional.cross_entropy(model(x), y)
            model.zero_grad()
            loss.backward()
            with torch.no_grad():
                for weight in model.parameters():
                    weight -= 0.1 * weight.grad  # type: ignore[operator]


def loop(step_of: Callable[[nn.Module, torch.optim.Optimizer, int], None], steps: int) -> nw.watch:
    """A watched loop over a small classifier, one step at a time."""
    torch.manual_seed(0)
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with nw.watch(live=True) as w:
        for step in range(steps):
            step_of(model, optimizer, step)
    return w


X = torch.randn(16, 4, generator=torch.Generator().manual_seed(1))
Y = (X[:, 0] > 0).long()


def test_a_value_that_is_not_finite_is_told_in_its_step(capsys: pytest.CaptureFixture[str]) -> None:
    def step_of(model: nn.Module, optimizer: torch.optim.Optimizer, step: int) -> None:
        optimizer.zero_grad()
        rows = torch.where(torch.tensor(step == 36), torch.nan, X)
        nn.functional.cross_entropy(model(rows), Y).backward()
        optimizer.step()

    loop(step_of, 40)
    told = [line for line in capsys.readouterr().err.splitlines() if "not finite" in line]
    assert [line.partition(":")[2].partition(":")[0] for line in told] == [" step 37"]


@pytest.mark.parametrize("mended", [True, False])
def test_what_the_loop_has_mended_is_healed_and_leaves_the_report(
    mended: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    def step_of(model: nn.Module, optimizer: torch.optim.Optimizer, step: int) -> None:
        if mended and step >= 30:
            optimizer.zero_grad()
        nn.functional.cross_entropy(model(X), Y).backward()
        optimizer.step()

    report = nw.diagnose(loop(step_of, 200))
    lines = capsys.readouterr().err
    assert "Gradients never set to zero" in lines
    assert ("healed: gradients never set to zero" in lines) == mended
    assert ("stale_gradients" in report.names) != mended
