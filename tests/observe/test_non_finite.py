"""Causes of losses and gradients that are not finite."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.non_finite import cause_of_gradient, cause_of_loss, risky_inputs

OUTPUTS = torch.tensor([[0.5, -0.25], [2.0, 1.0], [-1.0, 3.0]])


def outputs() -> Tensor:
    return OUTPUTS.clone().requires_grad_() * 1.0


def test_logarithm_of_what_is_no_probability() -> None:
    assert cause_of_loss(F.nll_loss(outputs().log(), torch.tensor([1, 0, 0]))) == "Log of -1"
    assert cause_of_loss(outputs().relu().log().mean()) == "Log of 0"


def test_all_targets_are_ignored() -> None:
    loss = F.cross_entropy(outputs(), torch.full((3,), -100))
    assert cause_of_loss(loss) == "all 3 targets are ignore_index = -100: a mean over no targets"
    loss = F.cross_entropy(outputs()[:0], torch.zeros(0).long())
    assert cause_of_loss(loss) == "a mean over no targets: the batch is empty"


def test_data_and_weights() -> None:
    layer = nn.Linear(2, 1)
    data = OUTPUTS.clone()
    data[1, 0] = torch.nan
    assert cause_of_loss(layer(data).mean()).startswith("1 of 6 values of the data are not finite")
    targets = torch.full((3, 1), torch.inf)
    assert "3 of 3 values of the targets" in cause_of_loss(F.mse_loss(layer(OUTPUTS), targets))
    with torch.no_grad():
        layer.weight[0, 1] = torch.inf
    cause = cause_of_loss(layer(OUTPUTS).mean())
    assert cause == "1 of 2 values of a weight (1, 2) are not finite"


def layers(function: Callable[[Tensor], Tensor], scale: float = 1.0) -> Tensor:
    """A loss of a network with a function between its two layers."""
    torch.manual_seed(0)
    first, last = nn.Linear(2, 4), nn.Linear(4, 3)
    hidden = function(first(OUTPUTS) * scale)
    return F.cross_entropy(last(hidden), torch.tensor([0, 1, 2]))


CAUSES: dict[str, tuple[Callable[[], Tensor], str]] = {
    "root": (lambda: layers(lambda h: (h - 50).sqrt()), "Sqrt of a number below 0"),
    "power": (lambda: layers(lambda h: (h - h.detach() - 2) ** 0.5), "-2 to the power of 0.5"),
    "logarithm": (lambda: layers(lambda h: (h - h.detach() - 2).log()), "Log of -2"),
    "reciprocal": (lambda: layers(lambda h: 1 / (h - h.detach())), "Reciprocal of 0"),
    "division": (lambda: layers(lambda h: h / (h.sum() - h.sum().detach())), "division by 0"),
    "division_by_constant": (lambda: layers(lambda h: h / torch.zeros(4)), "division by 0"),
    "exponential": (lambda: layers(torch.exp, 1e4), "Exp of a number above 88.7"),
    "arc": (lambda: layers(lambda h: (h - h.detach() + 2).acos()), "Acos of 2"),
    "standardised": (
        lambda: layers(lambda h: (h - h.mean()) * (h - h.detach()).var(0).rsqrt()),
        "Rsqrt of 0",
    ),
    "softmax_that_underflows": (
        lambda: F.nll_loss((1e4 * outputs()).softmax(1).log(), torch.tensor([1, 0, 0])),
        "Log of 0",
    ),
}


@pytest.mark.parametrize("name", list(CAUSES))
def test_operations_that_make_a_value_that_is_not_finite(name: str) -> None:
    make, cause = CAUSES[name]
    loss = make()
    assert not torch.isfinite(loss)
    assert cause_of_loss(loss) == cause


def test_overflow_of_a_layer() -> None:
    layer = nn.Linear(2, 2).half()
    with torch.no_grad():
        layer.weight.fill_(4e4)
    loss = F.cross_entropy(layer(OUTPUTS.half()), torch.tensor([1, 0, 0]))
    assert not torch.isfinite(loss)
    assert cause_of_loss(loss) == "Addmm overflows: its inputs reach 4e+04 in float16"


@pytest.mark.parametrize(
    "error",
    [torch.square, torch.abs, lambda d: d**2, lambda d: d * d],
    ids=["sq", "abs", "pow", "mul"],
)
def test_targets_of_a_loss_written_by_hand(error: Callable[[Tensor], Tensor]) -> None:
    target = torch.zeros(len(OUTPUTS), 2)
    target[1, 0] = math.nan
    loss = error(nn.Linear(2, 2)(OUTPUTS) - target).mean()
    assert cause_of_loss(loss) == f"1 of {target.numel()} values of the targets are not finite"
    outputs = nn.Linear(2, 2)(OUTPUTS)
    fails = outputs - outputs.detach() + (outputs * 0).sqrt().detach() / 0  # nan by other means
    assert "targets" not in cause_of_loss(error(fails - 1).mean())


def test_a_row_of_attention_that_may_see_nothing() -> None:
    attention = nn.MultiheadAttention(8, 2, batch_first=True)
    x = torch.randn(3, 5, 8)
    mask = torch.triu(torch.ones(5, 5), diagonal=0).bool()
    loss = attention(x, x, x, attn_mask=mask)[0].square().mean()
    assert cause_of_loss(loss) == "Softmax of a row that is masked from end to end"
    mask = torch.triu(torch.ones(5, 5), diagonal=1).bool()
    x[:, 1] = math.inf  # not a matter of the mask
    loss = attention(x, x, x, attn_mask=mask)[0].square().mean()
    assert "masked" not in cause_of_loss(loss)


def test_weights_in_half_precision() -> None:
    layer = nn.Linear(2, 2).half()
    with torch.no_grad():
        layer.bias.fill_(math.nan)
    cause = cause_of_loss(layer(OUTPUTS.half()).float().sum())
    assert cause == "2 of 2 values of a weight (2,) in float16 are not finite"


def test_weights_that_grew() -> None:
    layer = nn.Linear(2, 2)
    with torch.no_grad():
        layer.weight.fill_(1e30)
    cause = cause_of_loss((layer(OUTPUTS) ** 2).mean())
    assert cause.endswith("the weights have grown to 1e+30")


def test_gradient_at_the_edge_of_a_domain() -> None:
    zero = outputs() - OUTPUTS
    loss = zero.square().sum(1).sqrt().mean()
    assert cause_of_gradient(risky_inputs(loss)) == "Sqrt at exactly 0 (3 of 3 values)"
    assert risky_inputs(zero.square().mean()) == []
    assert cause_of_gradient([("Sqrt", torch.ones(2))]) == ""


RISKS: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "masked_logarithm": (lambda z: torch.where(z > 0, z.log(), z).sum(), "Log at exactly 0"),
    "root": (lambda z: z.square().sqrt().sum(), "Sqrt at exactly 0"),
    "power": (lambda z: z.square().pow(0.5).sum(), "Pow at exactly 0"),
    "arc": (lambda z: (z + 1).acos().sum(), "Acos at exactly -1 or 1"),
    "masked_division": (lambda z: torch.where(z > 0, z / z, z).sum(), "Div at exactly 0"),
    "masked_exponential": (
        lambda z: torch.where(z < 0, (z + 1e4).exp(), z).sum(),
        "Exp with an infinite result",
    ),
}


@pytest.mark.parametrize("name", list(RISKS))
def test_causes_of_gradients(name: str) -> None:
    make, cause = RISKS[name]
    start = OUTPUTS.clone().requires_grad_()
    loss = make(start - OUTPUTS)
    risky = risky_inputs(loss)
    assert torch.isfinite(loss)
    loss.backward()
    assert start.grad is not None
    assert not torch.isfinite(start.grad).all()
    assert cause_of_gradient(risky) == f"{cause} (6 of 6 values)"


def test_functions_that_are_safe_at_0() -> None:
    zero = outputs() - OUTPUTS
    for loss in (zero.norm(), zero.square().mean(), zero.abs().mean(), (zero**3).sum()):
        assert cause_of_gradient(risky_inputs(loss)) == ""


def test_what_has_no_graph() -> None:
    nothing: list[Any] = [torch.tensor(torch.nan), 1.0, None]
    for value in nothing:
        assert cause_of_loss(value) == ""
        assert risky_inputs(value) == []


@pytest.mark.parametrize("divisor", [torch.tensor(4), torch.tensor(4.0)])
def test_a_quotient_of_values_that_were_not_kept_is_no_cause(divisor: Tensor) -> None:
    """torch keeps the divisor alone, where that is a constant: what overflowed is not known."""
    w = torch.full((4,), 1e30, requires_grad=True)
    loss = ((w * w) * 1.0).sum() / divisor
    assert "Div" not in cause_of_loss(loss)


def test_a_row_that_is_masked_from_end_to_end() -> None:
    scores = torch.zeros(2, 3, 3, requires_grad=True) * 2
    mask = torch.tril(torch.ones(3, 3)) == 1  # of what shall be seen: the last row is masked
    loss = scores.masked_fill(mask, float("-inf")).softmax(-1).sum()
    assert "Softmax of a row that is masked from end to end" in cause_of_loss(loss)
    seen = scores.masked_fill(~mask, float("-inf")).softmax(-1)
    assert "masked" not in cause_of_loss((seen / 0.0).sum() * torch.nan)
