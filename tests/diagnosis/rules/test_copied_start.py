"""A start from the weights of another run that has hardly learned."""

from __future__ import annotations

from pathlib import Path

import pytest

import netwise as nw
from netwise.signals import COPIED_VARIATION, DRAWN_VARIATION

WIDTHS = (64, 40, 20)


def classifier(init: nw.Initializer, epochs: int = 2) -> nw.Recipe:
    return nw.Recipe(
        data=nw.data.digits(),
        network=nw.MLP((*WIDTHS, 10), activation=nw.Sigmoid()),
        init=init,
        optimizer=nw.Adam(lr=0.001),
        epochs=epochs,
    )


def stack(epochs: int) -> nw.Recipe:
    return nw.Recipe(
        data=nw.data.digits(),
        network=nw.DBN(WIDTHS),
        loss=nw.CD(),
        optimizer=nw.SGD(lr=0.1),
        epochs=epochs,
        batch_size=20,
    )


def test_a_stack_that_has_hardly_learned_is_the_cause() -> None:
    run = nw.fit(classifier(nw.From(recipe=stack(1))), test=False)
    found = nw.diagnose(run).found[0]
    assert found.rule == "copied_start_fades"
    assert found.grade == "cause"
    assert "vanishing_gradient" in [each.rule for each in found.consequences]


def test_a_stack_that_has_learned_is_none() -> None:
    run = nw.fit(classifier(nw.From(recipe=stack(15))), test=False)
    copied, drawn = run.history.of(COPIED_VARIATION), run.history.of(DRAWN_VARIATION)
    assert copied is not None
    assert drawn is not None
    assert copied.last > drawn.last
    assert "copied_start_fades" not in nw.diagnose(run).names


def test_drawn_weights_have_no_such_signals() -> None:
    history = nw.fit(classifier(nw.Glorot(), epochs=1), test=False).history
    assert history.of(COPIED_VARIATION) is None


def test_the_drawn_variation_is_that_of_the_recipe_without_copies(tmp_path: Path) -> None:
    """Also after the run was interrupted."""
    init = nw.From(recipe=classifier(nw.Glorot(), epochs=1), rest=nw.He())
    run = nw.fit(classifier(init, epochs=3), folder=tmp_path / "whole", test=False)
    drawn = run.history.of(DRAWN_VARIATION)
    assert drawn is not None
    data = nw.data.digits().load().train.x[:256]
    nothing = classifier(nw.He(), epochs=1).but(optimizer=nw.SGD(lr=1e-30))
    outputs = nw.fit(nothing, test=False).module(data).double()
    outputs = outputs.detach()
    expected = float((outputs - outputs.mean(0)).square().mean().sqrt())
    assert drawn.last == pytest.approx(expected, rel=1e-6)
    stopped = nw.fit(
        classifier(init, epochs=3),
        folder=tmp_path / "part",
        test=False,
        halt=lambda epoch, row: "enough" if epoch == 1 else None,
    )
    assert stopped.history.of(DRAWN_VARIATION) == drawn
