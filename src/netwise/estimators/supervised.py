"""`NetClassifier` and `NetRegressor`: a network where a scikit-learn user expects an estimator.
Thin over `Recipe` and `fit`."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
from torch import nn

from netwise import data
from netwise.data.encoding import TableEncoder, fit_table, is_missing, is_number, tensor_of
from netwise.diagnosis.report import Report, diagnose
from netwise.errors import close_matches
from netwise.networks import MLP, CustomNetwork, Network
from netwise.parts.activations import ACTIVATIONS, Activation
from netwise.parts.initializers import Glorot, He, ModuleDefault
from netwise.parts.losses import CrossEntropy, MeanSquaredError
from netwise.parts.optimizers import AdamW
from netwise.parts.preprocess import ClipInputs, Standardise
from netwise.parts.schedules import ConstantRate, OneCycle
from netwise.parts.stopping import Never, Patience
from netwise.recipe.recipe import Recipe
from netwise.signals import TRAIN_LOSS, VALID_LOSS
from netwise.training.evaluate import outputs_of
from netwise.training.fit import CarriedState, fit, fit_piece
from netwise.training.progress import Progress
from netwise.training.snapshots import module_tensors

Floats = NDArray[np.floating[Any]]
ONE_BATCH = 200  # samples up to which a step takes them all
FEW = 1000  # samples below which a network of this size is held hard
FEW_DROPPED, DROPPED = 0.5, 0.2
NARROW = 64  # units of a layer that can spare none
LIMIT = (
    3.0  # spreads of a standardised input: pixels that are hardly ever on would else reach hundreds
)
FEW_DECAYED, DECAYED = 1.0, 0.1
STEPS, LEAST_EPOCHS, MOST_EPOCHS = 6000, 20, 300  # of a run whose length nobody gave
ENOUGH_TO_HOLD_OUT = 10_000  # samples from which a tenth held out tells more than it costs
BY_NAME: dict[str, type[Activation]] = {each.__name__.lower(): each for each in ACTIVATIONS}


class _Net(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What both share: words into a recipe, inputs into numbers, and what is kept of the run."""

    def __init__(
        self,
        hidden: Sequence[int] = (256, 256),
        *,
        activation: str = "relu",
        network: Network | nn.Module | type[nn.Module] | None = None,
        recipe: Recipe | None = None,
        dropout: float | str = "auto",
        learning_rate: float = 0.005,
        weight_decay: float | str = "auto",
        batch_size: int | str = "auto",
        epochs: int | str = "auto",
        early_stopping: bool | str = "auto",
        validation_fraction: float = 0.1,
        patience: int | None = None,
        standardise: bool = True,
        device: str = "cpu",
        progress: Progress | None = None,
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.network = network
        self.recipe = recipe
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.epochs = epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.standardise = standardise
        self.device = device
        self.progress = progress
        self.random_state = random_state

    # ---- inputs

    def _table(self, X: Any) -> bool:
        """A frame with a column of words or with gaps: it takes the road of `data.csv`."""
        return (
            hasattr(X, "columns")
            and hasattr(X, "dtypes")
            and not all(kind.kind in "biuf" for kind in X.dtypes)
        ) or _has_gaps(X)

    def _checked(self, X: Any, y: Any) -> tuple[Any, Any]:
        """X as an array of numbers and y, both checked as scikit-learn's estimators do."""
        self.encoder_: TableEncoder | None = None
        if self._table(X):
            cells = {str(name): _cells(X[name]) for name in X.columns}
            if y is None or len(y) != len(X):
                raise ValueError(
                    f"X has {len(X)} rows and y has {0 if y is None else len(y)}: each sample needs one target"
                )
            self.encoder_ = fit_table(
                cells,
                {
                    name: all(is_number(c) or is_missing(c) for c in column)
                    for name, column in cells.items()
                },
            )
            validate_data(self, X, skip_check_array=True)
            return self.encoder_.encode(cells).numpy(), np.asarray(y)
        own = self.network is not None or self.recipe is not None
        x, y = validate_data(
            self,
            X,
            y,
            dtype=(np.float32, np.float64),
            allow_nd=own,
            multi_output=True,
            y_numeric=isinstance(self, RegressorMixin),
        )
        return x, y

    def _inputs(self, X: Any) -> Any:
        check_is_fitted(self, "run_")
        if self.encoder_ is not None:
            validate_data(self, X, skip_check_array=True, reset=False)
            return self.encoder_.encode(
                {str(name): _cells(X[name]) for name in X.columns} if hasattr(X, "columns") else X
            ).numpy()
        own = self.network is not None or self.recipe is not None
        return validate_data(self, X, dtype=(np.float32, np.float64), reset=False, allow_nd=own)

    # ---- from words to a recipe

    def _recipe(
        self, given: data.Data, rows: int, features: tuple[int, ...], outputs: int, seed: int
    ) -> Recipe:
        if self.recipe is not None:
            return self.recipe.but(data=given, seed=seed)
        activation = self._activation()
        network = self._network(features, outputs, activation, rows)
        batch = min(rows, ONE_BATCH) if self.batch_size == "auto" else int(self.batch_size)
        epochs = self._epochs(rows, batch) if self.epochs == "auto" else int(self.epochs)
        decay = (
            (FEW_DECAYED if rows < FEW else DECAYED)
            if self.weight_decay == "auto"
            else float(self.weight_decay)
        )
        stopping = Never() if not self._holds_out(rows) else Patience(self.patience or epochs)
        relu = activation.__class__.__name__ in (
            "ReLU",
            "LeakyReLU",
            "PReLU",
            "ELU",
            "GELU",
            "SiLU",
            "Mish",
        )
        own = self.network is not None
        return Recipe(
            data=given,
            preprocess=(Standardise(), ClipInputs(LIMIT)) if self.standardise else (),
            network=network,
            init=ModuleDefault() if own else He() if relu else Glorot(),
            loss=CrossEntropy() if isinstance(self, ClassifierMixin) else MeanSquaredError(),
            optimizer=AdamW(lr=self.learning_rate, weight_decay=decay),
            schedule=ConstantRate() if self.patience else OneCycle(),
            batch_size=batch,
            epochs=epochs,
            stopping=stopping,
            seed=seed,
        )

    def _activation(self) -> Activation:
        name = str(self.activation).lower()
        name = {"identity": "identity", "logistic": "sigmoid"}.get(name, name)
        if name not in BY_NAME:
            close = close_matches(name, BY_NAME)
            raise ValueError(
                f"activation = {self.activation!r} must be one of {', '.join(BY_NAME)}"
                + (f". Did you mean {close}?" if close else "")
            )
        return BY_NAME[name]()

    def _network(
        self, features: tuple[int, ...], outputs: int, activation: Activation, rows: int
    ) -> Network:
        if self.network is None:
            hidden = (self.hidden,) if isinstance(self.hidden, int) else tuple(self.hidden)
            usual = (
                0.0
                if not hidden or min(hidden) < NARROW
                else FEW_DROPPED
                if rows < FEW
                else DROPPED
            )
            dropout = usual if self.dropout == "auto" else float(self.dropout)
            return MLP(
                (math.prod(features), *hidden, outputs), activation=activation, dropout=dropout
            )
        if isinstance(self.network, Network):
            return self.network
        if isinstance(self.network, nn.Module):
            return own_module(self.network)
        return CustomNetwork(self.network)

    def _holds_out(self, rows: int) -> bool:
        if self.early_stopping not in (True, False, "auto"):
            raise ValueError(
                f'early_stopping = {self.early_stopping!r} must be True, False or "auto"'
            )
        wanted = (
            rows >= ENOUGH_TO_HOLD_OUT
            if self.early_stopping == "auto"
            else bool(self.early_stopping)
        )
        return wanted and int(rows * self.validation_fraction) > 0

    def _epochs(self, rows: int, batch: int) -> int:
        """Passes over the data where nobody said how many: steps count, and small data need many
        passes for them."""
        return max(LEAST_EPOCHS, min(MOST_EPOCHS, math.ceil(STEPS * batch / max(1, rows))))

    # ---- learning

    def _fit(self, X: Any, y: Any, weights: Floats | None, outputs: int) -> Self:
        # scikit-learn's seeds: an int, a generator, or None for another one each time
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        if self.recipe is not None and not isinstance(self.recipe, Recipe):
            raise ValueError(f"recipe = {self.recipe!r} must be a netwise Recipe")
        if not 0 < self.validation_fraction < 1:
            raise ValueError(
                f"validation_fraction = {self.validation_fraction} must be a share above 0 and below 1"
            )
        X, y, weights = _joined(X, y, weights)
        held = self.validation_fraction if self.recipe is None and self._holds_out(len(X)) else 0.0
        if self.recipe is not None and self.recipe.stopping.keeps_best:
            held = self.validation_fraction
        given = data.arrays(X, y, weights=weights, valid=held, test=0.0, split_seed=seed)
        given = self._named(given)
        self.run_ = fit(
            self._recipe(given, len(X), X.shape[1:], outputs, seed),
            device=self.device,
            test=False,
            progress=self.progress,
        )
        self._memory: CarriedState | None = None
        return self._keep()

    def _named(self, given: data.Arrays) -> data.Arrays:
        return given

    def _keep(self) -> Self:
        history = self.run_.history
        losses = history.of(TRAIN_LOSS)
        self.loss_curve_: list[float] = [] if losses is None else list(losses.values)
        held = history.of(VALID_LOSS)
        self.validation_loss_curve_: list[float] | None = (
            None if held is None else list(held.values)
        )
        self.n_iter_ = max(1, len(self.loss_curve_))
        self.module_ = self.run_.module
        plain = self.network is None and self.recipe is None
        self._exact: nn.Module | None = (
            copy.deepcopy(self.module_).cpu().double() if plain else None
        )
        return self

    def _outputs(self, X: Any) -> torch.Tensor:
        """(samples, outputs) in double precision, where the layers are ours: an answer then does
        not hang on who else is asked about."""
        x = tensor_of(self._inputs(X))
        if self._exact is None:
            return self.run_.outputs(x).double()
        return outputs_of(self._exact, self.run_.prepared(x).cpu().double())

    def _more(self, X: Any, y: Any, weights: Floats | None, outputs: int) -> Self:
        """One pass over more data, with the optimizer's memory of the passes before; the first call
        standardises for all."""
        given = self._named(data.arrays(X, y, weights=weights, valid=0.0, test=0.0))
        if not hasattr(self, "run_"):
            recipe = self._recipe(
                given,
                len(X),
                X.shape[1:],
                outputs,
                int(check_random_state(self.random_state).randint(2**31 - 1)),
            )
        else:
            recipe = self.run_.recipe
        memory = getattr(self, "_memory", None)
        if memory is None and hasattr(
            self, "run_"
        ):  # `fit` came before: its weights go on, its optimizer has forgotten
            memory = CarriedState(module_tensors(self.run_.module), {}, self.run_.pipeline)
        before = getattr(self, "loss_curve_", [])
        recipe = recipe.but(
            data=given,
            seed=(recipe.seed + 1) % 2**31,
            epochs=1,
            stopping=Never(),
            schedule=ConstantRate(),
        )
        self.run_, self._memory = fit_piece(recipe, memory, device=self.device)
        self._keep()
        self.loss_curve_ = [*before, *self.loss_curve_]
        self.n_iter_ = len(self.loss_curve_)
        return self

    # ---- what it has learned

    @property
    def report_(self) -> Report:
        """What is wrong with the run, with the evidence; `print` it."""
        check_is_fitted(self, "run_")
        return diagnose(self.run_)

    def _html_repr(self) -> str:
        """scikit-learn's own picture of the estimator, and below it how the run ended and what was
        found in it."""
        told: str = super()._html_repr() if hasattr(super(), "_html_repr") else ""
        if not hasattr(self, "run_"):
            return told
        from html import escape

        return (
            told
            + f"<pre>{escape(self.run_.history.ended.sentence)}\n{escape(str(self.report_))}</pre>"
        )

    def __getstate__(self) -> dict[str, Any]:
        """Without the training data: what is left predicts and tells, and is as small as its
        weights."""
        state: dict[str, Any] = dict(super().__getstate__())
        if "run_" in state:
            state["run_"] = replace(state["run_"], recipe=_without_rows(state["run_"].recipe))
        state["progress"] = None
        return state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = False
        return tags


class NetClassifier(ClassifierMixin, _Net):  # type: ignore[misc]
    """A network that tells classes apart.

    Args:
        hidden: units of each hidden layer. Default (256, 256).
        activation: of the hidden layers: "relu", "tanh", "sigmoid" and the others of `netwise show
            activations`. Default "relu".
        network: in the place of `hidden`: a network of netwise, a `torch.nn.Module` (copied; its
            weights are the start), or a class that makes one. Default none.
        recipe: in the place of all settings: a recipe, whose data are replaced by X and y. Default
            none.
        dropout: share of hidden units dropped in training, or "auto": 0.5 below 1,000 samples, else
            0.2, and none where a layer has fewer than 64 units. Default "auto".
        learning_rate: of AdamW, at its highest: it rises and falls to 0 over the epochs. Default
            0.005.
        weight_decay: of AdamW, or "auto": 1.0 below 1,000 samples, else 0.1. Default "auto".
        batch_size: samples of one step, or "auto": 200, or all where there are fewer. Default
            "auto".
        epochs: passes over the data, or "auto": enough for 6,000 steps, from 20 to 300. Default
            "auto".
        early_stopping: keep the weights of the epoch that was best on a part held out, or "auto":
            from 10,000 samples on. Default "auto".
        validation_fraction: of the samples that early stopping holds out. Default 0.1.
        patience: with early stopping: end after so many epochs without a better one, at a constant
            rate. Default None: all epochs.
        standardise: each feature to mean 0 and spread 1 by the training part, and at most 3 spreads
            from 0. Default true.
        class_weight: None, "balanced", or a weight for each class. Default none.
        device: of torch. Default "cpu".
        progress: a display, such as `netwise.cli.display.display()`. Default none.
        random_state: seed, generator or None. Default None.

    Attributes:
        classes_: names in the order of `predict_proba`'s columns.
        run_: recipe, history and network; `report_`: the diagnosis; `module_`: the torch module.
        loss_curve_, validation_loss_curve_, n_iter_: losses of each epoch, and how many there were.
        encoder_: what was learned of a frame's columns, or None for arrays.
        n_features_in_, feature_names_in_: as in all estimators.

    Up to one batch of samples, a weight of two is the same as the sample twice, to the last bit.

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
        hidden: Sequence[int] = (256, 256),
        *,
        activation: str = "relu",
        network: Network | nn.Module | type[nn.Module] | None = None,
        recipe: Recipe | None = None,
        dropout: float | str = "auto",
        learning_rate: float = 0.005,
        weight_decay: float | str = "auto",
        batch_size: int | str = "auto",
        epochs: int | str = "auto",
        early_stopping: bool | str = "auto",
        validation_fraction: float = 0.1,
        patience: int | None = None,
        standardise: bool = True,
        class_weight: str | dict[Any, float] | None = None,
        device: str = "cpu",
        progress: Progress | None = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            hidden,
            activation=activation,
            network=network,
            recipe=recipe,
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

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from X (samples, features), or a frame, and the classes y (samples,)."""
        x, names = self._checked(X, y)
        check_classification_targets(names)
        names = _column(names)
        weights = self._weights(x, names, sample_weight)
        kept = slice(None) if weights is None else weights > 0
        self.classes_ = np.unique(names[kept])
        if len(self.classes_) < 2:
            raise ValueError(
                f"y has the one class {self.classes_[0]!r}: there is nothing to tell apart"
            )
        numbers = np.searchsorted(self.classes_, names[kept])
        return self._fit(
            x[kept], numbers, None if weights is None else weights[kept], len(self.classes_)
        )

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """One pass over more data. The first call needs `classes`: all that will ever come."""
        first = not hasattr(self, "run_")
        if first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit")
        x, y = self._checked(X, y) if first else (self._inputs(X), np.asarray(y))
        y = _column(y)
        if first:
            self.classes_ = np.unique(np.asarray(classes))
        elif classes is not None and not np.array_equal(
            np.unique(np.asarray(classes)), self.classes_
        ):
            raise ValueError(
                f"classes = {list(np.unique(np.asarray(classes)))} are not those of the first call, {list(self.classes_)}"
            )
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y has the classes {list(unknown)}, which are not among {list(self.classes_)}"
            )
        weights = self._weights(x, y, sample_weight)
        return self._more(x, np.searchsorted(self.classes_, y), weights, len(self.classes_))

    def _named(self, given: data.Arrays) -> data.Arrays:
        """All classes by name, also those that these samples have none of."""
        numbers = torch.tensor([int(name) for name in given.classes])[given.y]
        return given.but(y=numbers, classes=tuple(map(str, range(len(self.classes_)))))

    def _weights(self, x: Any, y: Any, sample_weight: Any) -> Floats | None:
        if sample_weight is None and self.class_weight is None:
            return None
        weights: Floats = _check_sample_weight(
            sample_weight, x, dtype=np.float64, ensure_non_negative=True
        )
        if self.class_weight is not None:
            weights = weights * compute_sample_weight(self.class_weight, y)
        return weights

    def predict_proba(self, X: ArrayLike) -> Floats:
        """(samples, classes): how likely each class is, in the order of `classes_`."""
        logits = self._outputs(X)
        found: Floats = torch.softmax(logits[:, : len(self.classes_)], 1).numpy()
        return found

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """(samples,): the likeliest class."""
        likeliest = self.predict_proba(X).argmax(1)
        return np.asarray(self.classes_[likeliest])


