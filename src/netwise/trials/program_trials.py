"""Trials of a program that is still in memory."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch

from netwise.diagnosis.report import Report
from netwise.diagnosis.short_trial import NOT_POSSIBLE, ShortTrial
from netwise.history import History
from netwise.observe.observed_model import ObservedModel
from netwise.observe.torch_hooks import QUIET
from netwise.trials.conclusions import concluded, needs_trials
from netwise.trials.experiments import Experiments
from netwise.trials.program_bench import NotPossible, bench_of


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
        """The report after the trials that would decide it. Random generators, gradients, modes and
        weights of the program are untouched.

        Args:
            history: of the model.
            report: without trials.
            limit: of the cost, as a share of the run.
        """
        if not needs_trials(report):
            return report
        with _apart():
            try:
                bench = bench_of(self.model, history, limit, self.loss)
                results = Experiments(bench, history, report).run()
            except Exception as error:  # code of the program's own fails in its own ways
                what = "" if isinstance(error, NotPossible) else f"{type(error).__name__}: "
                sentence = f"{what}{error}"[:300].rstrip(".") + "."
                outcome = ShortTrial("every", "", NOT_POSSIBLE, sentence[0].upper() + sentence[1:])
                return replace(report, trials=(outcome,))
        return concluded(report, results)


@contextmanager
def _apart() -> Iterator[None]:
    """Inside, nothing that torch does is observed or changes the program's random generators."""
    QUIET.depth += 1
    try:
        with torch.random.fork_rng(), torch.enable_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        QUIET.depth -= 1
