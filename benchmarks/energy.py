"""Speed of the energy models, relative to loops written by hand and to the nearest libraries.

    python benchmarks/energy.py               ratios, and the time of annealed importance sampling
    python benchmarks/energy.py --json FILE   also write the numbers

learnergy and hopfieldnetwork are timed where they are installed; netwise does not need them. Each
runs with one thread; annealed importance sampling runs with all cores.
"""

from __future__ import annotations

import json
import logging
import platform
import sys
import time
import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

import netwise as nw
from netwise.training.threads import cores

ROUNDS, EPOCHS = 3, 1
ROWS, VISIBLE, HIDDEN, BATCH = 60_000, 784, 500, 100
UNITS, PATTERNS, NOISE, SWEEPS = 784, 100, 0.1, 100


def bits(rows: int) -> Tensor:
    """(rows, 784) of 0 and 1 from 20 groups with their own pixel probabilities; about as many ones
    as MNIST has."""
    g = torch.Generator().manual_seed(0)
    groups = torch.rand(20, VISIBLE, generator=g) ** 6
    return (
        torch.rand(rows, VISIBLE, generator=g) < groups[torch.randint(20, (rows,), generator=g)]
    ).float()


def plain_torch_epoch(x: Tensor) -> float:
    """Seconds of one epoch of CD-1 written directly in torch, without autograd."""
    torch.set_num_threads(1)
    weight, hidden, visible = (
        torch.randn(HIDDEN, VISIBLE) * 0.01,
        torch.zeros(HIDDEN),
        torch.zeros(VISIBLE),
    )
    started = time.perf_counter()
    with torch.no_grad():
        for rows in torch.randperm(len(x)).split(BATCH):
            v = x.index_select(0, rows)
            p = torch.sigmoid(torch.addmm(hidden, v, weight.t()))
            h = (torch.rand_like(p) < p).float()
            q = torch.sigmoid(torch.addmm(visible, h, weight))
            w = (torch.rand_like(q) < q).float()
            r = torch.sigmoid(torch.addmm(hidden, w, weight.t()))
            weight += (p.t() @ v - r.t() @ w) * (0.01 / len(v))
            hidden += 0.01 * (p - r).mean(0)
            visible += 0.01 * (v - w).mean(0)
    return time.perf_counter() - started


def netwise_epoch(x: Tensor, centred: bool = False) -> float:
    """Seconds of one epoch of netwise as recorded by `fit`, including its epoch signals."""
    data = nw.data.arrays(x, valid=0.0, test=0.0)
    network = nw.RBM(VISIBLE, HIDDEN, centred=centred)
    recipe = nw.Recipe(
        data=data,
        network=network,
        loss=nw.CD(),
        optimizer=nw.SGD(lr=0.01),
        batch_size=BATCH,
        epochs=EPOCHS,
    )
    return nw.fit(recipe, test=False, threads=1).history.made_by.seconds / EPOCHS


def scikit_learn_epoch(x: Tensor) -> float:
    from sklearn.neural_network import BernoulliRBM

    torch.set_num_threads(1)
    machine = BernoulliRBM(HIDDEN, learning_rate=0.01, batch_size=BATCH, n_iter=1, random_state=0)
    rows = x.numpy()
    started = time.perf_counter()
    machine.fit(rows)
    return time.perf_counter() - started


def learnergy_epoch(x: Tensor) -> float:
    from learnergy.models.bernoulli import RBM  # type: ignore[import-not-found]

    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)
    machine = RBM(
        VISIBLE,
        HIDDEN,
        steps=1,
        learning_rate=0.01,
        momentum=0,
        decay=0,
        temperature=1,
        use_gpu=False,
    )
    rows = torch.utils.data.TensorDataset(x, torch.zeros(len(x)))
    started = time.perf_counter()
    machine.fit(rows, batch_size=BATCH, epochs=1)
    return time.perf_counter() - started


def patterns() -> tuple[Tensor, Tensor]:
    """(patterns, the same with a tenth of the units flipped), -1 and 1."""
    g = torch.Generator().manual_seed(0)
    stored = torch.randint(2, (PATTERNS, UNITS), generator=g) * 2.0 - 1
    return stored, stored * torch.where(torch.rand(PATTERNS, UNITS, generator=g) < NOISE, -1.0, 1.0)


def netwise_recall(order: str) -> Callable[[], float]:
    """Makes a function that recalls all patterns and returns the seconds."""
    stored, noisy = patterns()
    memory = nw.Hopfield(UNITS, order=order, sweeps=SWEEPS).build()
    memory.store(stored)  # type: ignore[operator]

    def run() -> float:
        torch.set_num_threads(1)
        started = time.perf_counter()
        memory.recall(noisy)  # type: ignore[operator]
        return time.perf_counter() - started

    return run


