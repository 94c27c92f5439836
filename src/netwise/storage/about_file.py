"""The schemas of `about.json` and `program.json`, and of the outcome of a search; histories from
the first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NotRequired, TypedDict

from netwise.data_facts import DataFacts
from netwise.first_batch import FirstBatch
from netwise.history import History, Layer, Provenance, RunEnd, RunFacts, Series
from netwise.program_error import ProgramError
from netwise.schema import typed
from netwise.storage.seals import RowsSeal
from netwise.wiring import Wiring


class PlainHistory(TypedDict):
    """What `history_as_dict` returns, as `netwise.schema` checks it."""

    layers: tuple[Layer, ...]
    facts: RunFacts
    ended: RunEnd
    made_by: Provenance
    wiring: NotRequired[Wiring | None]
    data: NotRequired[DataFacts | None]
    first_batch: NotRequired[FirstBatch | None]
    error: NotRequired[ProgramError | None]


class PlainScore(TypedDict):
    """A score of the test part, as lists and pages print it."""

    name: str
    value: float
    sentence: str


class About(PlainHistory):
    """`about.json`; a watched program has no `fingerprint`, `how` and `intake`. The last four are
    described in `netwise.storage.seals`."""

    score: PlainScore | None
    fingerprint: NotRequired[str]
    how: NotRequired[dict[str, Any]]
    intake: NotRequired[dict[str, Any]]
    recipe: NotRequired[str]
    rows: NotRequired[RowsSeal]
    files: NotRequired[dict[str, str]]
    sha256: NotRequired[str]


class Program(TypedDict, total=False):
    """`program.json`; see `netwise.storage.layout`."""

    name: NotRequired[str]
    command: NotRequired[tuple[str, ...]]
    script: NotRequired[str]
    sha256: NotRequired[str]
    folder: NotRequired[str]
    model: NotRequired[str]
    versions: NotRequired[dict[str, str]]


class Outcome(TypedDict):
    """What lists of runs read of the outcome of a search."""

    test: NotRequired[PlainScore | None]


def history_from_dict(plain: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> History:
    """The history from what `history_as_dict` returned, and its rows."""
    return history_with_series(plain, History.from_rows(rows).series)


def history_with_series(
    plain: Mapping[str, Any], series: Mapping[tuple[str, str], Series]
) -> History:
    """The history from what `history_as_dict` returned, and its series.

    Raises:
        SchemaError: a value has another type than its field.
    """
    parts = typed(PlainHistory, plain)
    return History(
        series, **{name: parts[name] for name in PlainHistory.__annotations__.keys() & parts}
    )
