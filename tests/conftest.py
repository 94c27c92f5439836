"""What tests share: where real data lie, and small runs that many look at."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import netwise as nw
from netwise.training import other_load
from netwise.training.waiting_threads import threads_wait_asleep

threads_wait_asleep()  # before a test loads torch: tests run beside each other
# Threads and warnings (SlowSteps) do not depend on what else the machine does; not a fixture of
# each test, since runs that tests share are made before those.
other_load._COUNTS = Path("no counts while tests run")

collect_ignore = ["clinic/adapter.py"]  # imports modules of the clinic's own folder

settings.register_profile(
    "netwise", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("netwise")


@pytest.fixture(autouse=True)
def nothing_observes_after_a_test() -> Iterator[None]:
    """A test that leaves an observer running would slow down all later ones, and be changed by
    them."""
    yield
    observer = sys.modules.get("netwise.observe.active_observers")
    if observer is not None:
        running = list(observer.ACTIVE)
        for each in running:
            each.stop()
        assert not running, "the test left an observer running: call stop()"


@pytest.fixture
def processes_without_coverage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Line coverage is not measured in processes that the test starts: it makes them half as slow
    again, and other tests run the same lines. The marker `no_cover` does it in this process."""
    for name in list(os.environ):
        if name.startswith("COVERAGE_"):
            monkeypatch.delenv(name)


@pytest.fixture
def data_files() -> Path:
    """The folder of real data files; tests that need it skip where it is not set."""
    folder = os.environ.get("NETWISE_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("NETWISE_DATA is not set to a folder of data files")
    return Path(folder)


@pytest.fixture
def clinic() -> Path:
    """The folder of the clinic's cases; its modules can be imported inside the test."""
    folder = os.environ.get("NETWISE_CLINIC")
    if not folder or not Path(folder).is_dir():
        pytest.skip("NETWISE_CLINIC is not set to the folder of the clinic")
    sys.path.insert(0, folder)
    yield Path(folder)
    sys.path.remove(folder)


@pytest.fixture(scope="session")
def digits_run() -> nw.Run:
    """A healthy run."""
    return nw.fit(nw.suggest(nw.data.digits(), epochs=6))


@pytest.fixture(scope="session")
def sick_run() -> nw.Run:
    """Four sigmoid layers that do not learn."""
    return nw.fit(nw.gallery.DEEP_SIGMOID)


@pytest.fixture
def small() -> nw.Recipe:
    """A recipe that runs in a few hundredths of a second."""
    return nw.Recipe(
        data=nw.data.iris(),
        network=nw.MLP((4, 8, 3)),
        optimizer=nw.SGD(lr=0.1, momentum=0.9),
        batch_size=16,
        epochs=4,
    )
