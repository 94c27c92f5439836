"""Optimizers of torch.optim by name."""

from __future__ import annotations

import pytest
import torch

import netwise as nw


def test_any_torch_optimizer_by_name_and_wrong_names_and_arguments_are_refused() -> None:
    w = torch.zeros(2, requires_grad=True)
    assert (
        type(nw.TorchOptimizer(name="ASGD", arguments=("lambd=0.1",)).build([w])).__name__ == "ASGD"
    )
    with pytest.raises(nw.WrongValue, match="Did you mean `Adamax`"):
        nw.TorchOptimizer(name="Adamaxx")
    with pytest.raises(
        nw.WrongValue,
        match="are not arguments of torch's ASGD .*: write those of its documentation",
    ):
        nw.TorchOptimizer(arguments=("rho=1",))
    with pytest.raises(
        nw.WrongValue,
        match="are not arguments of torch's ASGD .*: write those of its documentation",
    ):
        nw.TorchOptimizer(arguments=("lambd=__import__('os')",))
