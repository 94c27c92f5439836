"""Layers that are too narrow, in runs that stand still."""

from __future__ import annotations

import itertools

import netwise as nw
from histories import found, history
from netwise import signals
from netwise.diagnosis.rules.narrow_layer import layer_too_narrow, narrowest

FACTS = nw.RunFacts(loss_of_guessing=2.3, classes=10, class_targets=True)
STILL = [2.4, 2.2, 2.0, *[1.9] * 40]


def layers(*widths: int, kind: str = "Linear") -> tuple[nw.Layer, ...]:
    pairs = itertools.pairwise(widths)
    return tuple(nw.Layer(f"layer{i}", kind, a, b) for i, (a, b) in enumerate(pairs))


def run(
    *widths: int, losses: list[float] = STILL, facts: nw.RunFacts = FACTS, final: float = 1.9
) -> nw.History:
    whole = {signals.LOSS: losses}
    return history(whole=whole, layers=layers(*widths), facts=facts, final=final)


def test_a_layer_of_two_units_for_ten_classes() -> None:
    finding = found(layer_too_narrow(run(64, 2, 2, 10)))
    assert finding.layers == ("layer0",)
    assert finding.grade == "cause"
    assert finding.sentence.startswith("layer0 has 2 units for 64 inputs")
    assert layer_too_narrow(run(64, 32, 10)) is None
    assert isinstance(layer_too_narrow(run(64)), nw.Unchecked)


def test_narrow_layers_of_runs_that_learn_or_still_fall_are_harmless() -> None:
    learned = [2.4, 1.0, *[0.2] * 40]
    assert layer_too_narrow(run(64, 2, 10, losses=learned, final=0.2)) is None
    falls = [2.3 - 0.05 * i for i in range(30)]
    assert layer_too_narrow(run(64, 2, 10, losses=falls, final=falls[-1])) is None


def test_without_a_baseline_the_loss_has_to_stand_near_its_start() -> None:
    unknown = nw.RunFacts()
    assert found(layer_too_narrow(run(3, 1, 1, 1, facts=unknown)))
    low = [2.4, 1.0, *[0.1] * 40]
    assert layer_too_narrow(run(3, 1, 1, 1, losses=low, facts=unknown)) is None


def test_a_narrow_code_is_meant_to_be_narrow() -> None:
    numbers = nw.RunFacts(loss_of_guessing=2.3)
    assert layer_too_narrow(run(64, 32, 2, 32, 64, facts=numbers)) is None
    assert found(layer_too_narrow(run(64, 1, 1, 64, facts=numbers, final=2.29, losses=[2.29] * 40)))


def test_heads_of_one_unit_are_no_layer_too_narrow() -> None:
    heads = (
        nw.Layer("body", "Linear", 8, 48),
        nw.Layer("first", "Linear", 48, 1),
        nw.Layer("second", "Linear", 48, 1),
    )
    assert narrowest(history(layers=heads)) is None
    convolutions = (nw.Layer("a", "Conv2d", 9, 1), nw.Layer("b", "Conv2d", 9, 8))
    assert narrowest(history(layers=convolutions)) is not None
