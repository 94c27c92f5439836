"""The axes of what the first convolution gets."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from netwise.observe.convolved_axis import ConvolvedAxis, convolved_axis
from netwise.observe.operations import traced

torch.manual_seed(0)
SERIES = torch.randn(20, 40, 3).cumsum(1)  # 40 time steps of 3 sensors


def asked(net: nn.Module, x: Tensor) -> ConvolvedAxis | None:
    return convolved_axis(traced(net, lambda args, kwargs: [net(*args)], ((x,), {})), [x])


def test_time_steps_that_are_taken_for_channels_are_alike() -> None:
    found = asked(nn.Conv1d(40, 8, 3, padding=1), SERIES)
    assert found is not None
    assert found.shape == (20, 40, 3)
    assert found.channels > 0.8
    assert abs(found.places[0]) < 0.3


def test_axes_that_the_module_exchanges_itself() -> None:
    class Exchanges(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv1d(3, 8, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x.transpose(1, 2))

    found = asked(Exchanges(), SERIES)
    assert found is not None
    assert (found.layer, found.shape) == ("conv", (20, 3, 40))
    assert found.places[0] > 0.8


@pytest.mark.parametrize(
    ("net", "x"),
    [
        (nn.Sequential(nn.Linear(40, 40), nn.Conv1d(3, 8, 3)), SERIES.transpose(1, 2)),
        (nn.Conv1d(40, 8, 1), SERIES),  # slides along nothing
        (nn.Conv1d(40, 8, 3), SERIES[:4]),  # few samples
        (nn.Linear(3, 2), SERIES),
    ],
    ids=["not an input", "kernel of one", "few samples", "no convolution"],
)
def test_nothing_is_said_of_other_modules(net: nn.Module, x: Tensor) -> None:
    assert asked(net, x) is None
