"""L18 and L19: how many patterns a Hopfield network stores, and how much noise it removes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

import torch
from torch import Tensor

from netwise import data
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.networks.energy.hopfield import NOISE_SHARES, AssociativeMemory, Hopfield, to_bipolar
from netwise.part import integer, number
from netwise.random_streams import DATA, generator
from netwise.report.pictures.drawing import COLOURS, GREY, figure, svg

LOADS = (0.05, 0.08, 0.10, 0.12, 0.13, 0.138, 0.15, 0.16, 0.18, 0.20)  # patterns for each unit
SEEDS = (0, 1, 2, 3, 4)


def memory_of(patterns: Tensor, rule: str = "hebb", sweeps: int = 200) -> AssociativeMemory:
    """A Hopfield network that stores patterns of -1 and 1, (patterns, units)."""
    memory = Hopfield(patterns.shape[1], rule=rule, sweeps=sweeps).build()
    assert isinstance(memory, AssociativeMemory)
    memory.store(patterns)
    return memory


def random_patterns(count: int, units: int, seed: int) -> Tensor:
    """(count, units) of -1 and 1, each with probability one half."""
    return torch.randint(2, (count, units), generator=generator(seed, DATA)) * 2.0 - 1


# L18: capacity


@dataclass(frozen=True)
class RecallSettings(LabSettings):
    """What can be varied in L18.

    Args:
        units: of the largest network; the others have 0.4 and 0.1 times as many. Default 1000.
        flipped: share of the units that are flipped before the second kind of recall. Default 0.1.
        draws: of the patterns. Default 5.
    """

    units: int = integer(1000, least=100, most=4000, because="weights are units x units")
    flipped: float = number(0.1, least=0, most=0.5, because="it is a share")
    draws: int = integer(5, least=1, most=50, because="a mean over draws is judged")

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Units of the networks."""
        return self.units // 10, self.units * 4 // 10, self.units


class RecallQuality(NamedTuple):
    """Quality of recall at one load, averaged over patterns and draws.

    Args:
        overlap: of the final state with the pattern, from the pattern itself; 1 is equal.
        exact: share of the patterns that are recalled without any error.
        from_noise: overlap where a share of the units was flipped before recall.
    """

    overlap: float
    exact: float
    from_noise: float


def recall_quality(
    units: int, load: float, seeds: Sequence[int] = SEEDS, flipped: float = 0.1
) -> RecallQuality:
    rows = []
    for seed in seeds:
        memory = memory_of(random_patterns(round(load * units), units, seed))
        overlap = memory.overlap(memory.recall(memory.patterns, seed=seed).states)
        noisy = memory.with_noise(flipped, seed=seed)
        from_noise = memory.overlap(memory.recall(noisy, seed=seed).states)
        exact = (overlap == 1).float()
        rows.append((float(overlap.mean()), float(exact.mean()), float(from_noise.mean())))
    return RecallQuality(*(fmean(column) for column in zip(*rows, strict=True)))


def crossing(loads: Sequence[float], values: Sequence[float], level: float) -> float:
    """The load at which values first fall below a level, by linear interpolation; not a number
    where they do not."""
    for i in range(1, len(loads)):
        if values[i - 1] >= level > values[i]:
            part = (values[i - 1] - level) / (values[i - 1] - values[i])
            return loads[i - 1] + (loads[i] - loads[i - 1]) * part
    return math.nan


