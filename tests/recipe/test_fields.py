"""The fields of a recipe: each has a rule and a reason, and is reported by its name."""

from __future__ import annotations

from dataclasses import MISSING, fields

import pytest

import netwise as nw
from netwise.part import field_rule
from netwise.recipe.fields import RecipeFields

DATA, NETWORK = nw.data.digits(), nw.MLP((64, 10))
VALID = nw.Recipe(data=DATA, network=NETWORK)


def test_every_default_has_its_reason() -> None:
    for field in fields(RecipeFields):
        rule = field_rule(field)
        assert rule is not None, field.name
        assert rule.why or field.default is MISSING, field.name


def test_only_data_and_network_are_required() -> None:
    recipe = nw.Recipe(data=DATA, network=NETWORK)
    required = {field.name for field in fields(recipe) if field.default is MISSING}
    assert required == {"data", "network"}
    assert nw.check(recipe) == []


def test_all_wrong_fields_are_reported_together() -> None:
    with pytest.raises(nw.WrongValue) as caught:
        VALID.but(batch_size=0, epochs=1.5, optimizer=nw.SGD)
    reasons = {problem.field: problem.sentence for problem in caught.value.problems}
    assert set(reasons) == {"batch_size", "epochs", "optimizer"}
    assert "Write SGD()" in reasons["optimizer"]


def test_equal_recipes_have_equal_hashes_of_12_hex_digits() -> None:
    one, other = (nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 10))) for _ in range(2))
    assert one.hash == other.hash
    assert len(one.hash) == 12
    assert int(one.hash, 16) >= 0


def test_hashes_of_the_first_version_stay_valid() -> None:
    # Computed by version 0.1: folders of its runs are known by them.
    recipe = nw.Recipe(data=DATA, network=nw.MLP((64, 30, 10)))
    assert recipe.hash == "9b1295bf6e41"
    renamed = recipe.but(
        network=nw.CustomNetwork("models:build"),
        init=nw.From(recipe=recipe),
        preprocess=(nw.ClipInputs(),),
        optimizer=nw.SGD(lr=0.1),
        penalty=nw.L2(),
    )
    assert renamed.hash == "606fedca8a69"
