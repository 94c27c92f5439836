"""Microseconds of a training step in netwise, plain loops, JAX and other libraries.

    scripts/bench peers                    all networks, about a quarter of an hour
    scripts/bench peers --quick            the dense networks in a few rounds, under 3 minutes
    scripts/bench peers "784-30-10"        those whose name contains the text
    scripts/bench peers --json FILE        also write the numbers, and the table as Markdown

The command makes an environment of its own, `.venv-peers`, from benchmarks/peers.txt; a library
that does not install is left out, with the reason. Each contestant is a process of its own, so that
none shares threads with another. They take turns in a rotating order, and each block is a training
of three epochs of which the first, which compiles and warms up, does not count. Blocks of netwise
count together, so that its steps are compiled from the second or third block on. Beside the time of
the clock is the CPU time of all threads. A ratio is the median over the rounds of the ratio within
a round, to the hand-tuned loop with one thread or all cores, whichever is faster.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import platform
import sys
import time
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from peer_loops import CONTESTANTS, EPOCHS, SAME, Task, Train  # beside this file

TASKS = {
    "784-30-10, batch 10, SGD": Task(widths=(784, 30, 10), batch=10, steps=2000),
    "784-256-128-10, batch 128, Adam": Task(
        widths=(784, 256, 128, 10), optimizer="Adam", steps=400
    ),
    "20 tanh layers of 100, batch 64, SGD": Task(
        widths=(784, *[100] * 20, 10), activation="tanh", batch=64, steps=300
    ),
    "autoencoder 784-256-64-256-784, batch 128, Adam": Task(
        widths=(784, 256, 64, 256, 784), targets=SAME, optimizer="Adam", steps=240
    ),
    "LeNet-5, batch 128, Adam": Task((1, 28, 28), "lenet", optimizer="Adam", steps=40),
    "LSTM 28 x 28, 128 units, batch 128, Adam": Task((28, 28), "lstm", optimizer="Adam", steps=40),
    "ResNet-20, batch 128, SGD": Task((3, 32, 32), "resnet20", steps=4),
}
ROUNDS, QUICK_ROUNDS, QUICK = 7, 3, 5
TUNED = ("hand-tuned, 1 thread", "hand-tuned, all cores")
Time = tuple[float, float]  # microseconds of a step, of the clock and of the CPU


def timed(train: Train, task: Task) -> Time:
    """One block, from the end of its first epoch to that of its last."""
    ends: list[Time] = []
    train(lambda: ends.append((time.perf_counter(), time.process_time())))
    steps = (EPOCHS - 1) * task.steps
    wall, cpu = (1e6 * (b - a) / steps for a, b in zip(ends[0], ends[-1], strict=True))
    return wall, cpu


def work(name: str, connection: Any) -> None:
    """The process of a contestant: gets a task, or None to train a block and time it."""
    make, train, task = CONTESTANTS[name][0], None, Task()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        while True:
            try:
                order = connection.recv()
            except EOFError:  # all is measured
                return
            try:
                if isinstance(order, Task):
                    task, train = order, make(order)
                    connection.send("")
                    continue
                connection.send(timed(train, task))
            except Exception as error:  # the table says it, and the others go on
                connection.send(f"{type(error).__name__}: {error}")


class Contestants:
    """The running processes, by name; `left_out` has the reasons for the others."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.left_out: dict[str, str] = {}
        self.pipes: dict[str, Any] = {}
        for name, (_, package) in CONTESTANTS.items():
            if package and find_spec(package) is None:
                self.left_out[name] = f"{package} is not installed"
                continue
            self.pipes[name], other = context.Pipe()
            context.Process(target=work, args=(name, other), daemon=True).start()

    def ask(self, name: str, order: Task | None) -> Any:
        self.pipes[name].send(order)
        return self.pipes[name].recv()

    def compare(self, task: Task, rounds: int) -> dict[str, list[Time]]:
        """Times of each contestant that can train the task, one of each round."""
        for pipe in self.pipes.values():
            pipe.send(task)
        reasons = {name: pipe.recv() for name, pipe in self.pipes.items()}
        times: dict[str, list[Time]] = {name: [] for name, reason in reasons.items() if not reason}
        for turn in range(rounds):
            names = list(times)
            shift = turn % max(1, len(names))
            for name in (*names[shift:], *names[:shift]):
                found = self.ask(name, None)
                if isinstance(found, str):
                    reasons[name] = found
                    del times[name]
                else:
                    times[name].append(found)
        for name, reason in reasons.items():
            if reason:
                print(f"  {name} is left out: {reason}")
        return times


