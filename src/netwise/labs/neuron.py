"""L01 and L02: the single sigmoid neuron that learns slowly when it is very wrong, and the cost
that cures it."""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise

from netwise import data, signals
from netwise.labs.catalogue import CLAIMS
from netwise.labs.definition import Criterion, Lab, LabResult
from netwise.networks import MLP
from netwise.parts.activations import Sigmoid
from netwise.parts.initializers import Constant
from netwise.parts.losses import BinaryCrossEntropy, Loss, Quadratic
from netwise.parts.optimizers import SGD
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, figure, svg
from netwise.training.fit import fit

STEPS = 300
NEAR, FAR = (
    (0.6, 0.9),
    (2.0, 2.0),
)  # (weight, bias) at the start: an output of 0.82, and one of 0.98


def neuron(start: tuple[float, float], loss: Loss, lr: float) -> Recipe:
    """One neuron, one sample: input 1, wanted output 0."""
    one = data.arrays([[1.0]], [[0.0]], scale_target=False, valid=0.0, test=0.0)
    logits = isinstance(loss, BinaryCrossEntropy)  # which applies the sigmoid itself
    network = MLP((1, 1)) if logits else MLP((1, 1), output=Sigmoid())
    return Recipe(
        data=one,
        network=network,
        init=Constant(*start),
        loss=loss,
        optimizer=SGD(lr=lr),
        batch_size=1,
        epochs=STEPS,
    )


def trace(recipe: Recipe) -> tuple[list[float], list[float]]:
    """(outputs, costs) before each of the 300 steps and after the last."""
    run = fit(recipe, watch_every=1)
    last = float(run.outputs([[1.0]])[0, 0])
    heard, costs = run.history.of(signals.ACTIVATION_MEAN, "layer1"), run.history.of(signals.LOSS)
    assert heard is not None
    assert costs is not None
    outputs = [*heard.values, last]
    if isinstance(recipe.loss, BinaryCrossEntropy):
        outputs = [1 / (1 + math.exp(-z)) for z in outputs]
        final = -math.log(1 - outputs[-1])
    else:
        final = outputs[-1] ** 2 / 2
    return outputs, [*costs.values, final]


def _slow_start() -> LabResult:
    recipes = {"near": neuron(NEAR, Quadratic(), 0.15), "far": neuron(FAR, Quadratic(), 0.15)}
    near, far = (trace(recipe)[0] for recipe in recipes.values())
    early = (far[0] - far[150]) / (far[0] - far[300])
    numbers = {
        "near: output at 0": near[0],
        "near: output at 300": near[300],
        "far: output at 0": far[0],
        "far: output at 150": far[150],
        "far: output at 300": far[300],
        "far: share of the fall by step 150": early,
    }
    criteria = (
        Criterion(
            "from (0.6, 0.9) the output begins at 0.82", near[0], abs(near[0] - 0.82) < 0.005
        ),
        Criterion("and ends at 0.09", near[300], abs(near[300] - 0.09) < 0.005),
        Criterion("from (2, 2) it begins at 0.98", far[0], abs(far[0] - 0.98) < 0.005),
        Criterion(
            "and is still above 0.93 after 150 steps: nearly flat", far[150], far[150] > 0.93
        ),
        Criterion("it ends near 0.20", far[300], abs(far[300] - 0.20) < 0.01),
    )
    picture = _picture(
        "Quadratic cost: output of the neuron",
        {"from (0.6, 0.9)": near, "from (2, 2)": far},
        "output (wanted: 0)",
    )
    return LabResult(
        numbers, criteria, picture, {name: recipe.hash for name, recipe in recipes.items()}
    )


def _cross_entropy() -> LabResult:
    costs: dict[str, Loss] = {"quadratic": Quadratic(), "cross-entropy": BinaryCrossEntropy()}
    arms = {
        "quadratic, 0.15": neuron(FAR, costs["quadratic"], 0.15),
        "cross-entropy, 0.15": neuron(FAR, costs["cross-entropy"], 0.15),
        "cross-entropy, 0.005, near": neuron(NEAR, costs["cross-entropy"], 0.005),
        "cross-entropy, 0.005": neuron(FAR, costs["cross-entropy"], 0.005),
    }
    traces = {name: trace(recipe) for name, recipe in arms.items()}
    gradients = {
        name: _first_gradient(arms[name]) for name in ("quadratic, 0.15", "cross-entropy, 0.15")
    }
    ratio = gradients["cross-entropy, 0.15"] / gradients["quadratic, 0.15"]
    z = sum(FAR)
    sigma = 1 / (1 + math.exp(-z))
    expected = 1 / (sigma * (1 - sigma))
    outputs, cost = traces["cross-entropy, 0.15"]
    falls = [a - b for a, b in pairwise(cost)]
    slow_near, slow_far = (
        traces["cross-entropy, 0.005, near"][0][300],
        traces["cross-entropy, 0.005"][0][300],
    )
    numbers = {
        "0.15, from (2, 2): output at 300": outputs[300],
        "first gradient, cross-entropy / quadratic": ratio,
        "1 / sigma'(4)": expected,
        "step of the steepest fall of the cost": float(falls.index(max(falls))),
        "0.005, from (0.6, 0.9): output at 300": slow_near,
        "0.005, from (2, 2): output at 300": slow_far,
    }
    criteria = (
        Criterion(
            "at 0.15 from (2, 2) the output ends below 0.02", outputs[300], outputs[300] < 0.02
        ),
        Criterion(
            "the first gradient is 1 / sigma'(z) times the quadratic cost's",
            ratio,
            math.isclose(ratio, expected, rel_tol=1e-3),
        ),
        Criterion(
            "the cost falls fastest at the very first step",
            numbers["step of the steepest fall of the cost"],
            falls.index(max(falls)) == 0,
        ),
        Criterion(
            "at the note's rate of 0.005 the output is as good as before (below 0.10)",
            slow_far,
            slow_far < 0.10,
        ),
    )
    picture = _picture(
        "From (2, 2): output of the neuron",
        {name: t[0] for name, t in traces.items() if "near" not in name},
        "output (wanted: 0)",
    )
    return LabResult(
        numbers, criteria, picture, {name: recipe.hash for name, recipe in arms.items()}
    )


def _first_gradient(recipe: Recipe) -> float:
    series = fit(recipe.but(epochs=1), watch_every=1).history.of(signals.GRADIENT_RMS, "layer1")
    assert series is not None
    return series.values[0]


def _picture(title: str, lines: dict[str, list[float]], label: str) -> str:
    with figure() as (made, axes):
        for (name, values), colour in zip(lines.items(), COLOURS, strict=False):
            axes[0][0].plot(values, color=colour, label=name)
        axes[0][0].set_ylim(0, 1.02)
        axes[0][0].set_title(title)
        axes[0][0].set_xlabel("step")
        axes[0][0].set_ylabel(label)
        axes[0][0].legend()
        return svg(made, title)


L01 = Lab(
    "L01",
    CLAIMS["L01"],
    "Input 1, wanted output 0, rate 0.15, 300 steps, C = (y - a)² / 2; nothing is random.",
    "note 004",
    partial(_slow_start),
)
L02 = Lab(
    "L02",
    CLAIMS["L02"],
    "The same neuron with cross-entropy, rates 0.15 and 0.005; nothing is random.",
    "note 004",
    partial(_cross_entropy),
)
