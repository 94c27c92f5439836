"""Lines of parts compute what the parts compute."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from netwise.parts.losses import as_values
from netwise.parts.schedules import ScheduleContext
from netwise.recipe.script.part_lines import (
    CLIPPINGS,
    INITIALIZERS,
    LOSSES,
    OPTIMIZERS,
    PENALTIES,
    PREPROCESSES,
    SCHEDULES,
    part_lines,
)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def evaluated(expression: str, **names: Any) -> Any:
    return eval(expression, {"torch": torch, "nn": nn, "F": F, "as_values": as_values, **names})


def executed(statements: str, **names: Any) -> dict[str, Any]:
    import math

    space = {"torch": torch, "nn": nn, "F": F, "math": math, **names}
    exec(statements, space)
    return space


OUTPUT, CLASSES = torch.randn(12, 3, generator=generator()), torch.arange(12) % 3


@pytest.mark.parametrize(
    "loss",
    [
        nw.CrossEntropy(),
        nw.CrossEntropy(label_smoothing=0.2, weights=(1.0, 2.0, 0.5)),
        nw.BinaryCrossEntropy(),
        nw.Quadratic(),
        nw.MeanSquaredError(),
        nw.MeanAbsoluteError(),
        nw.Huber(delta=0.3),
        nw.Hinge(margin=0.5),
    ],
    ids=str,
)
def test_losses_are_those_of_the_parts(loss: nw.Loss) -> None:
    expression = part_lines("loss", loss, LOSSES)
    value = evaluated(expression, output=OUTPUT, target=CLASSES)
    assert torch.equal(value, loss.build()(OUTPUT, CLASSES))


@pytest.mark.parametrize(
    "step",
    [
        nw.Standardise(),
        nw.MinMax(),
        nw.Resize(5, 7),
        nw.Flatten(),
        nw.ClipInputs(0.5),
        nw.Scale(3.0),
        nw.GlobalContrast(),
        nw.GlobalContrast(convention="norm", bias=0.3),
    ],
    ids=str,
)
def test_preprocessing_is_that_of_the_parts(step: Any) -> None:
    train, valid = (torch.rand(n, 2, 6, 4, generator=generator()) for n in (9, 4))
    parts = [(train, None), (valid, None), (valid[:0], None)]
    lines = part_lines("preprocess", step, PREPROCESSES)
    (x_train, _), (x_valid, _), _ = executed(lines, parts=parts)["parts"]
    fitted = step.fit(train)
    assert torch.equal(x_train, step.apply(train, fitted))
    assert torch.equal(x_valid, step.apply(valid, fitted))


@pytest.mark.parametrize(
    "init",
    [
        nw.Constant(weight=0.2, bias=0.1),
        nw.Normal(std=0.3, bias=1.0),
        nw.Normal(bias_std=0.5),
        nw.Uniform(reach=0.4),
        nw.LeCun(),
        nw.Glorot(shape="normal"),
        nw.Glorot(shape="uniform"),
        nw.He(),
        nw.He(activation=nw.Tanh(), shape="uniform", gain=0.5),
    ],
    ids=str,
)
def test_initial_weights_are_those_of_the_parts(init: Any) -> None:
    space = executed(part_lines("init", init, INITIALIZERS))
    weight = init.sample((4, 6), fan_in=6, fan_out=4, generator=generator())
    assert torch.equal(space["draw_weight"]((4, 6), 6, 4, generator()), weight)
    bias = init.sample_bias(4, generator=generator())
    assert torch.equal(space["draw_bias"](4, generator()), bias)


@pytest.mark.parametrize(
    "penalty", [nw.L1(strength=0.3), nw.L2(strength=0.3), nw.ElasticNet(l1=0.1, l2=0.2)], ids=str
)
def test_penalties_are_those_of_the_parts(penalty: Any) -> None:
    weights = [torch.randn(4, 3, generator=generator()), torch.randn(2, 4, generator=generator())]
    term, limit = part_lines("penalty", penalty, PENALTIES)
    assert float(evaluated(term, weights=weights)) == pytest.approx(float(penalty.value(weights)))
    assert not limit


def test_the_limit_of_a_norm_is_that_of_the_part() -> None:
    penalty, w = nw.MaxNorm(norm=0.7), torch.randn(5, 3, generator=generator())
    projected = w.clone()
    penalty.project([projected])
    term, limit = part_lines("penalty", penalty, PENALTIES)
    assert not term
    executed(limit, w=w)
    assert torch.allclose(w, projected)
    assert float(torch.linalg.vector_norm(w, dim=1).max()) == pytest.approx(0.7)


@pytest.mark.parametrize("optimizer", [cls() for cls in OPTIMIZERS], ids=lambda o: o.kind)
def test_optimizers_step_as_the_parts_do(optimizer: Any) -> None:
    def stepped(make: Any) -> Tensor:
        weight = nn.Parameter(torch.linspace(-1, 1, 6))
        steps = make([weight])
        for _ in range(3):
            weight.grad = weight.detach() * 2
            steps.step()
        return weight.detach()

    expression = part_lines("optimizer", optimizer, OPTIMIZERS)
    scripted = stepped(
        lambda parameters: evaluated(f"torch.optim.{expression}", parameters=parameters)
    )
    assert torch.equal(scripted, stepped(optimizer.build))


@pytest.mark.parametrize("clip", [nw.Clip(0.5), nw.ClipValue(0.5)], ids=str)
def test_gradients_are_clipped(clip: Any) -> None:
    weight = nn.Parameter(torch.zeros(4))
    weight.grad = torch.tensor([3.0, -4.0, 0.0, 0.1])
    executed(part_lines("clip", clip, CLIPPINGS), parameters=[weight])
    expected = {"Clip": 0.5 / 25.01**0.5, "ClipValue": 1.0}[clip.kind]
    if clip.kind == "Clip":
        assert float(weight.grad.norm()) == pytest.approx(0.5, rel=1e-4)
        assert float(weight.grad[0]) == pytest.approx(3.0 * expected, rel=1e-4)
    else:
        assert weight.grad.tolist() == pytest.approx([0.5, -0.5, 0.0, 0.1])


@pytest.mark.parametrize(
    "schedule",
    [nw.StepDecay(every=2), nw.Cosine(), nw.Exponential(), nw.Milestones(epochs=(2, 3))],
    ids=str,
)
def test_schedules_give_the_factors_of_the_parts(schedule: Any) -> None:
    space = executed(part_lines("schedule", schedule, SCHEDULES)(5))
    state, factors = schedule.init(), []
    for epoch in range(5):
        factor, state = schedule.next(state, ScheduleContext(epoch, 5))
        factors.append(factor)
    assert [space["factor"](epoch) for epoch in range(5)] == factors


def test_a_constant_rate_needs_no_lines() -> None:
    assert part_lines("schedule", nw.ConstantRate(), SCHEDULES)(5) == ""


def test_a_part_without_a_form_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(nw.WrongValue, match="optimizer = Muon  cannot be .* use one of SGD, Adam,"):
        part_lines("optimizer", nw.Muon(), OPTIMIZERS)
    with pytest.raises(nw.WrongValue, match=r"init.truncated = true  .* Write false"):
        part_lines("init", nw.Normal(truncated=True), INITIALIZERS)
    with pytest.raises(nw.WrongValue, match=r'Write Cosine\(each="epoch"\)'):
        part_lines("schedule", nw.Cosine(each="step"), SCHEDULES)
