"""How an energy model learns: the positive phase pulls the energy of the data down, the negative
phase lifts what the model itself believes."""

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

CHAINS = "it counts chains"
STEPS = "without a step the model says nothing of its own"


class NegativePhase(Loss):
    """What every learning rule of an energy model has: the states that its negative phase lifts.

    It stands in the place of a recipe's loss. The gradient of the log-likelihood is the difference
    of two means, that over the data and that over the model; phases differ in how they get the
    second one. What is told as the loss of a batch is the gap between the free energies of the two:
    near 0 it says that they look alike, not that all is well.

    Attributes:
        chains: how many states it keeps from step to step; 0: none.
        exact: it needs all states of the model, not a draw of them.
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
        return _given

    def persistent(self) -> NegativePhase | None:
        """The same phase with chains that continue from step to step, where its own do not."""
        return None

    def probabilities(self, output: Tensor) -> Tensor:
        return torch.softmax(output, 1)

    def memory(self, machine: RestrictedMachine) -> dict[str, Tensor]:
        """Tensors that the phase keeps with the machine, as they are at the start; saved and loaded
        with its weights."""
        return {}

    def negative(self, machine: RestrictedMachine, v: Tensor, h: Tensor) -> Tensor:
        """Visible states of the model, for a batch `v` whose hidden units were drawn as `h`.
        Without gradients."""
        raise interface_error(self, "CD(steps=1)")

    def after(self, machine: RestrictedMachine, gradients: list[Tensor]) -> None:
        """Told the gradients of each step, (weights, hidden biases, visible biases), for phases
        that learn beside it."""


def _given(output: Tensor, target: Tensor) -> Tensor:
    """While a machine learns it gives its own number; with label units, and asked for classes, it
    gives logits."""
    return F.cross_entropy(output, target) if output.dim() == 2 else output.mean()


@dataclass(frozen=True, kw_only=True)
class CD(NegativePhase):
    """Contrastive divergence (对比散度): the negative phase starts at the data and takes a few Gibbs
    steps.

        dW = <v h>_0 - <v h>_k

    Quick, and biased: it never looks at what the model believes far from the data, so the
    likelihood may stand still while the reconstruction improves. To draw samples or to compare
    likelihoods use `PCD`.

    Args:
        steps: Gibbs steps, k, at least 1. Default 1.

    Example:
        >>> import netwise as nw
        >>> nw.CD(steps=25).steps
        25

    Source: Hinton 2002, "Training products of experts by minimizing contrastive divergence"; note
    001, claim R12.
    """

    steps: int = integer(
        1, least=1, most=100_000, because=STEPS, why="the paper's value; enough to learn features"
    )

    def persistent(self) -> NegativePhase | None:
        return PCD(steps=self.steps)

    def negative(self, machine: RestrictedMachine, v: Tensor, h: Tensor) -> Tensor:
        for step in range(self.steps):
            v = machine.sample_visible(h)
            if step + 1 < self.steps:
                h = machine.sample_hidden(v)
        return v


@dataclass(frozen=True, kw_only=True)
class PCD(NegativePhase):
    """Persistent contrastive divergence: the chains of the negative phase go on from where the last
    step left them.

    They follow the model as it learns and see all that it believes, not only what lies beside the
    data. The rate has to be low enough that they keep up; where it is not, they stick
    (`negative_phase_stuck`).

    Args:
        steps: Gibbs steps of each learning step, at least 1. Default 1.
        chains: how many. Default 100.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), preprocess=(nw.MinMax(),), network=nw.RBM(64, 16), loss=nw.PCD(), epochs=3)
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
        why="the paper's value: the chains go on for the whole run",
    )
    chains: int = integer(
        100, least=1, most=1_000_000, because=CHAINS, why="as many as the samples of a usual batch"
    )

    def memory(self, machine: RestrictedMachine) -> dict[str, Tensor]:
        return {"chains": torch.zeros(self.chains, machine.visible)}

    def negative(self, machine: RestrictedMachine, v: Tensor, h: Tensor) -> Tensor:
        state = machine.chains
        for _ in range(self.steps):
            state = machine.sample_visible(machine.sample_hidden(state))
        machine.chains.copy_(state)
        return state


