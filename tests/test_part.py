"""What a field accepts, and what it says of what it does not."""

from __future__ import annotations

import numpy as np
import pytest

import netwise as nw


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
