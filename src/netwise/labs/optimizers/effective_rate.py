"""L43: the rate that a weight effectively gets. AdaGrad's falls as 1 / sqrt(t) for ever, that of
RMSProp follows the present size of the gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from netwise import data
from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.labs.stacked_mlp import losses, new_stack
from netwise.part import integer
from netwise.parts.optimizers import MomentOptimizer
from netwise.report.pictures.drawing import BLUE, ORANGE, figure, svg, use_log_scale

QUADRATIC_STEPS = 10_000
WEIGHTS = 100
BATCH = 32
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)  # tried for both optimizers
RULES = {
    "AdaGrad": MomentOptimizer(lr=1.0, first="gradient", second="sum"),
    "RMSProp": MomentOptimizer(lr=1.0, first="gradient", beta2=0.9, corrected=False),
}

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class EffectiveRateSettings(LabSettings):
    """What can be varied in L43.

    Args:
        epochs: of the network on the digits. Default 20.
        width: its hidden units. Default 30.
        seeds: starts of the network. Default 5.
    """

    epochs: int = integer(20, least=2, most=1000, because="the rates of two epochs are compared")
    width: int = integer(30, least=1, most=1000, because="a hidden layer has units")
    seeds: int = integer(5, least=2, most=50, because="an interval needs two values")


def rates_on_noise(rule: MomentOptimizer) -> list[float]:
    """The mean effective rate of 100 weights, each with the loss w^2 / 2 whose gradient has noise
    of variance 1, after each of 10,000 steps at rate 0.01; as a multiple of the rate."""
    g = torch.Generator().manual_seed(0)
    w, noise = torch.zeros(WEIGHTS), torch.randn(QUADRATIC_STEPS, WEIGHTS, generator=g)
    state, rates = rule.init(w), []
    for t in range(1, QUADRATIC_STEPS + 1):
        w, state = rule.step(w, w + noise[t - 1], state, t, lr=0.01)
        rates.append(float(rule.rates(state, t).mean()))
    return rates


def exponent(values: Sequence[float]) -> float:
    """The slope of log(value) over log(step) from step 100 on."""
    steps = np.arange(1, len(values) + 1)
    return float(np.polyfit(np.log(steps[99:]), np.log(values[99:]), 1)[0])


def train(
    rule: MomentOptimizer, settings: EffectiveRateSettings
) -> tuple[Tensor, list[Tensor], Tensor]:
    """Train a network on the digits for each rate and seed, all in the same order of samples.

    Returns:
        Training loss of each rate and seed at the end; after each epoch the median effective rate
        of each rate and seed, as a multiple of the rate; the accuracies on the validation part.
    """
    samples = data.digits().load()
    x, y = samples.train.x.flatten(1), samples.train.y
    copies = len(RATES) * settings.seeds
    stack = new_stack((x.shape[1], settings.width, 10), list(range(settings.seeds)) * len(RATES))
    lr = torch.tensor(RATES).repeat_interleave(settings.seeds).reshape(copies, 1, 1)
    states = [rule.init(w) for w in stack]
    g, t, medians = torch.Generator().manual_seed(0), 0, []
    for _ in range(settings.epochs):
        for rows in torch.randperm(len(y), generator=g).split(BATCH):
            t += 1
            gradients = torch.autograd.grad(losses(stack, x[rows], y[rows])[0].sum(), stack)
            for i, gradient in enumerate(gradients):
                # The step of rate 1 from 0, so that each network can have its own rate.
                step, states[i] = rule.step(torch.zeros_like(gradient), gradient, states[i], t)
                stack[i] = (stack[i].detach() + lr * step).requires_grad_()
        effective = torch.cat([rule.rates(state, t).flatten(1) for state in states], 1)
        medians.append(effective.median(1).values.reshape(len(RATES), settings.seeds))
    shape = (len(RATES), settings.seeds)
    final = losses(stack, x, y)[0].detach().reshape(shape)
    valid = losses(stack, samples.valid.x.flatten(1), samples.valid.y)[1].reshape(shape)
    return final.nan_to_num(1e9), medians, valid


def criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    adagrad, rmsprop = (numbers[f"{name}, noise: exponent of the rate"] for name in RULES)
    falls, rises = (numbers[f"{name}, digits: rate at the end / after epoch 1"] for name in RULES)
    gap = numbers["digits: log10 of the training loss, AdaGrad - RMSProp, low"]
    return (
        Criterion(
            "with steady noise AdaGrad's effective rate falls as t to a power from -0.55 to -0.45",
            adagrad,
            -0.55 <= adagrad <= -0.45,
        ),
        Criterion(
            "with steady noise that of RMSProp is level: a power from -0.05 to 0.05",
            rmsprop,
            abs(rmsprop) <= 0.05,
        ),
        Criterion(
            "in the network AdaGrad's rate falls to less than half from epoch 1 to the end",
            falls,
            falls < 0.5,
            part_of_claim=False,
        ),
        Criterion(
            "in the network the rate of RMSProp does not fall below that after epoch 1",
            rises,
            rises >= 1,
            part_of_claim=False,
        ),
        Criterion(
            "AdaGrad's training loss at the end, at its best rate, is above that of RMSProp "
            "(95 % interval of the difference of logarithms above 0)",
            gap,
            gap > 0,
            part_of_claim=False,
        ),
    )


def run_l43(settings: EffectiveRateSettings) -> LabResult:
    numbers: dict[str, float] = {}
    traces, logs = {}, {}
    for name, rule in RULES.items():
        traces[name] = rates_on_noise(rule)
        numbers[f"{name}, noise: exponent of the rate"] = exponent(traces[name])
        final, medians, valid = train(rule, settings)
        best = int(final.log().mean(1).argmin())  # the claim is about training
        numbers[f"{name}, digits: best rate"] = RATES[best]
        numbers[f"{name}, digits: training loss"] = float(final[best].mean())
        numbers[f"{name}, digits: validation accuracy"] = float(valid[best].mean())
        change = (medians[-1][best] / medians[0][best]).mean()
        numbers[f"{name}, digits: rate at the end / after epoch 1"] = float(change)
        logs[name] = final[best].log10()
    mean, low, high = of_mean((logs["AdaGrad"] - logs["RMSProp"]).tolist())
    for end, value in (("mean", mean), ("low", low), ("high", high)):
        numbers[f"digits: log10 of the training loss, AdaGrad - RMSProp, {end}"] = value
    seeds = tuple(range(settings.seeds))
    return LabResult(numbers, criteria(numbers), picture(traces), seeds=seeds)


def picture(traces: Mapping[str, Sequence[float]]) -> str:
    title = "Effective rate under steady noise"
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, values), colour in zip(traces.items(), (ORANGE, BLUE), strict=True):
            axis.plot(range(1, len(values) + 1), values, color=colour, label=name)
        use_log_scale(axis, "x")
        use_log_scale(axis, "y")
        axis.set_title(title)
        axis.set_xlabel("step")
        axis.set_ylabel("effective rate / learning rate")
        axis.legend()
        return svg(drawing, title)


L43 = Lab(
    "L43",
    lab_texts()["L43"],
    run_l43,
    EffectiveRateSettings(),
    minutes=0.3,
    small={"epochs": 2, "width": 5, "seeds": 2},
)
