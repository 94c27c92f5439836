"""Padding in the loss: by the share of the targets."""

from __future__ import annotations

import netwise as nw
from histories import found, observed
from netwise.diagnosis.rules.padded_targets import padding_in_loss


def run(share: float | None) -> nw.History:
    padded = None if share is None else (share, 3)
    return observed().but(data=nw.DataFacts(padded_targets=padded))


def test_the_share_decides() -> None:
    finding = found(padding_in_loss(run(0.6)))
    assert finding.sentence.startswith("60 % of the targets are padding (class 3")
    assert "ignore_index=3" in finding.change
    assert finding.grade == "cause"
    assert found(padding_in_loss(run(0.3))).grade == "suspect"
    assert padding_in_loss(run(0.1)) is None
    assert padding_in_loss(run(None)) is None
