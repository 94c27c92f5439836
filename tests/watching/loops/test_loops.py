"""Loops of daily life: no finding in a healthy one, the right finding in a sick one, and the same
numbers as without `watch`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

import netwise as nw
from watching.loops.programs import LOOPS, Loop

HEALTHY = [pytest.param(loop, id=loop.name) for loop in LOOPS]
SICK = [pytest.param(loop, id=loop.name) for loop in LOOPS if loop.sick]
EXPLICIT = [
    pytest.param(loop, sick, id=f"{loop.name}-{'sick' if sick else 'healthy'}")
    for loop in LOOPS
    if loop.explicit
    for sick in ((False, True) if loop.sick else (False,))
]


@dataclass(frozen=True)
class Outcome:
    """What a run leaves behind: its losses, the next random numbers, and the reports."""

    losses: tuple[float, ...]
    draws: tuple[float, ...]
    reports: dict[str, nw.Report]
    errors: tuple[str, ...] = ()

    @property
    def found(self) -> dict[str, str]:
        """Sentences of the findings at the top of the reports, by the names of their rules."""
        return {
            finding.rule: f"{name}: {finding.sentence}"
            for name, report in self.reports.items()
            for finding in report.found
        }


def _seeded(run: Callable[[], list[float]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    # Not Python's own generator: threads of a parallel test run draw from it.
    np.random.seed(5)
    torch.manual_seed(5)
    losses = tuple(run())
    return losses, (torch.rand(()).item(), float(np.random.rand()))


@cache
def plain(loop: Loop, sick: bool) -> Outcome:
    """The run without `watch`."""
    losses, draws = _seeded(lambda: loop.run(sick))
    return Outcome(losses, draws, {})


@cache
def watched(loop: Loop, sick: bool) -> Outcome:
    """The same inside of a block, with nothing else to call."""
    with nw.watch() as w:
        losses, draws = _seeded(lambda: loop.run(sick))
    reports = {name: nw.diagnose(history) for name, history in w.histories().items()}
    return Outcome(losses, draws, reports, w.errors)


@cache
def explicit(loop: Loop, sick: bool) -> Outcome:
    """The same with the program's own calls of `watch`, `w.step` and `w.epoch`."""
    kept = []

    @contextmanager
    def watch(model: torch.nn.Module, **options: Any) -> Iterator[nw.watch]:
        with nw.watch(model, **options) as w:
            kept.append(w)
            yield w

    run: Callable[..., list[float]] = loop.run
    losses, draws = _seeded(lambda: run(sick, watch=watch))
    return Outcome(losses, draws, {"model": nw.diagnose(kept[0].history())}, kept[0].errors)


def same(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether all numbers are equal to the bit, where nan is equal to nan."""
    pairs = zip(one, other, strict=True)
    return all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in pairs)


def check_unchanged(loop: Loop, sick: bool) -> Outcome:
    """The watched run, which has the numbers of the plain one and no errors of the observer."""
    outcome = watched(loop, sick)
    assert same(outcome.losses, plain(loop, sick).losses)
    assert outcome.draws == plain(loop, sick).draws
    assert outcome.errors == ()
    return outcome


# All of a loop in one test: parallel workers that share a loop would each run it.


@pytest.mark.no_cover  # the sick loops run the same lines, and those of their findings
@pytest.mark.parametrize("loop", HEALTHY)
def test_a_healthy_loop_learns_unchanged_and_nothing_is_found(loop: Loop) -> None:
    losses = plain(loop, sick=False).losses
    last = losses[-max(3, len(losses) // 10) :]
    assert sum(last) / len(last) < loop.falls * sum(losses[:3]) / 3
    assert check_unchanged(loop, sick=False).found == {}


@pytest.mark.parametrize("loop", SICK)
def test_the_fault_of_a_sick_loop_is_named_and_no_other(loop: Loop) -> None:
    found = check_unchanged(loop, sick=True).found
    assert set(found) & set(loop.sick), found
    assert set(found) <= set(loop.sick), found


@pytest.mark.no_cover
@pytest.mark.parametrize(("loop", "sick"), EXPLICIT)
def test_explicit_calls_give_the_same_findings(loop: Loop, sick: bool) -> None:
    outcome = explicit(loop, sick)
    assert same(outcome.losses, plain(loop, sick).losses)
    assert outcome.errors == ()
    if sick:
        assert set(outcome.found) & set(loop.sick), outcome.found
    assert set(outcome.found) <= set(loop.sick if sick else ()), outcome.found
