"""What can be said of a recipe before any work: fields that must agree with each other and with the data."""

from __future__ import annotations

from collections.abc import Callable

import torch

from netwise.activations import Identity, Softmax
from netwise.anatomy import anatomy_of
from netwise.data import Samples
from netwise.data.source import Pairs
from netwise.errors import CANNOT_RUN, WILL_LEARN_BADLY, Problem, ShapeError
from netwise.losses import CLASSIFICATION, BinaryCrossEntropy, CrossEntropy, Hinge
from netwise.networks import MLP, Network, Own
from netwise.preprocess import Fitted, Preprocess
from netwise.recipe.recipe import Recipe


def check(recipe: Recipe) -> list[Problem]:
    """Everything that is wrong with a recipe before training: what cannot run first, then what will learn badly.

    Loads the data and sends two samples through the network.

    Raises:
        DataMissing, DataError: the data cannot be loaded.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 7)))
        >>> [str(problem) for problem in nw.check(recipe)]
        ['network.widths = [64, 30, 7]  ends in 7 outputs, and the data have 10 classes. Write [64, 30, 10].']
    """
    samples = recipe.data.load()
    problems = [problem for rule in CHECKS for problem in rule(recipe, samples)]
    return sorted(problems, key=lambda problem: problem.grade != CANNOT_RUN)


def prepared(recipe: Recipe, samples: Samples) -> tuple[Samples, tuple[Fitted, ...]]:
    """The samples after the recipe's preprocessing, and what its steps learned from the training part."""
    from dataclasses import replace

    learned: list[Fitted] = []
    train, valid, test = samples.train, samples.valid, samples.test
    for step in recipe.preprocess:
        fitted = step.fit(train.x)
        learned.append(fitted)
        train, valid, test = (_applied(step, fitted, part) for part in (train, valid, test))
    return replace(samples, train=train, valid=valid, test=test), tuple(learned)


def _applied(step: Preprocess, fitted: Fitted, part: Pairs) -> Pairs:
    return Pairs(step.apply(part.x, fitted), part.y) if len(part) else part


def _loss_fits_task(recipe: Recipe, samples: Samples) -> list[Problem]:
    if samples.task in recipe.loss.tasks:
        return []
    instead = "CrossEntropy()" if samples.task == CLASSIFICATION else "MeanSquaredError()"
    return [Problem("loss", type(recipe.loss).__name__, f"is for {' or '.join(recipe.loss.tasks)}, and the data are for {samples.task}", instead)]


def _parts_are_there(recipe: Recipe, samples: Samples) -> list[Problem]:
    problems = []
    if recipe.stopping.keeps_best and not len(samples.valid):
        problems.append(Problem("stopping", type(recipe.stopping).__name__, "watches the validation part, and data.valid is 0", "Never()"))
    watches = recipe.schedule.looks_at_loss and not len(samples.valid)
    if watches:
        problems.append(Problem("schedule", type(recipe.schedule).__name__, "watches the validation part, and data.valid is 0", "Cosine()"))
    if recipe.batch_size == 1 and _has_batch_norm(recipe.network):
        problems.append(Problem("batch_size", "1", "gives batch norm one sample, which has no spread", "64"))
    if recipe.optimizer.asks_again and recipe.batch_size < len(samples.train):
        told = f"makes {type(recipe.optimizer).__name__} compare the losses of unequal batches"
        problems.append(Problem("batch_size", str(recipe.batch_size), told, str(len(samples.train)), WILL_LEARN_BADLY))
    weights = getattr(recipe.loss, "weights", ())
    if weights and len(weights) != samples.outputs:
        problems.append(Problem("loss.weights", str(list(weights)), f"is {len(weights)} numbers, and the data have {samples.outputs} classes"))
    return problems


def _has_batch_norm(network: Network) -> bool:
    if isinstance(network, Own) and not network.given:
        return False  # checking imports nothing
    with torch.random.fork_rng():
        return any(isinstance(layer, torch.nn.modules.batchnorm._BatchNorm) for layer in network.build().modules())


def _targets_fit_loss(recipe: Recipe, samples: Samples) -> list[Problem]:
    if not isinstance(recipe.loss, BinaryCrossEntropy) or samples.task == CLASSIFICATION:
        return []
    low, high = float(samples.train.y.min()), float(samples.train.y.max())
    if low >= 0 and high <= 1:
        return []
    scaled = getattr(recipe.data, "scale_target", False)
    told = "which standardises its targets" if scaled else f"whose targets go from {low:.3g} to {high:.3g}"
    instead = "data with scale_target = false" if scaled else "MeanSquaredError()"
    return [Problem("loss", "BinaryCrossEntropy", f"is for targets from 0 to 1, and does not suit data {told}", instead)]


