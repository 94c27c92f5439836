"""L15: L1 makes many weights almost 0, L2 makes all of them smaller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from netwise.labs.catalogue import lab_texts
from netwise.labs.digit_networks import LARGE_START, POINTS, digit_network
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.overfitting.measures import Numbers, percent
from netwise.labs.overfitting.thousand_settings import SPREAD
from netwise.labs.stacked_training import TEST, Floats, TrainedStack, train_stack
from netwise.part import integer, number
from netwise.parts.penalties import L1, L2, Penalty
from netwise.recipe.prepared import prepare
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, figure, svg, use_log_scale

IMAGES = 1000
SMALL_WEIGHT, TINY_WEIGHT = 1e-2, 1e-3
WEAK = 0.2  # share of lambda in the arm of a weak L1


@dataclass(frozen=True)
class SparseSettings(LabSettings):
    """What can be varied in L15.

    Args:
        seeds: runs of each arm, at least 2. Default 5.
        epochs: of each run. Default 150.
        decay: lambda of L1 and L2. Default 0.1.
    """

    seeds: int = integer(5, least=2, most=100, because=SPREAD)
    epochs: int = integer(150, least=1, most=10_000, because="a run has an epoch")
    decay: float = number(0.1, above=0, because="L15 compares two penalties")


def sparse_arms(settings: SparseSettings) -> dict[str, Recipe]:
    plain = digit_network(IMAGES, epochs=settings.epochs, init=LARGE_START)
    return {
        "no penalty": plain,
        "L2": plain.but(penalty=L2.by_lambda(settings.decay, samples=IMAGES)),
        "weak L1": plain.but(penalty=L1.by_lambda(WEAK * settings.decay, samples=IMAGES)),
        "L1": plain.but(penalty=L1.by_lambda(settings.decay, samples=IMAGES)),
    }


def share_below(weights: Sequence[Tensor], size: float) -> Floats:
    """The share of each network's weights that are smaller than `size`."""
    small = torch.cat([(w.abs() < size).flatten(1) for w in weights], 1)
    shares: Floats = small.double().mean(1).numpy()
    return shares


def crossing(strength: float = 0.1) -> float:
    """The size of a weight at which L1 and L2 of one strength shrink it at the same speed, from the
    gradients of the penalties by bisection."""

    def pull(penalty: Penalty, size: float) -> float:
        w = torch.tensor([[size]], dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(penalty.value([w]), w)
        return float(gradient)

    low, high = 1e-3, 1e3
    for _ in range(60):
        middle = (low * high) ** 0.5
        if pull(L2(strength=strength), middle) < pull(L1(strength=strength), middle):
            low = middle
        else:
            high = middle
    return low


def pruned_accuracy(trained: TrainedStack, x: Tensor, y: Tensor) -> Floats:
    """Accuracy of each network whose weights below 0.01 are set to 0."""
    pruned = replace(trained, weights=[w * (w.abs() >= SMALL_WEIGHT) for w in trained.weights])
    right: Floats = (pruned.outputs(x).argmax(-1) == y).double().mean(1).numpy()
    return right


def sparse_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    ratio = numbers["share below 0.01, L1 / L2: least"]
    cross = numbers["size at which both shrink a weight alike"]
    shrunk = numbers["mean size of a weight, L2 / no penalty"]
    cost = numbers["L1: accuracy lost by setting weights below 0.01 to 0, points"]
    return (
        Criterion(
            "the share of weights below 0.01 is more than 5 times as large with L1 as with L2, "
            "for each seed (least)",
            ratio,
            ratio > 5,
        ),
        Criterion(
            "L1 shrinks weights below 1 faster than L2 and larger ones slower (size at which both "
            "are alike)",
            cross,
            abs(cross - 1) < 1e-6,
        ),
        Criterion(
            "L2 makes the mean size of a weight smaller (ratio)",
            shrunk,
            shrunk < 1,
            part_of_claim=False,
        ),
        Criterion(
            "with L1 all weights below 0.01 can be set to 0 at a cost of less than 0.5 percentage "
            "points (mean)",
            cost,
            cost < 0.5,
            part_of_claim=False,
        ),
    )


def run_l15(settings: SparseSettings) -> LabResult:
    arms = sparse_arms(settings)
    trained = {
        name: train_stack(recipe, range(settings.seeds), {TEST: [settings.epochs]})
        for name, recipe in arms.items()
    }
    samples = prepare(arms["L1"]).samples
    unused = samples.train.x.flatten(1).amax(0) == 0  # of all images
    numbers: dict[str, float] = {}
    for name, each in trained.items():
        first = each.weights[0]
        numbers |= {
            f"{name}: share below 0.01": float(share_below(each.weights, SMALL_WEIGHT).mean()),
            f"{name}: share below 0.001": float(share_below(each.weights, TINY_WEIGHT).mean()),
            f"{name}: share below 0.01 of pixels that no image uses": float(
                share_below([first[..., unused]], SMALL_WEIGHT).mean()
            ),
            f"{name}: share below 0.01 of other pixels": float(
                share_below([first[..., ~unused]], SMALL_WEIGHT).mean()
            ),
            f"{name}: mean size of a weight": fmean(float(w.abs().mean()) for w in each.weights),
            f"{name}: test accuracy, %": fmean(percent(each.curves[TEST].accuracy[-1])),
        }
    by_seed = share_below(trained["L1"].weights, SMALL_WEIGHT) / np.maximum(
        share_below(trained["L2"].weights, SMALL_WEIGHT), 1e-4
    )
    full = trained["L1"].curves[TEST].accuracy[-1]
    lost = full - pruned_accuracy(trained["L1"], samples.test.x, samples.test.y)
    numbers |= {
        "share below 0.01, L1 / L2: least": float(by_seed.min()),
        "size at which both shrink a weight alike": crossing(),
        "mean size of a weight, L2 / no penalty": numbers["L2: mean size of a weight"]
        / numbers["no penalty: mean size of a weight"],
        "L1: accuracy lost by setting weights below 0.01 to 0, points": POINTS * float(lost.mean()),
    }
    return LabResult(
        numbers,
        sparse_criteria(numbers),
        _sizes({name: each.weights for name, each in trained.items()}),
        recipe_hashes(arms),
        tuple(range(settings.seeds)),
    )


def _sizes(weights: Mapping[str, Sequence[Tensor]]) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        shares = np.linspace(0, 1, 200)
        for (name, layers), colour in zip(weights.items(), COLOURS, strict=False):
            sizes = np.concatenate([w.abs().numpy().ravel() for w in layers]).clip(1e-5)
            axis.plot(np.quantile(sizes, shares), shares, color=colour, label=name)
        use_log_scale(axis, "x")
        axis.set_xlabel("size of a weight")
        axis.set_ylabel("share of weights below")
        axis.set_title("Sizes of the weights after training")
        axis.legend()
        return svg(drawing, "Sizes of weights with L1 and L2")


L15 = Lab(
    "L15",
    lab_texts()["L15"],
    run_l15,
    SparseSettings(),
    sparse_arms,
    0.5,
    {"seeds": 2, "epochs": 1},
)
