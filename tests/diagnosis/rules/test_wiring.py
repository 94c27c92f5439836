"""Weights without an optimizer, weights that no loss reaches, weights outside of the module."""

from __future__ import annotations

from dataclasses import replace

import pytest

import netwise as nw
from histories import flat, found, history, observed, report_of_a_loop
from netwise import signals
from netwise.diagnosis.rules import wiring


def test_weights_stand_still() -> None:
    half = history({signals.UPDATE_RATIO: flat(0.0, 1e-3), signals.GRADIENT_RATIO: flat(0.1, 0.1)})
    assert found(wiring.weights_stand_still(half)).layers == ("layer1",)
    rounded = history({signals.UPDATE_RATIO: flat(0.0), signals.GRADIENT_RATIO: flat(1e-12)})
    assert wiring.weights_stand_still(rounded) is None
    accumulated = history(
        {signals.UPDATE_RATIO: [[0.0, 0.0, 0.0, 1e-3] * 3], signals.GRADIENT_RATIO: [[0.1] * 12]}
    )
    assert wiring.weights_stand_still(accumulated) is None


def test_steps_without_one_of_the_optimizer_are_no_evidence() -> None:
    """Every second step is watched, and the optimizer moves after steps 3, 7, 11."""
    pieces = history({signals.UPDATE_RATIO: flat(0.0, 0.0), signals.GRADIENT_RATIO: flat(0.1, 0.1)})
    assert wiring.weights_stand_still(pieces) == nw.Unchecked(wiring.NO_STEPS)
    by_fit = pieces.but(made_by=nw.Provenance(recipe="d8e7"))
    assert found(wiring.weights_stand_still(by_fit)).layers == ("layer1", "layer2")


def test_in_an_observed_loop_the_optimizers_count_and_not_the_changes() -> None:
    still = {signals.UPDATE_RATIO: flat(0.0, 0.0), signals.GRADIENT_RATIO: flat(0.1, 0.1)}
    assert wiring.weights_stand_still(observed(by_layer=still)) is None
    finding = found(
        wiring.weights_stand_still(
            observed(in_no_optimizer=("layer2.weight", "layer2.bias"), final=0.01)
        )
    )
    assert finding.layers == ("layer2",)
    assert finding.sentence == (
        "A loss reaches layer2.weight and layer2.bias, but no optimizer holds them."
    )
    assert finding.change == (
        'optimizer.add_param_group({"params": model.layer2.parameters()})\n'
        "# or, where they shall not be trained: model.layer2.requires_grad_(False)"
    )


def test_an_optimizer_of_weights_that_no_loss_reaches() -> None:
    run = observed(idle_weights=("fc.weight", "fc.bias"), idle_steps=228)
    assert found(wiring.weights_stand_still(run)).sentence == (
        "An optimizer takes 228 steps, and none of its parameters (fc) ever has a gradient, while "
        "a loss reaches Net: the forward pass does not use them, and what it uses is not trained."
    )
    outside = observed(idle_weights=("of shape (3, 8)", "of shape (3,)"), idle_steps=9)
    assert (
        "(weights of shape (3, 8) and of shape (3,))"
        in found(wiring.weights_stand_still(outside)).sentence
    )


def test_a_group_of_the_optimizer_whose_rate_is_0() -> None:
    signals_of = {signals.UPDATE_RATIO: flat(1e-3, 0.0), signals.GRADIENT_RATIO: flat(0.1, 0.1)}

    def with_rates(*rates: list[float], final: float = 2.3) -> nw.History:
        run = observed(by_layer=signals_of, final=final)
        groups = {
            (signals.GROUP_RATE, f"SGD.{number}"): nw.Series(
                tuple(range(len(values))), tuple(values)
            )
            for number, values in enumerate(rates)
        }
        return replace(run, series={**run.series, **groups})

    finding = found(wiring.weights_stand_still(with_rates([0.1] * 8, [0.0] * 8)))
    assert finding.layers == ("layer2",)
    assert finding.sentence == (
        "The weights of layer2 have not changed in any step, though they get gradients: the "
        "learning rate of a group of the optimizer is 0 in all steps."
    )
    assert wiring.weights_stand_still(with_rates([0.1] * 8, [0.0] * 7 + [0.1])) is None
    # Where a run has learned, the group may be frozen so on purpose.
    assert wiring.weights_stand_still(with_rates([0.1] * 8, [0.0] * 8, final=0.01)) is None


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("head.bias",), 'optimizer.add_param_group({"params": [model.head.bias]})\n'),
        (("a.weight", "b.weight"), "optimizer = torch.optim.SGD(model.parameters(), lr=0.1, ...)"),
    ],
    ids=["one parameter", "two layers"],
)
def test_how_to_give_weights_to_the_optimizer(names: tuple[str, ...], code: str) -> None:
    history = observed(in_no_optimizer=names)
    history = history.but(facts=replace(history.facts, optimizer="SGD", rate=0.1))
    assert code in found(wiring.weights_stand_still(history)).change


