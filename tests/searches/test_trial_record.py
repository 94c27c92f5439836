"""Records of trials and their ranking, against sorting by hand."""

from __future__ import annotations

from hypothesis import given, strategies as st

import netwise as nw
from netwise.searches.trial_record import END_STATES, ranked

RECORDS = st.lists(
    st.builds(
        nw.TrialRecord,
        st.integers(0, 99),
        st.integers(0, 2),
        st.just({}),
        value=st.none() | st.sampled_from([0.1, 0.5, 0.9]),
        state=st.sampled_from(["complete", "pruned", "failed", "running", "waiting"]),
    ),
    unique_by=lambda record: record.number,
)


@given(RECORDS, st.none() | st.integers(0, 2))
def test_the_ranking_is_by_value_then_by_number(
    records: list[nw.TrialRecord], stage: int | None
) -> None:
    ranking = ranked(records, stage)
    keys = [(-(record.value or 0.0), record.number) for record in ranking]
    assert keys == sorted(keys)
    assert set(ranking_numbers(ranking)) == {
        record.number
        for record in records
        if record.state == "complete" and record.value is not None and stage in (None, record.stage)
    }


def ranking_numbers(records: list[nw.TrialRecord]) -> list[int]:
    return [record.number for record in records]


def test_a_record_knows_whether_it_needs_more_work() -> None:
    states = ("complete", "pruned", "failed", "running", "waiting")
    ended = [nw.TrialRecord(0, 0, {}, state=state).ended for state in states]
    assert ended == [True, True, True, False, False]
    assert set(END_STATES) == set(states[:3])


def test_a_point_as_text() -> None:
    record = nw.TrialRecord(0, 0, {"optimizer.lr": 0.123456, "width": 30, "kind": "SGD"})
    assert record.point_text == "optimizer.lr = 0.1235, width = 30, kind = SGD"
