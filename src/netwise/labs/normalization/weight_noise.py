"""L39 and L40: what standardised inputs do for a classifier: it tolerates changes of its weights,
and it needs the same treatment of new data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from netwise import data
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.labs.stacked_mlp import Stack, losses, new_stack
from netwise.part import integer
from netwise.parts.preprocess import Standardise
from netwise.report.pictures.drawing import COLOURS, figure, svg, use_log_scale

BATCH = 50
NOISE = tuple(float(value) for value in np.geomspace(0.001, 3, 22))
NETWORKS = ("linear", "hidden layer")
RATES = {"raw": (1e-7, 1e-6, 1e-5, 1e-4), "standardised": (0.003, 0.01, 0.03, 0.1)}
DRAWS = 5  # of noise
SHIFT = 128.0  # of the raw pixels in L39
POINTS = 0.05  # of accuracy that may be lost

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class DigitSettings(LabSettings):
    """What can be varied in L39 and L40.

    Args:
        images: of which four fifths are trained on. Default 3000.
        epochs: Default 6.
        width: of the hidden layer. Default 30.
        seeds: Default 5.
    """

    images: int = integer(3000, least=150, most=60_000, because="MNIST has 60,000")
    epochs: int = integer(6, least=1, most=200, because="a run has an epoch")
    width: int = integer(30, least=1, most=1000, because="a hidden layer has units")
    seeds: int = integer(5, least=2, most=50, because="a mean over seeds is judged")


@dataclass(frozen=True)
class DigitParts:
    """Inputs (samples, pixels) and labels of a training and a validation part."""

    x: Tensor
    y: Tensor
    x_valid: Tensor
    y_valid: Tensor


def raw_digits(settings: DigitSettings, shift: float = 0.0) -> DigitParts:
    """Pixels from 0 to 255, plus a shift that moves the cloud of the data from the origin."""
    samples = data.mnist(first=settings.images, valid=0.2).load()
    parts = [255 * part.x.flatten(1) + shift for part in (samples.train, samples.valid)]
    return DigitParts(parts[0], samples.train.y, parts[1], samples.valid.y)


def standardised(x: Tensor, like: Tensor) -> Tensor:
    """By the one mean and deviation of all pixels of `like`, as for images of one channel."""
    step = Standardise()
    return step.apply(x[:, None, :, None], step.fit(like[:, None, :, None]))[:, 0, :, 0]


def train(
    x: Tensor, y: Tensor, widths: Sequence[int], rates: Sequence[float], settings: DigitSettings
) -> tuple[Stack, float]:
    """(networks of all seeds, rate): those of the rate with the lowest training loss."""
    seeds = settings.seeds
    stack = new_stack(widths, list(range(seeds)) * len(rates))
    # The first layer gives the same scale for raw inputs as for standardised ones.
    stack[0] = (stack[0].detach() / x.square().mean().sqrt()).requires_grad_()
    lr = torch.tensor(rates).repeat_interleave(seeds).reshape(-1, 1, 1)
    g = torch.Generator().manual_seed(0)
    for _ in range(settings.epochs):
        for rows in torch.randperm(len(y), generator=g).split(BATCH):
            gradients = torch.autograd.grad(losses(stack, x[rows], y[rows])[0].sum(), stack)
            stack = [
                (w.detach() - lr * gradient).requires_grad_()
                for w, gradient in zip(stack, gradients, strict=True)
            ]
    with torch.no_grad():
        mean = losses(stack, x, y)[0].reshape(len(rates), seeds).mean(1)
    best = int(mean.nan_to_num(1e30).argmin())
    chosen = slice(best * seeds, (best + 1) * seeds)
    return [w.detach()[chosen] for w in stack], rates[best]


def noisy_accuracy(stack: Stack, x: Tensor, y: Tensor, noise: float) -> float:
    """Mean accuracy after normal noise on the weights, whose deviation is `noise` times the root
    mean square of the weights of each layer; biases stay."""
    g, values = torch.Generator().manual_seed(0), []
    for _ in range(DRAWS):
        changed = []
        for w in stack:
            size = w.square().mean((1, 2), keepdim=True).sqrt() if w.shape[1] > 1 else 0.0
            changed.append(w + noise * size * torch.randn(w.shape, generator=g))
        with torch.no_grad():
            values.append(losses(changed, x, y)[1].mean().item())
    return fmean(values)


def tolerated(accuracies: Sequence[float], clean: float) -> float:
    """The noise at which 5 points are lost, between two values by a straight line in its logarithm;
    the smallest or largest that was tried where it is beyond."""
    lost = [clean - accuracy for accuracy in accuracies]
    for i, value in enumerate(lost):
        if value > POINTS:
            if i == 0:
                return NOISE[0]
            share = (POINTS - lost[i - 1]) / (value - lost[i - 1])
            return float(NOISE[i - 1] * (NOISE[i] / NOISE[i - 1]) ** share)
    return NOISE[-1]


# L39


def noise_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    ratios = {
        network: numbers[f"{network}, standardised: noise tolerated"]
        / numbers[f"{network}, raw: noise tolerated"]
        for network in NETWORKS
    }
    more = [
        Criterion(f"{network}: standardised inputs tolerate more noise (ratio)", ratio, ratio > 1)
        for network, ratio in ratios.items()
    ]
    far_more = [
        Criterion(f"{network}: they tolerate at least 3 times the noise", ratio, ratio >= 3, False)
        for network, ratio in ratios.items()
    ]
    gain = numbers["linear, standardised: accuracy"] - numbers["linear, raw: accuracy"]
    higher = Criterion(
        "standardised inputs also give the linear classifier a higher accuracy (points)",
        100 * gain,
        gain > 0,
        part_of_claim=False,
    )
    return (*more, *far_more, higher)


def run_l39(settings: DigitSettings) -> LabResult:
    digits = raw_digits(settings, SHIFT)
    inputs = {
        "raw": (digits.x, digits.x_valid),
        "standardised": (standardised(digits.x, digits.x), standardised(digits.x_valid, digits.x)),
    }
    numbers: dict[str, float] = {}
    curves: dict[str, list[float]] = {}
    for network in NETWORKS:
        hidden = (settings.width,) if network == "hidden layer" else ()
        widths = (digits.x.shape[1], *hidden, 10)
        for name, (x, x_valid) in inputs.items():
            stack, rate = train(x, digits.y, widths, RATES[name], settings)
            label = f"{network}, {name}"
            clean = noisy_accuracy(stack, x_valid, digits.y_valid, 0.0)
            curves[label] = [noisy_accuracy(stack, x_valid, digits.y_valid, n) for n in NOISE]
            numbers[f"{label}: rate"] = rate
            numbers[f"{label}: accuracy"] = clean
            numbers[f"{label}: noise tolerated"] = tolerated(curves[label], clean)
    seeds = tuple(range(settings.seeds))
    return LabResult(numbers, noise_criteria(numbers), noise_picture(curves), seeds=seeds)


def noise_picture(curves: Mapping[str, Sequence[float]]) -> str:
    title = "Accuracy after noise on the weights"
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, values), colour in zip(curves.items(), COLOURS, strict=False):
            axis.plot(NOISE, [100 * v for v in values], color=colour, label=name)
        use_log_scale(axis, "x")
        axis.set_title(title)
        axis.set_xlabel("noise / size of the weights")
        axis.set_ylabel("accuracy, %")
        axis.legend()
        return svg(drawing, title)


L39 = Lab(
    "L39",
    lab_texts()["L39"],
    run_l39,
    DigitSettings(),
    minutes=0.5,
    small={"images": 200, "epochs": 1, "width": 5, "seeds": 2},
)

# L40

BRIGHTER = 64.0  # added to the pixels
FEW = (1, 7)  # digits of the part that has not all classes


def treatments(x: Tensor, like: Tensor) -> dict[str, Tensor]:
    """New inputs as they are, by their own statistics, and by those of training."""
    return {
        "raw": x,
        "own statistics": standardised(x, x),
        "statistics of training": standardised(x, like),
    }


def same_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    right = numbers["same digits, statistics of training: accuracy"]
    raw = numbers["same digits, raw: accuracy"]
    own = numbers["same digits, own statistics: accuracy"]
    few = (
        numbers["only 1 and 7, statistics of training: accuracy"]
        - numbers["only 1 and 7, own statistics: accuracy"]
    )
    bright = (
        numbers["brighter, own statistics: accuracy"]
        - numbers["brighter, statistics of training: accuracy"]
    )
    return (
        Criterion(
            "without the treatment accuracy falls by more than 20 points",
            100 * (right - raw),
            right - raw > 0.2,
        ),
        Criterion(
            "statistics of training are better than those of the new data where these have two of "
            "the classes (points)",
            100 * few,
            few > 0,
        ),
        Criterion(
            "on data like those of training the statistics of both are within 1 point",
            100 * abs(right - own),
            abs(right - own) < 0.01,
            part_of_claim=False,
        ),
        Criterion(
            "on brighter images the statistics of the new data are better (points)",
            100 * bright,
            bright > 0,
            part_of_claim=False,
        ),
    )


def run_l40(settings: DigitSettings) -> LabResult:
    digits = raw_digits(settings)
    x = standardised(digits.x, digits.x)
    widths = (x.shape[1], settings.width, 10)
    stack, rate = train(x, digits.y, widths, RATES["standardised"], settings)
    few = (digits.y_valid == FEW[0]) | (digits.y_valid == FEW[1])
    parts = {
        "same digits": (digits.x_valid, digits.y_valid),
        "only 1 and 7": (digits.x_valid[few], digits.y_valid[few]),
        "brighter": (digits.x_valid + BRIGHTER, digits.y_valid),
    }
    numbers = {"rate": rate}
    for name, (new, y) in parts.items():
        for how, treated in treatments(new, digits.x).items():
            numbers[f"{name}, {how}: accuracy"] = losses(stack, treated, y)[1].mean().item()
    seeds = tuple(range(settings.seeds))
    return LabResult(numbers, same_criteria(numbers), same_picture(numbers), seeds=seeds)


def same_picture(numbers: Numbers) -> str:
    title = "Accuracy by the treatment of new data"
    parts = ("same digits", "only 1 and 7", "brighter")
    hows = ("raw", "own statistics", "statistics of training")
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for shift, how, colour in zip((-0.27, 0, 0.27), hows, COLOURS, strict=False):
            values = [100 * numbers[f"{part}, {how}: accuracy"] for part in parts]
            axis.bar([i + shift for i in range(3)], values, 0.25, color=colour, label=how)
        axis.set_xticks(range(3), parts)
        axis.set_ylim(0, 135)
        axis.set_title(title)
        axis.set_ylabel("accuracy, %")
        axis.legend(ncols=3, fontsize=7)
        return svg(drawing, title)


L40 = Lab(
    "L40",
    lab_texts()["L40"],
    run_l40,
    DigitSettings(),
    minutes=0.3,
    small={"images": 200, "epochs": 1, "width": 5, "seeds": 2},
)
