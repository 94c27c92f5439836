"""Facts of the data come back from files."""

from __future__ import annotations

import json

from netwise.data_facts import DataFacts
from netwise.history import History, history_as_dict
from netwise.storage.about_file import history_from_dict

FACTS = DataFacts(
    train_samples=200, linear_score=0.93, leaked_rows=0.0, not_known={"features": "no tensor"}
)


def test_a_history_keeps_its_data_facts_in_files() -> None:
    history = History.from_rows([{"step": 0, "loss": 1.0}]).but(data=FACTS)
    plain = json.loads(json.dumps(history_as_dict(history)))
    assert history_from_dict(plain, [{"step": 0, "loss": 1.0}]) == history


def test_a_history_without_a_sample_has_none() -> None:
    assert "data" not in history_as_dict(History.from_rows([]))
