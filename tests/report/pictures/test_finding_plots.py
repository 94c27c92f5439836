"""Pictures of findings: the right signal and layers, and a bar that shows the side of the limit."""

from __future__ import annotations

import math
import re

import pytest

import netwise as nw
from netwise import signals
from netwise.report.pictures.finding_plots import SIGNALS_OF, evidence_bar, finding_pictures
from netwise.signals import SIGNALS


def history(count: int = 3, **network: tuple[float, ...]) -> nw.History:
    series = {
        (signals.GRADIENT_RMS, f"layer{i}"): nw.Series((0, 1, 2), (10.0**-i, 0.2, 0.3))
        for i in range(count)
    }
    series |= {(name, ""): nw.Series((0, 1, 2), values) for name, values in network.items()}
    layers = tuple(nw.Layer(f"layer{i}", "Linear", 4, 4) for i in range(count))
    return nw.History(series, layers, nw.RunFacts(loss_of_guessing=2.3))


def finding(rule: str, *layers: str) -> nw.Finding:
    return nw.Finding(rule, "It is.", layers=layers)


def labels(picture: str) -> set[str]:
    return set(re.findall(r"layer\d+", picture))


def test_the_layers_of_the_finding_are_drawn_beside_the_last_one() -> None:
    (picture,) = finding_pictures(history(5), finding("vanishing_gradient", "layer1"))
    assert labels(picture) == {"layer1", "layer4"}


def test_of_many_layers_some_are_drawn_with_the_first_and_the_last() -> None:
    (picture,) = finding_pictures(history(30), finding("vanishing_gradient"))
    assert {"layer0", "layer29"} <= labels(picture)
    assert len(labels(picture)) == 6


def test_a_symptom_is_drawn_with_the_loss_of_guessing() -> None:
    (picture,) = finding_pictures(history(loss=(2.4, 2.3, 2.2)), finding("not_learning"))
    assert "guessing: 2.3" in picture


@pytest.mark.parametrize(
    ("rule", "loss"),
    [("mine", (1.0, 2.0, 3.0)), ("not_finite", (math.nan,) * 3), ("not_finite", (1.0,) * 3)],
    ids=["no signal is named", "no finite value", "one value all the time"],
)
def test_nothing_is_drawn_where_there_is_nothing_to_see(rule: str, loss: tuple[float, ...]) -> None:
    assert finding_pictures(history(loss=loss), finding(rule)) == []


def test_the_table_names_rules_and_signals_that_exist() -> None:
    assert set(SIGNALS_OF) <= {rule.name for rule in nw.RULES}
    assert {name for names in SIGNALS_OF.values() for name in names} <= set(SIGNALS)


@pytest.mark.parametrize(
    ("value", "left", "width"),
    [(10.0, 50.0, 16.7), (0.1, 33.3, 16.7), (1e9, 50.0, 50.0), (0.0, 0.0, 50.0), (1.0, 50.0, 1.0)],
    ids=["above", "below", "far above", "zero", "at the limit"],
)
def test_the_bar_goes_from_the_limit_to_the_number(value: float, left: float, width: float) -> None:
    text = evidence_bar(nw.Evidence("x", value, 1.0))
    bar = re.search(r'class="value" x="([\d.]+)" y="2" width="([\d.]+)"', text)
    assert bar is not None
    assert (float(bar[1]), float(bar[2])) == (left, width)


@pytest.mark.parametrize("numbers", [(1.0, 0.0), (math.inf, 1.0), (-1.0, 1.0)], ids=str)
def test_numbers_without_a_ratio_have_no_bar(numbers: tuple[float, float]) -> None:
    assert evidence_bar(nw.Evidence("x", *numbers)) == ""
