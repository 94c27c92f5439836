"""The states of torch's random generators in all processes, as a checkpoint has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from netwise.training.ranks.ranks import Ranks


def random_states(ranks: Ranks, own: Sequence[Tensor]) -> dict[str, Tensor]:
    """The states of all processes by their names in a file: those of the first as of a lone one,
    such as "0", those of others after their number, such as "1/0"."""
    states = ranks.gather([state.cpu() for state in own])
    return {
        _prefix(rank) + str(number): state
        for rank, of_one in enumerate(states)
        for number, state in enumerate(of_one)
    }


def own_random_states(ranks: Ranks, saved: Mapping[str, Tensor]) -> list[Tensor]:
    """Those of this process; empty where it is none of the processes that wrote them."""
    prefix = _prefix(ranks.rank)
    names = [
        name
        for name in sorted(saved)
        if name.rpartition("/")[0] + "/" == prefix or (not prefix and "/" not in name)
    ]
    return [saved[name] for name in names]


def _prefix(rank: int) -> str:
    return f"{rank}/" if rank else ""
