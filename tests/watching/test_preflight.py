"""Preflight names faults on one batch, is silent on healthy programs, and changes nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from netwise.watching.preflight import LATER, NO_OPTIMIZER, _Asked, _history

X = torch.randn(24, 6, generator=torch.Generator().manual_seed(0))
Y = torch.arange(24) % 3
Z = torch.randn(24, generator=torch.Generator().manual_seed(1))


def mlp(outputs: int = 3, *last: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, outputs), *last)


def report(model: nn.Module, loss: Any = F.cross_entropy, **options: Any) -> nw.Report:
    options = {"batch": (X, Y), "optimizer": torch.optim.Adam(model.parameters())} | options
    return nw.preflight(model, loss=loss, **options)


def frozen_part() -> nw.Report:
    model = mlp()
    return report(model, optimizer=torch.optim.SGD(model[0].parameters(), lr=0.1))


def detached() -> nw.Report:
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.first(x).relu().detach())

    return report(Cut())


def dead() -> nw.Report:
    model = mlp()
    nn.init.constant_(model[0].bias, -100.0)
    return report(model)


def with_start(change: Callable[[Tensor], Any]) -> nw.Report:
    """A network whose weights start otherwise."""
    model = nn.Sequential(
        *(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU()),
        *(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)),
    )
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.bias)
            change(layer.weight)
    return report(model)


def named_elements(output: Tensor, target: Tensor) -> Tensor:
    """Log-probabilities along another axis than that of the classes."""
    shares = output.reshape(4, 6, 3).log_softmax(1)
    return F.nll_loss(shares.reshape(-1, 3), target)


def masked(output: Tensor, target: Tensor) -> Tensor:
    losses, mask = F.cross_entropy(output, target, reduction="none"), (target < 0).float()
    return (losses * mask).sum() / (mask.sum() + 1e-8)


MANY = torch.randn(200, 6, generator=torch.Generator().manual_seed(2))
RARE = (torch.arange(200) % 50 == 0).long()

SICK: dict[str, tuple[Callable[[], nw.Report], str]] = {
    "in no optimizer": (frozen_part, "weights_stand_still"),
    "detached": (detached, "graph_cut"),
    "broadcast": (lambda: report(mlp(1), F.mse_loss, batch=(X, Z)), "shapes_broadcast"),
    "softmax twice": (lambda: report(mlp(3, nn.Softmax(1))), "output_misfits_loss"),
    "softmax over the batch": (
        lambda: report(mlp(3, nn.LogSoftmax(0)), F.nll_loss),
        "softmax_over_batch",
    ),
    "softmax of one unit": (
        lambda: report(mlp(1, nn.Softmax(1)), F.mse_loss, batch=(X, Z[:, None])),
        "softmax_of_one_unit",
    ),
    "dead": (dead, "dead_at_start"),
    "shapes": (lambda: report(mlp(), batch=(X[:, :5], Y)), "step_fails"),
    "one sample": (
        lambda: report(nn.Sequential(nn.Linear(6, 3), nn.BatchNorm1d(3)), batch=(X[:1], Y[:1])),
        "bn_with_one_sample",
    ),
    "not finite": (lambda: report(mlp(), batch=(X / 0, Y)), "not_finite"),
    "sign": (lambda: report(mlp(), lambda o, y: -F.cross_entropy(o, y)), "loss_rewards_errors"),
    "rounded": (
        lambda: report(mlp(1), lambda o, y: F.mse_loss(o.round(), y), batch=(X, Z[:, None])),
        "loss_constant",
    ),
    "its own answers": (
        lambda: report(mlp(), lambda o, y: F.mse_loss(o, o.detach() / 2)),
        "loss_ignores_targets",
    ),
    "squared error on classes": (
        lambda: report(mlp(), lambda o, y: F.mse_loss(o, F.one_hot(y, 3).float())),
        "loss_misfits_task",
    ),
    "yes or no of exclusive classes": (
        lambda: report(
            mlp(), lambda o, y: F.binary_cross_entropy_with_logits(o, F.one_hot(y, 3).float())
        ),
        "loss_misfits_task",
    ),
    "all masked": (lambda: report(mlp(), masked), "gradient_zero"),
    "softmax over places": (lambda: report(mlp(), named_elements), "softmax_over_batch"),
    "large targets": (
        lambda: report(mlp(1), F.mse_loss, batch=(X, 1e4 * Z[:, None])),
        "target_not_scaled",
    ),
    "target among the inputs": (
        lambda: report(mlp(1), F.mse_loss, batch=(MANY, MANY[:, 2:3].clone())),
        "target_in_inputs",
    ),
    "one class": (
        lambda: report(mlp(), batch=(MANY, torch.zeros(200, dtype=torch.long))),
        "one_class",
    ),
    "rare class": (lambda: report(mlp(2), batch=(MANY, RARE)), "class_imbalance"),
    "equal units": (
        lambda: with_start(lambda w: nn.init.constant_(w, 0.1)),
        "start_symmetric",
    ),
    "fading with depth": (
        lambda: with_start(lambda w: nn.init.normal_(w, std=0.03)),
        "start_too_small",
    ),
    "no activations": (
        lambda: report(nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 3))),
        "no_nonlinearity",
    ),
    "normalization of one unit": (
        lambda: report(mlp(1, nn.LayerNorm(1)), F.mse_loss, batch=(X, Z[:, None])),
        "constant_output",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SICK)
def test_faults_that_one_batch_shows(name: str) -> None:
    run, rule = SICK[name]
    assert rule in run().names


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(6, 4), nn.Linear(6, 4)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return (self.first(a) * self.second(b)).sum(1)


class Experts(nn.Module):
    """Outputs of experts, weighted by a softmax that is no part of the output activation."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.experts = nn.Linear(6, 2), nn.ModuleList(mlp() for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        shares = self.gate(x).softmax(-1)
        return shares[:, :1] * self.experts[0](x) + shares[:, 1:] * self.experts[1](x)


