"""When a cause is first found: the same run, cut off earlier and earlier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import netwise as nw
from netwise.history import RUNNING, History

SHARES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)


def cut_off(history: History, share: float) -> History:
    """The run after this share of its steps: with the numbers recorded by then.

    Facts of the wiring, of the data and of the first batch stand: they are read in the first steps,
    and a cut cannot take them back. So the answer is the earliest that is possible by signals.
    """
    last = int(share * history.ended.step)
    series = {}
    for key, each in history.series.items():
        count = sum(step <= last for step in each.steps)
        if count:
            series[key] = nw.Series(each.steps[:count], each.values[:count])
    if share >= 1.0:
        return history
    wiring = history.wiring
    if wiring is not None and wiring.not_finite_step is not None and wiring.not_finite_step > last:
        wiring = replace(wiring, not_finite="", not_finite_step=None)
    ended = nw.RunEnd(RUNNING, "Still running.", last + 1)
    return history.but(series=series, ended=ended, wiring=wiring)


def first_share(
    histories: Sequence[History], is_right: Callable[[str], bool]
) -> tuple[float, str] | None:
    """(share of the run, rule) at which a right rule is first found and stays so to the end; None
    where it is not found at the end. `is_right` takes the name of a rule."""
    first: tuple[float, str] | None = None
    for share in reversed(SHARES):
        right = [
            finding.rule
            for history in histories
            for finding in nw.diagnose(cut_off(history, share)).found
            if is_right(finding.rule)
        ]
        if not right:
            break
        first = share, right[0]
    return first
