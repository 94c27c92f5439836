"""Boltzmann machine (玻尔兹曼机): binary units, any two of which may be connected, in equilibrium
at a temperature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from netwise import signals
from netwise.data.dataset import Samples
from netwise.errors import Problem, WrongValue
from netwise.networks.energy.likelihood import MOST_UNITS, binary_states
from netwise.networks.energy.mixing import autocorrelation_at
from netwise.networks.energy.phases import NegativePhase
from netwise.networks.energy.surrogate_loss import surrogate_loss
from netwise.networks.network import Network, preview, wrong_size
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.part import flag, integer, integers, number, numbers
from netwise.parts.losses import Loss
from netwise.tasks import DENSITY

SIGNAL_ROWS = 1000  # samples that the signals at the end of an epoch are measured on
ENCODER_TEMPERATURES = (
    2.0,
    2.0,
    1.5,
    1.5,
    1.2,
    1.2,
    1.0,
    1.0,
    1.0,
    1.0,
)  # 2@20, 2@15, 2@12, 4@10 of Ackley et al. over their final temperature


@dataclass(frozen=True)
class BoltzmannMachine(Network):
    """Energy E(s) = -1/2 s W s - b s over visible and hidden units of 0 and 1, fully connected;
    p(s) = exp(-E(s) / T) / Z.

    Trained by `ExactGradient` (all states, at most 20 units) or by `AnnealedSampling`, whose
    positive phase clamps the visible units to the data. It is slow: for more than about 50 units
    use an `RBM`.

    Args:
        visible: visible units, one for each number of an input.
        hidden: hidden units. Default 0.
        std: standard deviation of the initial weights; 0: all are 0. Default 0.1.
        inner: also connect hidden units with each other. Default true.
        groups: sizes of groups of visible units, in their order, that are connected within a group
            and not between groups: dependence between groups has to go through the hidden units.
            Default none: all are connected.

    Example:
        >>> import netwise as nw, torch
        >>> machine = nw.BoltzmannMachine(3, 1).build().eval()
        >>> every = torch.tensor([[i // 2**j % 2 for j in range(3)] for i in range(8)]).float()
        >>> round(float(machine.log_likelihood(every).exp().sum()), 5)
        1.0

    Source: Ackley, Hinton, Sejnowski 1985, "A learning algorithm for Boltzmann machines".
    """

    is_energy_model: ClassVar[bool] = True
    computes_loss: ClassVar[bool] = True
    declares_shape: ClassVar[bool] = True
    visible: int = integer(
        8,
        least=1,
        most=10_000,
        because="an input has at least one number",
        why="the smaller encoder problem",
    )
    hidden: int = integer(
        2,
        least=0,
        most=10_000,
        because="it is a number of units",
        why="the smaller encoder problem: two bits for four patterns",
    )
    std: float = number(
        0.1,
        least=0,
        because="a standard deviation is not negative",
        why="hidden units have to differ",
    )
    inner: bool = flag(True, why="the machine is not restricted")
    groups: tuple[int, ...] = integers(
        (),
        shortest=0,
        longest=1000,
        because="they are numbers of visible units",
        why="all visible units are one group",
    )

    def conflicts(self) -> list[Problem]:
        if self.groups and sum(self.groups) != self.visible:
            return [
                Problem(
                    "groups",
                    str(list(self.groups)),
                    f"add up to {sum(self.groups)}, and there are {self.visible} visible units",
                    str([self.visible]),
                )
            ]
        return []

    @property
    def own_task(self) -> str | None:
        return DENSITY

    def problems(self, samples: Samples, loss: Loss) -> list[Problem]:
        size = wrong_size("visible", self.visible, samples.train.x[0].numel())
        if not isinstance(loss, NegativePhase):
            return size
        units, name = self.visible + self.hidden, type(loss).__name__
        if not loss.for_full:
            instead = "ExactGradient()" if units <= MOST_UNITS else "AnnealedSampling()"
            return [Problem("loss", name, "is for restricted machines", instead), *size]
        if loss.exact and units > MOST_UNITS:
            reason = f"sums over all states, and {units} units have too many"
            return [Problem("loss", name, reason, "AnnealedSampling()"), *size]
        x = preview(samples)
        if not bool(((x == 0) | (x == 1)).all()):
            reason, instead = "takes inputs of 0 and 1", "preprocess = (Binarise(),)"
            return [Problem("network", "BoltzmannMachine", reason, instead), *size]
        return size

    def needs_inputs_from_0_to_1(self, loss: Loss) -> bool:
        return True

    def build(self) -> nn.Module:
        return FullBoltzmann(self)


@dataclass(frozen=True, kw_only=True)
class AnnealedSampling(NegativePhase):
    """Both phases of a Boltzmann machine by simulated annealing: cool down, then average how often
    two units are on together.

    The clamped inputs are noisy, so that no weight has to become infinite. With `Lion(beta1=0,
    beta2=0)` or another optimizer of fixed steps it is the procedure of 1985.

    Args:
        temperatures: of the sweeps before averaging; a sweep updates every unit once.
            Default: 2, 2, 1.5, 1.5, 1.2, 1.2, and 1 four times: those of 1985 over their last.
        counted: sweeps at temperature 1 that are averaged, at least 1. Default 10.
        noise_on: probability that a clamped 1 becomes 0, from 0 to below 1. Default 0.15.
        noise_off: probability that a clamped 0 becomes 1. Default 0.05.

    Example:
        >>> import netwise as nw
        >>> nw.AnnealedSampling(noise_on=0.0, noise_off=0.0).counted
        10

    Source: Ackley, Hinton, Sejnowski 1985, section 4.1.
    """

    for_restricted: ClassVar[bool] = False
    for_full: ClassVar[bool] = True
    temperatures: tuple[float, ...] = numbers(
        ENCODER_TEMPERATURES,
        above=0,
        because="a temperature is above 0",
        why="those of 1985, over their last",
    )
    counted: int = integer(
        10, least=1, most=1_000_000, because="the means are over these sweeps", why="that of 1985"
    )
    noise_on: float = number(
        0.15, least=0, below=1, because="it is a probability", why="that of 1985"
    )
    noise_off: float = number(
        0.05, least=0, below=1, because="it is a probability", why="that of 1985"
    )

    def with_noise(self, v: Tensor) -> Tensor:
        """The inputs with the noise that they are clamped with."""
        draw = torch.rand_like(v)
        return torch.where(v > 0.5, (draw >= self.noise_on).to(v), (draw < self.noise_off).to(v))


class FullBoltzmann(UnsupervisedModule):
    """The module of a `BoltzmannMachine`. States are one vector, visible units first; the weights
    are symmetric with zero diagonal."""

    has_code = False

    def __init__(self, network: BoltzmannMachine) -> None:
        super().__init__()
        self.network = network
        self.visible, self.units = network.visible, network.visible + network.hidden
        drawn = torch.randn(self.units, self.units) * network.std
        self.weight = nn.Parameter((drawn.triu(1) + drawn.triu(1).t()) * self.connections())
        self.bias = nn.Parameter(torch.zeros(self.units))
        self.phase: NegativePhase | None = None

    def connections(self) -> Tensor:
        """(units, units): 1 where two units are connected, else 0."""
        links = 1 - torch.eye(self.units)
        start = 0
        for size in self.network.groups:
            links[start : start + size, : self.visible] = 0
            links[start : start + size, start : start + size] = 1 - torch.eye(size)
            start += size
        if not self.network.inner:
            links[self.visible :, self.visible :] = 0
        return links

    def set_loss(self, loss: Loss) -> None:
        assert isinstance(loss, NegativePhase)
        self.phase = loss

    def energy(self, s: Tensor) -> Tensor:
        """(...,): -1/2 s W s - b s."""
        return -0.5 * ((s @ self.weight) * s).sum(-1) - s @ self.bias

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        v = x.flatten(1)
        if self.training and self.phase is not None:
            return self._exact_loss(v) if self.phase.exact else self._sampled_loss(v)
        return v if self.units == self.visible else self.hidden_given(v)

    # ---- by sums over all states

    def log_z(self) -> Tensor:
        """ln Z at temperature 1, by a sum over all states; has a gradient.

        Raises:
            WrongValue: more than 20 units.
        """
        self._require_few_units(self.units)
        return torch.logsumexp(-self.energy(binary_states(self.units, self.weight)), 0)

    @torch.no_grad()
    def log_likelihood(self, x: Tensor) -> Tensor:
        """(samples,): ln p(v), by sums over all states of the hidden units and of the machine.

        Raises:
            WrongValue: more than 20 units.
        """
        return self._log_unnormalised(x.flatten(1)) - self.log_z()

    def _log_unnormalised(self, v: Tensor) -> Tensor:
        """(samples,): ln of the sum over hidden states of exp(-E)."""
        return torch.logsumexp(-self.energy(self.with_hidden(v)), 1)

    def with_hidden(self, v: Tensor) -> Tensor:
        """(samples, 2^hidden, units): each input with all states of the hidden units."""
        self._require_few_units(self.units - self.visible)
        h = (
            binary_states(self.units - self.visible, self.weight)
            if self.units > self.visible
            else self.weight.new_zeros(1, 0)
        )
        return torch.cat([v[:, None].expand(-1, len(h), -1), h.expand(len(v), -1, -1)], 2)

    def _exact_loss(self, v: Tensor) -> Tensor:
        links = self.connections().to(self.weight)
        loss = self.log_z() - self._log_unnormalised(v).mean()
        gradients = torch.autograd.grad(loss, (self.weight, self.bias))
        # A weight is two entries of the symmetric matrix: its gradient is the sum of theirs.
        weight = (gradients[0] + gradients[0].t()) * links
        return surrogate_loss(loss.detach(), (weight, gradients[1]), (self.weight, self.bias))

    def _require_few_units(self, units: int) -> None:
        if units > MOST_UNITS:
            raise WrongValue.of(
                "BoltzmannMachine",
                "units",
                str(units),
                "are too many for a sum over all states",
                f"at most {MOST_UNITS} units, or loss = AnnealedSampling()",
            )

    @torch.no_grad()
    def distribution(self, temperature: float = 1.0) -> Tensor:
        """(2^units,): the probability of each state, in binary order (unit i is bit i)."""
        self._require_few_units(self.units)
        return torch.softmax(-self.energy(binary_states(self.units, self.weight)) / temperature, 0)

    @torch.no_grad()
    def transition(self, temperature: float = 1.0) -> Tensor:
        """(2^units, 2^units): transition probabilities of one Gibbs update of a unit drawn at
        random; rows sum to 1."""
        self._require_few_units(self.units)
        every = binary_states(self.units, self.weight)
        on = torch.sigmoid((every @ self.weight + self.bias) / temperature).double()
        number = torch.arange(len(every))
        moves = torch.zeros(len(every), len(every), dtype=torch.float64)
        for i in range(self.units):
            bit = 1 << i
            moves[number, number | bit] += on[:, i] / self.units
            moves[number, number & ~bit] += (1 - on[:, i]) / self.units
        return moves

    # ---- by sampling

    @torch.no_grad()
    def gibbs_sweeps(self, s: Tensor, temperatures: Sequence[float], held: int = 0) -> Tensor:
        """As the function `gibbs_sweeps`, with the machine's weights; all samples of a call share
        the order of units."""
        return gibbs_sweeps(s, self.weight, self.bias, temperatures, held)

    @torch.no_grad()
    def hidden_given(self, v: Tensor, sweeps: int = 20) -> Tensor:
        """(samples, hidden): means of the hidden units for inputs: exact for at most 12 units, else
        over Gibbs sweeps."""
        if self.units - self.visible <= 12:
            every = self.with_hidden(v)
            weight = torch.softmax(-self.energy(every), 1)
            return (weight[..., None] * every[..., self.visible :]).sum(1)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            s = torch.cat([v, torch.rand(len(v), self.units - self.visible).round().to(v)], 1)
            s, total = (
                self.gibbs_sweeps(s, [1.0] * sweeps, self.visible),
                torch.zeros_like(s[:, self.visible :]),
            )
            for _ in range(sweeps):
                s = self.gibbs_sweeps(s, [1.0], self.visible)
                total += s[:, self.visible :]
        return total / sweeps

    @torch.no_grad()
    def sample(
        self, count: int, *, steps: int = 1000, seed: int = 0, temperature: float = 1.0
    ) -> Tensor:
        """(count, visible): states of the visible units after `steps` sweeps from random states."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            s = torch.rand(count, self.units, device=self.weight.device).round()
            return self.gibbs_sweeps(s, [temperature] * steps)[:, : self.visible]

    @torch.no_grad()
    def complete(self, x: Tensor, known: Tensor, *, steps: int = 200, seed: int = 0) -> Tensor:
        """(samples, visible): the inputs with the unknown ones drawn while the known ones are
        fixed; means over the second half of the sweeps."""
        held = known.reshape(-1).to(x.device)
        order = torch.cat(
            [
                torch.nonzero(held).flatten(),
                torch.nonzero(~held).flatten(),
                torch.arange(self.visible, self.units),
            ]
        )
        v, fixed = x.flatten(1), int(held.sum())
        weight, bias = self.weight[order][:, order], self.bias[order]
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            s = torch.cat(
                [v[:, held], torch.rand(len(v), self.units - fixed, device=v.device).round()], 1
            )
            s, total = (
                gibbs_sweeps(s, weight, bias, [1.0] * (steps // 2), fixed),
                torch.zeros_like(s),
            )
            for _ in range(steps - steps // 2):
                s = gibbs_sweeps(s, weight, bias, [1.0], fixed)
                total += s
        mean = torch.empty_like(s)
        mean[:, order] = total / (steps - steps // 2)
        return torch.where(held, v, mean[:, : self.visible])

    @torch.no_grad()
    def _phases(self, v: Tensor) -> tuple[Tensor, list[Tensor]]:
        phase = self.phase
        assert isinstance(phase, AnnealedSampling)
        n, hidden = len(v), self.units - self.visible
        clamped = torch.cat(
            [phase.with_noise(v), torch.rand(n, hidden, device=v.device).round()], 1
        )
        clamped = self.gibbs_sweeps(clamped, phase.temperatures, self.visible)
        free = self.gibbs_sweeps(
            torch.rand(n, self.units, device=v.device).round(), phase.temperatures
        )
        data, model = torch.zeros_like(self.weight), torch.zeros_like(self.weight)
        first, second, value = (
            torch.zeros_like(self.bias),
            torch.zeros_like(self.bias),
            torch.zeros((), device=v.device),
        )
        for _ in range(phase.counted):
            clamped, free = (
                self.gibbs_sweeps(clamped, (1.0,), self.visible),
                self.gibbs_sweeps(free, (1.0,)),
            )
            data += clamped.t() @ clamped
            model += free.t() @ free
            first += clamped.sum(0)
            second += free.sum(0)
            value += self.energy(clamped).mean() - self.energy(free).mean()
        count = n * phase.counted
        return value / phase.counted, [
            (model - data) / count * self.connections().to(v),
            (second - first) / count,
        ]

    def _sampled_loss(self, v: Tensor) -> Tensor:
        value, gradients = self._phases(v)
        return surrogate_loss(value, gradients, (self.weight, self.bias))

    # ---- measurements

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """(samples, visible): probability of each visible unit given all others, the hidden ones at
        their means."""
        v = x.flatten(1)
        s = torch.cat([v, self.hidden_given(v)], 1) if self.units > self.visible else v
        return torch.sigmoid(s @ self.weight + self.bias)[:, : self.visible]

    def pair_weights(self) -> tuple[Tensor, int] | None:
        return self.weight, self.visible

    @torch.no_grad()
    def epoch_signals(self, train: Tensor, valid: Tensor, seed: int) -> dict[str, float]:
        part = (valid if len(valid) else train)[:SIGNAL_ROWS].flatten(1)
        values = {
            signals.RECONSTRUCTION: float((self.reconstruct(part) - part).square().sum(1).mean())
        }
        if self.units <= MOST_UNITS:
            values[signals.LOG_LIKELIHOOD] = float(self.log_likelihood(part).mean())
        means = train.flatten(1).mean(0).clamp(1e-3, 1 - 1e-3)
        values[signals.BASE_RATE_LIKELIHOOD] = float(
            (part * means.log() + (1 - part) * (1 - means).log()).sum(1).mean()
        )
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            s = self.gibbs_sweeps(
                torch.rand(200, self.units, device=part.device).round(), [2.0, 1.5, 1.0, 1.0]
            )
            values[signals.CHAIN_AUTOCORRELATION] = autocorrelation_at(
                s, lambda now: self.gibbs_sweeps(now, [1.0] * 10)
            )
        return values

    def evaluation_loss(self, x: Tensor, seed: int) -> float:
        """Minus the mean log-likelihood for at most 20 units; else half the squared error of the
        reconstruction."""
        with torch.no_grad():
            if self.units <= MOST_UNITS:
                return -float(self.log_likelihood(x).mean())
            return 0.5 * float((self.reconstruct(x) - x.flatten(1)).square().sum(1).mean())

    @torch.no_grad()
    def estimate_log_likelihood(self, x: Tensor, seed: int) -> tuple[Tensor, float, str] | None:
        """(ln p of each input, 0, "exact"), or None for more than 20 units."""
        return (self.log_likelihood(x), 0.0, "exact") if self.units <= MOST_UNITS else None


def gibbs_sweeps(
    s: Tensor, weight: Tensor, bias: Tensor, temperatures: Sequence[float], held: int = 0
) -> Tensor:
    """States after one sweep of Gibbs sampling at each temperature: every unit but the first `held`
    is updated once, in random order,

        p(s_i = 1) = 1 / (1 + exp(-u_i / T)),    u_i = sum_j w_ij s_j + b_i

    Args:
        s: (..., samples, units).
        weight: (..., units, units), symmetric; leading axes are machines side by side.
        bias: (..., units).
        temperatures: of the sweeps, in this order.
        held: number of units, from the first, that stay as they are.
    """
    s = s.clone()
    units = s.shape[-1]
    for temperature in temperatures:
        for i in (held + torch.randperm(units - held)).tolist():
            u = (s @ weight[..., :, i, None]).squeeze(-1) + bias[..., None, i]
            s[..., i] = (torch.rand_like(u) < torch.sigmoid(u / temperature)).to(s)
    return s
