"""`fit` and `resume`: a recipe in, a run out."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from netwise import random_streams, signals
from netwise.data.arrays import Arrays
from netwise.data.dataset import Pairs, Samples
from netwise.errors import Problem, RunFolderError, WrongValue
from netwise.history import (
    DIVERGED,
    FINISHED,
    INTERRUPTED,
    RUNNING,
    STOPPED_EARLY,
    History,
    Provenance,
    RunEnd,
    RunFacts,
    history_as_dict,
)
from netwise.networks import Network
from netwise.networks.recurrent import Stateful
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.observe.anatomy import anatomy_of
from netwise.observe.probe import Probe
from netwise.parts.finetuning import layer_by_name
from netwise.parts.losses import least_loss, loss_kind, loss_of_guessing, target_facts
from netwise.parts.optimizers import Optimizer, SwitchOptimizer
from netwise.parts.schedules import ScheduleContext
from netwise.parts.stopping import EpochResult, monitored_value
from netwise.recipe.checks import hindrances, width_of
from netwise.recipe.prepared import Prepared, prepare
from netwise.recipe.recipe import Recipe
from netwise.storage.checkpoints import Checkpoint
from netwise.storage.run_folder import RunFolder
from netwise.tasks import task_named
from netwise.training.evaluate import Score, evaluate, outputs_of, score
from netwise.training.initial_weights import begin
from netwise.training.interrupt import Interrupt
from netwise.training.memorize import store_patterns
from netwise.training.progress import Progress, Silent
from netwise.training.run import (
    InputPipeline,
    Run,
    require_no_foreign_code,
    set_module_loss,
    with_custom_network,
)
from netwise.training.running_average import RunningAverage
from netwise.training.snapshots import (
    Keeper,
    load_optimizer,
    module_tensors,
    optimizer_tensors,
    rng_state,
    set_rng_state,
)
from netwise.training.step import Broken, Stepper, Stretch, right_of
from netwise.training.threads import cores, threads, threads_for

Halt = Callable[[int, Mapping[str, Any]], str | None]
# steps between two looks whether all is finite; a broken stretch is taken again, step by step
CHECK_EVERY = 64
MOST_TARGETS = 100_000  # that are looked at to know what guessing would score
# and what perfection would: it is tried in many ways, and hangs less on how many there are of each
FEW_TARGETS = 10_000
# watched steps of a whole run, at most about this many: listening may cost a run a few per cent
WATCHED = 60


@dataclass(frozen=True)
class How:
    """How a run is computed: no part of the recipe, recorded with the run and kept when it goes on.

    Args:
        device: of torch, such as "cpu" or "cuda".
        threads: that a step is computed with.
        watch_every: one step of so many is watched; 0: none is.
        checkpoint_every: a checkpoint after so many steps, besides those at the ends of epochs; 0:
            none.
        test: score the test part at the end.
    """

    device: str
    threads: int
    watch_every: int
    checkpoint_every: int
    test: bool


def fit(
    recipe: Recipe,
    *,
    folder: str | Path | None = None,
    device: str = "cpu",
    threads: int | None = None,
    watch_every: int | None = None,
    checkpoint_every: int = 0,
    test: bool = True,
    progress: Progress | None = None,
    halt: Halt | None = None,
    prepared: Prepared | None = None,
) -> Run:
    """Train what the recipe says. Equal recipes on equal machines and versions give equal numbers.

    Ctrl-C and SIGTERM end the run after the step that is being taken, as "interrupted", with
    everything kept.

    Args:
        recipe: what to train.
        folder: where to keep the run; a new or empty one. Default: nowhere.
        device: of torch. Default "cpu".
        threads: for each step. Default: by a fixed rule of the step's work (one for small
            networks).
        watch_every: look inside on one of so many steps; 0 never. Default: about 60 looks a run.
        checkpoint_every: a checkpoint after so many steps, besides those at the ends of epochs.
            Default none.
        test: score the test part, once, at the end. Default true.
        progress: a display. Default none.
        halt: asked after each epoch with (epochs done, signals of the epoch): a reason to leave off
            there, or None to go on. The run is then "interrupted", with everything kept, and
            `resume` goes on with it. Default none.
        prepared: the recipe's data where they are prepared already; nothing is loaded then. Default
            none.

    Raises:
        WrongValue: the recipe cannot run; all reasons at once, before any work.
        DataMissing, DataError: the data cannot be loaded.
        RunFolderError: the folder holds something.

    Example:
        >>> import netwise as nw
        >>> run = nw.fit(nw.suggest(nw.data.digits(), epochs=5))
        >>> run.history.ended.sentence, run.score.value > 0.9
        ('All 5 epochs done.', True)
    """
    prepared = prepare(recipe) if prepared is None else prepared
    wrong = [
        *hindrances(recipe, prepared=prepared),
        *_wrong_arguments(device, threads, watch_every, checkpoint_every),
    ]
    if wrong:
        raise WrongValue("recipe", wrong)
    if recipe.network.is_memory:
        return _stored(recipe, folder, prepared)
    session = _Session(
        recipe,
        prepared,
        How(
            device, threads or 0, -1 if watch_every is None else watch_every, checkpoint_every, test
        ),
    )
    session.halt = halt
    store = None if folder is None else RunFolder.create(Path(folder), recipe)
    if store is None:
        return session.run(None, progress or Silent(), None)
    with store.locked():
        return session.run(store, progress or Silent(), None)


def _stored(recipe: Recipe, folder: str | Path | None, prepared: Prepared) -> Run:
    samples, fitted = prepared.samples, prepared.fitted
    if folder is None:
        return store_patterns(recipe, samples, fitted, None, _versions())
    kept = RunFolder.create(Path(folder), recipe)
    with kept.locked():
        return store_patterns(recipe, samples, fitted, kept, _versions())


def _versions() -> dict[str, str]:
    from netwise import __version__

    return {"python": platform.python_version(), "torch": torch.__version__, "netwise": __version__}


def resume(
    folder: str | Path,
    *,
    network: Network | None = None,
    progress: Progress | None = None,
    halt: Halt | None = None,
    prepared: Prepared | None = None,
) -> Run:
    """Go on with a run that was interrupted or killed, as if it had never stopped, to the same
    numbers.

    Args:
        folder: of the run.
        network: for a network of one's own: the same `CustomNetwork(build)` again, since loading imports no
            code.
        progress: a display. Default none.
        halt, prepared: as in `fit`.

    Raises:
        RunFolderError: no run folder, a run that has ended, or data that have changed since.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp()) / "run"
        >>> _ = nw.fit(nw.suggest(nw.data.iris(), epochs=2), folder=folder)
        >>> nw.resume(folder)
        Traceback (most recent call last):
        ...
        netwise.errors.RunFolderError: ... has ended (finished): there is nothing left to do.
    """
    store = RunFolder.open(folder)
    with store.locked():
        recipe, known = with_custom_network(store.recipe(), network, store.path), store.about()
        how = str(known["ended"]["how"])
        if how in (FINISHED, STOPPED_EARLY, DIVERGED):
            rest = (
                "there is nothing left to do"
                if how != DIVERGED
                else "the same recipe would diverge again; change it"
            )
            raise RunFolderError(f"{store.path} has ended ({how}): {rest}.")
        start = store.latest_checkpoint()
        if start is None:
            require_no_foreign_code(recipe, store.path)
        prepared = prepare(recipe) if prepared is None else prepared
        session = _Session(recipe, prepared, How(**known["how"]), fresh=start is None)
        session.halt = halt
        if session.samples.fingerprint != known["fingerprint"]:
            raise RunFolderError(
                f"{store.path}: the data have changed since the run began (they were {known['fingerprint']})"
            )
        return session.run(store, progress or Silent(), start, float(known["made_by"]["seconds"]))


@dataclass(frozen=True, eq=False)
class CarriedState:
    """What a run leaves for the next one: weights and buffers, what the optimizer remembers, and
    how inputs are prepared."""

    model: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    pipeline: InputPipeline


def fit_piece(
    recipe: Recipe, memory: CarriedState | None = None, *, device: str = "cpu"
) -> tuple[Run, CarriedState]:
    """Train as the recipe says, from where another run of the same network ended: for data that
    come piece by piece.

    Inputs are prepared, and targets scaled, as in the first piece.

    Args:
        recipe: what to train on this piece.
        memory: what the run before left, or None for the first.
        device: of torch.

    Returns:
        The run, and what it leaves.
    """
    if memory is not None:
        recipe_of_piece = recipe.but(data=_prepared_alike(recipe, memory.pipeline), preprocess=())
    else:
        recipe_of_piece = recipe
    session = _Session(
        recipe_of_piece, prepare(recipe_of_piece), How(device, 0, 0, 0, False), fresh=memory is None
    )
    if memory is not None:
        session.module.load_state_dict(memory.model)
        load_optimizer(session.optimizer, memory.optimizer)
        session.pipeline = memory.pipeline
    run = session.run(None, Silent(), None)
    left = CarriedState(
        module_tensors(session.module), optimizer_tensors(session.optimizer), session.pipeline
    )
    return replace(run, recipe=recipe, pipeline=session.pipeline), left


def _prepared_alike(recipe: Recipe, pipeline: InputPipeline) -> Arrays:
    """The recipe's arrays as the first piece was prepared: nothing is learned from them any
    more."""
    given = recipe.data
    assert isinstance(given, Arrays)
    x = pipeline.prepared(given.X, recipe.preprocess)
    y = given.y if given.classes else (given.y - pipeline.target_mean) / pipeline.target_scale
    return given.but(X=x, y=y, scale_target=False)


def _thinned(target: Tensor, most: int) -> Tensor:
    """One target of several, so that at most so many are left."""
    return target if len(target) <= most else target[:: len(target) // most + 1]


def _wrong_arguments(
    device: str, threads: int | None, watch_every: int | None, checkpoint_every: int
) -> list[Problem]:
    wrong = []
    for name, value, least in (
        ("threads", threads, 1),
        ("watch_every", watch_every, 0),
        ("checkpoint_every", checkpoint_every, 0),
    ):
        if value is not None and value < least:
            wrong.append(Problem(name, str(value), f"must be at least {least}", str(least)))
    try:
        kind = torch.device(device).type
    except RuntimeError:
        return [*wrong, Problem("device", device, "is no device of torch", '"cpu"')]
    if kind == "cuda" and not torch.cuda.is_available():
        wrong.append(Problem("device", device, "is not there: torch finds no CUDA device", '"cpu"'))
    return wrong


class _Session:
    """One run while it is being computed."""

    def __init__(self, recipe: Recipe, prepared: Prepared, how: How, fresh: bool = True) -> None:
        self.recipe = recipe
        self.halt: Halt | None = None
        samples, fitted = prepared.samples, prepared.fitted
        self.samples, self.pipeline = samples, InputPipeline.of(samples, fitted)
        self.device = torch.device(how.device)
        with random_streams.global_seed(recipe.seed, random_streams.INIT):
            self.module = recipe.network.build()
        set_module_loss(self.module, recipe)
        self.alone = self.module if isinstance(self.module, UnsupervisedModule) else None
        train = self._enlarged(samples.train)
        if fresh:  # a resumed run has its weights in its checkpoint
            begin(self.module, recipe, train.x, train.y)
        if recipe.network.own_code:
            self._own_network_fits(samples)
        self.module.to(self.device)
        self.train, self.valid, self.test = (
            p.to(self.device) for p in (train, samples.valid, samples.test)
        )
        self.per_epoch = self._steps_per_epoch(len(self.train), recipe.batch_size)
        self.how = self._settled(how)
        self.groups = self._groups()
        self.part = (
            recipe.optimizer.first
            if isinstance(recipe.optimizer, SwitchOptimizer)
            else recipe.optimizer
        )
        self.optimizer = self._built(self.part)
        self.probe = Probe(self.module)
        self.stepper = Stepper(
            recipe,
            self.module,
            self.optimizer,
            self.train,
            samples.task,
            self.probe,
            self.how.watch_every,
            samples.in_order,
        )
        self.stepper.mode(self.optimizer, self.part.needs_closure)
        if recipe.schedule.each_step:
            self.stepper.before_step = self._rate_of_step
        if recipe.average is not None and recipe.average.each_step:
            self.stepper.after_step = self._average_step
        self.average = RunningAverage(self.module, recipe.average)
        self.switch = (
            recipe.optimizer.start() if isinstance(recipe.optimizer, SwitchOptimizer) else {}
        )
        self.rows: list[dict[str, Any]] = []
        self.written = 0  # rows that the folder has
        # where the run is, and what an epoch has gathered so far
        self.epoch, self.batch, self.step = 0, 0, 0
        self.losses: list[float] = []
        self.right = 0
        self.schedule, self.factor, self.first_factor = recipe.schedule.init(), 1.0, 1.0
        self.stopping = recipe.stopping.init()
        self.last_loss: float | None = None
        self.best: tuple[float, dict[str, Tensor]] | None = None
        self.seconds = 0.0

    def _enlarged(self, train: Pairs) -> Pairs:
        """The training part with the samples that augmentations add once."""
        for i, change in enumerate(self.recipe.augment):
            if change.enlarges:
                x, y = change.enlarge(
                    train.x,
                    train.y,
                    random_streams.generator(self.recipe.seed, random_streams.ENLARGE, step=i),
                )
                train = Pairs(x, y)
        return train

    def _groups(self) -> list[dict[str, Any]]:
        """Parameters that ever learn, by the factor on their rate; frozen ones take no gradients
        from here on."""
        tuning = self.recipe.tuning
        if tuning is None:
            found: list[dict[str, Any]] = [
                {"params": [p for p in self.module.parameters() if p.requires_grad], "factor": 1.0}
            ]
        else:
            by_factor: dict[float, list[Tensor]] = {}
            self.factors = tuning.factors(self.module)
            for name, factor in self.factors.items():
                own = list(layer_by_name(self.module, name).parameters(recurse=False))
                if factor == 0:
                    for p in own:
                        p.requires_grad_(False)
                else:
                    by_factor.setdefault(factor, []).extend(p for p in own if p.requires_grad)
            found = [{"params": params, "factor": factor} for factor, params in by_factor.items()]
        if not any(group["params"] for group in found):
            raise WrongValue(
                "recipe",
                [
                    Problem(
                        "network",
                        type(self.recipe.network).__name__,
                        "has no weights that can be trained",
                    )
                ],
            )
        return found

    def _steps_per_epoch(self, rows: int, batch_size: int) -> int:
        if self.samples.in_order:
            return rows // min(batch_size, rows)
        steps, rest = divmod(rows, batch_size)
        joins = rest == 1 and steps > 0 and batch_size > 1
        return steps + (1 if rest and not joins else 0)

    def _own_network_fits(self, samples: Samples) -> None:
        anatomy = anatomy_of(self.module, samples.shape, samples.train.x[:2])
        width = width_of(anatomy.output, samples)
        if task_named(samples.task).has_classes and width < samples.outputs:
            raise WrongValue(
                "recipe",
                [
                    Problem(
                        "network",
                        "CustomNetwork",
                        f"gives {width} outputs, and the data have {samples.outputs} classes",
                    )
                ],
            )

    def _settled(self, how: How) -> How:
        """How, with everything that a rule decides filled in."""
        count, every = how.threads, how.watch_every
        if count <= 0:
            work = anatomy_of(
                self.module, self.samples.shape, self.samples.train.x[:2]
            ).multiply_adds
            available = -count or cores()
            count = threads_for(work * min(self.recipe.batch_size, len(self.train)), available)
        if every < 0:
            every = max(1, math.ceil(self.per_epoch * self.recipe.epochs / WATCHED))
        return replace(how, threads=count, watch_every=every)

    # ---- the run

    def run(
        self,
        store: RunFolder | None,
        progress: Progress,
        start: Checkpoint | None,
        seconds: float = 0.0,
    ) -> Run:
        self.store, self.progress, self.seconds = store, progress, seconds
        cuda = [self.device] if self.device.type == "cuda" else []
        with (
            threads(self.how.threads),
            torch.random.fork_rng(devices=cuda),
            Interrupt() as interrupt,
        ):
            if start is not None:
                self._go_back_to(start)
            elif store is not None:
                store.keep_rows(0)
            self.facts = self._facts()
            self.stepper.asked_to_stop = interrupt.asked
            self._write_about(RunEnd(RUNNING, "Still running.", self.step))
            progress.start(self.recipe.epochs, self.per_epoch * self.recipe.epochs, self.step)
            try:
                ended = self._train(interrupt)
            finally:
                self.probe.detach()
                self.stepper.close()
            if self.best is not None and ended.how in (FINISHED, STOPPED_EARLY):
                self.module.load_state_dict(self.best[1])
            elif self.average.tensors and ended.how in (FINISHED, STOPPED_EARLY):
                self.module.load_state_dict(self.average.tensors)
            self.module.eval()
            final = self._final_score(ended)
        history = self._history(ended)
        if store is not None:
            store.write_weights(
                {
                    **{f"model.{k}": v for k, v in module_tensors(self.module).items()},
                    **self.pipeline.tensors(),
                }
            )
            self._write_about(ended, final)
        progress.end(ended)
        return Run(
            self.recipe, history, self.module, self.pipeline, final, store.path if store else None
        )

    def _train(self, interrupt: Interrupt) -> RunEnd:
        self.keepers = self._keepers()
        began = time.monotonic()
        while self.epoch < self.recipe.epochs:
            if self.batch == 0:
                self._begin_epoch()
            self._to_train()
            self._set_rate()
            keeper, careful = self.keepers
            batches = self.stepper.batches(self.epoch)
            while self.batch < len(batches):
                some = batches[self.batch : self.batch + self._stretch()]
                keeper.take()
                heard = self.probe.snapshot()
                said = self.stepper.take(some, self.epoch, self.batch, self.step)
                broken: Broken | None = None
                if not self.stepper.is_finite(said):
                    keeper.restore()
                    self.probe.restore(heard)
                    said, broken = self.stepper.take_carefully(
                        some, self.epoch, self.batch, self.step, careful.take, careful.restore
                    )
                self._note(said)
                now = time.monotonic()
                self.seconds, began = self.seconds + now - began, now
                self.progress.step(self.step)
                if broken:
                    self._flush()
                    return RunEnd(
                        DIVERGED,
                        f"Diverged at step {broken.step + 1}: {broken.sentence}. The weights from before it are kept.",
                        self.step,
                    )
                if interrupt.asked() and self.batch < len(batches):
                    self._checkpoint()
                    return self._interrupted(interrupt)
                if (
                    self.how.checkpoint_every
                    and self.step % self.how.checkpoint_every == 0
                    and self.batch < len(batches)
                ):
                    self._checkpoint()
            why = self._end_epoch([len(batch) for batch in batches])
            if why is not None:
                return why
            left = self.halt(self.epoch, self.rows[-1]) if self.halt is not None else None
            if left is not None and self.epoch < self.recipe.epochs:
                return RunEnd(
                    INTERRUPTED,
                    f"Left off after epoch {self.epoch} of {self.recipe.epochs}: {left}; everything is kept.",
                    self.step,
                )
            if interrupt.asked() and self.epoch < self.recipe.epochs:
                return self._interrupted(interrupt)
        return RunEnd(FINISHED, f"All {self.recipe.epochs} epochs done.", self.step)

    def _stretch(self) -> int:
        """Steps until the next look; looks fall on checkpoints too, and change no number."""
        every = self.how.checkpoint_every
        return min(CHECK_EVERY, every - self.step % every) if every else CHECK_EVERY

    def _interrupted(self, interrupt: Interrupt) -> RunEnd:
        return RunEnd(
            INTERRUPTED,
            f"Interrupted by {interrupt.name} after step {self.step}, in epoch {self.epoch + 1}; everything is kept.",
            self.step,
        )

    def _begin_epoch(self) -> None:
        self.factor, self.schedule = self.recipe.schedule.next(
            self.schedule, ScheduleContext(self.epoch, self.recipe.epochs, self.last_loss)
        )
        self.first_factor = self.factor
        if isinstance(self.recipe.optimizer, SwitchOptimizer):
            self.switch = self.recipe.optimizer.next_state(self.switch, self.epoch, self.last_loss)
        torch.manual_seed(
            random_streams.seed_of(self.recipe.seed, random_streams.FORWARD, self.epoch)
        )
        self.losses, self.right = [], 0
        for layer in self.module.modules():
            if isinstance(layer, Stateful):
                layer.reset_state()
        if (
            self.alone is not None and self.alone.stages > 1
        ):  # a stack that learns layer by layer, each in an equal share of the epochs
            stage = self.epoch * self.alone.stages // self.recipe.epochs
            if stage != int(self.alone.stage) or self.epoch == 0:
                self.alone.start_stage(stage, self.train.x)

    def _to_train(self) -> None:
        """Modes and gradients as the present epoch has them: what a fresh run and a resumed one
        both need."""
        self._use_part()
        self.module.train()
        if self.alone is not None and self.alone.stages > 1:
            self.alone.enable_stage_gradients()
            self.stepper.learn()
        tuning = self.recipe.tuning
        if tuning is None:
            return
        living = [name for name, factor in self.factors.items() if factor > 0]
        awake = tuning.trainable(living, self.epoch)
        for name in self.factors:
            layer = layer_by_name(self.module, name)
            learns = name in awake
            layer.train(learns)  # a frozen norm layer keeps its running statistics
            if name in living:
                for p in layer.parameters(recurse=False):
                    p.requires_grad_(learns)
                    if not learns:
                        p.grad = None
        self.stepper.learn()

    def _use_part(self) -> None:
        """The optimizer that is in force; a new one begins with an empty memory."""
        if not isinstance(self.recipe.optimizer, SwitchOptimizer):
            return
        part = self.recipe.optimizer.active(self.switch)
        if part is not self.part:
            self.part = part
            self.optimizer = self._built(part)
            self.stepper.mode(self.optimizer, part.needs_closure)
            self.keepers = self._keepers()
            self._set_rate()

    def _built(self, part: Optimizer) -> torch.optim.Optimizer:
        """torch's object of `part`, in groups where layers have rates of their own; one plain group
        takes the quick update."""
        return part.build(
            [dict(group) for group in self.groups]
            if self.recipe.tuning is not None
            else self.groups[0]["params"]
        )

    def _keepers(self) -> tuple[Keeper, Keeper]:
        """For the state at the last look, and for that before a step taken carefully."""
        return Keeper(self.module, self.optimizer, self.device), Keeper(
            self.module, self.optimizer, self.device
        )

    def _set_rate(self) -> None:
        """The rates by the present factor, and what else the epoch changes in the optimizer."""
        self._set_rates()
        for group in self.optimizer.param_groups:
            group.update(self.part.group_settings(self.epoch))

    def _set_rates(self) -> None:
        for group, own in zip(self.optimizer.param_groups, self.groups, strict=False):
            group["lr"] = self.part.lr * self.factor * own["factor"]

    def _average_step(self) -> None:
        self.average.take_in((self.epoch + 1) / self.recipe.epochs)

    def _rate_of_step(self, batch: int) -> None:
        if batch == 0:
            self.factor = self.first_factor  # asked already, with what the epoch before ended with
        else:
            moment = ScheduleContext(
                self.epoch + batch / self.per_epoch, self.recipe.epochs, self.last_loss
            )
            self.factor, _ = self.recipe.schedule.next(self.schedule, moment)
        self._set_rates()

    def _note(self, said: Stretch) -> None:
        if said.losses:
            self.losses += torch.stack(said.losses).tolist()
        self.right += right_of(said)
        for step, row in said.rows:
            self.rows.append({"step": step, "epoch": self.epoch, **row})
        self.batch += said.steps
        self.step += said.steps

    def _end_epoch(self, sizes: list[int]) -> RunEnd | None:
        if self.recipe.average is not None and not self.recipe.average.each_step:
            self._average_step()
        row: dict[str, Any] = {
            signals.TRAIN_LOSS: math.fsum(
                loss * n for loss, n in zip(self.losses, sizes, strict=True)
            )
            / sum(sizes),
            signals.RATE: self.part.lr * self.factor,
        }
        if task_named(self.samples.task).has_classes and not self.recipe.network.is_energy_model:
            row[signals.TRAIN_ACCURACY] = self.right / (
                sum(sizes) * max(1, self.train.y[0].numel())
            )
        with self.average.judged():
            seed = random_streams.seed_of(self.recipe.seed, random_streams.PROBE, self.epoch)
            if len(self.valid):
                row |= evaluate(
                    self.module,
                    self.stepper.loss,
                    self.valid,
                    self.samples.task,
                    seed,
                    self.stepper.loss_of_each,
                )
            if self.alone is not None:
                if self.alone.stages > 1:
                    row[signals.STAGE] = int(self.alone.stage) + 1
                row |= self.alone.epoch_signals(self.train.x, self.valid.x, seed)
            ending = EpochResult(
                self.epoch,
                float(row.get(signals.VALID_LOSS, row[signals.TRAIN_LOSS])),
                float(row[signals.TRAIN_LOSS]),
                next(
                    (
                        float(row[name])
                        for name in (
                            signals.VALID_ACCURACY,
                            signals.VALID_R2,
                            signals.TRAIN_ACCURACY,
                        )
                        if name in row
                    ),
                    None,
                ),
                self.seconds,
            )
            value = monitored_value(ending, self.recipe.stopping.by)
            if self.recipe.stopping.keeps_best and (self.best is None or value < self.best[0]):
                self.best = (
                    value,
                    {k: v.detach().clone() for k, v in module_tensors(self.module).items()},
                )
        self.rows.append({"step": self.step - 1, "epoch": self.epoch, **row})
        self.last_loss = ending.loss
        self.epoch, self.batch = self.epoch + 1, 0
        why, self.stopping = self.recipe.stopping.next(self.stopping, ending)
        if why is None and self.recipe.schedule.needs_loss:
            # What the schedule would say of the next epoch; it is asked again, from the same
            # memory, when that begins.
            why = self.recipe.schedule.stop_reason(
                self.recipe.schedule.next(
                    self.schedule, ScheduleContext(self.epoch, self.recipe.epochs, self.last_loss)
                )[1]
            )
        self.progress.epoch(self.epoch, row)
        self._checkpoint()
        if why is not None and self.epoch < self.recipe.epochs:
            return RunEnd(
                STOPPED_EARLY,
                f"Stopped after epoch {self.epoch} of {self.recipe.epochs}: {why}.",
                self.step,
            )
        return None

    def _final_score(self, ended: RunEnd) -> Score | None:
        if not self.how.test or not len(self.test) or ended.how not in (FINISHED, STOPPED_EARLY):
            return None
        return score(self.module, self.test, self.samples.task, self.recipe.seed)

    # ---- what is told and kept

    def _facts(self) -> RunFacts:
        known_of_all: dict[str, Any] = {
            "task": self.samples.task,
            "train_size": len(self.train),
            "valid_size": len(self.valid),
            "batch_size": self.recipe.batch_size,
            "loss": type(self.recipe.loss).__name__,
            "optimizer": type(self.recipe.optimizer).__name__,
            "rate": self.part.lr,
            "epochs": self.recipe.epochs,
            "weight_decay": float(getattr(self.recipe.optimizer, "weight_decay", 0.0)),
        }
        if self.recipe.network.is_energy_model:
            return RunFacts(**known_of_all, classes=len(self.samples.classes) or None)
        target, few = (
            _thinned(self.train.y.cpu(), MOST_TARGETS),
            _thinned(self.train.y.cpu(), FEW_TARGETS),
        )
        guess = loss_of_guessing(self.stepper.loss, target, self.samples.outputs)
        least = least_loss(self.stepper.loss, few, self.samples.outputs)
        drops = [
            float(m.p)
            for m in self.module.modules()
            if isinstance(m, torch.nn.modules.dropout._DropoutNd)
        ]
        kind = loss_kind(
            self.stepper.loss,
            outputs_of(self.module, self.train.x[:64]).cpu(),
            self.train.y[:64].cpu(),
        )
        return RunFacts(
            **target_facts(target),
            **known_of_all,
            loss_kind=kind,
            classes=len(self.samples.classes) or None,
            loss_of_guessing=guess,
            least_loss=least,
            dropout=max(drops, default=0.0),
        )

    def _made_by(self) -> Provenance:
        device = (
            torch.cuda.get_device_name(self.device)
            if self.device.type == "cuda"
            else self.how.device
        )
        return Provenance(
            self.recipe.hash, _versions(), device, self.how.threads, round(self.seconds, 3)
        )

    def _history(self, ended: RunEnd) -> History:
        return History.from_rows(self.rows, self.probe.layers, self.facts, ended, self._made_by())

    def _write_about(self, ended: RunEnd, final: Score | None = None) -> None:
        if self.store is None:
            return
        self._flush()
        told = history_as_dict(History({}, self.probe.layers, self.facts, ended, self._made_by()))
        mark: Mapping[str, Any] = {
            "fingerprint": self.samples.fingerprint,
            "how": asdict(self.how),
            "intake": self.pipeline.plain(),
        }
        self.store.write_about(
            {
                **told,
                **mark,
                "score": None if final is None else {**asdict(final), "sentence": str(final)},
            }
        )

    def _flush(self) -> None:
        if self.store is not None:
            self.store.append(self.rows[self.written :])
            self.written = len(self.rows)

    def _checkpoint(self) -> None:
        """Keep all that the next step needs. Rows go first: a checkpoint never speaks of rows that
        are not there."""
        if self.store is None:
            return
        self._flush()
        tensors = {
            "model": module_tensors(self.module),
            "optimizer": optimizer_tensors(self.optimizer),
            "random": {str(i): state for i, state in enumerate(rng_state(self.device))},
        }
        if self.best is not None:
            tensors["best"] = self.best[1]
        if self.average.tensors:
            tensors["average"] = self.average.tensors
        state = {
            "epoch": self.epoch,
            "batch": self.batch,
            "step": self.step,
            "rows": len(self.rows),
            "losses": self.losses,
            "right": self.right,
            "schedule": self.schedule,
            "factor": self.factor,
            "stopping": self.stopping,
            "switch": self.switch,
            "averaged": self.average.count,
            "last_loss": self.last_loss,
            "best": None if self.best is None else self.best[0],
            "probe": self.probe.state_dict(),
            "seconds": self.seconds,
        }
        self.store.write_checkpoint(self.step, Checkpoint(tensors, state))
        self._write_about(RunEnd(RUNNING, "Still running.", self.step))

    def _go_back_to(self, kept: Checkpoint) -> None:
        assert self.store is not None
        state = kept.state
        self.store.keep_rows(state["rows"])
        self.rows = self.store.rows()
        self.written = len(self.rows)
        self.module.load_state_dict(kept.tensors["model"])
        self.switch, self.average.count = state["switch"], state["averaged"]
        self.average.tensors = {
            k: v.to(self.device) for k, v in kept.tensors.get("average", {}).items()
        }
        self._use_part()
        load_optimizer(self.optimizer, kept.tensors["optimizer"])
        set_rng_state(
            [kept.tensors["random"][key] for key in sorted(kept.tensors["random"])], self.device
        )
        self.epoch, self.batch, self.step = state["epoch"], state["batch"], state["step"]
        self.losses, self.right = state["losses"], state["right"]
        self.schedule, self.factor, self.stopping = (
            state["schedule"],
            state["factor"],
            state["stopping"],
        )
        self.last_loss, self.seconds = state["last_loss"], state["seconds"]
        if state["best"] is not None:
            self.best = (
                state["best"],
                {k: v.to(self.device) for k, v in kept.tensors["best"].items()},
            )
        self.probe.load_state_dict(state["probe"])
