"""Optimizers of torch.optim by name."""

from __future__ import annotations

import subprocess
import sys

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


@pytest.mark.parametrize(
    "arguments",
    [("betas=5",), ("lambd=" + "-" * 100_000 + "1",), ("=1",), ("lr=1",), ("alpha",)],
    ids=["wrong type", "deep", "no name", "twice", "no value"],
)
def test_whatever_torch_raises_for_an_argument_is_one_wrong_value(
    arguments: tuple[str, ...],
) -> None:
    with pytest.raises(nw.WrongValue, match="are not arguments of torch's"):
        nw.TorchOptimizer(name="Adam", arguments=arguments)


OPTIMIZERS = sorted(
    name
    for name, kind in vars(torch.optim).items()
    if isinstance(kind, type)
    and issubclass(kind, torch.optim.Optimizer)
    and kind is not torch.optim.Optimizer
)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_of_torch_is_checked_by_its_own_constructor(name: str) -> None:
    w = torch.zeros(2, 2, requires_grad=True)
    assert type(nw.TorchOptimizer(name=name).build([w])).__name__ == name
    with pytest.raises(nw.WrongValue):
        nw.TorchOptimizer(name=name, arguments=("no_such_argument=1",))


def test_reading_one_does_not_import_the_compiler_of_torch() -> None:
    code = (
        "import sys, netwise as nw; nw.TorchOptimizer(name='Rprop'); "
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
