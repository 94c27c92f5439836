"""Checks of a recipe before training: do its fields agree with each other and with the data?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from netwise.data import Samples
from netwise.errors import CANNOT_RUN, WILL_LEARN_BADLY, Problem, ShapeError
from netwise.networks import Network
from netwise.networks.network import described_targets, takes_outputs
from netwise.observe.anatomy import anatomy_of
from netwise.parts.activations import Identity, Softmax
from netwise.recipe.memory_check import memory_problem
from netwise.recipe.prepared import Prepared, excerpt, preprocessed
from netwise.recipe.recipe import Recipe
from netwise.recipe.user_code import foreign_code_problems
from netwise.scoring.metrics import metric_named
from netwise.tasks import REGRESSION, task_named


@dataclass(frozen=True, eq=False)
class Checked:
    """A recipe under check, with its data.

    Args:
        recipe: what is checked.
        samples: as loaded, with the targets that the network learns.
        preview: at most 1000 training samples after the recipe's preprocessing.
    """

    recipe: Recipe
    samples: Samples
    preview: Samples


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
        ['network.widths = [64, 30, 7]  ends in 7 outputs, and the data have 10 classes. \
Write [64, 30, 10].']
    """
    network = recipe.network
    loaded = recipe.data.load() if prepared is None else prepared.loaded
    samples = network.with_targets(loaded)
    preview = (
        network.with_targets(preprocessed(recipe, excerpt(samples))[0])
        if prepared is None
        else excerpt(prepared.samples)
    )
    too_large = memory_problem(recipe, preview)
    if too_large is not None:
        return [too_large]  # the other checks build the module
    checked = Checked(recipe, samples, preview)
    problems = [problem for rule in CHECKS for problem in rule(checked)]
    return sorted(problems, key=lambda problem: problem.grade != CANNOT_RUN)


def hindrances(recipe: Recipe, *, prepared: Prepared | None = None) -> list[Problem]:
    """The problems that keep a recipe from running at all."""
    problems = check(recipe, prepared=prepared)
    fatal = [problem for problem in problems if problem.grade == CANNOT_RUN]
    return fatal + foreign_code_problems(recipe)


def _loss_fits_task(checked: Checked) -> list[Problem]:
    network, loss, task = checked.recipe.network, checked.recipe.loss, checked.samples.task
    if network.is_memory:
        return []  # it learns by no loss
    kind = type(loss).__name__
    if network.is_energy_model != loss.is_negative_phase:
        name = type(network).__name__
        if loss.is_negative_phase:
            reason = f"is a phase, by which energy models such as RBM learn, and {name} is none"
            return [Problem("loss", kind, reason, "CrossEntropy()")]
        return [Problem("loss", kind, f"is no phase, and {name} learns by one", "PCD()")]
    if task in loss.tasks or (task_named(task).inputs_are_targets and REGRESSION in loss.tasks):
        return []
    instead = "CrossEntropy()" if task_named(task).has_classes else "MeanSquaredError()"
    reason = f"is for {' or '.join(loss.tasks)}, and the data are for {task}"
    return [Problem("loss", kind, reason, instead)]


def _metric_fits(checked: Checked) -> list[Problem]:
    """The metric is one of the task, and the network's outputs have what it needs."""
    recipe, task = checked.recipe, task_named(checked.samples.task)
    if recipe.metric is None:
        return []
    metric = metric_named(recipe.metric)
    if not (task.has_classes or task.has_values):
        reason = f"is a metric of targets, and the data are for {checked.samples.task}: delete it"
        return [Problem("metric", recipe.metric, reason)]
    if metric.has_classes != task.has_classes:
        kind = ("classes", "numbers") if metric.has_classes else ("numbers", "classes")
        reason = f"is for targets that are {kind[0]}, and these are {kind[1]}"
        instead = '"balanced_accuracy"' if task.has_classes else '"r2"'
        return [Problem("metric", recipe.metric, reason, instead)]
    if metric.needs_probability and recipe.loss.takes != "logits":
        reason = f"needs probabilities, and a network under {type(recipe.loss).__name__} gives none"
        return [Problem("metric", recipe.metric, reason, '"accuracy", or loss = CrossEntropy()')]
    return []


