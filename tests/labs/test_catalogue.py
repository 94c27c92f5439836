"""The catalogue of claims lists every lab, and reading it loads no torch."""

from __future__ import annotations

import subprocess
import sys

import netwise as nw
from netwise.labs.catalogue import CLAIMS


def test_the_catalogue_lists_every_lab_in_order() -> None:
    assert [(lab.name, lab.claim) for lab in nw.LABS] == list(CLAIMS.items())


def test_the_catalogue_and_recorded_results_are_read_without_torch() -> None:
    code = (
        "import sys\nfrom netwise.labs.catalogue import CLAIMS\n"
        "from netwise.labs.record import recorded\n"
        "print(len([recorded(name) for name in CLAIMS]))\n"
        "assert not {'torch', 'numpy', 'optuna'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == f"{len(nw.LABS)}\n", done.stderr
