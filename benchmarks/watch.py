"""What it costs to observe a training loop: `nw.watch`, beside W&B's and Lightning's own watching.

    scripts/bench watch                    all networks, about a quarter of an hour
    scripts/bench watch "784-30-10"        those whose name contains the text
    scripts/bench watch --json FILE        also write the numbers, and the tables as Markdown

A time is CPU time of the thread that trains, with one thread. All contestants of a network train
one module in one process, in rounds of a rotating order. A ratio is the median over the rounds of
the ratio to the bare loop in the same round: the speed of a shared machine changes from second to
second, and minima of equal loops differ by several percent. "bare again" is the bare loop a second
time and shows the noise.

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
from watch_peers import own_loop, peers, recorded_steps  # beside this file

import netwise as nw
from netwise.training.threads import cores

BARE, AGAIN = "bare", "bare again"
UNWATCHED, EACH = "not watched", "every step watched"
DEFAULT, EXPLICIT = "nw.watch()", "nw.watch(), w.step"
RUN = 2_000  # steps of a run in which the default sampling is timed
SHORT_RUN, FIRST = 30, 10  # steps of a run that times one step; the first ones are not counted
NEVER = 10**9  # `every`, so that no step but the first ones is watched
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
        short_rounds, long_rounds: rounds of short runs, and of runs of `RUN` steps; 0: none.
        promised: highest ratio to the bare loop of a step that is not watched, and of a run with
            the default sampling; None where nothing is promised.
    """

    network: Callable[[], nn.Module]
    inputs: tuple[int, ...]
    batch: int
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
    "784-30-10, batch 10": Setting(small, (784,), 10, 300, 5, (1.06, 1.15)),
    "784-4x256-10, batch 32": Setting(deep, (784,), 32, 60, 3, (None, 1.05)),
    "784-256-256-10, batch 128": Setting(large, (784,), 128, 80, 0, (1.01, None)),
    "LeNet, batch 128": Setting(lenet, (1, 28, 28), 128, 20, 0, (1.01, None)),
}


# ---- Loops and contestants


def train(
    model: nn.Module, batches: Batches, steps: int, first: int, after_backward: Step | None = None
) -> float:
    """CPU seconds of the thread for the steps from `first` on of a plain training loop."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss()
    begun = time.thread_time()
    for number in range(steps):
        if number == first:
            begun = time.thread_time()
        x, y = batches[number % len(batches)]
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        if after_backward is not None:
            after_backward(loss, y)
        optimizer.step()
    return time.thread_time() - begun


@dataclass(frozen=True)
class Timed:
    """CPU seconds of a run, and how many steps of it were recorded."""

    seconds: float
    rows: int = 0


Contestant = Callable[[nn.Module, Batches, int, int], Timed]


def bare(model: nn.Module, batches: Batches, steps: int, first: int) -> Timed:
    return Timed(train(model, batches, steps, first))


def watched(every: int | None = None, explicit: bool = False) -> Contestant:
    """The bare loop inside of `with nw.watch():`."""

    def run(model: nn.Module, batches: Batches, steps: int, first: int) -> Timed:
        with nw.watch(every=every) as w:
            seconds = train(model, batches, steps, first, w.step if explicit else None)
        for error in w.errors:
            print("  error of the observer:", error, file=sys.stderr)
        return Timed(seconds, recorded_steps(w.history()))

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
    contestants: dict[str, Contestant], setting: Setting, number: int, steps: int, first: int
) -> Iterator[dict[str, Timed]]:
    """Each round runs all contestants once, in a rotating order.

    All train the same module from the same weights: the place of weights in memory alone can
    change a time by several percent.
    """
    batches, names, model = setting.batches(), list(contestants), setting.network()
    start = {name: value.clone() for name, value in model.state_dict().items()}
    for turn in range(number):
        timed = {}
        for name in (*names[turn % len(names) :], *names[: turn % len(names)]):
            model.load_state_dict(start)
            timed[name] = contestants[name](model, batches, steps, first)
        yield {name: timed[name] for name in names}


def summary(results: list[dict[str, Timed]], steps: int) -> dict[str, dict[str, float]]:
    """Microseconds of a step by contestant, and ratios to the bare loop or, for watching inside of
    another package, to the loop of that package."""
    table: dict[str, dict[str, float]] = {}
    for name in results[0]:
        base = own_loop(name) or BARE
        mine, others = ([result[each].seconds for result in results] for each in (name, base))
        table[name] = {
            "minimum, microseconds": 1e6 * min(mine) / steps,
            "median, microseconds": 1e6 * median(mine) / steps,
            "ratio": median(a / b for a, b in zip(mine, others, strict=True)),
            "ratio of minima": min(mine) / min(others),
            "recorded steps": results[-1][name].rows,
        }
    return table


def step_times(setting: Setting) -> dict[str, dict[str, float]]:
    """The cost of one step, watched or not."""
    found = list(rounds(SHORT, setting, setting.short_rounds, SHORT_RUN, FIRST))
    return summary(found, SHORT_RUN - FIRST)


def run_times(setting: Setting, contestants: dict[str, Contestant]) -> dict[str, dict[str, float]]:
    """The cost of a run of `RUN` steps."""
    return summary(list(rounds(contestants, setting, setting.long_rounds, RUN, 0)), RUN)


def resident_memory() -> float:
    """MiB of memory that the process has now; where the system does not say, had at most."""
    import resource  # only on Unix

    now = Path("/proc/self/statm")
    if now.exists():
        return int(now.read_text().split()[1]) * resource.getpagesize() / 2**20
    bytes_of_unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * bytes_of_unit / 2**20


def memory(observed: bool) -> list[float]:
    """Memory of a fresh process in MiB, after each tenth of 20,000 steps."""
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
                sizes.append(round(resident_memory(), 1))
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
            f"  {name:42s}{row['median, microseconds']:9.1f} us{row['ratio']:8.3f}"
            f"   (minima {row['ratio of minima']:.3f})   {row['recorded steps']:.0f} recorded",
            flush=True,
        )


def promises(setting: Setting, result: dict[str, Any]) -> None:
    step, run = setting.promised
    for name, limit, table in ((UNWATCHED, step, "step"), (DEFAULT, run, "run")):
        if limit is not None:
            ratio = result[table][name]["ratio"]
            word = "met    " if ratio <= limit else "NOT MET"
            print(f"  {word} {name}: {ratio:.3f}, at most {limit}")


HEAD = """# What it costs to observe a training loop

