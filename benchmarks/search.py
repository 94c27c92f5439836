"""Speed and regret of searches, relative to plain ways of doing the same.

    scripts/bench search                      ratios and regrets
    scripts/bench search --json FILE          also write the numbers
    scripts/bench search variants [--quick]   only the variants; quick: a third of the samples once

1. 32 learning rates of 784-30-10 (batch 10, SGD) and of 784-256-128-10 (batch 128, Adam) from a
   fresh Python: `fit_many`, joblib around a hand-tuned eager loop, and tutorial loops with a
   DataLoader one after another. Seconds of the clock, and of all CPUs together.
2. A minimal trial: `search` against plain Optuna around the same `fit` into a folder, both with a
   journal and one worker.
3. Regret after as many trials of grid, random, Bayesian and coarse-to-fine search on the recorded
   table of 480 trained networks, Branin and Hartmann-6, with Optuna's own samplers beside them.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np
import optuna
import torch
from torch import nn
from torch.nn import functional as F

import netwise as nw
from netwise.labs.tuning.landscape import landscape
from netwise.searches.samplers import TrialSeededSampler
from netwise.training.threads import cores

VARIANTS, ROUNDS = 32, 3
# Widths, batch, optimizer, samples and epochs of each network.
NETWORKS: dict[str, tuple[tuple[int, ...], int, str, int, int]] = {
    "784-30-10": ((784, 30, 10), 10, "SGD", 60_000, 1),
    "784-256-128-10": ((784, 256, 128, 10), 128, "Adam", 76_800, 1),
}
QUICK = 3
TRIVIAL, TRIVIAL_ROUNDS = 30, 11
TRIALS, REPEATS = 30, 50
RATES = tuple(float(f"{10 ** (-3 + 3 * i / (VARIANTS - 1)):.4g}") for i in range(VARIANTS))


# ---- 1. many variants


def images(rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random inputs (rows, 784) and class numbers."""
    g = torch.Generator().manual_seed(0)
    return torch.rand(rows, 784, generator=g), torch.randint(10, (rows,), generator=g)


