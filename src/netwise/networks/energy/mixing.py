"""Mixing of Markov chains: autocorrelation and effective sample size."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def autocorrelation(series: Tensor) -> Tensor:
    """(lags,): autocorrelation of a quantity, 1 at lag 0; mean over the chains.

    Args:
        series: (steps, chains) of one number of each state, such as its energy; or (steps,) of one
            chain.

    Example:
        >>> import netwise as nw, torch
        >>> nw.energy.autocorrelation(torch.tensor([1.0, -1.0, 1.0, -1.0]))[:2].tolist()
        [1.0, -0.75]

    Source: by Fourier transform, with the divisor n at every lag, as Geyer 1992, "Practical Markov
    chain Monte Carlo", has it.
    """
    x = series.double().reshape(len(series), -1)
    x = x - x.mean()
    n = len(x)
    spectrum = torch.fft.rfft(x, 2 * n, dim=0)
    products = torch.fft.irfft(spectrum * spectrum.conj(), 2 * n, dim=0)[:n].mean(1) / n
    return products / products[0] if products[0] > 0 else torch.ones_like(products)


def effective_samples(series: Tensor) -> float:
    """Effective sample size of the states of the chains: count / (1 + 2 sum of autocorrelations).

    The sum ends before the first pair of lags whose correlations add up to less than 0.

    Args:
        series: (steps, chains) of one number of each state.

    Example:
        >>> import netwise as nw, torch
        >>> independent = torch.randn(2000, 5, generator=torch.Generator().manual_seed(0))
        >>> 8000 < nw.energy.effective_samples(independent) <= 10000
        True

    Source: Geyer 1992, section 3.3, the initial positive sequence.
    """
    rho = autocorrelation(series)
    pairs = rho[1 : 1 + 2 * ((len(rho) - 1) // 2)].reshape(-1, 2).sum(1)
    below = torch.nonzero(pairs < 0)
    kept = pairs[: int(below[0])] if len(below) else pairs
    return min(float(series.numel()), series.numel() / max(float(1 + 2 * kept.sum()), 1e-12))


def autocorrelation_at(
    state: Tensor, move: Callable[[Tensor], Tensor], binary: bool = True
) -> float:
    """Correlation of the states of many chains with the states after `move`, over chains and units.

    0: the states are independent, given what all chains share; 1: no chain has moved.
    """
    after = move(state)
    a, b = state - state.mean(0), after - after.mean(0)
    spread = float((a.square().sum() * b.square().sum()).sqrt())
    return float((a * b).sum()) / spread if spread > 0 else 1.0
