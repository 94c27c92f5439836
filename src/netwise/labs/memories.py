"""L18 and L19: how many patterns a Hopfield net holds, and how its energy falls."""

from __future__ import annotations

import math
from statistics import fmean

import torch
from torch import Tensor

from netwise import data
from netwise.labs.catalogue import CLAIMS
from netwise.labs.definition import Criterion, Lab, LabResult
from netwise.networks.energy.hopfield import NOISE_SHARES, AssociativeMemory, Hopfield, to_bipolar
from netwise.random_streams import DATA, generator
from netwise.report.pictures.drawing import COLOURS, GREY, figure, svg

SIZES, LOADS = (100, 400, 1000), (0.05, 0.08, 0.10, 0.12, 0.13, 0.138, 0.15, 0.16, 0.18, 0.20)
SEEDS = (0, 1, 2, 3, 4)


def memory_of(patterns: Tensor, rule: str = "hebb", sweeps: int = 200) -> AssociativeMemory:
    made = Hopfield(patterns.shape[1], rule=rule, sweeps=sweeps).build()
    assert isinstance(made, AssociativeMemory)
    made.store(patterns)
    return made


def random_patterns(count: int, units: int, seed: int) -> Tensor:
    return torch.randint(2, (count, units), generator=generator(seed, DATA)) * 2.0 - 1


def _capacity() -> LabResult:
    overlap: dict[int, list[float]] = {}
    exact: dict[int, list[float]] = {}
    noisy: dict[int, list[float]] = {}
    for units in SIZES:
        overlap[units], exact[units], noisy[units] = [], [], []
        for load in LOADS:
            rows = []
            for seed in SEEDS:
                memory = memory_of(random_patterns(round(load * units), units, seed))
                at = memory.overlap(memory.recall(memory.patterns, seed=seed).states)
                near = memory.overlap(
                    memory.recall(memory.with_noise(0.1, seed=seed), seed=seed).states
                )
                rows.append((float(at.mean()), float((at == 1).float().mean()), float(near.mean())))
            for kept, column in zip((overlap, exact, noisy), zip(*rows, strict=True), strict=True):
                kept[units].append(fmean(column))
    large = dict(zip(LOADS, overlap[1000], strict=True))
    crossing = _crossing(LOADS, overlap[1000], 0.9)
    numbers = {
        f"N = {units}, P/N = {load}: overlap from the pattern": v
        for units in SIZES
        for load, v in zip(LOADS, overlap[units], strict=True)
    }
    numbers |= {
        f"N = 1000, P/N = {load}: found again exactly": v
        for load, v in zip(LOADS, exact[1000], strict=True)
    }
    numbers |= {
        f"N = 1000, P/N = {load}: overlap from a tenth turned": v
        for load, v in zip(LOADS, noisy[1000], strict=True)
    }
    numbers["N = 1000: P/N where the overlap crosses 0.9"] = crossing
    criteria = (
        Criterion("N = 1000: overlap above 0.97 at P/N 0.13", large[0.13], large[0.13] > 0.97),
        Criterion("N = 1000: overlap below 0.9 at P/N 0.16", large[0.16], large[0.16] < 0.9),
        Criterion(
            "the overlap crosses 0.9 between P/N 0.13 and 0.17: about 15 % of the units",
            crossing,
            0.13 <= crossing <= 0.17,
        ),
        Criterion(
            "exact recall is lost far earlier: under 60 % of the patterns at P/N 0.10",
            exact[1000][LOADS.index(0.10)],
            exact[1000][LOADS.index(0.10)] < 0.6,
            of_the_note=False,
        ),
    )
    with figure() as (made, axes):
        axis = axes[0][0]
        for units, colour in zip(SIZES, COLOURS, strict=False):
            axis.plot(
                LOADS,
                overlap[units],
                color=colour,
                marker="o",
                markersize=3,
                label=f"overlap, N = {units}",
            )
        axis.plot(LOADS, exact[1000], color=GREY, linestyle=":", label="found exactly, N = 1000")
        axis.axvline(0.138, color=GREY, linewidth=0.8)
        axis.set_xlabel("patterns for each unit (line: 0.138)")
        axis.set_title("What recall makes of a stored pattern")
        axis.legend(fontsize=7)
        picture = svg(made, "Capacity of a Hopfield net")
    return LabResult(numbers, criteria, picture, {}, SEEDS)


def _crossing(loads: tuple[float, ...], values: list[float], level: float) -> float:
    for i in range(1, len(loads)):
        if values[i - 1] >= level > values[i]:
            return loads[i - 1] + (loads[i] - loads[i - 1]) * (values[i - 1] - level) / (
                values[i - 1] - values[i]
            )
    return math.nan