@dataclass(frozen=True, kw_only=True)
class FastPCD(PCD):
    """PCD whose chains feel, on top of the weights, quick ones that forget: they push the chains
    out of where they sit.

    The quick weights learn by the same gradients at a rate of their own and lose a share of
    themselves each step.

    Args:
        steps, chains: as in `PCD`.
        fast_lr: rate of the quick weights, above 0. Default 0.01.
        decay: what is left of them after each step, from 0 to below 1. Default 0.95.

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
        0.95, least=0, below=1, because="what is left of them is a share", why="the paper's 19/20"
    )

    def memory(self, machine: RestrictedMachine) -> dict[str, Tensor]:
        empty = {
            f"fast_{name}": torch.zeros_like(p)
            for name, p in zip(
                ("weight", "hidden", "visible"), machine.weights_and_biases, strict=True
            )
        }
        return {**super().memory(machine), **empty}

    def negative(self, machine: RestrictedMachine, v: Tensor, h: Tensor) -> Tensor:
        quick = (machine.fast_weight, machine.fast_hidden, machine.fast_visible)
        slow = [p.clone() for p in machine.weights_and_biases]
        for p, fast in zip(machine.weights_and_biases, quick, strict=True):
            p.add_(fast)
        try:
            return super().negative(machine, v, h)
        finally:
            for p, own in zip(machine.weights_and_biases, slow, strict=True):
                p.copy_(own)  # to the last bit, which taking `fast` off again would not give

    def after(self, machine: RestrictedMachine, gradients: list[Tensor]) -> None:
        for fast, gradient in zip(
            (machine.fast_weight, machine.fast_hidden, machine.fast_visible), gradients, strict=True
        ):
            fast.mul_(self.decay).sub_(gradient, alpha=self.fast_lr)


@dataclass(frozen=True, kw_only=True)
class ParallelTempering(NegativePhase):
    """Chains at several temperatures side by side, which change places: hot ones wander, cold ones
    give the samples.

    Each chain is a ladder of states at inverse temperatures from 1 down to 0 in equal steps; at 0
    all states are alike. After each Gibbs step neighbours on a ladder change places by Metropolis'
    rule. Costs as many times a PCD step as there are rungs.

    Args:
        steps: Gibbs steps of each learning step, at least 1. Default 1.
        chains: ladders. Default 20.
        rungs: temperatures of each ladder, at least 2. Default 10.

    Example:
        >>> import netwise as nw
        >>> nw.ParallelTempering(rungs=5).chains
        20

    Source: Desjardins et al. 2010, "Parallel tempering for training of restricted Boltzmann
    machines"; Cho et al. 2010.
    """

    needs_binary_units: ClassVar[bool] = True
    steps: int = integer(
        1, least=1, most=100_000, because=STEPS, why="the ladders go on for the whole run"
    )
    chains: int = integer(
        20,
        least=1,
        most=1_000_000,
        because=CHAINS,
        why="with ten rungs each, the work of a usual batch twice",
    )
    rungs: int = integer(
        10,
        least=2,
        most=1000,
        because="two temperatures are the fewest that can change places",
        why="the papers' order of size",
    )

    def memory(self, machine: RestrictedMachine) -> dict[str, Tensor]:
        return {"chains": torch.zeros(self.rungs * self.chains, machine.visible)}

    def negative(self, machine: RestrictedMachine, v: Tensor, h: Tensor) -> Tensor:
        state = machine.chains.view(self.rungs, self.chains, machine.visible)
        beta = torch.linspace(1, 0, self.rungs, dtype=state.dtype, device=state.device)[
            :, None, None
        ]
        for step in range(self.steps):
            h = machine.sample_hidden(state, beta)
            state = machine.sample_visible(h, beta)
            state = _changed_places(machine, state, beta.view(-1), step % 2)
            state = _changed_places(machine, state, beta.view(-1), 1 - step % 2)
        machine.chains.copy_(state.reshape(-1, machine.visible))
        return state[0]


def _changed_places(machine: RestrictedMachine, state: Tensor, beta: Tensor, first: int) -> Tensor:
    """The ladders after neighbours, from rung `first` in pairs, were offered to change places:
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
    """The gradient of the log-likelihood itself, by all states of the model: for at most 20 units
    on the smaller side.

    What sampled phases are measured against. Each step costs 2^20 states at the worst.

    Example:
        >>> import netwise as nw
        >>> nw.ExactGradient().exact
        True

    Source: note 001, claim R11.
    """

    exact: ClassVar[bool] = True
    for_full: ClassVar[bool] = True
