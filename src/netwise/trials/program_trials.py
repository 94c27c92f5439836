"""Trials of a program that is still in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from netwise.diagnosis.report import Report
from netwise.history import History
from netwise.observe.observed_model import ObservedModel
from netwise.trials.program_bench import bench_of
from netwise.trials.trying import tried


@dataclass(frozen=True, eq=False)
class ProgramTrials:
    """Short trials with what an observer kept of one model.

    Args:
        model: as it was observed.
        loss: the function of its loss, where the user stated it.
    """

    model: ObservedModel
    loss: Callable[[Any, Any], Any] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """A program cannot be copied or saved: copies of its history have no trials."""
        return type(None), ()

    def try_out(self, history: History, report: Report, limit: float) -> Report:
        """See `netwise.history.TrialSource`."""
        return tried(history, report, lambda: bench_of(self.model, history, limit, self.loss))
