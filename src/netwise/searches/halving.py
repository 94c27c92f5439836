"""Successive halving whose decisions do not depend on the number of workers, nor on kills.

At each rung a trial is compared with the trials of lower numbers alone. It waits for those that are
still on their way to the rung, so a decision depends on numbers and values of trials, and never on
which of them was faster.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from netwise.searches.rungs import Rungs
from netwise.searches.study import StudyFolder
from netwise.signals import TRAIN_LOSS, VALID_LOSS, valid_value
from netwise.training.interrupt import signal_requested

WAIT_SECONDS = 0.1  # between two looks at the trials that a trial waits for
POSTPONED = "a trial of a lower number has no worker, and comes first"


class HalvingCallback:
    """The `halt` callback of a trial's run: stores the value after each epoch, and stops the run at
    a rung that it does not survive, or where it would wait for a trial that nobody trains.

    Args:
        study: of the trial.
        trial: Optuna's.
        rungs: of the method.
    """

    def __init__(self, study: StudyFolder, trial: Any, rungs: Rungs) -> None:
        self.study, self.trial, self.rungs = study, trial, rungs
        self.reason = ""  # why it was pruned
        self.is_postponed = False
        stored = study.storage.get_trial(trial._trial_id)
        self.stage = stored.user_attrs.get("stage", 0)
        self.values: dict[int, float] = dict(stored.intermediate_values)

    def __call__(self, epoch: int, row: Mapping[str, Any]) -> str | None:
        value = valid_value(row)
        if value is None:
            value = -float(row.get(VALID_LOSS, 0.0))
        if epoch not in self.values:
            self.trial.report(value, epoch)
            self.values[epoch] = value
        if epoch not in self.rungs.of(self.trial.number):
            return None
        others = self._wait_for_others(epoch)
        if others is None:
            return POSTPONED if self.is_postponed else None
        if not self.rungs.survives(self.values[epoch], others):
            self.reason = f"pruned after epoch {epoch}: others were better by then"
        return self.reason or None

    def catch_up(self, rows: Iterable[Mapping[str, Any]]) -> str | None:
        """Do for the epochs of a run that is resumed what a kill has prevented; as `__call__`."""
        for row in rows:
            if VALID_LOSS in row or TRAIN_LOSS in row:
                reason = self(int(row["epoch"]) + 1, row)
                if reason is not None:
                    return reason
        return None

    def _wait_for_others(self, epoch: int) -> list[float] | None:
        """The values of the lower trials at a rung; None where a signal has arrived, or where one
        of them has no worker that would bring it there."""
        while True:
            values, missing = self._lower_trials(epoch)
            if not missing:
                return values
            if signal_requested():
                return None  # the run stops, and decides when it is resumed
            with self.study.selecting():  # no trial is just being claimed
                missing = self._lower_trials(epoch)[1]
                self.is_postponed = not all(map(self.study.has_worker, missing))
            if self.is_postponed:
                return None
            time.sleep(WAIT_SECONDS)

    def _lower_trials(self, epoch: int) -> tuple[list[float], list[Any]]:
        """Of the lower trials of this bracket: the values at the rung, and those that may still
        reach it."""
        bracket = self.rungs.bracket(self.trial.number)
        values, missing = [], []
        for other in self.study.optuna_study.get_trials(deepcopy=False):
            is_lower = other.number < self.trial.number
            if not is_lower or other.user_attrs.get("stage", self.stage) != self.stage:
                continue
            if self.rungs.bracket(other.number) != bracket:
                continue
            if epoch in other.intermediate_values:
                values.append(other.intermediate_values[epoch])
            elif not other.state.is_finished():
                missing.append(other)
        return values, missing
