"""How long commands take to start, beside importing torch and building the same network.

    scripts/bench start                all commands, about two minutes
    scripts/bench start --json FILE    also write the numbers, and the table as Markdown

A time is CPU time of a fresh process and of what it waits for, the median over the rounds; a ratio
is the median over the rounds of the ratio to torch in the same round. Modules are compiled before
the first round, as an installed package is. "first step" ends a run after its first steps.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from statistics import median

import torch
from watch import processor, versions  # beside this file

ROUNDS = 3
END = "import os\nos._exit(0)\n"  # at once, as the first step does
TORCH = "import torch, and a network of the same layers"
BUILD = """
import torch
torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
"""
OWN_STEP = (
    BUILD.replace("torch.nn.Seq", "model = torch.nn.Seq")
    + """
optimizer = torch.optim.Adam(model.parameters(), fused=True)
torch.nn.functional.cross_entropy(model(torch.rand(32, 64)), torch.randint(10, (32,))).backward()
optimizer.step()
"""
)
FIRST_STEP = """
import os
from netwise.cli import display, main
display.PlainDisplay.step = lambda display, done: os._exit(0)
main(["train", "digits", "--epochs", "1"])
"""
COMMANDS = {
    TORCH: ["-c", BUILD + END],
    "the first step of a loop of torch": ["-c", OWN_STEP + END],
    "netwise train digits, first step": ["-c", FIRST_STEP],
    "import netwise": ["-c", "import netwise"],
    "netwise --help": ["-m", "netwise", "--help"],
    "netwise train digits --epochs x (a usage error)": [
        *("-m", "netwise", "train", "digits", "--epochs", "x")
    ],
}


def seconds(command: list[str], folder: str) -> float:
    """CPU seconds of a fresh process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**environment, "OMP_NUM_THREADS": "1", "PYTHONPYCACHEPREFIX": f"{folder}/compiled"},
        capture_output=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured() -> dict[str, dict[str, float]]:
    """CPU seconds of each command, and their ratio to importing torch."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS + 1):
            for name, command in COMMANDS.items():
                found = seconds(command, folder)
                if number:
                    times[name].append(found)
    return {
        name: {
            "seconds": round(median(values), 3),
            "ratio": round(median(a / b for a, b in zip(values, times[TORCH], strict=True)), 3),
        }
        for name, values in times.items()
    }


def main(arguments: list[str]) -> None:
    load = os.getloadavg()[0]
    results = measured()
    lines = [
        f"| {name} | {row['seconds']:.2f} | {row['ratio']:.2f} |" for name, row in results.items()
    ]
    table = ["| | CPU seconds | of torch alone |", "|---|---:|---:|", *lines]
    print("\n".join(table))
    if "--json" in arguments:
        file = Path(arguments[arguments.index("--json") + 1])
        made = {
            "date": date.today().isoformat(),
            "versions": versions(),
            "machine": processor(),
            "load when it began": round(load, 1),
            "results": results,
        }
        file.write_text(json.dumps(made, indent=1) + "\n")
        head = (
            "# How long commands take to start\n\nFrom `scripts/bench start --json "
            f"benchmarks/start.json`, torch {torch.__version__}. CPU time of fresh\n"
            f"processes. The load of the machine was {load:.1f} when it began: times are longer "
            "than alone,\nratios hardly.\n\n"
        )
        file.with_suffix(".md").write_text(head + "\n".join(table) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
