"""Training on data that arrive in pieces, each from where the piece before ended."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from netwise.data.in_memory import Arrays
from netwise.recipe.prepared import prepare
from netwise.recipe.recipe import Recipe
from netwise.training.fit import initialize
from netwise.training.input_pipeline import InputPipeline
from netwise.training.loop import run_training
from netwise.training.progress import Silent
from netwise.training.run import Run
from netwise.training.run_setup import set_up
from netwise.training.run_state import state_at_start
from netwise.training.settings import RunOptions
from netwise.training.snapshots import load_optimizer, module_tensors, optimizer_tensors


@dataclass(frozen=True, eq=False)
class CarriedState:
    """What a run leaves for the run on the next piece.

    Args:
        model: weights and buffers by name.
        optimizer: its memory, as `optimizer_tensors` gives it.
        pipeline: how inputs are prepared.
    """

    model: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    pipeline: InputPipeline


def fit_piece(
    recipe: Recipe, before: CarriedState | None = None, *, device: str = "cpu"
) -> tuple[Run, CarriedState]:
    """Train on one piece of the data, from the state in which the piece before left the network.

    Inputs are prepared, and targets scaled, as on the first piece.

    Args:
        recipe: what to train on this piece; its data are arrays.
        before: what the run before left; None for the first piece.
        device: of torch.

    Returns:
        The run, and what it leaves.
    """
    options = RunOptions(device, watch_every=0, test=False)
    if before is None:
        setup = set_up(recipe, prepare(recipe), options, initialize)
        state = state_at_start(setup)
    else:
        piece = recipe.but(data=_prepared_alike(recipe, before.pipeline), preprocess=())
        setup = set_up(piece, prepare(piece), options, None)
        setup = replace(setup, pipeline=before.pipeline)
        state = state_at_start(setup)
        setup.module.load_state_dict(before.model)
        load_optimizer(state.optimizer, before.optimizer)
    run = run_training(setup, state, folder=None, checkpoint=None, progress=Silent())
    carried = CarriedState(
        module_tensors(setup.module), optimizer_tensors(state.optimizer), setup.pipeline
    )
    return replace(run, recipe=recipe), carried


def _prepared_alike(recipe: Recipe, pipeline: InputPipeline) -> Arrays:
    """The recipe's arrays, prepared as the first piece was: nothing is fitted to them."""
    piece = recipe.data
    assert isinstance(piece, Arrays)
    x = pipeline.prepared(piece.X, recipe.preprocess)
    y = piece.y
    if not piece.classes:
        y = ((y - pipeline.target_mean) / pipeline.target_scale).float()
    return piece.but(X=x, y=y, scale_target=False)
