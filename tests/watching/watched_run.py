"""Run folders of watched programs for tests, made without a program."""

from __future__ import annotations

import math
from pathlib import Path

import netwise as nw
from netwise.history import Provenance, RunEnd
from netwise.watching.run_files import RunFiles
from netwise.wiring import LossTerm, Wiring

PROGRAM = {
    "name": "train.py",
    "command": ["python", "train.py", "--epochs", "3"],
    "script": "/home/me/train.py",
    "sha256": "ab" * 32,
    "folder": "/home/me",
    "model": "Net",
    "versions": {"python": "3.11", "torch": "2.13"},
}
ROWS = [
    {"step": step, "loss": 2.3 * math.exp(-step / 20), "gradient.rms|fc": 0.1 / (step + 1)}
    for step in range(40)
]


def history(ended: RunEnd = RunEnd("finished", "40 steps were recorded.", 40)) -> nw.History:
    """Of a small classifier that learns."""
    return nw.History.from_rows(
        ROWS,
        (nw.Layer("fc", "Linear", 4, 3),),
        nw.RunFacts(task="classification", classes=3, loss_of_guessing=2.3, batch_size=16),
        ended,
        Provenance(versions={"python": "3.11", "torch": "2.13"}, seconds=1.5),
        Wiring(
            "Net",
            ("SGD",),
            trainable=2,
            frozen=tuple(f"layer{i}.weight" for i in range(10)),
            losses=(LossTerm("cross entropy", place="train.py:31", chain=("LogSoftmax", "Addmm")),),
            not_observed={"linear": "the module is compiled"},
        ),
    )


def write_watched_run(folder: Path, **program: object) -> Path:
    """A folder as a program that has ended leaves it."""
    files = RunFiles(folder, {**PROGRAM, **program})
    files.append(ROWS)
    files.close(history())
    return folder
