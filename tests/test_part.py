"""What a field of a part accepts, and the errors about what it does not accept."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import netwise as nw
from netwise.part import (
    FieldRule,
    InvalidValue,
    Part,
    field_rule,
    flag,
    integer,
    integers,
    number,
    numbers,
    part,
    parts,
    text,
    texts,
)


def test_all_wrong_fields_are_reported_at_once() -> None:
    with pytest.raises(nw.WrongValue) as caught:
        nw.Recipe(
            data="digits",
            network=nw.MLP,
            batch_size=0,
            epochs=2.5,
            seed=True,
            optimizer=nw.SGD(lr=0.1),
        )
    assert (
        str(caught.value)
        == """\
Recipe: 5 problems. Nothing was trained.
  data = 'digits'  must be a data set: a recipe needs data. Write "digits".
  network = MLP    is a class and not a value: a recipe needs a network. Write MLP().
  batch_size = 0   must be at least 1: a step needs a sample. Write 64.
  epochs = 2.5     must be a whole number: a run is at least one pass. Write 20.
  seed = true      must be a whole number: it seeds the random streams. Write 0."""
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.1, "lr = -0.1  must be above 0: a negative step climbs. Write 0.1."),
        (float("nan"), "lr = nan  must be a finite number: a negative step climbs. Write 0.1."),
        (
            10**400,
            (
                "lr = a number of over 60 digits  must be a finite number: a negative step climbs."
                " Write 0.1."
            ),
        ),
        ("0.1", "lr = '0.1'  must be a number: a negative step climbs. Write 0.1."),
        (True, "lr = true  must be a number: a negative step climbs. Write 0.1."),
    ],
)
def test_a_wrong_number_is_reported(value: object, text: str) -> None:
    with pytest.raises(nw.WrongValue) as caught:
        nw.SGD(lr=value)  # type: ignore[arg-type]
    assert str(caught.value.problems[0]) == text


def test_equal_numbers_of_other_types_make_equal_parts() -> None:
    assert nw.SGD(lr=1) == nw.SGD(lr=1.0) == nw.SGD(lr=np.float32(1))
    assert type(nw.SGD(lr=1).lr) is float
    assert nw.MLP([4, np.int64(3)]) == nw.MLP((4, 3))


def test_a_long_value_is_cut() -> None:
    with pytest.raises(nw.WrongValue) as caught:
        nw.SGD(lr="x" * 10_000)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 300


def test_but_names_the_near_field() -> None:
    with pytest.raises(
        nw.UnknownName, match="unknown field of SGD 'momentun'. Did you mean `momentum`?"
    ):
        nw.SGD().but(momentun=0.9)


def test_fields_that_are_wrong_together() -> None:
    with pytest.raises(nw.WrongValue, match="leave nothing to train on"):
        nw.data.digits(valid=0.5, test=0.5)


def test_a_row_of_numbers_names_the_wrong_one() -> None:
    with pytest.raises(nw.WrongValue, match=r"\[1\] = 0 must be a whole number from 1 to 1000000"):
        nw.MLP((64, 0, 10))


def rule(field: Any) -> FieldRule:
    """The rule of a field made by one of the functions of part.py."""
    found = field_rule(field)
    assert found is not None
    return found


RULES = {
    "number": rule(number(0.5, least=0, below=1)),
    "integer": rule(integer(3, least=1, most=9)),
    "flag": rule(flag(True)),
    "text": rule(text("a", among=("a", "b"))),
    "optional text": rule(text(None, optional=True)),
    "integers": rule(integers((1, 2), least=1, most=9, longest=4)),
    "numbers": rule(numbers((), above=0)),
    "texts": rule(texts(())),
    "part": rule(part(nw.Optimizer, nw.Adam())),
    "parts": rule(parts(nw.Preprocess)),
}
ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=5),
        st.binary(max_size=3),
        st.sampled_from([nw.Adam, nw.Adam(), nw.MinMax, nw.MinMax(), np.float32(0.5), np.int64(2)]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.tuples(inner, inner)),
    max_leaves=6,
)


@pytest.mark.parametrize("name", RULES)
@given(value=ANYTHING)
def test_a_field_accepts_a_value_or_says_why_not(name: str, value: object) -> None:
    """No value raises anything else, and an accepted value is accepted again unchanged."""
    accept = RULES[name].accept
    try:
        converted = accept(value)
    except InvalidValue as error:
        assert error.reason.startswith(("must ", "[", "is a class"))
        return
    assert accept(converted) == converted
    assert hash(converted) == hash(accept(converted))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_limits_are_inclusive_or_exclusive_as_named(value: float) -> None:
    """Against a plain comparison."""

    def accepts(field: Any) -> bool:
        try:
            rule(field).accept(value)
        except InvalidValue:
            return False
        return True

    assert accepts(number(0.0, above=value)) is False
    assert accepts(number(0.0, below=value)) is False
    assert accepts(number(0.0, least=value, most=value))
    assert accepts(number(0.0, above=math.nextafter(value, -math.inf)))
    assert accepts(number(0.0, above=0, most=1)) == (0 < value <= 1)


@pytest.mark.parametrize(
    ("field", "value", "reason", "instead"),
    [
        (integers((4, 2)), 7, "must be a list of whole numbers", "[4, 2]"),
        (integers((4, 2), longest=2), (1, 2, 3), "must hold 1 to 2 numbers, not 3", "[4, 2]"),
        (integers((4, 2)), (1, True), "[1] = true must be a whole number", "[4, 2]"),
        (numbers((), above=0), (1.0, -1.0), "[1] = -1.0 must be a finite number above 0", "[]"),
        (texts((), because="they name layers"), "ab", "must be a list of strings: they name", ""),
        (text('a"b', because="why"), 3, "must be a string: why", r'"a\"b"'),
        (text("a"), "a\0", "must not hold a NUL character", '"a"'),
        (flag(True), 1, "must be true or false", "true"),
        (part(nw.Loss, nw.Hinge()), nw.Adam(), "must be a loss", "Hinge()"),
        (part(nw.Optimizer), nw.Adam, "is a class and not a value", "Adam()"),
        (parts(nw.Preprocess), nw.MinMax(), "must be a list of parts, even of one", "(MinMax"),
        (parts(nw.Preprocess), (nw.MinMax(), nw.MinMax), "[1] = MinMax must be a", "MinMax()"),
    ],
)
def test_reasons_and_what_to_write(field: Any, value: object, reason: str, instead: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        rule(field).accept(value)
    assert caught.value.reason.startswith(reason)
    assert caught.value.instead.startswith(instead)


@dataclass(frozen=True)
class Range(Part):
    low: float = number(0.0)
    high: float = number(1.0)

    def conflicts(self) -> list[nw.Problem]:
        if self.low < self.high:
            return []
        return [nw.Problem("high", repr(self.high), f"must be above low = {self.low}")]


def test_conflicts_are_checked_where_each_field_is_valid() -> None:
    with pytest.raises(nw.WrongValue, match=r"Range: 1 problem.*\n  high = 0.5  must be above"):
        Range(0.5, 0.5)
    with pytest.raises(nw.WrongValue) as caught:
        Range(2.0, "x")  # type: ignore[arg-type]
    assert [problem.reason for problem in caught.value.problems] == ["must be a number"]
    with pytest.raises(nw.WrongValue, match="high = 1.0  must be above low = 3"):
        Range().but(low=3.0)
    assert dataclasses.astuple(Range().but(high=2)) == (0.0, 2.0)


def test_a_kind_is_the_name_of_the_class_and_the_family_has_an_article() -> None:
    assert Range.kind == "Range"
    assert nw.Adam.kind == "Adam"
    assert (nw.Loss.with_article(), nw.Optimizer.with_article()) == ("a loss", "an optimizer")
