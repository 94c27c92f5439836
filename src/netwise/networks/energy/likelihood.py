"""Likelihood of data under a restricted Boltzmann machine: exact for small machines, else the
pseudo-likelihood."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from netwise.errors import WrongValue
from netwise.networks.energy.machine import RestrictedMachine
from netwise.networks.energy.units import BINARY

MOST_UNITS = 20  # 2^20 states: seconds on one core
MOST_STATES = 2**16  # that are summed over at the end of each epoch
PIECE = 2**13  # states at a time: their inputs to 784 units take 26 MB
FLIPS = 16  # inputs of each sample whose conditional probability is computed


def is_exact(machine: RestrictedMachine, most: int = 2**MOST_UNITS) -> bool:
    """Whether the partition function of this machine is a sum of at most `most` states."""
    if machine.hidden_units != BINARY:
        return False
    smaller = (
        min(machine.hidden, machine.visible) if machine.visible_units == BINARY else machine.hidden
    )
    return smaller <= MOST_UNITS and 2**smaller <= most


def binary_states(units: int, like: Tensor, first: int = 0, count: int | None = None) -> Tensor:
    """(count, units): states of binary units in binary order, the first unit the lowest bit."""
    numbers = torch.arange(
        first, first + (2**units if count is None else count), device=like.device
    )
    return (numbers[:, None] >> torch.arange(units, device=like.device) & 1).to(like)


def log_partition(machine: RestrictedMachine) -> Tensor:
    """ln Z, by summing over all states of the smaller side; a scalar.

    Raises:
        WrongValue: more than 20 units on both sides, or hidden units that are not binary.

    Example:
        >>> import netwise as nw, torch
        >>> machine = nw.RBM(6, 3, std=1e-9).build()  # 9 independent units
        >>> round(float(nw.energy.log_partition(machine)), 4)  # 9 ln 2
        6.2383
    """
    with torch.no_grad():
        return log_partition_with_gradient(machine)


def log_partition_with_gradient(machine: RestrictedMachine) -> Tensor:
    """`log_partition` with a gradient."""
    if not is_exact(machine):
        raise WrongValue.of(
            "log_partition",
            "machine",
            str(machine),
            f"has a partition function of more than 2^{MOST_UNITS} terms: estimate it",
            "nw.energy.ais(machine)",
        )
    weight, hidden, visible = machine.weights_and_biases
    by_hidden = machine.visible_units != BINARY or machine.hidden <= machine.visible
    units, own_bias, bias = (
        (machine.hidden, hidden, visible) if by_hidden else (machine.visible, visible, hidden)
    )
    table = weight if by_hidden else weight.t()  # (units that are summed over, the others)
    pieces = []
    for first in range(0, 2**units, PIECE):
        s = binary_states(units, weight, first, min(PIECE, 2**units - first))
        x = s @ table + bias
        if machine.visible_units == BINARY:
            pieces.append(torch.logsumexp(s @ own_bias + F.softplus(x).sum(1), 0))
        else:  # the integral of a normal density's exponent: of width 1 around x
            inside = 0.5 * (x.square() - bias.square()).sum(1)
            pieces.append(torch.logsumexp(s @ own_bias + inside, 0))
    total = torch.logsumexp(torch.stack(pieces), 0)
    if machine.visible_units != BINARY:
        total = total + 0.5 * machine.visible * torch.log(
            torch.tensor(2 * torch.pi, dtype=weight.dtype)
        )
    return total


def log_likelihood(
    machine: RestrictedMachine, x: Tensor, *, log_z: float | Tensor | None = None
) -> Tensor:
    """(samples,): ln p(v) = -F(v) - ln Z in nats.

    Args:
        machine: of an RBM without label units.
        x: inputs (samples, ...).
        log_z: an estimate by `ais`, for machines that are too large for the sum. Default: exact.

    Example:
        >>> import netwise as nw, torch
        >>> machine = nw.RBM(4, 3).build()
        >>> every = torch.tensor([[i // 2**j % 2 for j in range(4)] for i in range(16)]).float()
        >>> round(float(nw.energy.log_likelihood(machine, every).exp().sum()), 5)  # over all states
        1.0
    """
    with torch.no_grad():
        return -machine.free_energy(x.reshape(len(x), -1)) - (
            log_partition_with_gradient(machine) if log_z is None else log_z
        )


def base_rate_likelihood(base: Tensor, x: Tensor) -> Tensor:
    """(samples,): ln p(v) of the model of independent inputs with log-odds `base`: the baseline.

    Example:
        >>> import netwise as nw, torch
        >>> nw.energy.base_rate_likelihood(torch.zeros(2), torch.ones(1, 2)).item()  # ln 1/4
        -1.3862943649291992
    """
    v = x.reshape(len(x), -1)
    return v @ base - F.softplus(base).sum()


@torch.no_grad()
def pseudo_likelihood(
    machine: RestrictedMachine, x: Tensor, *, flips: int | None = FLIPS
) -> Tensor:
    """(samples,): sum over the inputs of ln p(v_i | all others), which needs no partition function.

    ln p(v_i | rest) = ln sigmoid(F(v with v_i flipped) - F(v)). For a model of independent inputs
    it is the likelihood; for others it is larger, and no bound: compare two of them, one alone has
    little meaning.

    Args:
        machine: binary on both sides, without label units.
        x: inputs (samples, ...); grey ones are taken as they are.
        flips: number of inputs of each sample that the sum is estimated from, drawn from torch's
            generator. None: all. Default 16.

    Example:
        >>> import netwise as nw, torch
        >>> machine = nw.RBM(4, 3, std=1e-9).build()
        >>> x = torch.ones(1, 4)  # independent units: 4 ln 1/2
        >>> round(float(nw.energy.pseudo_likelihood(machine, x, flips=None)), 4)
        -2.7726

    Source: Besag 1975; Marlin et al. 2010, "Inductive principles for restricted Boltzmann machine
    learning".
    """
    v = x.reshape(len(x), -1)
    n, width = v.shape
    weight, _, bias = machine.weights_and_biases
    z = machine.hidden_input(v)
    free = F.softplus(z).sum(1)
    if flips is None or flips >= width:
        chosen = torch.arange(width, device=v.device).expand(n, width)
    else:
        # One permutation of the units for all samples, rotated for each of them, so that all units
        # are equally frequent.
        chosen = (
            torch.randperm(width, device=v.device)[:flips]
            + torch.randint(width, (n, 1), device=v.device)
        ) % width
    by_unit = weight.t().contiguous()
    total = torch.zeros_like(free)
    for place in chosen.t():
        old = v.gather(1, place[:, None]).squeeze(1)
        change = 1 - 2 * old
        moved = F.softplus(torch.addcmul(z, change[:, None], by_unit.index_select(0, place))).sum(1)
        total += F.logsigmoid(-(change * bias[place] + moved - free))
    return total * (width / len(chosen[0]))
