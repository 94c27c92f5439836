"""Facts of the first batch come back from files."""

from __future__ import annotations

import json

from netwise.first_batch import FirstBatch
from netwise.history import History, history_as_dict
from netwise.storage.about_file import history_from_dict

FACTS = FirstBatch(
    samples=64, samples_mix="", single_norms=("norm1", "norm2"), not_known={"bytes": "no optimizer"}
)


def test_a_history_keeps_its_first_batch_in_files() -> None:
    history = History.from_rows([{"step": 0, "loss": 1.0}]).but(first_batch=FACTS)
    plain = json.loads(json.dumps(history_as_dict(history)))
    assert history_from_dict(plain, [{"step": 0, "loss": 1.0}]) == history


def test_a_history_without_a_first_batch_has_none() -> None:
    assert "first_batch" not in history_as_dict(History.from_rows([]))
