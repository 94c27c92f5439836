"""Recipes: values that can be compared and changed."""

from __future__ import annotations

import netwise as nw

BASE = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)), optimizer=nw.SGD(lr=0.1))


def test_but_makes_a_new_one() -> None:
    other = BASE.but(batch_size=8)
    assert (BASE.batch_size, other.batch_size) == (64, 8)
    assert other.but(batch_size=64) == BASE


def test_a_difference_has_parts_of_one_class_by_field_and_others_whole() -> None:
    other = BASE.but(
        optimizer=nw.SGD(lr=0.5), penalty=nw.L2(), network=BASE.network.but(activation=nw.Tanh())
    )
    assert nw.recipe_diff(BASE, other) == {
        "network.activation": (nw.ReLU(), nw.Tanh()),
        "optimizer.lr": (0.1, 0.5),
        "penalty": (None, nw.L2()),
    }
    assert nw.recipe_diff(BASE, BASE.but(init=nw.Glorot())) == {
        "init": (nw.ModuleDefault(), nw.Glorot())
    }
    assert nw.recipe_diff(BASE.but(init=nw.Glorot()), BASE.but(init=nw.Glorot(shape="normal"))) == {
        "init.shape": ("uniform", "normal")
    }
    assert nw.recipe_diff(BASE, BASE) == {}


def test_the_hash_changes_with_any_field() -> None:
    variants = [
        BASE,
        BASE.but(seed=1),
        BASE.but(epochs=3),
        BASE.but(data=nw.data.digits(split_seed=1)),
        BASE.but(network=nw.MLP((64, 31, 10))),
        BASE.but(init=nw.He()),
        BASE.but(loss=nw.Quadratic()),
        BASE.but(penalty=nw.L2()),
        BASE.but(penalty=nw.L1()),
        BASE.but(optimizer=nw.SGD(lr=0.2)),
        BASE.but(schedule=nw.Cosine()),
        BASE.but(clip=nw.Clip()),
        BASE.but(stopping=nw.Patience()),
        BASE.but(preprocess=(nw.Standardise(),)),
        BASE.but(augment=(nw.Noise(),)),
    ]
    assert len({recipe.hash for recipe in variants}) == len(variants)


def test_the_learning_rate_of_two_optimizers_is_that_of_the_first() -> None:
    assert nw.with_learning_rate(BASE, 0.7).optimizer == nw.SGD(lr=0.7)
    switch = nw.SwitchOptimizer(first=nw.Adam(lr=0.1), then=nw.SGD(lr=0.2))
    changed = nw.with_learning_rate(BASE.but(optimizer=switch), 0.7).optimizer
    assert changed == switch.but(first=nw.Adam(lr=0.7))


def test_a_difference_of_arrays_compares_their_values() -> None:
    one, other, same = (nw.data.arrays([[value], [2.0]], [0, 1]) for value in (1.0, 3.0, 1.0))
    first = BASE.but(data=one, network=nw.MLP((1, 2)))
    assert nw.recipe_diff(first, first.but(data=same)) == {}
    assert list(nw.recipe_diff(first, first.but(data=other))) == ["data.X"]
