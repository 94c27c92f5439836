"""`NetClassifier`: a network as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from torch import nn

from netwise import data
from netwise.estimators.inputs import as_column, checked_weights, class_factors
from netwise.estimators.supervised import SupervisedEstimator
from netwise.networks import Network
from netwise.parts.losses import BinaryCrossEntropy, CrossEntropy, Loss
from netwise.recipe.recipe import Recipe
from netwise.recipe.table_settings import HIDDEN, LABEL_SMOOTHING, LEARNING_RATE
from netwise.training.progress import Progress

Floats = NDArray[np.floating[Any]]


class NetClassifier(ClassifierMixin, SupervisedEstimator):  # type: ignore[misc]
    """A network that classifies.

    Args:
        hidden: units of each hidden layer. Default (128, 128).
        activation: of the hidden layers: "relu", "tanh", "sigmoid" and the others of `netwise show
            activations`. Default "relu".
        network: instead of `hidden`: a network of netwise, a `torch.nn.Module` (copied; training
            starts from its weights), or a class that makes one. Default none.
        recipe: instead of all settings: a recipe, whose data are replaced by X and y. Default none.
        members: networks of an ensemble that share their weight matrices, or "auto": 8, and one
            where there is no hidden layer. Default "auto".
        dropout: share of hidden units dropped in training, or "auto": 0.3 below 1,000 samples, else
            0.1, and none where a layer has fewer than 64 units. Default "auto".
        learning_rate: of AdamW, its maximum: it rises and falls to 0 over the epochs. With
            `patience` and in `partial_fit` it is constant, a sixth of this. Default 0.03.
        weight_decay: of AdamW, or "auto": 0.3 below 1,000 samples, beyond times the square of 1,000
            over their number, at least 0.03. Default "auto".
        batch_size: samples of one step, or "auto": all up to 200, else about 64, from 1,000 samples
            on 128, from 20,000 on 256. Default "auto".
        epochs: passes over the data, or "auto": enough for 200 steps, from 1,000 samples on 600;
            from 20 to 60. Default "auto".
        early_stopping: keep the weights of the epoch that was best on a part held out, or "auto":
            from 1,000 samples on. Default "auto".
        validation_fraction: of the samples that early stopping holds out. Default 0.1.
        patience: with early stopping: end after so many epochs without a better one, at a constant
            learning rate. Default None: all epochs.
        standardise: each feature to mean 0 and standard deviation 1 of the training part, clipped
            to 3 standard deviations. Default true.
        class_weight: None, "balanced", or a weight for each class. Default none.
        label_smoothing: share of each target spread over all classes, from 0 to below 1: fewer
            probabilities near 0 and 1, and nearly always a lower log loss on classes that overlap.
            Not for several labels a sample. Default 0.1.
        device: of torch. Default "cpu".
        progress: a display, such as `netwise.cli.display.display()`. Default none.
        random_state: seed, generator or None. Default None.

    Attributes:
        classes_: names in the order of `predict_proba`'s columns.
        run_: recipe, history and network; `report_`: the diagnosis; `module_`: the torch module.
        loss_curve_, validation_loss_curve_, n_iter_: losses of the epochs, and their number.
        encoder_: how the columns of a data frame are encoded, or None for arrays.
        n_features_in_, feature_names_in_: as in all estimators.

    Inputs that are numbers also get periodic embeddings, where there are at most 64 of them.

    Up to 200 samples, which are one batch, a weight of 2 equals the sample twice, to the last bit.

    The defaults are for a fit in about five times the time of scikit-learn's gradient boosting. One
    that is five to fifteen times as long, with wider layers and a small learning rate, was better
    by 0.4 points in the mean of 19 tables, and by 2 to 3 on some (benchmarks/tables.md):
    `NetClassifier((256, 256), learning_rate=0.005, weight_decay=1.0, dropout=0.5, batch_size=200,
    epochs=200)`, from 1,000 samples on with `dropout=0.2, weight_decay=0.2`.

    Example:
        >>> from netwise.estimators import NetClassifier
        >>> from sklearn.datasets import load_wine
        >>> x, y = load_wine(return_X_y=True)
        >>> net = NetClassifier((32,), random_state=0).fit(x[::2], y[::2])
        >>> net.score(x[1::2], y[1::2]) > 0.9
        True
    """

    def __init__(
        self,
        hidden: Sequence[int] = HIDDEN,
        *,
        activation: str = "relu",
        network: Network | nn.Module | type[nn.Module] | None = None,
        recipe: Recipe | None = None,
        members: int | str = "auto",
        dropout: float | str = "auto",
        learning_rate: float = LEARNING_RATE,
        weight_decay: float | str = "auto",
        batch_size: int | str = "auto",
        epochs: int | str = "auto",
        early_stopping: bool | str = "auto",
        validation_fraction: float = 0.1,
        patience: int | None = None,
        standardise: bool = True,
        class_weight: str | dict[Any, float] | None = None,
        label_smoothing: float = LABEL_SMOOTHING,
        device: str = "cpu",
        progress: Progress | None = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            hidden,
            activation=activation,
            network=network,
            recipe=recipe,
            members=members,
            dropout=dropout,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            batch_size=batch_size,
            epochs=epochs,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            patience=patience,
            standardise=standardise,
            device=device,
            progress=progress,
            random_state=random_state,
        )
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train on X (samples, features), dense or sparse, or a data frame of pandas, polars or
        Arrow.

        Args:
            X: the inputs.
            y: classes (samples,); or 0 and 1 (samples, labels), where a sample may have several
                labels or none.
            sample_weight: factor on the loss of each sample, at least 0. Default: all 1.
        """
        x, labels = self._checked(X, y)
        check_classification_targets(labels)
        self._multilabel = type_of_target(labels) == "multilabel-indicator"
        if self._multilabel:
            return self._fit_labels(x, np.asarray(labels), sample_weight)
        labels = as_column(labels)
        weights = self._weights(x, labels, sample_weight)
        kept = slice(None) if weights is None else weights > 0
        self.classes_ = np.unique(labels[kept])
        if len(self.classes_) < 2:
            raise ValueError(
                f"y has one class, {self.classes_.tolist()[0]!r}: a classifier needs at least two."
                " Pass samples of another class too"
            )
        numbers = np.searchsorted(self.classes_, labels[kept])
        return self._fit(
            x[kept], numbers, None if weights is None else weights[kept], len(self.classes_)
        )

    def _fit_labels(self, x: Any, y: Any, sample_weight: Any) -> Self:
        """Fit to an indicator of labels (samples, labels), each a question of its own."""
        weights = self._weights(x, y, sample_weight)
        kept = slice(None) if weights is None else weights > 0
        self.classes_ = np.arange(y.shape[1])
        weights = None if weights is None else weights[kept]
        return self._fit(x[kept], y[kept].astype(np.float64), weights, y.shape[1])

    @property
    def _loss(self) -> Loss:
        if self._multilabel:
            return BinaryCrossEntropy()
        return CrossEntropy(label_smoothing=self.label_smoothing)

    @property
    def _scales_targets(self) -> bool:
        return False

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """One pass over more data. The first call needs `classes`: those of all calls."""
        first = not hasattr(self, "run_")
        self._multilabel = False if first else self._multilabel
        if self._multilabel or type_of_target(y) == "multilabel-indicator":
            raise ValueError(
                "partial_fit takes one class a sample, and y is an indicator of labels. "
                "Use fit with all samples"
            )
        if first and classes is None:
            raise ValueError(
                "classes must be passed on the first call to partial_fit: later calls may have "
                "other ones. Pass classes=np.unique(y) of all targets"
            )
        x, y = self._checked(X, y) if first else (self._inputs(X), np.asarray(y))
        y = as_column(y)
        if first:
            self.classes_ = np.unique(np.asarray(classes))
        elif classes is not None and not np.array_equal(
            np.unique(np.asarray(classes)), self.classes_
        ):
            raise ValueError(
                f"classes = {np.unique(np.asarray(classes)).tolist()} are not those of the first "
                f"call, {self.classes_.tolist()}. Leave classes out, or fit a new estimator"
            )
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y has the classes {unknown.tolist()}, which are not among"
                f" {self.classes_.tolist()}. Pass all classes to the first call of a new estimator"
            )
        weights = self._weights(x, y, sample_weight)
        return self._fit_more(x, np.searchsorted(self.classes_, y), weights, len(self.classes_))

    def _with_class_names(self, samples: data.Arrays) -> data.Arrays:
        if self._multilabel:
            return samples
        numbers = torch.tensor([int(name) for name in samples.classes])[samples.y]
        return samples.but(y=numbers, classes=tuple(map(str, range(len(self.classes_)))))

    def _weights(self, x: Any, y: Any, sample_weight: Any) -> Floats | None:
        if sample_weight is None and self.class_weight is None:
            return None
        weights = checked_weights(sample_weight, x)
        if self.class_weight is not None:
            weights = weights * class_factors(self.class_weight, y, weights)
        return weights

    def predict_proba(self, X: ArrayLike) -> Floats:
        """(samples, classes): the probability of each class, in the order of `classes_`; of each
        label by itself, where samples have several."""
        logits = self._outputs(X)
        if self._multilabel:
            shares: Floats = torch.sigmoid(logits).numpy()
            return shares
        probabilities: Floats = torch.softmax(logits[:, : len(self.classes_)], 1).numpy()
        return probabilities

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """(samples,): the most probable class; or 0 and 1 (samples, labels), as y was."""
        if getattr(self, "_multilabel", False):
            return (self.predict_proba(X) > 0.5).astype(np.int64)
        most_probable = self.predict_proba(X).argmax(1)
        return np.asarray(self.classes_[most_probable])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