def capacity_criteria(numbers: Mapping[str, float], units: int = 1000) -> tuple[Criterion, ...]:
    """Criteria on the numbers of the largest network, which has so many units."""
    low = numbers[f"N = {units}, P/N = 0.13: overlap from the pattern"]
    high = numbers[f"N = {units}, P/N = 0.16: overlap from the pattern"]
    limit = numbers[f"N = {units}: P/N where the overlap crosses 0.9"]
    exact = numbers[f"N = {units}, P/N = 0.1: found again exactly"]
    return (
        Criterion(f"{units:,} units: the overlap is above 0.97 at P/N 0.13", low, low > 0.97),
        Criterion(f"{units:,} units: the overlap is below 0.9 at P/N 0.16", high, high < 0.9),
        Criterion(
            "the overlap falls below 0.9 between P/N 0.13 and 0.17: about 15 % of the units",
            limit,
            0.13 <= limit <= 0.17,
        ),
        Criterion(
            "exact recall fails much earlier: under 60 % of the patterns at P/N 0.10",
            exact,
            exact < 0.6,
            part_of_claim=False,
        ),
    )


def run_l18(settings: RecallSettings) -> LabResult:
    largest, seeds = settings.units, tuple(range(settings.draws))
    quality = {
        units: [recall_quality(units, load, seeds, settings.flipped) for load in LOADS]
        for units in settings.sizes
    }
    large = quality[largest]
    numbers = {
        f"N = {units}, P/N = {load}: overlap from the pattern": row.overlap
        for units in settings.sizes
        for load, row in zip(LOADS, quality[units], strict=True)
    }
    numbers |= {
        f"N = {largest}, P/N = {load}: found again exactly": row.exact
        for load, row in zip(LOADS, large, strict=True)
    }
    numbers |= {
        f"N = {largest}, P/N = {load}: overlap from flipped units": row.from_noise
        for load, row in zip(LOADS, large, strict=True)
    }
    limit = crossing(LOADS, [row.overlap for row in large], 0.9)
    numbers[f"N = {largest}: P/N where the overlap crosses 0.9"] = limit
    criteria = capacity_criteria(numbers, largest)
    return LabResult(numbers, criteria, _overlap_by_load(quality), {}, seeds)


def _overlap_by_load(quality: Mapping[int, Sequence[RecallQuality]]) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (units, rows), colour in zip(quality.items(), COLOURS, strict=False):
            values, label = [row.overlap for row in rows], f"overlap, N = {units}"
            axis.plot(LOADS, values, color=colour, marker="o", markersize=3, label=label)
        largest, rows = list(quality.items())[-1]
        exact = [row.exact for row in rows]
        label = f"recalled exactly, N = {largest}"
        axis.plot(LOADS, exact, color=GREY, linestyle=":", label=label)
        axis.axvline(0.138, color=GREY, linewidth=0.8)
        axis.set_xlabel("patterns for each unit (line: 0.138, the limit for many units)")
        axis.set_title("Overlap of the recalled state with the pattern")
        axis.legend(fontsize=7)
        return svg(drawing, "Capacity of a Hopfield net")


# L19: noise and energy


@dataclass(frozen=True)
class NoiseSettings(LabSettings):
    """What can be varied in L19.

    Args:
        patterns: that are stored, random ones or digits. Default 10.
        draws: of the random patterns. Default 5.
    """

    patterns: int = integer(10, least=1, most=100, because="784 units store about 100")
    draws: int = integer(5, least=1, most=50, because="a mean over draws is judged")


def energy_errors(memory: AssociativeMemory, seed: int) -> tuple[float, float]:
    """(largest |dE + u dx| of an update, final energy) of one recall from 25 % noise; float64."""
    noisy = memory.double().with_noise(0.25, seed=seed)[:1]
    recall = memory.recall(noisy, seed=seed, trace=True)
    assert recall.trace is not None
    energies, errors = recall.trace
    return float(errors.abs().max()), float(energies[-1])


def agreement_of_binary_states(seeds: Sequence[int] = SEEDS) -> float:
    """Share of the units that agree with the pattern after recall from 10 % noise where states are
    0 and 1 in Hebb's rule and thresholds are 0; 5 patterns of 100 units."""
    agreements = []
    for seed in seeds:
        patterns = random_patterns(5, 100, seed)
        memory = Hopfield(100, states="binary").build()
        assert isinstance(memory, AssociativeMemory)
        memory.store(patterns)
        binary = (patterns + 1) / 2
        memory.weight.copy_((binary.t() @ binary / 5).fill_diagonal_(0))
        memory.threshold.zero_()
        states = memory.recall(memory.with_noise(0.1, seed=seed), seed=seed).states
        agreements.append(float((states == binary).float().mean()))
    return fmean(agreements)


