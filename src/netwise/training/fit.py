"""`fit` and `resume`: a recipe in, a run out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

from torch import Tensor, nn

from netwise.data.content import FileKey, files_key
from netwise.data.dataset import Data
from netwise.errors import RunFolderError, WrongValue
from netwise.history import DIVERGED, FINISHED, STOPPED_EARLY
from netwise.networks import Network
from netwise.recipe.checks import hindrances
from netwise.recipe.prepared import Prepared, prepare
from netwise.recipe.recipe import Recipe
from netwise.schema import typed
from netwise.storage.layout import ABOUT, RECIPE
from netwise.storage.run_folder import RunFolder
from netwise.training.initial_weights import initialize_weights
from netwise.training.interrupt import uninterrupted
from netwise.training.loop import Halt, run_training
from netwise.training.memorize import store_patterns
from netwise.training.progress import Progress, Silent
from netwise.training.run import (
    Run,
    require_no_foreign_code,
    with_custom_network,
    with_data_in_python,
)
from netwise.training.run_recorder import values_at_start
from netwise.training.run_setup import set_up
from netwise.training.run_state import state_at_start
from netwise.training.run_trials import RunTrials
from netwise.training.settings import RunOptions
from netwise.training.snapshots import module_tensors
from netwise.training.speedups import recorded_speedups
from netwise.training.stop_on_finding import StopOnFinding


def fit(
    recipe: Recipe,
    *,
    folder: str | Path | None = None,
    device: str = "cpu",
    threads: int | None = None,
    watch_every: int | None = None,
    checkpoint_every: int = 0,
    test: bool = True,
    precision: str | None = None,
    speedups: Collection[str] | None = None,
    progress: Progress | None = None,
    halt: Halt | None = None,
    stop_on: Collection[str] = (),
    prepared: Prepared | None = None,
) -> Run:
    """Train a recipe. Equal recipes on equal machines and versions give equal numbers.

    Ctrl-C and SIGTERM end the run after the current step, as "interrupted". Everything is kept,
    and `resume` continues the run.

    Args:
        recipe: what to train.
        folder: where to write the run; a new or empty folder. Default: nothing is written.
        device: of torch. Default "cpu".
        threads: for each step. Default: one for small networks, by the work of a step; for large
            ones as many as there are free cores. The number is recorded and kept by `resume`; it
            may change the last bits of large matrix products, so give it where runs on a busy
            machine must have equal bits.
        watch_every: record the signals of layers on one of so many steps; 0: on none. Default: on
            about 60 steps of the run, which costs a few per cent of its time.
        checkpoint_every: write a checkpoint after so many steps, besides those at the ends of
            epochs. Default 0: none.
        test: score the test part, once, at the end. Default true.
        precision: of the steps; weights, losses and scores are float32 in any case. "bfloat16":
            layers compute in bfloat16 (autocast), 2 to 4 times as fast on GPUs that have it, with
            8 bits of mantissa. "tf32": a CUDA device rounds the inputs of matrix products to 10
            bits. "float32": it rounds nothing. Default: as torch is set, which rounds to 10 bits in
            the convolutions of a CUDA device only.
        speedups: what makes steps faster than plain torch, by name: "channels_last",
            "channels_last_weights", "sliced_pooling", "fused_update", "gathered_batches",
            "late_checks", "captured_steps". `()`: plain torch. Default: those that a fixed rule of
            the network and the processor chooses, which are recorded with the run.
        progress: a display. Default: none.
        halt: called after each epoch with (epochs done, signals of the epoch). It returns a reason
            to interrupt the run, or None. Default: none.
        stop_on: grades of findings that end the run after an epoch, as "interrupted":
            `("cause",)` for causes and what is proved. The weights and the history are kept.
            Default: none.
        prepared: the recipe's data, where they are prepared already. Default: they are loaded.

    Raises:
        WrongValue: the recipe cannot run; all reasons at once, before training.
        DataMissing, DataError: the data cannot be loaded.
        RunFolderError: the folder is not empty.
        ValueError: `stop_on` holds another word than a grade.

    Example:
        >>> import netwise as nw
        >>> run = nw.fit(nw.suggest(nw.data.digits(), epochs=5))
        >>> run.history.ended.sentence, run.score.value > 0.9
        ('All 5 epochs done.', True)
    """
    prepared = prepare(recipe) if prepared is None else prepared
    chosen = None if speedups is None else tuple(speedups)
    options = RunOptions(device, threads, watch_every, checkpoint_every, test, precision, chosen)
    problems = [*hindrances(recipe, prepared=prepared), *options.problems(recipe.network)]
    if problems:
        raise WrongValue("recipe", problems)
    train = partial(
        train_prepared,
        recipe,
        prepared,
        options,
        progress=progress,
        halt=halt,
        stop_on=StopOnFinding(stop_on),
    )
    if folder is None:
        return train()
    store, held = RunFolder.create(Path(folder), recipe, values_at_start(prepared, options))
    with held:
        return train(store)


def train_prepared(
    recipe: Recipe,
    prepared: Prepared,
    options: RunOptions,
    folder: RunFolder | None = None,
    *,
    progress: Progress | None = None,
    halt: Halt | None = None,
    stop_on: StopOnFinding | None = None,
) -> Run:
    """`fit` without its checks, on data that are prepared, in a folder that the caller has
    locked."""
    if recipe.network.is_memory:
        return store_patterns(recipe, prepared, folder)
    setup = set_up(recipe, prepared, options, initialize)
    run = run_training(
        setup,
        state_at_start(setup),
        folder=folder,
        checkpoint=None,
        progress=progress or Silent(),
        halt=halt,
        stop_on=stop_on,
    )
    return with_trials(run)


def with_trials(run: Run) -> Run:
    """The run with what `diagnose(run, trials=True)` needs."""
    return replace(run, trial_source=RunTrials(run.recipe, run.module, trained_tensors))


def initialize(module: nn.Module, recipe: Recipe, x: Tensor, y: Tensor) -> None:
    """Give a new module the weights that its recipe starts from. Where these come from a recipe,
    that is trained, once."""
    initialize_weights(module, recipe, x, y, trained_tensors)


def trained_tensors(recipe: Recipe) -> dict[str, Tensor]:
    """Weights and buffers of the module that a recipe trains; kept for the next call with an equal
    recipe and equal files of its data.

    Raises:
        RunFolderError: the run diverged.
        KeyboardInterrupt, Terminated: it was interrupted.
    """
    return _train_once(recipe, files_key(recipe.data.files()))


@lru_cache(maxsize=4)
def _train_once(recipe: Recipe, content: tuple[FileKey, ...]) -> dict[str, Tensor]:
    run = uninterrupted(fit(recipe, test=False))
    ended = run.history.ended
    if ended.how == DIVERGED:
        raise RunFolderError(
            f"init = From(...): the recipe whose weights are taken diverged ({ended.sentence}). "
            "Lower the learning rate of that recipe, or write init = He()."
        )
    return module_tensors(run.module)


def resume(
    folder: str | Path,
    *,
    network: Network | None = None,
    data: Data | None = None,
    progress: Progress | None = None,
    halt: Halt | None = None,
    stop_on: Collection[str] = (),
    prepared: Prepared | None = None,
) -> Run:
    """Continue a run that was interrupted or killed. Its numbers are those of a run without the
    interruption.

    Args:
        folder: of the run.
        network: for a network of your own: the same `CustomNetwork(build)` again, since loading
            imports no code.
        data: for data from an object in Python, such as `data.stream(dataset)`: the same again,
            since a file only has the name of its class.
        progress: a display. Default: none.
        halt, stop_on, prepared: as in `fit`.

    Raises:
        RunFolderError: `folder` is no run folder, the run has ended, or its data or its recipe have
            changed.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp()) / "run"
        >>> _ = nw.fit(nw.suggest(nw.data.iris(), epochs=2), folder=folder)
        >>> nw.resume(folder)
        Traceback (most recent call last):
        ...
        netwise.errors.RunFolderError: ... has ended (finished): there is nothing left to do. ...
    """
    store = RunFolder.open(folder)
    with store.locked():
        recipe = with_custom_network(store.recipe(), network, store.path)
        recipe = with_data_in_python(recipe, data, store.path)
        about = store.about() if store.has_begun() else None
        if about is not None:
            _require_resumable(store.path, str(about["ended"]["how"]))
        checkpoint = store.latest_checkpoint()
        if checkpoint is None:
            require_no_foreign_code(recipe, store.path)
        prepared = prepare(recipe) if prepared is None else prepared
        if about is None:
            store.write_about(values_at_start(prepared, RunOptions()))
            about = store.about()
        fingerprint = prepared.samples.fingerprint
        if fingerprint != about["fingerprint"]:
            raise RunFolderError(
                f"{store.path}: the data have changed since the run began: their fingerprint is "
                f"{fingerprint}, and was {about['fingerprint']}. Put the old data back, or train "
                f"on the new ones: netwise train {store.path / RECIPE}"
            )
        if recipe.network.is_memory:
            return store_patterns(recipe, prepared, store)
        with store.checked(ABOUT):
            options: RunOptions = typed(RunOptions, recorded_speedups(about.get("how")), "how")
        if problems := options.problems(recipe.network):
            raise WrongValue(f"{store.path / ABOUT}, how", problems)
        setup = set_up(recipe, prepared, options, initialize if checkpoint is None else None)
        return run_training(
            setup,
            state_at_start(setup, float(about["made_by"]["seconds"])),
            folder=store,
            checkpoint=checkpoint,
            progress=progress or Silent(),
            halt=halt,
            stop_on=StopOnFinding(stop_on),
        )


def _require_resumable(path: Path, how: str) -> None:
    """Raise where a run has ended for good."""
    if how == DIVERGED:
        raise RunFolderError(
            f"{path} has ended ({how}): the same recipe would diverge again. Find the cause: "
            f"netwise diagnose {path}"
        )
    if how in (FINISHED, STOPPED_EARLY):
        raise RunFolderError(
            f"{path} has ended ({how}): there is nothing left to do. Look at it: "
            f"netwise show {path}"
        )
