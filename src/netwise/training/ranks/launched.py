"""Whether this process is one of several that train together, by what `torchrun` sets; no torch."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from netwise.errors import WrongValue

NAMES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
JOBS = "Whole runs share the cores by jobs=N, and several machines by a backend of joblib."
_SPOKEN = "netwise/spoken"
_STORES: list[Any] = []  # of torch.distributed, once the processes have met


@dataclass(frozen=True)
class Launched:
    """What `torchrun` says of this process.

    Args:
        rank, size: number of this process among all, and how many there are.
        local_rank, local_size: the same on this machine.
    """

    rank: int
    size: int
    local_rank: int
    local_size: int


def launched() -> Launched | None:
    """This process among those of `torchrun`; None where it was started by itself.

    Some clusters set the same variables for a lone process: that counts only under `torchrun`.

    Example:
        >>> from netwise.training.ranks.launched import launched
        >>> launched() is None
        True
    """
    values = os.environ
    numbers = [values.get(name, "") for name in ("RANK", "WORLD_SIZE")]
    if not all(values.get(name) for name in NAMES) or not all(n.isdecimal() for n in numbers):
        return None
    rank, size = map(int, numbers)
    if size < 2 and "TORCHELASTIC_RUN_ID" not in values:
        return None
    local_rank, local_size = values.get("LOCAL_RANK", ""), values.get("LOCAL_WORLD_SIZE", "")
    return Launched(
        rank,
        size,
        int(local_rank) if local_rank.isdecimal() else rank,
        int(local_size) if local_size.isdecimal() else size,
    )


def is_first() -> bool:
    """Whether this process prints for all of them: it is the first, or was started by itself."""
    process = launched()
    return process is None or process.rank == 0


def command_of_train() -> str:
    """The command that trains with as many processes as there are."""
    process = launched()
    if process is None or process.size < 2:
        return "netwise train"
    return f"torchrun --nproc-per-node {process.local_size} -m netwise train"


def require_one_process(what: str, instead: str) -> None:
    """Refuse work on whole runs, where several processes were started for one run.

    Args:
        what: is to be done, such as "search".
        instead: a sentence that says how it uses several processes.

    Raises:
        WrongValue: this process is one of several.
    """
    process = launched()
    if process is not None and process.size > 1:
        reason = (
            f"were started by torchrun, which is for one run of fit or netwise train. {instead} "
            "Start the program without torchrun"
        )
        raise WrongValue.of(what, "processes", str(process.size), reason)


def use_store(store: Any) -> None:
    """Ask this store of torch.distributed from now on who speaks."""
    _STORES[:] = [store]


def first_to_speak() -> bool:
    """Whether no other process has shown an error yet: several that fail for one reason show it
    once. Before the processes have met, the first one shows what all of them find."""
    if launched() is None:
        return True
    if not _STORES:
        return is_first()
    with suppress(Exception):  # the process that keeps the store may be the one that ended
        return bool(_STORES[0].add(_SPOKEN, 1) == 1)
    return True
