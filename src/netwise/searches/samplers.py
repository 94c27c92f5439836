"""Optuna's samplers, seeded per trial: draws depend only on (seed, trial number), not on the worker
or on earlier crashes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from netwise import random_streams
from netwise.searches.methods import DRAWS


class TrialSeededSampler(BaseSampler):
    """A new sampler for each trial, and for each independent draw of a trial.

    Args:
        make: one of Optuna's samplers from a seed.
        seed: of the search.
    """

    def __init__(self, make: Callable[[int], BaseSampler], seed: int) -> None:
        self.make, self.seed = make, seed
        self.inner: BaseSampler | None = None  # of the current trial

    def _seed(self, number: int, name: str = "") -> int:
        return random_streams.seed_of(self.seed, f"{DRAWS}/{name}", number) % 2**31

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self.inner = self.make(self._seed(trial.number))
        self.inner.before_trial(study, trial)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        assert self.inner is not None
        return self.inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        assert self.inner is not None
        return self.inner.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        return self.make(self._seed(trial.number, param_name)).sample_independent(
            study, trial, param_name, param_distribution
        )

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        if self.inner is not None:
            self.inner.after_trial(study, trial, state, values)
