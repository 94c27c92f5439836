"""L69: several starts, annealing and noisy gradients against local minima, with the same number of
evaluations each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.part import integer
from netwise.report.pictures.drawing import COLOURS, figure, svg

STARTS = 5  # of the arm with several; each gets a fifth of the steps
# 16 wells of depth 0.5 on a grid, one of them, which is not next to the centre, of depth 1
CENTRES = np.array([(x, y) for x in (-3.0, -1.0, 1.0, 3.0) for y in (-3.0, -1.0, 1.0, 3.0)])
DEPTHS = np.where(np.arange(16) == 13, 1.0, 0.5)
WIDTH = 0.5
XOR = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
ANSWERS = np.array([0.0, 1.0, 1.0, 0.0])

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class LocalMinimaSettings(LabSettings):
    """What can be varied in L69.

    Args:
        steps: evaluations of each run. Default 2000.
        runs: from random starts; as many others choose the settings of each arm. Default 200.
    """

    steps: int = integer(2000, least=50, most=1_000_000, because="five starts share them")
    runs: int = integer(200, least=10, most=5000, because="a share of runs is judged")


@dataclass(frozen=True)
class LossSurface:
    """A loss with local minima.

    Args:
        loss: points -> losses.
        gradient: (points, noise) -> gradients; the noise is None, or normal numbers of the shape of
            the points, from which each adds its own.
        start: (generator, runs) -> points.
        solved: the loss below which a point counts as the global minimum.
        samples: there are; 0 for a loss that is no mean, whose gradient gets normal noise.
    """

    loss: Callable[[np.ndarray], np.ndarray]
    gradient: Callable[[np.ndarray, np.ndarray | None], np.ndarray]
    start: Callable[[np.random.Generator, int], np.ndarray]
    solved: float
    samples: int


def wells_loss(w: np.ndarray) -> np.ndarray:
    """1 minus 16 bell-shaped wells, and a shallow bowl that keeps points near them."""
    squares = ((w[:, None, :] - CENTRES) ** 2).sum(2)
    values: np.ndarray = 1 - (DEPTHS * np.exp(-squares / (2 * WIDTH**2))).sum(1)
    values += 0.001 * (w**2).sum(1)
    return values


def wells_gradient(w: np.ndarray, noise: np.ndarray | None) -> np.ndarray:
    apart = w[:, None, :] - CENTRES
    bells = DEPTHS * np.exp(-(apart**2).sum(2) / (2 * WIDTH**2))
    gradient: np.ndarray = (bells[:, :, None] * apart).sum(1) / WIDTH**2 + 0.002 * w
    return gradient if noise is None else gradient + noise


def _network(w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(hidden, outputs) of 2-2-1 networks of sigmoid units on the four samples."""
    hidden = 1 / (1 + np.exp(-(XOR @ w[:, :4].reshape(-1, 2, 2) + w[:, None, 4:6])))
    return hidden, 1 / (1 + np.exp(-((hidden * w[:, None, 6:8]).sum(2) + w[:, 8:9])))


def xor_loss(w: np.ndarray) -> np.ndarray:
    """Half the mean square error."""
    values: np.ndarray = ((_network(w)[1] - ANSWERS) ** 2).mean(1) / 2
    return values


def xor_gradient(w: np.ndarray, noise: np.ndarray | None) -> np.ndarray:
    """Of all samples, or of one sample of each network, whose numbers are the first of `noise`."""
    hidden, out = _network(w)
    delta = (out - ANSWERS) * out * (1 - out) / 4
    if noise is not None:
        chosen = np.arange(4) == (np.abs(noise[:, :1]) * 1e6).astype(int) % 4
        delta = np.where(chosen, 4 * delta, 0)
    back = delta[:, :, None] * w[:, None, 6:8] * hidden * (1 - hidden)
    inner = np.einsum("si,rsh->rih", XOR, back).reshape(len(w), 4)
    outer = (delta[:, :, None] * hidden).sum(1)
    return np.concatenate([inner, back.sum(1), outer, delta.sum(1, keepdims=True)], 1)


PROBLEMS = {
    "wells": LossSurface(wells_loss, wells_gradient, lambda g, n: g.uniform(-4, 4, (n, 2)), 0.2, 0),
    "XOR": LossSurface(xor_loss, xor_gradient, lambda g, n: g.normal(0, 1, (n, 9)), 0.02, 4),
}
# Each arm tries four settings: rates, temperatures at the start, or (rate, noise).
RATES = {"wells": (0.003, 0.01, 0.03, 0.1), "XOR": (3.0, 10.0, 30.0, 100.0)}
HEAT = {"wells": (0.05, 0.1, 0.2, 0.4), "XOR": (0.0003, 0.001, 0.003, 0.01)}
MOVE = {"wells": 1.0, "XOR": 1.0}  # size of the first moves of annealing
NOISY = {
    "wells": ((0.03, 2.0), (0.03, 3.0), (0.03, 4.0), (0.03, 6.0)),
    "XOR": ((1.0, 1.0), (3.0, 1.0), (10.0, 1.0), (30.0, 1.0)),
}


