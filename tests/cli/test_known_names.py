"""Names that are known without torch are those that the package defines."""

from __future__ import annotations

import pytest

import netwise as nw
from netwise.cli.known_names import DATA_SETS, METRICS, SPEEDUPS, SUGGESTED_NETWORKS
from netwise.data import DATA
from netwise.scoring.metrics import CHOICES
from netwise.training import speedups


def constructible(name: str) -> bool:
    try:
        DATA[name]()
    except (TypeError, nw.NetwiseError):
        return False
    return True


def test_every_data_set_that_needs_no_settings_is_known() -> None:
    assert list(DATA_SETS) == [
        name for name in DATA if constructible(name) and name != "arrays"
    ]  # arrays are given in Python


@pytest.mark.parametrize("name", SUGGESTED_NETWORKS)
def test_every_known_network_can_be_suggested(name: str) -> None:
    assert nw.suggest(nw.data.digits(), name, epochs=1).epochs == 1


def test_an_unknown_network_is_refused_by_both() -> None:
    with pytest.raises(nw.UnknownName):
        nw.suggest(nw.data.digits(), "mpl")


def test_the_known_metrics_are_those_of_a_recipe() -> None:
    assert METRICS == CHOICES


def test_the_known_speedups_are_those_of_training() -> None:
    assert tuple(each.name for each in speedups.SPEEDUPS) == SPEEDUPS
