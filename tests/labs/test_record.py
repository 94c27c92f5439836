"""Recorded results have the versions that computed them, and are read again as they were."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import torch

import netwise as nw
from netwise.labs.catalogue import LabText
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.labs.record import provenance, record, recorded


def test_a_result_is_read_as_it_was_recorded(tmp_path: Path) -> None:
    numbers = {"gain": 0.1 + 0.2, "none": float("nan")}
    result = LabResult(numbers, (Criterion("x", 1.0, True),), "", {"arm": "0123"}, (3,))
    lab = Lab[LabSettings]("L99", LabText("A claim."), lambda _: result)
    path = record(lab, result, tmp_path / "new")
    assert path == tmp_path / "new" / "L99.json"
    content = recorded("L99", tmp_path / "new")
    assert content is not None
    assert (content["lab"], content["claim"]) == ("L99", "A claim.")
    assert content["numbers"]["gain"] == 0.1 + 0.2  # to the last bit
    assert content["numbers"]["none"] != content["numbers"]["none"]
    assert {name: content[name] for name in ("verdict", "recipes", "seeds", "criteria")} == {
        name: result.plain()[name] for name in ("verdict", "recipes", "seeds", "criteria")
    }


def test_the_provenance_names_the_versions_in_use() -> None:
    made = provenance()
    assert made["date"] == date.today().isoformat()
    assert made["versions"]["torch"] == torch.__version__
    assert made["versions"]["netwise"] == nw.__version__


def test_a_lab_that_never_ran_has_no_record(tmp_path: Path) -> None:
    assert recorded("L99", tmp_path) is None