def _shapes_fit(recipe: Recipe, samples: Samples) -> list[Problem]:
    if isinstance(recipe.network, Own) and not recipe.network.given:
        return []  # checking imports nothing; `fit` finds out
    few, _ = prepared(recipe, _few(samples))
    network, outputs = recipe.network, samples.outputs
    what = f"{outputs} classes" if samples.task == CLASSIFICATION else f"{outputs} target{'s' if outputs > 1 else ''}"
    if isinstance(network, MLP):
        features = few.train.x[0].numel()
        widths = list(network.widths)
        right = str([features, *widths[1:-1], outputs])
        if widths[0] != features:
            return [Problem("network.widths", str(widths), f"begins with {widths[0]} inputs, and a sample has {features}", right)]
        if not _fits(widths[-1], samples, recipe):
            return [Problem("network.widths", str(widths), f"ends in {widths[-1]} outputs, and the data have {what}", right)]
        return []
    name = type(network).__name__
    if network.takes == "images" and few.train.x.dim() != 4:
        features = few.train.x[0].numel()
        return [Problem("network", name, f"takes images, and a sample has {features} features in a row", f"MLP(({features}, 64, {outputs}))")]
    own = isinstance(network, Own)  # has an alphabet that only its code knows; sending samples through it shows
    if not own and not few.train.x.is_floating_point() and getattr(network, "symbols", 0) != len(samples.classes):
        alphabet = len(samples.classes)
        return [Problem("network.symbols", str(getattr(network, "symbols", "")), f"and the data have an alphabet of {alphabet}", str(alphabet))]
    if getattr(network, "carry", False) and not samples.in_order:
        return [Problem("network.carry", "True", "needs batches that follow each other, and the data come in random order", "data.text(..., in_order=True)")]
    with torch.random.fork_rng():
        module = network.build()
    try:
        anatomy = anatomy_of(module, few.shape, few.train.x[:2])
    except ShapeError as error:
        return [Problem("network", type(network).__name__, str(error))]
    width = width_of(anatomy.output, few)
    if not _fits(width, samples, recipe):
        return [Problem("network", name, f"gives {width} outputs, and the data have {what}", str(outputs))]
    steps = few.train.y.shape[1:]
    if samples.task == CLASSIFICATION and tuple(anatomy.output[1:]) != tuple(steps):
        told = f"gives answers of shape {anatomy.output}, and the targets of a sample are {tuple(steps) or 'one class'}"
        return [Problem("network", name, told, 'answers="each"' if steps else 'answers="last"')]
    return []


def width_of(output: tuple[int, ...], samples: Samples) -> int:
    """How many numbers each answer has: the first axis of (outputs, steps), where each step has a target."""
    if not output:
        return 1
    return output[0] if samples.task == CLASSIFICATION and samples.train.y.dim() > 1 else output[-1]


def _fits(width: int, samples: Samples, recipe: Recipe) -> bool:
    if isinstance(recipe.loss, CrossEntropy):
        return width >= samples.outputs
    return width == samples.outputs


def _output_fits_loss(recipe: Recipe, samples: Samples) -> list[Problem]:
    output = getattr(recipe.network, "output", Identity())
    if recipe.loss.takes != "logits" or isinstance(output, Identity):
        return []
    name, loss = type(output).__name__, type(recipe.loss).__name__
    twice = "softmax" if isinstance(recipe.loss, CrossEntropy) else "sigmoid"
    reason = f"before {loss}, which takes logits and applies the {twice} itself"
    return [Problem("network.output", name, reason, "Identity()", WILL_LEARN_BADLY)]


def _loss_fits_classes(recipe: Recipe, samples: Samples) -> list[Problem]:
    if samples.task != CLASSIFICATION or isinstance(recipe.loss, CrossEntropy | BinaryCrossEntropy | Hinge):
        return []
    reason = "on classes: its gradient fades where an answer is very wrong"
    softened = isinstance(getattr(recipe.network, "output", None), Softmax)
    return [Problem("loss", type(recipe.loss).__name__, reason, "CrossEntropy()" + (" and network.output = Identity()" if softened else ""), WILL_LEARN_BADLY)]


def _inputs_in_range(recipe: Recipe, samples: Samples) -> list[Problem]:
    x = prepared(recipe, _few(samples, 1000))[0].train.x
    if not x.is_floating_point():
        return []  # places in an alphabet
    mean, spread = float(x.mean()), float(x.std(unbiased=False))
    by_feature = x.reshape(len(x), -1).std(0, unbiased=False)
    live = by_feature[by_feature > 0]
    uneven = float(live.max() / live.min()) if len(live) and x.dim() == 2 else 1.0
    if spread > 10 or abs(mean) > 3 * spread + 1:
        seen = f"mean {mean:.3g}, spread {spread:.3g}"
    elif uneven > 100:
        seen = f"features whose spreads differ {uneven:,.0f} times"
    else:
        return []
    return [
        Problem(
            "preprocess",
            seen,
            "inputs far from mean 0 and spread 1 make steps too large for some weights and too small for others",
            "(Standardise(),)",
            WILL_LEARN_BADLY,
        )
    ]


def _classes_are_there(recipe: Recipe, samples: Samples) -> list[Problem]:
    if samples.task != CLASSIFICATION or samples.train.y.dim() > 1:
        return []  # of an alphabet not every sign has to be answered
    counts = torch.bincount(samples.train.y.flatten(), minlength=samples.outputs)
    absent = [samples.classes[i] for i in torch.nonzero(counts == 0).flatten().tolist()]
    if not absent:
        return []
    return [Problem("data", ", ".join(absent[:5]), "no training sample is of these classes: they cannot be learned", grade=WILL_LEARN_BADLY)]


def _few(samples: Samples, rows: int = 64) -> Samples:
    from dataclasses import replace

    step = max(1, len(samples.train) // rows)
    train = Pairs(samples.train.x[::step][:rows], samples.train.y[::step][:rows])
    return replace(samples, train=train, valid=Pairs(samples.valid.x[:0], samples.valid.y[:0]), test=Pairs(samples.test.x[:0], samples.test.y[:0]))


CHECKS: tuple[Callable[[Recipe, Samples], list[Problem]], ...] = (
    _loss_fits_task,
    _targets_fit_loss,
    _parts_are_there,
    _shapes_fit,
    _output_fits_loss,
    _loss_fits_classes,
    _inputs_in_range,
    _classes_are_there,
)
