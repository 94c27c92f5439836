"""L08: what the spread of the initial weights does to the signals and gradients of a deep
network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor, nn

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.networks import MLP
from netwise.part import integer
from netwise.parts.activations import Activation, ReLU, Sigmoid, Tanh
from netwise.parts.initializers import Glorot, He, Initializer, Normal, initialize, weight_layers
from netwise.parts.losses import BinaryCrossEntropy
from netwise.report.pictures.drawing import COLOURS, figure, svg, use_log_scale

POINTS, DIMENSIONS = 1000, 10

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class StartSettings(LabSettings):
    """What can be varied in L08.

    Args:
        depth: hidden layers. Default 5, as in the source.
        width: units of each. Default 100.
        seeds: draws of the weights. Default 10.
    """

    depth: int = integer(5, least=2, most=50, because="two layers are compared")
    width: int = integer(100, least=2, most=2000, because="a spread needs two units")
    seeds: int = integer(10, least=1, most=1000, because="weights are drawn")


@dataclass(frozen=True, eq=False)
class LayerSignals:
    """Measurements of the hidden layers of a new network over all points, (layers,) each.

    Args:
        z: standard deviations of the weighted inputs.
        a: of the activations.
        gradient: of the gradients of the loss by the weighted inputs.
        saturated: shares of activations within 5 % of an end of their range: outside of 0.05 to
            0.95, and beyond 0.95 on both sides for tanh.
    """

    z: Tensor
    a: Tensor
    gradient: Tensor
    saturated: Tensor


def starts(width: int) -> dict[str, tuple[Activation, Initializer]]:
    """Activations with initial weights; biases are 0."""
    as_variance = (2 / width) ** 0.25  # sqrt(2 / n) taken for the variance
    return {
        "sigmoid, std 0.01": (Sigmoid(), Normal(std=0.01)),
        "sigmoid, std 0.1": (Sigmoid(), Normal(std=0.1)),
        "sigmoid, std 1": (Sigmoid(), Normal(std=1.0)),
        "sigmoid, Glorot": (Sigmoid(), Glorot()),
        "tanh, std 0.01": (Tanh(), Normal(std=0.01)),
        "tanh, std 0.1": (Tanh(), Normal(std=0.1)),
        "tanh, std 1": (Tanh(), Normal(std=1.0)),
        "tanh, Glorot": (Tanh(), Glorot()),
        "ReLU, He": (ReLU(), He()),
        "ReLU, sqrt(2/n) as variance": (ReLU(), Normal(std=as_variance)),
    }


def ball(seed: int) -> tuple[Tensor, Tensor]:
    """Points drawn evenly from a cube, scaled to mean 0 and spread 1; class 1 is outside of a
    ball that holds half of them."""
    g = torch.Generator().manual_seed(seed)
    x = torch.rand(POINTS, DIMENSIONS, generator=g, dtype=torch.float64) * 2 - 1
    x = (x - x.mean(0)) / x.std(0)
    radius = x.norm(dim=1)
    return x, (radius > radius.median()).double()[:, None]


def new_network(
    activation: Activation, init: Initializer, settings: StartSettings, seed: int
) -> nn.Module:
    """A network with one logit, in float64."""
    widths = (DIMENSIONS, *(settings.width,) * settings.depth, 1)
    module = MLP(widths, activation=activation).build()
    initialize(module, init, torch.Generator().manual_seed(seed))
    return module.double()


def layer_signals(module: nn.Module, activation: Activation, x: Tensor, y: Tensor) -> LayerSignals:
    """One forward and one backward pass through a network of linear layers."""
    *hidden, output = weight_layers(module)
    z, a = [], [x]
    for layer in hidden:
        z.append(layer(a[-1]))
        a.append(activation(z[-1]))
    loss = BinaryCrossEntropy().build()(output(a[-1]), y)
    gradients = torch.autograd.grad(loss, z)
    middle = (activation.highest + activation.lowest) / 2
    half = (activation.highest - activation.lowest) / 2
    near_end = 0.9 if activation.lowest == 0 else 0.95  # of the half range
    return LayerSignals(
        torch.stack([each.detach().std() for each in z]),
        torch.stack([each.detach().std() for each in a[1:]]),
        torch.stack([each.std() for each in gradients]),
        torch.stack(
            [((each.detach() - middle).abs() > near_end * half).double().mean() for each in a[1:]]
        ),
    )


def median_signals(name: str, settings: StartSettings) -> LayerSignals:
    """The medians over the seeds."""
    activation, init = starts(settings.width)[name]
    runs = [
        layer_signals(new_network(activation, init, settings, seed), activation, *ball(seed))
        for seed in range(settings.seeds)
    ]
    return LayerSignals(
        *(
            torch.from_numpy(np.median([getattr(run, f.name).numpy() for run in runs], axis=0))
            for f in fields(LayerSignals)
        )
    )


def signal_numbers(name: str, signals: LayerSignals) -> dict[str, float]:
    gradient, z = signals.gradient, signals.z
    numbers = {
        f"{name}: gradient, last layer / first": float(gradient[-1] / gradient[0]),
        f"{name}: gradient, largest / smallest": float(gradient.max() / gradient.min()),
        f"{name}: spread of z, last layer / first": float(z[-1] / z[0]),
        f"{name}: spread of z, largest / smallest": float(z.max() / z.min()),
    }
    if not name.startswith("ReLU"):
        numbers[f"{name}: saturated"] = float(signals.saturated.mean())
    return numbers


def signal_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    fading = numbers["sigmoid, std 0.01: gradient, last layer / first"]
    sigmoid_full = numbers["sigmoid, std 1: saturated"]
    even = max(
        numbers[f"tanh, {init}: gradient, largest / smallest"] for init in ("std 0.1", "Glorot")
    )
    tanh_full = numbers["tanh, std 1: saturated"]
    growing = 1 / numbers["tanh, std 1: gradient, last layer / first"]
    he = numbers["ReLU, He: spread of z, largest / smallest"]
    glorot = numbers["sigmoid, Glorot: gradient, largest / smallest"]
    misread = numbers["ReLU, sqrt(2/n) as variance: spread of z, last layer / first"]
    return (
        Criterion(
            "sigmoid, std 0.01: the gradient of the last hidden layer is more than 100,000 times "
            "that of the first",
            fading,
            fading > 1e5,
        ),
        Criterion(
            "sigmoid, std 1: more than half of the activations are below 0.05 or above 0.95",
            sigmoid_full,
            sigmoid_full > 0.5,
        ),
        Criterion(
            "tanh, std 0.1 and Glorot: gradients differ less than 5 times between layers",
            even,
            even < 5,
        ),
        Criterion(
            "tanh, std 1: more than 70 % of the activations are beyond 0.95 or -0.95",
            tanh_full,
            tanh_full > 0.7,
        ),
        Criterion(
            "tanh, std 1: gradients grow more than 10 times from the last layer back to the first",
            growing,
            growing > 10,
        ),
        Criterion("ReLU, He: the spread of z is the same in all layers up to 10 %", he, he < 1.1),
        Criterion(
            "Glorot's weights keep the gradients of sigmoid layers within 5 times, as they do for "
            "tanh",
            glorot,
            glorot < 5,
            part_of_claim=False,
        ),
        Criterion(
            "where sqrt(2 / n) is taken for the variance of He's weights, not for their standard "
            "deviation, the spread of z grows more than 10 times",
            misread,
            misread > 10,
            part_of_claim=False,
        ),
    )


def run_l08(settings: StartSettings) -> LabResult:
    signals = {name: median_signals(name, settings) for name in starts(settings.width)}
    numbers: dict[str, float] = {}
    for name, measured in signals.items():
        numbers |= signal_numbers(name, measured)
    seeds = tuple(range(settings.seeds))
    return LabResult(numbers, signal_criteria(numbers), _gradients(signals), seeds=seeds)


def _gradients(signals: Mapping[str, LayerSignals]) -> str:
    shown = [name for name in signals if "variance" not in name]
    marks = {"sigmoid": "-", "tanh": "--", "ReLU": ":"}
    inits = list(dict.fromkeys(name.split(", ")[1] for name in shown))
    with figure(height=3.6) as (drawing, axes):
        axis = axes[0][0]
        for name in shown:
            activation, init = name.split(", ")
            gradient = signals[name].gradient
            axis.plot(
                range(1, len(gradient) + 1),
                gradient / gradient[-1],
                marks[activation],
                marker="o",
                markersize=3,
                color=COLOURS[inits.index(init)],
                label=name,
            )
        use_log_scale(axis, "y")
        axis.set_xticks(range(1, len(gradient) + 1))
        axis.set_title("Gradient by layer, before training")
        axis.set_xlabel("hidden layer")
        axis.set_ylabel("spread of dC/dz / last layer's")
        axis.legend(fontsize=7, ncols=2)
        return svg(drawing, "Gradients by layer and initial weights")


L08 = Lab(
    "L08",
    lab_texts()["L08"],
    run_l08,
    StartSettings(),
    minutes=0.05,
    small={"seeds": 1, "width": 20},
    stops=("depth", (2, 5, 10, 20)),
)
