"""What must not change a diagnosis: the unit of the loss, names and order of layers, numbers of
classes. And what must not make a fault disappear: a signal or a fact that was not recorded."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings, strategies as st

import netwise as nw
from any_history import histories
from netwise import signals
from watching.loops.programs import LOOPS

# Sick loops with faults of many kinds, all short.
NAMES = (
    "gradients-accumulation",
    "gradients-clearing",
    "gradients-clipping_by_norm",
    "parameters-graph_cut-detach",
    "parameters-zero_branches",
    "targets-double_softmax",
    "targets-ignored_classes--100",
    "evaluation-validation-prepared",
    "reported_networks-norm_momentum",
    "reported_programs-sorted_rows",
)


@pytest.fixture(scope="module")
def sick() -> dict[str, nw.History]:
    """Histories of sick loops."""
    runs = {}
    for loop in LOOPS:
        if loop.name in NAMES:
            torch.manual_seed(0)
            with nw.watch() as watch:
                loop.run(True)
            found = {n: h for n, h in watch.histories().items() if nw.diagnose(h).found}
            runs |= {f"{loop.name} {name}": history for name, history in found.items()}
    assert len(runs) >= len(NAMES)
    return runs


def found_in(history: nw.History) -> set[str]:
    return {finding.rule for finding in nw.diagnose(history).found}


def without_one(history: nw.History) -> Iterator[tuple[str, nw.History]]:
    """The history without one signal, one fact, or one of the facts of data and first batch."""
    for name in sorted({signal for signal, _ in history.series}):
        rest = {key: series for key, series in history.series.items() if key[0] != name}
        yield name, history.but(series=rest)
    for part in ("facts", "data", "first_batch"):
        facts = getattr(history, part)
        if facts is None:
            continue
        for each in dataclasses.fields(facts):
            if each.default is None and getattr(facts, each.name) is not None:
                less = dataclasses.replace(facts, **{each.name: None})
                yield f"{part}.{each.name}", history.but(**{part: less})


# Rules with two tests of different signals: without those of one test, the other has still read its
# own. The second names the share of classes of two, steps that are lost in rounding, and shorter
# steps that had an effect.
SECOND_TESTS = {
    "rate_too_high": {"weight.norm"},
    "rate_too_low": {"gradient.cleared", "gradient.zero", "rate", "weights.moved"},
    "not_shuffled": {
        "targets.alike",
        *(f"facts.target_{name}" for name in ("low", "high", "mean", "std")),
    },
    # Without the losses of evaluations, those of training show that the network has learned.
    "evaluation_prepared_otherwise": {"valid.loss", "facts.loss_of_guessing"},
    "running_statistics_misfit": {"valid.loss", "facts.loss_of_guessing"},
    # Another simple model is left, or the score of the last evaluated batches.
    "plateau": {"data.evaluation_smooth_score", "valid.accuracy"},
}


def test_what_was_not_recorded_makes_no_fault_disappear(sick: dict[str, nw.History]) -> None:
    """A rule that found a fault finds it, or is not checked: it never answers "no sign of"."""
    lost = []
    for name, history in sick.items():
        rules = [r for r in nw.RULES if isinstance(r.find(history), nw.Finding)]
        for what, less in without_one(history):
            lost += [
                (name, rule.name, what)
                for rule in rules
                if rule.find(less) is None and what not in SECOND_TESTS.get(rule.name, ())
            ]
    assert not lost, "\n".join(map(str, lost))


LOSSES = (signals.LOSS, signals.TRAIN_LOSS, signals.VALID_LOSS, signals.PENALTY)


def in_units_of(history: nw.History, unit: float) -> nw.History:
    """The same run with its loss in other units, such as bits instead of nats."""
    series = {
        key: nw.Series(each.steps, tuple(value / unit for value in each.values))
        if key[0] in LOSSES
        else each
        for key, each in history.series.items()
    }
    changed = {
        name: None if value is None else value / unit
        for name in ("loss_of_guessing", "least_loss")
        for value in [getattr(history.facts, name)]
    }
    return history.but(series=series, facts=dataclasses.replace(history.facts, **changed))


@pytest.mark.parametrize("unit", [0.1, 7.0])
def test_the_unit_of_the_loss_changes_no_diagnosis(
    sick: dict[str, nw.History], unit: float
) -> None:
    for name, history in sick.items():
        assert found_in(in_units_of(history, unit)) == found_in(history), name


def renamed(history: nw.History, new: dict[str, str]) -> nw.History:
    series = {(signal, new.get(layer, layer)): s for (signal, layer), s in history.series.items()}
    layers = tuple(dataclasses.replace(each, name=new[each.name]) for each in history.layers)
    return history.but(series=series, layers=layers)


def test_names_of_layers_change_no_diagnosis(sick: dict[str, nw.History]) -> None:
    for name, history in sick.items():
        new = {layer.name: f"block{i}.f" for i, layer in enumerate(history.layers)}
        wiring = history.wiring
        assert wiring is not None
        cut = tuple(new.get(layer, layer) for layer in wiring.cut_between)
        changed = renamed(history, new).but(wiring=dataclasses.replace(wiring, cut_between=cut))
        assert found_in(changed) == found_in(history), name


def test_the_order_of_the_series_changes_no_diagnosis(sick: dict[str, nw.History]) -> None:
    for name, history in sick.items():
        keys = list(history.series)
        random.Random(0).shuffle(keys)
        changed = history.but(series={key: history.series[key] for key in keys})
        assert found_in(changed) == found_in(history), name


def test_numbers_of_classes_change_no_diagnosis(sick: dict[str, nw.History]) -> None:
    for name, history in sick.items():
        shares, data = history.facts.class_shares, history.data
        if shares is None:
            continue
        changed = history.but(facts=dataclasses.replace(history.facts, class_shares=shares[::-1]))
        if data is not None:
            answers = {
                each: None if counts is None else counts[::-1]
                for each in ("answers", "evaluation_answers")
                for counts in [getattr(data, each)]
            }
            changed = changed.but(data=dataclasses.replace(data, **answers))
        assert found_in(changed) == found_in(history), name


@given(histories(), st.sampled_from([0.25, 8.0]))
@settings(max_examples=40)
def test_reports_of_any_history_can_be_printed(history: nw.History, unit: float) -> None:
    """In any unit of the loss: powers of two, so that no digit is lost."""
    assert str(nw.diagnose(history))
    assert str(nw.diagnose(in_units_of(history, unit)))
