"""How threads of one operation wait for each other: set before torch is loaded, or not at all."""

from __future__ import annotations

import os

POLICY = "OMP_WAIT_POLICY"
_CHOSEN_BY = {POLICY, "GOMP_SPINCOUNT", "KMP_BLOCKTIME"}


def threads_wait_asleep() -> None:
    """Let threads of one operation that wait for each other sleep at once, instead of trying again
    and again for a while; a setting of OpenMP that holds where torch is not loaded yet.

    With two threads on two cores and one other busy process, a step of 784-256-128-10 took 2 to
    4 ms with sleeping threads, and 40 to 400 ms as torch is set (`scripts/bench busy`).
    """
    if not _CHOSEN_BY & os.environ.keys():
        os.environ[POLICY] = "PASSIVE"
