"""Checks of errata by short trainings and measured signals."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise import data
from netwise.labs.errata.erratum import Check
from netwise.labs.runs import train_whole
from netwise.networks import MLP
from netwise.parts.activations import ReLU, Sigmoid, Tanh
from netwise.parts.initializers import Constant
from netwise.parts.losses import BinaryCrossEntropy
from netwise.parts.optimizers import SGD
from netwise.recipe.recipe import Recipe
from netwise.signals import VALID_ACCURACY


def optimizer_frame() -> Check:
    """E05: RMSProp on (w + 1)² from w = 5 with the root as a factor and as a divisor."""

    def end(step: Callable[[float, float], float]) -> float:
        w, v = 5.0, 0.0
        for _ in range(40):
            gradient = 2 * (w + 1)
            v = 0.9 * v + 0.1 * gradient**2
            w -= step(gradient, math.sqrt(v))
            if not math.isfinite(w) or abs(w) > 1e6:
                return 1e6
        return w

    measured = {
        "w after 40 steps, multiplied (1e6: diverged)": end(lambda g, root: 0.3 * g * root),
        "w after 40 steps, divided (the minimum is at -1)": end(lambda g, root: 0.3 * g / root),
    }
    multiplied, divided = measured.values()
    return Check(measured, abs(multiplied) >= 1e6, abs(divided + 1) < 0.5)


def zero_start() -> Check:
    """E13: networks whose weights are all 0 at the start, on small digits."""
    measured = {}
    for activation in (Sigmoid(), Tanh(), ReLU()):
        recipe = Recipe(
            data=data.digits(),
            network=MLP((64, 20, 10), activation=activation),
            init=Constant(0.0),
            optimizer=SGD(lr=1.0),
            batch_size=20,
            epochs=5,
        )
        run = train_whole(recipe)
        series = run.history.of(VALID_ACCURACY)
        assert series is not None
        weight = next(run.module.parameters()).detach()
        name = type(activation).__name__
        measured[f"accuracy, {name}"] = max(series.values)
        measured[f"largest weight of the first layer, {name}"] = float(weight.abs().max())
    stuck = all(
        measured[f"largest weight of the first layer, {name}"] == 0 for name in ("Tanh", "ReLU")
    )
    learns = measured["accuracy, Sigmoid"] > 0.15
    return Check(measured, learns, stuck and learns)


def dropout_at_use() -> Check:
    """E15: the input of a unit behind dropped ones, on average in training, and at use with and
    without scaling."""
    g = torch.Generator().manual_seed(0)
    hidden, weight = torch.rand(1000, generator=g), torch.rand(1000, generator=g)
    masks = torch.rand(500, 1000, generator=g) < 0.5
    average = float((masks * hidden @ weight).mean())
    whole = float(hidden @ weight)
    measured = {
        "at use without scaling over the average in training": whole / average,
        "at use with halved weights over the average in training": whole / 2 / average,
    }
    plain, halved = measured.values()
    return Check(measured, plain > 1.9, abs(halved - 1) < 0.02)


def residual_gradient() -> Check:
    """E18: singular values of the Jacobian of x + F(x) for a drawn block F."""
    g = torch.Generator().manual_seed(0)
    first, second = (torch.randn(50, 50, generator=g) / 50**0.5 for _ in range(2))

    def block(x: Tensor) -> Tensor:
        branch: Tensor = torch.tanh(x @ first) @ second
        return x + branch

    jacobian = torch.func.jacrev(block)(torch.randn(50, generator=g))
    values = torch.linalg.svdvals(jacobian)
    measured = {
        "share of singular values below 1": float((values < 1).float().mean()),
        "smallest": float(values.min()),
    }
    return Check(
        measured, measured["smallest"] < 1, measured["share of singular values below 1"] > 0
    )


def slow_cross_entropy() -> Check:
    """E23: a sigmoid neuron with cross-entropy at a rate of 0.005, 300 steps, target 0."""
    measured = {}
    falls = {}
    for name, start in (("(0.6, 0.9)", (0.6, 0.9)), ("(2, 2)", (2.0, 2.0))):
        w, b = start
        costs = []
        for _ in range(300):
            a = 1 / (1 + math.exp(-w - b))
            costs.append(-math.log(1 - a))
            w, b = w - 0.005 * a, b - 0.005 * a
        measured[f"output from {name}"] = 1 / (1 + math.exp(-w - b))
        steps = [before - after for before, after in itertools.pairwise(costs)]
        falls[name] = steps.index(max(steps))
    right = all(at == 0 for at in falls.values())
    return Check(measured, min(measured.values()) > 0.4, right)


def hopeless_settings() -> Check:
    """E25: the accuracy of each epoch at a rate that is much too large."""
    recipe = Recipe(
        data=data.digits(),
        network=MLP((64, 30, 10), activation=Sigmoid(), output=Sigmoid()),
        loss=BinaryCrossEntropy(),
        optimizer=SGD(lr=1000.0),
        epochs=10,
    )
    series = train_whole(recipe).history.of(VALID_ACCURACY)
    assert series is not None
    values = series.values
    rises = sum(after >= before for before, after in itertools.pairwise(values))
    measured = {
        "epochs in which the accuracy does not fall": float(rises),
        "lowest accuracy": min(values),
        "highest accuracy": max(values),
    }
    return Check(measured, rises >= 3, max(values) < 0.35)


def hundreds_of_blocks() -> Check:
    """E26: the size of the signal behind 200 residual blocks without normalization, and with a
    branch that begins at 0."""
    g = torch.Generator().manual_seed(0)
    x = torch.randn(20, 50, generator=g)
    plain, small = x, x
    for _ in range(200):
        weight = torch.randn(50, 50, generator=g) * (2 / 50) ** 0.5
        plain = plain + plain.relu() @ weight
        small = small + 0.0 * (small.relu() @ weight)
    measured = {
        "log10 of the growth, He's weights": float(plain.double().std().log10() - x.std().log10()),
        "log10 of the growth, branches that begin at 0": float((small.std() / x.std()).log10()),
        "error of ResNet-110 on CIFAR-10, % (He et al. 2016)": 6.43,
        "error of ResNet-1202": 7.93,
    }
    grown, kept, shallow, deep = measured.values()
    return Check(measured, grown > 10, abs(kept) < 0.1 and deep > shallow)


def linear_part() -> Check:
    """E27: scale and shift of batch normalization undo it, and reach the flat part of the
    sigmoid."""
    g = torch.Generator().manual_seed(0)
    x = 4 * torch.randn(1000, 3, generator=g) + 7
    layer = nn.BatchNorm1d(3, eps=1e-12)
    with torch.no_grad():
        layer.weight.copy_(x.std(0, correction=0))
        layer.bias.copy_(x.mean(0))
        undone = float((layer(x) - x).abs().max())
        flat = float((F.sigmoid(layer(x)) > 0.99).float().mean())
    measured = {"largest difference from the input": undone, "share of flat outputs": flat}
    return Check(measured, flat > 0.5, undone < 1e-4)
