"""What can be said of a recipe before any work: fields that must agree with each other and with the
data."""

from __future__ import annotations

from collections.abc import Callable

import torch

from netwise.data import Samples
from netwise.errors import CANNOT_RUN, WILL_LEARN_BADLY, Problem, ShapeError
from netwise.networks import MLP, Autoencoder, CustomNetwork, Network, VariationalAutoencoder
from netwise.networks.energy.boltzmann import AnnealedSampling, BoltzmannMachine
from netwise.networks.energy.dbn import DBN
from netwise.networks.energy.hopfield import Hopfield, ModernHopfield
from netwise.networks.energy.likelihood import MOST_UNITS
from netwise.networks.energy.phases import NegativePhase, ParallelTempering
from netwise.networks.energy.rbm import RBM
from netwise.networks.energy.units import BINARY, GAUSSIAN
from netwise.observe.anatomy import anatomy_of
from netwise.parts.activations import Identity, Softmax
from netwise.parts.losses import BinaryCrossEntropy, CrossEntropy, Hinge
from netwise.recipe.prepared import Prepared, excerpt, preprocessed, with_targets_for
from netwise.recipe.recipe import Recipe
from netwise.tasks import CLASSIFICATION, RECONSTRUCTION, REGRESSION


def check(recipe: Recipe, *, prepared: Prepared | None = None) -> list[Problem]:
    """Everything that is wrong with a recipe before training: what cannot run first, then what will
    learn badly.

    Loads the data, preprocesses at most 1000 training samples and sends two of them through the
    network.

    Args:
        recipe: what to check.
        prepared: the recipe's data where they are prepared already: nothing is loaded then.
            Default none.

    Raises:
        DataMissing, DataError: the data cannot be loaded.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 7)))
        >>> [str(problem) for problem in nw.check(recipe)]
        ['network.widths = [64, 30, 7]  ends in 7 outputs, and the data have 10 classes. Write [64, 30, 10].']
    """
    if prepared is None:
        samples = with_targets_for(recipe.network, recipe.data.load())
        few = with_targets_for(recipe.network, preprocessed(recipe, excerpt(samples))[0])
    else:
        samples = with_targets_for(recipe.network, prepared.loaded)
        few = excerpt(prepared.samples)
    problems = [problem for rule in CHECKS for problem in rule(recipe, samples, few)]
    return sorted(problems, key=lambda problem: problem.grade != CANNOT_RUN)


def hindrances(recipe: Recipe, *, prepared: Prepared | None = None) -> list[Problem]:
    """The problems that keep a recipe from running at all."""
    problems = check(recipe, prepared=prepared)
    return [problem for problem in problems if problem.grade == CANNOT_RUN]


def _loss_fits_task(recipe: Recipe, samples: Samples, few: Samples) -> list[Problem]:
    if recipe.network.is_memory:
        return []  # it learns by no loss
    is_energy_model = isinstance(recipe.loss, NegativePhase)
    if recipe.network.is_energy_model != is_energy_model:
        name = type(recipe.network).__name__
        told = (
            f"is a phase, by which energy models such as RBM learn, and {name} is none"
            if is_energy_model
            else f"is no phase, and {name} learns by one"
        )
        return [
            Problem(
                "loss",
                type(recipe.loss).__name__,
                told,
                "CrossEntropy()" if is_energy_model else "PCD()",
            )
        ]
    if samples.task in recipe.loss.tasks or (
        samples.task == RECONSTRUCTION and REGRESSION in recipe.loss.tasks
    ):
        return []
    instead = "CrossEntropy()" if samples.task == CLASSIFICATION else "MeanSquaredError()"
    return [
        Problem(
            "loss",
            type(recipe.loss).__name__,
            f"is for {' or '.join(recipe.loss.tasks)}, and the data are for {samples.task}",
            instead,
        )
    ]


def _parts_are_there(recipe: Recipe, samples: Samples, few: Samples) -> list[Problem]:
    problems = []
    if recipe.network.is_memory:
        return []
    if recipe.stopping.keeps_best and not len(samples.valid):
        problems.append(
            Problem(
                "stopping",
                type(recipe.stopping).__name__,
                "watches the validation part, and data.valid is 0",
                "Never()",
            )
        )
    watches = recipe.schedule.needs_loss and not len(samples.valid)
    if watches:
        problems.append(
            Problem(
                "schedule",
                type(recipe.schedule).__name__,
                "watches the validation part, and data.valid is 0",
                "Cosine()",
            )
        )
    if recipe.batch_size == 1 and _has_batch_norm(recipe.network):
        problems.append(
            Problem("batch_size", "1", "gives batch norm one sample, which has no spread", "64")
        )
    if recipe.optimizer.needs_closure and recipe.batch_size < len(samples.train):
        told = f"makes {type(recipe.optimizer).__name__} compare the losses of unequal batches"
        problems.append(
            Problem(
                "batch_size",
                str(recipe.batch_size),
                told,
                str(len(samples.train)),
                WILL_LEARN_BADLY,
            )
        )
    weights = getattr(recipe.loss, "weights", ())
    if weights and len(weights) != samples.outputs:
        problems.append(
            Problem(
                "loss.weights",
                str(list(weights)),
                f"is {len(weights)} numbers, and the data have {samples.outputs} classes",
            )
        )
    return problems


