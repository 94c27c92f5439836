"""Numbers of rows among the inputs."""

from __future__ import annotations

import netwise as nw
from histories import found, observed
from netwise.diagnosis.rules.row_numbers import row_number_among_inputs


def run(numbers: tuple[int, float, float] | None) -> nw.History:
    data = nw.DataFacts(train_samples=300, chance_score=0.33, row_numbers=numbers)
    return observed(final=0.1).but(data=data)


def test_a_number_that_tells_the_class() -> None:
    finding = found(row_number_among_inputs(run((2, 0.98, 0.8))))
    assert finding.sentence.startswith("Feature 2 of the inputs looks like the number of the row")
    assert finding.grade == "suspect"


def test_a_number_that_tells_nothing() -> None:
    assert row_number_among_inputs(run((2, 0.4, 0.8))) is None
    assert row_number_among_inputs(run(None)) is None
    assert isinstance(row_number_among_inputs(observed()), nw.Unchecked)
