"""Batch norm layers that keep no average."""

from __future__ import annotations

import torch
from torch import nn

from netwise.observe.norm_momenta import norm_momenta


def test_a_momentum_of_0_counts_where_the_statistics_are_those_of_the_start() -> None:
    net = nn.Sequential(nn.BatchNorm1d(3, momentum=0.0), nn.BatchNorm1d(3))
    assert norm_momenta(net) == {"still_norms": ("0",), "eager_norms": (), "norm_momentum": 0.0}
    net[0].running_mean += torch.ones(3)
    assert norm_momenta(net)["still_norms"] == ()
    net[0].reset_running_stats()
    assert norm_momenta(net.eval())["still_norms"] == ()


def test_a_momentum_near_1_counts() -> None:
    net = nn.Sequential(nn.BatchNorm2d(3, momentum=0.99), nn.InstanceNorm2d(3, momentum=1.0))
    found = norm_momenta(net)
    assert (found["eager_norms"], found["norm_momentum"]) == (("0",), 0.99)
    assert norm_momenta(nn.BatchNorm1d(3, momentum=None))["eager_norms"] == ()
