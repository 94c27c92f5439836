"""Periodic calls start after the first interval and end with the context."""

from __future__ import annotations

import threading
import time

from netwise.training.periodic_calls import call_periodically


def test_the_function_is_called_until_the_end_and_not_after() -> None:
    calls: list[float] = []
    three = threading.Event()

    def call() -> None:
        calls.append(time.monotonic())
        if len(calls) == 3:
            three.set()

    with call_periodically(0.01, call):
        assert three.wait(20)
    count = len(calls)
    time.sleep(0.05)
    assert len(calls) == count


def test_a_call_that_is_running_is_waited_for() -> None:
    started, finished = threading.Event(), threading.Event()

    def call() -> None:
        started.set()
        time.sleep(0.05)
        finished.set()

    with call_periodically(0.01, call):
        assert started.wait(20)
    assert finished.is_set()


def test_before_the_first_interval_nothing_is_called() -> None:
    calls: list[int] = []
    with call_periodically(60, lambda: calls.append(1)):
        pass
    assert calls == []
