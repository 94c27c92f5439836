"""One trial of a search as a value, the states it can be in, and the ranking of trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from netwise.schema import Count
from netwise.searches.space import Point

COMPLETE, PRUNED, FAILED, RUNNING, WAITING = "complete", "pruned", "failed", "running", "waiting"
END_STATES = (COMPLETE, PRUNED, FAILED)


class StoredResult(TypedDict, total=False):
    """What the worker of a trial stores at its end; see `TrialRecord`."""

    value: NotRequired[float | None]
    low: NotRequired[float | None]
    high: NotRequired[float | None]
    reason: NotRequired[str]
    seconds: NotRequired[float]
    epochs: NotRequired[Count]


class TrialAttributes(TypedDict, total=False):
    """What the storage of a search keeps of a trial, besides its point and values."""

    stage: NotRequired[Count]
    place: NotRequired[Count]
    parent: NotRequired[Count | None]
    told: NotRequired[StoredResult]
    beat: NotRequired[float]


@dataclass(frozen=True)
class Crashes:
    """How often the worker of a trial was killed without progress.

    Args:
        got: the files that the trial had then.
        times: how often.
    """

    got: tuple[str, ...] = ()
    times: int = 0


@dataclass(frozen=True)
class TrialRecord:
    """One trial of a search, as its method and its plots read it.

    Args:
        number: from 0, in the order in which trials started.
        stage: of the method, from 0.
        point: the values of the axes.
        value: of the goal, higher is better; None where the trial has none.
        state: "complete", "pruned", "failed" (an error, or a run that diverged), "running" or
            "waiting".
        reason: why it failed or was pruned, or "".
        low, high: 95 % interval of the value from the number of validation samples, or from the
            folds; None where none is known.
        seconds: of training.
        epochs: that were trained.
        folder: of its run, or of the runs of its folds, relative to the study's folder.
        epoch_values: the value after each epoch, where the method prunes by it.
        parent: number of the trial whose weights it started from, or None.

    Example:
        >>> import netwise as nw
        >>> nw.TrialRecord(3, 0, {"optimizer.lr": 0.1}, value=0.95).state
        'complete'
    """

    number: int
    stage: int
    point: Point
    value: float | None = None
    state: str = COMPLETE
    reason: str = ""
    low: float | None = None
    high: float | None = None
    seconds: float = 0.0
    epochs: int = 0
    folder: str = ""
    epoch_values: tuple[float, ...] = ()
    parent: int | None = None

    @property
    def ended(self) -> bool:
        """The trial needs no more work: complete, pruned or failed."""
        return self.state in END_STATES

    @property
    def point_text(self) -> str:
        """The point as text: `optimizer.lr = 0.1, width = 30`."""
        return ", ".join(
            f"{name} = {value:.4g}" if isinstance(value, float) else f"{name} = {value}"
            for name, value in self.point.items()
        )


def ranked(trials: Sequence[TrialRecord], stage: int | None = None) -> list[TrialRecord]:
    """The complete trials, highest value first, of equal values the earliest first; with `stage`,
    those of this stage alone."""
    complete = [
        (-trial.value, trial.number, trial)
        for trial in trials
        if trial.state == COMPLETE
        and trial.value is not None
        and (stage is None or trial.stage == stage)
    ]
    return [trial for *_, trial in sorted(complete, key=lambda each: each[:2])]
