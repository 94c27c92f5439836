"""What `NetClassifier` and `NetRegressor` share: settings into a recipe, inputs into numbers, the
run and its results. A thin layer over `Recipe` and `fit`."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn

from netwise import data
from netwise.data.columns.table_encoder import TableEncoder
from netwise.data.encoding import tensor_of
from netwise.data.mapped_array import is_large_mapped
from netwise.diagnosis.report import Report, diagnose
from netwise.estimators.defaults import AUTO, activation_of, holds_out, initializer_for, members_for
from netwise.estimators.divergence import warn_if_diverged
from netwise.estimators.inputs import (
    as_known,
    cells_of,
    dense,
    fit_encoder,
    is_table,
    labels_of,
    merge_equal_samples,
)
from netwise.networks import MLP, CustomNetwork, Network
from netwise.parts.activations import Activation
from netwise.parts.initializers import ModuleDefault
from netwise.parts.losses import Loss
from netwise.parts.optimizers import AdamW
from netwise.parts.preprocess import ClipInputs, Standardise
from netwise.parts.schedules import ConstantRate, OneCycle
from netwise.parts.stopping import Never, Patience
from netwise.recipe.recipe import Recipe
from netwise.recipe.table_settings import (
    CONSTANT_RATE,
    HIDDEN,
    INPUT_LIMIT,
    LEARNING_RATE,
    batch_size_for,
    dropout_for,
    embedded_inputs,
    epochs_for,
    weight_decay_for,
)
from netwise.signals import TRAIN_LOSS, VALID_LOSS
from netwise.training.evaluate import outputs_of
from netwise.training.fit import fit
from netwise.training.interrupt import uninterrupted
from netwise.training.pieces import CarriedState, fit_piece
from netwise.training.progress import Progress
from netwise.training.ranks.launched import JOBS, require_one_process
from netwise.training.run import Run
from netwise.training.snapshots import module_tensors

Floats = NDArray[np.floating[Any]]
WATCHED = 12  # steps whose layers are looked at: enough for the report, at a few per cent of time
PIECE = 4096  # rows of a mapped file that are answered together


class SupervisedEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The base of `NetClassifier` and `NetRegressor`."""

    numeric_targets: ClassVar[bool] = False

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
        device: str = "cpu",
        progress: Progress | None = None,
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.network = network
        self.recipe = recipe
        self.members = members
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

    @property
    def _takes_images(self) -> bool:
        """Inputs may have more than two dimensions: a network or a recipe was given."""
        return self.network is not None or self.recipe is not None

    def _checked(self, X: Any, y: Any) -> tuple[Any, Any]:
        """X as an array of numbers, and y; both checked as scikit-learn's estimators do."""
        if isinstance(y, list) and y and isinstance(y[0], list | tuple | set):
            names = any(isinstance(label, str) for label in y[0])
            if names or len(set(map(len, y))) > 1:
                raise ValueError(
                    "y has a list of labels for each sample: pass an array (samples, labels) of 0 "
                    "and 1, as sklearn.preprocessing.MultiLabelBinarizer().fit_transform(y) gives"
                )
        self.encoder_: TableEncoder | None = None
        X = as_known(X)
        if is_table(X):
            if y is None or len(y) != len(X):
                raise ValueError(
                    f"X has {len(X)} rows and y has {0 if y is None else len(y)}: each sample "
                    "needs one target. Pass X and y with the same number of rows"
                )
            cells = cells_of(X)
            self.encoder_, x = fit_encoder(cells, y, self.numeric_targets, labels_of(X))
            validate_data(self, X, skip_check_array=True)
            return x.numpy(), np.asarray(y)
        x, y = validate_data(
            self,
            X,
            y,
            dtype=(np.float32, np.float64),
            accept_sparse="csr",
            allow_nd=self._takes_images,
            multi_output=True,
            y_numeric=self.numeric_targets,
        )
        return dense(x), dense(y)

    def _inputs(self, X: Any) -> Any:
        check_is_fitted(self, "run_")
        X = as_known(X)
        if self.encoder_ is not None:
            validate_data(self, X, skip_check_array=True, reset=False)
            return self.encoder_.encode(cells_of(X) if hasattr(X, "columns") else X).numpy()
        x = validate_data(
            self,
            X,
            dtype=(np.float32, np.float64),
            accept_sparse="csr",
            reset=False,
            allow_nd=self._takes_images,
        )
        return dense(x)

    def to_run(self) -> Run:
        """The run as it answers raw inputs: with the columns of a data frame, where `fit` got one,
        and the names of the classes. `netwise.export(estimator, path)` writes this run.

        Raises:
            sklearn.exceptions.NotFittedError: before `fit`.

        Example:
            >>> from netwise.estimators import NetClassifier
            >>> model = NetClassifier(random_state=0).fit([[0.0], [1.0]] * 20, ["no", "yes"] * 20)
            >>> model.to_run().predict([[0.0], [1.0]]).tolist()
            ['no', 'yes']
        """
        check_is_fitted(self, "run_")
        pipeline = self.run_.pipeline
        if pipeline.classes:
            pipeline = replace(pipeline, classes=tuple(map(str, self.classes_)))
        if self.encoder_ is not None:
            pipeline = replace(pipeline, encoder=self.encoder_)
        return replace(self.run_, pipeline=pipeline)

    # ---- settings into a recipe

    def _recipe(
        self, samples: data.Arrays, rows: int, features: tuple[int, ...], outputs: int, seed: int
    ) -> Recipe:
        if self.recipe is not None:
            return self.recipe.but(data=samples, seed=seed)
        activation = activation_of(self.activation)
        network = self._network(samples, features, outputs, activation, rows)
        batch_size = batch_size_for(rows) if self.batch_size == AUTO else int(self.batch_size)
        epochs = epochs_for(rows, batch_size) if self.epochs == AUTO else int(self.epochs)
        decay = weight_decay_for(rows) if self.weight_decay == AUTO else float(self.weight_decay)
        return Recipe(
            data=samples,
            preprocess=(Standardise(), ClipInputs(INPUT_LIMIT)) if self.standardise else (),
            network=network,
            init=initializer_for(activation) if self.network is None else ModuleDefault(),
            loss=self._loss,
            optimizer=AdamW(lr=self._rate(bool(self.patience)), weight_decay=decay),
            schedule=ConstantRate() if self.patience else OneCycle(),
            batch_size=batch_size,
            epochs=epochs,
            stopping=Patience(self.patience or epochs) if self._holds_out(rows) else Never(),
            seed=seed,
        )

    def _rate(self, is_constant: bool) -> float:
        return self.learning_rate * (CONSTANT_RATE if is_constant else 1.0)

    def _network(
        self,
        samples: data.Arrays,
        features: tuple[int, ...],
        outputs: int,
        activation: Activation,
        rows: int,
    ) -> Network:
        if self.network is None:
            hidden = (self.hidden,) if isinstance(self.hidden, int) else tuple(self.hidden)
            dropout = dropout_for(rows, hidden) if self.dropout == AUTO else float(self.dropout)
            widths = (math.prod(features), *hidden, outputs)
            return MLP(
                widths,
                activation=activation,
                dropout=dropout,
                members=members_for(self.members, hidden),
                periodic=embedded_inputs(samples.X, hidden),
            )
        if isinstance(self.network, Network):
            return self.network
        if isinstance(self.network, nn.Module):
            return CustomNetwork(ModuleCopies(self.network))
        return CustomNetwork(self.network)

    def _holds_out(self, rows: int) -> bool:
        return holds_out(self.early_stopping, rows, self.validation_fraction)

    @property
    def _loss(self) -> Loss:
        raise NotImplementedError

    # ---- training

    def _fit(self, X: Any, y: Any, weights: Floats | None, outputs: int) -> Self:
        require_one_process("an estimator", JOBS)
        seed = self._seed()
        if self.recipe is not None and not isinstance(self.recipe, Recipe):
            raise ValueError(
                f"recipe = {self.recipe!r} must be a netwise Recipe. Pass nw.Recipe(...), or None"
            )
        if not 0 < self.validation_fraction < 1:
            raise ValueError(
                f"validation_fraction = {self.validation_fraction} must be above 0 and below 1: it "
                "is a share of the samples. Write 0.1"
            )
        X, y, weights = merge_equal_samples(X, y, weights)
        keeps_best = (
            self._holds_out(len(X)) if self.recipe is None else self.recipe.stopping.keeps_best
        )
        held_out = self.validation_fraction if keeps_best else 0.0
        samples = data.arrays(
            X,
            y,
            weights=weights,
            scale_target=self._scales_targets,
            valid=held_out,
            test=0.0,
            split_seed=seed,
        )
        samples = self._with_class_names(samples)
        recipe = self._recipe(samples, len(X), X.shape[1:], outputs, seed)
        steps = recipe.epochs * math.ceil((1 - held_out) * len(X) / recipe.batch_size)
        run = fit(
            recipe,
            watch_every=max(1, steps // WATCHED),
            device=self.device,
            test=False,
            progress=self.progress,
        )
        self.run_ = uninterrupted(run)
        warn_if_diverged(self, run, own_rate=self.recipe is None)
        self._state: CarriedState | None = None
        return self._keep_results()

    @property
    def _scales_targets(self) -> bool:
        """Targets that are numbers of a unit; those that are shares stay from 0 to 1."""
        return True

    def _seed(self) -> int:
        """A seed from `random_state`: an int, a generator, or None for another one each time."""
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _with_class_names(self, samples: data.Arrays) -> data.Arrays:
        """The samples with all classes of the estimator, also those that have no sample here."""
        return samples

    def _keep_results(self) -> Self:
        history = self.run_.history
        losses, held_out = history.of(TRAIN_LOSS), history.of(VALID_LOSS)
        self.loss_curve_: list[float] = [] if losses is None else list(losses.values)
        self.validation_loss_curve_: list[float] | None = (
            None if held_out is None else list(held_out.values)
        )
        self.n_iter_ = max(1, len(self.loss_curve_))
        self.module_ = self.run_.module
        own_layers = self.network is None and self.recipe is None
        self._double_module: nn.Module | None = (
            copy.deepcopy(self.module_).cpu().double() if own_layers else None
        )
        return self

    def _fit_more(self, X: Any, y: Any, weights: Floats | None, outputs: int) -> Self:
        """One pass over more data with the optimizer state of the passes before. Inputs are
        standardised by the data of the first call."""
        require_one_process("an estimator", JOBS)
        samples = self._with_class_names(data.arrays(X, y, weights=weights, valid=0.0, test=0.0))
        state = getattr(self, "_state", None)
        if not hasattr(self, "run_"):
            recipe = self._recipe(samples, len(X), X.shape[1:], outputs, self._seed())
        else:
            recipe = self.run_.recipe
            if state is None:  # after `fit`: its weights, without an optimizer state
                state = CarriedState(module_tensors(self.run_.module), {}, self.run_.pipeline)
        losses = getattr(self, "loss_curve_", [])
        recipe = recipe.but(
            data=samples,
            seed=(recipe.seed + 1) % 2**31,
            epochs=1,
            stopping=Never(),
            schedule=ConstantRate(),
        )
        if self.recipe is None:
            recipe = recipe.but(optimizer=recipe.optimizer.but(lr=self._rate(True)))
        run, carried = fit_piece(recipe, state, device=self.device)
        self.run_, self._state = uninterrupted(run), carried
        warn_if_diverged(self, run, own_rate=self.recipe is None, is_piece=True)
        self._keep_results()
        self.loss_curve_ = [*losses, *self.loss_curve_]
        self.n_iter_ = len(self.loss_curve_)
        return self

    # ---- results

    def _outputs(self, X: Any) -> torch.Tensor:
        """Outputs (samples, outputs), of netwise's own layers computed in double precision:
        prediction is then independent of the other rows in the batch, up to 1e-15."""
        inputs = self._inputs(X)
        if is_large_mapped(inputs):  # read in pieces: all of it may not fit in memory
            pieces = (inputs[i : i + PIECE] for i in range(0, len(inputs), PIECE))
            return torch.cat([self._outputs_of(tensor_of(piece)) for piece in pieces])
        return self._outputs_of(tensor_of(inputs))

    def _outputs_of(self, x: torch.Tensor) -> torch.Tensor:
        if self._double_module is None:
            return self.run_.outputs(x).double()
        return outputs_of(self._double_module, self.run_.prepared(x).cpu().double())

    @property
    def report_(self) -> Report:
        """The diagnosis of the run, with its evidence; `print` it."""
        check_is_fitted(self, "run_")
        return diagnose(self.run_)

    def _html_repr(self) -> str:
        """scikit-learn's diagram of the estimator, and below it how the run ended and its
        diagnosis."""
        diagram: str = super()._html_repr() if hasattr(super(), "_html_repr") else ""
        if not hasattr(self, "run_"):
            return diagram
        end, report = self.run_.history.ended.sentence, str(self.report_)
        return f"{diagram}<pre>{escape(end)}\n{escape(report)}</pre>"

    def __getstate__(self) -> dict[str, Any]:
        """Without the training data: a pickled estimator predicts, and is as small as its
        weights."""
        state: dict[str, Any] = dict(super().__getstate__())
        if "run_" in state:
            state["run_"] = replace(state["run_"], recipe=_without_samples(state["run_"].recipe))
        state["progress"] = None
        return state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = False
        tags.input_tags.sparse = True
        return tags


class ModuleCopies:
    """A function that returns a new copy of a module, weights included; a recipe names it by the
    module's class.

    Example:
        >>> import torch
        >>> from netwise.estimators.supervised import ModuleCopies
        >>> ModuleCopies(torch.nn.Linear(3, 2))()
        Linear(in_features=3, out_features=2, bias=True)
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.__module__ = type(module).__module__
        self.__qualname__ = type(module).__qualname__

    def __call__(self) -> nn.Module:
        return copy.deepcopy(self.module)


def _without_samples(recipe: Recipe) -> Recipe:
    """The recipe with empty arrays: clones, since a view would keep all samples in memory."""
    if not isinstance(recipe.data, data.Arrays):
        return recipe
    X, y, weights = recipe.data.X, recipe.data.y, recipe.data.weights
    weights = None if weights is None else weights[:0].clone()
    return recipe.but(data=recipe.data.but(X=X[:0].clone(), y=y[:0].clone(), weights=weights))
