"""Restricted Boltzmann machine (受限玻尔兹曼机): visible and hidden units, links between the two
kinds only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise import signals
from netwise.data.dataset import Samples
from netwise.errors import WILL_LEARN_BADLY, Problem
from netwise.networks.energy.importance_sampling import ais
from netwise.networks.energy.likelihood import (
    MOST_STATES,
    MOST_UNITS,
    base_rate_likelihood,
    is_exact,
    log_likelihood,
    log_partition_with_gradient,
    pseudo_likelihood,
)
from netwise.networks.energy.mixing import autocorrelation_at
from netwise.networks.energy.phases import NegativePhase
from netwise.networks.energy.surrogate_loss import surrogate_loss
from netwise.networks.energy.units import (
    BINARY,
    GAUSSIAN,
    RECTIFIED,
    bits,
    draw,
    hidden_free_energy,
    mean,
    visible_energy,
)
from netwise.networks.network import Network, described_targets, preview, wrong_size
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.part import flag, integer, number, text
from netwise.parts.losses import Loss
from netwise.tasks import DENSITY

BASE_RATES, ZERO = "base rates", "zero"
LEAST_RATE = 1e-3  # least base rate of a visible unit: its log-odds stay finite
# share of a batch's means in the offsets of centring; Melchior, Fischer, Wiskott 2016, section 6
SLIDE = 0.01
SIGNAL_ROWS = 2000  # samples that the signals at the end of an epoch are measured on
QUICK_CHAINS, QUICK_TEMPERATURES = (
    100,
    1000,
)  # seconds; for a number to publish run `ais` and `reverse_ais` themselves
LAG = 10  # Gibbs steps of the lag at which the autocorrelation of the chains is measured


@dataclass(frozen=True)
class RBM(Network):
    """Energy E(v, h) = -a v - b h - v W h over two layers of units; p(v, h) = exp(-E) / Z.

    Models the density of its inputs, without labels. The recipe's loss is a `NegativePhase`: `CD`,
    `PCD`, `FastPCD`, `ParallelTempering` or, for a small machine, `ExactGradient`. Inputs of binary
    visible units are from 0 to 1 and taken as probabilities; inputs of Gaussian units have mean 0
    and standard deviation 1 (`Standardise`), and need a tenth of the learning rate. With label
    units it models inputs and classes together, and classifies by p(y | v) from the free energies.

    Its weights have the names of an `MLP`'s first layer, so `init=From(...)` starts a classifier
    from it.

    Args:
        visible: numbers in one input.
        hidden: hidden units.
        visible_units: "binary" or "gaussian", of spread 1. Default "binary".
        hidden_units: "binary", or "rectified": noisy rectified units, whose number is not bounded
            by 1. Default "binary".
        labels: label units, one for each class; 0: none. Default 0.
        centred: use the centred gradient, of deviations from the units' means. Default true.
        visible_bias: initial visible biases: "base rates", the log-odds of each input's mean, or
            "zero". Default "base rates".
        std: standard deviation of the initial weights. Default 0.01.
        sparsity: weight of the penalty that draws each hidden unit's mean to `sparsity_target`, at
            least 0. Default 0.0: none.
        sparsity_target: mean activation that a hidden unit should have. Default 0.1.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), preprocess=(nw.MinMax(),),
        ...                    network=nw.RBM(64, 32), loss=nw.PCD(), optimizer=nw.SGD(lr=0.05),
        ...                    epochs=5)
        >>> run = nw.fit(recipe)
        >>> run.module.sample(3, steps=10).shape
        torch.Size([3, 64])

    Source: Smolensky 1986; Hinton 2012, "A practical guide to training restricted Boltzmann
    machines"; centring: Melchior, Fischer, Wiskott 2016, "How to center deep Boltzmann machines";
    labels: Larochelle, Bengio 2008.
    """

    is_energy_model: ClassVar[bool] = True
    computes_loss: ClassVar[bool] = True
    declares_shape: ClassVar[bool] = True
    visible: int = integer(
        784,
        least=1,
        most=1_000_000,
        because="an input has at least one number",
        why="MNIST's pixels",
    )
    hidden: int = integer(
        500,
        least=1,
        most=1_000_000,
        because="without hidden units only the means are modelled",
        why="that of the published runs on MNIST",
    )
    visible_units: str = text(
        BINARY, among=(BINARY, GAUSSIAN), why="pixels and marks are nearly binary"
    )
    hidden_units: str = text(
        BINARY,
        among=(BINARY, RECTIFIED),
        why="the published form, whose likelihood can be measured",
    )
    labels: int = integer(
        0, least=0, most=100_000, because="it is a number of classes", why="inputs without labels"
    )
    centred: bool = flag(
        True, why="the same for an image and its negative, and a better likelihood"
    )
    visible_bias: str = text(
        BASE_RATES,
        among=(BASE_RATES, ZERO),
        why="otherwise the hidden units first have to model the means of the inputs",
    )
    std: float = number(
        0.01,
        above=0,
        because="units with equal weights stay equal",
        why="small, so that hidden units start near one half",
    )
    sparsity: float = number(
        0.0,
        least=0,
        because="a negative one rewards distance",
        why="add it when hidden units are always on or off",
    )
    sparsity_target: float = number(
        0.1, above=0, below=1, because="it is a share", why="a tenth, as in the practical guide"
    )

    def conflicts(self) -> list[Problem]:
        if self.sparsity and self.hidden_units != BINARY:
            return [
                Problem(
                    "sparsity",
                    str(self.sparsity),
                    "is for binary hidden units, which are on for a share of the samples",
                    "0.0",
                )
            ]
        return []

    @property
    def own_task(self) -> str | None:
        return None if self.labels else DENSITY

    def problems(self, samples: Samples, loss: Loss) -> list[Problem]:
        problems = []
        if isinstance(loss, NegativePhase):
            problems += self.phase_problems(loss)
            if loss.for_restricted:
                problems += self.range_problems(preview(samples))
        size = wrong_size("visible", self.visible, samples.train.x[0].numel())
        return problems + (size or wrong_labels(self.labels, samples))

    def phase_problems(self, phase: NegativePhase) -> list[Problem]:
        """Why this phase cannot train the machine."""
        name = type(phase).__name__
        if not phase.for_restricted:
            reason = "is for a BoltzmannMachine, whose units are all joined"
            return [Problem("loss", name, reason, "PCD()")]
        problems = []
        binary = self.visible_units == BINARY and self.hidden_units == BINARY
        smaller = (
            min(self.hidden, self.visible + self.labels)
            if self.visible_units == BINARY
            else self.hidden
        )
        if phase.exact and (smaller > MOST_UNITS or self.hidden_units != BINARY):
            reason = f"sums over all states, and {self.hidden} {self.hidden_units} hidden units"
            problems.append(Problem("loss", name, f"{reason} have too many", "PCD()"))
        if phase.exact and self.labels:
            reason = "has no way with label units, of which one is on"
            problems.append(Problem("loss", name, reason, "PCD()"))
        if phase.needs_binary_units and (not binary or self.labels):
            reason = "changes temperatures of binary units only, without labels"
            problems.append(Problem("loss", name, reason, "PCD()"))
        return problems

    def range_problems(self, x: Tensor) -> list[Problem]:
        """Why the visible units do not fit these inputs."""
        low, high, spread = float(x.min()), float(x.max()), float(x.std())
        if self.visible_units == BINARY and (low < 0 or high > 1):
            reason = f"is for inputs from 0 to 1, and these go from {low:.3g} to {high:.3g}"
            instead = '"gaussian", or preprocess = (MinMax(),)'
            return [Problem("network.visible_units", "binary", reason, instead)]
        if self.visible_units == GAUSSIAN and not 0.3 < spread < 3:
            reason = (
                f"takes the spread of each input for 1, and theirs is {spread:.3g}:"
                " begin with preprocess = (Standardise(),)"
            )
            return [Problem("network.visible_units", "gaussian", reason, grade=WILL_LEARN_BADLY)]
        return []

    def needs_inputs_from_0_to_1(self, loss: Loss) -> bool:
        return self.visible_units == BINARY

    def build(self) -> nn.Module:
        return RestrictedBoltzmann(self)


def wrong_labels(labels: int, samples: Samples) -> list[Problem]:
    """The problem of label units that are not one for each class, if any."""
    if not labels or labels == samples.outputs:
        return []
    reason = f"and the data have {described_targets(samples)}"
    return [Problem("network.labels", str(labels), reason, str(samples.outputs))]


class VisibleBias(nn.Module):
    """The biases of the visible units, under the name that a decoder's layer has."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(units))


