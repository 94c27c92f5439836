"""Running the trials of a bench apart from the program, and what follows for its report."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from netwise.diagnosis.report import Report
from netwise.diagnosis.short_trial import NOT_POSSIBLE, ShortTrial
from netwise.errors import named
from netwise.history import History
from netwise.observe.torch_hooks import QUIET
from netwise.trials.bench import Bench
from netwise.trials.conclusions import concluded, needs_trials
from netwise.trials.experiments import Experiments


class NotPossible(Exception):
    """Why trials cannot be run."""


def tried(history: History, report: Report, bench: Callable[[], Bench]) -> Report:
    """The report after the trials that would decide it. The program's weights, gradients, modes and
    random generators are untouched.

    Args:
        history: of the program.
        report: without trials.
        bench: makes what they are run on, or raises `NotPossible`.
    """
    if not needs_trials(report):
        return report
    with _apart():
        try:
            outcomes = Experiments(bench(), history, report).run()
        except Exception as error:  # code of the program's own fails in its own ways
            what = str(error) if isinstance(error, NotPossible) else named(error)
            sentence = what[:300].rstrip(".") + "."
            sentence = sentence[0].upper() + sentence[1:]
            return replace(report, trials=(ShortTrial("every", "", NOT_POSSIBLE, sentence),))
    return concluded(report, outcomes)


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
