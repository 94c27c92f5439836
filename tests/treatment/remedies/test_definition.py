"""What remedies return: a changed recipe, or why there is none."""

from __future__ import annotations

import netwise as nw
from netwise.treatment.remedies.definition import with_network

RECIPE = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 3)))


def test_a_changed_network_gives_a_changed_recipe() -> None:
    wider = nw.MLP((4, 8, 3))
    assert with_network(RECIPE, wider) == RECIPE.but(network=wider)


def test_a_reason_gives_a_remedy_that_is_not_applicable() -> None:
    assert with_network(RECIPE, "it is too small") == nw.NotApplicable("it is too small")


def test_a_remedy_of_ones_own_is_tried_like_any_other() -> None:
    mine = nw.Remedy("mine", "More epochs", lambda r: r.but(epochs=3), "epochs=3", "me")
    result = nw.trial(RECIPE.but(epochs=1), mine, seeds=(0, 1), jobs=1)
    assert result.recipe == RECIPE.but(epochs=3)
    assert result.remedy == "mine"
