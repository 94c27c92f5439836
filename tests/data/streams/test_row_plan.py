"""Orders of epochs: every row once, windows that bound what is in memory, the same by seed."""

from __future__ import annotations

import torch
from hypothesis import given, settings, strategies as st

from netwise.data.streams.block_rows import Block, BlockRows
from netwise.data.streams.row_plan import RowPlan


def _g(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 200),
    gap=st.integers(1, 4),
    window=st.integers(1, 250),
    block=st.integers(0, 40),
    seed=st.integers(0, 5),
)
def test_an_order_has_every_row_once_and_depends_on_the_seed_alone(
    count: int, gap: int, window: int, block: int, seed: int
) -> None:
    rows, plan = gap * torch.arange(count) + 3, RowPlan(window, block)
    order = plan.order(rows, _g(seed))
    assert sorted(order.tolist()) == list(range(count))
    assert torch.equal(order, plan.order(rows, _g(seed)))


def test_windows_follow_the_source_and_move_from_epoch_to_epoch() -> None:
    plan = RowPlan(window=50)
    orders = [plan.order(torch.arange(1000), _g(seed)) for seed in range(5)]
    for order in orders:
        assert (order - torch.arange(1000)).abs().max() < 50
        assert (order - torch.arange(1000)).abs().float().mean() > 10
    ends = {int((order[:50] < 50).sum()) for order in orders}
    assert len(ends) > 1


def test_blocks_come_in_another_order_than_in_the_source() -> None:
    order = RowPlan(window=20, block=10).order(torch.arange(400), _g(0))
    blocks = [set((part // 10).tolist()) for part in order.split(20)]
    assert max(map(len, blocks)) <= 6  # parts of two windows, and of three blocks in each
    assert (order - torch.arange(400)).abs().float().mean() > 60


class Counted:
    rows, size = 1000, 10

    def __init__(self) -> None:
        self.read_numbers: list[int] = []

    def begin(self, epoch: int) -> bool:
        return False

    def read(self, number: int) -> Block:
        self.read_numbers.append(number)
        start = number * self.size
        return Block(torch.arange(start, start + self.size).float()[:, None])


def test_a_source_in_sequence_is_read_once_for_an_epoch_and_a_window_of_it_is_kept() -> None:
    reader, plan = Counted(), RowPlan(window=60, in_sequence=True)
    store = BlockRows(reader, plan, used=500)
    train = 2 * torch.arange(500)
    held = []
    for places in plan.order(train, _g(1)).split(16):
        rows = train[places]
        assert torch.equal(store.index_select(0, rows)[:, 0], rows.float())
        held.append(len(store._blocks))
    assert reader.read_numbers == list(range(100))
    assert max(held) <= 60 * 2 / 10 + 3


def test_an_epoch_that_continues_reads_only_what_is_left() -> None:
    reader, plan = Counted(), RowPlan(window=50, block=10)
    store = BlockRows(reader, plan, used=1000)
    for places in plan.order(torch.arange(1000), _g(1)).split(20)[45:]:
        store.index_select(0, places)
    assert len(set(reader.read_numbers)) <= 17
