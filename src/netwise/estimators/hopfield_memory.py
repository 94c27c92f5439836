"""A Hopfield network as an estimator: `fit` stores patterns, `predict` recalls them."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from netwise.networks.energy.hopfield import AssociativeMemory, Hopfield

Floats = NDArray[np.floating[Any]]


class HopfieldMemory(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # no types
    """Stores the rows of X as patterns of -1 and 1, and recalls them from noisy or partial ones.

    Features become 1 or -1 by a threshold: the middle between their lowest and highest value in
    `fit`, or one of your own. A feature that is the same in all patterns has the middle of all
    features, so that patterns of two values are stored as they are.

    Args:
        rule: "hebb", "pseudo-inverse" or "storkey". Default "pseudo-inverse": it stores
            correlated patterns.
        threshold: at or above it a feature is 1, below it -1. Default None: the middle of each
            feature's range; of a constant one the middle of all.
        order: in which units are updated: "random", "fixed" or "together". Default "random".
        sweeps: sweeps over all units, at most. Default 100.
        random_state: of the order: seed, generator or None. Default None.

    Attributes:
        weights_: (n_features, n_features).
        patterns_: the stored patterns, -1 and 1.
        threshold_: of each feature.
        n_features_in_, feature_names_in_: as in all estimators.

    Example:
        >>> import numpy as np
        >>> from netwise.estimators import HopfieldMemory
        >>> patterns = np.array([[0, 0, 1, 1, 0, 1], [1, 0, 0, 1, 1, 0.0]])
        >>> memory = HopfieldMemory(random_state=0).fit(patterns)
        >>> memory.transform([[0, 0, 1, 1, 0, 0]]).tolist()
        [[0.0, 0.0, 1.0, 1.0, 0.0, 1.0]]
    """

    def __init__(
        self,
        rule: str = "pseudo-inverse",
        *,
        threshold: float | None = None,
        order: str = "random",
        sweeps: int = 100,
        random_state: Any = None,
    ) -> None:
        self.rule = rule
        self.threshold = threshold
        self.order = order
        self.sweeps = sweeps
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Store the rows of X (patterns, features); y is ignored."""
        x = validate_data(self, X, dtype=(np.float64, np.float32))
        self.low_, self.high_ = x.min(0), x.max(0)
        self.threshold_ = (
            _middles(self.low_, self.high_)
            if self.threshold is None
            else np.full(x.shape[1], self.threshold)
        )
        # a network of one unit would have no weights
        units = max(2, x.shape[1])
        memory = Hopfield(units, rule=self.rule, order=self.order, sweeps=self.sweeps).build()
        assert isinstance(memory, AssociativeMemory)
        memory.store(self._bits(x))
        self.memory_ = memory
        self.weights_, self.patterns_ = memory.weight.numpy(), memory.patterns.numpy()
        self.seed_ = int(check_random_state(self.random_state).randint(2**31 - 1))
        return self

    def _bits(self, x: Floats) -> Tensor:
        bits = torch.from_numpy(np.where(x >= self.threshold_, 1.0, -1.0)).float()
        return bits if bits.shape[1] > 1 else bits.repeat(1, 2)

    def recall(self, X: ArrayLike) -> Floats:
        """The state that each row of X converges to, as -1 and 1, (samples, n_features)."""
        check_is_fitted(self, "memory_")
        x = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        recalled: Floats = (
            self.memory_.recall(self._bits(x), seed=self.seed_)
            .states[:, : x.shape[1]]
            .numpy()
            .astype(x.dtype)
        )
        return recalled

    def transform(self, X: ArrayLike) -> Floats:
        """The state that each row converges to, in the lowest and highest values of the features in
        `fit`."""
        states = self.recall(X)
        features: Floats = np.where(states > 0, self.high_, self.low_).astype(states.dtype)
        return features

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Index of the stored pattern nearest to the state that each row of X converges to,
        (samples,)."""
        states = self.recall(X)
        nearest: NDArray[np.int64] = (states @ self.patterns_[:, : states.shape[1]].T).argmax(1)
        return nearest

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Share of the rows of X that converge to a stored pattern exactly."""
        states = self.recall(X)
        return float(
            (states @ self.patterns_[:, : states.shape[1]].T == states.shape[1]).any(1).mean()
        )

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """The names of the input features."""
        from sklearn.utils.validation import _check_feature_names_in

        check_is_fitted(self, "memory_")
        names: NDArray[np.object_] = _check_feature_names_in(self, input_features)
        return names

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _middles(low: Floats, high: Floats) -> Floats:
    """The threshold of each feature: the middle of its range, or of all features where it is
    constant. Where all features are one constant, values above 0 are high ones."""
    least, most = low.min(), high.max()
    constant = (least + most) / 2 if least < most else np.where(most > 0, most, np.inf)
    middles: Floats = np.where(low < high, low / 2 + high / 2, constant)
    return middles
