"""Training rows in the evaluation, and targets among the inputs."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import netwise as nw
from histories import found, history, observed
from netwise import signals
from netwise.diagnosis.rules import leak


def of(**facts: Any) -> nw.History:
    return observed().but(data=nw.DataFacts(**facts))


def shared(share: float, **facts: Any) -> nw.History:
    usual = {"leaked_rows": share, "evaluated_rows": 200, "natural_repeats": 0.0}
    return of(known_rows=share, **{**usual, **facts})


def test_shared_rows() -> None:
    finding = found(leak.leak(shared(0.3, leaked_rows=0.6, training_seen=0.5)))
    assert finding.sentence.startswith("60 of 200 evaluated rows are also training rows")
    assert "of all rows about 60 %" in finding.sentence
    assert leak.leak(shared(0.0)) is None
    assert leak.leak(shared(0.02)) is None  # four rows
    assert isinstance(leak.leak(history()), nw.Unchecked)


@pytest.mark.parametrize(
    "facts",
    [{"natural_repeats": 0.25}, {"evaluates_training_part": True}, {"parts_are_apart": True}],
    ids=["few values", "training accuracy on purpose", "both parts one after the other"],
)
def test_rows_that_are_shared_without_a_leak(facts: dict[str, Any]) -> None:
    assert leak.leak(shared(0.3, **facts)) is None


def test_a_target_among_the_inputs() -> None:
    finding = found(leak.target_in_inputs(of(train_samples=100, target_feature=3)))
    assert finding.sentence.startswith("Feature 3 of the inputs is the target")
    other = of(train_samples=100, target_feature=3, target_feature_scale=(3.0, -1.0))
    sentence = found(leak.target_in_inputs(other)).sentence
    assert "is the target in other units (3 times it - 1)" in sentence
    assert leak.target_in_inputs(of(train_samples=100)) is None
    assert isinstance(leak.target_in_inputs(of()), nw.Unchecked)


def test_forecasts_that_see_what_they_forecast() -> None:
    series = of(series_as_targets=((0, 1),))
    finding = found(leak.target_in_inputs(series.but(first_batch=sees(((0, 1),)))))
    assert finding.grade == "cause"
    assert "one place later" in finding.sentence
    assert leak.target_in_inputs(series.but(first_batch=sees(()))) is None
    assert leak.target_in_inputs(series.but(first_batch=sees(((1, 1),)))) is None
    assert leak.target_in_inputs(series) is None  # no copy was asked


def sees(series: tuple[tuple[int, int], ...]) -> nw.FirstBatch:
    return nw.FirstBatch(samples=40, samples_mix="", later_in_series=series)


G = torch.Generator().manual_seed(0)
X = torch.randn(500, 6, generator=G)
Y = (X[:, 0] * X[:, 1] > 0).long()


def watched(held_out: list[torch.Tensor], rows: torch.Tensor) -> nw.Report:
    """A usual loop over some rows, evaluated on others, one part after the other."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    with nw.watch() as watch:
        for _ in range(6):
            order = rows[torch.randperm(len(rows), generator=G)]
            for batch in order.split(25):
                optimizer.zero_grad()
                F.cross_entropy(model(X[batch]), Y[batch]).backward()
                optimizer.step()
            for part in held_out:
                with torch.no_grad():
                    F.cross_entropy(model(X[part]), Y[part])
    return nw.diagnose(watch)


ALL = torch.arange(500)


def test_a_leak_of_a_watched_loop() -> None:
    mixed = ALL[200:400][torch.randperm(200, generator=G)]
    report = watched([mixed], ALL[:300])
    assert "leak" in report.names
    assert report.found[[f.rule for f in report.found].index("leak")].grade == "cause"


@pytest.mark.parametrize(
    "held_out", [[ALL[300:]], [ALL[:300]], [ALL[:300], ALL[300:]]], ids=["held out", "own", "both"]
)
def test_evaluations_without_a_leak(held_out: list[torch.Tensor]) -> None:
    assert "leak" not in watched(held_out, ALL[:300]).names


def held_out(share: float, final: float = 2.3, rows: int = 200, **facts: Any) -> nw.History:
    evaluations = {signals.EVALUATION_INPUT_MEAN: [0.0] * 9}
    data = nw.DataFacts(leaked_rows=share, evaluated_rows=rows, **facts)
    return observed(evaluations, final=final).but(data=data)


def test_evaluation_of_training_rows_alone() -> None:
    finding = found(leak.nothing_held_out(held_out(1.0)))
    assert finding.sentence.startswith("All 200 evaluated rows are training rows")
    assert leak.nothing_held_out(held_out(0.5)) is None  # a leak
    assert leak.nothing_held_out(held_out(1.0, final=0.1)) is None  # it learned what there is
    assert leak.nothing_held_out(held_out(1.0, rows=4)) is None
    assert leak.nothing_held_out(held_out(1.0, rows=256, features=8)) is None  # a truth table
    assert found(leak.nothing_held_out(held_out(1.0, rows=256, features=9)))
    nodes = nw.Wiring("Net", losses=(nw.LossTerm("cross entropy", target_shape=(60,)),))
    graph = held_out(1.0).but(wiring=nodes, first_batch=nw.FirstBatch(samples=200))
    assert leak.nothing_held_out(graph) is None  # the loss counts some of the nodes
    unknown = held_out(1.0).but(facts=nw.RunFacts())
    assert isinstance(leak.nothing_held_out(unknown), nw.Unchecked)
    assert isinstance(leak.nothing_held_out(observed()), nw.Unchecked)
