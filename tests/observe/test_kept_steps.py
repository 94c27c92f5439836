"""Steps give the same bits whether they are evaluated one by one or together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from netwise.observe.hooked_probe import HookedProbe
from netwise.observe.kept_steps import MOST_WAITING, Array, KeptSteps, Measure, Row, packed, planned

G = torch.Generator().manual_seed(0)
X, Y = torch.randn(8, 10, 5, generator=G), torch.randint(3, (8, 10), generator=G)


def write_sum(rows: Sequence[Row], arrays: Sequence[Array], name: str) -> None:
    totals = sum(array.reshape(len(rows), -1).sum(1) for array in arrays)
    for row, total in zip(rows, np.asarray(totals).tolist(), strict=True):
        row[name] = row.get(name, 0.0) + total


def measures(step: int) -> list[Measure]:
    return [
        Measure(write_sum, (X[step], Y[step]), ("both",)),
        Measure(write_sum, (X[step, :, 0],), ("first",)),
    ]


def expected(step: int) -> Row:
    x = X[step].double()
    return {"both": float(x.sum() + Y[step].sum()), "first": float(x[:, 0].sum())}


def test_numbers_are_those_of_the_time_when_they_were_kept() -> None:
    kept, rows, x = KeptSteps(), [Row(), Row()], torch.ones(3)
    for row in rows:
        kept.keep(row, [Measure(write_sum, (x,), ("x",))])
        x += 1
    kept.complete()
    assert rows == [{"x": 3.0}, {"x": 6.0}]


def test_steps_of_other_measures_are_evaluated_in_their_order() -> None:
    kept, seen = KeptSteps(), list[int]()

    def write(rows: Sequence[Row], arrays: Sequence[Array]) -> None:
        seen.extend(int(value) for value in arrays[0][:, 0])

    for number, size in enumerate((2, 2, 3, 2)):
        kept.keep({}, [Measure(write, (torch.full((size,), number),))])
    kept.complete()
    assert seen == [0, 1, 2, 3]


def test_several_steps_may_come_at_once() -> None:
    kept, rows = KeptSteps(), [Row() for _ in range(4)]
    plan, _ = planned(measures(0))
    numbers = [packed(planned(measures(step))[1]) for step in range(4)]
    kept.keep(rows[0], measures(0))
    together = tuple(torch.cat(each) for each in zip(*numbers[1:], strict=True))
    kept.keep_packed(rows[1:], plan, together)
    kept.complete()
    for step, row in enumerate(rows):
        assert row == pytest.approx(expected(step))


def test_a_snapshot_holds_what_waited() -> None:
    kept, first, second = KeptSteps(), Row(), Row()
    kept.keep(first, measures(0))
    snapshot = kept.snapshot()
    kept.keep(second, measures(1))
    kept.restore(snapshot)
    kept.complete()
    assert (set(first), second) == ({"both", "first"}, {})


def test_not_too_many_wait() -> None:
    kept = KeptSteps()
    for number in range(MOST_WAITING):
        assert kept.are_many == (number >= MOST_WAITING)
        kept.keep({}, measures(0))
    assert kept.are_many
    kept.complete()
    assert not kept.are_many
    kept.keep({}, [Measure(write_sum, (torch.zeros(2**20 + 1),), ("x",))])
    assert kept.are_many


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.sampled_from(["ReLU", "Tanh"]))
def test_signals_of_steps_do_not_depend_on_when_they_are_evaluated(
    pieces: list[int], activation: str
) -> None:
    """Of one run, evaluated at each step and after pieces of it."""

    def rows(later: bool) -> list[Row]:
        torch.manual_seed(0)
        bend = getattr(torch.nn, activation)()
        model = torch.nn.Sequential(torch.nn.Linear(5, 40), bend, torch.nn.Linear(40, 3))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
        probe, found = HookedProbe(model, later), list[Row]()
        for piece in pieces:
            for step in range(piece):
                probe.attach()
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(model(X[step]), Y[step])
                loss.backward()
                probe.record(loss.detach(), Y[step])
                optimizer.step()
                row = probe.finish_step()
                assert row is not None
                found.append(row)
            probe.complete()
        return found

    assert rows(False) == rows(True)
