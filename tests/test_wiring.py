"""Wiring of a program as plain values for files."""

from __future__ import annotations

import json

from netwise.history import History, history_as_dict
from netwise.storage.about_file import history_from_dict
from netwise.wiring import LossTerm, Wiring

WIRING = Wiring(
    module="Net",
    optimizers=("Adam", "SGD"),
    in_no_optimizer=("head.weight",),
    losses=(LossTerm("cross entropy", chain=("LogSoftmax", "Addmm"), target_shape=(32,)),),
    features=((0.0, 1.0), (1.0, 1.0), (0.5, 1.0), (1.0, 3.0)),
    not_observed={"losses": "the loss is compiled"},
)


def test_a_history_keeps_its_wiring_in_files() -> None:
    rows = [{"step": 0, "loss": 1.0}]
    history = History.from_rows(rows, wiring=WIRING)
    again = history_from_dict(json.loads(json.dumps(history_as_dict(history))), rows)
    assert again == history


def test_a_history_without_wiring_has_the_files_of_before() -> None:
    assert "wiring" not in history_as_dict(History.from_rows([]))
