"""L01 and L02: a single sigmoid neuron learns slowly when it is very wrong, and cross-entropy
removes the slow start."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from netwise import data, signals
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.runs import signal_values, train_whole
from netwise.networks import MLP
from netwise.part import number
from netwise.parts.activations import Sigmoid
from netwise.parts.initializers import Constant
from netwise.parts.losses import BinaryCrossEntropy, Loss, Quadratic
from netwise.parts.optimizers import SGD
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, figure, svg

STEPS = 300
# (weight, bias) at the start. The outputs are sigmoid(1.5) = 0.82 and sigmoid(4) = 0.98.
NEAR = (0.6, 0.9)

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class NeuronSettings(LabSettings):
    """What can be varied in L01 and L02.

    Args:
        rate: the learning rate. Default 0.15, as in the source.
        far: weight and bias of the start that is very wrong. Default 2.
    """

    rate: float = number(0.15, above=0, because="a step of 0 changes nothing")
    far: float = number(2.0)


def neuron(start: tuple[float, float], loss: Loss, lr: float) -> Recipe:
    """One neuron, one sample: input 1, target 0."""
    sample = data.arrays([[1.0]], [[0.0]], scale_target=False, valid=0.0, test=0.0)
    # BinaryCrossEntropy takes logits and applies the sigmoid itself.
    takes_logits = loss.output_activation == "Sigmoid"
    network = MLP((1, 1)) if takes_logits else MLP((1, 1), output=Sigmoid())
    return Recipe(
        data=sample,
        network=network,
        init=Constant(*start),
        loss=loss,
        optimizer=SGD(lr=lr),
        batch_size=1,
        epochs=STEPS,
    )


def trace(recipe: Recipe) -> tuple[list[float], list[float]]:
    """(outputs, costs) before each of the 300 steps and after the last, 301 numbers each."""
    run = train_whole(recipe, watch_every=1)
    last = float(run.outputs([[1.0]])[0, 0])
    outputs = [*signal_values(run, signals.ACTIVATION_MEAN, "layer1"), last]
    if recipe.loss.output_activation == "Sigmoid":
        outputs = [1 / (1 + math.exp(-z)) for z in outputs]
        last_cost = -math.log(1 - outputs[-1])
    else:
        last_cost = outputs[-1] ** 2 / 2
    return outputs, [*signal_values(run, signals.LOSS), last_cost]


# L01: quadratic cost


def quadratic_arms(settings: NeuronSettings) -> dict[str, Recipe]:
    starts = {"near": NEAR, "far": (settings.far, settings.far)}
    return {name: neuron(start, Quadratic(), settings.rate) for name, start in starts.items()}


def quadratic_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    """What chapter 3 of Nielsen 2015 prints under its two figures."""
    near_start, near_end = numbers["near: output at 0"], numbers["near: output at 300"]
    far_start, far_end = numbers["far: output at 0"], numbers["far: output at 300"]
    far_middle = numbers["far: output at 150"]
    return (
        Criterion(
            "from (0.6, 0.9) the output starts at 0.82", near_start, abs(near_start - 0.82) < 0.005
        ),
        Criterion(
            "from (0.6, 0.9) the output ends at 0.09", near_end, abs(near_end - 0.09) < 0.005
        ),
        Criterion(
            "from (2, 2) the output starts at 0.98", far_start, abs(far_start - 0.98) < 0.005
        ),
        Criterion(
            "from (2, 2) the output is still above 0.93 after 150 steps: nearly no progress",
            far_middle,
            far_middle > 0.93,
        ),
        Criterion("from (2, 2) the output ends near 0.20", far_end, abs(far_end - 0.20) < 0.01),
    )


def run_l01(settings: NeuronSettings) -> LabResult:
    arms = quadratic_arms(settings)
    near, far = (trace(recipe)[0] for recipe in arms.values())
    numbers = {
        "near: output at 0": near[0],
        "near: output at 300": near[300],
        "far: output at 0": far[0],
        "far: output at 150": far[150],
        "far: output at 300": far[300],
        "far: share of the fall by step 150": (far[0] - far[150]) / (far[0] - far[300]),
    }
    picture = _outputs_by_step(
        "Quadratic cost: output of the neuron",
        {"from (0.6, 0.9)": near, f"from ({settings.far:g}, {settings.far:g})": far},
    )
    return LabResult(numbers, quadratic_criteria(numbers), picture, recipe_hashes(arms))


# L02: cross-entropy


def cross_entropy_arms(settings: NeuronSettings) -> dict[str, Recipe]:
    far, rate = (settings.far, settings.far), settings.rate
    return {
        "quadratic, 0.15": neuron(far, Quadratic(), rate),
        "cross-entropy, 0.15": neuron(far, BinaryCrossEntropy(), rate),
        "cross-entropy, 0.005, near": neuron(NEAR, BinaryCrossEntropy(), 0.005),
        "cross-entropy, 0.005": neuron(far, BinaryCrossEntropy(), 0.005),
    }


def gradient_ratio(z: float) -> float:
    """Gradient of cross-entropy over that of the quadratic cost at target 0: 1 / sigma'(z)."""
    sigma = 1 / (1 + math.exp(-z))
    return 1 / (sigma * (1 - sigma))