def numpy_recall(order: str) -> Callable[[], float]:
    """Recall of all patterns in NumPy, all units together or one after another, until no unit
    changes."""
    stored, noisy = (tensor.numpy() for tensor in patterns())
    weight = stored.T @ stored / UNITS
    np.fill_diagonal(weight, 0)

    def run() -> float:
        rng = np.random.default_rng(0)
        state = noisy.copy()
        started = time.perf_counter()
        for _ in range(SWEEPS):
            before = state.copy()
            if order == "together":
                field = state @ weight
                state = np.where(field > 0, 1, np.where(field < 0, -1, state)).astype(np.float32)
            else:
                for i in rng.permutation(UNITS):
                    field = state @ weight[:, i]
                    state[:, i] = np.where(field > 0, 1, np.where(field < 0, -1, state[:, i]))
            if (state == before).all():
                break
        return time.perf_counter() - started

    return run


def hopfieldnetwork_recall(order: str) -> Callable[[], float]:
    """hopfieldnetwork recalls one pattern at a time, until it is stable or alternates."""
    from hopfieldnetwork import HopfieldNetwork  # type: ignore[import-not-found]

    stored, noisy = (tensor.numpy().astype(float) for tensor in patterns())
    network = HopfieldNetwork(N=UNITS)
    network.train_pattern(stored.T)

    def run() -> float:
        started = time.perf_counter()
        for row in noisy:
            network.set_initial_neurons_state(row.copy())
            network.update_neurons(
                iterations=1, mode="sync" if order == "together" else "async", run_max=True
            )
        return time.perf_counter() - started

    return run


def importance_sampling() -> float:
    """Seconds of 1,000 chains through 10,000 temperatures, 784-500, all cores."""
    torch.set_num_threads(cores())
    torch.manual_seed(0)
    machine = nw.RBM(VISIBLE, HIDDEN, std=0.05).build()
    started = time.perf_counter()
    nw.energy.ais(machine, chains=1000, temperatures=10_000)
    return time.perf_counter() - started


def lower_quartiles(contestants: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Seconds of each contestant: lower quartile over the rounds, which run them in a rotating
    order. Those that are not installed are left out."""
    installed: dict[str, Callable[[], float]] = {}
    for name, run in contestants.items():
        try:
            run()  # warm-up
            installed[name] = run
        except ImportError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
    times: dict[str, list[float]] = {name: [] for name in installed}
    for turn in range(ROUNDS):
        names = list(installed)
        for name in (*names[turn % len(names) :], *names[: turn % len(names)]):
            times[name].append(installed[name]())
    return {name: sorted(values)[len(values) // 4] for name, values in times.items()}


def on_first_call(make: Callable[[], Callable[[], float]]) -> Callable[[], float]:
    """A contestant that is made, and its library imported, when it first runs."""
    made: list[Callable[[], float]] = []

    def run() -> float:
        if not made:
            made.append(make())
        return made[0]()

    return run


def main(arguments: list[str]) -> None:
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        results = ratios_and_seconds()
    results["seconds"]["annealed importance sampling, 1,000 chains x 10,000 temperatures"] = (
        importance_sampling()
    )
    for title, numbers in results.items():
        print(title)
        for name, value in numbers.items():
            print(f"  {name:70s}{value:10.3f}")
    if arguments[:1] == ["--json"]:
        made = {
            "date": date.today().isoformat(),
            "machine": platform.machine(),
            "cores": cores(),
            "torch": torch.__version__,
        }
        Path(arguments[1]).write_text(json.dumps({**made, **results}, indent=1) + "\n")


def ratios_and_seconds() -> dict[str, dict[str, float]]:
    """Times with one thread, each divided by that of the plain loop."""
    x = bits(ROWS)
    epochs = lower_quartiles(
        {
            "by hand": lambda: plain_torch_epoch(x),
            "netwise": lambda: netwise_epoch(x),
            "netwise, centred": lambda: netwise_epoch(x, centred=True),
            "scikit-learn": lambda: scikit_learn_epoch(x),
            "learnergy": lambda: learnergy_epoch(x),
        }
    )
    together = lower_quartiles(
        {
            "numpy": numpy_recall("together"),
            "netwise": netwise_recall("together"),
            "hopfieldnetwork": on_first_call(lambda: hopfieldnetwork_recall("together")),
        }
    )
    single = lower_quartiles(
        {
            "numpy": numpy_recall("random"),
            "netwise": netwise_recall("random"),
            "hopfieldnetwork": on_first_call(lambda: hopfieldnetwork_recall("random")),
        }
    )
    return {
        f"RBM {VISIBLE}-{HIDDEN} CD-1, {ROWS} rows, one epoch, over the loop by hand": {
            name: value / epochs["by hand"] for name, value in epochs.items()
        },
        f"Hopfield, {PATTERNS} patterns of {UNITS}, all units together, over NumPy": {
            name: value / together["numpy"] for name, value in together.items()
        },
        f"Hopfield, {PATTERNS} patterns of {UNITS}, one unit after another, over NumPy": {
            name: value / single["numpy"] for name, value in single.items()
        },
        "seconds": {
            "an epoch by hand": epochs["by hand"],
            "recall in NumPy, together": together["numpy"],
            "recall in NumPy, one by one": single["numpy"],
        },
    }


if __name__ == "__main__":
    main(sys.argv[1:])
