"""Hopfield network (霍普菲尔德网络): fully connected units store patterns, and recall them
from a part."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from netwise import signals
from netwise.data.dataset import Samples
from netwise.errors import DataError, Problem, interface_error
from netwise.networks.network import Network, preview, wrong_size
from netwise.part import integer, number, text
from netwise.parts.losses import Loss
from netwise.tasks import MEMORY

HEBB, PSEUDO_INVERSE, STORKEY = "hebb", "pseudo-inverse", "storkey"
BIPOLAR, BINARY = "bipolar", "binary"
PATTERNS, UNITS = "patterns", "units"
RANDOM, FIXED, TOGETHER = "random", "fixed", "together"
NOISE_SHARES = (
    0.0,
    0.05,
    0.1,
    0.15,
    0.2,
    0.25,
    0.3,
    0.35,
    0.4,
    0.45,
)  # shares of flipped units that recall is measured at
BLOCK = 64  # units whose fields are computed by one matrix product


@dataclass(frozen=True)
class RecallResult:
    """The result of a recall.

    Args:
        states: (samples, units), the final states, in the memory's own values.
        energies: (sweeps + 1, samples), before the first sweep and after each.
        flips: (samples,): number of changes of units.
        converged: (samples,): no unit would change any more.
        sweeps: number of times that all units were updated.
        trace: with `trace=True` the energy after each flip of the first sample, and the deviation
            of its change from -u dx: (flips,) both.

    Example:
        >>> import netwise as nw, torch
        >>> memory = nw.Hopfield(4).build()
        >>> memory.store(torch.tensor([[1.0, -1.0, 1.0, -1.0]]))
        >>> memory.recall(torch.tensor([[1.0, -1.0, 1.0, 1.0]])).states.tolist()
        [[1.0, -1.0, 1.0, -1.0]]
    """

    states: Tensor
    energies: Tensor
    flips: Tensor
    converged: Tensor
    sweeps: int
    trace: tuple[Tensor, Tensor] | None = field(default=None, repr=False)


class MemoryNetwork(Network):
    """A network that stores patterns: its recipes run no epochs, and loss and optimizer have no
    effect."""

    is_memory: ClassVar[bool] = True
    declares_shape: ClassVar[bool] = True
    units: int

    @property
    def own_task(self) -> str | None:
        return MEMORY

    def problems(self, samples: Samples, loss: Loss) -> list[Problem]:
        return wrong_size("units", self.units, samples.train.x[0].numel())

    def needs_inputs_from_0_to_1(self, loss: Loss) -> bool:
        return True

    @property
    def why_not_exported(self) -> str:
        return "its recall repeats until no unit changes, and a file has a fixed number of steps"


@dataclass(frozen=True)
class Hopfield(MemoryNetwork):
    """Energy E = -1/2 x W x + b x over units of two values; recall lowers it until no unit would
    change.

    Patterns are stored at once, without gradients: a recipe with it runs no epochs, and its loss
    and optimizer have no effect. Hebb's rule loses patterns from about 0.138 patterns per unit, and
    much earlier if they are correlated; the pseudo-inverse rule stores as many independent patterns
    as there are units; Storkey's rule is between the two.

    Args:
        units: numbers in a pattern.
        rule: "hebb", w = mean of x x^T; "pseudo-inverse", the projection on the patterns; or
            "storkey". Default "hebb".
        scale: the divisor of Hebb's sum: the number of "patterns" (the notes) or of "units". It
            has no effect on recall: thresholds are 0, or scale with the weights. Default "units":
            then w x is near x.
        states: "bipolar", -1 and 1, or "binary", 0 and 1 with thresholds b_i = 1/2 sum_j w_ij,
            which make both equivalent. Default "bipolar".
        order: of the updates: "random", drawn for each sweep; "fixed"; or "together", all from the
            same state (synchronous, which may end in a cycle of two states). Default "random".
        sweeps: maximal number of sweeps over the units. Default 100.

    Example:
        >>> import netwise as nw, torch
        >>> g = torch.Generator().manual_seed(0)
        >>> patterns = torch.randint(2, (5, 100), generator=g) * 2.0 - 1
        >>> memory = nw.Hopfield(100).build()
        >>> memory.store(patterns)
        >>> noisy = patterns * torch.where(torch.rand(5, 100, generator=g) < 0.1, -1.0, 1.0)
        >>> torch.equal(memory.recall(noisy).states, patterns)
        True

    Source: Hopfield 1982; pseudo-inverse: Personnaz, Guyon, Dreyfus 1986; Storkey 1997.
    """

    units: int = integer(
        784,
        least=2,
        most=100_000,
        because="a pattern has at least two numbers",
        why="MNIST's pixels",
    )
    rule: str = text(HEBB, among=(HEBB, PSEUDO_INVERSE, STORKEY), why="the notes' rule")
    scale: str = text(
        UNITS,
        among=(UNITS, PATTERNS),
        why="fields are then near -1 and 1 for any number of patterns",
    )
    states: str = text(BIPOLAR, among=(BIPOLAR, BINARY), why="Hebb's rule is for these")
    order: str = text(
        RANDOM,
        among=(RANDOM, FIXED, TOGETHER),
        why="energy falls at each flip, and no unit is preferred",
    )
    sweeps: int = integer(
        100,
        least=1,
        most=1_000_000,
        because="a recall updates the units",
        why="below the capacity a recall takes far fewer",
    )

    def problems(self, samples: Samples, loss: Loss) -> list[Problem]:
        size = super().problems(samples, loss)
        if has_two_values(preview(samples)):
            return size
        reason = "takes patterns of 0 and 1, or of -1 and 1"
        return [Problem("network", "Hopfield", reason, "preprocess = (Binarise(),)"), *size]

    def build(self) -> nn.Module:
        return AssociativeMemory(self)


class MemoryModule(nn.Module):
    """What the modules of memories share: the stored patterns, and measurements of recall."""

    patterns: Tensor

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        # The number of patterns is that of the saved tensor.
        if prefix + "patterns" in state_dict:
            self.patterns = torch.empty_like(
                state_dict[prefix + "patterns"], device=self.patterns.device
            )
        super()._load_from_state_dict(state_dict, prefix, *args)

    def recall(self, x: Tensor, *, seed: int = 0) -> RecallResult:
        raise interface_error(self, "Hopfield(100).build()")

    @property
    def load(self) -> float:
        """Stored patterns per unit, P / N."""
        return len(self.patterns) / self.patterns.shape[1]

    def overlap(self, states: Tensor, patterns: Tensor | None = None) -> Tensor:
        """(samples,): overlap of each state with its pattern, from -1 to 1: (1 / N) sum_i x_i p_i
        of bipolar values."""
        return (
            to_bipolar(states) * (self.patterns if patterns is None else to_bipolar(patterns))
        ).mean(1)

    def with_noise(self, share: float, *, seed: int = 0) -> Tensor:
        """(patterns, units): the patterns with this share of the units of each one flipped, drawn
        without replacement."""
        g = torch.Generator().manual_seed(seed)
        count = round(share * self.patterns.shape[1])
        chosen = (
            torch.rand(self.patterns.shape, generator=g)
            .argsort(1)[:, :count]
            .to(self.patterns.device)
        )
        return self.patterns.scatter(1, chosen, -self.patterns.gather(1, chosen))

    def recall_rates(
        self, shares: tuple[float, ...] = NOISE_SHARES, *, seed: int = 0
    ) -> list[tuple[float, float, float]]:
        """For each share of flipped units: (share, share of patterns recalled exactly, mean
        overlap)."""
        rates = []
        for i, share in enumerate(shares):
            overlap = self.overlap(
                self.recall(
                    self.to_own_values(self.with_noise(share, seed=seed + i)), seed=seed + i
                ).states
            )
            rates.append((share, float((overlap == 1).float().mean()), float(overlap.mean())))
        return rates

    def to_own_values(self, x: Tensor) -> Tensor:
        """Bipolar values as values of the memory's units."""
        return x

    def store(self, x: Tensor) -> None:
        """Store these patterns (patterns, ...) in place of the present ones."""
        raise interface_error(self, "Hopfield(100).build()")

    def noise_curve(self, *, seed: int = 0) -> list[tuple[float, float, float]]:
        """For each share of `NOISE_SHARES`: (share of values changed, share of patterns recalled
        from the changed ones, mean overlap with the pattern)."""
        return self.recall_rates(NOISE_SHARES, seed=seed)

    def signals(self) -> dict[str, float]:
        """What is measured of the stored patterns, by the names of signals."""
        return {signals.MEMORY_LOAD: self.load}


