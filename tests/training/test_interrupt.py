"""Signals are requests while `Interrupt` is entered, and ordinary ones before and after."""

from __future__ import annotations

import os
import signal
import threading

import pytest

import netwise as nw
from netwise.termination import Terminated
from netwise.training.interrupt import Interrupt, uninterrupted
from netwise.training.progress import Silent


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_a_request_and_handlers_come_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with Interrupt() as interrupt:
        assert not interrupt.requested()
        assert interrupt.name == ""
        os.kill(os.getpid(), number)
        assert interrupt.requested()
        assert interrupt.name == number.name
    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_stops_at_once() -> None:
    with Interrupt():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_in_another_thread_nothing_changes() -> None:
    before = signal.getsignal(signal.SIGINT)
    handlers = []

    def enter() -> None:
        with Interrupt():
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert handlers == [before]


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
)
def test_a_part_of_a_run_is_no_result(
    small: nw.Recipe, number: signal.Signals, error: type[BaseException]
) -> None:
    class Signal(Silent):
        def step(self, done: int) -> None:
            os.kill(os.getpid(), number)

    part = nw.fit(small.but(epochs=50), progress=Signal())
    assert part.history.ended.how == "interrupted"
    with pytest.raises(error):
        uninterrupted(part)
    whole = nw.fit(small)
    assert uninterrupted(whole) is whole
