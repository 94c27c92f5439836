"""Dropout in evaluation mode is a finding, other noise is none."""

from __future__ import annotations

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules.train_eval_differ import train_eval_differ


def run(**facts: object) -> nw.History:
    return history().but(first_batch=nw.FirstBatch(**facts))  # type: ignore[arg-type]


def test_dropout_in_evaluation_mode() -> None:
    finding = found(train_eval_differ(run(dropout_in_evaluation="net.py:7", evaluation_noise=0.4)))
    assert "net.py:7" in finding.sentence
    assert finding.evidence[0].value == 0.4


def test_noise_of_another_kind() -> None:
    assert train_eval_differ(run(dropout_in_evaluation="", evaluation_noise=0.4)) is None
    assert isinstance(train_eval_differ(run()), nw.Unchecked)
