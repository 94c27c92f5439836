"""Rules that are checked while an observed program trains: lines about what is found and what has
healed, and the end of a run that a finding asks for."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

import torch

from netwise.diagnosis.live_findings import (
    GROWTH,
    FindingEvent,
    LiveFindings,
    is_at_least,
    least_grade,
)
from netwise.diagnosis.rules import Finding
from netwise.errors import TrainingStopped
from netwise.history import History
from netwise.observe.observed_model import ObservedModel

FIRST = 5  # steps before the first check


class LiveChecks:
    """Diagnoses the models of a watch at growing distances.

    Args:
        models: returns the models that are trained, with their histories.
        safely: calls a function and keeps its errors from the program.
        prints: whether each event is printed to stderr.
        stop_on: grades of which a finding, or one that is more certain, ends the run.
        failed: whether a value that is not finite was met, which is told at once.

    Raises:
        ValueError: `stop_on` holds another word than a grade.
    """

    def __init__(
        self,
        models: Callable[[], Iterable[tuple[ObservedModel, History]]],
        safely: Callable[..., object],
        *,
        prints: bool,
        stop_on: Collection[str] = (),
        failed: Callable[[], bool] = lambda: False,
    ) -> None:
        self._least = least_grade(stop_on)
        self._models, self._safely, self._prints = models, safely, prints
        self._failed, self._told = failed, False
        self._by_model: dict[int, LiveFindings] = {}
        self._steps, self._due = 0, FIRST
        self._stop: TrainingStopped | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was reported and has not healed."""
        return tuple(each for live in self._by_model.values() for each in live.findings)

    def after_step(self) -> None:
        """Count a step, and check where it is time.

        Raises:
            TrainingStopped: a finding of a grade in `stop_on` holds.
        """
        self._steps += 1
        fails = not self._told and self._failed()
        if self._steps < self._due and not fails:
            return
        self._told = self._told or fails
        self._due = int(self._steps * GROWTH) + 1
        self._safely("live findings", self._check)
        stop, self._stop = self._stop, None
        if stop is not None:
            raise stop

    def _check(self) -> None:
        models = list(self._models())
        for model, history in models:
            live = self._by_model.setdefault(id(model), LiveFindings())
            name = model.name if len(models) > 1 else ""
            for event in live.check(_without_idle(model, history), name):
                if self._prints:
                    print(f"netwise: {event}", file=sys.stderr, flush=True)
                self._consider(event)

    def _consider(self, event: FindingEvent) -> None:
        """Note the first finding that ends the run."""
        if event.healed or self._least is None or self._stop is not None:
            return
        if is_at_least(event.finding.grade, self._least):
            change = event.finding.change
            text = f"stopped at {event}" + (f"\nChange in the program:\n{change}" if change else "")
            self._stop = TrainingStopped(text, event.finding, event.step)


def _without_idle(model: ObservedModel, history: History) -> History:
    """The history without weights "in no optimizer" that an optimizer holds which has made no step
    yet, as the second one of two that train by turns."""
    wiring = history.wiring
    if wiring is None or not wiring.in_no_optimizer:
        return history
    held = {id(p) for each in _optimizers() for group in each.param_groups for p in group["params"]}
    names = {
        model.prefix(root) + name
        for root in model.roots
        for key, name in root.parameters.items()
        if key in held
    }
    left = tuple(name for name in wiring.in_no_optimizer if name not in names)
    return history.but(wiring=replace(wiring, in_no_optimizer=left))


def _optimizers() -> list[torch.optim.Optimizer]:
    """All optimizers of this process."""
    return [each for each in gc.get_objects() if issubclass(type(each), torch.optim.Optimizer)]