From `scripts/bench watch --json benchmarks/watch.json`; that file has times and versions. CPU time
of the training thread, with one thread: the median ratio to the bare loop in the same round. *Bare
again* is the bare loop a second time, which shows the noise.
"""


def markdown(made: dict[str, Any]) -> str:
    """The tables of a result, as Markdown."""
    results: dict[str, dict[str, Any]] = made["results"]
    lines = [
        *HEAD.splitlines(),
        "",
        "One step:",
        "",
        "| network | bare | bare again | not watched | watched |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, result in results.items():
        step = result["step"]
        ratios = " | ".join(f"{step[each]['ratio']:.3f}" for each in (AGAIN, UNWATCHED, EACH))
        lines.append(f"| {name} | {step[BARE]['median, microseconds']:.0f} us | {ratios} |")
    runs = {name: result["run"] for name, result in results.items() if "run" in result}
    names = list(dict.fromkeys(each for run in runs.values() for each in run))
    lines += [
        "",
        f"A run of {RUN:,} steps; in brackets the number of recorded steps. Watching inside of W&B",
        "and Lightning is compared with their own loops, which log the loss:",
        "",
        "| | " + " | ".join(runs) + " |",
        "|---|" + "---:|" * len(runs),
    ]
    for each in names:
        cells = []
        for run in runs.values():
            row = run.get(each)
            rows = f" ({row['recorded steps']:.0f})" if row and row["recorded steps"] else ""
            cells.append(f"{row['ratio']:.3f}{rows}" if row else "")
        lines.append(f"| {each} | " + " | ".join(cells) + " |")
    if made.get("memory"):
        lines += ["", f"Memory over {MEMORY_STEPS:,} steps of 784-30-10, batch 10:", ""]
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
    for reason in left_out:
        print(reason, file=sys.stderr)
    results: dict[str, dict[str, Any]] = {}
    for name, setting in SETTINGS.items():
        if chosen not in name:
            continue
        result = results[name] = {"step": step_times(setting)}
        shown(f"{name}: one step", result["step"])
        if setting.long_rounds:
            result["run"] = run_times(setting, {**LONG, **others})
            shown(f"{name}: a run of {RUN:,} steps", result["run"])
        promises(setting, result)
    sizes = {"bare": in_fresh_process(False), "nw.watch()": in_fresh_process(True)}
    print(f"memory over {MEMORY_STEPS:,} steps, MiB:", sizes)
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
