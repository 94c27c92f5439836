"""What it costs to observe a training loop: `nw.watch`, beside W&B's and Lightning's own watching.

    scripts/bench watch                    all networks, about a quarter of an hour
    scripts/bench watch "784-30-10"        those whose name contains the text
    scripts/bench watch --json FILE        also write the numbers, and the tables as Markdown

A time is CPU time of the thread that trains, with one thread. All contestants of a network run in
one process, in rounds of a rotating order; "bare again" is the bare loop a second time and shows
the noise. Other load on the machine makes runs slower and never faster, so ratios are of minima
over the rounds; those of medians are in the JSON file.

W&B and Lightning are timed where they are installed (`pip install -r benchmarks/peers.txt`).
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from watch_peers import own_loop, peers  # beside this file

import netwise as nw
from netwise.training.threads import cores

BARE, AGAIN = "bare", "bare again"
UNWATCHED, EACH = "not watched", "every step watched"
DEFAULT, EXPLICIT = "nw.watch()", "nw.watch(), w.step"
RUN = 2_000  # steps of a run in which the default sampling is timed
CHUNKS = 100  # parts of a run: times are taken for each
NEVER = 10**9  # `every`, so that no step of a short run but the first ones is watched
MEMORY_STEPS = 20_000
Batches = list[tuple[Tensor, Tensor]]
Step = Callable[[Tensor, Tensor], None]


@dataclass(frozen=True)
class Setting:
    """A network and how it is timed.

    Args:
        network: makes the module.
        inputs: shape of one sample.
        batch: samples of a batch.
        steps: of a short run, which times one step; the first tenth is not counted.
        short_rounds, long_rounds: rounds of short runs, and of runs of `RUN` steps.
        promised: highest ratio to the bare loop of a step that is not watched, and of a run with
            the default sampling; None where nothing is promised.
    """

    network: Callable[[], nn.Module]
    inputs: tuple[int, ...]
    batch: int
    steps: int
    short_rounds: int
    long_rounds: int
    promised: tuple[float | None, float | None]

    def batches(self, number: int = 20) -> Batches:
        """Random inputs and class numbers."""
        g = torch.Generator().manual_seed(0)
        return [
            (
                torch.rand(self.batch, *self.inputs, generator=g),
                torch.randint(10, (self.batch,), generator=g),
            )
            for _ in range(number)
        ]


def mlp(*widths: int) -> nn.Module:
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def lenet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        mlp(400, 120, 84, 10),
    )


def small() -> nn.Module:
    return mlp(784, 30, 10)


def large() -> nn.Module:
    return mlp(784, 256, 256, 10)


def deep() -> nn.Module:
    return mlp(784, 256, 256, 256, 256, 10)


SETTINGS = {
    "784-30-10, batch 10": Setting(small, (784,), 10, 400, 60, 12, (1.06, 1.15)),
    "784-4x256-10, batch 32": Setting(deep, (784,), 32, 200, 30, 6, (None, 1.05)),
    "784-256-256-10, batch 128": Setting(large, (784,), 128, 100, 30, 4, (1.01, None)),
    "LeNet, batch 128": Setting(lenet, (1, 28, 28), 128, 40, 20, 2, (1.01, None)),
}


# ---- Loops and contestants


def train(
    model: nn.Module, batches: Batches, steps: int, chunks: int, after_backward: Step | None = None
) -> list[float]:
    """CPU seconds of the thread for each of so many equal parts of a plain training loop."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss()
    seconds = []
    for part in range(chunks):
        begun = time.thread_time()
        for number in range(part * steps // chunks, (part + 1) * steps // chunks):
            x, y = batches[number % len(batches)]
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            if after_backward is not None:
                after_backward(loss, y)
            optimizer.step()
        seconds.append(time.thread_time() - begun)
    return seconds


@dataclass(frozen=True)
class Timed:
    """CPU seconds of the parts of one run, and how many steps of it were recorded."""

    seconds: list[float]
    rows: int = 0


Contestant = Callable[[Setting, Batches, int, int], Timed]


def bare(setting: Setting, batches: Batches, steps: int, chunks: int) -> Timed:
    torch.manual_seed(0)
    return Timed(train(setting.network(), batches, steps, chunks))


def watched(every: int | None = None, explicit: bool = False) -> Contestant:
    """The bare loop inside of `with nw.watch():`."""

    def run(setting: Setting, batches: Batches, steps: int, chunks: int) -> Timed:
        torch.manual_seed(0)
        model = setting.network()
        with nw.watch(every=every) as w:
            seconds = train(model, batches, steps, chunks, w.step if explicit else None)
        losses = w.history().of("loss")
        if w.errors:
            print("  errors of the observer:", *w.errors, file=sys.stderr)
        return Timed(seconds, 0 if losses is None else len(losses))

    return run


SHORT: dict[str, Contestant] = {
    BARE: bare,
    AGAIN: bare,
    UNWATCHED: watched(every=NEVER),
    EACH: watched(every=1),
}
LONG: dict[str, Contestant] = {
    BARE: bare,
    AGAIN: bare,
    DEFAULT: watched(),
    EXPLICIT: watched(explicit=True),
}


# ---- Measurement


def rounds(
    contestants: dict[str, Contestant], setting: Setting, number: int, steps: int, chunks: int
) -> Iterator[dict[str, Timed]]:
    """Each round runs all contestants once, in a rotating order; a round before is not counted."""
    batches, names = setting.batches(), list(contestants)
    for turn in range(number + 1):
        order = (*names[turn % len(names) :], *names[: turn % len(names)])
        timed = {name: contestants[name](setting, batches, steps, chunks) for name in order}
        if turn:
            yield {name: timed[name] for name in names}


def summary(results: list[dict[str, Timed]], first: int, steps: int) -> dict[str, dict[str, float]]:
    """Microseconds of a step by contestant, and ratios to the bare loop or, for watching inside of
    another package, to the loop of that package.

    A minimum is the sum over the parts of a run, from part `first`, of the least time of each part
    in all rounds; a median is that of whole runs.
    """
    table: dict[str, dict[str, float]] = {}
    for name in results[0]:
        runs = [result[name].seconds[first:] for result in results]
        counted = steps * len(runs[0]) / len(results[0][name].seconds)
        table[name] = {
            "minimum": 1e6 * sum(map(min, zip(*runs, strict=True))) / counted,
            "median": 1e6 * median(map(sum, runs)) / counted,
            "rows": results[-1][name].rows,
        }
    for name, row in table.items():
        base = table[own_loop(name) or BARE]
        row["ratio"] = row["minimum"] / base["minimum"]
        row["ratio of medians"] = row["median"] / base["median"]
    return table


def step_times(setting: Setting) -> dict[str, dict[str, float]]:
    """The cost of one step, watched or not."""
    found = list(rounds(SHORT, setting, setting.short_rounds, setting.steps, 10))
    return summary(found, 1, setting.steps)


def run_times(setting: Setting, contestants: dict[str, Contestant]) -> dict[str, dict[str, float]]:
    """The cost of a run of `RUN` steps."""
    found = list(rounds(contestants, setting, setting.long_rounds, RUN, CHUNKS))
    return summary(found, 0, RUN)


def resident() -> float:
    """MiB of memory that the process has now."""
    import psutil

    return psutil.Process().memory_info().rss / 2**20


def memory(observed: bool) -> list[float]:
    """MiB of resident memory of a fresh process, after each tenth of 20,000 steps."""
    torch.set_num_threads(1)
    setting = SETTINGS["784-30-10, batch 10"]
    model, batches, sizes = setting.network(), setting.batches(), list[float]()
    optimizer, criterion = torch.optim.SGD(model.parameters(), lr=0.01), nn.CrossEntropyLoss()
    block: AbstractContextManager[object] = nw.watch() if observed else nullcontext()
    with block:
        for number in range(MEMORY_STEPS):
            x, y = batches[number % len(batches)]
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()
            if (number + 1) % (MEMORY_STEPS // 10) == 0:
                sizes.append(round(resident(), 1))
    return sizes


def in_fresh_process(observed: bool) -> list[float]:
    command = [sys.executable, __file__, "--memory", "observed" if observed else "bare"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return list(map(float, answer.split()))


# ---- Results


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("torch", "netwise", "wandb", "lightning"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def processor() -> str:
    """The name of the CPU, where the system gives it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = (line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def shown(title: str, table: dict[str, dict[str, float]]) -> None:
    print(title)
    for name, row in table.items():
        print(
            f"  {name:44s}{row['minimum']:10.1f} us{row['ratio']:8.3f}"
            f"   (medians {row['ratio of medians']:.3f})   rows {row['rows']:.0f}",
            flush=True,
        )


def promises(setting: Setting, result: dict[str, Any]) -> None:
    step, run = setting.promised
    for name, limit, table in ((UNWATCHED, step, "step"), (DEFAULT, run, "run")):
        if limit is not None:
            ratio = result[table][name]["ratio"]
            word = "met    " if ratio <= limit else "NOT MET"
            print(f"  {word} {name}: {ratio:.3f}, at most {limit}")


def markdown(made: dict[str, Any]) -> str:
    """The tables of a result, as Markdown."""
    results: dict[str, dict[str, Any]] = made["results"]
    lines = [
        "# What it costs to observe a training loop",
        "",
        "From `scripts/bench watch --json benchmarks/watch.json`; that file has times, medians and",
        "versions. CPU time of the training thread, with one thread: ratios of minima to the bare",
        "loop. *Bare again* is the bare loop a second time, which shows the noise.",
        "",
        "One step:",
        "",
        "| network | bare | bare again | not watched | watched |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, result in results.items():
        step = result["step"]
        ratios = " | ".join(f"{step[each]['ratio']:.3f}" for each in (AGAIN, UNWATCHED, EACH))
        lines.append(f"| {name} | {step[BARE]['minimum']:.0f} us | {ratios} |")
    names = list(dict.fromkeys(each for result in results.values() for each in result["run"]))
    lines += [
        "",
        f"A run of {RUN:,} steps, with the number of steps that were recorded in brackets:",
        "",
        "| | " + " | ".join(results) + " |",
        "|---|" + "---:|" * len(results),
    ]
    for each in names:
        cells = []
        for result in results.values():
            row = result["run"].get(each)
            rows = f" ({row['rows']:.0f})" if row and row["rows"] else ""
            cells.append(f"{row['ratio']:.3f}{rows}" if row else "")
        lines.append(f"| {each} | " + " | ".join(cells) + " |")
    if made.get("memory"):
        lines += ["", f"Resident memory over {MEMORY_STEPS:,} steps of 784-30-10, batch 10:", ""]
        for name, sizes in made["memory"].items():
            lines.append(f"- {name}: {sizes[0]:.1f} MiB after a tenth, {sizes[-1]:.1f} at the end")
    lines += ["", *(f"- left out: {reason}" for reason in made["left out"])]
    return "\n".join(lines).rstrip() + "\n"


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--memory"]:
        print(*memory(arguments[1] == "observed"))
        return
    torch.set_num_threads(1)
    file = Path(arguments[arguments.index("--json") + 1]) if "--json" in arguments else None
    chosen = "" if not arguments or arguments[0] == "--json" else arguments[0]
    others, left_out = peers()
    print(*left_out, sep="\n", file=sys.stderr)
    results: dict[str, dict[str, Any]] = {}
    for name, setting in SETTINGS.items():
        if chosen not in name:
            continue
        result = results[name] = {"step": step_times(setting)}
        shown(f"{name}: one step", result["step"])
        result["run"] = run_times(setting, {**LONG, **others})
        shown(f"{name}: a run of {RUN:,} steps", result["run"])
        promises(setting, result)
    sizes = {"bare": in_fresh_process(False), "nw.watch()": in_fresh_process(True)}
    print("MiB over 20,000 steps:", sizes)
    made = {
        "date": date.today().isoformat(),
        "versions": versions(),
        "cores": cores(),
        "machine": processor(),
        "results": results,
        "memory": sizes,
        "left out": left_out,
    }
    if file is not None:
        file.write_text(json.dumps(made, indent=1) + "\n")
        file.with_suffix(".md").write_text(markdown(made))


if __name__ == "__main__":
    main(sys.argv[1:])