class OwnLoss(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = mlp()

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(self.layer(x), y)


HEALTHY: dict[str, Callable[[], nw.Report]] = {
    "classes": lambda: report(mlp()),
    "numbers": lambda: report(mlp(1), F.mse_loss, batch=(X, Z[:, None])),
    "dropout and batch norm": lambda: report(
        nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 3))
    ),
    "two inputs": lambda: report(Pair(), F.mse_loss, batch=((X, X.flip(0)), Z)),
    "named inputs": lambda: report(Pair(), F.mse_loss, batch=({"a": X, "b": X.flip(0)}, Z)),
    "experts": lambda: report(Experts()),
    "own loss": lambda: report(OwnLoss(), None, batch=((X, Y), None)),
    "no optimizer": lambda: report(mlp(), optimizer=None),
    "no loss": lambda: report(mlp(), None),
    "evaluation mode": lambda: report(
        nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 3)).eval()
    ),
    "module as loss": lambda: report(mlp(), nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2, 1]))),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_programs(name: str) -> None:
    found = HEALTHY[name]()
    assert found.names == ()
    assert "samples_mix" in found.clear or name == "own loss"


def test_several_optimizers() -> None:
    model = mlp()
    both = tuple(torch.optim.SGD(model[i].parameters(), lr=0.1) for i in (0, 2))
    assert report(model, optimizer=both).names == ()


def test_reasons_say_what_to_pass() -> None:
    reasons = dict(report(mlp(), optimizer=None).unchecked)
    assert reasons["weights_stand_still"] == NO_OPTIMIZER
    assert LATER in reasons.values()
    assert dict(report(mlp(), None).unchecked)["shapes_broadcast"].startswith("no loss was given")


def test_a_module_that_cannot_be_copied_has_a_reason() -> None:
    model = mlp()
    model.lines = (line for line in "ab")
    reasons = dict(report(model).unchecked)
    assert "cannot be copied" in reasons["samples_mix"]
    assert "cannot be copied" in reasons["weights_stand_still"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"batch": X}, "batch is a value of type Tensor"),
        ({"batch": (X,)}, "batch is a tuple of 1"),
        ({"batch": ("text", Y)}, "inputs of batch"),
        ({"loss": 3}, "loss is a value of type int"),
        ({"optimizer": "adam"}, "optimizer is a value of type str"),
    ],
    ids=["tensor", "single", "text", "loss", "optimizer"],
)
def test_errors_name_the_field(options: dict[str, Any], text: str) -> None:
    with pytest.raises((TypeError, ValueError), match=text):
        nw.preflight(mlp(), **{"batch": (X, Y)} | options)
    with pytest.raises(TypeError, match="model is a value of type function"):
        nw.preflight(mlp, batch=(X, Y))  # type: ignore[arg-type]


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "inside watch"])
def test_nothing_of_the_program_changes(inside: bool) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.ReLU(), nn.Linear(8, 3)
    )
    optimizer = torch.optim.Adam(model.parameters())
    penalised = lambda o, y: F.cross_entropy(o, y) + model[0].weight.pow(2).mean()  # noqa: E731
    penalised(model(X), Y).backward()
    optimizer.step()
    state = {k: v.clone() for k, v in model.state_dict().items()}
    grads = [p.grad for p in model.parameters()]
    values = [g.clone() for g in grads if g is not None]
    moments = [s["exp_avg"].clone() for s in optimizer.state.values()]
    draws = torch.get_rng_state(), random.getstate(), np.random.get_state()[1]
    if inside:
        with nw.watch() as w:
            nw.preflight(model, loss=penalised, optimizer=optimizer, batch=(X, Y))
        assert w.histories() == {}
    else:
        nw.preflight(model, loss=penalised, optimizer=optimizer, batch=(X, Y))
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    assert all(p.grad is g for p, g in zip(model.parameters(), grads, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(values, grads, strict=True) if b is not None)
    kept = [s["exp_avg"] for s in optimizer.state.values()]
    assert all(torch.equal(a, b) for a, b in zip(moments, kept, strict=True))
    assert [s["step"].item() for s in optimizer.state.values()] == [1.0] * 6
    assert torch.equal(draws[0], torch.get_rng_state())
    assert draws[1] == random.getstate()
    assert np.array_equal(draws[2], np.random.get_state()[1])
    assert model.training


def test_an_error_is_kept_once() -> None:
    """With its statement and layer, as an error that ends a program."""
    model = mlp()
    asked = _Asked(model, nn.functional.cross_entropy, (), (X[:, :5],), {}, Y)
    history = _history(asked)
    assert history.error is not None
    assert history.first_batch is not None
    assert not history.first_batch.error
