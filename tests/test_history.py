"""Histories: rows in, series out, and back from plain values."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, strategies as st

import netwise as nw
from netwise.history import history_as_dict, history_rows
from netwise.signals import SIGNALS
from netwise.storage.about_file import history_from_dict

ROWS = st.lists(
    st.dictionaries(
        st.sampled_from(["loss", "valid.loss", "gradient.rms|layer1", "units.dead|a|b"]),
        st.floats(),
        min_size=1,
    ),
    max_size=20,
)


@given(ROWS)
def test_every_number_of_every_row_is_in_its_series(rows: list[dict[str, float]]) -> None:
    history = nw.History.from_rows([{"step": i, **row} for i, row in enumerate(rows)])
    assert sum(map(len, history.series.values())) == sum(map(len, rows))
    for (signal, layer), series in history.series.items():
        key = f"{signal}|{layer}" if layer else signal
        assert [rows[step][key] for step in series.steps] == pytest.approx(
            list(series.values), nan_ok=True
        )


@given(ROWS, st.lists(st.integers(0, 8), min_size=20, max_size=20))
def test_a_history_comes_back_from_its_rows(
    values: list[dict[str, float]], steps: list[int]
) -> None:
    """A signal may have several rows of one step, such as a step and the end of its epoch."""
    rows = [{"step": step, **row} for step, row in zip(sorted(steps), values, strict=False)]
    history = nw.History.from_rows(rows)
    again = history_rows(history)
    assert [row["step"] for row in again] == sorted(row["step"] for row in again)
    assert repr(sorted(nw.History.from_rows(again).series.items())) == repr(
        sorted(history.series.items())
    )


def test_a_history_comes_back_from_plain_values() -> None:
    history = nw.History.from_rows(
        [{"step": 0, "loss": math.inf}],
        (nw.Layer("a", "Linear", 3, 2, "ReLU"),),
        nw.RunFacts(classes=3),
        nw.RunEnd("finished", "Done.", 1),
        nw.Provenance("abc", {"torch": "2"}),
    )
    again = history_from_dict(
        json.loads(json.dumps(history_as_dict(history))), [{"step": 0, "loss": "inf"}]
    )
    assert again == history


def test_finite_leaves_out_what_is_no_number() -> None:
    assert nw.Series((0, 1, 2), (math.nan, 1.0, math.inf)).finite == (1.0,)


def test_every_signal_says_what_it_means() -> None:
    assert len(SIGNALS) > 15
    for name, signal in SIGNALS.items():
        assert name == signal.name
        assert len(signal.meaning) > 10


def test_a_run_records_only_known_signals(digits_run: nw.Run) -> None:
    assert {signal for signal, _ in digits_run.history.series} <= set(SIGNALS)


def test_a_printed_history_is_one_line() -> None:
    history = nw.History.from_rows([{"step": 0, "loss": 2.3, "valid.loss": 2.0}])
    assert str(history) == "2 signals of 0 layers. Still running."
