"""Locks between threads and processes, also when their holder is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from netwise.storage.locks import acquire_lock, is_locked, try_lock

HOLD = """
import sys, time
from pathlib import Path
from netwise.storage.locks import acquire_lock
held = acquire_lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_holder_is_refused_until_release(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    held = try_lock(path)
    assert held is not None
    assert try_lock(path) is None
    assert is_locked(path)
    held.release()
    held.release()  # no effect
    assert not is_locked(path)
    with acquire_lock(path):
        assert is_locked(path)
    assert not is_locked(path)


def test_a_lock_of_a_killed_process_is_released(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "held\n"
        assert is_locked(path)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with acquire_lock(path):
        pass


def test_acquire_waits_for_release_in_another_thread(tmp_path: Path) -> None:
    path, order = tmp_path / ".lock", list[str]()
    held = acquire_lock(path)

    def wait() -> None:
        with acquire_lock(path):
            order.append("acquired")

    waiter = threading.Thread(target=wait)
    waiter.start()
    waiter.join(0.1)
    assert waiter.is_alive()
    order.append("released")
    held.release()
    waiter.join(10)
    assert order == ["released", "acquired"]


def test_another_thread_may_release(tmp_path: Path) -> None:
    held = acquire_lock(tmp_path / ".lock")
    releaser = threading.Thread(target=held.release)
    releaser.start()
    releaser.join()
    assert not is_locked(tmp_path / ".lock")


def test_a_lock_file_is_not_truncated(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    path.write_text("a file of the user")
    with acquire_lock(path):
        assert is_locked(path)
    assert path.read_text() == "a file of the user"


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("a file of the user")
    (tmp_path / ".lock").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match=r"\.lock"):
        try_lock(tmp_path / ".lock")
    assert (tmp_path / "target").read_text() == "a file of the user"
