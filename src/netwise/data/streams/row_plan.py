"""In which order the rows of a stream are read, and how many are looked at before training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from netwise.data.lazy_rows import LazyRows

SAMPLE_BYTES = 2**26  # of the rows that preprocessing is fitted to
GROUPS = 8  # of consecutive rows that are looked at


@dataclass(frozen=True)
class RowPlan:
    """How the rows of a stream are read.

    The order of an epoch is a function of its generator, of the rows and of this plan alone. So a
    run that continues in the middle of an epoch computes the order again, and reads only what is
    left of it.

    Args:
        window: rows that are shuffled together, and so are in memory together; 1: the order of the
            source is kept.
        block: rows that lie together in the source. Blocks come in a random order, then windows are
            shuffled. 0: windows follow the order of the source.
        fit_rows: rows that preprocessing is fitted to, at most.
        in_sequence: the source is read from its start.

    Source: shards in a random order, then a shuffle within blocks of a fixed size, as `py1b` of
    MosaicML's streaming data sets has it.
    """

    window: int
    block: int = 0
    fit_rows: int = 100_000
    in_sequence: bool = False

    def order(self, rows: Tensor, g: torch.Generator) -> Tensor:
        """The places 0, 1, ... of `rows` in the order of an epoch.

        Args:
            rows: numbers in the source, increasing.
            g: gives the draws.

        Example:
            >>> import torch
            >>> from netwise.data.streams.row_plan import RowPlan
            >>> g = torch.Generator().manual_seed(0)
            >>> sorted(RowPlan(window=4, block=2).order(torch.arange(9), g).tolist())
            [0, 1, 2, 3, 4, 5, 6, 7, 8]
            >>> RowPlan(window=1).order(torch.arange(3), g).tolist()
            [0, 1, 2]
        """
        count = len(rows)
        if self.window == 1:
            return torch.arange(count)
        if self.window >= count:
            return torch.randperm(count, generator=g)
        places = torch.cat(list(self._blocks(rows, g))) if self.block else torch.arange(count)
        # Windows begin elsewhere in each epoch, so that the same rows do not meet again.
        first = int(torch.randint(1, self.window + 1, (), generator=g))
        windows = [places[:first], *places[first:].split(self.window)]
        return torch.cat([each[torch.randperm(len(each), generator=g)] for each in windows])

    def _blocks(self, rows: Tensor, g: torch.Generator) -> Iterator[Tensor]:
        starts = torch.arange(0, int(rows[-1]) + self.block + 1, self.block)
        ends = torch.searchsorted(rows, starts).tolist()
        for block in torch.randperm(len(starts) - 1, generator=g).tolist():
            yield torch.arange(ends[block], ends[block + 1])


def plan_of(x: Tensor) -> RowPlan | None:
    """The plan of inputs that are read as a stream; None for all others."""
    return getattr(x.store, "plan", None) if isinstance(x, LazyRows) else None


def epoch_order(x: Tensor, epoch: int, g: torch.Generator) -> Tensor:
    """Numbers of the samples of a training part in the order of an epoch.

    Args:
        x: its inputs.
        epoch: from 0.
        g: gives the draws.
    """
    plan = plan_of(x)
    if plan is None or not isinstance(x, LazyRows):
        return torch.randperm(len(x), generator=g)
    rows = x.numbers()
    order = plan.order(rows, g)
    x.store.begin(epoch, rows[order])  # type: ignore[attr-defined]  # all stores with a plan have it
    return order


def fitting_rows(x: Tensor) -> Tensor | None:
    """The rows that preprocessing of a stream is fitted to, in memory and evenly spaced; None for
    inputs that are no stream, all of which it is fitted to."""
    plan = plan_of(x)
    return None if plan is None else some_rows(x, plan.fit_rows)


def some_rows(x: Tensor, most: int) -> Tensor:
    """At most so many of the samples of a stream, evenly spaced, as a plain tensor."""
    assert isinstance(x, LazyRows)
    size = max(1, 4 * x[:1].numel())
    count = min(len(x), most, max(16, SAMPLE_BYTES // size))
    return x.at(torch.linspace(0, len(x) - 1, count).round().long()).floats()


def looked_at(x: Tensor, most: int = 10_000) -> Tensor:
    """Some samples of a stream as a plain tensor, see `shown_places`; inputs that are no stream as
    they are."""
    places = shown_places(x, most)
    return x.at(places).floats() if isinstance(x, LazyRows) and places is not None else x


def shown_places(x: Tensor, most: int) -> Tensor | None:
    """Numbers of some samples of a stream that are read without a pass over all: the first, or a
    few groups. None for inputs that are no stream."""
    plan = plan_of(x)
    if plan is None:
        return None
    if plan.in_sequence or len(x) <= most:
        return torch.arange(min(most, len(x)))
    size = max(1, most // GROUPS)
    starts = torch.linspace(0, len(x) - size, GROUPS).long()
    return (starts[:, None] + torch.arange(size)).flatten()


def first_rows(x: Tensor, most: int) -> Tensor:
    """The first samples of a stream, which are read without a pass over the others."""
    assert isinstance(x, LazyRows)
    return x.at(torch.arange(min(most, len(x)))).floats()
