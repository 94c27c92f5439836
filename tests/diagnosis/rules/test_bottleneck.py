"""A layer narrower than the bits of a class number, in a run that has not learned."""

from __future__ import annotations

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules.bottleneck import bottleneck


def run(width: int | None, classes: int | None = 10, final: float = 2.0) -> nw.History:
    facts = nw.RunFacts(loss_of_guessing=2.3, classes=classes, class_targets=classes is not None)
    first = nw.FirstBatch(narrowest="" if width is None else "code", narrowest_width=width)
    return history(facts=facts, final=final).but(first_batch=first)


def test_both_sides_of_the_limit() -> None:
    assert found(bottleneck(run(3))).layers == ("code",)
    assert bottleneck(run(4)) is None
    assert bottleneck(run(1, classes=2)) is None


def test_in_a_run_that_has_learned_it_did_no_harm() -> None:
    assert bottleneck(run(1, final=0.1)) is None


def test_without_a_narrow_layer_or_classes() -> None:
    assert bottleneck(run(None)) is None
    assert isinstance(bottleneck(run(1, classes=None)), nw.Unchecked)
