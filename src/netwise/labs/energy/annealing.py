"""L20 and L21: what the temperature of a Boltzmann machine changes, and what annealing finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median

import torch
from torch import Tensor

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.networks.energy.boltzmann import BoltzmannMachine, FullBoltzmann, gibbs_sweeps
from netwise.networks.energy.likelihood import binary_states
from netwise.part import integer
from netwise.report.pictures.drawing import BLUE, ORANGE, figure, svg, use_log_scale

# L20: temperature

TEMPERATURES = (4.0, 2.0, 1.0, 0.5, 0.25, 0.1)
SEEDS = (0, 1, 2, 3, 4)


@dataclass(frozen=True)
class TemperatureSettings(LabSettings):
    """What can be varied in L20.

    Args:
        units: of each machine; it has 2 to the power of `units` states. Default 8.
    """

    units: int = integer(8, least=2, most=10, because="all states are summed over")


@dataclass(frozen=True)
class AnnealingSettings(LabSettings):
    """What can be varied in L21.

    Args:
        units: of each network. Default 60.
        starts: of each network. Default 200.
    """

    units: int = integer(60, least=2, most=500, because="units are connected")
    starts: int = integer(200, least=1, most=10_000, because="energies are averaged")


def random_machine(seed: int, units: int = 8) -> FullBoltzmann:
    """A Boltzmann machine without hidden units, weights from N(0, 1), in float64."""
    torch.manual_seed(seed)
    machine = BoltzmannMachine(units, 0, std=1.0).build()
    assert isinstance(machine, FullBoltzmann)
    return machine.double()


def ground_state_probability(machine: FullBoltzmann, temperature: float) -> float:
    """Probability of the state of lowest energy in the stationary distribution."""
    energies = machine.energy(binary_states(machine.weight.shape[0], machine.weight))
    return float(machine.distribution(temperature)[int(energies.argmin())])


def relaxation_steps(machine: FullBoltzmann, temperature: float) -> float:
    """Relaxation time 1 / (1 - |lambda_2|) of the chain, in updates of a unit: how long it takes to
    forget its first state."""
    eigenvalues = torch.linalg.eigvals(machine.transition(temperature)).abs()
    second = float(eigenvalues.sort(descending=True).values[1])
    return 1 / max(1 - second, 1e-15)


def is_rising(values: Sequence[float]) -> bool:
    return all(after > before for before, after in pairwise(values))


def temperature_criteria(
    probability: Sequence[Sequence[float]], steps: Sequence[Sequence[float]]
) -> tuple[Criterion, ...]:
    """Criteria on rows of one machine each, from hot to cold."""
    mean = [fmean(column) for column in zip(*probability, strict=True)]
    middle = [median(column) for column in zip(*steps, strict=True)]
    always_likelier = all(is_rising(row) for row in probability)
    always_slower = all(is_rising(row) for row in steps)
    return (
        Criterion(
            "the colder, the more probable the state of lowest energy (mean over machines)",
            mean[-1],
            is_rising(mean),
        ),
        Criterion(
            "the colder, the longer it takes to forget the start (median over machines)",
            middle[-1],
            is_rising(middle),
        ),
        Criterion(
            "the probability of the lowest energy rises in every machine",
            float(always_likelier),
            always_likelier,
            part_of_claim=False,
        ),
        Criterion(
            "the time to forget the start rises in every machine",
            float(always_slower),
            always_slower,
            part_of_claim=False,
        ),
    )


def run_l20(settings: TemperatureSettings) -> LabResult:
    machines = [random_machine(seed, settings.units) for seed in SEEDS]
    probability = [[ground_state_probability(m, t) for t in TEMPERATURES] for m in machines]
    steps = [[relaxation_steps(m, t) for t in TEMPERATURES] for m in machines]
    numbers = {
        f"T = {t}: chance of the lowest energy (mean)": fmean(column)
        for t, column in zip(TEMPERATURES, zip(*probability, strict=True), strict=True)
    }
    numbers |= {
        f"T = {t}: steps to forget the start (median)": median(column)
        for t, column in zip(TEMPERATURES, zip(*steps, strict=True), strict=True)
    }
    criteria = temperature_criteria(probability, steps)
    return LabResult(numbers, criteria, _by_temperature(probability, steps), {}, SEEDS)


def _by_temperature(
    probability: Sequence[Sequence[float]], steps: Sequence[Sequence[float]]
) -> str:
    with figure(columns=2) as (drawing, axes):
        for axis, rows, title in (
            (axes[0][0], probability, "P(lowest energy)"),
            (axes[0][1], steps, "Steps to forget the start"),
        ):
            for row in rows:
                axis.plot(TEMPERATURES, row, color=BLUE, alpha=0.5, marker="o", markersize=3)
            use_log_scale(axis, "x")
            axis.set_xlabel("temperature")
            axis.set_title(title)
        use_log_scale(axes[0][1], "y")
        return svg(drawing, "What temperature does")


# L21: annealing

NETWORKS, UNITS, STARTS = 20, 60, 200
COOLING = tuple(10.0 * (0.1 / 10.0) ** (i / 39) for i in range(40))
COLD = 1e-6  # the temperature at which units follow the sign of their field
DESCENT = [COLD] * 10
ROUNDING = 1e-9  # of an energy
DESCENTS = 5  # of as many starts; together as many updates as one annealing


def random_network(seed: int, units: int = UNITS) -> Tensor:
    """(units, units) symmetric weights from N(0, 1), zero diagonal, in float64; seeds torch."""
    torch.manual_seed(seed)
    drawn = torch.randn(units, units)
    return (drawn.triu(1) + drawn.triu(1).t()).double()


def energy(states: Tensor, weight: Tensor) -> Tensor:
    """E = -1/2 s W s, (states,), of states (states, units)."""
    return -0.5 * ((states @ weight) * states).sum(1)


def final_energies(weight: Tensor, starts: int = STARTS) -> tuple[Tensor, Tensor]:
    """Final energies (starts,) of annealing, and (5, starts) of five times as many descents, from
    states drawn by torch's generator."""
    units = len(weight)
    bias = torch.zeros(units, dtype=torch.float64)

    def random_states() -> Tensor:
        return torch.rand(starts, units).round().double()

    def descend(states: Tensor) -> Tensor:
        return energy(gibbs_sweeps(states, weight, bias, DESCENT), weight)

    common = random_states()
    descents = [descend(random_states()) for _ in range(DESCENTS - 1)]
    descents.append(descend(common))
    annealed = gibbs_sweeps(common, weight, bias, [*COOLING, *DESCENT])
    return energy(annealed, weight), torch.stack(descents)


