"""Imports without the garbage collector."""

from __future__ import annotations

import gc
import subprocess
import sys

from netwise.cli.quick_imports import quick_imports

CODE = """
import gc
from netwise.cli.quick_imports import quick_imports
try:
    with quick_imports():
        print(gc.isenabled())
        import torch
        raise KeyError
except KeyError:
    print(gc.isenabled(), gc.get_freeze_count() > 100_000)
"""


def test_nothing_is_collected_while_torch_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "True"]


def test_where_torch_is_there_the_collector_stays_as_it_is() -> None:
    import torch  # noqa: F401

    frozen = gc.get_freeze_count()
    with quick_imports():
        assert gc.isenabled()
    assert gc.get_freeze_count() == frozen
