"""Errors of modules, optimizers and saved weights are explained, with what to change."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diagnosis.error_kinds.raising_programs import Case, X, Y, check, dense, steps


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 8, batch_first=True)
        self.out = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.lstm(x))


def plain_list() -> None:
    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = [nn.Linear(4, 3)]

    torch.optim.SGD(Plain().parameters(), lr=0.1)


def no_super() -> None:
    class NoSuper(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Linear(4, 3)

    NoSuper()


def other_sizes() -> None:
    dense(4, 3).load_state_dict(dense(5, 3).state_dict())


def parallel_names() -> None:
    saved = {f"module.{key}": value for key, value in dense(4, 3).state_dict().items()}
    dense(4, 3).load_state_dict(saved)


CASES = {
    "plain list": Case(plain_list, ("Python list",), "ModuleList"),
    "no super": Case(no_super, ("__init__",), "super().__init__()"),
    "no forward": Case(lambda: nn.Module()(X), ("no method `forward`",), "def forward"),
    "loss made and called": Case(
        lambda: nn.CrossEntropyLoss(dense(4, 3)(X), Y),
        ("made and called in one",),
        "criterion(output, y)",
    ),
    "state passed on": Case(
        lambda: steps(Recurrent(), torch.randn(6, 5, 4), Y, F.cross_entropy),
        ("outputs and its state",),
        "output, state",
    ),
    "two arguments": Case(lambda: dense(4, 3)(X, Y), ("other arguments",), "output = model(x)"),
    "other sizes": Case(other_sizes, ("`0.weight` is [3, 5]", "[3, 4]"), "strict=False"),
    "parallel names": Case(parallel_names, ("DataParallel",), "removeprefix"),
}


@pytest.mark.parametrize("name", CASES)
def test_an_error_is_explained(name: str) -> None:
    check(CASES[name])
