"""Short trials of a run of `fit`: its recipe says how the module starts and on what it trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import nn

from netwise.history import History
from netwise.recipe.recipe import Recipe
from netwise.training.initial_weights import Train

if TYPE_CHECKING:
    from netwise.diagnosis.report import Report


@dataclass(frozen=True, eq=False)
class RunTrials:
    """Short trials with the recipe and the trained module of a run.

    Args:
        recipe: of the run.
        module: the trained one.
        train: gives the tensors of the module that a recipe trains, for `From(recipe)`.
    """

    recipe: Recipe
    module: nn.Module
    train: Train

    def __reduce__(self) -> tuple[Any, ...]:
        """A run that is sent to another process has no trials there."""
        return type(None), ()

    def try_out(self, history: History, report: Report, limit: float) -> Report:
        """See `netwise.history.TrialSource`."""
        from netwise.training.run_bench import bench_of_run  # heavy: of most runs none is asked
        from netwise.trials.trying import tried  # heavy

        def bench() -> Any:
            return bench_of_run(self.recipe, self.module, self.train, history, limit)

        return tried(history, report, bench)
