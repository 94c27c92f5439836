"""Free memory as the system states it, and what needs more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

import netwise as nw
from netwise.memory import ALWAYS_FREE, available_memory, format_size, require_memory


def test_free_memory_lies_between_nothing_and_what_the_machine_has() -> None:
    free = available_memory()
    assert free is not None
    assert free > 0
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        sizes = dict(line.split(":") for line in meminfo.read_text().splitlines())
        whole = sum(1024 * int(sizes[name].split()[0]) for name in ("MemTotal", "SwapTotal"))
        assert free <= whole


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is known on Linux")
def test_a_limit_of_the_address_space_counts() -> None:
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30)); "
        "from netwise.memory import available_memory; print(available_memory())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < 2**30


@pytest.mark.parametrize("below", ["", "total_"])
def test_what_a_control_group_keeps_of_files_is_free(
    below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "limit").write_text("1000000")
    (tmp_path / "used").write_text("990000")
    kept = f"anon 90000\n{below}inactive_file 500000\n{below}active_file 400000\n"
    (tmp_path / "memory.stat").write_text(kept)
    monkeypatch.setattr("netwise.memory.GROUPS", ((str(tmp_path), "limit", "used"),))
    assert available_memory() == 910_000
    (tmp_path / "memory.stat").unlink()
    assert available_memory() == 10_000


@given(needed=st.integers(0, 2**70), free=st.integers(0, 2**50))
def test_exactly_what_needs_more_than_is_free_is_refused(needed: int, free: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("netwise.memory.available_memory", lambda: free)
        if needed <= max(free, ALWAYS_FREE):
            require_memory(needed, "recipe", "size", 3, "needs")
        else:
            with pytest.raises(nw.WrongValue, match="of memory are free"):
                require_memory(needed, "recipe", "size", 3, "needs")


def test_nothing_is_refused_where_the_free_memory_is_not_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("netwise.memory.available_memory", lambda: None)
    require_memory(2**80, "recipe", "size", 3, "needs")


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1024, "1.0 KiB"), (2**30, "1.0 GiB"), (2**73, "8,192.0 EiB")],
)
def test_sizes_are_written_in_units_of_1024(count: int, text: str) -> None:
    assert format_size(count) == text
