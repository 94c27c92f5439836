"""Padding masks: the finding names layer and argument."""

from __future__ import annotations

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules.padding_mask import padding_mask_inverted


def run(mask: str | None) -> nw.History:
    return history().but(first_batch=nw.FirstBatch(inverted_mask=mask))


def test_an_inverted_mask() -> None:
    finding = found(padding_mask_inverted(run("body.encoder: src_key_padding_mask")))
    assert finding.layers == ("body.encoder",)
    assert finding.change.startswith("src_key_padding_mask = x == padding")


def test_no_finding() -> None:
    assert padding_mask_inverted(run("")) is None
    assert isinstance(padding_mask_inverted(run(None)), nw.Unchecked)
