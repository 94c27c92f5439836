"""Measures that need netwise to run, each in a fresh process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.source import ROOT

_MODULES = """
import json, sys
import netwise.diagnosis
print(json.dumps(sorted(name for name in sys.modules if name.split(".")[0] == "netwise")))
"""

_NAMES = """
import json
import netwise
print(json.dumps(sorted(netwise.__all__)))
"""

# Counts by wrapping methods of classes, which keep their names better than functions do:
# `read` of all data sets (the outermost call only: a view reads the set below it), `load`,
# `fit` of a preprocessing step that the recipe is given, and the first rule of the diagnosis.
_PREPARATIONS = """
import functools, gc, json, sys
import netwise.cli
import netwise.data, netwise.recipe
import netwise as nw

counts = {"read": 0, "load": 0, "fits": [], "diagnoses": 0}
depth = [0]

def below(cls):
    found = [cls]
    for each in cls.__subclasses__():
        found += below(each)
    return found

def root_of(cls, method):
    return [each for each in cls.__mro__ if hasattr(each, method)][-1]

def reading(original):
    @functools.wraps(original)
    def read(self, *args, **kwargs):
        counts["read"] += depth[0] == 0
        depth[0] += 1
        try:
            return original(self, *args, **kwargs)
        finally:
            depth[0] -= 1
    return read

def loading(original):
    @functools.wraps(original)
    def load(self, *args, **kwargs):
        counts["load"] += depth[0] == 0
        return original(self, *args, **kwargs)
    return load

def fitting(original):
    @functools.wraps(original)
    def fit(self, x, *args, **kwargs):
        counts["fits"].append(len(x))
        return original(self, x, *args, **kwargs)
    return fit

data = nw.data.digits()
rows = len(data.load().train)
for cls in set(below(root_of(type(data), "read"))):
    if "read" in vars(cls):
        cls.read = reading(cls.read)
    if "load" in vars(cls):
        cls.load = loading(cls.load)
nw.Standardise.fit = fitting(nw.Standardise.fit)
rule = next(rule for rule in nw.RULES if not rule.own_loops)
original = rule.find
def find(history):
    counts["diagnoses"] += 1
    return original(history)
object.__setattr__(rule, "find", find)
for cached in [each for each in gc.get_objects() if isinstance(each, functools._lru_cache_wrapper)]:
    if (getattr(cached, "__module__", None) or "").startswith("netwise."):
        cached.cache_clear()

step = '[{kind = "Standardise"}]'
netwise.cli.main(
    ["train", "digits", "--epochs", "1", "--set", "preprocess=" + step], standalone_mode=False
)
counts["whole"] = sum(each == rows for each in counts["fits"])
counts["fits"] = len(counts["fits"])
print()
print(json.dumps(counts))
"""


def _answer(code: str, folder: Path = ROOT) -> Any:
    """The last line that a program prints in a fresh process, read as JSON."""
    places = [str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(
            f"the measuring process ended with {done.returncode}; run it by hand to see why:\n"
            f"{done.stderr[-2000:]}"
        )
    return json.loads(done.stdout.strip().splitlines()[-1])


def loaded_modules() -> list[str]:
    """Modules of netwise after `import netwise.diagnosis`, the top package counted."""
    found: list[str] = _answer(_MODULES)
    return found


def public_names() -> list[str]:
    """The names in `netwise.__all__`."""
    found: list[str] = _answer(_NAMES)
    return found


def preparations() -> dict[str, int]:
    """What `netwise train digits --epochs 1` does to its data.

    The recipe is given one preprocessing step, `Standardise`, so that each preparation calls `fit`.

    Returns:
        read: calls of `Data.read`: files read or arrays made anew.
        load: calls of `Data.load`, most of them answered from a cache.
        fits: calls of `Standardise.fit`, on the whole training part or on some rows of it.
        whole: those on the whole training part.
        diagnoses: how often the first rule about runs of `fit` was asked.
    """
    with tempfile.TemporaryDirectory() as folder:
        found: dict[str, int] = _answer(_PREPARATIONS, Path(folder))
    return found