def _falling() -> LabResult:
    digits = to_bipolar((data.mnist(first=10, valid=0.0).load().train.x >= 0.5).float().flatten(1))
    random = {seed: memory_of(random_patterns(10, 784, seed)) for seed in SEEDS}
    curves = {
        "random patterns, Hebb": [
            fmean(
                rows[i][1]
                for rows in (m.recall_rates(NOISE_SHARES, seed=s) for s, m in random.items())
            )
            for i in range(len(NOISE_SHARES))
        ],
        "ten digits, Hebb": [row[1] for row in memory_of(digits).recall_rates(NOISE_SHARES)],
        "ten digits, pseudo-inverse": [
            row[1] for row in memory_of(digits, "pseudo-inverse").recall_rates(NOISE_SHARES)
        ],
    }
    odd, ends = [], []
    for seed, memory in random.items():
        recall = memory.double().recall(
            memory.with_noise(0.25, seed=seed)[:1], seed=seed, trace=True
        )
        assert recall.trace is not None
        odd.append(float(recall.trace[1].abs().max()))
        ends.append(float(recall.trace[0][-1]))
    at = NOISE_SHARES.index(0.25)
    literal = _by_the_letter()
    numbers = {
        **{
            f"{name}, {100 * noise:.0f} % turned": v
            for name, values in curves.items()
            for noise, v in zip(NOISE_SHARES, values, strict=True)
        },
        "largest |dE + u dx|": max(odd),
        "highest final energy": max(ends),
        "0 and 1 by the letter: agreement with the pattern": literal,
    }
    by_chance, near_hebb, near_inverse = (
        curves["random patterns, Hebb"][at],
        curves["ten digits, Hebb"][2],
        curves["ten digits, pseudo-inverse"][2],
    )
    criteria = (
        Criterion(
            "ten random patterns in 784 units are found again from 25 % noise, above 95 %",
            by_chance,
            by_chance > 0.95,
        ),
        Criterion("each flip changes the energy by -u dx, to 1e-9", max(odd), max(odd) < 1e-9),
        Criterion("recall ends at E = 0, as the note has it", max(ends), abs(max(ends)) < 1e-6),
        Criterion(
            "outputs of 0 and 1 with thresholds 0, by the letter, keep the patterns (agreement above 0.9)",
            literal,
            literal > 0.9,
        ),
        Criterion(
            "digits, which are alike, are lost by Hebb's rule (under 50 % from 10 % noise)",
            near_hebb,
            near_hebb < 0.5,
            of_the_note=False,
        ),
        Criterion(
            "and kept by the pseudo-inverse (above 95 %)",
            near_inverse,
            near_inverse > 0.95,
            of_the_note=False,
        ),
    )
    with figure() as (made, axes):
        for (name, values), colour in zip(curves.items(), COLOURS, strict=False):
            axes[0][0].plot(
                [100 * n for n in NOISE_SHARES],
                values,
                color=colour,
                marker="o",
                markersize=3,
                label=name,
            )
        axes[0][0].set_xlabel("% of the units turned before recall")
        axes[0][0].set_title("Patterns found again exactly")
        axes[0][0].legend()
        picture = svg(made, "Noise that a memory forgives")
    return LabResult(numbers, criteria, picture, {}, SEEDS)


def _by_the_letter() -> float:
    """States of 0 and 1 in Hebb's rule and thresholds 0: agreement of what is recalled with the
    pattern; 5 patterns of 100 units."""
    found = []
    for seed in SEEDS:
        p = random_patterns(5, 100, seed)
        network = Hopfield(100, states="binary").build()
        assert isinstance(network, AssociativeMemory)
        network.store(p)
        ones = (p + 1) / 2
        network.weight.copy_((ones.t() @ ones / 5).fill_diagonal_(0))
        network.threshold.zero_()
        ended = network.recall(network.with_noise(0.1, seed=seed), seed=seed).states
        found.append(float((ended == ones).float().mean()))
    return fmean(found)


L18 = Lab(
    "L18",
    CLAIMS["L18"],
    "Random patterns, Hebb's rule, zero diagonal, asynchronous recall from the pattern and from a tenth of its units turned; N = 100, 400, 1000; 5 draws.",
    "note 001",
    _capacity,
    slow=True,
)
L19 = Lab(
    "L19",
    CLAIMS["L19"],
    "Ten patterns in 784 units: random ones (5 draws), and the first ten digits of MNIST cut at one half; 0 to 45 % of the units turned.",
    "note 001",
    _falling,
    slow=True,
)
