"""Remedies for the output layer, the loss and the targets: what exactly each changes."""

from __future__ import annotations

import netwise as nw

DOUBLE = nw.gallery.sick["output_misfits_loss"].recipe
SQUARED = nw.gallery.sick["loss_misfits_task"].recipe
TARGETS = nw.gallery.sick["target_not_scaled"].recipe


def reason(name: str, recipe: nw.Recipe) -> str:
    answer = nw.remedy(name).apply(recipe)
    assert isinstance(answer, nw.NotApplicable), answer
    return answer.reason


def test_the_activation_after_the_last_layer_is_removed() -> None:
    treated = nw.remedy("use_plain_output").apply(DOUBLE)
    assert treated == DOUBLE.but(network=DOUBLE.network.but(output=nw.Identity()))
    assert "already" in reason("use_plain_output", treated)


def test_cross_entropy_gets_logits() -> None:
    treated = nw.remedy("use_cross_entropy").apply(SQUARED)
    plain = SQUARED.network.but(output=nw.Identity())
    assert treated == SQUARED.but(loss=nw.CrossEntropy(), network=plain)
    assert reason("use_cross_entropy", treated) == "the loss is cross-entropy already"


def test_cross_entropy_needs_classes() -> None:
    assert "numbers" in reason("use_cross_entropy", TARGETS)
    coded = nw.gallery.healthy["autoencoder"].recipe
    assert "has no class targets" in reason("use_cross_entropy", coded)


def test_targets_of_regression_are_scaled() -> None:
    treated = nw.remedy("scale_targets").apply(TARGETS)
    assert treated == TARGETS.but(data=nw.data.diabetes(scale_target=True))
    assert reason("scale_targets", treated) == "the targets are scaled already"
    assert "which have no scale" in reason("scale_targets", SQUARED)