def annealing_criteria(
    gains: Sequence[float], best_gains: Sequence[float]
) -> tuple[Criterion, ...]:
    """Criteria on what annealing gains over descents in each network.

    Args:
        gains: mean final energy of descents minus that of annealing.
        best_gains: lowest final energy of all descents minus that of annealing.
    """
    share = fmean(float(gain > 0) for gain in gains)
    lead = -min(best_gains)
    return (
        Criterion(
            "annealing ends at a lower mean energy in more than 90 % of the networks (share)",
            share,
            share > 0.9,
        ),
        Criterion(
            "with as many updates, the best of five times as many descents is never lower than "
            "the best annealed state (largest lead of a descent)",
            lead,
            lead <= ROUNDING,
            part_of_claim=False,
        ),
    )


def run_l21(settings: AnnealingSettings) -> LabResult:
    annealed, descended, best_gains = [], [], []
    for seed in range(NETWORKS):
        network = random_network(seed, settings.units)
        warm, cold = final_energies(network, settings.starts)
        annealed.append(float(warm.mean()))
        descended.append(float(cold.mean()))
        best_gains.append(float(cold.min() - warm.min()))
    gains = [cold - warm for cold, warm in zip(descended, annealed, strict=True)]
    numbers = {
        "mean energy, straight down": fmean(descended),
        "mean energy, annealed": fmean(annealed),
        "share of nets in which annealing ends lower on average": fmean(
            float(gain > 0) for gain in gains
        ),
        "share of nets in which the best of five times as many straight falls is lower": fmean(
            float(gain < -ROUNDING) for gain in best_gains
        ),
    }
    criteria = annealing_criteria(gains, best_gains)
    seeds = tuple(range(NETWORKS))
    return LabResult(numbers, criteria, _annealed_by_descended(descended, annealed), {}, seeds)


def _annealed_by_descended(descended: Sequence[float], annealed: Sequence[float]) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        axis.plot(descended, annealed, "o", color=BLUE, markersize=4)
        ends = [min(*descended, *annealed), max(*descended, *annealed)]
        axis.plot(ends, ends, color=ORANGE, linewidth=1)
        axis.set_xlabel("mean energy, descent")
        axis.set_ylabel("mean energy, annealed")
        axis.set_title("Networks below the line gain by annealing")
        return svg(drawing, "Annealing and descent")


L20 = Lab("L20", lab_texts()["L20"], run_l20, TemperatureSettings())
L21 = Lab("L21", lab_texts()["L21"], run_l21, AnnealingSettings())
