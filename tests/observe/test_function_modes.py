"""The stack of torch's function modes is read and put back."""

from __future__ import annotations

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._device import DeviceContext

from netwise.observe.function_modes import all_modes, has_to_be_lowest, set_modes


def test_modes_are_read_and_put_back_in_order() -> None:
    before = all_modes()
    with TorchFunctionMode() as one, TorchFunctionMode() as other:
        assert all_modes() == [*before, one, other]
        set_modes([*before, other, one])
        assert all_modes() == [*before, other, one]
        set_modes([*before, one, other])
    assert all_modes() == before


def test_the_mode_of_a_default_device_has_to_be_lowest() -> None:
    context = DeviceContext(torch.device("cpu"))
    assert not has_to_be_lowest(context)
    with context:
        assert has_to_be_lowest(context)
    assert not has_to_be_lowest(TorchFunctionMode())