class AssociativeMemory(MemoryModule):
    """The module of a `Hopfield` network: weights and thresholds are buffers, set by `store`. A
    call recalls."""

    weight: Tensor
    threshold: Tensor

    def __init__(self, network: Hopfield) -> None:
        super().__init__()
        self.network = network
        n = network.units
        self.register_buffer("weight", torch.zeros(n, n))
        self.register_buffer("threshold", torch.zeros(n))
        self.register_buffer("patterns", torch.zeros(0, n))

    @torch.no_grad()
    def store(self, x: Tensor) -> None:
        """Store these patterns (patterns, ...) in place of the present ones: values of -1 and 1, or
        of 0 and 1.

        Raises:
            DataError: other values, or patterns of another size.
        """
        p = to_bipolar(x.flatten(1)).to(self.weight)
        if p.shape[1] != self.network.units:
            raise wrong_pattern_size(p, self.network)
        self.patterns = p
        weight = weights_of_patterns(p, self.network.rule)
        if self.network.rule == HEBB and self.network.scale == PATTERNS:
            weight *= p.shape[1] / len(p)
        self.weight.copy_(weight)
        self.threshold.copy_(
            self.weight.sum(1) / 2
            if self.network.states == BINARY
            else torch.zeros_like(self.threshold)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.recall(x).states

    def field(self, x: Tensor) -> Tensor:
        """(samples, units): u_i = sum_j w_ij x_j - b_i."""
        u: Tensor = x @ self.weight - self.threshold
        return u

    def energy(self, x: Tensor) -> Tensor:
        """(samples,): -1/2 x W x + b x."""
        energy: Tensor = x @ self.threshold - 0.5 * ((x @ self.weight) * x).sum(1)
        return energy

    @property
    def values(self) -> tuple[float, float]:
        """The low and the high state of a unit."""
        return (0.0, 1.0) if self.network.states == BINARY else (-1.0, 1.0)

    def _updated(self, u: Tensor, x: Tensor) -> Tensor:
        """Units in state `x` after an update with fields `u`: high above 0, low below, unchanged at
        0."""
        low, high = self.values
        return torch.where(u > 0, high, torch.where(u < 0, low, x))

    def _would_flip(self, u: Tensor, x: Tensor) -> Tensor:
        """Which units in state `x` would change at fields `u`."""
        low, high = self.values
        return ((u > 0) & (x != high)) | ((u < 0) & (x != low))

    def to_own_values(self, x: Tensor) -> Tensor:
        return (x + 1) / 2 if self.network.states == BINARY else x

    @torch.no_grad()
    def recall(self, x: Tensor, *, seed: int = 0, trace: bool = False) -> RecallResult:
        """Update units until none would change, from these states, all samples at once.

        A unit with field above 0 becomes high, below 0 low, at 0 it stays. All samples of a call
        share the order of units.

        Args:
            x: states (samples, ...): -1 and 1, or 0 and 1.
            seed: of the order. Default 0.
            trace: record each flip of the first sample. Default false.
        """
        state = self.to_own_values(to_bipolar(x.flatten(1)).to(self.weight)).clone()
        energies, flips = (
            [self.energy(state)],
            torch.zeros(len(state), dtype=torch.int64, device=state.device),
        )
        g = torch.Generator().manual_seed(seed)
        n, order = self.network.units, torch.arange(self.network.units)
        recorded: list[tuple[float, float]] = []
        sweeps, converged = 0, torch.zeros(len(state), dtype=torch.bool, device=state.device)
        while sweeps < self.network.sweeps and not bool(converged.all()):
            moving = torch.nonzero(~converged).flatten()  # converged states stay so in any order
            before = state[moving]
            if self.network.order == TOGETHER:
                u = self.field(before)
                after = self._updated(u, before)
            else:
                order = torch.randperm(n, generator=g) if self.network.order == RANDOM else order
                after = before.clone()
                self.update_in_order(after, order.to(state.device), recorded if trace else None)
            moved = (after != before).sum(1)
            flips[moving] += moved
            converged[moving] = moved == 0
            state[moving] = after
            energies.append(energies[-1].index_copy(0, moving, self.energy(after)))
            sweeps += 1
        path = None
        if trace:
            flip_table = torch.tensor(recorded, dtype=torch.float64).reshape(-1, 2)
            path = (flip_table[:, 0], flip_table[:, 1])
        return RecallResult(state, torch.stack(energies), flips, converged, sweeps, path)

    def update_in_order(
        self, state: Tensor, order: Tensor, recorded: list[tuple[float, float]] | None
    ) -> None:
        """Update each unit in this order, in place, for all samples; each update sees the ones
        before it.

        The fields of a block of units are computed by one matrix product; within the block only
        changes are added. A block in which no unit would change is done.
        """
        for block in order.split(1 if recorded is not None else BLOCK):
            own = state[:, block]
            u = state @ self.weight[:, block] - self.threshold[block]
            flipping = torch.nonzero(self._would_flip(u, own).any(0)).flatten().tolist()
            if not flipping:
                continue
            between, sparse = self.weight[block][:, block], len(flipping) < len(block) // 3
            i = flipping[0]
            while i < len(block):
                new = self._updated(u[:, i], own[:, i])
                change = new - own[:, i]
                if recorded is not None and float(change[0]) != 0:
                    recorded.append(
                        self._flip_record(
                            state, int(block[i]), float(new[0]), float(u[0, i] * change[0])
                        )
                    )
                own[:, i] = new
                if i + 1 == len(block):
                    break
                u[:, i + 1 :] += change[:, None] * between[i, i + 1 :]
                i += 1
                if sparse:  # skip to the next unit that some sample would change
                    left = torch.nonzero(self._would_flip(u[:, i:], own[:, i:]).any(0))
                    i = len(block) if not len(left) else i + int(left[0])
            state[:, block] = own

    def _flip_record(
        self, state: Tensor, unit: int, new: float, fall: float
    ) -> tuple[float, float]:
        """(energy of the first sample after this flip, its change + u dx, which is 0 where weights
        are symmetric with zero diagonal)."""
        weight, threshold, one = (
            self.weight.double(),
            self.threshold.double(),
            state[0].double().clone(),
        )
        before = -0.5 * one @ weight @ one + one @ threshold
        one[unit] = new
        after = -0.5 * one @ weight @ one + one @ threshold
        return float(after), float(after - before) + fall

    def signals(self) -> dict[str, float]:
        return {
            **super().signals(),
            signals.MEMORY_UNSTABLE: self.unstable_share(),
            signals.MEMORY_CROSSTALK: float(self.crosstalk().max()),
        }

    # ---- measurements

    def unstable_share(self) -> float:
        """Share of the stored patterns that are not fixed points."""
        if not len(self.patterns):
            return 0.0
        own = self.to_own_values(self.patterns)
        return float(self._would_flip(self.field(own), own).any(1).float().mean())

    def crosstalk(self) -> Tensor:
        """(patterns, units): C_i = -x_i (1 / N) sum over the other patterns p of p_i (p x); above 1
        it flips the unit, by Hebb's rule.

        Source: Hertz, Krogh, Palmer 1991, "Introduction to the theory of neural computation", eq.
        2.13.
        """
        p, n = self.patterns, self.patterns.shape[1]
        overlaps = p @ p.t() / n
        overlaps.fill_diagonal_(0)
        return -p * (overlaps @ p)

    @torch.no_grad()
    def recall_outcomes(self, starts: int = 1000, *, seed: int = 0) -> dict[str, float]:
        """Final states of recall from random states: shares of a stored "pattern", of the
        "negative" of one, and of a "spurious" state."""
        g = torch.Generator().manual_seed(seed)
        x = torch.where(torch.rand(starts, self.network.units, generator=g) < 0.5, -1.0, 1.0).to(
            self.weight
        )
        final = to_bipolar(self.recall(self.to_own_values(x), seed=seed).states)
        overlaps = final @ self.patterns.t() / self.network.units
        pattern, negative = (
            float((overlaps == 1).any(1).float().mean()),
            float((overlaps == -1).any(1).float().mean()),
        )
        return {"pattern": pattern, "negative": negative, "spurious": 1 - pattern - negative}


def weights_of_patterns(p: Tensor, rule: str) -> Tensor:
    """(units, units): the weights of bipolar patterns (patterns, units) by a rule, Hebb's divided
    by the number of units; zero diagonal."""
    n = p.shape[1]
    if rule == PSEUDO_INVERSE:
        weight = torch.linalg.pinv(p.double()) @ p.double()
        weight = ((weight + weight.t()) / 2).to(p)
    elif rule == STORKEY:
        weight = torch.zeros(n, n, dtype=p.dtype, device=p.device)
        for x in p:
            h = weight @ x
            between = (
                h[:, None] - weight.diagonal()[:, None] * x[:, None] - weight * x[None, :]
            )  # h_ij, without i and j
            weight = (
                weight + (torch.outer(x, x) - x[:, None] * between.t() - between * x[None, :]) / n
            )
            weight.fill_diagonal_(0)
    else:
        weight = p.t() @ p / n
    return weight.fill_diagonal_(0)  # type: ignore[no-any-return]


def wrong_pattern_size(patterns: Tensor, network: MemoryNetwork) -> DataError:
    """The error for patterns (patterns, numbers) of another size than the memory."""
    count = patterns.shape[1]
    return DataError(
        f"patterns have {count} numbers, and the memory has {network.units} units:"
        f" use {type(network).__name__}(units={count})"
    )


def has_two_values(x: Tensor) -> bool:
    """All values are 0 or 1, or all are -1 or 1."""
    return bool(((x == 0) | (x == 1)).all()) or bool(((x == -1) | (x == 1)).all())


def to_bipolar(x: Tensor) -> Tensor:
    """Values of 0 and 1, or of -1 and 1, as -1 and 1.

    Raises:
        DataError: there are others.
    """
    if bool(((x == 1) | (x == -1)).all()):
        return x
    if has_two_values(x):
        return 2 * x - 1
    raise DataError(
        "a memory stores values of 0 and 1, or of -1 and 1, and got others:"
        " use preprocess = (Binarise(),)"
    )


@dataclass(frozen=True)
class ModernHopfield(MemoryNetwork):
    """Continuous Hopfield network: a step maps a state to the mean of the patterns, weighted by
    their similarity to it.

        x' = P^T softmax(beta P x)

    Its capacity grows exponentially with the number of units, also for correlated patterns; the
    step is that of attention. Patterns and states may have any real values.

    Args:
        units: numbers in a pattern.
        beta: inverse temperature of the softmax, above 0; with low values recall ends in means of
            several patterns. Default 1.0.
        steps: maximal number of steps. Default 10.

    Example:
        >>> import netwise as nw, torch
        >>> memory = nw.ModernHopfield(3, beta=8.0).build()
        >>> memory.store(torch.eye(3))
        >>> memory.recall(torch.tensor([[0.9, 0.2, 0.1]])).states.round().tolist()
        [[1.0, 0.0, 0.0]]

    Source: Ramsauer et al. 2020, arXiv 2008.02217, eq. 3; dense memories: Krotov, Hopfield 2016.
    Beyond the notes.
    """

    units: int = integer(
        784,
        least=1,
        most=1_000_000,
        because="a pattern has at least one number",
        why="MNIST's pixels",
    )
    beta: float = number(
        1.0,
        above=0,
        because="below 0 the least similar pattern has the largest weight",
        why="the paper's for patterns of norm near the root of the units",
    )
    steps: int = integer(
        10,
        least=1,
        most=100_000,
        because="a recall takes steps",
        why="one step is nearly always enough",
    )

    def build(self) -> nn.Module:
        return ModernMemory(self)


class ModernMemory(MemoryModule):
    """The module of a `ModernHopfield` network: `store`, `recall`, `energy`."""

    def __init__(self, network: ModernHopfield) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("patterns", torch.zeros(0, network.units))

    @torch.no_grad()
    def store(self, x: Tensor) -> None:
        """Store these patterns (patterns, ...) in place of the present ones."""
        p = x.flatten(1)
        if p.shape[1] != self.network.units:
            raise wrong_pattern_size(p, self.network)
        self.patterns = p.to(self.patterns)

    def noise_curve(self, *, seed: int = 0) -> list[tuple[float, float, float]]:
        """As `MemoryModule.noise_curve`; values are real, so a changed one is set to the mean of
        all, and a pattern is recalled where the error is below 1 % of its norm."""
        curve, p = [], self.patterns
        for i, share in enumerate(NOISE_SHARES):
            g = torch.Generator().manual_seed(seed + i)
            changed = torch.where(torch.rand(p.shape, generator=g) < share, p.mean(), p)
            error = (self.recall(changed).states - p).norm(dim=1) / p.norm(dim=1).clamp_min(1e-12)
            curve.append((share, float((error < 0.01).float().mean()), float((1 - error).mean())))
        return curve

    def forward(self, x: Tensor) -> Tensor:
        return self.recall(x).states

    def energy(self, x: Tensor) -> Tensor:
        """(samples,): -lse(beta, P x) + 1/2 x x + ln(P) / beta + 1/2 M^2, with M the largest norm
        of a pattern; at least 0."""
        beta, p = self.network.beta, self.patterns
        offset = torch.tensor(float(len(p))).log() / beta + 0.5 * p.norm(dim=1).max() ** 2
        energy: Tensor = (
            0.5 * x.square().sum(1) - torch.logsumexp(beta * x @ p.t(), 1) / beta + offset.to(x)
        )
        return energy

    @torch.no_grad()
    def recall(self, x: Tensor, *, seed: int = 0) -> RecallResult:
        """Take steps from these states, all samples at once, until no value changes by more than
        1e-6; `seed` has no effect."""
        state = x.flatten(1).to(self.patterns)
        energies, converged, steps = (
            [self.energy(state)],
            torch.zeros(len(state), dtype=torch.bool, device=state.device),
            0,
        )
        while steps < self.network.steps and not bool(converged.all()):
            after = torch.softmax(self.network.beta * state @ self.patterns.t(), 1) @ self.patterns
            converged = (after - state).abs().amax(1) < 1e-6
            state, steps = after, steps + 1
            energies.append(self.energy(state))
        return RecallResult(
            state, torch.stack(energies), torch.full((len(state),), steps), converged, steps
        )
