"""Optimizers of torch that do not import torch's compiler, and step as ever."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from netwise.parts.optimizers.without_compiler import MARK, compiler_not_imported, plain_step

CODE = """
import sys, torch
from netwise.parts.optimizers.without_compiler import compiler_not_imported, plain_step
for kind in torch.optim.SGD, torch.optim.Adam, torch.optim.RMSprop:
    w = torch.ones(3, requires_grad=True)
    with compiler_not_imported():
        optimizer = kind([w], lr=0.1)
        (w * w).sum().backward()
        plain_step(optimizer)()
        optimizer.load_state_dict(optimizer.state_dict())
        optimizer.zero_grad()
    assert float(w.sum()) != 3
print("torch._dynamo" in sys.modules)
"""


def test_a_step_and_the_state_need_no_compiler() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Adagrad", "NAdam", "Rprop"])
def test_the_step_is_that_of_torch(name: str) -> None:
    weights = [torch.linspace(-1, 1, 6).requires_grad_() for _ in range(2)]
    optimizers = [getattr(torch.optim, name)([w], lr=0.05) for w in weights]
    steps = [optimizers[0].step, plain_step(optimizers[1])]
    for _ in range(5):
        for w, step in zip(weights, steps, strict=True):
            w.grad = w.detach() ** 3 - 0.1
            step()
        assert torch.equal(*weights)


def test_a_step_that_somebody_listens_to_is_torchs_own() -> None:
    optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1)
    optimizer.register_step_post_hook(lambda *_: None)
    assert plain_step(optimizer) == optimizer.step


def test_nothing_is_left_on_torch() -> None:
    with compiler_not_imported():
        pass
    for method in vars(torch.optim.Optimizer).values():
        plain = getattr(method, "__wrapped__", None)
        mark = getattr(plain, MARK, None)
        assert mark is None or mark is not plain
