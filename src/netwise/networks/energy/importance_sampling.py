"""Annealed importance sampling: estimates of the partition function of large machines, from above
and from below."""

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
    """ln Z by annealed importance sampling, with its uncertainty.

    Args:
        log_z: the estimate.
        low, high: logarithms of Z minus and plus 3 standard errors; `low` is -inf where one chain
            has most of the weight.
        error: standard error of ln Z, from the spread of the weights.
        chains, temperatures: their numbers.
        effective_chains: effective sample size of the weights, (sum w)^2 / sum w^2. Near 1 the
            estimate rests on one chain.
        reverse: the chains ran from the machine to the base rates.

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

    Denser towards 1, where the distribution changes most, nearly as Salakhutdinov and Murray's 500,
    4,000 and 10,000 steps.
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

    Each chain starts as a draw of the base-rate model, whose Z is known, and is annealed step by
    step to the machine; the product of the ratios of unnormalised probabilities is an unbiased
    estimate of Z / Z_base. Its logarithm is too small on average (Jensen), so likelihoods computed
    with it are too large; with `reverse_ais` they are too small.

    Args:
        machine: binary on both sides.
        chains: number of chains. Default 1000.
        temperatures: number of inverse temperatures, denser towards 1, or these themselves, from 0
            to 1. Default 10,000.
        seed: of the draws. Default 0.
        base: log-odds of the model of independent inputs. Default: the machine's base rates.

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
    """ln Z by reverse annealing: chains start as samples of the machine and end at the model of
    independent inputs.

    The mean of the inverse ratios estimates Z_base / Z, so ln Z is too large on average, and the
    likelihood too small. Together with `ais` it brackets the true value, if the chains start as
    samples of the machine: they start at `x` and take `burn_in` Gibbs steps first.

    Args:
        machine: binary on both sides.
        x: inputs, one for each chain, such as those of the training part.
        temperatures: as in `ais`.
        burn_in: Gibbs steps before annealing. Default 1000.
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
    """(chains,): ln of the importance weights of chains that start at `v`, for inverse temperatures
    in rising or falling order."""
    weight, hidden, visible = (p.detach() for p in machine.weights_and_biases)
    x = v @ weight.t() + hidden
    ln = torch.zeros(len(v), dtype=torch.float64, device=weight.device)
    for old, new in pairwise(betas):
        ln += _unnormalised(v, x, new, start, visible) - _unnormalised(v, x, old, start, visible)
        if 0 < new < 1:  # at either end the chain is done
            v, x = _moved(x, new, weight, hidden, visible, start)
    return ln


def _unnormalised(v: Tensor, x: Tensor, beta: float, start: Tensor, visible: Tensor) -> Tensor:
    """ln p*(v) at inverse temperature t: exp((1 - t) a0 v + t a v) prod_j (1 + exp(t x_j))."""
    return (v @ ((1 - beta) * start + beta * visible)).double() + F.softplus(beta * x).sum(
        1, dtype=torch.float64
    )


def _moved(
    x: Tensor, beta: float, weight: Tensor, hidden: Tensor, visible: Tensor, start: Tensor
) -> tuple[Tensor, Tensor]:
    """One Gibbs step at this inverse temperature: (visible states, their hidden inputs)."""
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
    problems = []
    if machine.hidden_units != BINARY or machine.visible_units != BINARY:
        problems.append(
            Problem(
                "machine",
                repr(machine),
                "has units that are not binary, for which annealing is not implemented",
                'a machine with visible_units = hidden_units = "binary"',
            )
        )
    if machine.labels:
        problems.append(
            Problem(
                "machine",
                repr(machine),
                "has label units, which are not independent in the base model",
                "a machine with labels = 0",
            )
        )
    if chains < 1:
        problems.append(Problem("chains", str(chains), "must be at least 1", "1000"))
    if isinstance(temperatures, int):
        if temperatures < 3:
            problems.append(
                Problem("temperatures", str(temperatures), "must be at least 3", "10000")
            )
        betas = list(inverse_temperatures(max(temperatures, 3)))
    else:
        betas = [float(t) for t in temperatures]
        if (
            len(betas) < 2
            or betas[0] != 0
            or betas[-1] != 1
            or any(b <= a for a, b in pairwise(betas))
        ):
            reason = "must rise from 0 to 1"
            given = f"{len(betas)} numbers"
            problems.append(Problem("temperatures", given, reason, "(0.0, 0.5, 1.0)"))
    if problems:
        raise WrongValue("ais", problems)
    return betas
