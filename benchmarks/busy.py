"""Steps beside other busy processes, by how the threads of an operation wait for each other.

    scripts/bench busy               print milliseconds of a step
    scripts/bench busy --json FILE   also write them

A step of 784-256-128-10, batch 128, Adam, in fresh processes that take turns: OpenMP reads its
settings when torch is loaded. Times are of the clock: waiting for a core is what counts. Others
are as many loops of Python as it says, and whatever else the machine does (`busy at the start`).
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from statistics import median

from netwise.training.other_load import used_by_others
from netwise.training.waiting_threads import POLICY

SECONDS, ROUNDS = 2.0, 3
SETTINGS: dict[str, tuple[int, dict[str, str]]] = {
    "one thread": (1, {}),
    "all cores, as torch is set": (0, {}),
    "all cores, threads sleep": (0, {POLICY: "PASSIVE"}),
    "all cores, short spinning": (0, {"GOMP_SPINCOUNT": "1000"}),
}
UNSET = (POLICY, "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_NUM_THREADS")


def steps(threads: int) -> list[float]:
    """Milliseconds of each step within `SECONDS`."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.set_num_threads(threads or len(os.sched_getaffinity(0)))
    layers = (nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
    model = nn.Sequential(*layers)
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    x, y = torch.randn(128, 784), torch.randint(10, (128,))
    times, ends = [], time.monotonic() + SECONDS
    while time.monotonic() < ends:
        begun = time.perf_counter()
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
        times.append(1e3 * (time.perf_counter() - begun))
    return times[1:] or times


def in_fresh_process(threads: int, policy: dict[str, str]) -> list[float]:
    plain = {name: value for name, value in os.environ.items() if name not in UNSET}
    command = [sys.executable, __file__, "--steps", str(threads)]
    out = subprocess.run(
        command, env={**plain, **policy}, check=True, capture_output=True, text=True
    ).stdout
    return list(map(float, out.split()))


def measure(others: int) -> dict[str, dict[str, float]]:
    """Times of each setting beside so many loops of Python."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(others)]
    try:
        times: dict[str, list[float]] = {name: [] for name in SETTINGS}
        for _ in range(ROUNDS):
            for name, (threads, policy) in SETTINGS.items():
                times[name] += in_fresh_process(threads, policy)
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    return {
        name: {"median": median(each), "mean": sum(each) / len(each), "least": min(each)}
        for name, each in times.items()
    }


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--steps"]:
        print(*steps(int(arguments[1])))
        return
    import torch
    from watch import processor

    at_start = used_by_others(1.0)
    results = {}
    for others in (0, 1, 2):
        result = results[f"{others} others"] = measure(others)
        print(f"{others} other processes")
        for name, row in result.items():
            print(
                f"  {name:28s} median {row['median']:8.2f} ms   mean {row['mean']:8.2f}"
                f"   least {row['least']:6.2f}",
                flush=True,
            )
    if "--json" in arguments:
        made = {
            "date": date.today().isoformat(),
            "versions": {"python": platform.python_version(), "torch": torch.__version__},
            "machine": processor(),
            "cores": len(os.sched_getaffinity(0)),
            "busy at the start": at_start,
            "results": results,
        }
        Path(arguments[arguments.index("--json") + 1]).write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
