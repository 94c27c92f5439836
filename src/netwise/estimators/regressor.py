"""`NetRegressor`: a network as a scikit-learn regressor."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin

from netwise.estimators.inputs import as_column, checked_weights
from netwise.estimators.supervised import SupervisedEstimator
from netwise.parts.losses import Loss, MeanSquaredError

Floats = NDArray[np.floating[Any]]


class NetRegressor(RegressorMixin, SupervisedEstimator):  # type: ignore[misc]
    """A network that predicts numbers, of one target or of several. Targets are standardised for
    training.

    Its arguments and the attributes after `fit` are those of `NetClassifier`, except for what only
    classes have.

    Example:
        >>> from netwise.estimators import NetRegressor
        >>> from sklearn.datasets import make_friedman1
        >>> x, y = make_friedman1(400, random_state=0)
        >>> NetRegressor((64,), random_state=0).fit(x[:300], y[:300]).score(x[300:], y[300:]) > 0.8
        True
    """

    numeric_targets: ClassVar[bool] = True

    @property
    def _loss(self) -> Loss:
        return MeanSquaredError()

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train on X (samples, features), or a data frame, and the targets y, (samples,) or
        (samples, targets)."""
        x, targets = self._checked(X, y)
        targets = np.asarray(targets, dtype=np.float64)
        targets = as_column(targets) if targets.ndim == 2 and targets.shape[1] == 1 else targets
        weights = None if sample_weight is None else checked_weights(sample_weight, x)
        kept = slice(None) if weights is None else weights > 0
        return self._fit(
            x[kept],
            targets[kept],
            None if weights is None else weights[kept],
            1 if targets.ndim == 1 else targets.shape[1],
        )

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """One pass over more data. The scale of the targets is that of the first call."""
        first = not hasattr(self, "run_")
        x, y = self._checked(X, y) if first else (self._inputs(X), np.asarray(y))
        y = np.asarray(y, dtype=np.float64)
        weights = None if sample_weight is None else checked_weights(sample_weight, x)
        return self._fit_more(x, y, weights, 1 if y.ndim == 1 else y.shape[1])

    def predict(self, X: ArrayLike) -> Floats:
        """(samples,) or (samples, targets), in the units of the training targets."""
        outputs, pipeline = self._outputs(X), self.run_.pipeline
        scale, mean = pipeline.target_scale.double(), pipeline.target_mean.double()
        predictions: Floats = (outputs * scale + mean).numpy()
        return predictions[:, 0] if predictions.shape[1] == 1 else predictions
