"""What files can name: every exported part, once, read-only."""

from __future__ import annotations

import pytest

import netwise as nw
from netwise.part import InvalidValue, Part
from netwise.recipe.families import FAMILIES, by_kind, find_class


def subclasses(cls: type[Part]) -> set[type[Part]]:
    return {cls}.union(*(subclasses(each) for each in cls.__subclasses__()))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_every_public_part_of_a_family_can_be_named(family: type[Part]) -> None:
    public = {
        cls
        for cls in subclasses(family)
        if getattr(nw, cls.__name__, None) is cls and not cls.__subclasses__() and cls is not family
    }
    assert public <= set(FAMILIES[family].values())
    for kind, cls in FAMILIES[family].items():
        assert issubclass(cls, family)
        assert find_class(family, kind.upper()) is cls


def test_families_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        FAMILIES[nw.Optimizer] = {}  # type: ignore[index]
    with pytest.raises(TypeError):
        FAMILIES[nw.Optimizer]["Mine"] = nw.SGD  # type: ignore[index]


def test_unknown_names_are_answered_with_near_ones_or_all() -> None:
    with pytest.raises(InvalidValue, match="is no known optimizer. Did you mean `Momentum`"):
        find_class(nw.Optimizer, "Momentm")
    with pytest.raises(InvalidValue, match="is no known clipping. There are: Clip, ClipValue."):
        find_class(nw.parts.clipping.Clipping, "qqq")


def test_names_of_earlier_versions_are_understood() -> None:
    assert find_class(nw.Network, "Own") is nw.CustomNetwork


def test_other_families_can_be_passed() -> None:
    class Mine(nw.SGD):
        pass

    families = {**FAMILIES, nw.Optimizer: by_kind((Mine,))}
    assert find_class(nw.Optimizer, "mine", families) is Mine
    with pytest.raises(InvalidValue):
        find_class(nw.Optimizer, "mine")
