"""How fast is a step of netwise? Beside a tutorial loop and a hand-tuned eager loop, interleaved in
one run.

    scripts/bench               the two networks that the project promises speeds for
    scripts/bench threads       where a second thread begins to pay: the rule in engine/threads.py
    scripts/bench --json FILE   keep the numbers

Within a round all contestants run one after another, each on the same data, in an order that
rotates. A time is the lower quartile over the rounds: a neighbour on the machine makes runs slower
and never faster.
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

import netwise as nw
from netwise.training.threads import cores

ROUNDS = 16
EPOCHS = (
    3  # of netwise's runs: watching is spread over a run, and one epoch is none that anyone trains
)
SETTINGS = {
    "784-30-10, batch 10": ((784, 30, 10), 10, 40_000),
    "784-256-256-10, batch 128": ((784, 256, 256, 10), 128, 60_000),
}
PROMISED = {
    "784-30-10, batch 10": {"tutorial": 1.7, "tuned": 1.05, "watched": 1.15},
    "784-256-256-10, batch 128": {"tutorial": 1.7, "tuned": 1.05, "watched": 1.03},
}


def samples(rows: int) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    return torch.rand(rows, 784, generator=g), torch.randint(10, (rows,), generator=g)


def network(widths: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def tutorial(widths: tuple[int, ...], batch: int, x: Tensor, y: Tensor) -> float:
    """As a tutorial has it: DataLoader, `.item()` each step, torch's default threads. Seconds of
    one epoch."""
    torch.set_num_threads(cores())
    model = network(widths)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss()
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(x, y), batch_size=batch, shuffle=True
    )
    running = 0.0
    began = time.perf_counter()
    for inputs, labels in loader:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        running += loss.item()
    return time.perf_counter() - began


def tuned(widths: tuple[int, ...], batch: int, x: Tensor, y: Tensor, threads: int) -> float:
    """As someone who knows eager torch has it: gathered batches, a fused optimizer, no number
    waited for."""
    torch.set_num_threads(threads)
    model = network(widths)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, fused=True)
    began = time.perf_counter()
    for rows in torch.randperm(len(x)).split(batch):
        loss = F.cross_entropy(model(x.index_select(0, rows)), y.index_select(0, rows))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.perf_counter() - began


def ours(
    widths: tuple[int, ...],
    batch: int,
    data: nw.data.Arrays,
    watch_every: int | None,
    threads: int | None = None,
) -> tuple[float, int]:
    """(seconds of one epoch of netwise, its threads). The clock is the engine's own: what training
    took."""
    recipe = nw.Recipe(
        data=data,
        network=nw.MLP(widths),
        optimizer=nw.SGD(lr=0.01),
        batch_size=batch,
        epochs=EPOCHS,
    )
    made = nw.fit(recipe, watch_every=watch_every, test=False, threads=threads).history.made_by
    return made.seconds / EPOCHS, made.threads


def race(name: str) -> dict[str, float]:
    """One setting: seconds and ratios, medians over the rounds."""
    widths, batch, rows = SETTINGS[name]
    x, y = samples(rows)
    data = nw.data.arrays(x, y, valid=0.0, test=0.0)
    threads = ours(widths, batch, data, 0)[1]
    contestants: dict[str, Callable[[], float]] = {
        "tutorial": lambda: tutorial(widths, batch, x, y),
        "tuned": lambda: tuned(widths, batch, x, y, threads),
        "netwise": lambda: ours(widths, batch, data, 0)[0],
        "watched": lambda: ours(widths, batch, data, None)[0],
    }
    for run in contestants.values():
        run()  # warm-up
    times: dict[str, list[float]] = {each: [] for each in contestants}
    for turn in range(ROUNDS):
        names = list(contestants)
        for each in (*names[turn % 4 :], *names[: turn % 4]):  # nobody is always first
            times[each].append(contestants[each]())
    steps = -(-rows // batch)
    quiet = {each: sorted(values)[len(values) // 4] for each, values in times.items()}
    return {
        **{f"{each}, microseconds a step": 1e6 * value / steps for each, value in quiet.items()},
        "threads": threads,
        "tutorial / netwise": quiet["tutorial"] / quiet["netwise"],
        "netwise / tuned": quiet["netwise"] / quiet["tuned"],
        "watched / netwise": quiet["watched"] / quiet["netwise"],
    }


def where_threads_pay() -> None:
    """Time of a step with all cores over its time with one, over the multiply-adds of a step."""
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
        where_threads_pay()
        return
    told = {}
    for name, promised in PROMISED.items():
        seen = told[name] = race(name)
        print(name)
        for each, value in seen.items():
            print(f"  {each:34s}{value:10.2f}")
        kept = {
            f"at least {promised['tutorial']} times the tutorial loop's speed": seen[
                "tutorial / netwise"
            ]
            >= promised["tutorial"],
            f"within {100 * (promised['tuned'] - 1):.0f} % of the hand-tuned loop": seen[
                "netwise / tuned"
            ]
            <= promised["tuned"],
            f"watched at most {promised['watched']} times": seen["watched / netwise"]
            <= promised["watched"],
        }
        for text, held in kept.items():
            print(f"  {'kept  ' if held else 'BROKEN'} {text}")
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
            "machine": platform.processor() or platform.machine(),
            "results": told,
        }
        Path(arguments[arguments.index("--json") + 1]).write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