def _has_batch_norm(network: Network) -> bool:
    if isinstance(network, CustomNetwork) and not network.given:
        return False  # checking imports nothing
    with torch.random.fork_rng():
        return any(
            isinstance(layer, torch.nn.modules.batchnorm._BatchNorm)
            for layer in network.build().modules()
        )


def _targets_fit_loss(recipe: Recipe, samples: Samples, few: Samples) -> list[Problem]:
    if not isinstance(recipe.loss, BinaryCrossEntropy) or samples.task == CLASSIFICATION:
        return []
    seen = few.train.y if samples.task == RECONSTRUCTION else samples.train.y
    low, high = float(seen.min()), float(seen.max())
    if low >= 0 and high <= 1:
        return []
    scaled = getattr(recipe.data, "scale_target", False)
    told = (
        "which standardises its targets"
        if scaled
        else f"whose targets go from {low:.3g} to {high:.3g}"
    )
    instead = "data with scale_target = false" if scaled else "MeanSquaredError()"
    return [
        Problem(
            "loss",
            "BinaryCrossEntropy",
            f"is for targets from 0 to 1, and does not suit data {told}",
            instead,
        )
    ]


def _shapes_fit(recipe: Recipe, samples: Samples, few: Samples) -> list[Problem]:
    if isinstance(recipe.network, CustomNetwork) and not recipe.network.given:
        return []  # checking imports nothing; `fit` finds out
    network, outputs = recipe.network, few.outputs
    if isinstance(network, DBN | Autoencoder | VariationalAutoencoder):
        features = few.train.x[0].numel()
        if network.widths[0] != features:
            right = str([features, *network.widths[1:]])
            return [
                Problem(
                    "network.widths",
                    str(list(network.widths)),
                    f"begins with {network.widths[0]} inputs, and a sample has {features}",
                    right,
                )
            ]
    if isinstance(network, Hopfield | ModernHopfield | BoltzmannMachine):
        own = network.visible if isinstance(network, BoltzmannMachine) else network.units
        name = "visible" if isinstance(network, BoltzmannMachine) else "units"
        features = few.train.x[0].numel()
        return (
            []
            if own == features
            else [
                Problem(
                    f"network.{name}",
                    str(own),
                    f"is not what a sample has: {features} numbers",
                    str(features),
                )
            ]
        )
    if isinstance(network, DBN) and network.labels and network.labels != outputs:
        return [
            Problem(
                "network.labels",
                str(network.labels),
                f"and the data have {what_of(samples)}",
                str(outputs),
            )
        ]
    if isinstance(network, DBN):
        return []
    if isinstance(network, RBM):
        features = few.train.x[0].numel()
        if network.visible != features:
            return [
                Problem(
                    "network.visible",
                    str(network.visible),
                    f"is not what a sample has: {features} numbers",
                    str(features),
                )
            ]
        if network.labels and network.labels != outputs:
            return [
                Problem(
                    "network.labels",
                    str(network.labels),
                    f"and the data have {what_of(samples)}",
                    str(outputs),
                )
            ]
        return []
    what = what_of(few)
    if isinstance(network, MLP):
        features = few.train.x[0].numel()
        widths = list(network.widths)
        right = str([features, *widths[1:-1], outputs])
        if widths[0] != features:
            return [
                Problem(
                    "network.widths",
                    str(widths),
                    f"begins with {widths[0]} inputs, and a sample has {features}",
                    right,
                )
            ]
        if not _fits(widths[-1], samples, recipe):
            return [
                Problem(
                    "network.widths",
                    str(widths),
                    f"ends in {widths[-1]} outputs, and the data have {what}",
                    right,
                )
            ]
        return []
    name = type(network).__name__
    if network.input_kind == "images" and few.train.x.dim() != 4:
        features = few.train.x[0].numel()
        return [
            Problem(
                "network",
                name,
                f"takes images, and a sample has {features} features in a row",
                f"MLP(({features}, 64, {outputs}))",
            )
        ]
    own = isinstance(
        network, CustomNetwork
    )  # has an alphabet that only its code knows; sending samples through it shows
    if (
        not own
        and not few.train.x.is_floating_point()
        and getattr(network, "symbols", 0) != len(samples.classes)
    ):
        alphabet = len(samples.classes)
        return [
            Problem(
                "network.symbols",
                str(getattr(network, "symbols", "")),
                f"and the data have an alphabet of {alphabet}",
                str(alphabet),
            )
        ]
    if getattr(network, "carry", False) and not samples.in_order:
        return [
            Problem(
                "network.carry",
                "True",
                "needs batches that follow each other, and the data come in random order",
                "data.text(..., in_order=True)",
            )
        ]
    with torch.random.fork_rng():
        module = network.build()
    try:
        anatomy = anatomy_of(module, few.shape, few.train.x[:2])
    except ShapeError as error:
        return [Problem("network", type(network).__name__, str(error))]
    width = width_of(anatomy.output, few)
    if not _fits(width, samples, recipe):
        return [
            Problem(
                "network", name, f"gives {width} outputs, and the data have {what}", str(outputs)
            )
        ]
    steps = few.train.y.shape[1:]
    if samples.task == CLASSIFICATION and tuple(anatomy.output[1:]) != tuple(steps):
        told = f"gives answers of shape {anatomy.output}, and the targets of a sample are {tuple(steps) or 'one class'}"
        return [Problem("network", name, told, 'answers="each"' if steps else 'answers="last"')]
    return []