def module(widths: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise(widths):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def naive(name: str, quick: int) -> None:
    """All variants one after another, each a tutorial loop."""
    widths, batch, kind, rows, epochs = NETWORKS[name]
    x, y = images(rows // quick)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(x, y), batch_size=batch, shuffle=True
    )
    for rate in RATES:
        torch.manual_seed(0)
        model, loss = module(widths), nn.CrossEntropyLoss()
        optimizer = getattr(torch.optim, kind)(model.parameters(), lr=rate)
        for _ in range(max(1, epochs // quick)):
            for inputs, targets in loader:
                optimizer.zero_grad()
                loss(model(inputs), targets).backward()
                optimizer.step()


def tuned_one(name: str, epochs: int, rate: float, x: Any, y: Any) -> float:
    """One variant in a tuned eager loop: batches by `index_select`, fused optimizer, one thread."""
    widths, batch, kind, _, _ = NETWORKS[name]
    torch.set_num_threads(1)
    torch.manual_seed(0)
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y)
    model = module(widths)
    optimizer = getattr(torch.optim, kind)(model.parameters(), lr=rate, fused=True)
    for _ in range(epochs):
        for rows in torch.randperm(len(inputs)).split(batch):
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(
                model(inputs.index_select(0, rows)), targets.index_select(0, rows)
            )
            loss.backward()
            optimizer.step()
    return float(loss.detach())


def tuned(name: str, quick: int) -> None:
    import joblib

    rows, epochs = NETWORKS[name][3] // quick, max(1, NETWORKS[name][4] // quick)
    x, y = (tensor.numpy() for tensor in images(rows))
    joblib.Parallel(n_jobs=cores())(
        joblib.delayed(tuned_one)(name, epochs, rate, x, y) for rate in RATES
    )


def ours(name: str, quick: int) -> None:
    widths, batch, kind, rows, epochs = NETWORKS[name]
    x, y = images(rows // quick)
    recipe = nw.Recipe(
        data=nw.data.arrays(x, y, valid=0.0, test=0.0),
        network=nw.MLP(widths),
        optimizer=nw.SGD() if kind == "SGD" else nw.Adam(),
        batch_size=batch,
        epochs=max(1, epochs // quick),
    )
    nw.fit_many([nw.with_learning_rate(recipe, rate) for rate in RATES])


Way = Callable[[str, int], None]
WAYS: dict[str, Way] = {"naive": naive, "joblib, hand-tuned": tuned, "netwise": ours}


def variants(name: str, quick: int) -> dict[str, dict[str, float]]:
    """Seconds of each way in a fresh Python, medians of the rounds."""
    spent: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for turn in range(1 if quick > 1 else ROUNDS):
        ways = list(WAYS)
        for way in (*ways[turn % len(ways) :], *ways[: turn % len(ways)]):
            before, started = os.times(), time.perf_counter()
            command = [sys.executable, __file__, "--way", way, name, str(quick)]
            subprocess.run(command, check=True)
            after, wall = os.times(), time.perf_counter() - started
            cpu = after.children_user - before.children_user
            spent[way].append((wall, cpu + after.children_system - before.children_system))
    return {
        way: {
            "seconds": median(wall for wall, _ in values),
            "CPU seconds": median(cpu for _, cpu in values),
        }
        for way, values in spent.items()
    }


def all_variants(quick: int) -> dict[str, dict[str, dict[str, float]]]:
    """Of each network; printed as they come."""
    found = {}
    for name in NETWORKS:
        found[name] = variants(name, quick)
        base = found[name]["joblib, hand-tuned"]
        for way, row in found[name].items():
            print(
                f"{name:16s}{way:20s}{row['seconds']:8.1f} s, "
                f"{row['seconds'] / base['seconds']:.2f} of joblib;"
                f"{row['CPU seconds']:8.1f} CPU s, {row['CPU seconds'] / base['CPU seconds']:.2f}",
                flush=True,
            )
    return found


# ---- 2. trivial trials


def trivial() -> dict[str, float]:
    """Seconds of one minimal trial: a network of 4-2-3 for one epoch, in a run folder."""
    recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 2, 3)), epochs=1)
    space = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),))
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def ours() -> None:
        with tempfile.TemporaryDirectory() as home:
            nw.search(
                recipe,
                space,
                method=nw.Bayesian(),
                trials=TRIVIAL,
                fresh=0,
                folder=Path(home) / "study",
                jobs=1,
            )

    def plain() -> None:
        with tempfile.TemporaryDirectory() as home:
            backend = optuna.storages.journal.JournalFileBackend(f"{home}/journal.log")
            study = optuna.create_study(
                direction="maximize",
                storage=optuna.storages.JournalStorage(backend),
                sampler=optuna.samplers.TPESampler(seed=0),
            )

            def objective(trial: optuna.Trial) -> float:
                rate = trial.suggest_float("lr", 1e-4, 1.0, log=True)
                run = nw.fit(
                    nw.with_learning_rate(recipe, rate), folder=f"{home}/{trial.number}", test=False
                )
                accuracy = run.history.of("valid.accuracy")
                assert accuracy is not None
                return accuracy.last

            study.optimize(objective, n_trials=TRIVIAL)

    ways = {"plain Optuna": plain, "netwise": ours}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(TRIVIAL_ROUNDS):
        for name in sorted(ways, reverse=bool(turn % 2)):
            started = time.perf_counter()
            ways[name]()
            seconds[name].append((time.perf_counter() - started) / TRIVIAL)
    return {name: median(values) for name, values in seconds.items()}


# ---- 3. regret


def branin(x: np.ndarray) -> float:
    """Minus Branin's function on [-5, 10] x [0, 15], for x in the unit square; its maximum is
    -0.397887."""
    a, b = 15 * x[0] - 5, 15 * x[1]
    return float(
        -(
            (b - 5.1 / (4 * math.pi**2) * a**2 + 5 / math.pi * a - 6) ** 2
            + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a)
            + 10
        )
    )


ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann(x: np.ndarray) -> float:
    """Minus the Hartmann-6 function on the unit cube; its maximum is 3.32237."""
    return float(ALPHA @ np.exp(-(A * (x - P) ** 2).sum(1)))


def on_table(x: np.ndarray) -> float:
    """Validation accuracy in the table cell of a point of the unit cube."""
    table = landscape().final
    cell = (min(size - 1, int(share * size)) for share, size in zip(x, table.shape, strict=True))
    return float(table[tuple(cell)])


PROBLEMS: dict[str, tuple[Callable[[np.ndarray], float], int, float]] = {
    "table": (on_table, 4, float("nan")),
    "Branin": (branin, 2, -0.397887),
    "Hartmann-6": (hartmann, 6, 3.32237),
}


