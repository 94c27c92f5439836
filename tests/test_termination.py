"""SIGTERM as an exception, where nothing else handles it."""

from __future__ import annotations

import os
import signal
import sys
import threading

import pytest

from netwise.termination import TERMINATED, Terminated, handle_sigterm, raise_terminated

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends the process there")


def test_inside_sigterm_is_an_exception_and_outside_as_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Terminated) as caught, handle_sigterm(raise_terminated):
        os.kill(os.getpid(), signal.SIGTERM)
    assert caught.value.code == TERMINATED == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_program_under_watch_has_the_plain_sigterm() -> None:
    with handle_sigterm(raise_terminated):
        with handle_sigterm(signal.SIG_DFL):
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGTERM) is raise_terminated


def test_handlers_of_others_and_other_threads_change_nothing() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    seen = []

    def enter() -> None:
        with handle_sigterm(raise_terminated):
            seen.append(signal.getsignal(signal.SIGTERM))

    try:
        enter()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [signal.SIG_IGN, signal.SIG_DFL]
