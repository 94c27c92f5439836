"""Transformers: the hidden units of an RBM, or the code of an autoencoder, as features."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from netwise import data
from netwise.errors import interface_error
from netwise.estimators.divergence import warn_if_diverged
from netwise.networks import Autoencoder
from netwise.networks.energy import CD, PCD, RBM
from netwise.networks.energy.likelihood import log_likelihood, log_partition, pseudo_likelihood
from netwise.networks.energy.rbm import RestrictedBoltzmann
from netwise.networks.energy.units import BINARY, GAUSSIAN
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.parts.activations import Activation, Identity, ReLU, Sigmoid, Tanh
from netwise.parts.augment import Augment, Mask, Noise
from netwise.parts.losses import BinaryCrossEntropy, Loss, MeanSquaredError
from netwise.parts.optimizers import SGD, Adam
from netwise.parts.preprocess import Standardise
from netwise.recipe.recipe import Recipe
from netwise.training.fit import fit
from netwise.training.interrupt import uninterrupted
from netwise.training.ranks.launched import JOBS, require_one_process
from netwise.training.run import Run

Floats = NDArray[np.floating[Any]]
ACTIVATIONS: dict[str, type[Activation]] = {
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "relu": ReLU,
    "identity": Identity,
}


class _Transformer(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]  # scikit-learn has no types
    TransformerMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    """What both share: inputs from 0 to 1 are taken as probabilities, all others are standardised
    by the data of `fit`."""

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Train on X (samples, features); y is ignored."""
        require_one_process("an estimator", JOBS)
        x = validate_data(self, X, dtype=(np.float64, np.float32))
        self.probabilities_ = bool(x.min() >= 0 and x.max() <= 1)
        # an int, a generator, or None for another seed each time
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        run = uninterrupted(fit(self._recipe(np.array(x, dtype=np.float32), seed), test=False))
        warn_if_diverged(self, run, own_rate=True)
        self._keep(run, x)
        return self

    def _recipe(self, x: Floats, seed: int) -> Recipe:
        raise interface_error(self, "RBMTransformer(64)")

    def _keep(self, run: Run, x: Floats) -> None:
        self.module_: UnsupervisedModule = run.module  # type: ignore[assignment]
        self.history_ = run.history
        mean, scale = (
            (run.pipeline.fitted[0][name] for name in ("mean", "scale"))
            if run.pipeline.fitted
            else (torch.zeros(1), torch.ones(1))
        )
        self.mean_, self.scale_ = mean.numpy(), scale.numpy()

    def _module_inputs(self, X: ArrayLike) -> tuple[Tensor, Any]:
        """(inputs as the module takes them, dtype of the result)."""
        check_is_fitted(self, "module_")
        x = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        scaled = (x - self.mean_) / self.scale_
        return torch.from_numpy(
            np.clip(scaled, 0, 1) if self.probabilities_ else scaled
        ).float(), x.dtype

    def transform(self, X: ArrayLike) -> Floats:
        """The code of X, (samples, n_components)."""
        x, dtype = self._module_inputs(X)
        with torch.no_grad():
            code = torch.cat([self.module_.encode(piece) for piece in x.split(4096)])
        features: Floats = code.numpy().astype(dtype)
        return features

    def reconstruct(self, X: ArrayLike) -> Floats:
        """The reconstruction of X, in its own units, (samples, features)."""
        x, dtype = self._module_inputs(X)
        with torch.no_grad():
            back = torch.cat([self.module_.reconstruct(piece) for piece in x.split(4096)]).numpy()
        reconstruction: Floats = (back * self.scale_ + self.mean_).astype(dtype)
        return reconstruction

    @property
    def _n_features_out(self) -> int:
        return int(self.n_components)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class RBMTransformer(_Transformer):
    """A restricted Boltzmann machine as a transformer: the probability that each hidden unit is on.

    Differs from scikit-learn's `BernoulliRBM` in four points that decide whether hidden units learn
    anything: visible biases start at the base rates, units are centred, samples are shuffled, and
    inputs that are not from 0 to 1 get Gaussian units.

    Args:
        n_components: hidden units. Default 256.
        learning_rate: of SGD; a tenth of it for Gaussian units. Default 0.05.
        batch_size: samples of one step. Default 20.
        n_iter: passes over the data. Default 20.
        gibbs_steps: of the negative phase in each step. Default 1.
        persistent: each step continues the Gibbs chains of the step before. Default True.
        random_state: seed, generator or None. Default None.

    Attributes:
        components_: weights (n_components, n_features).
        intercept_hidden_, intercept_visible_: biases.
        module_, history_: the machine, and the history of its training.
        n_features_in_, feature_names_in_: as in all estimators.

    Example:
        >>> from netwise.estimators import RBMTransformer
        >>> from sklearn.datasets import load_digits
        >>> x = load_digits().data / 16
        >>> rbm = RBMTransformer(n_components=30, n_iter=5, random_state=0).fit(x)
        >>> rbm.transform(x[:3]).shape, bool(rbm.score(x) > -30)  # independent pixels: -34 nats
        ((3, 30), True)
    """

    def __init__(
        self,
        n_components: int = 256,
        *,
        learning_rate: float = 0.05,
        batch_size: int = 20,
        n_iter: int = 20,
        gibbs_steps: int = 1,
        persistent: bool = True,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.gibbs_steps = gibbs_steps
        self.persistent = persistent
        self.random_state = random_state

    def _recipe(self, x: Floats, seed: int) -> Recipe:
        rate = self.learning_rate if self.probabilities_ else self.learning_rate / 10
        return Recipe(
            data=data.arrays(x, valid=0.0, test=0.0),
            preprocess=() if self.probabilities_ else (Standardise(),),
            network=RBM(
                x.shape[1],
                self.n_components,
                visible_units=BINARY if self.probabilities_ else GAUSSIAN,
            ),
            loss=PCD(steps=self.gibbs_steps) if self.persistent else CD(steps=self.gibbs_steps),
            optimizer=SGD(lr=rate),
            batch_size=self.batch_size,
            epochs=self.n_iter,
            seed=seed,
        )

    def _keep(self, run: Run, x: Floats) -> None:
        super()._keep(run, x)
        weight, hidden, visible = (p.detach().numpy() for p in self._machine.weights_and_biases)
        self.components_, self.intercept_hidden_, self.intercept_visible_ = weight, hidden, visible

    @property
    def _machine(self) -> RestrictedBoltzmann:
        assert isinstance(self.module_, RestrictedBoltzmann)
        return self.module_

    def score_samples(self, X: ArrayLike) -> Floats:
        """Log pseudo-likelihood of each sample in nats, summed over its inputs; for Gaussian units
        minus half the squared error of `reconstruct`."""
        x, dtype = self._module_inputs(X)
        with torch.no_grad():
            if self.probabilities_:
                scores = pseudo_likelihood(self._machine, x, flips=None)
            else:
                scores = -0.5 * (self._machine.reconstruct(x) - x).square().sum(1)
        return scores.numpy().astype(dtype)

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Mean of `score_samples`."""
        return float(self.score_samples(X).mean())

    def log_likelihood(self, X: ArrayLike) -> Floats:
        """Exact ln p of each sample in nats; for at most 20 hidden units, or 20 features.

        Raises:
            WrongValue: there are more; use `nw.energy.ais(transformer.module_)`.
        """
        x, dtype = self._module_inputs(X)
        return (
            log_likelihood(self._machine, x, log_z=float(log_partition(self._machine)))
            .numpy()
            .astype(dtype)
        )

    def sample(self, n_samples: int = 1, *, steps: int = 1000, random_state: Any = None) -> Floats:
        """Means of the features after `steps` Gibbs steps, (n_samples, n_features), in the units of
        the training data."""
        check_is_fitted(self, "module_")
        seed = int(check_random_state(random_state).randint(2**31 - 1))
        drawn = self._machine.sample(n_samples, steps=steps, seed=seed).numpy()
        samples: Floats = drawn * self.scale_ + self.mean_
        return samples


class AutoencoderTransformer(_Transformer):
    """An autoencoder as a transformer: the code, and by `inverse_transform` its decoding.

    Args:
        n_components: numbers in the code. Default 32.
        hidden: units of the layers between the input and the code. Default none.
        activation: "sigmoid", "tanh", "relu" or "identity"; the code has it too. Default "sigmoid".
        tied: the decoder uses the transposed weights of the encoder. Default True.
        noise: corruption in training: for inputs from 0 to 1 the share that is set to 0, else the
            standard deviation of normal noise on standardised ones. Default 0.0.
        sparsity: weight of the penalty that pulls each code unit to a mean activity of 5 %; for
            "sigmoid". Default 0.0.
        learning_rate: of Adam. Default 0.003.
        batch_size: samples of one step. Default 64.
        n_iter: passes over the data. Default 50.
        random_state: seed, generator or None. Default None.

    Attributes:
        module_, history_: the network, and the history of its training.
        n_features_in_, feature_names_in_: as in all estimators.

    Example:
        >>> from netwise.estimators import AutoencoderTransformer
        >>> from sklearn.datasets import load_digits
        >>> x = load_digits().data / 16
        >>> ae = AutoencoderTransformer(16, n_iter=20, random_state=0).fit(x)
        >>> code = ae.transform(x[:3])
        >>> code.shape, ae.inverse_transform(code).shape, ae.score(x) > 0.5
        ((3, 16), (3, 64), True)
    """

    def __init__(
        self,
        n_components: int = 32,
        *,
        hidden: tuple[int, ...] = (),
        activation: str = "sigmoid",
        tied: bool = True,
        noise: float = 0.0,
        sparsity: float = 0.0,
        learning_rate: float = 0.003,
        batch_size: int = 64,
        n_iter: int = 50,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.hidden = hidden
        self.activation = activation
        self.tied = tied
        self.noise = noise
        self.sparsity = sparsity
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.random_state = random_state

    def _recipe(self, x: Floats, seed: int) -> Recipe:
        if self.activation not in ACTIVATIONS:
            raise ValueError(
                f"activation = {self.activation!r} must be one of {', '.join(ACTIVATIONS)}"
            )
        corrupt: tuple[Augment, ...] = ()
        if self.noise:
            corrupt = (Mask(share=self.noise),) if self.probabilities_ else (Noise(std=self.noise),)
        loss: Loss = BinaryCrossEntropy() if self.probabilities_ else MeanSquaredError()
        widths = (x.shape[1], *self.hidden, self.n_components)
        # only the inputs are corrupted; the layers above get the activations of the layer below
        network = Autoencoder(
            widths,
            activation=ACTIVATIONS[self.activation](),
            tied=self.tied,
            corrupt=corrupt,
            sparsity=self.sparsity,
        )
        return Recipe(
            data=data.arrays(x, valid=0.0, test=0.0),
            preprocess=() if self.probabilities_ else (Standardise(),),
            network=network,
            loss=loss,
            optimizer=Adam(lr=self.learning_rate),
            batch_size=self.batch_size,
            epochs=self.n_iter,
            seed=seed,
        )

    def inverse_transform(self, X: ArrayLike) -> Floats:
        """Features for codes (samples, n_components), in the units of the training data."""
        check_is_fitted(self, "module_")
        codes = np.asarray(X)
        with torch.no_grad():
            inputs = torch.from_numpy(codes).float()
            decoded = self.module_.decode(inputs)  # type: ignore[operator]  # an autoencoder's
            back = self.module_.output_function(decoded).numpy()  # type: ignore[operator]
        dtype = codes.dtype if codes.dtype.kind == "f" else np.float64
        features: Floats = (back * self.scale_ + self.mean_).astype(dtype)
        return features

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Share of the variance of X that the reconstruction explains, over all features."""
        x = np.asarray(X, dtype=float)
        error = np.square(self.reconstruct(X) - x).sum()
        return float(1 - error / max(np.square(x - x.mean(0)).sum(), 1e-300))
