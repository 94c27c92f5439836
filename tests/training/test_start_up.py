"""What is imported before the first step of a run: no package that a step does not need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CODE = """
import os, sys
from netwise.cli import main
from netwise.training.step import Stepper

take = Stepper.take

def then_list_modules(*args):
    take(*args)
    print("loaded", *sys.modules, flush=True)
    os._exit(0)

Stepper.take = then_list_modules
main(["train", "digits", "--epochs", "1"])
"""
NOT_NEEDED = {
    "numpy.ma",  # of `numpy.unique`
    *("sklearn", "scipy", "pandas", "polars", "matplotlib", "joblib", "optuna", "PIL"),
    *("torch._dynamo", "torch._inductor", "sympy"),
    *("netwise.diagnosis", "netwise.trials", "netwise.observe.observer", "netwise.labs"),
    *("netwise.data.tables.reading", "netwise.data.streams.stream", "netwise.recipe.script"),
    *("netwise.networks.convnet", "netwise.networks.energy.machine", "netwise.data.image_files"),
    "netwise.parts.augment.geometric",
}


def test_the_first_steps_load_no_package_that_they_do_not_need(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    loaded = done.stdout.splitlines()[-1].split()
    assert loaded[0] == "loaded", done.stderr
    assert not NOT_NEEDED & set(loaded)
