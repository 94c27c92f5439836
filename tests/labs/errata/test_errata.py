"""Every erratum has a check, which contradicts what is printed and agrees with what is right."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from netwise.labs.catalogue import lab_texts
from netwise.labs.errata.checks import CHECKS, check_erratum
from netwise.labs.errata.erratum import errata


def test_every_erratum_has_a_check() -> None:
    assert list(CHECKS) == list(errata()) == [f"E{i:02d}" for i in range(1, 29)]


@pytest.mark.parametrize("name", CHECKS)
def test_the_check_decides(name: str) -> None:
    check = check_erratum(name)
    assert check.printed_fails
    assert check.right_holds
    assert check.measured
    assert np.isfinite(list(check.measured.values())).all()


def test_labs_of_errata_name_them() -> None:
    for name, text in lab_texts().items():
        if text.erratum:
            assert text.erratum in errata(), name


def test_errata_are_listed_without_torch() -> None:
    code = (
        "import sys\nfrom netwise.labs.errata.erratum import errata\nprint(len(errata()))\n"
        "assert not {'torch', 'numpy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "28\n", done.stderr
