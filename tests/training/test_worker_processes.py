"""Workers end with the process that started them, however it ends, and signals reach them."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import joblib
import pytest

from netwise.storage.locks import try_lock
from netwise.termination import TERMINATED
from netwise.training import worker_processes
from netwise.training.worker_processes import run_in_processes

PACKAGE = Path(worker_processes.__file__).parent.parent
PROGRAM = Path(__file__).parent / "worker_program.py"
SOON = 60.0  # seconds; far above what is measured, for machines under load
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


@contextmanager
def program(folder: Path, work: str) -> Iterator[subprocess.Popen[str]]:
    """The program, once two of its workers have begun."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(folder), work],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        started = [folder / f"{number}.started" for number in (0, 1)]
        wait_until(lambda: all(path.exists() for path in started) or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        yield process
    finally:
        process.kill()
        print(process.communicate()[1])  # where its threads were, of one that hung


def wait_until(is_true: Callable[[], bool]) -> None:
    end = time.monotonic() + SOON
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.05)


def has_ended(folder: Path, number: int) -> bool:
    held = try_lock(folder / f"{number}.lock")
    if held is not None:
        held.release()
    return held is not None


@posix
@pytest.mark.parametrize("work", ["sleep", "train"])
def test_sigterm_ends_all_and_leaves_no_warning(tmp_path: Path, work: str) -> None:
    with program(tmp_path, work) as process:
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=SOON)
        assert process.returncode == TERMINATED
    wait_until(lambda: all(has_ended(tmp_path, number) for number in (0, 1)))
    assert stderr == ""
    assert not (tmp_path / "2.started").exists()
    if work == "train":
        assert (tmp_path / "0.stored").exists()
        assert (tmp_path / "1.stored").exists()


@posix
def test_workers_that_do_not_end_are_killed(tmp_path: Path) -> None:
    with program(tmp_path, "ignore") as process:
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=SOON)
        assert process.returncode == TERMINATED
    assert has_ended(tmp_path, 0)
    assert has_ended(tmp_path, 1)
    assert "Traceback" not in stderr


@posix
def test_ctrl_c_lets_them_store(tmp_path: Path) -> None:
    with program(tmp_path, "train") as process:
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=SOON)
    assert (tmp_path / "0.stored").exists()
    assert (tmp_path / "1.stored").exists()
    assert "KeyboardInterrupt" in stderr  # in a program of the user as ever


@posix
@pytest.mark.parametrize("work", ["sleep", "train"])
def test_workers_of_a_killed_parent_end(tmp_path: Path, work: str) -> None:
    with program(tmp_path, work) as process:
        process.kill()
        process.wait(timeout=SOON)
        wait_until(lambda: has_ended(tmp_path, 0) and has_ended(tmp_path, 1))
    assert (tmp_path / "0.stored").exists() == (work == "train")


@posix
def test_a_handler_of_the_program_itself_is_left(tmp_path: Path) -> None:
    def mine(number: int, frame: object) -> None: ...

    before = signal.signal(signal.SIGTERM, mine)
    try:
        with worker_processes._StopWorkers():
            assert signal.getsignal(signal.SIGTERM) is mine
        assert signal.getsignal(signal.SIGTERM) is mine
    finally:
        signal.signal(signal.SIGTERM, before)


def test_one_job_stays_in_this_process() -> None:
    seen: list[int] = []
    assert list(run_in_processes(lambda task: seen.append(task), [1, 2], 1)) == [None, None]
    assert seen == [1, 2]


def test_errors_and_results_come_back() -> None:
    assert sorted(run_in_processes(abs, [-2, 3, -1], 2)) == [1, 2, 3]
    with pytest.raises(ZeroDivisionError):
        list(run_in_processes(lambda task: 1 // task, [1, 0], 2))


def test_nothing_else_in_the_package_starts_processes() -> None:
    starts = re.compile(
        r"joblib\.Parallel\(|ProcessPool\w*\(|\bProcess\(|Popen\(|subprocess|os\.fork"
    )
    files = [path for path in PACKAGE.rglob("*.py") if starts.search(path.read_text("utf-8"))]
    # That of a workbook is waited for, and ends with an error in this process; a compiler ends by
    # itself.
    others = ["binary_files.py", "native_program.py"]
    assert sorted(path.name for path in files) == [*others, "worker_processes.py"]


def test_a_backend_that_gives_no_results_before_the_last_gives_all() -> None:
    """As that of Ray, whose base class this backend is."""
    with joblib.parallel_config(backend="multiprocessing"):
        assert sorted(run_in_processes(abs, [-3, 1, -2], 2)) == [1, 2, 3]
