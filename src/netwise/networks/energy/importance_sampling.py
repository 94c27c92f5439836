"""Annealed importance sampling: the partition function of a machine that is too large to be summed
over, from both sides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

from netwise.errors import Problem, WrongValue
from netwise.networks.energy.machine import RestrictedMachine
from netwise.networks.energy.units import BINARY, bits


@dataclass(frozen=True)
class LogPartitionEstimate:
    """ln Z by annealed importance sampling, with what its chains allow.

    Args:
        log_z: the estimate.
        low, high: 3 standard errors of Z on both sides, as logarithms; `low` is -inf where one
            chain outweighs the rest.
        error: standard error of ln Z, from the spread of the weights.
        chains, temperatures: how many.
        effective_chains: how many equally weighted chains carry the same information: (sum w)^2 / sum w^2. Near 1 the estimate is
            one chain's word.
        reverse: it ran from the model down to the base rates.

    Example:
        >>> import netwise as nw
        >>> machine = nw.RBM(8, 4, std=1.0).build()
        >>> estimate = nw.energy.ais(machine, chains=500, temperatures=200)
        >>> abs(estimate.log_z - float(nw.energy.log_partition(machine))) < 0.2
        True
    """

    log_z: float
    low: float
    high: float
    error: float
    chains: int
    temperatures: int
    effective_chains: float
    reverse: bool = False


def inverse_temperatures(count: int) -> tuple[float, ...]:
    """Inverse temperatures from 0 to 1: a tenth of the steps up to 0.5, four tenths up to 0.9, half
    of them to 1.

    Crowded towards 1, where the machine changes most, as Salakhutdinov and Murray's 500, 4,000 and
    10,000 steps are; a little less, for short ones.
    """
    a, b = max(1, count // 10), max(1, 4 * count // 10)
    c = max(1, count - a - b)
    parts = [(0.0, 0.5, a), (0.5, 0.9, b), (0.9, 1.0, c)]
    return (*(low + (high - low) * i / n for low, high, n in parts for i in range(n)), 1.0)


def ais(
    machine: RestrictedMachine,
    *,
    chains: int = 1000,
    temperatures: int | Sequence[float] = 10_000,
    seed: int = 0,
    base: Tensor | None = None,
) -> LogPartitionEstimate:
    """ln Z of a binary machine by annealed importance sampling, up from the model of independent
    inputs.

    Each chain starts as a draw of the base-rate model, whose Z is known, and is warmed step by step
    into the machine; the product of the ratios met on the way is an unbiased estimate of Z /
    Z_base. Its logarithm is too small on average (Jensen), so the likelihood that follows flatters:
    `reverse_ais` errs on the other side.

    Args:
        machine: binary on both sides.
        chains: how many. Default 1000.
        temperatures: how many, or inverse temperatures from 0 to 1 themselves. Default 10,000,
            crowded towards 1.
        seed: of the draws. Default 0.
        base: log-odds of the independent inputs. Default: those that the machine has of its
            training inputs.

    Raises:
        WrongValue: units that are not binary, no chain, or inverse temperatures that do not rise
            from 0 to 1.

    Example:
        >>> import netwise as nw
        >>> nw.energy.ais(nw.RBM(8, 4).build(), chains=10, temperatures=10).chains
        10

    Source: Neal 2001; Salakhutdinov, Murray 2008, "On the quantitative analysis of deep belief
    networks", section 3.
    """
    betas = _checked(machine, chains, temperatures)
    start = machine.base if base is None else base
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(seed)
        ln = _annealed(machine, bits(torch.sigmoid(start).expand(chains, -1)), betas, start)
    return _estimate(ln, _base_log_z(machine, start), len(betas) - 1, reverse=False)


def reverse_ais(
    machine: RestrictedMachine,
    x: Tensor,
    *,
    temperatures: int | Sequence[float] = 10_000,
    burn_in: int = 1000,
    seed: int = 0,
    base: Tensor | None = None,
) -> LogPartitionEstimate:
    """ln Z from the other side: chains that start as samples of the machine and cool down to the
    independent inputs.

    The mean of the inverse ratios estimates Z_base / Z, so ln Z comes out too large on average, and
    the likelihood too small. Together with `ais` it brackets the truth, as far as the chains start
    as true samples: they begin at `x` and take `burn_in` Gibbs steps of the machine.

    Args:
        machine: binary on both sides.
        x: inputs, one for each chain, such as those of the training part.
        temperatures: as in `ais`.
        burn_in: Gibbs steps before. Default 1000.
        seed: of the draws. Default 0.
        base: as in `ais`.

    Raises:
        WrongValue: as `ais` does.

    Example:
        >>> import netwise as nw, torch
        >>> machine = nw.RBM(8, 4, std=1.0).build()
        >>> estimate = nw.energy.reverse_ais(machine, torch.ones(500, 8), temperatures=200)
        >>> abs(estimate.log_z - float(nw.energy.log_partition(machine))) < 0.2
        True

    Source: Burda, Grosse, Salakhutdinov 2015, "Accurate and conservative estimates of MRF
    log-likelihood using reverse annealing".
    """
    betas = _checked(machine, len(x), temperatures)
    start = machine.base if base is None else base
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(seed)
        v = machine.gibbs(bits(x.reshape(len(x), -1).to(machine.base)), burn_in)
        ln = _annealed(machine, v, betas[::-1], start)
    return _estimate(ln, _base_log_z(machine, start), len(betas) - 1, reverse=True)


def _annealed(
    machine: RestrictedMachine, v: Tensor, betas: Sequence[float], start: Tensor
) -> Tensor:
    """(chains,): ln of the products of the ratios that chains from `v` meet on their way through
    the temperatures, up or down."""
    weight, hidden, visible = (p.detach() for p in machine.weights_and_biases)
    x = v @ weight.t() + hidden
    ln = torch.zeros(len(v), dtype=torch.float64, device=weight.device)
    for old, new in pairwise(betas):
        ln += _unnormalised(v, x, new, start, visible) - _unnormalised(v, x, old, start, visible)
        if 0 < new < 1:  # at either end the way is over
            v, x = _moved(x, new, weight, hidden, visible, start)
    return ln


def _unnormalised(v: Tensor, x: Tensor, beta: float, start: Tensor, visible: Tensor) -> Tensor:
    """ln p*(v) on the way: exp((1 - t) a0 v + t a v) prod_j (1 + exp(t x_j))."""
    return (v @ ((1 - beta) * start + beta * visible)).double() + F.softplus(beta * x).sum(
        1, dtype=torch.float64
    )


def _moved(
    x: Tensor, beta: float, weight: Tensor, hidden: Tensor, visible: Tensor, start: Tensor
) -> tuple[Tensor, Tensor]:
    """A Gibbs step that keeps the distribution at this temperature: (visible states, their hidden
    inputs)."""
    h = bits(torch.sigmoid(beta * x))
    v = bits(torch.sigmoid(torch.addmm((1 - beta) * start + beta * visible, h, weight, alpha=beta)))
    return v, torch.addmm(hidden, v, weight.t())


def _base_log_z(machine: RestrictedMachine, start: Tensor) -> float:
    return float(F.softplus(start.double()).sum()) + machine.hidden * math.log(2)


def _estimate(ln: Tensor, base: float, temperatures: int, reverse: bool) -> LogPartitionEstimate:
    n = len(ln)
    top = ln.max()
    w = (ln - top).exp()
    mean, spread = float(w.mean()), float(w.std()) / math.sqrt(n) if n > 1 else math.inf
    center = float(top) + math.log(mean)
    error = spread / mean
    lower = center + math.log1p(-3 * error) if 3 * error < 1 else -math.inf
    upper = center + math.log1p(3 * error)
    effective_chains = float(w.sum().square() / w.square().sum())
    if reverse:
        return LogPartitionEstimate(
            base - center,
            base - upper,
            base - lower,
            error,
            n,
            temperatures,
            effective_chains,
            True,
        )
    return LogPartitionEstimate(
        base + center, base + lower, base + upper, error, n, temperatures, effective_chains
    )


def _checked(
    machine: RestrictedMachine, chains: int, temperatures: int | Sequence[float]
) -> list[float]:
    wrong = []
    if machine.hidden_units != BINARY or machine.visible_units != BINARY:
        wrong.append(
            Problem(
                "machine",
                repr(machine),
                "has units that are not binary: their ways through the temperatures are not written",
            )
        )
    if machine.labels:
        wrong.append(
            Problem(
                "machine",
                repr(machine),
                "has label units, of which one is on: they are not independent at the base rates",
            )
        )
    if chains < 1:
        wrong.append(Problem("chains", str(chains), "must be at least 1", "1000"))
    if isinstance(temperatures, int):
        if temperatures < 3:
            wrong.append(Problem("temperatures", str(temperatures), "must be at least 3", "10000"))
        betas = list(inverse_temperatures(max(temperatures, 3)))
    else:
        betas = [float(t) for t in temperatures]
        if (
            len(betas) < 2
            or betas[0] != 0
            or betas[-1] != 1
            or any(b <= a for a, b in pairwise(betas))
        ):
            wrong.append(Problem("temperatures", f"{len(betas)} numbers", "must rise from 0 to 1"))
    if wrong:
        raise WrongValue("ais", wrong)
    return betas