def rows_of(times: dict[str, list[Time]]) -> dict[str, dict[str, float]]:
    """Medians and ratios, by contestant."""
    best = min(TUNED, key=lambda name: median(wall for wall, _ in times[name]))
    scan = times.get("JAX, scan")

    def ratio(ours: list[Time], theirs: list[Time], which: int) -> float:
        return median(a[which] / b[which] for a, b in zip(ours, theirs, strict=True))

    return {
        name: {
            "microseconds": median(wall for wall, _ in found),
            "CPU microseconds": median(cpu for _, cpu in found),
            "of best eager": ratio(found, times[best], 0),
            "of best eager, CPU": ratio(found, times[best], 1),
            **({"of JAX": ratio(found, scan, 0)} if scan else {}),
        }
        for name, found in times.items()
    }


def markdown(results: dict[str, Any]) -> str:
    """The table as Markdown."""
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    machine = f"{results['machine']}, {results['cores']} cores, load {results['load']:.1f}"
    what = """\
Microseconds of a step, and the ratio to the hand-tuned loop with one thread or all cores, whichever
is faster (medians of ratios within a round). CPU: of all threads together."""
    lines = [
        "# A training step in netwise and elsewhere",
        "",
        f"`scripts/bench peers` on {results['date']}: {machine} at the start. {versions}.",
        "",
        what,
    ]
    for name, rows in results["results"].items():
        lines += [
            "",
            f"## {name}",
            "",
            "| | µs | CPU µs | of best eager | CPU | of JAX |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
        ]
        for contestant, row in rows.items():
            of_jax = f"{row['of JAX']:.2f}" if "of JAX" in row else ""
            lines.append(
                f"| {contestant} | {row['microseconds']:,.0f} | {row['CPU microseconds']:,.0f} | "
                f"{row['of best eager']:.2f} | {row['of best eager, CPU']:.2f} | {of_jax} |"
            )
    left_out = [f"- {name}: {reason}" for name, reason in results["left out"].items()]
    return "\n".join([*lines, *(["", "Left out:", "", *left_out] if left_out else [])]) + "\n"


def versions() -> dict[str, str]:
    """Of Python and of each package that takes part."""
    found = {"Python": platform.python_version()}
    for package in ("torch", "netwise", *(each for _, each in CONTESTANTS.values() if each)):
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def main(arguments: list[str]) -> None:
    from watch import processor  # beside this file

    quick = "--quick" in arguments
    target = Path(arguments[arguments.index("--json") + 1]) if "--json" in arguments else None
    wanted = [each for each in arguments if not each.startswith("--") and each != str(target)]
    load = os.getloadavg()[0]
    contestants, results = Contestants(), {}
    for name, task in TASKS.items():
        if wanted and not any(text in name for text in wanted):
            continue
        if quick and task.network != "dense" and not wanted:
            continue
        if quick:
            task = Task(**{**vars(task), "steps": max(2, task.steps // QUICK)})
        print(name, flush=True)
        results[name] = rows_of(contestants.compare(task, QUICK_ROUNDS if quick else ROUNDS))
        for contestant, row in results[name].items():
            print(
                f"  {contestant:24s}{row['microseconds']:12,.0f} us{row['CPU microseconds']:12,.0f}"
                f" CPU us{row['of best eager']:8.2f} of best eager (CPU "
                f"{row['of best eager, CPU']:.2f})"
                + (f"{row['of JAX']:8.2f} of JAX" if "of JAX" in row else ""),
                flush=True,
            )
    for name, reason in contestants.left_out.items():
        print(f"{name} is left out: {reason}")
    if target is not None:
        made = {
            "date": date.today().isoformat(),
            "versions": versions(),
            "machine": processor(),
            "cores": len(os.sched_getaffinity(0)),
            "load": load,
            "results": results,
            "left out": contestants.left_out,
        }
        target.write_text(json.dumps(made, indent=1) + "\n")
        target.with_suffix(".md").write_text(markdown(made))


if __name__ == "__main__":
    main(sys.argv[1:])
