"""The study on disk: what is searched, what was tried, who is at work on it. Every process may end
at any moment.

search.toml      the space, the method, how many trials
recipe.toml      the recipe that the axes change
journal.log      Optuna's journal, where no other storage is named
trials/0007/     the run folder of a trial, or those of its folds
fresh/           runs of the winner over fresh seeds
best.toml        the winner as a recipe
outcome.json     the result
report.html      the same to look at
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from netwise import random_streams
from netwise.errors import Problem, RunFolderError, WrongValue
from netwise.networks import CustomNetwork, Network
from netwise.recipe.foreign_code import code_within
from netwise.recipe.reader import read_recipe
from netwise.recipe.recipe import Recipe
from netwise.recipe.writer import write_recipe
from netwise.searches.axes import Space
from netwise.searches.methods import COMPLETE, FAILED, PRUNED, RUNNING, WAITING, Stage, TrialRecord
from netwise.searches.plan import SearchPlan
from netwise.searches.plan_file import plan_hash, read_plan, write_plan
from netwise.storage.layout import RECIPE, SEARCH, WEIGHTS
from netwise.training.run import with_custom_network

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

JOURNAL, TRIALS, FRESH, BEST = "journal.log", "trials", "fresh", "best.toml"
HEARTBEAT_TIMEOUT = (
    120.0  # seconds without a sign of life, of a worker whose locks cannot be seen from here
)
HEARTBEAT_INTERVAL = 20.0
# times that the worker of a trial may be killed, alone at work, without the trial getting further
MAX_CRASHES = 3
TOLD = "told"  # of a trial in the storage: everything that its worker said at its end, in one write
NAME = "netwise"  # of the study within its storage


class _JournalLock:
    """Optuna's journal behind a lock of the system, which lets go when its holder dies; a line that
    was cut off is taken away."""

    def __init__(self, path: Path) -> None:
        self.path, self._held = path, list[IO[str]]()

    def acquire(self) -> bool:
        file = open(f"{self.path}.lock", "w")  # noqa: SIM115  # held until release
        fcntl.flock(file, fcntl.LOCK_EX)
        self._held.append(file)
        _whole_lines(self.path)
        return True

    def release(self) -> None:
        self._held.pop().close()


def _whole_lines(path: Path) -> None:
    """Cut what follows the last line end: a write that a kill interrupted. The next line would be
    glued to it."""
    with open(path, "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        if not size:
            return
        file.seek(size - 1)
        if file.read(1) == b"\n":
            return
        back = min(size, 1 << 20)
        file.seek(size - back)
        file.truncate(size - back + file.read().rfind(b"\n") + 1)


def _storage(folder: Path, url: str | None) -> Any:
    import optuna
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if url is not None:
        from sqlalchemy.pool import NullPool

        return optuna.storages.RDBStorage(
            url, engine_kwargs={"poolclass": NullPool}
        )  # a worker that ends leaves no connection open
    journal = folder / JOURNAL
    return optuna.storages.JournalStorage(
        JournalFileBackend(str(journal), lock_obj=_JournalLock(journal))  # type: ignore[arg-type]
    )


@dataclass(frozen=True, eq=False)
class StudyFolder:
    """One study, as every worker opens it for itself.

    Args:
        path: its folder.
        recipe, plan: what the axes change, and the plan.
        storage: Optuna's, journal or database; url: of the database, with its password, or None.
        name: of the study in the storage.
    """

    path: Path
    recipe: Recipe
    plan: SearchPlan
    storage: Any
    url: str | None
    name: str
    space_from_caller: (
        bool  # the space came from the user himself, and from no file: what it names is his
    )
    _studies: dict[int, Study] = field(
        default_factory=dict, init=False, repr=False
    )  # as Optuna has it, by the epochs of a stage

    @staticmethod
    def create(
        path: Path, recipe: Recipe, search: SearchPlan, url: str | None = None
    ) -> StudyFolder:
        """A new study in a new or empty folder.

        Raises:
            RunFolderError: the folder holds something.
        """
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise RunFolderError(
                f"{path} is there already and holds something: choose another folder, or go on with it by resume"
            )
        (path / TRIALS).mkdir()
        write_recipe(recipe, path / RECIPE)
        write_plan(search, path / SEARCH, url)
        return StudyFolder.open(path, url, search.space, recipe.network)

    @staticmethod
    def open(
        path: str | Path,
        url: str | None = None,
        space: Space | None = None,
        network: Network | None = None,
    ) -> StudyFolder:
        """An existing study; `space` where its axes have functions of the user's own, `network`
        where it is: no file holds them.

        Raises:
            RunFolderError: no study.
        """
        import optuna

        path = Path(path)
        if not (path / SEARCH).is_file() or not (path / RECIPE).is_file():
            raise RunFolderError(f"{path} is no study: it has no {SEARCH}.")
        search, kept_url, own = read_plan(path / SEARCH)
        if space is None and own:
            raise RunFolderError(
                f"{path}: the axes {', '.join(own)} change the recipe by functions of the user's own: hand the space over again"
            )
        url = url or kept_url
        if url is not None and ":***@" in url:
            raise RunFolderError(
                f"{path}: its storage is {url}, and passwords are not kept: name the storage again"
            )
        search = search if space is None else search.but(space=space)
        storage = _storage(path, url)
        name = (
            NAME if url is None else f"{NAME}-{path.name}-{plan_hash(search.but(trials=1))}"
        )  # there may be more trials on another day
        optuna.create_study(
            study_name=name, storage=storage, direction="maximize", load_if_exists=True
        )
        recipe = read_recipe(path / RECIPE)
        if network is not None:
            recipe = with_custom_network(recipe, network, path)
        return StudyFolder(path, recipe, search, storage, url, name, space is not None)

    @property
    def shared(self) -> bool:
        """The storage is this folder's own journal: whoever works on the study sees the folder's
        locks."""
        return (self.path / JOURNAL).is_file()

    def optuna_study(self, epochs: int | None = None) -> Study:
        """The study as Optuna has it, with the sampler of the method, seeded by the number of each
        trial."""
        import optuna

        from netwise.searches.samplers import TrialSeededSampler

        epochs = epochs or self.recipe.epochs
        if epochs not in self._studies:
            method = self.plan.method
            sampler, pruner = (
                TrialSeededSampler(method.sampler, self.plan.seed),
                method.pruner(epochs) or optuna.pruners.NopPruner(),
            )
            self._studies[epochs] = optuna.load_study(
                study_name=self.name, storage=self.storage, sampler=sampler, pruner=pruner
            )
        return self._studies[epochs]

    def folder(self, number: int) -> Path:
        """Where the runs of a trial lie."""
        return self.path / TRIALS / f"{number:04d}"

    # ---- what was tried

    def trials(self) -> list[TrialRecord]:
        """All trials, by number. One that nobody is at work on, though it was begun, is waiting."""
        return [self._tried(trial) for trial in self.optuna_study().get_trials(deepcopy=False)]

    def _tried(self, trial: FrozenTrial) -> TrialRecord:
        import optuna

        states = {
            optuna.trial.TrialState.COMPLETE: COMPLETE,
            optuna.trial.TrialState.PRUNED: PRUNED,
            optuna.trial.TrialState.FAIL: FAILED,
            optuna.trial.TrialState.RUNNING: RUNNING,
            optuna.trial.TrialState.WAITING: WAITING,
        }
        state, placed, told = states[trial.state], trial.user_attrs, trial.user_attrs.get(TOLD, {})
        if state == RUNNING and not self.is_held(trial):
            state = WAITING
        params = trial.params or trial.system_attrs.get("fixed_params", {})
        folder = self.folder(trial.number)
        return TrialRecord(
            trial.number,
            int(placed.get("stage", 0)),
            self.plan.space.point_of(params),
            trial.value if state == COMPLETE else told.get("value"),
            state,
            str(told.get("reason", "")),
            told.get("low"),
            told.get("high"),
            float(told.get("seconds", 0.0)),
            int(told.get("epochs", 0)),
            str(folder.relative_to(self.path)) if folder.is_dir() else "",
            tuple(value for _, value in sorted(trial.intermediate_values.items())),
            placed.get("parent"),
        )

    def stage(self, number: int) -> Stage:
        """Stage `number` of the method, after all that was tried before it."""
        search = self.plan
        return search.method.stage(
            number, search.space, search.trials, self.recipe.epochs, search.seed, self.trials()
        )

    # ---- who is at work

    def is_held(self, trial: FrozenTrial) -> bool:
        """Somebody is at work on a running trial: its lock is held or, where the lock lies on
        another machine, its worker gives signs of life."""
        claim = self.folder(trial.number) / ".claim"
        if not claim.is_file():
            began = trial.datetime_start.timestamp() if trial.datetime_start else 0.0
            beat = max(float(trial.user_attrs.get("beat", 0.0)), began)
            return not self.shared and time.time() - beat < HEARTBEAT_TIMEOUT
        with open(claim, "a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def may_retry(self, number: int) -> bool:
        """Whether a trial may be begun or gone on with once more; to be called by who is alone at
        work and holds its lock."""
        home = self.folder(number)
        got = sorted(
            str(path.relative_to(home))
            for pattern in ("*/checkpoints/*", f"*/{WEIGHTS}")
            for path in home.glob(pattern)
        )
        try:
            before = json.loads((home / ".lives").read_text("utf-8"))
        except (OSError, ValueError):
            before = {}
        times = before["times"] + 1 if before.get("got") == got else 1
        (home / ".lives").write_text(json.dumps({"got": got, "times": times}))
        return bool(times <= MAX_CRASHES)

    def reset_crashes(self, number: int) -> None:
        """A trial was left off by a signal: nothing killed its worker."""
        (self.folder(number) / ".lives").unlink(missing_ok=True)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Alone in choosing trials, on this machine and on all that share the folder."""
        with open(self.path / ".asking", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def requeue_abandoned(self, study: Study) -> None:
        """Trials whose worker is gone wait for another one; to be called inside `asking`."""
        import optuna

        for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
            if not self.is_held(trial):
                self.requeue(trial._trial_id)

    def requeue(self, trial_id: int) -> None:
        """A trial that was begun waits to be gone on with."""
        import optuna

        self.storage.set_trial_state_values(trial_id, state=optuna.trial.TrialState.WAITING)

    def enqueue(self, study: Study, number: int, stage: Stage) -> None:
        """The points that a stage knows before, each once; to be called inside `asking`."""
        there = [t for t in study.get_trials(deepcopy=False) if t.user_attrs.get("stage") == number]
        known = {t.user_attrs.get("place") for t in there}
        parents: Sequence[int | None] = stage.parents or (None,) * len(stage.queue)
        for place, (point, parent) in enumerate(zip(stage.queue, parents, strict=True)):
            if place not in known:
                study.enqueue_trial(
                    self.plan.space.labels(point),
                    user_attrs={"stage": number, "place": place, "parent": parent},
                )

    def claim(self, stage_number: int, stage: Stage) -> tuple[Any, IO[str]] | None:
        """A trial to work on and the lock that says so: one that was left, one of the queue, or a
        new one; None where all are given out."""
        import optuna

        study = self.optuna_study(stage.epochs)
        with self.asking():
            self.requeue_abandoned(study)
            if stage.queue:
                self.enqueue(study, stage_number, stage)
            mine = [
                t
                for t in study.get_trials(deepcopy=False)
                if t.user_attrs.get("stage", stage_number) == stage_number
            ]
            waiting = [t for t in mine if t.state == optuna.trial.TrialState.WAITING]
            if not waiting and len(mine) >= stage.trials:
                return None
            trial = study.ask()
            trial.set_user_attr("stage", stage_number)
            self.plan.space.suggest(
                trial
            )  # points of a queue lie in it too, and Optuna wants one space for all
            folder = self.folder(trial.number)
            folder.mkdir(parents=True, exist_ok=True)
            lock = open(folder / ".claim", "a")  # noqa: SIM115  # held while the trial is worked on
            fcntl.flock(lock, fcntl.LOCK_EX)
            return trial, lock

    def recipe_of(self, tried: TrialRecord, stage: Stage | None = None) -> Recipe:
        """The recipe of a trial: the axes applied, the epochs of its stage, the weights of its
        parent, a seed of its own where asked."""
        from netwise.recipe.origin import From

        recipe = self.plan.space.apply(self.recipe, tried.point)
        named = (
            {str(recipe.network.source)}
            if isinstance(recipe.network, CustomNetwork) and recipe.network != self.recipe.network
            else set[str]()
        )
        named |= set(code_within(recipe)) - set(code_within(self.recipe))
        if named and not self.space_from_caller:
            told = "is code that the axes in a file name, and reading a file runs none: hand the space over again"
            raise WrongValue("search", [Problem("network.source", ", ".join(sorted(named)), told)])
        if stage is not None and stage.epochs is not None:
            recipe = recipe.but(epochs=stage.epochs)
        if tried.parent is not None:
            recipe = recipe.but(init=From(str((self.folder(tried.parent) / "run").resolve())))
        if self.plan.seeds == "each":
            recipe = recipe.but(
                seed=random_streams.seed_of(self.plan.seed, "trial", tried.number) % 2**31
            )
        return recipe

    def winner(self) -> tuple[TrialRecord, Recipe] | None:
        """The best trial and its recipe, for as many epochs as it had."""
        method = self.plan.method
        best = best_of(self.trials(), method.stages - 1 if method.final_stage_only else None)
        return None if best is None else (best, self.recipe_of(best, self.stage(best.stage)))


def best_of(tried: Sequence[TrialRecord], last_stage: int | None = None) -> TrialRecord | None:
    """The complete trial of the highest value; of equal ones the first. Where `last_stage` is
    given, of that stage."""
    done = [
        t
        for t in tried
        if t.state == COMPLETE
        and t.value is not None
        and (last_stage is None or t.stage == last_stage)
    ]
    return max(
        done, key=lambda t: (t.value if t.value is not None else 0.0, -t.number), default=None
    )