def sampled(function: Callable[[np.ndarray], float], axes: int, sampler: Any, trials: int) -> float:
    """The best value of an Optuna study with a sampler."""
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for _ in range(trials):
        trial = study.ask()
        study.tell(
            trial, function(np.array([trial.suggest_float(f"x{i}", 0.0, 1.0) for i in range(axes)]))
        )
    return float(study.best_value)


def gridded(function: Callable[[np.ndarray], float], axes: int, trials: int, seed: int) -> float:
    """The best value on the finest full grid with at most so many points, with a random offset
    within its cells."""
    points = max(1, int(trials ** (1 / axes) + 1e-9))
    shift = np.random.default_rng(seed).random(axes)
    return max(
        function((np.array(cell) + shift) / points)
        for cell in itertools.product(range(points), repeat=axes)
    )


def staged(function: Callable[[np.ndarray], float], axes: int, trials: int, seed: int) -> float:
    """The best value of `CoarseToFine` on a function."""
    space = nw.Space(tuple(nw.axes.Linear(f"x{i}", 0.0, 1.0) for i in range(axes)))
    method, rng, records = nw.CoarseToFine(), np.random.default_rng(seed), list[nw.TrialRecord]()
    for number in range(method.stages):
        stage = method.stage(number, space, trials, 1, seed, records)
        for _ in range(stage.trials):
            point = {axis.name: axis.value_at(float(rng.random())) for axis in stage.space.axes}
            records.append(
                nw.TrialRecord(
                    len(records), number, point, function(np.array(list(point.values())))
                )
            )
    return max(record.value for record in records if record.value is not None)


Function = Callable[[np.ndarray], float]
METHODS: dict[str, Callable[[Function, int, int], float]] = {
    "grid": lambda function, axes, seed: gridded(function, axes, TRIALS, seed),
    "random": lambda function, axes, seed: sampled(
        function, axes, TrialSeededSampler(nw.Random().sampler, seed), TRIALS
    ),
    "random, Optuna": lambda function, axes, seed: sampled(
        function, axes, optuna.samplers.RandomSampler(seed=seed), TRIALS
    ),
    "Bayesian (TPE)": lambda function, axes, seed: sampled(
        function, axes, TrialSeededSampler(nw.Bayesian().sampler, seed), TRIALS
    ),
    "TPE, Optuna": lambda function, axes, seed: sampled(
        function, axes, optuna.samplers.TPESampler(seed=seed), TRIALS
    ),
    "Bayesian (GP)": lambda function, axes, seed: sampled(
        function, axes, TrialSeededSampler(nw.Bayesian(surrogate="gp").sampler, seed), TRIALS
    ),
    "GP, Optuna": lambda function, axes, seed: sampled(
        function, axes, optuna.samplers.GPSampler(seed=seed), TRIALS
    ),
    "coarse to fine": lambda function, axes, seed: staged(function, axes, TRIALS, seed),
}


def regrets() -> dict[str, dict[str, list[float]]]:
    """Quartiles of the distance from the optimum after 30 trials, over 50 searches."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    result: dict[str, dict[str, list[float]]] = {}
    for title, (function, axes, best) in PROBLEMS.items():
        top = float(landscape().final.max()) if math.isnan(best) else best
        result[title] = {
            name: quantiles([top - way(function, axes, seed) for seed in range(REPEATS)], n=4)
            for name, way in METHODS.items()
        }
        print(
            title,
            {name: [round(value, 4) for value in values] for name, values in result[title].items()},
            flush=True,
        )
    return result


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--way"]:
        WAYS[arguments[1]](arguments[2], int(arguments[3]))
        return
    many = all_variants(QUICK if "--quick" in arguments else 1)
    if arguments[:1] == ["variants"]:
        return
    regret, one = regrets(), trivial()
    ratios = {"trivial trial, netwise over plain Optuna": one["netwise"] / one["plain Optuna"]}
    for name, value in ratios.items():
        print(f"{name:50s}{value:8.3f}")
    if arguments[:1] == ["--json"]:
        made = {
            "date": date.today().isoformat(),
            "machine": platform.machine(),
            "cores": cores(),
            "torch": torch.__version__,
            "optuna": optuna.__version__,
        }
        results = {
            **made,
            "ratios": ratios,
            "seconds of 32 variants": many,
            "seconds of a trivial trial": one,
            "quartiles of regret": regret,
        }
        Path(arguments[1]).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
