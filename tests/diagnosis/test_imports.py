"""`netwise.diagnosis` reads histories only: it loads neither torch nor what trains or treats."""

from __future__ import annotations

import json
import subprocess
import sys

import netwise as nw

MOST_MODULES = 22  # besides those that become more with every new rule and kind of error
RULES = ("netwise.diagnosis.rules.", "netwise.diagnosis.error_kinds.")
LOADED = "import json, sys, netwise.diagnosis as d; print(json.dumps(sorted(sys.modules)))"
DIAGNOSE = """
import sys
from netwise.diagnosis import diagnose
from netwise.history import History
print(diagnose(History.from_rows([])).found, "torch" in sys.modules)
"""


def output_of(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_importing_diagnosis_loads_few_modules() -> None:
    loaded = json.loads(output_of(LOADED))
    ours = [n for n in loaded if n.split(".")[0] == "netwise" and not n.startswith(RULES)]
    assert len(ours) <= MOST_MODULES, ours
    for heavy in ("torch", "numpy", "netwise.training", "netwise.treatment", "netwise.parts"):
        assert heavy not in loaded


def test_a_history_is_diagnosed_without_torch() -> None:
    assert output_of(DIAGNOSE) == "() False\n"


def test_a_run_is_diagnosed_like_its_history(sick_run: nw.Run) -> None:
    assert nw.diagnose(sick_run) == nw.diagnose(sick_run.history)
