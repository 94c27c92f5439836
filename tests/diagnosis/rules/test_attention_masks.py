"""The rule about inverted masks reads what the first batch showed."""

from __future__ import annotations

import netwise as nw
from histories import history
from netwise.diagnosis.rules.attention_masks import mask_inverted


def test_the_layer_is_named() -> None:
    run = history().but(first_batch=nw.FirstBatch(inverted_mask="encoder.0"))
    finding = mask_inverted(run)
    assert isinstance(finding, nw.Finding)
    assert finding.grade == "cause"
    assert "`encoder.0`" in finding.sentence


def test_right_masks_and_networks_without_attention() -> None:
    assert mask_inverted(history().but(first_batch=nw.FirstBatch(inverted_mask=""))) is None
    reason = "no attention with a mask of padding was seen"
    facts = nw.FirstBatch(not_known={"inverted_mask": reason})
    assert mask_inverted(history().but(first_batch=facts)) == nw.Unchecked(reason)
