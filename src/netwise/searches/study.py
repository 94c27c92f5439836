"""The folder of a search: its plan, its trials, and which of them have a worker. Any process may
be killed at any moment.

search.toml      the space, the method, the number of trials
recipe.toml      the recipe that the axes change
journal.log      Optuna's journal, where no other storage is named
trials/0007/     the run folder of a trial, or those of its folds
fresh/           runs of the winner with fresh seeds
best.toml        the winner as a recipe
outcome.json     the result
report.html      the result for people
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netwise import random_streams
from netwise.atomic import delete_file, make_folder, write_atomically
from netwise.errors import RunFolderError
from netwise.networks import Network
from netwise.recipe.origin import From
from netwise.recipe.reader import read_recipe
from netwise.recipe.recipe import Recipe
from netwise.recipe.user_code import trusted, user_code_in
from netwise.recipe.writer import write_recipe
from netwise.regular_files import require_contained
from netwise.schema import SchemaError, parse_json, typed
from netwise.searches.methods import Stage
from netwise.searches.optuna_package import require_optuna
from netwise.searches.optuna_storage import JOURNAL, open_storage, read_storage, reading_journal
from netwise.searches.plan import SearchPlan
from netwise.searches.plan_file import plan_hash, read_plan, write_plan
from netwise.searches.space import Space
from netwise.searches.supervise import MAX_CRASHES
from netwise.searches.trial_record import (
    COMPLETE,
    FAILED,
    PRUNED,
    RUNNING,
    WAITING,
    Crashes,
    StoredResult,
    TrialAttributes,
    TrialRecord,
    ranked,
)
from netwise.storage.creation import claim_folder, end_creation
from netwise.storage.layout import RECIPE, SEARCH, WEIGHTS, is_present
from netwise.storage.locks import HeldLock, acquire_lock, is_locked
from netwise.training.run import with_custom_network

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

TRIALS, FRESH, BEST = "trials", "fresh", "best.toml"
TRIAL_LOCK, SELECTION_LOCK, CRASHES = ".claim", ".asking", ".lives"
HEARTBEAT_TIMEOUT = (
    120.0  # seconds without a heartbeat after which a remote worker is taken as dead
)
# User attributes of a trial in the storage.
RESULT_ATTRIBUTE = "told"  # what its worker stored at its end, in one write
HEARTBEAT_ATTRIBUTE = "beat"  # when its worker last ran
STUDY_NAME = "netwise"  # of the study within its storage


@dataclass(frozen=True, eq=False)
class StudyFolder:
    """One study, as each worker opens it for itself.

    Args:
        path: its folder.
        recipe, plan: what the axes change, and the plan.
        storage: Optuna's, a journal or a database.
        url: of the database, with its password, or None.
        name: of the study in the storage.
        space_from_caller: the caller passed the space, which the file may not hold whole.
    """

    path: Path
    recipe: Recipe
    plan: SearchPlan
    storage: Any
    url: str | None
    name: str
    space_from_caller: bool

    @staticmethod
    def create(path: Path, recipe: Recipe, plan: SearchPlan, url: str | None = None) -> StudyFolder:
        """A new study in a new or empty folder.

        Raises:
            RunFolderError: the folder is not empty, or another process is writing it.
            MissingPackage: Optuna is not installed.
        """
        require_optuna()
        with claim_folder(path, f", or resume the search in it: netwise search --resume {path}"):
            make_folder(path / TRIALS)
            write_plan(plan, path / SEARCH, url)
            write_recipe(recipe, path / RECIPE)  # the last file: now the folder is a study
            end_creation(path)
        return StudyFolder.open(path, url, plan.space, recipe.network, user_code_in(recipe))

    @staticmethod
    def open(
        path: str | Path,
        url: str | None = None,
        space: Space | None = None,
        network: Network | None = None,
        code: Collection[str] = (),
        *,
        read_only: bool = False,
    ) -> StudyFolder:
        """An existing study. No code that its files name is run, but for that in `code`.

        Args:
            path: its folder.
            url: of its storage, where that is not the journal in the folder.
            space: where its axes have functions of the caller's own, which no file holds.
            network: where it is the caller's own.
            code: names of networks inside of the recipe's parts that the caller named himself.
            read_only: nothing in the folder is written. Default false.

        Raises:
            RunFolderError: no study, or something that only the caller has was not passed.
            FileRefused: something in it is a device or pipe, or a link that leaves it.
            MissingPackage: Optuna is not installed.
        """
        require_optuna()
        import optuna

        path = Path(path)
        if not is_present(path / SEARCH) or not is_present(path / RECIPE):
            raise RunFolderError(
                f"{path} is no study: it has no {SEARCH}. "
                'List runs and searches with "netwise runs", and pass the folder of a search.'
            )
        require_contained(path)
        read = read_plan(path / SEARCH)
        if space is None and read.custom_axes:
            raise RunFolderError(
                f"{path}: the axes {', '.join(read.custom_axes)} change the recipe by functions, "
                "which no file holds. Pass the space again: resume_search(folder, space=space)"
            )
        if url is None and read.storage is not None:
            raise RunFolderError(
                f"{path}: its trials are in the storage {read.storage}, and no storage that a file "
                "names is opened; passwords are not kept either. If you trust it, pass it: "
                "storage=URL, netwise search --storage URL or netwise show --storage URL"
            )
        plan = read.plan if space is None else read.plan.but(space=space)
        storage = read_storage(path, url) if read_only else open_storage(path, url)
        # Without the number of trials, which may be raised later.
        name = (
            STUDY_NAME
            if url is None
            else f"{STUDY_NAME}-{path.name}-{plan_hash(plan.but(trials=1))}"
        )
        optuna.create_study(
            study_name=name, storage=storage, direction="maximize", load_if_exists=True
        )
        recipe = trusted(read_recipe(path / RECIPE), code)
        if network is not None:
            recipe = with_custom_network(recipe, network, path)
        return StudyFolder(path, recipe, plan, storage, url, name, space is not None)

    @property
    def has_shared_locks(self) -> bool:
        """All workers of the study see the locks in this folder: its storage is the journal in
        it."""
        return (self.path / JOURNAL).is_file()

    @cached_property
    def optuna_study(self) -> Study:
        """Optuna's study with the sampler of the method, seeded by the number of each trial."""
        import optuna

        from netwise.searches.samplers import TrialSeededSampler

        return optuna.load_study(
            study_name=self.name,
            storage=self.storage,
            sampler=TrialSeededSampler(self.plan.method.sampler, self.plan.seed),
            pruner=optuna.pruners.NopPruner(),  # `halving` decides which runs end early
        )

    def folder(self, number: int) -> Path:
        """The folder with the runs of a trial."""
        return self.path / TRIALS / f"{number:04d}"

    # ---- trials

    def trials(self) -> list[TrialRecord]:
        """All trials, by number. A trial that was started and has no worker is "waiting"."""
        with reading_journal(self.path / JOURNAL):
            return [self._record(trial) for trial in self.optuna_study.get_trials(deepcopy=False)]

    def _record(self, trial: FrozenTrial) -> TrialRecord:
        import optuna

        states = {
            optuna.trial.TrialState.COMPLETE: COMPLETE,
            optuna.trial.TrialState.PRUNED: PRUNED,
            optuna.trial.TrialState.FAIL: FAILED,
            optuna.trial.TrialState.RUNNING: RUNNING,
            optuna.trial.TrialState.WAITING: WAITING,
        }
        state, number = states[trial.state], f"trial {trial.number}"
        attributes: TrialAttributes = typed(TrialAttributes, trial.user_attrs, number)
        stored = attributes.get("told", StoredResult())
        if state == RUNNING and not self.has_worker(trial):
            state = WAITING
        params = trial.params or trial.system_attrs.get("fixed_params", {})
        folder = self.folder(trial.number)
        return TrialRecord(
            trial.number,
            attributes.get("stage", 0),
            self.plan.space.point_of(params),
            typed(float, trial.value, number) if state == COMPLETE else stored.get("value"),
            state,
            stored.get("reason", ""),
            stored.get("low"),
            stored.get("high"),
            stored.get("seconds", 0.0),
            stored.get("epochs", 0),
            str(folder.relative_to(self.path)) if folder.is_dir() else "",
            tuple(typed(float, v, number) for _, v in sorted(trial.intermediate_values.items())),
            attributes.get("parent"),
        )

    def stage(self, number: int) -> Stage:
        """Stage `number` of the method, given all trials before it."""
        plan = self.plan
        return plan.method.stage(
            number, plan.space, plan.trials, self.recipe.epochs, plan.seed, self.trials()
        )

    def ended_trials(self, stage: int) -> int:
        """How many trials of a stage have ended."""
        return sum(trial.ended for trial in self.trials() if trial.stage == stage)

    def winner(self) -> tuple[TrialRecord, Recipe] | None:
        """The best trial and its recipe, with the epochs that it was trained for."""
        best = ranked(self.trials(), self.plan.method.ranking_stage)
        return (best[0], self.recipe_of(best[0], self.stage(best[0].stage))) if best else None

    def recipe_of(self, trial: TrialRecord, stage: Stage | None = None) -> Recipe:
        """The recipe of a trial: the axes applied, the epochs of its stage, the weights of its
        parent, and its own seed with `seeds = "each"`."""
        recipe = self.plan.space.apply(self.recipe, trial.point)
        if stage is not None and stage.epochs is not None:
            recipe = recipe.but(epochs=stage.epochs)
        if trial.parent is not None:
            recipe = recipe.but(init=From(str((self.folder(trial.parent) / "run").resolve())))
        if self.plan.seeds == "each":
            seed = random_streams.seed_of(self.plan.seed, "trial", trial.number) % 2**31
            recipe = recipe.but(seed=seed)
        return recipe

    # ---- workers

    def has_worker(self, trial: FrozenTrial) -> bool:
        """A worker runs the trial: it holds the trial's lock or, where that lock is on another
        machine, its last heartbeat is recent."""
        lock = self.folder(trial.number) / TRIAL_LOCK
        if not lock.is_file():
            start = trial.datetime_start.timestamp() if trial.datetime_start else 0.0
            last = max(float(trial.user_attrs.get(HEARTBEAT_ATTRIBUTE, 0.0)), start)
            return not self.has_shared_locks and time.time() - last < HEARTBEAT_TIMEOUT
        return is_locked(lock)

    def may_retry(self, number: int) -> bool:
        """Count a crash; False after MAX_CRASHES without progress. Caller holds the trial lock.

        Progress is a new checkpoint or a finished run in the trial's folder.
        """
        home = self.folder(number)
        progress = sorted(
            str(path.relative_to(home))
            for pattern in ("*/checkpoints/*", f"*/{WEIGHTS}")
            for path in home.glob(pattern)
        )
        try:
            before = typed(Crashes, parse_json((home / CRASHES).read_bytes()))
        except (OSError, SchemaError):
            before = Crashes()
        times = before.times + 1 if list(before.got) == progress else 1
        write_atomically(home / CRASHES, json.dumps({"got": progress, "times": times}))
        return bool(times <= MAX_CRASHES)

    def reset_crashes(self, number: int) -> None:
        """Forget the crashes of a trial: a signal ended its worker, not a kill."""
        delete_file(self.folder(number) / CRASHES)

    @contextmanager
    def selecting(self) -> Iterator[None]:
        """Hold the lock under which trials are chosen, on all machines that share the folder."""
        with acquire_lock(self.path / SELECTION_LOCK):
            yield

    def requeue_abandoned(self, study: Study) -> None:
        """Queue the running trials that have no worker. Caller holds the selection lock."""
        import optuna

        for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
            if not self.has_worker(trial):
                self.requeue(trial._trial_id)

    def requeue(self, trial_id: int) -> None:
        """Put a started trial back into the queue; its runs are resumed. One that has just ended
        stays as it is."""
        import optuna

        with suppress(optuna.exceptions.UpdateFinishedTrialError):
            self.storage.set_trial_state_values(trial_id, state=optuna.trial.TrialState.WAITING)

    def enqueue(self, study: Study, number: int, stage: Stage) -> None:
        """Queue the points of a stage that are not in the storage yet. Caller holds the selection
        lock."""
        trials = study.get_trials(deepcopy=False)
        queued = {t.user_attrs.get("place") for t in trials if t.user_attrs.get("stage") == number}
        parents: Sequence[int | None] = stage.parents or (None,) * len(stage.queue)
        for place, (point, parent) in enumerate(zip(stage.queue, parents, strict=True)):
            if place not in queued:
                study.enqueue_trial(
                    self.plan.space.labels(point),
                    user_attrs={"stage": number, "place": place, "parent": parent},
                )

    def claim(self, stage_number: int, stage: Stage) -> tuple[Any, HeldLock] | None:
        """Claim a trial: an abandoned one, one of the queue, or a new one; None where none is left.

        Returns:
            Optuna's trial, and its lock, which the worker holds while it runs the trial.
        """
        import optuna

        study = self.optuna_study
        with self.selecting():
            self.requeue_abandoned(study)
            if stage.queue:
                self.enqueue(study, stage_number, stage)
            trials = [
                t
                for t in study.get_trials(deepcopy=False)
                if t.user_attrs.get("stage", stage_number) == stage_number
            ]
            waiting = any(t.state == optuna.trial.TrialState.WAITING for t in trials)
            if not waiting and len(trials) >= stage.trials:
                return None
            trial = study.ask()
            trial.set_user_attr("stage", stage_number)
            # Also for a queued point, which lies in the space: Optuna needs one space for all.
            self.plan.space.suggest(trial)
            folder = self.folder(trial.number)
            make_folder(folder)
            return trial, acquire_lock(folder / TRIAL_LOCK)