class RestrictedBoltzmann(UnsupervisedModule):
    """The module of an `RBM`. In training a call returns the loss of the phase; in evaluation the
    hidden units' means (with label units the log of p(y | v) up to a constant)."""

    chains: Tensor
    fast_weight: Tensor
    fast_hidden: Tensor
    fast_visible: Tensor
    visible_mean: Tensor
    hidden_mean: Tensor
    base: Tensor

    def __init__(self, network: RBM) -> None:
        super().__init__()
        self.network = network
        self.inputs, self.labels, self.hidden = network.visible, network.labels, network.hidden
        self.visible = self.inputs + self.labels
        self.visible_units, self.hidden_units = network.visible_units, network.hidden_units
        self.layer1 = nn.Linear(self.visible, self.hidden)
        self.back1 = VisibleBias(self.visible)
        nn.init.normal_(self.layer1.weight, std=network.std)
        nn.init.zeros_(self.layer1.bias)
        self.register_buffer(
            "visible_mean",
            torch.full((self.visible,), 0.5 if self.visible_units == BINARY else 0.0),
        )
        self.register_buffer(
            "hidden_mean", torch.full((self.hidden,), 0.5 if self.hidden_units == BINARY else 0.0)
        )
        self.register_buffer(
            "base", torch.zeros(self.visible)
        )  # log-odds of the base rates (or means): the model of independent inputs
        self.phase: NegativePhase | None = None

    @property
    def weights_and_biases(self) -> tuple[Tensor, Tensor, Tensor]:
        """(weights (hidden, visible), hidden biases, visible biases)."""
        return self.layer1.weight, self.layer1.bias, self.back1.bias

    # ---- before training

    def set_loss(self, loss: Loss) -> None:
        """Train by this phase from here on, and register its buffers."""
        assert isinstance(loss, NegativePhase)
        self.phase = loss
        for name, value in loss.initial_buffers(self).items():
            self.register_buffer(name, value.to(self.layer1.weight))

    def initialize_from_data(self, x: Tensor, y: Tensor | None = None) -> None:
        """Set base rates, visible biases, centring offsets and initial chains from the training
        inputs."""
        with torch.no_grad():
            v = self._with_classes(x, y)
            means = v.mean(0)
            if self.visible_units == BINARY:
                means = means.clamp(LEAST_RATE, 1 - LEAST_RATE)
                self.base.copy_(torch.logit(means))
            else:
                self.base.copy_(means)
            if self.network.visible_bias == BASE_RATES:
                self.back1.bias.copy_(self.base)
            self.visible_mean.copy_(means)
            self.hidden_mean.copy_(self.hidden_given(v[:SIGNAL_ROWS]).mean(0))
            if "chains" in self._buffers:
                self.chains.copy_(draw(self.visible_units, self.base.expand(len(self.chains), -1)))

    # ---- the two conditional distributions

    def hidden_input(self, v: Tensor) -> Tensor:
        """(..., hidden): b + W v."""
        return F.linear(v, self.layer1.weight, self.layer1.bias)

    def visible_input(self, h: Tensor) -> Tensor:
        """(..., visible): a + W^T h."""
        if h.dim() == 2:
            return torch.addmm(
                self.back1.bias, h, self.layer1.weight
            )  # half the memory traffic of a product and a sum
        return h @ self.layer1.weight + self.back1.bias

    def hidden_given(self, v: Tensor) -> Tensor:
        """Means of the hidden units for visible states (samples, visible)."""
        return mean(self.hidden_units, self.hidden_input(v))

    def visible_given(self, h: Tensor) -> Tensor:
        """Means of the visible units for hidden states (samples, hidden)."""
        y = self.visible_input(h)
        return self._labels_of(mean(self.visible_units, y), y, torch.softmax)

    def sample_hidden(self, v: Tensor, beta: Tensor | float = 1.0) -> Tensor:
        """Hidden states drawn for visible ones, at inverse temperature `beta`."""
        return draw(self.hidden_units, self._scaled(self.hidden_input(v), beta))

    def sample_visible(self, h: Tensor, beta: Tensor | float = 1.0) -> Tensor:
        """Visible states drawn for hidden ones; of the label units one is on."""
        y = self._scaled(self.visible_input(h), beta)
        return self._labels_of(draw(self.visible_units, y), y, _one_hot_draw)

    def _scaled(self, x: Tensor, beta: Tensor | float) -> Tensor:
        return x if isinstance(beta, float) and beta == 1.0 else beta * x

    def _labels_of(self, v: Tensor, y: Tensor, activation: Any) -> Tensor:
        if self.labels:
            v = torch.cat([v[..., : self.inputs], activation(y[..., self.inputs :], -1)], -1)
        return v

    def gibbs(self, v: Tensor, steps: int) -> Tensor:
        """Visible states after this many steps of h ~ p(h | v), v ~ p(v | h)."""
        for _ in range(steps):
            v = self.sample_visible(self.sample_hidden(v))
        return v

    def free_energy(self, v: Tensor, beta: Tensor | float = 1.0) -> Tensor:
        """(...,): -ln of the sum over hidden states of exp(-E(v, h)); p(v) = exp(-F(v)) / Z.

        For binary hidden units F(v) = -a v - sum_j ln(1 + exp(b_j + W_j v)).
        """
        hidden = hidden_free_energy(
            self.hidden_units, self._scaled(self.hidden_input(v), beta)
        ).sum(-1)
        bare = visible_energy(self.visible_units, v, self.back1.bias)
        return (bare * beta[..., 0] if isinstance(beta, Tensor) else bare * beta) - hidden

    # ---- training

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        if self.training and self.phase is not None:
            v = self._with_classes(x, y)
            return self._exact(v) if self.phase.exact else self._step(v)
        v = x.flatten(1)
        return self._class_scores(v) if self.labels else mean(self.hidden_units, self.layer1(v))

    def _with_classes(self, x: Tensor, y: Tensor | None) -> Tensor:
        """(samples, visible): inputs as visible states, with one-hot classes on the label units."""
        v = x.reshape(len(x), -1)
        if not self.labels:
            return v
        assert y is not None
        return torch.cat([v, F.one_hot(y, self.labels).to(v)], 1)

    def _exact(self, v: Tensor) -> Tensor:
        return self.free_energy(v).mean() + log_partition_with_gradient(self)

    @torch.no_grad()
    def _phases(self, v: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(difference of the mean free energies, gradients) of one batch."""
        assert self.phase is not None
        n = len(v)
        x = self.hidden_input(v)
        p = mean(self.hidden_units, x)
        w = self.phase.negative_states(
            self, v, bits(p) if self.hidden_units == BINARY else draw(self.hidden_units, x)
        )
        z = self.hidden_input(w)
        q = mean(self.hidden_units, z)
        weight = torch.addmm(q.t() @ w, p.t(), v, beta=1 / len(w), alpha=-1 / n)
        hidden, visible = q.mean(0) - p.mean(0), w.mean(0) - v.mean(0)
        value = self._free(v, x) - self._free(w, z)
        if self.network.sparsity:
            excess = self.network.sparsity * (p.mean(0) - self.network.sparsity_target)
            hidden += excess
            weight += excess[:, None] * v.mean(0)
        if self.network.centred:
            weight, hidden, visible = self._centred(weight, hidden, visible)
            self.visible_mean.lerp_(v.mean(0), SLIDE)
            self.hidden_mean.lerp_(p.mean(0), SLIDE)
        gradients = [weight, hidden, visible]
        self.phase.after_step(self, gradients)
        return value, gradients

    def _centred(
        self, weight: Tensor, hidden: Tensor, visible: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The centred gradient, as gradients of the uncentred parameters.

        dW' = <(v - mu)(h - lambda)>_0 - <...>_k,  da' = da - dW' lambda,  db' = db - dW' mu.
        Source: Melchior, Fischer, Wiskott 2016, section 3.
        """
        mu, middle = self.visible_mean, self.hidden_mean
        weight = weight.addr(hidden, mu, alpha=-1).addr_(middle, visible, alpha=-1)
        return weight, hidden - weight @ mu, visible - middle @ weight

    def _free(self, v: Tensor, x: Tensor) -> Tensor:
        """Mean free energy of visible states `v` with hidden inputs `x`."""
        return (
            visible_energy(self.visible_units, v, self.back1.bias)
            - hidden_free_energy(self.hidden_units, x).sum(-1)
        ).mean()

    def _step(self, v: Tensor) -> Tensor:
        value, gradients = self._phases(v)
        return surrogate_loss(value, gradients, self.weights_and_biases)

    def _class_scores(self, v: Tensor) -> Tensor:
        """(samples, labels): -F(v, y) for each class, which is ln p(y | v) up to a constant."""
        weight, bias, visible_bias = self.weights_and_biases
        x = F.linear(v, weight[:, : self.inputs], bias)
        scores = [
            hidden_free_energy(self.hidden_units, x + weight[:, self.inputs + k]).sum(-1)
            + visible_bias[self.inputs + k]
            for k in range(self.labels)
        ]
        return torch.stack(scores, 1)

    # ---- after training

    def encode(self, x: Tensor) -> Tensor:
        """(samples, hidden): means of the hidden units."""
        return self.hidden_given(self.with_labels(x.flatten(1)))

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """(samples, inputs): means of the visible units for the means of the hidden ones."""
        v = x.flatten(1)
        h = mean(
            self.hidden_units, F.linear(v, self.layer1.weight[:, : self.inputs], self.layer1.bias)
        )
        return self.visible_given(h)[:, : self.inputs]

    @torch.no_grad()
    def sample(
        self, count: int, *, steps: int = 1000, seed: int = 0, start: Tensor | None = None
    ) -> Tensor:
        """(count, inputs): means of the visible units after `steps` Gibbs steps of new chains.

        Args:
            count: number of samples.
            steps: Gibbs steps from the start, at least 1. Default 1000.
            seed: of the draws. Default 0.
            start: initial visible states (count, visible). Default: drawn from the base rates.
        """
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            v = draw(self.visible_units, self.base.expand(count, -1)) if start is None else start
            v = self.gibbs(v, max(steps - 1, 0))
            return self.visible_given(self.sample_hidden(v))[:, : self.inputs]

    @torch.no_grad()
    def complete(self, x: Tensor, known: Tensor, *, steps: int = 200, seed: int = 0) -> Tensor:
        """(samples, inputs): the inputs with the unknown ones drawn while the known ones are fixed;
        means over the second half of the steps.

        Args:
            x: inputs; unknown values have no effect.
            known: true where an input is known, of an input's shape or flat.
            steps: Gibbs steps. Default 200.
            seed: of the draws. Default 0.
        """
        v = x.reshape(len(x), -1)
        held = known.reshape(-1).to(v.device)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            state = draw(self.visible_units, self.base.expand(len(v), -1))
            total = torch.zeros_like(v)
            for step in range(steps):
                state = torch.cat(
                    [torch.where(held, v, state[:, : self.inputs]), state[:, self.inputs :]], 1
                )
                y = self.visible_input(self.sample_hidden(state))
                state = self._labels_of(draw(self.visible_units, y), y, _one_hot_draw)
                if step >= steps // 2:
                    total += mean(self.visible_units, y)[:, : self.inputs]
        return torch.where(held, v, total / (steps - steps // 2))

    @torch.no_grad()
    def epoch_signals(self, train: Tensor, valid: Tensor, seed: int) -> dict[str, float]:
        """Measurements at the end of an epoch, by the names of signals."""
        values: dict[str, float] = {}
        part = (valid if len(valid) else train)[:SIGNAL_ROWS].reshape(-1, self.inputs)
        trained = train[:SIGNAL_ROWS].reshape(-1, self.inputs)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            values[signals.RECONSTRUCTION] = float(
                (self.reconstruct(part) - part).square().sum(1).mean()
            )
            active = self.hidden_given(self.with_labels(part))
            values[signals.HIDDEN_ACTIVE] = float(active.mean())
            values[signals.HIDDEN_CONSTANT] = (
                float((active.std(0, correction=0) < 0.01).float().mean()) if len(part) > 1 else 0.0
            )
            if self.labels:
                return values
            if len(valid):
                values[signals.FREE_ENERGY_GAP] = float(
                    self.free_energy(part).mean() - self.free_energy(trained).mean()
                )
            if "chains" in self._buffers:
                values[signals.CHAIN_AUTOCORRELATION] = autocorrelation_at(
                    self.chains[:500], lambda v: self.gibbs(v, LAG), self.visible_units == BINARY
                )
            if self.hidden_units == BINARY and self.visible_units == BINARY:
                values[signals.PSEUDO_LIKELIHOOD] = float(pseudo_likelihood(self, part).mean())
                values[signals.BASE_RATE_LIKELIHOOD] = float(
                    base_rate_likelihood(self.base, part).mean()
                )
                if is_exact(self, most=MOST_STATES):
                    values[signals.LOG_LIKELIHOOD] = float(log_likelihood(self, part).mean())
        return values

    @property
    def can_complete(self) -> bool:
        return self.visible_units == BINARY

    def first_filters(self) -> Tensor | None:
        return self.layer1.weight

    def picture_samples(self, count: int, steps: int) -> tuple[Tensor, str] | None:
        return self.sample(count, steps=steps), f"{steps} Gibbs steps from independent pixels"

    def with_labels(self, v: Tensor) -> Tensor:
        """Visible states with equal values on all label units."""
        return (
            v
            if not self.labels
            else torch.cat([v, v.new_full((v.shape[0], self.labels), 1 / self.labels)], 1)
        )

    def evaluation_loss(self, x: Tensor, seed: int) -> float:
        """In nats, lower is better: minus the mean pseudo-likelihood of binary units; of others
        half the squared error of the reconstruction."""
        v = x.reshape(len(x), -1)
        with torch.no_grad(), torch.random.fork_rng():
            torch.manual_seed(seed)
            if self.hidden_units == BINARY and self.visible_units == BINARY:
                return -float(pseudo_likelihood(self, v).mean())
            return 0.5 * float((self.reconstruct(v) - v).square().sum(1).mean())

    @torch.no_grad()
    def estimate_log_likelihood(self, x: Tensor, seed: int) -> tuple[Tensor, float, str] | None:
        """(ln p of each input, standard error of ln Z, method); None for units whose likelihood
        cannot be computed."""
        v = x.reshape(len(x), -1)
        if is_exact(self):
            return log_likelihood(self, v), 0.0, "exact"
        if self.hidden_units != BINARY or self.visible_units != BINARY:
            return None
        estimate = ais(self, chains=QUICK_CHAINS, temperatures=QUICK_TEMPERATURES, seed=seed)
        how = (
            f"ln Z by annealed importance sampling, {QUICK_CHAINS} chains,"
            f" {QUICK_TEMPERATURES} temperatures"
        )
        return log_likelihood(self, v, log_z=estimate.log_z), estimate.error, how

    def __repr__(self) -> str:
        visible, hidden = self.visible_units, self.hidden_units
        return f"RestrictedBoltzmann({self.visible} {visible}, {self.hidden} {hidden})"


def _one_hot_draw(logits: Tensor, axis: int) -> Tensor:
    """One-hot vectors drawn from the softmax of the logits (Gumbel's trick)."""
    noise = -torch.log(-torch.log(torch.rand_like(logits).clamp_min(1e-30)))
    return F.one_hot((logits + noise).argmax(axis), logits.shape[axis]).to(logits)
