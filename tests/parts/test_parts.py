"""The contract that every part of every family keeps."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
import tomllib

import pytest

import netwise as nw
from netwise.part import Part, field_rule
from netwise.recipe.plain import plain_of
from netwise.recipe.reader import recipe_of
from netwise.searches.plan_file import SEARCH_FAMILIES, plan_from_dict, plan_text

GIVEN = {
    "From": nw.From("runs/a"),
    "OneHot": nw.OneHot(columns=(0,)),
    "images": nw.data.images("photos"),
    "MLP": nw.MLP((64, 30, 10)),
    "Resize": nw.Resize(28, 28),
    "CustomNetwork": nw.CustomNetwork("torch.nn:Flatten"),
    "csv": nw.data.csv("t.csv", "y"),
    "fold": nw.data.Fold(data=nw.data.digits()),
    "stream": nw.data.stream("rows.parquet", "y"),
    "fewer": nw.data.Fewer(data=nw.data.digits(), rows=10),
    "Linear": nw.axes.Linear("network.dropout", 0.0, 0.5),
    "Log": nw.axes.Log("optimizer.lr", 1e-3, 1.0),
    "Integer": nw.axes.Integer("batch_size", 1, 9),
    "Choice": nw.axes.Choice("optimizer.kind", ("SGD", "Adam")),
    "Space": nw.Space((nw.axes.Log("optimizer.lr", 1e-3, 1.0),)),
    "SearchPlan": nw.SearchPlan(
        space=nw.Space((nw.axes.Log("optimizer.lr", 1e-3, 1.0),)), trials=3
    ),
}
MEMBERS = [
    (family, name, member)
    for family, members in SEARCH_FAMILIES.items()
    for name, member in members.items()
    if name != "arrays"
]
IDS = [name for _, name, _ in MEMBERS]


def made(name: str, member: type[Part]) -> Part:
    return GIVEN[name] if name in GIVEN else member()


@pytest.mark.parametrize(("family", "name", "member"), MEMBERS, ids=IDS)
def test_a_part_is_a_frozen_hashable_value(
    family: type[Part], name: str, member: type[Part]
) -> None:
    part = made(name, member)
    assert isinstance(part, family)
    assert part == made(name, member)
    assert hash(part) == hash(made(name, member))
    assert part == pickle.loads(pickle.dumps(part))  # workers of joblib get parts so
    field = next((f.name for f in dataclasses.fields(part)), None)  # type: ignore[arg-type]
    if field is not None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part, field, None)


@pytest.mark.parametrize(("family", "name", "member"), MEMBERS, ids=IDS)
def test_a_part_is_the_same_after_a_round_trip_through_a_file(
    family: type[Part], name: str, member: type[Part]
) -> None:
    field = {f.name: field_rule(f).family for f in dataclasses.fields(nw.Recipe)}  # type: ignore[union-attr]
    base = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
    part = made(name, member)
    if family in (nw.axes.Axis, nw.SearchMethod, nw.Space, nw.SearchPlan):
        plan = GIVEN["SearchPlan"]
        whole = {
            nw.axes.Axis: lambda: plan.but(space=nw.Space((part,))),
            nw.SearchMethod: lambda: plan.but(method=part),
            nw.Space: lambda: plan.but(space=part),
        }
        plan = whole.get(family, lambda: part)()
        assert plan_from_dict(tomllib.loads(plan_text(plan))) == plan
        return
    place = next((n for n, f in field.items() if f is family), None)
    if place is None:  # an activation stands inside a network
        recipe = base.but(network=nw.MLP((64, 30, 10), activation=part))
    else:
        recipe = base.but(**{place: (part,) if place in ("preprocess", "augment") else part})
    assert recipe_of(plain_of(recipe)) == recipe


@pytest.mark.parametrize(("family", "name", "member"), MEMBERS, ids=IDS)
def test_a_part_documents_itself(family: type[Part], name: str, member: type[Part]) -> None:
    assert len((inspect.getdoc(member) or "").splitlines()[0]) > 15
    for field in dataclasses.fields(member):  # type: ignore[arg-type]
        rule = field_rule(field)
        if rule is not None and field.default is not dataclasses.MISSING:
            assert rule.why, f"{member.__name__}.{field.name} has a default without its reason"


def test_every_default_of_a_recipe_has_its_reason() -> None:
    for field in dataclasses.fields(nw.Recipe):
        rule = field_rule(field)
        assert rule is not None
        assert rule.why or field.default is dataclasses.MISSING


@pytest.mark.parametrize("family", SEARCH_FAMILIES, ids=lambda f: f.__name__)
def test_an_interface_says_that_it_is_one(family: type[Part]) -> None:
    if family in (nw.FineTune, nw.Space, nw.SearchPlan):
        return  # the family is its one member
    if family is nw.data.Data:
        with pytest.raises(TypeError, match="interface"):
            family().read()  # type: ignore[attr-defined]
        return
    calls = {
        nw.Initializer: lambda p: p.sample((1, 1), fan_in=1, fan_out=1, generator=None),
        nw.Penalty: lambda p: p.value([]),
        nw.Schedule: lambda p: p.next({}, None),
        nw.Stopping: lambda p: p.next({}, None),
        nw.Averaging: lambda p: p.share(0, 0.0),
        nw.Clipping: lambda p: p.apply([]),
        nw.Preprocess: lambda p: p.apply(None, {}),
        nw.Augment: lambda p: p.apply(None, None),
        nw.Optimizer: lambda p: p.build([]),
        nw.axes.Axis: lambda p: p.value_at(0.5),
        nw.SearchMethod: lambda p: p.sampler(0),
    }
    with pytest.raises(TypeError, match="interface"):
        calls.get(family, lambda p: p.build())(family())
