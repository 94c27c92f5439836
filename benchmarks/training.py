"""Speed of a training step, relative to a tutorial loop and to a hand-tuned eager loop, and what it
costs to record signals.

    scripts/bench               the networks whose speed the project promises
    scripts/bench threads       when more threads are faster: for the rule in training/threads.py
    scripts/bench --json FILE   also write the numbers

Each round runs all contestants on the same data, in a rotating order. A time is the lower quartile
over the rounds, because other load on the machine makes runs slower and never faster.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from watch import processor  # beside this file

import netwise as nw
from netwise.training.threads import cores

ROUNDS = 16
EPOCHS = 3  # of netwise's runs: watched steps are spread over a run
SETTINGS = {
    "784-30-10, batch 10": ((784, 30, 10), 10, 40_000),
    "784-256-256-10, batch 128": ((784, 256, 256, 10), 128, 60_000),
    "LeNet-5, batch 128": ("lenet", 128, 20_000),
}
PROMISED = {
    "784-30-10, batch 10": {"tutorial": 1.7, "tuned": 1.05, "watched": 1.15, "every 10th": 1.1},
    "784-256-256-10, batch 128": {"tutorial": 1.7, "tuned": 1.05, "watched": 1.03},
    "LeNet-5, batch 128": {"tutorial": 1.0, "tuned": 1.05, "watched": 1.02},
}
WATCHED = {"watched": None, "every 10th": 10, "every step": 1}  # signals are recorded on these
Network = tuple[int, ...] | str


def samples(rows: int, shape: tuple[int, ...] = (784,)) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    return torch.rand(rows, *shape, generator=g), torch.randint(10, (rows,), generator=g)


def network(widths: Network) -> nn.Module:
    if isinstance(widths, str):
        return nw.LeNet5().build()
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def tutorial(widths: Network, batch: int, x: Tensor, y: Tensor) -> float:
    """Seconds of one epoch as tutorials write it: DataLoader, `.item()` after each step, torch's
    default number of threads."""
    torch.set_num_threads(cores())
    model = network(widths)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss()
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(x, y), batch_size=batch, shuffle=True
    )
    running = 0.0
    started = time.perf_counter()
    for inputs, labels in loader:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        running += loss.item()
    return time.perf_counter() - started


def tuned(widths: Network, batch: int, x: Tensor, y: Tensor, threads: int) -> float:
    """Seconds of one epoch of a tuned eager loop: batches by `index_select`, fused optimizer, no
    `.item()`."""
    torch.set_num_threads(threads)
    model = network(widths)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, fused=True)
    started = time.perf_counter()
    for rows in torch.randperm(len(x)).split(batch):
        loss = F.cross_entropy(model(x.index_select(0, rows)), y.index_select(0, rows))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.perf_counter() - started


def netwise_epoch(
    widths: Network,
    batch: int,
    data: nw.data.Arrays,
    watch_every: int | None,
    threads: int | None = None,
) -> tuple[float, int]:
    """(seconds of one epoch, number of threads) of netwise, as recorded by `fit`."""
    recipe = nw.Recipe(
        data=data,
        network=nw.LeNet5() if isinstance(widths, str) else nw.MLP(widths),
        optimizer=nw.SGD(lr=0.01),
        batch_size=batch,
        epochs=EPOCHS,
    )
    made = nw.fit(recipe, watch_every=watch_every, test=False, threads=threads).history.made_by
    return made.seconds / EPOCHS, made.threads


def compare(name: str) -> dict[str, float]:
    """Microseconds of a step and ratios for one setting: lower quartiles over the rounds."""
    widths, batch, rows = SETTINGS[name]
    x, y = samples(rows, (1, 28, 28) if isinstance(widths, str) else (784,))
    data = nw.data.arrays(x, y, valid=0.0, test=0.0)
    threads = netwise_epoch(widths, batch, data, 0)[1]
    contestants: dict[str, Callable[[], float]] = {
        "tutorial": lambda: tutorial(widths, batch, x, y),
        "tuned": lambda: tuned(widths, batch, x, y, threads),
        "netwise": lambda: netwise_epoch(widths, batch, data, 0)[0],
    }
    for kind, every in WATCHED.items():
        contestants[kind] = lambda every=every: netwise_epoch(widths, batch, data, every)[0]  # type: ignore[misc]
    for run in contestants.values():
        run()  # warm-up
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(ROUNDS):
        names, shift = list(contestants), turn % len(contestants)
        for contestant in (*names[shift:], *names[:shift]):
            times[contestant].append(contestants[contestant]())
    steps = -(-rows // batch)
    quartile = {key: sorted(values)[len(values) // 4] for key, values in times.items()}
    return {
        **{f"{key}, microseconds a step": 1e6 * value / steps for key, value in quartile.items()},
        "threads": threads,
        "tutorial / netwise": quartile["tutorial"] / quartile["netwise"],
        "netwise / tuned": quartile["netwise"] / quartile["tuned"],
        **{f"{kind} / netwise": quartile[kind] / quartile["netwise"] for kind in WATCHED},
    }


def time_with_all_threads() -> None:
    """Print the time of a step with all cores relative to one, and its multiply-adds."""
    print(f"{'network':28s}{'batch':>6s}{'multiply-adds':>15s}{'all / one':>11s}")
    for widths, batch in (
        ((784, 30, 10), 10),
        ((784, 30, 10), 128),
        ((784, 256, 256, 10), 32),
        ((784, 256, 256, 10), 128),
        ((784, 256, 256, 10), 256),
        ((784, 512, 512, 10), 128),
        ((784, 1024, 1024, 10), 128),
    ):
        x, y = samples(batch * 60)
        work = batch * sum(a * b for a, b in pairwise(widths))
        ratios = []
        for _ in range(ROUNDS):
            one, many = (tuned(widths, batch, x, y, threads) for threads in (1, cores()))
            ratios.append(many / one)
        print(
            f"{'-'.join(map(str, widths)):28s}{batch:6d}{work:15,d}{median(ratios):11.2f}",
            flush=True,
        )


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["threads"]:
        time_with_all_threads()
        return
    results = {}
    for name, promised in PROMISED.items():
        result = results[name] = compare(name)
        print(name)
        for key, value in result.items():
            print(f"  {key:34s}{value:10.2f}")
        tutorial_gain, overhead = promised["tutorial"], 100 * (promised["tuned"] - 1)
        promises = {
            f"at least {tutorial_gain} times the tutorial loop's speed": (
                result["tutorial / netwise"] >= promised["tutorial"]
            ),
            f"within {overhead:.0f} % of the hand-tuned loop": (
                result["netwise / tuned"] <= promised["tuned"]
            ),
            **{
                f"{kind} at most {promised[kind]} times": (
                    result[f"{kind} / netwise"] <= promised[kind]
                )
                for kind in WATCHED
                if kind in promised
            },
        }
        for text, holds in promises.items():
            print(f"  {'met    ' if holds else 'NOT MET'} {text}")
    if "--json" in arguments:
        versions = {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "netwise": nw.__version__,
        }
        made = {
            "date": date.today().isoformat(),
            "versions": versions,
            "cores": cores(),
            "machine": processor(),
            "results": results,
        }
        Path(arguments[arguments.index("--json") + 1]).write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
