"""How fast are the energy models? Beside loops by hand and the libraries that come nearest, in one
run.

    python benchmarks/energy.py               ratios, and the time of annealed importance sampling
    python benchmarks/energy.py --json FILE   keep the numbers

learnergy and hopfieldnetwork take part where they are installed; nothing else of netwise needs
them. All contestants have one thread, but for annealed importance sampling, which is timed with all
cores.
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
    """Inputs of 0 and 1 with about as many ones as MNIST has, in a few groups, so that there is
    something to learn."""
    g = torch.Generator().manual_seed(0)
    groups = torch.rand(20, VISIBLE, generator=g) ** 6
    return (
        torch.rand(rows, VISIBLE, generator=g) < groups[torch.randint(20, (rows,), generator=g)]
    ).float()


def by_hand(x: Tensor) -> float:
    """CD-1 as someone who knows torch writes it: no autograd, one comparison for a draw. Seconds of
    one epoch."""
    torch.set_num_threads(1)
    weight, hidden, visible = (
        torch.randn(HIDDEN, VISIBLE) * 0.01,
        torch.zeros(HIDDEN),
        torch.zeros(VISIBLE),
    )
    began = time.perf_counter()
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
    return time.perf_counter() - began


def ours(x: Tensor, centred: bool = False) -> float:
    """Seconds of one epoch of netwise, by the engine's own clock, with what it says of itself after
    each epoch."""
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


def scikit_learns(x: Tensor) -> float:
    from sklearn.neural_network import BernoulliRBM

    torch.set_num_threads(1)
    machine = BernoulliRBM(HIDDEN, learning_rate=0.01, batch_size=BATCH, n_iter=1, random_state=0)
    rows = x.numpy()
    began = time.perf_counter()
    machine.fit(rows)
    return time.perf_counter() - began


def learnergys(x: Tensor) -> float:
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
    began = time.perf_counter()
    machine.fit(rows, batch_size=BATCH, epochs=1)
    return time.perf_counter() - began


def patterns() -> tuple[Tensor, Tensor]:
    """(patterns, the same with a tenth of the units turned), -1 and 1."""
    g = torch.Generator().manual_seed(0)
    stored = torch.randint(2, (PATTERNS, UNITS), generator=g) * 2.0 - 1
    return stored, stored * torch.where(torch.rand(PATTERNS, UNITS, generator=g) < NOISE, -1.0, 1.0)


def recall(order: str) -> Callable[[], float]:
    stored, noisy = patterns()
    memory = nw.Hopfield(UNITS, order=order, sweeps=SWEEPS).build()
    memory.store(stored)  # type: ignore[operator]

    def run() -> float:
        torch.set_num_threads(1)
        began = time.perf_counter()
        memory.recall(noisy)  # type: ignore[operator]
        return time.perf_counter() - began

    return run


def numpys(order: str) -> Callable[[], float]:
    """The batch in NumPy: all units from one matrix product, or one unit after another for all
    patterns; until nothing changes."""
    stored, noisy = (each.numpy() for each in patterns())
    weight = stored.T @ stored / UNITS
    np.fill_diagonal(weight, 0)

    def run() -> float:
        rng = np.random.default_rng(0)
        state = noisy.copy()
        began = time.perf_counter()
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
        return time.perf_counter() - began

    return run


def hopfieldnetworks(order: str) -> Callable[[], float]:
    """Its own loop until a pattern settles or goes back and forth, pattern by pattern."""
    from hopfieldnetwork import HopfieldNetwork  # type: ignore[import-not-found]

    stored, noisy = (each.numpy().astype(float) for each in patterns())
    network = HopfieldNetwork(N=UNITS)
    network.train_pattern(stored.T)

    def run() -> float:
        began = time.perf_counter()
        for row in noisy:
            network.set_initial_neurons_state(row.copy())
            network.update_neurons(
                iterations=1, mode="sync" if order == "together" else "async", run_max=True
            )
        return time.perf_counter() - began

    return run


def annealing() -> float:
    """Seconds of 1,000 chains through 10,000 temperatures, 784-500, all cores."""
    torch.set_num_threads(cores())
    torch.manual_seed(0)
    machine = nw.RBM(VISIBLE, HIDDEN, std=0.05).build()
    began = time.perf_counter()
    nw.energy.ais(machine, chains=1000, temperatures=10_000)
    return time.perf_counter() - began


def raced(contestants: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Seconds of each, lower quartile over the rounds, in an order that rotates; those that are not
    installed are left out."""
    live: dict[str, Callable[[], float]] = {}
    for name, run in contestants.items():
        try:
            run()  # warm-up
            live[name] = run
        except ImportError as error:
            print(f"{name} takes no part: {error}", file=sys.stderr)
    times: dict[str, list[float]] = {name: [] for name in live}
    for turn in range(ROUNDS):
        names = list(live)
        for name in (*names[turn % len(names) :], *names[: turn % len(names)]):
            times[name].append(live[name]())
    return {name: sorted(values)[len(values) // 4] for name, values in times.items()}


def late(make: Callable[[], Callable[[], float]]) -> Callable[[], float]:
    """A contestant whose library is imported when it first runs."""
    made: list[Callable[[], float]] = []

    def run() -> float:
        if not made:
            made.append(make())
        return made[0]()

    return run


def main(arguments: list[str]) -> None:
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        told = races()
    told["seconds"]["annealed importance sampling, 1,000 chains x 10,000 temperatures"] = (
        annealing()
    )
    for title, numbers in told.items():
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
        Path(arguments[1]).write_text(json.dumps({**made, **told}, indent=1) + "\n")


def races() -> dict[str, dict[str, float]]:
    """Everything that has one thread, over the plain way of doing it."""
    x = bits(ROWS)
    epochs = raced(
        {
            "by hand": lambda: by_hand(x),
            "netwise": lambda: ours(x),
            "netwise, centred": lambda: ours(x, centred=True),
            "scikit-learn": lambda: scikit_learns(x),
            "learnergy": lambda: learnergys(x),
        }
    )
    together = raced(
        {
            "numpy": numpys("together"),
            "netwise": recall("together"),
            "hopfieldnetwork": late(lambda: hopfieldnetworks("together")),
        }
    )
    single = raced(
        {
            "numpy": numpys("random"),
            "netwise": recall("random"),
            "hopfieldnetwork": late(lambda: hopfieldnetworks("random")),
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
