"""What short trials of a run of `fit` are made on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from netwise.history import History
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.observe.kept_batches import KeptBatch
from netwise.observe.kept_states import LARGE_LIMIT, kept_optimizer, kept_state
from netwise.recipe.prepared import prepare
from netwise.recipe.recipe import Recipe
from netwise.training.initial_weights import Train, initialize_weights
from netwise.training.run_setup import set_up
from netwise.training.settings import RunOptions
from netwise.trials.bench import Bench
from netwise.trials.program_bench import FEWEST_BATCHES, LEAST_SECONDS, LEAST_STEPS
from netwise.trials.rebuilt_loss import BITS, CLASSES, LOGITS, NUMBERS, RebuiltLoss
from netwise.trials.trying import NotPossible

MOST_BATCHES = 40  # of training, to train on and to measure
MOST_HELD = 1000  # samples of the validation part


def bench_of_run(
    recipe: Recipe, module: nn.Module, train: Train, history: History, limit: float
) -> Bench:
    """The start and the end of a run with batches of its data.

    Args:
        recipe, module, train: as in `RunTrials`.
        history: of the run.
        limit: of the trials, as a share of the run.

    Raises:
        NotPossible: the network computes its own loss, or the data are too few.
    """
    if recipe.network.is_memory or isinstance(module, UnsupervisedModule):
        raise NotPossible("the network computes its own loss. Use nw.treat(recipe)")

    def initialize(module: nn.Module, recipe: Recipe, x: Tensor, y: Tensor) -> None:
        initialize_weights(module, recipe, x, y, train)

    setup = set_up(recipe, prepare(recipe), RunOptions(test=False), initialize)
    batches = _batches(setup.train.x, setup.train.y, recipe.batch_size, recipe.seed)
    if len(batches) < FEWEST_BATCHES or not len(setup.valid):
        raise NotPossible("the data are too few for batches of training and of validation")
    held = KeptBatch((setup.valid.x[:MOST_HELD],), {}, setup.valid.y[:MOST_HELD])
    optimizer = recipe.optimizer.build([p for group in setup.groups for p in group.params])
    return Bench(
        setup.module,
        kept_state(setup.module, LARGE_LIMIT),
        kept_state(module, LARGE_LIMIT),
        [kept_optimizer(optimizer)],
        1.0,
        {id(p): name for name, p in setup.module.named_parameters()},
        batches,
        (held,),
        _loss(recipe, setup.train.y),
        max(LEAST_STEPS, int(limit * history.ended.step)),
        max(LEAST_SECONDS, limit * history.made_by.seconds),
        is_random=bool(history.facts.dropout),
        penalised=recipe.penalty is not None,
    )


def _batches(x: Tensor, y: Tensor, size: int, seed: int) -> tuple[KeptBatch, ...]:
    """Batches drawn at random from the training part."""
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    chosen = [rows for rows in order.split(size) if len(rows) > 1][:MOST_BATCHES]
    return tuple(KeptBatch((x[rows],), {}, y[rows], rows=len(rows)) for rows in chosen)


def _loss(recipe: Recipe, y: Tensor) -> RebuiltLoss:
    kind = NUMBERS
    if not y.is_floating_point():
        kind = CLASSES
    elif bool(((y == 0) | (y == 1)).all()):
        kind = BITS
    is_logits = recipe.loss.output_activation == "Softmax"
    name = LOGITS if is_logits and kind == CLASSES else type(recipe.loss).__name__
    return RebuiltLoss(name, recipe.loss.build(), kind=kind)