def descend(
    problem: LossSurface,
    w: np.ndarray,
    steps: int,
    rate: float,
    rng: np.random.Generator,
    noise: float,
) -> np.ndarray:
    """Points after descent. Where the loss is a mean of samples, noise is a step on one of them;
    else it is normal noise on the gradient, which falls to 0 over the run."""
    for t in range(steps):
        drawn = rng.standard_normal(w.shape) if noise else None
        if drawn is not None and not problem.samples:
            drawn = drawn * noise * (1 - t / steps)
        w = w - rate * problem.gradient(w, drawn)
    return w


def anneal(
    problem: LossSurface,
    w: np.ndarray,
    steps: int,
    heat: float,
    move: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Metropolis moves that shrink to a twentieth while the temperature falls to a thousandth."""
    now = problem.loss(w)
    for t in range(steps):
        temperature = heat * 1000 ** (-t / steps)
        tried = w + move * 20 ** (-t / steps) * rng.standard_normal(w.shape)
        loss = problem.loss(tried)
        chance = np.exp(np.minimum(0, (now - loss) / temperature))
        taken = rng.random(len(w)) < chance
        w, now = np.where(taken[:, None], tried, w), np.where(taken, loss, now)
    return w


def final_losses(
    name: str, arm: str, choice: int, settings: LocalMinimaSettings, seed: int
) -> np.ndarray:
    """The loss at the end of each run of an arm, with the `choice`-th of its settings."""
    problem, rng = PROBLEMS[name], np.random.default_rng(seed)
    w, steps, rate = problem.start(rng, settings.runs), settings.steps, RATES[name][choice]
    if arm == "several starts":
        more = problem.start(rng, settings.runs * (STARTS - 1))
        ends = descend(problem, np.concatenate([w, more]), steps // STARTS, rate, rng, 0)
        least: np.ndarray = problem.loss(ends).reshape(STARTS, settings.runs).min(0)
        return least
    if arm == "annealing":
        return problem.loss(anneal(problem, w, steps, HEAT[name][choice], MOVE[name], rng))
    noise = 0.0
    if arm == "noisy gradients":
        rate, noise = NOISY[name][choice]
    return problem.loss(descend(problem, w, steps, rate, rng, noise))


ARMS = ("one start", "several starts", "annealing", "noisy gradients")


def criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    return tuple(
        Criterion(
            f"{name}: {arm} succeed more often than one start (low end of the 95 % interval of the "
            "difference)",
            numbers[f"{name}, {arm}: more successes, low"],
            numbers[f"{name}, {arm}: more successes, low"] > 0,
        )
        for name in PROBLEMS
        for arm in ARMS[1:]
    )


def run_l69(settings: LocalMinimaSettings) -> LabResult:
    numbers: dict[str, float] = {}
    for name, problem in PROBLEMS.items():
        solved: dict[str, np.ndarray] = {}
        for arm in ARMS:
            shares = [
                (final_losses(name, arm, choice, settings, seed=1) < problem.solved).mean()
                for choice in range(len(RATES[name]))
            ]
            best = int(np.argmax(shares))
            solved[arm] = final_losses(name, arm, best, settings, seed=0) < problem.solved
            numbers[f"{name}, {arm}: success"] = float(solved[arm].mean())
            if arm == ARMS[0]:
                continue
            gain = solved[arm].astype(float) - solved[ARMS[0]]
            mean, low, high = of_mean(gain.tolist())
            numbers[f"{name}, {arm}: more successes"] = mean
            numbers[f"{name}, {arm}: more successes, low"] = low
            numbers[f"{name}, {arm}: more successes, high"] = high
    return LabResult(numbers, criteria(numbers), picture(numbers), seeds=(0, 1))


def picture(numbers: Numbers) -> str:
    title = "Runs that find the global minimum"
    with figure(columns=2) as (drawing, axes):
        for axis, name in zip(axes[0], PROBLEMS, strict=True):
            shares = [100 * numbers[f"{name}, {arm}: success"] for arm in ARMS]
            axis.barh([arm.replace(" ", "\n") for arm in ARMS], shares, color=COLOURS[: len(ARMS)])
            axis.invert_yaxis()
            axis.set_xlim(0, 100)
            axis.set_title(f"{name}: success, %")
        return svg(drawing, title)


L69 = Lab(
    "L69",
    lab_texts()["L69"],
    run_l69,
    LocalMinimaSettings(),
    minutes=0.5,
    small={"steps": 50, "runs": 10},
)