def what_of(samples: Samples) -> str:
    """What the data ask for, in words."""
    return (
        f"{samples.outputs} classes"
        if samples.task == CLASSIFICATION
        else f"{samples.outputs} target{'s' if samples.outputs > 1 else ''}"
    )


def _machine_fits(recipe: Recipe, samples: Samples, few: Samples) -> list[Problem]:
    """What an energy model's units and phase ask of the data and of each other."""
    network, phase = recipe.network, recipe.loss
    if isinstance(network, Hopfield):
        return _patterns_fit(recipe, samples, few)
    if isinstance(network, BoltzmannMachine) and isinstance(phase, NegativePhase):
        units = network.visible + network.hidden
        if not phase.exact and not isinstance(phase, AnnealedSampling):
            return [
                Problem(
                    "loss",
                    type(phase).__name__,
                    "is for restricted machines",
                    "ExactGradient()" if units <= MOST_UNITS else "AnnealedSampling()",
                )
            ]
        if phase.exact and units > MOST_UNITS:
            return [
                Problem(
                    "loss",
                    "ExactGradient",
                    f"sums over all states, and {units} units have too many",
                    "AnnealedSampling()",
                )
            ]
        x = few.train.x
        if not bool(((x == 0) | (x == 1)).all()):
            return [
                Problem(
                    "network",
                    "BoltzmannMachine",
                    "takes inputs of 0 and 1",
                    "preprocess = (Binarise(),)",
                )
            ]
        return []
    if isinstance(phase, AnnealedSampling) and isinstance(network, RBM | DBN):
        return [
            Problem(
                "loss",
                "AnnealedSampling",
                "is for a BoltzmannMachine, whose units are all joined",
                "PCD()",
            )
        ]
    if not isinstance(network, RBM | DBN) or not isinstance(phase, NegativePhase):
        return []
    if isinstance(network, DBN):
        wide = network.widths
        kinds = [network.visible_units] + ["binary"] * (len(wide) - 2)
        each = [
            RBM(ins, outs, visible_units=kind)
            for ins, outs, kind in zip(wide, wide[1:], kinds, strict=False)
        ]
        problems = [
            problem
            for machine in each
            for problem in _machine_fits(recipe.but(network=machine), samples, few)
            if problem.subject == "loss"
        ]
        return problems[:1] or _machine_fits(recipe.but(network=each[0]), samples, few)
    problems = []
    binary = network.visible_units == BINARY and network.hidden_units == BINARY
    smaller = (
        min(network.hidden, network.visible + network.labels)
        if network.visible_units == BINARY
        else network.hidden
    )
    if phase.exact and (smaller > MOST_UNITS or network.hidden_units != BINARY):
        told = f"sums over all states, and {network.hidden} {network.hidden_units} hidden units have too many"
        problems.append(Problem("loss", type(phase).__name__, told, "PCD()"))
    if phase.exact and network.labels:
        problems.append(
            Problem(
                "loss",
                type(phase).__name__,
                "has no way with label units, of which one is on",
                "PCD()",
            )
        )
    if isinstance(phase, ParallelTempering) and (not binary or network.labels):
        problems.append(
            Problem(
                "loss",
                "ParallelTempering",
                "changes temperatures of binary units only, without labels",
                "PCD()",
            )
        )
    x = few.train.x
    low, high = float(x.min()), float(x.max())
    if network.visible_units == BINARY and (low < 0 or high > 1):
        told = f"is for inputs from 0 to 1, and these go from {low:.3g} to {high:.3g}"
        problems.append(
            Problem(
                "network.visible_units", "binary", told, '"gaussian", or preprocess = (MinMax(),)'
            )
        )
    spread = float(x.std())
    if network.visible_units == GAUSSIAN and not 0.3 < spread < 3:
        told = f"takes the spread of each input for 1, and theirs is {spread:.3g}: begin with preprocess = (Standardise(),)"
        problems.append(Problem("network.visible_units", "gaussian", told, grade=WILL_LEARN_BADLY))
    return problems


