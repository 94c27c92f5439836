"""The catalogue of claims lists every lab, and reading it loads no torch."""

from __future__ import annotations

import subprocess
import sys

import netwise as nw
from netwise.labs.catalogue import find_labs, lab_texts


def test_the_catalogue_lists_every_lab_in_order() -> None:
    assert [(lab.name, lab.text) for lab in nw.LABS] == list(lab_texts().items())


def test_the_catalogue_and_recorded_results_are_read_without_torch() -> None:
    code = (
        "import sys\nfrom netwise.labs.catalogue import lab_texts\n"
        "from netwise.labs.record import recorded\n"
        "print(len([recorded(name) for name in lab_texts()]))\n"
        "assert not {'torch', 'numpy', 'optuna'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == f"{len(nw.LABS)}\n", done.stderr


def test_a_lab_is_found_by_its_words_in_any_order() -> None:
    assert list(find_labs("grid RANDOM beats")) == ["L58"]
    assert find_labs("no lab has these words") == {}
    assert set(find_labs("Hopfield")) >= {"L18", "L19"}
