"""Negative phases: how the gradient of an energy model's log-likelihood is estimated.

The gradient is a difference of two means. The positive phase, over the data, lowers the energy of
the data; the negative phase, over states of the model, raises the energy of those.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from netwise.errors import interface_error
from netwise.networks.energy.machine import RestrictedMachine
from netwise.part import integer, number
from netwise.parts.losses import Loss
from netwise.tasks import CLASSIFICATION, DENSITY

CHAINS = "it is a number of chains"
STEPS = "the chains have to leave the data"


class NegativePhase(Loss):
    """What every negative phase has: the states of the model that its mean is taken over.

    A recipe has it in place of a loss. The loss reported for a batch is the difference of the mean
    free energies of data and model states. Near 0 the two are alike; that is no sign of a good
    model, since both change in training.

    Attributes:
        chains: number of states that are kept from step to step; 0: none.
        exact: it sums over all states of the model instead of drawing some.
        for_restricted: it trains restricted machines and stacks of them.
        for_full: it trains machines whose units are all joined.
        needs_binary_units: all units are binary, and none is a label.

    Example:
        >>> import netwise as nw
        >>> nw.PCD(steps=1).tasks
        ('density', 'classification')
    """

    tasks: ClassVar[tuple[str, ...]] = (DENSITY, CLASSIFICATION)
    takes: ClassVar[str] = "logits"
    is_negative_phase: ClassVar[bool] = True
    for_restricted: ClassVar[bool] = True
    for_full: ClassVar[bool] = False
    needs_binary_units: ClassVar[bool] = False
    exact: ClassVar[bool] = False
    chains: int = 0

    def build(self) -> Callable[[Tensor, Tensor], Tensor]:
        return _machine_loss

    def persistent(self) -> NegativePhase | None:
        """The same phase with persistent chains; None: they are persistent, or there are none."""
        return None

    def probabilities(self, output: Tensor) -> Tensor:
        return torch.softmax(output, 1)

    def initial_buffers(self, machine: RestrictedMachine) -> dict[str, Tensor]:
        """Initial values of the buffers that the phase keeps in the machine; they are saved with
        the weights."""
        return {}

    def negative_states(self, machine: RestrictedMachine, v: Tensor, h: Tensor) -> Tensor:
        """Visible states of the model (states, visible), without gradients.

        Args:
            machine: that is trained.
            v: visible states of the batch.
            h: hidden states drawn for them.
        """
        raise interface_error(self, "CD(steps=1)")

    def after_step(self, machine: RestrictedMachine, gradients: list[Tensor]) -> None:
        """Called after each step with its gradients (weights, hidden biases, visible biases)."""


def _machine_loss(output: Tensor, target: Tensor) -> Tensor:
    """The machine's own loss in training, a scalar; with label units, the cross-entropy of the
    logits that it gives in evaluation."""
    return F.cross_entropy(output, target) if output.dim() == 2 else output.mean()


@dataclass(frozen=True, kw_only=True)
class CD(NegativePhase):
    """Contrastive divergence (对比散度): the negative phase starts at the data and takes a few
    Gibbs steps.

        dW = <v h>_0 - <v h>_k

    Fast, and biased: regions of high probability far from the data are never lowered, so the
    likelihood may stagnate while the reconstruction improves. To draw samples or to compare
    likelihoods use `PCD`.

    Args:
        steps: Gibbs steps, k, at least 1. Default 1.

    Example:
        >>> import netwise as nw
        >>> nw.CD(steps=25).steps
        25

    Source: Hinton 2002, "Training products of experts by minimizing contrastive divergence".
    """

    steps: int = integer(
        1, least=1, most=100_000, because=STEPS, why="the paper's value; enough to learn features"
    )

    def persistent(self) -> NegativePhase | None:
        return PCD(steps=self.steps)

    def negative_states(self, machine: RestrictedMachine, v: Tensor, h: Tensor) -> Tensor:
        for step in range(self.steps):
            v = machine.sample_visible(h)
            if step + 1 < self.steps:
                h = machine.sample_hidden(v)
        return v


@dataclass(frozen=True, kw_only=True)
class PCD(NegativePhase):
    """Persistent contrastive divergence: the chains of the negative phase continue from where the
    last step left them.

    They follow the model while it is trained and reach all of its modes, not only those near the
    data. The learning rate has to be low enough that they keep up; where it is not, they get stuck
    in a few modes (`negative_phase_stuck`).

    Args:
        steps: Gibbs steps of each learning step, at least 1. Default 1.
        chains: number of chains. Default 100.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), preprocess=(nw.MinMax(),),
        ...                    network=nw.RBM(64, 16), loss=nw.PCD(), epochs=3)
        >>> nw.fit(recipe).score.name
        'log-likelihood'

    Source: Tieleman 2008, "Training restricted Boltzmann machines using approximations to the
    likelihood gradient".
    """

    steps: int = integer(
        1,
        least=1,
        most=100_000,
        because=STEPS,
        why="the paper's value: the chains run through the whole training",
    )
    chains: int = integer(
        100, least=1, most=1_000_000, because=CHAINS, why="as many as the samples of a usual batch"
    )

    def initial_buffers(self, machine: RestrictedMachine) -> dict[str, Tensor]:
        return {"chains": torch.zeros(self.chains, machine.visible)}

    def negative_states(self, machine: RestrictedMachine, v: Tensor, h: Tensor) -> Tensor:
        state = machine.chains
        for _ in range(self.steps):
            state = machine.sample_visible(machine.sample_hidden(state))
        machine.chains.copy_(state)
        return state


@dataclass(frozen=True, kw_only=True)
class FastPCD(PCD):
    """PCD with fast weights: added to the weights in the negative phase only, they drive the chains
    out of the modes they are in.

    The fast weights take the same gradients at a learning rate of their own and decay at each
    step.

    Args:
        steps, chains: as in `PCD`.
        fast_lr: learning rate of the fast weights, above 0. Default 0.01.
        decay: factor on the fast weights after each step, from 0 to below 1. Default 0.95.

    Example:
        >>> import netwise as nw
        >>> nw.FastPCD(fast_lr=0.02).decay
        0.95

    Source: Tieleman, Hinton 2009, "Using fast weights to improve persistent contrastive
    divergence", section 4.
    """

    fast_lr: float = number(
        0.01,
        above=0,
        because="a negative step climbs",
        why="that of a usual rate of the weights themselves",
    )
    decay: float = number(
        0.95, least=0, below=1, because="it is a share that remains", why="the paper's 19/20"
    )

    def initial_buffers(self, machine: RestrictedMachine) -> dict[str, Tensor]:
        empty = {
            f"fast_{name}": torch.zeros_like(p)
            for name, p in zip(
                ("weight", "hidden", "visible"), machine.weights_and_biases, strict=True
            )
        }
        return {**super().initial_buffers(machine), **empty}

    def negative_states(self, machine: RestrictedMachine, v: Tensor, h: Tensor) -> Tensor:
        fast_parameters = (machine.fast_weight, machine.fast_hidden, machine.fast_visible)
        saved = [p.clone() for p in machine.weights_and_biases]
        for p, fast in zip(machine.weights_and_biases, fast_parameters, strict=True):
            p.add_(fast)
        try:
            return super().negative_states(machine, v, h)
        finally:
            for p, value in zip(machine.weights_and_biases, saved, strict=True):
                p.copy_(value)  # exact, which subtracting `fast` would not be

    def after_step(self, machine: RestrictedMachine, gradients: list[Tensor]) -> None:
        for fast, gradient in zip(
            (machine.fast_weight, machine.fast_hidden, machine.fast_visible), gradients, strict=True
        ):
            fast.mul_(self.decay).sub_(gradient, alpha=self.fast_lr)


@dataclass(frozen=True, kw_only=True)
class ParallelTempering(NegativePhase):
    """Replicas of each chain at several temperatures, which are exchanged: hot ones cross between
    modes, the coldest gives the samples.

    A chain has replicas at inverse temperatures from 1 down to 0 in equal steps; at 0 all states
    are equally probable. After each Gibbs step, neighbouring replicas are exchanged by Metropolis'
    rule. A step costs as much as `rungs` steps of PCD.

    Args:
        steps: Gibbs steps of each learning step, at least 1. Default 1.
        chains: number of chains. Default 20.
        rungs: replicas of each chain, at least 2. Default 10.

    Example:
        >>> import netwise as nw
        >>> nw.ParallelTempering(rungs=5).chains
        20

    Source: Desjardins et al. 2010, "Parallel tempering for training of restricted Boltzmann
    machines"; Cho et al. 2010.
    """

    needs_binary_units: ClassVar[bool] = True
    steps: int = integer(
        1, least=1, most=100_000, because=STEPS, why="the chains run through the whole training"
    )
    chains: int = integer(
        20,
        least=1,
        most=1_000_000,
        because=CHAINS,
        why="with ten replicas each, twice the work of a usual batch",
    )
    rungs: int = integer(
        10,
        least=2,
        most=1000,
        because="an exchange needs two temperatures",
        why="the papers' order of size",
    )

    def initial_buffers(self, machine: RestrictedMachine) -> dict[str, Tensor]:
        return {"chains": torch.zeros(self.rungs * self.chains, machine.visible)}

    def negative_states(self, machine: RestrictedMachine, v: Tensor, h: Tensor) -> Tensor:
        state = machine.chains.view(self.rungs, self.chains, machine.visible)
        beta = torch.linspace(1, 0, self.rungs, dtype=state.dtype, device=state.device)[
            :, None, None
        ]
        for step in range(self.steps):
            h = machine.sample_hidden(state, beta)
            state = machine.sample_visible(h, beta)
            state = _exchanged(machine, state, beta.view(-1), step % 2)
            state = _exchanged(machine, state, beta.view(-1), 1 - step % 2)
        machine.chains.copy_(state.reshape(-1, machine.visible))
        return state[0]


def _exchanged(machine: RestrictedMachine, state: Tensor, beta: Tensor, first: int) -> Tensor:
    """The replicas after an exchange was proposed for neighbours, in pairs from rung `first`:
    accepted with min(1, exp(F_i(v_i) + F_j(v_j) - F_i(v_j) - F_j(v_i))) for the free energies F_i
    of visible states at temperature i."""
    lower = torch.arange(first, len(beta) - 1, 2, device=state.device)
    if not len(lower):
        return state
    upper = lower + 1
    a, b = state[lower], state[upper]
    low, high = beta[lower][:, None, None], beta[upper][:, None, None]
    free = machine.free_energy
    gain = free(a, low) + free(b, high) - free(b, low) - free(a, high)
    swap = (torch.rand_like(gain).log() < gain)[..., None]
    state = state.clone()
    state[lower], state[upper] = torch.where(swap, b, a), torch.where(swap, a, b)
    return state


@dataclass(frozen=True, kw_only=True)
class ExactGradient(NegativePhase):
    """The exact gradient of the log-likelihood, by a sum over all states of the model: for at most
    20 units on the smaller side.

    The reference for sampled phases. A step sums over at most 2^20 states.

    Example:
        >>> import netwise as nw
        >>> nw.ExactGradient().exact
        True

    Source: note 001, claim R11.
    """

    exact: ClassVar[bool] = True
    for_full: ClassVar[bool] = True
