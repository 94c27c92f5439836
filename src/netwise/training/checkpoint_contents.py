"""What is saved of a run: all that the next step needs, and nothing that the recipe gives."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

import torch

from netwise.errors import RunFolderError
from netwise.observe.hooked_probe import HookedProbe
from netwise.observe.step_wiring import StepWiring
from netwise.random_streams import FORWARD, seed_of
from netwise.schema import Count, SchemaError, typed
from netwise.storage.checkpoints import Checkpoint
from netwise.training.ranks.random_states import own_random_states, random_states
from netwise.training.ranks.sharding import shared_out, whole
from netwise.training.run_setup import Setup
from netwise.training.run_state import RunState, switch_optimizer
from netwise.training.snapshots import (
    load_module,
    load_optimizer,
    module_tensors,
    optimizer_tensors,
    rng_state,
    set_rng_state,
)


def checkpoint_of(
    setup: Setup,
    state: RunState,
    probe: HookedProbe,
    wiring: StepWiring | None = None,
    rows_sha256: str | None = None,
) -> Checkpoint:
    """The checkpoint of the present state. Its keys are those of files: they never change.

    Args:
        setup, state, probe, wiring: of the run.
        rows_sha256: of the rows in the folder, all of which are written.
    """
    tensors = {
        "model": whole(module_tensors(setup.module)),
        "optimizer": whole(optimizer_tensors(state.optimizer)),
        "random": random_states(setup.ranks, rng_state(setup.device)),
    }
    if state.best is not None:
        tensors["best"] = whole(state.best[1])
    if state.average.tensors:
        tensors["average"] = state.average.tensors
    if samples := probe.tensors():
        tensors["probe"] = samples
    values = {
        "epoch": state.epoch,
        "batch": state.batch,
        "step": state.step,
        "rows": len(state.rows),
        "rows_sha256": rows_sha256,
        "losses": state.losses,
        "right": state.correct,
        "schedule": state.schedule,
        "factor": state.rate_factor,
        "stopping": state.stopping,
        "switch": state.switch,
        "averaged": state.average.count,
        "last_loss": state.last_loss,
        "best": None if state.best is None else state.best[0],
        "probe": probe.state_dict(),
        "seconds": state.seconds,
        "wiring": None if wiring is None else wiring.state_dict(),
    }
    return Checkpoint(tensors, values)


class SavedValues(TypedDict):
    """The plain values of a checkpoint, as they are in its file."""

    epoch: Count
    batch: Count
    step: Count
    losses: list[float]
    right: Count
    schedule: dict[str, float]
    factor: float
    stopping: dict[str, float]
    switch: dict[str, float]
    averaged: Count
    last_loss: float | None
    best: float | None
    probe: dict[str, Any]
    seconds: float
    wiring: NotRequired[dict[str, Any] | None]  # older checkpoints have none


def restore_checkpoint(
    setup: Setup,
    state: RunState,
    probe: HookedProbe,
    saved: Checkpoint,
    wiring: StepWiring | None = None,
) -> None:
    """Put back what `checkpoint_of` saved; the rows of the history come from the run folder.

    Raises:
        RunFolderError: it holds values that `checkpoint_of` never writes.
    """
    try:
        typed(SavedValues, saved.state)
        _restore(setup, state, probe, saved, wiring)
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as e:
        reason = (str(e).strip().splitlines() or [type(e).__name__])[0]
        name = saved.path or f"checkpoints/step-{saved.state.get('step')!s:0>9}"
        raise RunFolderError(
            f"{name} holds a value that netwise has not written ({reason}). Delete this folder to "
            "resume from the checkpoint before"
        ) from e


def _restore(
    setup: Setup, state: RunState, probe: HookedProbe, saved: Checkpoint, wiring: StepWiring | None
) -> None:
    values, tensors = saved.state, saved.tensors
    for name, at_start in (("schedule", state.schedule), ("stopping", state.stopping)):
        if missing := at_start.keys() - values[name].keys():
            raise SchemaError(f"{name}.{min(missing)}", "is missing")
    load_module(setup.module, tensors["model"])
    state.switch = values["switch"]
    average = {k: v.to(setup.device) for k, v in tensors.get("average", {}).items()}
    state.average.load(average, values["averaged"])
    switch_optimizer(setup, state)
    load_optimizer(state.optimizer, tensors["optimizer"])
    random = own_random_states(setup.ranks, tensors["random"])
    if random:
        set_rng_state(random, setup.device)
    else:  # this process was none of those that wrote it
        stream = setup.ranks.stream(f"{FORWARD}/{values['step']}")
        torch.manual_seed(seed_of(setup.recipe.seed, stream, values["epoch"]))
    state.epoch, state.batch, state.step = values["epoch"], values["batch"], values["step"]
    state.losses, state.correct = values["losses"], values["right"]
    state.schedule, state.stopping = values["schedule"], values["stopping"]
    state.rate_factor, state.last_loss = values["factor"], values["last_loss"]
    state.seconds = values["seconds"]
    if values["best"] is not None:
        live = module_tensors(setup.module)
        best = {k: shared_out(v.to(setup.device), live[k]) for k, v in tensors["best"].items()}
        state.best = (values["best"], best)
    probe.load_state_dict(values["probe"], tensors.get("probe"))
    if wiring is not None and values.get("wiring") is not None:  # older checkpoints have none
        wiring.load_state_dict(values["wiring"])
