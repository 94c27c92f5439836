"""L20 to L22: Boltzmann machines: what temperature does, what annealing finds, and the encoder
problems of 1985."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median

import torch
from torch import Tensor

from netwise.labs.catalogue import CLAIMS
from netwise.labs.definition import Criterion, Lab, LabResult
from netwise.networks.energy.boltzmann import (
    ENCODER_TEMPERATURES,
    BoltzmannMachine,
    FullBoltzmann,
    gibbs_sweeps,
)
from netwise.networks.energy.likelihood import binary_states
from netwise.report.pictures.drawing import BLUE, COLOURS, ORANGE, figure, svg

TEMPERATURES = (4.0, 2.0, 1.0, 0.5, 0.25, 0.1)
SEEDS = (0, 1, 2, 3, 4)


def _temperature() -> LabResult:
    lowest: list[list[float]] = []
    relaxation: list[list[float]] = []
    for seed in SEEDS:
        torch.manual_seed(seed)
        machine = BoltzmannMachine(8, 0, std=1.0).build()
        assert isinstance(machine, FullBoltzmann)
        machine.double()
        least = int(machine.energy(binary_states(8, machine.weight)).argmin())
        lowest.append([float(machine.distribution(t)[least]) for t in TEMPERATURES])
        values = [
            torch.linalg.eigvals(machine.transition(t)).abs().sort(descending=True).values
            for t in TEMPERATURES
        ]
        relaxation.append([1 / max(1 - float(v[1]), 1e-15) for v in values])
    chance, steps = (
        [fmean(column) for column in zip(*lowest, strict=True)],
        [median(column) for column in zip(*relaxation, strict=True)],
    )
    rising = all(all(b > a for a, b in pairwise(row)) for row in lowest)
    slower = all(all(b > a for a, b in pairwise(row)) for row in relaxation)
    numbers = {
        f"T = {t}: chance of the lowest energy (mean)": v
        for t, v in zip(TEMPERATURES, chance, strict=True)
    }
    numbers |= {
        f"T = {t}: steps to forget the start (median)": v
        for t, v in zip(TEMPERATURES, steps, strict=True)
    }
    criteria = (
        Criterion(
            "the colder, the likelier is the state of lowest energy, on average",
            chance[-1],
            all(b > a for a, b in pairwise(chance)),
        ),
        Criterion(
            "the colder, the slower is the start forgotten, in the median",
            steps[-1],
            all(b > a for a, b in pairwise(steps)),
        ),
        Criterion("the first holds in every machine", float(rising), rising, of_the_note=False),
        Criterion("the second holds in every machine", float(slower), slower, of_the_note=False),
    )
    with figure(columns=2, width=9.4) as (made, axes):
        for axis, rows, title in (
            (axes[0][0], lowest, "Chance of the lowest energy"),
            (axes[0][1], relaxation, "Steps to forget the start"),
        ):
            for row in rows:
                axis.plot(TEMPERATURES, row, color=BLUE, alpha=0.5, marker="o", markersize=3)
            axis.set_xscale("log")
            axis.set_xlabel("temperature")
            axis.set_title(title)
        axes[0][1].set_yscale("log")
        picture = svg(made, "What temperature does")
    return LabResult(numbers, criteria, picture, {}, SEEDS)


NETS, UNITS, STARTS = 20, 60, 200
COOLING = tuple(10.0 * (0.1 / 10.0) ** (i / 39) for i in range(40))
COLD = 1e-6  # units then follow the sign of their field


def _annealing() -> LabResult:
    annealed, fallen, best = [], [], []
    for seed in range(NETS):
        torch.manual_seed(seed)
        drawn = torch.randn(UNITS, UNITS)
        weight = (drawn.triu(1) + drawn.triu(1).t()).double()
        bias = torch.zeros(UNITS, dtype=torch.float64)
        start = torch.rand(STARTS, UNITS).round().double()

        def energy(s: Tensor, w: Tensor = weight) -> Tensor:
            return -0.5 * ((s @ w) * s).sum(1)

        cold = [
            energy(
                gibbs_sweeps(torch.rand(STARTS, UNITS).round().double(), weight, bias, [COLD] * 10)
            )
            for _ in range(4)
        ]
        cold.append(energy(gibbs_sweeps(start, weight, bias, [COLD] * 10)))
        warm = energy(gibbs_sweeps(start, weight, bias, [*COOLING, *[COLD] * 10]))
        fallen.append(float(torch.stack(cold).mean()))
        annealed.append(float(warm.mean()))
        best.append(float(torch.stack(cold).min() - warm.min()))
    gains = [a - b for a, b in zip(fallen, annealed, strict=True)]
    share = fmean(float(gain > 0) for gain in gains)
    numbers = {
        "mean energy, straight down": fmean(fallen),
        "mean energy, annealed": fmean(annealed),
        "share of nets in which annealing ends lower on average": share,
        "share of nets in which the best of five times as many straight falls is lower": fmean(
            float(b < -1e-9) for b in best
        ),
    }
    criteria = (
        Criterion(
            "annealing ends lower on average in more than 90 % of the nets", share, share > 0.9
        ),
        Criterion(
            "at equal updates the best straight fall of five times as many starts is never lower than the best annealed one",
            -min(best),
            min(best) >= -1e-9,
            of_the_note=False,
        ),
    )
    with figure() as (made, axes):
        axes[0][0].plot(fallen, annealed, "o", color=BLUE, markersize=4)
        ends = [min(fallen + annealed), max(fallen + annealed)]
        axes[0][0].plot(ends, ends, color=ORANGE, linewidth=1)
        axes[0][0].set_xlabel("mean energy, straight down")
        axes[0][0].set_ylabel("annealed")
        axes[0][0].set_title("Each net: below the line annealing ends lower")
        picture = svg(made, "Annealing and straight falls")
    return LabResult(numbers, criteria, picture, {}, tuple(range(NETS)))


@dataclass(frozen=True)
class Encoders:
    """Many machines of one encoder problem, learned side by side by the procedure of 1985.

    Weights move by a fixed step towards the sign of the difference of two counts; the clamped
    patterns are noisy. Source: Ackley, Hinton, Sejnowski 1985, section 4.1; step 2 and temperature
    10 there are 0.2 and 1 here.
    """

    units: int
    hidden: int
    machines: int
    cycles: int
    step: float = 0.2
    noise: tuple[float, float] = (0.15, 0.05)

    def run(self, seed: int = 0, look_every: int = 10) -> Tensor:
        """(machines,): the cycle at which each machine was first seen to solve the problem, 0 where
        it never was."""
        torch.manual_seed(seed)
        made = BoltzmannMachine(
            2 * self.units, self.hidden, std=0.0, groups=(self.units, self.units)
        ).build()
        assert isinstance(made, FullBoltzmann)
        links, total = made.joined(), 2 * self.units + self.hidden
        weight, bias = torch.zeros(self.machines, total, total), torch.zeros(self.machines, total)
        one = torch.eye(self.units)
        patterns = torch.cat([one, one], 1).repeat(2, 1).expand(self.machines, -1, -1)
        solved = torch.zeros(self.machines, dtype=torch.int64)
        for cycle in range(1, self.cycles + 1):
            luck = torch.rand(patterns.shape)
            seen = torch.where(
                patterns > 0.5, (luck >= self.noise[0]).float(), (luck < self.noise[1]).float()
            )
            counts = []
            for held, start in ((2 * self.units, seen), (0, torch.rand(seen.shape).round())):
                s = torch.cat([start, torch.rand(*start.shape[:2], self.hidden).round()], 2)
                s = gibbs_sweeps(s, weight, bias, ENCODER_TEMPERATURES, held)
                both, alone = torch.zeros_like(weight), torch.zeros_like(bias)
                for _ in range(10):
                    s = gibbs_sweeps(s, weight, bias, [1.0], held)
                    both += s.transpose(1, 2) @ s
                    alone += s.sum(1)
                counts.append((both, alone))
            weight += self.step * torch.sign(counts[0][0] - counts[1][0]) * links
            bias += self.step * torch.sign(counts[0][1] - counts[1][1])
            if cycle % look_every == 0:
                now = self.solved(weight, bias)
                solved = torch.where((solved == 0) & now, torch.tensor(cycle), solved)
                if bool((solved > 0).all()):
                    break
        return solved

    def solved(self, weight: Tensor, bias: Tensor) -> Tensor:
        """(machines,): each pattern of the first group brings up the same unit of the second, in
        most of the sweeps."""
        one = torch.eye(self.units).expand(self.machines, -1, -1)
        rest = torch.rand(self.machines, self.units, self.units + self.hidden).round()
        s = gibbs_sweeps(torch.cat([one, rest], 2), weight, bias, ENCODER_TEMPERATURES, self.units)
        seen = torch.zeros(self.machines, self.units, self.units)
        for _ in range(20):
            s = gibbs_sweeps(s, weight, bias, [1.0], self.units)
            seen += s[:, :, self.units : 2 * self.units]
        return (seen.argmax(2) == torch.arange(self.units)).all(1)


def _encoders() -> LabResult:
    small = Encoders(4, 2, 100, 1500).run()
    large = Encoders(8, 3, 20, 6000).run(look_every=50)
    exact = _exact_arm()
    share_small, share_large = float((small > 0).float().mean()), float((large > 0).float().mean())
    numbers = {
        "4-2-4: share of 100 machines that solved it": share_small,
        "4-2-4: median of the cycles": float(small[small > 0].double().median())
        if bool((small > 0).any())
        else 0.0,
        "8-3-8: share of 20 machines that solved it": share_large,
        "8-3-8: median of the cycles": float(large[large > 0].double().median())
        if bool((large > 0).any())
        else 0.0,
        "4-2-4 by the exact gradient, no noise: share of 20 that solved it": exact,
    }
    criteria = (
        Criterion(
            "4-2-4: at least 95 % solved (1985: 250 of 250)", share_small, share_small >= 0.95
        ),
        Criterion(
            "8-3-8: at least 16 of 20 solved (1985: 16 of 20)", share_large, share_large >= 0.8
        ),
        Criterion(
            "the exact gradient without noise solves fewer of the 4-2-4 problems",
            exact,
            exact < share_small,
            of_the_note=False,
        ),
    )
    with figure() as (made, axes):
        for name, cycles, colour in (("4-2-4", small, COLOURS[0]), ("8-3-8", large, COLOURS[1])):
            done = sorted(cycles[cycles > 0].tolist())
            axes[0][0].plot(
                [0, *done],
                [i / len(cycles) for i in range(len(done) + 1)],
                color=colour,
                drawstyle="steps-post",
                label=name,
            )
        axes[0][0].set_xscale("symlog", linthresh=10)
        axes[0][0].set_xlabel("cycles")
        axes[0][0].set_ylim(0, 1.02)
        axes[0][0].set_title("Share of the machines that have solved their problem")
        axes[0][0].legend()
        picture = svg(made, "Encoder problems")
    return LabResult(numbers, criteria, picture, {}, (0,))


def _exact_arm(updates: int = 3000) -> float:
    """The same machines, links and judge, by the exact gradient at rate 1 from small random
    weights: share solved."""
    encoders, found = Encoders(4, 2, 1, 0), []
    one = torch.eye(4)
    for seed in range(20):
        torch.manual_seed(seed)
        made = BoltzmannMachine(8, 2, std=0.1, groups=(4, 4)).build()
        assert isinstance(made, FullBoltzmann)
        every, links = binary_states(10, made.weight), made.joined()
        data = torch.cat([one, one], 1)
        clamped = made.with_hidden(data)
        weight, bias = made.weight.detach().clone(), torch.zeros(10)
        for _ in range(updates):
            p = torch.softmax(0.5 * ((every @ weight) * every).sum(1) + every @ bias, 0)
            q = torch.softmax(
                0.5 * ((clamped @ weight) * clamped).sum(2) + clamped @ bias, 1
            ) / len(data)
            model, seen = (
                (every * p[:, None]).t() @ every,
                torch.einsum("ph,phi,phj->ij", q, clamped, clamped),
            )
            weight += (seen - model) * links
            bias += seen.diagonal() - model.diagonal()
        found.append(float(encoders.solved(weight[None], bias[None])[0]))
    return fmean(found)


L20 = Lab(
    "L20",
    CLAIMS["L20"],
    "Eight units, weights from N(0, 1), 5 draws; all 256 states and their transition matrix.",
    "note 001",
    _temperature,
)
L21 = Lab(
    "L21",
    CLAIMS["L21"],
    "20 symmetric nets of 60 units, weights from N(0, 1), 200 starts each; T from 10 to 0.1 in 40 sweeps, against straight falls at equal updates.",
    "note 001",
    _annealing,
)
L22 = Lab(
    "L22",
    CLAIMS["L22"],
    "Procedure of 1985: annealing, clamping noise 0.15 and 0.05, steps of fixed size; 100 machines of 4-2-4 to 1,500 cycles, 20 of 8-3-8 to 6,000.",
    "note 001",
    _encoders,
    slow=True,
)