def noise_criteria(numbers: Mapping[str, float]) -> tuple[Criterion, ...]:
    random = numbers["random patterns, Hebb, 25 % flipped"]
    error, energy = numbers["largest |dE + u dx|"], numbers["highest final energy"]
    binary = numbers["0 and 1 by the letter: agreement with the pattern"]
    hebb = numbers["digits, Hebb, 10 % flipped"]
    inverse = numbers["digits, pseudo-inverse, 10 % flipped"]
    return (
        Criterion(
            "over 95 % of the random patterns in 784 units are restored from 25 % noise",
            random,
            random > 0.95,
        ),
        Criterion("each update changes the energy by -u dx, to 1e-9", error, error < 1e-9),
        Criterion("recall ends at E = 0", energy, abs(energy) < 1e-6),
        Criterion(
            "states of 0 and 1 with thresholds 0 keep the patterns too (agreement above 0.9)",
            binary,
            binary > 0.9,
        ),
        Criterion(
            "digits, which resemble each other, are lost by Hebb's rule (under 50 % from 10 % "
            "noise)",
            hebb,
            hebb < 0.5,
            part_of_claim=False,
        ),
        Criterion(
            "the pseudo-inverse rule restores the digits (above 95 % from 10 % noise)",
            inverse,
            inverse > 0.95,
            part_of_claim=False,
        ),
    )


def run_l19(settings: NoiseSettings) -> LabResult:
    count, seeds = settings.patterns, tuple(range(settings.draws))
    images = data.mnist(first=count, valid=0.0).load().train.x
    digits = to_bipolar((images >= 0.5).float().flatten(1))
    random = {seed: memory_of(random_patterns(count, 784, seed)) for seed in seeds}
    by_seed = [memory.recall_rates(NOISE_SHARES, seed=seed) for seed, memory in random.items()]
    hebb = memory_of(digits).recall_rates(NOISE_SHARES)
    inverse = memory_of(digits, "pseudo-inverse").recall_rates(NOISE_SHARES)
    places = range(len(NOISE_SHARES))
    restored = {
        "random patterns, Hebb": [fmean(rates[i][1] for rates in by_seed) for i in places],
        "digits, Hebb": [rate[1] for rate in hebb],
        "digits, pseudo-inverse": [rate[1] for rate in inverse],
    }
    errors, energies = zip(
        *(energy_errors(memory, seed) for seed, memory in random.items()), strict=True
    )
    numbers = {
        f"{name}, {100 * noise:.0f} % flipped": value
        for name, values in restored.items()
        for noise, value in zip(NOISE_SHARES, values, strict=True)
    }
    numbers |= {
        "largest |dE + u dx|": max(errors),
        "highest final energy": max(energies),
        "0 and 1 by the letter: agreement with the pattern": agreement_of_binary_states(seeds),
    }
    return LabResult(numbers, noise_criteria(numbers), _restored_by_noise(restored), {}, seeds)


def _restored_by_noise(restored: Mapping[str, Sequence[float]]) -> str:
    noise = [100 * share for share in NOISE_SHARES]
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, values), colour in zip(restored.items(), COLOURS, strict=False):
            axis.plot(noise, values, color=colour, marker="o", markersize=3, label=name)
        axis.set_xlabel("% of the units flipped before recall")
        axis.set_title("Share of the patterns restored exactly")
        axis.legend()
        return svg(drawing, "Noise that a memory removes")


L18 = Lab("L18", lab_texts()["L18"], run_l18, RecallSettings(), minutes=1)
L19 = Lab("L19", lab_texts()["L19"], run_l19, NoiseSettings(), minutes=0.5)
