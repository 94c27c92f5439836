"""Steps that are not watched: their losses and rates are those of the program, and what is more
than such a step is left to the observer."""

from __future__ import annotations

import math
import sys
from threading import Thread
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from netwise import signals
from netwise.observe.observer import Observer
from tests.observe.observed_loops import X, Y, classifier

STEPS = 60


class Loop:
    """A training loop that notes its losses."""

    def __init__(self, observer: Observer, rate: float = 0.1) -> None:
        self.observer, self.model = observer, classifier()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=rate)
        self.losses: list[float] = []

    def loss(self) -> Tensor:
        return F.cross_entropy(self.model(X), Y)

    def step(self, passes: int = 1) -> None:
        self.optimizer.zero_grad()
        self.losses.append(0.0)
        for _ in range(passes):
            loss = self.loss()
            self.losses[-1] += loss.item()
            loss.backward()
        self.optimizer.step()

    @property
    def is_handed_over(self) -> bool:
        """Whether another than the observer receives the steps."""
        return self.observer._hooks.of_steps is not None

    def recorded(self) -> list[tuple[int, float]]:
        """(step, loss) as recorded."""
        return self.observer.models[0].accounts[0].losses.values


@pytest.fixture
def loop() -> Any:
    torch.manual_seed(0)
    observer = Observer()
    observer.start()
    yield Loop(observer)
    observer.stop()


def until_handed_over(loop: Loop, passes: int = 1) -> None:
    for _ in range(STEPS):
        loop.step(passes)
        if loop.is_handed_over:
            return
    raise AssertionError("all steps are received by the observer")


def test_losses_are_those_of_the_program(loop: Loop) -> None:
    for _ in range(STEPS):
        loop.step()
    until_handed_over(loop)
    assert [step for step, _ in loop.recorded()] == list(range(len(loop.losses)))
    assert [value for _, value in loop.recorded()] == pytest.approx(loop.losses, rel=1e-12)


def test_losses_of_accumulated_passes_are_summed(loop: Loop) -> None:
    until_handed_over(loop)
    number = len(loop.losses)
    loop.step(passes=3)
    scale = loop.observer.models[0].accounts[0].normaliser
    assert loop.recorded()[number] == (number, pytest.approx(scale * loop.losses[number]))


def test_a_changed_rate_is_noted_with_its_step(loop: Loop) -> None:
    until_handed_over(loop)
    loop.optimizer.param_groups[0]["lr"] = 0.05
    before = len(loop.losses)
    loop.step()
    assert loop.observer.models[0].accounts[0].rates[-1] == (before + 1, 0.05)


def test_a_loss_that_is_not_finite_is_explained(loop: Loop) -> None:
    until_handed_over(loop)
    (loop.loss() * math.inf).backward()
    assert loop.observer.finite.in_loss or "inf" in loop.observer.finite.sentence
    assert loop.observer.finite.step == len(loop.losses)


def test_another_optimizer_is_found(loop: Loop) -> None:
    until_handed_over(loop)
    other = classifier()
    optimizer = torch.optim.SGD(other.parameters(), lr=0.1)
    for _ in range(30):
        loop.step()
        optimizer.zero_grad()
        F.cross_entropy(other(X), Y).backward()
        optimizer.step()
    assert len(loop.observer.models) == 2


def test_an_evaluation_is_recorded_and_then_steps_are_handed_over_again(loop: Loop) -> None:
    until_handed_over(loop)
    with torch.no_grad():
        F.cross_entropy(loop.model(X), Y)
    assert not loop.is_handed_over
    loop.step()
    assert loop.is_handed_over or loop.observer.watching
    (evaluation,) = loop.observer.models[0].events
    assert signals.EVALUATION_INPUT_MEAN in evaluation
    assert len(loop.recorded()) == len(loop.losses)


def test_other_threads_are_not_heard(loop: Loop) -> None:
    until_handed_over(loop)
    before = len(loop.recorded())

    def train() -> None:
        model = classifier()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        F.cross_entropy(model(X), Y).backward()
        optimizer.step()

    thread = Thread(target=train)
    thread.start()
    thread.join()
    assert len(loop.recorded()) == before
    assert loop.observer._unwatched.count == 0


def test_a_backward_pass_inside_of_another_is_none_of_its_own(loop: Loop) -> None:
    until_handed_over(loop)

    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return 2 * x

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> Tensor:
            with torch.enable_grad():
                inner = torch.ones(1, requires_grad=True)
                inner.sum().backward()
            return 2 * gradient

    Twice.apply(loop.loss()).backward()  # type: ignore[no-untyped-call]
    assert loop.observer._unwatched.count == 1


def test_a_backward_pass_that_fails_is_over(loop: Loop) -> None:
    until_handed_over(loop)
    loss = loop.loss()
    loss.backward()
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()
    loop.step()
    assert len(loop.recorded()) == len(loop.losses)


def test_a_step_that_is_not_watched_calls_two_functions_of_netwise(loop: Loop) -> None:
    until_handed_over(loop)
    while loop.observer._unwatched.next_tick - loop.observer._unwatched.ticks < 3:
        loop.step()
        if loop.observer.watching:
            until_handed_over(loop)
    called: list[str] = []

    def note(frame: Any, event: str, argument: Any) -> None:
        if event == "call" and "netwise" in frame.f_code.co_filename.split("tests")[0]:
            called.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        loop.step()
    finally:
        sys.setprofile(None)
    own = [name for name in called if name not in ("run_backward", "_step_ended")]
    assert own == ["backward_begins", "step_ended"]


def test_a_gradient_scaler_brings_the_observer_back(loop: Loop) -> None:
    until_handed_over(loop)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    loop.optimizer.zero_grad()
    scaler.scale(loop.loss()).backward()
    assert not loop.is_handed_over
    scaler.step(loop.optimizer)
    scaler.update()
    assert loop.observer._unwatched.count == 0  # a scaled loss is none of the program's


@pytest.mark.parametrize("every", [None, 3])
def test_a_loop_without_an_optimizer_is_recorded_to_its_end(every: int | None) -> None:
    model = classifier()
    observer = Observer(every=every)
    observer.start()
    for _ in range(40):
        model.zero_grad()
        F.cross_entropy(model(X), Y).backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.1 * p.grad  # type: ignore[operator]
    observer.stop()
    steps = [row["step"] for row in observer.models[0].rows]
    assert steps[-1] > 25
    if every:
        assert len(steps) == pytest.approx(40 / every, abs=3)
