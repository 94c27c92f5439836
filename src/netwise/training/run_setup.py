"""What is fixed during a run: recipe, settings, data, module and the parameters that train."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from netwise import random_streams
from netwise.data.dataset import Pairs, Samples
from netwise.errors import WrongValue
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.observe.anatomy import anatomy_of
from netwise.parts.finetuning import layer_by_name
from netwise.recipe.checks import width_of
from netwise.recipe.prepared import Prepared
from netwise.recipe.recipe import Recipe
from netwise.storage.checkpoints import Checkpoint
from netwise.tasks import task_named
from netwise.training.chosen_metric import MetricOfOutputs, chosen_metric
from netwise.training.input_pipeline import InputPipeline
from netwise.training.ranks.demands import require_rows_to_normalise
from netwise.training.ranks.ranks import ALONE, Ranks
from netwise.training.ranks.sharding import shard
from netwise.training.run import set_module_loss
from netwise.training.settings import RunOptions, RunSettings, resolve
from netwise.training.snapshots import module_tensors
from netwise.training.speedups import LAST_IN_WEIGHTS, use_layout

# Gives a new module its first weights: called with module, recipe, training inputs and targets.
Initialize = Callable[[nn.Module, Recipe, Tensor, Tensor], None]


@dataclass(frozen=True, eq=False)
class ParameterGroup:
    """Parameters with one learning rate.

    Args:
        params: that train in at least one epoch.
        factor: on the learning rate of the recipe.
    """

    params: list[Tensor]
    factor: float = 1.0


@dataclass(frozen=True, eq=False)
class Setup:
    """What stays the same from the first step of a run to its last. Only the values of the
    module's weights and buffers change.

    Args:
        recipe: what is trained.
        settings: how it is computed.
        samples: the prepared data, on the CPU.
        pipeline: from raw inputs to those of the module.
        device: that computes.
        module: the network.
        train, valid, test: the parts on `device`; `train` with the samples that augmentations add.
        steps_per_epoch: batches of one epoch.
        layer_factors: factor on the rate of each layer, 0 for a frozen one; empty without
            fine-tuning.
        groups: the parameters that train, by their learning rate.
        metric: that the run is judged by; None: accuracy or R².
        ranks: the processes that train it.
    """

    recipe: Recipe
    settings: RunSettings
    samples: Samples
    pipeline: InputPipeline
    device: torch.device
    module: nn.Module
    train: Pairs
    valid: Pairs
    test: Pairs
    steps_per_epoch: int
    layer_factors: Mapping[str, float]
    groups: tuple[ParameterGroup, ...]
    metric: MetricOfOutputs | None = None
    ranks: Ranks = ALONE

    @property
    def sharded(self) -> bool:
        """Whether this process has a part of the weights only."""
        return self.settings.shard and not self.ranks.alone

    @property
    def unsupervised(self) -> UnsupervisedModule | None:
        """The module, where it computes its own loss."""
        return self.module if isinstance(self.module, UnsupervisedModule) else None

    @property
    def stack(self) -> UnsupervisedModule | None:
        """The module, where its layers train one after the other."""
        module = self.unsupervised
        return module if module is not None and module.stages > 1 else None


def set_up(
    recipe: Recipe,
    prepared: Prepared,
    options: RunOptions,
    initialize: Initialize | None,
    *,
    ranks: Ranks = ALONE,
    checkpoint: Checkpoint | None = None,
) -> Setup:
    """Build the module and everything else that a run needs.

    Args:
        recipe: what to train.
        prepared: its data.
        options: how to compute it.
        initialize: gives the module its first weights; None where they come from a checkpoint.
        ranks: the processes that train it.
        checkpoint: where the weights come from.

    Raises:
        WrongValue: the network does not fit the data, or has nothing to train.
    """
    samples = prepared.samples.unmarked()
    device = ranks.device(options.device)
    with random_streams.global_seed(recipe.seed, random_streams.INIT):
        module = recipe.network.build()
    set_module_loss(module, recipe)
    train = _enlarged(recipe, samples.train)
    if initialize is not None:
        initialize(module, recipe, train.x, train.y)
    if recipe.network.own_code:
        _require_enough_outputs(module, samples)
    if not options.sync_batch_norm:
        require_rows_to_normalise(module, len(train), recipe.batch_size, ranks)
    per_epoch = _steps_per_epoch(len(train), recipe.batch_size, samples.in_order)
    batch_size = min(recipe.batch_size, len(train))
    settings = resolve(options, recipe, module, samples, batch_size, per_epoch * recipe.epochs)
    if settings.shard and not ranks.alone:  # layers have no whole weights to look at or lay out
        speedups = tuple(name for name in settings.speedups if name != LAST_IN_WEIGHTS)
        settings = replace(settings, watch_every=0, speedups=speedups)
    _place(module, settings, device, ranks, checkpoint)
    metric = chosen_metric(recipe, samples)
    factors = {} if recipe.tuning is None else recipe.tuning.factors(module)
    return Setup(
        recipe=recipe,
        settings=settings,
        samples=samples,
        pipeline=InputPipeline.of(samples, prepared.fitted),
        device=device,
        module=module,
        train=train.to(device),
        valid=samples.valid.to(device),
        test=samples.test.to(device),
        steps_per_epoch=per_epoch,
        layer_factors=factors,
        groups=_parameter_groups(recipe, module, factors),
        metric=None if metric is None else MetricOfOutputs(metric, recipe.loss, samples),
        ranks=ranks,
    )


def _place(
    module: nn.Module,
    settings: RunSettings,
    device: torch.device,
    ranks: Ranks,
    checkpoint: Checkpoint | None,
) -> None:
    """Put the weights where they train, in their layout. Those of several processes are equal."""
    shards = settings.shard and not ranks.alone
    if not shards:  # which may be more than fits on the device
        module.to(device)
    use_layout(module, settings.speedups)
    ranks.use_tensors_of_first(list(module_tensors(module).values()))
    if shards:
        if checkpoint is not None:
            module.load_state_dict(checkpoint.tensors["model"])
        shard(module, device, ranks)


def _enlarged(recipe: Recipe, train: Pairs) -> Pairs:
    """The training part with the samples that augmentations add once."""
    for number, change in enumerate(recipe.augment):
        if change.enlarges:
            g = random_streams.generator(recipe.seed, random_streams.ENLARGE, step=number)
            train = Pairs(*change.enlarge(train.x, train.y, g))
    return train


def _steps_per_epoch(rows: int, batch_size: int, in_order: bool) -> int:
    """Batches of an epoch, as `Stepper.batches` makes them."""
    if in_order:
        return rows // min(batch_size, rows)
    steps, rest = divmod(rows, batch_size)
    joins_previous = rest == 1 and steps > 0 and batch_size > 1
    return steps + (1 if rest and not joins_previous else 0)


def _parameter_groups(
    recipe: Recipe, module: nn.Module, factors: Mapping[str, float]
) -> tuple[ParameterGroup, ...]:
    """The parameters that train in at least one epoch. Frozen ones require no gradient any more."""
    if recipe.tuning is None:
        groups = [ParameterGroup([p for p in module.parameters() if p.requires_grad])]
    else:
        by_factor: dict[float, list[Tensor]] = {}
        for name, factor in factors.items():
            own = list(layer_by_name(module, name).parameters(recurse=False))
            if factor == 0:
                for parameter in own:
                    parameter.requires_grad_(False)
            else:
                by_factor.setdefault(factor, []).extend(p for p in own if p.requires_grad)
        groups = [ParameterGroup(params, factor) for factor, params in by_factor.items()]
    if not any(group.params for group in groups):
        name = type(recipe.network).__name__
        reason = "has no weights that can be trained"
        raise WrongValue.of("recipe", "network", name, reason, "MLP((64, 30, 10))")
    return tuple(groups)


def _require_enough_outputs(module: nn.Module, samples: Samples) -> None:
    """Check a network of the user's own, which no check before training builds."""
    anatomy = anatomy_of(module, samples.shape, samples.train.x[:2])
    width = width_of(anatomy.output, samples)
    if task_named(samples.task).has_classes and width < samples.outputs:
        reason = f"gives {width} outputs, and the data have {samples.outputs} classes"
        instead = f"a last layer of {samples.outputs} outputs"
        raise WrongValue.of("recipe", "network", "CustomNetwork", reason, instead)