def _patterns_fit(recipe: Recipe, samples: Samples, few: Samples) -> list[Problem]:
    x = few.train.x
    if bool(((x == 0) | (x == 1)).all()) or bool(((x == -1) | (x == 1)).all()):
        return []
    return [
        Problem(
            "network",
            "Hopfield",
            "takes patterns of 0 and 1, or of -1 and 1",
            "preprocess = (Binarise(),)",
        )
    ]


def width_of(output: tuple[int, ...], samples: Samples) -> int:
    """How many numbers each answer has: the first axis of (outputs, steps), where each step has a
    target."""
    if not output:
        return 1
    return output[0] if samples.task == CLASSIFICATION and samples.train.y.dim() > 1 else output[-1]


def _fits(width: int, samples: Samples, recipe: Recipe) -> bool:
    if isinstance(recipe.loss, CrossEntropy):
        return width >= samples.outputs
    return width == samples.outputs


def _output_fits_loss(recipe: Recipe, samples: Samples, few: Samples) -> list[Problem]:
    output = getattr(recipe.network, "output", Identity())
    if recipe.loss.takes != "logits" or isinstance(output, Identity):
        return []
    name, loss = type(output).__name__, type(recipe.loss).__name__
    twice = "softmax" if isinstance(recipe.loss, CrossEntropy) else "sigmoid"
    reason = f"before {loss}, which takes logits and applies the {twice} itself"
    return [Problem("network.output", name, reason, "Identity()", WILL_LEARN_BADLY)]


def _loss_fits_classes(recipe: Recipe, samples: Samples, few: Samples) -> list[Problem]:
    if samples.task != CLASSIFICATION or isinstance(
        recipe.loss, CrossEntropy | BinaryCrossEntropy | Hinge | NegativePhase
    ):
        return []
    reason = "on classes: its gradient fades where an answer is very wrong"
    softened = isinstance(getattr(recipe.network, "output", None), Softmax)
    return [
        Problem(
            "loss",
            type(recipe.loss).__name__,
            reason,
            "CrossEntropy()" + (" and network.output = Identity()" if softened else ""),
            WILL_LEARN_BADLY,
        )
    ]


def _inputs_in_range(recipe: Recipe, samples: Samples, few: Samples) -> list[Problem]:
    if recipe.network.is_energy_model or recipe.network.is_memory:
        return []  # their units say what inputs they take
    x = few.train.x
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


def _classes_are_there(recipe: Recipe, samples: Samples, few: Samples) -> list[Problem]:
    if samples.task != CLASSIFICATION or samples.train.y.dim() > 1:
        return []  # of an alphabet not every sign has to be answered
    counts = torch.bincount(samples.train.y.flatten(), minlength=samples.outputs)
    absent = [samples.classes[i] for i in torch.nonzero(counts == 0).flatten().tolist()]
    if not absent:
        return []
    return [
        Problem(
            "data",
            ", ".join(absent[:5]),
            "no training sample is of these classes: they cannot be learned",
            grade=WILL_LEARN_BADLY,
        )
    ]


def _weights_fit(recipe: Recipe, samples: Samples, few: Samples) -> list[Problem]:
    """Samples that count unequally need a loss of each sample, and stay the samples that they
    are."""
    if samples.train.weight is None:
        return []
    problems = []
    if float(samples.train.weight.sum()) <= 0:
        problems.append(Problem("data.weights", "0 in all", "leave no training sample that counts"))
    if recipe.network.computes_loss or recipe.network.is_memory or recipe.network.is_energy_model:
        problems.append(
            Problem(
                "data.weights",
                "",
                f"are for a loss of each sample, and {type(recipe.network).__name__} gives a loss of its own",
            )
        )
    if any(change.enlarges for change in recipe.augment):
        problems.append(
            Problem(
                "data.weights",
                "",
                "are of the samples there are, and an augmentation adds new ones once: take one that changes each batch",
            )
        )
    return problems


# Each check gets the recipe, its samples as they are loaded, and some of them preprocessed.
CHECKS: tuple[Callable[[Recipe, Samples, Samples], list[Problem]], ...] = (
    _loss_fits_task,
    _weights_fit,
    _machine_fits,
    _targets_fit_loss,
    _parts_are_there,
    _shapes_fit,
    _output_fits_loss,
    _loss_fits_classes,
    _inputs_in_range,
    _classes_are_there,
)