def _sample_weights_fit(checked: Checked) -> list[Problem]:
    """Sample weights need a loss per sample, and no added samples."""
    weight, network = checked.samples.train.weight, checked.recipe.network
    if weight is None:
        return []
    problems = []
    if float(weight.sum()) <= 0:
        reason = "give every training sample the weight 0"
        problems.append(Problem("data.weights", "0 in all", reason, "some weights above 0"))
    if network.computes_loss or network.is_memory or network.is_energy_model:
        name = type(network).__name__
        reason = f"need a loss per sample, and {name} computes its own loss: delete them"
        problems.append(Problem("data.weights", "", reason))
    if any(change.enlarges for change in checked.recipe.augment):
        reason = (
            "have no values for the samples that an augmentation adds:"
            " use augmentations that change each batch"
        )
        problems.append(Problem("data.weights", "", reason))
    return problems


def _targets_fit_loss(checked: Checked) -> list[Problem]:
    recipe, samples, limits = checked.recipe, checked.samples, checked.recipe.loss.target_range
    task = task_named(samples.task)
    if limits is None or task.has_classes:
        return []
    y = checked.preview.train.y if task.inputs_are_targets else samples.train.y
    low, high = float(y.min()), float(y.max())
    if low >= limits[0] and high <= limits[1]:
        return []
    scaled = getattr(recipe.data, "scale_target", False)
    cause = (
        "which standardises its targets"
        if scaled
        else f"whose targets go from {low:.3g} to {high:.3g}"
    )
    reason = f"is for targets from {limits[0]:g} to {limits[1]:g}, and does not suit data {cause}"
    instead = "data with scale_target = false" if scaled else "MeanSquaredError()"
    return [Problem("loss", type(recipe.loss).__name__, reason, instead)]


def _parts_are_there(checked: Checked) -> list[Problem]:
    recipe, samples = checked.recipe, checked.samples
    if recipe.network.is_memory:
        return []
    problems = []
    unwatched = "watches the validation part, and data.valid is 0"
    if recipe.stopping.keeps_best and not len(samples.valid):
        kind = type(recipe.stopping).__name__
        problems.append(Problem("stopping", kind, unwatched, "Never()"))
    if recipe.schedule.needs_loss and not len(samples.valid):
        kind = type(recipe.schedule).__name__
        problems.append(Problem("schedule", kind, unwatched, "Cosine()"))
    size = str(recipe.batch_size)
    if recipe.batch_size == 1 and _has_batch_norm(recipe.network):
        reason = "gives batch norm one sample, which has no spread"
        problems.append(Problem("batch_size", size, reason, "64"))
    if recipe.optimizer.needs_closure and recipe.batch_size < len(samples.train):
        reason = f"makes {type(recipe.optimizer).__name__} compare the losses of unequal batches"
        rows = str(len(samples.train))
        problems.append(Problem("batch_size", size, reason, rows, WILL_LEARN_BADLY))
    for field in ("weights", "priors"):
        given = getattr(recipe.loss, field, ())
        if given and len(given) != samples.outputs:
            reason = f"is {len(given)} numbers, and the data have {samples.outputs} classes"
            instead = "one number above 0 for each class"
            problems.append(Problem(f"loss.{field}", str(list(given)), reason, instead))
    return problems


def _has_batch_norm(network: Network) -> bool:
    if network.needs_import:
        return False  # checking imports nothing
    with torch.random.fork_rng():
        return any(
            isinstance(layer, torch.nn.modules.batchnorm._BatchNorm)
            for layer in network.build().modules()
        )


