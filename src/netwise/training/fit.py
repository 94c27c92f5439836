"""`fit` and `resume`: a recipe in, a run out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from netwise.data.content import FileKey, files_key
from netwise.data.dataset import Data
from netwise.errors import ProcessFailed, RunFolderError, WrongValue
from netwise.history import DIVERGED, FINISHED, STOPPED_EARLY
from netwise.networks import Network
from netwise.recipe.checks import hindrances
from netwise.recipe.prepared import Prepared, prepare
from netwise.recipe.recipe import Recipe
from netwise.schema import typed
from netwise.storage.checkpoints import Checkpoint
from netwise.storage.layout import ABOUT, RECIPE
from netwise.storage.run_folder import RunFolder
from netwise.training.initial_weights import initialize_weights
from netwise.training.interrupt import uninterrupted
from netwise.training.loop import Halt, run_training
from netwise.training.progress import Progress, Silent
from netwise.training.ranks.demands import problems_of_ranks, require_one_run
from netwise.training.ranks.launched import command_of_train, launched
from netwise.training.ranks.ranks import AGAIN, ALONE, Ranks, joined
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
    sync_batch_norm: bool = False,
    shard: bool = False,
    progress: Progress | None = None,
    halt: Halt | None = None,
    stop_on: Collection[str] = (),
    prepared: Prepared | None = None,
) -> Run:
    """Train a recipe. Equal recipes on equal machines and versions give equal numbers.

    Ctrl-C and SIGTERM end the run after the current step, as "interrupted". Everything is kept,
    and `resume` continues the run.

    Several processes train one model where `torchrun` starts the program: each batch is shared out,
    the first process writes the run, and all of them return it.

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
            "late_checks", "captured_steps", "compiled_steps". `()`: plain torch. Default: those
            that a fixed rule of the network and the processor chooses, which are recorded with the
            run.
        sync_batch_norm: of several processes: batch norm takes mean and variance over the rows of
            all of them, as one process does. Default false: over the rows of each.
        shard: each of several processes keeps a part of the weights and of the optimizer's memory
            (FSDP), for networks that fit on no device. Default false: each keeps all.
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
        ProcessFailed: another of several processes failed or was killed.
        ValueError: `stop_on` holds another word than a grade.

    Example:
        >>> import netwise as nw
        >>> run = nw.fit(nw.suggest(nw.data.digits(), epochs=5))
        >>> run.history.ended.sentence, run.score.value > 0.9
        ('All 5 epochs done.', True)
    """
    chosen = None if speedups is None else tuple(speedups)
    options = RunOptions(
        device,
        threads,
        watch_every,
        checkpoint_every,
        test,
        precision,
        chosen,
        sync_batch_norm,
        shard,
    )
    ranks = joined(device)
    with ranks.agreed():
        prepared = prepare(recipe) if prepared is None else prepared
        problems = [
            *hindrances(recipe, prepared=prepared),
            *options.problems(recipe.network),
            *problems_of_ranks(recipe, prepared.samples, ranks, options),
        ]
        if problems:
            raise WrongValue("recipe", problems)
        stops = StopOnFinding(stop_on)
    require_one_run(recipe, prepared.samples, ranks)
    with ExitStack() as stack:
        store = None
        with ranks.agreed():
            if folder is not None and ranks.is_first:
                about = values_at_start(prepared, options)
                store, held = RunFolder.create(Path(folder), recipe, about)
                stack.enter_context(held)
        # the others may have been given none, and have to say how to continue
        path = ranks.from_first(lambda: None if folder is None else Path(folder))
        with _saying_how_to_continue(path):
            run = train_prepared(
                recipe,
                prepared,
                options,
                store,
                progress=progress if ranks.is_first else None,
                halt=halt,
                stop_on=stops,
                ranks=ranks,
            )
    return run if path is None else replace(run, folder=path)


@contextmanager
def _saying_how_to_continue(folder: str | Path | None) -> Iterator[None]:
    """Inside, the failure of another process says how to resume the run."""
    try:
        yield
    except ProcessFailed as error:
        if folder is None:
            raise
        what = str(error).removesuffix(AGAIN)
        raise ProcessFailed(
            f"{what}. Everything up to the last checkpoint is kept. Continue with: "
            f"{command_of_train()} --resume {folder}"
        ) from error


def train_prepared(
    recipe: Recipe,
    prepared: Prepared,
    options: RunOptions,
    folder: RunFolder | None = None,
    *,
    progress: Progress | None = None,
    halt: Halt | None = None,
    stop_on: StopOnFinding | None = None,
    ranks: Ranks = ALONE,
) -> Run:
    """`fit` without its checks, on data that are prepared, in a folder that the caller has
    locked."""
    if recipe.network.is_memory:
        from netwise.training.memorize import store_patterns  # heavy

        return store_patterns(recipe, prepared, folder)
    with ranks.agreed():
        setup = set_up(recipe, prepared, options, initialize, ranks=ranks)
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
    ranks = joined_again(store)
    with ExitStack() as stack:
        with ranks.agreed():
            if ranks.is_first:
                stack.enter_context(store.locked())
            recipe = with_custom_network(store.recipe(), network, store.path)
            recipe = with_data_in_python(recipe, data, store.path)
        begun, checkpoint = ranks.from_first(lambda: _as_it_was_left(store))
        with ranks.agreed():
            if checkpoint is None:
                require_no_foreign_code(recipe, store.path)
            prepared = prepare(recipe) if prepared is None else prepared
        samples = prepared.samples
        about = ranks.from_first(lambda: _about(store, begun, prepared))
        with ranks.agreed():
            _require_same_data(store.path, samples.fingerprint, about)
            with store.checked(ABOUT):
                options: RunOptions = typed(RunOptions, recorded_speedups(about.get("how")), "how")
            alone = replace(options, shard=options.shard and not ranks.alone)
            problems = [
                *options.problems(recipe.network),
                *problems_of_ranks(recipe, samples, ranks, alone),
            ]
            if problems:
                raise WrongValue(f"{store.path / ABOUT}, how", problems)
            if recipe.network.is_memory:
                from netwise.training.memorize import store_patterns  # heavy

                return store_patterns(recipe, prepared, store)
            setup = set_up(
                recipe,
                prepared,
                options,
                initialize if checkpoint is None else None,
                ranks=ranks,
                checkpoint=checkpoint,
            )
        with _saying_how_to_continue(store.path):
            run = run_training(
                setup,
                state_at_start(setup, float(about["made_by"]["seconds"])),
                folder=store if ranks.is_first else None,
                checkpoint=checkpoint,
                progress=(progress if ranks.is_first else None) or Silent(),
                halt=halt,
                stop_on=StopOnFinding(stop_on),
            )
    return replace(run, folder=store.path)


def joined_again(store: RunFolder) -> Ranks:
    """The processes that go on with a run, on the kind of device that it had."""
    if launched() is None:
        return ALONE
    about = store.about() if store.has_begun() else {}
    return joined(str(about.get("how", {}).get("device", "cpu")))


def _as_it_was_left(store: RunFolder) -> tuple[dict[str, Any] | None, Checkpoint | None]:
    """What the folder of a run says of it, where it has begun, and its newest checkpoint.

    Raises:
        RunFolderError: there is nothing left to do, or no checkpoint can be used.
    """
    about = store.about() if store.has_begun() else None
    if about is not None:
        _require_resumable(store.path, str(about["ended"]["how"]))
    return about, store.latest_checkpoint()


def _about(store: RunFolder, begun: dict[str, Any] | None, prepared: Prepared) -> dict[str, Any]:
    """What the folder says of the run, also where it was killed before it began."""
    if begun is None:
        store.write_about(values_at_start(prepared, RunOptions()))
        begun = store.about()
    return begun


def _require_same_data(path: Path, fingerprint: str, about: Mapping[str, Any]) -> None:
    if fingerprint != about["fingerprint"]:
        raise RunFolderError(
            f"{path}: the data have changed since the run began: their fingerprint is "
            f"{fingerprint}, and was {about['fingerprint']}. Put the old data back, or train "
            f"on the new ones: netwise train {path / RECIPE}"
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