def steepest_fall(costs: list[float]) -> int:
    """The step, from 0, over which the cost falls most."""
    falls = [before - after for before, after in pairwise(costs)]
    return falls.index(max(falls))


def cross_entropy_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    output = numbers["0.15, from (2, 2): output at 300"]
    ratio = numbers["first gradient, cross-entropy / quadratic"]
    step = numbers["step of the steepest fall of the cost"]
    slow = numbers["0.005, from (2, 2): output at 300"]
    return (
        Criterion("at rate 0.15 from (2, 2) the output ends below 0.02", output, output < 0.02),
        Criterion(
            "the first gradient is 1 / sigma'(z) times that of the quadratic cost",
            ratio,
            math.isclose(ratio, numbers["1 / sigma'(4)"], rel_tol=1e-3),
        ),
        Criterion("the cost falls fastest in the first step", step, step == 0),
        Criterion(
            "at rate 0.005, which the source uses, the output from (2, 2) ends below 0.10",
            slow,
            slow < 0.10,
        ),
    )


def run_l02(settings: NeuronSettings) -> LabResult:
    arms = cross_entropy_arms(settings)
    traces = {name: trace(recipe) for name, recipe in arms.items()}
    outputs, costs = traces["cross-entropy, 0.15"]
    numbers = {
        "0.15, from (2, 2): output at 300": outputs[300],
        "first gradient, cross-entropy / quadratic": (
            _first_gradient(arms["cross-entropy, 0.15"]) / _first_gradient(arms["quadratic, 0.15"])
        ),
        "1 / sigma'(4)": gradient_ratio(2 * settings.far),
        "step of the steepest fall of the cost": float(steepest_fall(costs)),
        "0.005, from (0.6, 0.9): output at 300": traces["cross-entropy, 0.005, near"][0][300],
        "0.005, from (2, 2): output at 300": traces["cross-entropy, 0.005"][0][300],
    }
    picture = _outputs_by_step(
        f"From ({settings.far:g}, {settings.far:g}): output of the neuron",
        {name: outputs for name, (outputs, _) in traces.items() if "near" not in name},
    )
    return LabResult(numbers, cross_entropy_criteria(numbers), picture, recipe_hashes(arms))


def _first_gradient(recipe: Recipe) -> float:
    run = train_whole(recipe.but(epochs=1), watch_every=1)
    return signal_values(run, signals.GRADIENT_RMS, "layer1")[0]


def _outputs_by_step(title: str, outputs: Mapping[str, list[float]]) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, values), colour in zip(outputs.items(), COLOURS, strict=False):
            axis.plot(values, color=colour, label=name)
        axis.set_ylim(0, 1.02)
        axis.set_title(title)
        axis.set_xlabel("step")
        axis.set_ylabel("output (target: 0)")
        axis.legend()
        return svg(drawing, title)


RATES = (0.05, 0.15, 0.5)
L01 = Lab(
    "L01", lab_texts()["L01"], run_l01, NeuronSettings(), quadratic_arms, stops=("rate", RATES)
)
L02 = Lab(
    "L02", lab_texts()["L02"], run_l02, NeuronSettings(), cross_entropy_arms, stops=("rate", RATES)
)