class NetRegressor(RegressorMixin, _Net):  # type: ignore[misc]
    """A network that predicts numbers, of one target or of several. Targets are standardised while
    it learns.

    Args:
        hidden, activation, network, recipe, dropout, learning_rate, weight_decay, batch_size,
        epochs, early_stopping,
            validation_fraction, patience, standardise, device, progress, random_state: as in
            `NetClassifier`.

    Attributes:
        run_, report_, module_, loss_curve_, validation_loss_curve_, n_iter_, encoder_: as in
        `NetClassifier`.

    Example:
        >>> from netwise.estimators import NetRegressor
        >>> from sklearn.datasets import make_friedman1
        >>> x, y = make_friedman1(400, random_state=0)
        >>> NetRegressor((64,), random_state=0).fit(x[:300], y[:300]).score(x[300:], y[300:]) > 0.8
        True
    """

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from X (samples, features), or a frame, and the targets y (samples,) or (samples,
        targets)."""
        x, targets = self._checked(X, y)
        targets = np.asarray(targets, dtype=np.float64)
        targets = _column(targets) if targets.ndim == 2 and targets.shape[1] == 1 else targets
        weights = (
            None
            if sample_weight is None
            else _check_sample_weight(sample_weight, x, dtype=np.float64, ensure_non_negative=True)
        )
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
        weights = (
            None
            if sample_weight is None
            else _check_sample_weight(sample_weight, x, dtype=np.float64, ensure_non_negative=True)
        )
        return self._more(x, y, weights, 1 if y.ndim == 1 else y.shape[1])

    def predict(self, X: ArrayLike) -> Floats:
        """(samples,) or (samples, targets), in the units of the training targets."""
        outputs, pipeline = self._outputs(X), self.run_.pipeline
        found: Floats = (
            outputs * pipeline.target_scale.double() + pipeline.target_mean.double()
        ).numpy()
        return found[:, 0] if found.shape[1] == 1 else found


def own_module(module: nn.Module) -> CustomNetwork:
    """A network whose every build is a copy of this module, weights and all.

    Example:
        >>> import torch
        >>> from netwise.estimators.supervised import own_module
        >>> own_module(torch.nn.Linear(3, 2)).build()
        Linear(in_features=3, out_features=2, bias=True)
    """
    kind = type(module)
    network = CustomNetwork(f"{kind.__module__}:{kind.__qualname__}")
    object.__setattr__(network, "_made_by", partial(copy.deepcopy, module))
    return network


def _joined(X: Any, y: Any, weights: Floats | None) -> tuple[Any, Any, Floats | None]:
    """Up to one batch of samples: equal ones as one of their summed weight, in one order.

    A step then takes them all, and the sums in it are the same to the last bit whether a sample
    comes twice or counts twice, and in whatever order they came.
    """
    if len(X) > ONE_BATCH:
        return X, y, weights
    flat = np.concatenate(
        [
            np.asarray(X, np.float64).reshape(len(X), -1),
            np.asarray(y, np.float64).reshape(len(X), -1),
        ],
        axis=1,
    )
    _, first, place = np.unique(flat, axis=0, return_index=True, return_inverse=True)
    counts = np.bincount(place.reshape(-1), weights=weights, minlength=len(first)).astype(
        np.float64
    )
    return X[first], y[first], None if (counts == counts[0]).all() else counts


def _column(y: Any) -> Any:
    """A single column of targets as a row, with scikit-learn's warning where it came as a
    column."""
    from sklearn.utils.validation import column_or_1d

    return column_or_1d(y, warn=True)


def _cells(column: Any) -> list[Any]:
    """A frame's column as plain cells; numbers stay numbers."""
    return [
        cell.item() if isinstance(cell, np.generic) else cell
        for cell in column.to_numpy(dtype=object, na_value=None)
    ]


def _has_gaps(X: Any) -> bool:
    return hasattr(X, "columns") and hasattr(X, "isna") and bool(X.isna().to_numpy().any())


def _without_rows(recipe: Recipe) -> Recipe:
    if not isinstance(recipe.data, data.Arrays):
        return recipe
    weights = (
        None if recipe.data.weights is None else recipe.data.weights[:0].clone()
    )  # a view would keep all rows alive
    return recipe.but(
        data=recipe.data.but(
            X=recipe.data.X[:0].clone(), y=recipe.data.y[:0].clone(), weights=weights
        )
    )