def test_a_layer_that_the_optimizer_does_not_have_is_found() -> None:
    finding = report_of_a_loop(frozen=True).found[0]
    assert finding.rule == "weights_stand_still"
    assert finding.layers == ("0",)


def test_nothing_trainable() -> None:
    frozen = observed(trainable=0, frozen=("a.weight", "a.bias"))
    assert found(wiring.nothing_trainable(frozen)).sentence == (
        "None of the 2 parameters of Net requires a gradient: no step changes anything."
    )
    held = observed(trainable=2, optimizers=("AdamW",), optimizer_weights=6, optimizer_trainable=0)
    assert found(wiring.nothing_trainable(held)).sentence.startswith(
        "AdamW holds 6 parameters, and none of them requires a gradient"
    )
    adapter = observed(
        trainable=2, frozen=("base.weight",), optimizer_weights=3, optimizer_trainable=2
    )
    assert wiring.nothing_trainable(adapter) is None
    assert wiring.nothing_trainable(observed()) is None  # no parameters at all


def test_a_cut_graph_is_found_with_its_place() -> None:
    names = ("layer1.weight", "layer2.weight")
    cut = observed(trainable=4, not_reached=names, cut_between=("layer2", "layer3"))
    finding = found(wiring.graph_cut(cut))
    assert finding.layers == ("layer1", "layer2")
    assert finding.sentence == (
        "No loss reaches the weights of layer1 and layer2: they get no gradient and never change. "
        "The gradient is lost between layer2 and layer3."
    )
    assert finding.change.startswith("# between layer2 and layer3, remove: .detach()")
    everything = observed(trainable=2, not_reached=names)
    assert found(wiring.graph_cut(everything)).sentence.startswith(
        "No loss reaches any weight of the module."
    )
    assert found(wiring.graph_cut(observed(trainable=9, not_reached=names)))  # used, not reached


@pytest.mark.parametrize(
    "facts",
    [
        {"not_reached": ("layer4.weight",), "unused_output": True},
        {"not_reached": ("pooler.weight",)},
        {},
    ],
    ids=["an output that no loss uses", "a layer that is never called", "all reached"],
)
def test_weights_that_are_not_needed_are_no_cut(facts: dict[str, object]) -> None:
    assert wiring.graph_cut(observed(trainable=9, **facts)) is None


def test_weights_outside_of_the_module() -> None:
    finding = found(wiring.weights_outside_module(observed(outside_module=("(4, 3)", "(4,)"))))
    assert finding.sentence == (
        "A loss reaches 2 parameters of shape (4, 3) and (4,) that belong to no module and to no "
        "optimizer, as those of layers in a Python list do."
    )
    assert "nn.ModuleList(" in wiring.WEIGHTS_OUTSIDE_MODULE.change
    anew = found(
        wiring.weights_outside_module(observed(outside_module=("(4,)",), outside_anew=True))
    )
    assert anew.sentence == (
        "A loss reaches 1 parameter of shape (4,) that is new at each step: the forward pass makes "
        "its layers anew, and no step trains them."
    )
    assert "__init__" in anew.change
    assert wiring.weights_outside_module(observed()) is None


def test_tensors_that_are_no_parameters() -> None:
    finding = found(wiring.weights_outside_module(observed(outside_tensors=("(48, 10)", "(10,)"))))
    assert finding.sentence.startswith("A loss reaches 2 tensors of shape (48, 10) and (10,) with")
    assert "nn.Parameter" in finding.change
