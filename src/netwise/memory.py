"""How much memory is free, and the error for what needs more: before anything is allocated.

Limits of single fields do not bound their product: a million channels are allowed, and a
convolution between two layers of them has weights of terabytes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from netwise.errors import WrongValue

ALWAYS_FREE = 2**26  # bytes that are not worth asking the system for
# Control groups of version 2 and 1: folder, file with the limit, file with what is used.
GROUPS = (
    ("/sys/fs/cgroup", "memory.max", "memory.current"),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
)
UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def available_memory() -> int | None:
    """Bytes of memory that a process can still get; None where the system does not say it.

    The least of what the machine has free, of the limit of the process's control group, and of
    the limit of its address space (`ulimit -v`).
    """
    return min(_limits(), default=None)


def _limits() -> Iterator[int]:
    machine = _machine()
    if machine is not None:
        yield machine
    for folder, limit, used in GROUPS:
        total, taken = _number_in(f"{folder}/{limit}"), _number_in(f"{folder}/{used}")
        if total is not None and taken is not None:
            yield max(0, total - taken + min(taken, _cached(f"{folder}/memory.stat")))
    if sys.platform != "win32":
        import resource

        space, _ = resource.getrlimit(resource.RLIMIT_AS)
        pages = _number_in("/proc/self/statm")
        if space != resource.RLIM_INFINITY and pages is not None:
            yield max(0, space - pages * os.sysconf("SC_PAGE_SIZE"))


def _machine() -> int | None:
    """Bytes that the machine has free, with swap; all that it has where it says no more."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        sizes = {name: int(rest.split()[0]) for name, _, rest in (x.partition(":") for x in lines)}
        return 1024 * (sizes["MemAvailable"] + sizes.get("SwapFree", 0))
    except (OSError, ValueError, KeyError, IndexError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _cached(path: str) -> int:
    """Bytes of files that the system keeps for a control group, and gives up where memory is
    needed: they count as used."""
    try:
        lines = Path(path).read_text("ascii").splitlines()
        sizes = {name: int(size) for name, _, size in (line.partition(" ") for line in lines)}
    except (OSError, ValueError):
        return 0
    below = "total_" if "total_inactive_file" in sizes else ""  # groups inside it, in version 1
    return sum(sizes.get(f"{below}{kind}_file", 0) for kind in ("inactive", "active"))


def _number_in(path: str) -> int | None:
    """The first number of a file; None where there is no such file, or its word is "max"."""
    try:
        return int(Path(path).read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return None


def require_memory(
    needed: int, owner: str, field: str, given: object, what: str, instead: str = ""
) -> None:
    """Refuse what needs more memory than is free.

    Args:
        needed: bytes; a lower bound, since nothing that fits may be refused.
        owner, field, given, instead: as in `WrongValue.of`.
        what: beginning of the reason, such as "gives 3,000 images, which need"; the size follows.

    Raises:
        WrongValue: with the estimate and the free memory.

    Example:
        >>> from netwise.memory import require_memory
        >>> require_memory(2**62, "adding", "samples", 10**9, "are numbers that need", "5000")
        Traceback (most recent call last):
        ...
        netwise.errors.WrongValue: adding: 1 problem. Nothing was trained.
          samples = 1000000000  are numbers that need 4.0 EiB, and ... of memory are free. ...
    """
    if needed <= ALWAYS_FREE:
        return
    free = available_memory()
    if free is not None and needed > free:
        raise WrongValue.of(owner, field, given, _reason(needed, free, what, instead), instead)


def _reason(needed: int, free: int, what: str, instead: str) -> str:
    reason = f"{what} {format_size(needed)}, and {format_size(free)} of memory are free"
    return reason if instead else f"{reason}: write smaller values"


def format_size(count: int) -> str:
    """Bytes for people, in units of 1024.

    Example:
        >>> from netwise.memory import format_size
        >>> format_size(3_998_000_000_000)
        '3.6 TiB'
    """
    size = float(count)
    for unit in UNITS[:-1]:
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} {UNITS[-1]}"