def _network_fits(checked: Checked) -> list[Problem]:
    """The problems that the network finds; then two samples are sent through it, if its fields do
    not declare the sizes."""
    recipe = checked.recipe
    network = recipe.network
    if network.needs_import:
        return []  # checking imports nothing; `fit` checks when it has built the module
    samples = checked.preview
    problems = network.problems(samples, recipe.loss)
    if problems or network.declares_shape:
        return problems
    with torch.random.fork_rng():
        module = network.build()
    name = type(network).__name__
    try:
        output = anatomy_of(module, samples.shape, samples.train.x[:2]).output
    except ShapeError as error:
        return [Problem("network", name, str(error))]
    width = width_of(output, samples)
    if not takes_outputs(width, samples, recipe.loss):
        reason = f"gives {width} outputs, and the data have {described_targets(samples)}"
        return [Problem("network", name, reason, str(samples.outputs))]
    steps = tuple(samples.train.y.shape[1:])
    if task_named(samples.task).has_classes and tuple(output[1:]) != steps:
        reason = (
            f"gives answers of shape {output}, and the targets of a sample are"
            f" {steps or 'one class'}"
        )
        return [Problem("network", name, reason, 'answers="each"' if steps else 'answers="last"')]
    return []


def width_of(output: tuple[int, ...], samples: Samples) -> int:
    """Number of outputs: the first axis of (outputs, steps), if each step has a target."""
    if not output:
        return 1
    each_step = task_named(samples.task).has_classes and samples.train.y.dim() > 1
    return output[0] if each_step else output[-1]


def _output_fits_loss(checked: Checked) -> list[Problem]:
    loss = checked.recipe.loss
    output = getattr(checked.recipe.network, "output", Identity())
    if loss.takes != "logits" or isinstance(output, Identity):
        return []
    reason = (
        f"before {type(loss).__name__}, which takes logits and applies the"
        f" {loss.output_activation.lower()} itself"
    )
    name = type(output).__name__
    return [Problem("network.output", name, reason, "Identity()", WILL_LEARN_BADLY)]


def _loss_fits_classes(checked: Checked) -> list[Problem]:
    loss = checked.recipe.loss
    if not task_named(checked.samples.task).has_classes or loss.takes != "values":
        return []
    reason = "on classes: its gradient fades where an answer is very wrong"
    softened = isinstance(getattr(checked.recipe.network, "output", None), Softmax)
    instead = "CrossEntropy()" + (" and network.output = Identity()" if softened else "")
    return [Problem("loss", type(loss).__name__, reason, instead, WILL_LEARN_BADLY)]


def _inputs_in_range(checked: Checked) -> list[Problem]:
    network = checked.recipe.network
    if network.is_energy_model or network.is_memory:
        return []  # the network checks their range
    x = checked.preview.train.x
    if not x.is_floating_point():
        return []  # symbol numbers
    mean, spread = float(x.mean()), float(x.std(unbiased=False))
    by_feature = x.reshape(len(x), -1).std(0, unbiased=False)
    live = by_feature[by_feature > 0]
    uneven = float(live.max() / live.min()) if len(live) and x.dim() == 2 else 1.0
    if spread > 10 or abs(mean) > 3 * spread + 1:
        given = f"mean {mean:.3g}, spread {spread:.3g}"
    elif uneven > 100:
        given = f"features whose spreads differ {uneven:,.0f} times"
    else:
        return []
    reason = (
        "inputs far from mean 0 and spread 1 make steps too large for some weights and too small"
        " for others"
    )
    return [Problem("preprocess", given, reason, "(Standardise(),)", WILL_LEARN_BADLY)]


def _classes_are_there(checked: Checked) -> list[Problem]:
    samples = checked.samples
    if not task_named(samples.task).has_classes or samples.train.y.dim() > 1:
        return []  # of an alphabet not every symbol has to be a target
    counts = torch.bincount(samples.train.y.flatten(), minlength=samples.outputs)
    absent = [samples.classes[i] for i in torch.nonzero(counts == 0).flatten().tolist()]
    if not absent:
        return []
    reason = (
        "no training sample is of these classes: they cannot be learned."
        " Use another split_seed, or delete these classes"
    )
    return [Problem("data", ", ".join(absent[:5]), reason, grade=WILL_LEARN_BADLY)]


CHECKS: tuple[Callable[[Checked], list[Problem]], ...] = (
    _loss_fits_task,
    _metric_fits,
    _sample_weights_fit,
    _targets_fit_loss,
    _parts_are_there,
    _network_fits,
    _output_fits_loss,
    _loss_fits_classes,
    _inputs_in_range,
    _classes_are_there,
)
