"""`baselines`: what simple models of scikit-learn score on the same split, beside a network."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from math import isqrt, prod
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from netwise.data.content import FileKey, files_key
from netwise.data.dataset import Data, Pairs, Samples
from netwise.data.lazy_rows import pieces_of
from netwise.history import BesideBaseline
from netwise.recipe.prepared import Prepared, prepare
from netwise.scoring.answers import AnsweredClasses, AnsweredNumbers, Answers
from netwise.scoring.metrics import METRICS, Metric, metric_named
from netwise.scoring.score import Score
from netwise.tasks import task_named
from netwise.training.chosen_metric import chosen_metric, weights_of
from netwise.training.divergence import diverged
from netwise.training.run import Run
from netwise.training.run_scores import TEST, VALIDATION, scores

GUESS, LINEAR, BOOSTING = "guess", "linear", "gradient boosting"
# Training rows times features, times classes where there are more than two: above, a model takes
# minutes.
MOST_WORK = {LINEAR: 300_000_000, BOOSTING: 100_000_000}
LEAVES, BINS = 31, 256  # of gradient boosting: each leaf looks at all bins of all features
MOST_FEATURES = 1024  # larger pictures are averaged down first


@dataclass(frozen=True)
class Baseline:
    """One simple model.

    Args:
        name: "guess" (the majority class, or the mean), "linear" or "gradient boosting".
        model: the class of scikit-learn.
        scores: on the validation and the test part, by the name of the part.
        seconds: that it took.
        left_out: why it was not trained; "".

    Example:
        >>> import netwise as nw
        >>> nw.Baseline("guess", "DummyClassifier", {}).left_out
        ''
    """

    name: str
    model: str
    scores: dict[str, tuple[Score, ...]]
    seconds: float = 0.0
    left_out: str = ""

    def score(self, part: str, metric: str) -> Score | None:
        """The score of this metric on a part; None where it was not measured."""
        found = self.scores.get(part, ())
        return next((score for score in found if score.name == metric), None)


@dataclass(frozen=True)
class Baselines:
    """Simple models beside a network, on the same split.

    Args:
        metric: by which they are compared.
        network: scores of the network by this metric, by the name of the part.
        models: the simple models.

    Example:
        >>> import netwise as nw
        >>> found = nw.baselines(nw.fit(nw.suggest(nw.data.iris(), epochs=30)))
        >>> [each.name for each in found.models]
        ['guess', 'linear', 'gradient boosting']
    """

    metric: str
    network: dict[str, Score]
    models: tuple[Baseline, ...]

    @property
    def seconds(self) -> float:
        """What all of them took."""
        return sum(each.seconds for each in self.models)

    def best(self, part: str = TEST) -> tuple[Baseline, Score] | None:
        """The best simple model and its score; None where none was measured."""
        metric = metric_named(self.metric)
        found = [(each, score) for each in self.models if (score := each.score(part, self.metric))]
        return max(found, key=lambda pair: metric.goal(pair[1].value), default=None)

    @property
    def part(self) -> str:
        """The part that is told of: the test part where the network was scored on it."""
        return TEST if TEST in self.network else VALIDATION

    @property
    def is_better(self) -> bool:
        """Whether a simple model is better than the network."""
        own, best = self.network.get(self.part), self.best(self.part)
        if own is None or best is None:
            return False
        metric = metric_named(self.metric)
        return metric.goal(best[1].value) > metric.goal(own.value)

    def beside(self, part: str) -> BesideBaseline | None:
        """The best simple model beside the network on a part; None where either is not known."""
        own, best = self.network.get(part), self.best(part)
        if own is None or best is None:
            return None
        model, score = best
        return BesideBaseline(
            TITLES[model.name],
            own.name,
            score.value,
            own.value,
            own.low,
            own.high,
            metric_named(own.name).higher_is_better,
            score.low,
            score.high,
        )

    @property
    def sentence(self) -> str:
        """The network beside the best simple model, and what all of them took."""
        own, best = self.network.get(self.part), self.best(self.part)
        if own is None or best is None:
            return ""
        model, score = best
        name = TITLES[model.name]
        values = f"{score.title} {score.value_text} against {own.value_text} of the network"
        fact = self.beside(self.part)
        if fact is None or fact.lead <= 0:
            text = f"Best baseline: {name}, {values}"
        elif fact.lead <= fact.reach:
            text = f"No better than a baseline: {name} has {values}, which chance may explain"
        else:
            text = f"Worse than a baseline: {name} has {values}"
        return f"{text} ({self.part} part; baselines took {self.seconds:.1f} s)."

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON."""
        return {
            "metric": self.metric,
            "part": self.part,
            "better": self.is_better,
            "sentence": self.sentence,
            "seconds": round(self.seconds, 3),
            "models": [
                {
                    "name": each.name,
                    "model": each.model,
                    "seconds": round(each.seconds, 3),
                    "left_out": each.left_out or None,
                    **{
                        part: {score.name: asdict(score) for score in found}
                        for part, found in each.scores.items()
                    },
                }
                for each in self.models
            ],
        }


TITLES = {GUESS: "guessing", LINEAR: "a linear model", BOOSTING: "gradient boosting"}


def baselines(run: Run, prepared: Prepared | None = None) -> Baselines | None:
    """Train simple models of scikit-learn on the training part of a run, and score them on the same
    validation and test part: the majority class or the mean, a linear model (logistic regression,
    ridge regression) and histogram gradient boosting, all with their defaults.

    They get the encoded inputs, before the recipe's preprocessing; pictures of more than 1,024
    numbers averaged down to fewer. One that would take minutes is left out, with the reason.

    Args:
        run: of classification or regression of single samples.
        prepared: the run's data, where they are prepared already. Default: they are loaded.

    Returns:
        The baselines; None for other tasks, where no simple model has the same targets.

    Raises:
        DataMissing, DataError: the data cannot be loaded.

    Example:
        >>> import netwise as nw
        >>> found = nw.baselines(nw.fit(nw.suggest(nw.data.diabetes(), epochs=5)))
        >>> found.is_better, found.best("test")[0].name
        (True, 'linear')
    """
    data = prepare(run.recipe) if prepared is None else prepared
    samples = data.loaded
    task = task_named(run.pipeline.task)
    is_plain = samples.train.x.is_floating_point() and samples.train.y.dim() == (
        1 if task.has_classes else 2
    )
    if not is_plain or not (task.has_classes or task.has_values) or run.recipe.network.is_memory:
        return None
    metric = chosen_metric(run.recipe, samples)
    name = metric.name if metric is not None else "accuracy" if task.has_classes else "r2"
    parts = [TEST] if run.score is not None else []
    parts += [VALIDATION] if len(samples.valid) else []
    own = {part: scores(run, part, data).of(name) for part in parts}
    models = _models(run.recipe.data, files_key(run.recipe.data.files()))
    return Baselines(name, {part: score for part, score in own.items() if score}, models)


@lru_cache(maxsize=4)
def _models(data: Data, content: tuple[FileKey, ...]) -> tuple[Baseline, ...]:
    """The simple models of these data; kept for the next run on equal data with equal files."""
    samples = data.load()
    has_classes = task_named(samples.task).has_classes
    return tuple(_measured(each, samples, has_classes) for each in TITLES)


def with_best_baseline(run: Run) -> Run:
    """`beside_baselines` of a run whose simple models are trained here, where it has any."""
    if diverged(run) or not len(run.recipe.data.load().valid):
        return run
    found = baselines(run)
    return run if found is None else beside_baselines(run, found)


def beside_baselines(run: Run, found: Baselines) -> Run:
    """The run with a history that knows the best simple model on the validation part, which the
    rule `behind_baseline` reads."""
    fact = found.beside(VALIDATION)
    if fact is None:
        return run
    facts = replace(run.history.facts, baseline=fact)
    return replace(run, history=run.history.but(facts=facts))


def _measured(name: str, samples: Samples, has_classes: bool) -> Baseline:
    """One model, trained and scored."""
    start = time.perf_counter()
    model = _model(name, has_classes, samples.train.y.shape[-1])
    kind = type(getattr(model, "estimator", model)).__name__
    kind = type(model[-1]).__name__ if kind == "Pipeline" else kind
    if name != GUESS and _work(name, samples, has_classes) > MOST_WORK[name]:
        reason = (
            f"{len(samples.train):,} rows of {_features(samples.train.x):,} features would take it "
            "minutes"
        )
        return Baseline(name, kind, {}, left_out=reason)
    try:
        answer = _fitted(model, samples, has_classes)
        found = {
            part: _scores(answer(pairs))
            for part, pairs in ((VALIDATION, samples.valid), (TEST, samples.test))
            if len(pairs)
        }
    except ValueError as error:  # one class alone, inputs that are not finite
        return Baseline(name, kind, {}, left_out=str(error).splitlines()[0][:200])
    return Baseline(name, kind, found, time.perf_counter() - start)


def _scores(answers: Answers) -> tuple[Score, ...]:
    return tuple(each.score(answers) for each in _usable(answers))


def _usable(answers: Answers) -> list[Metric]:
    enough = len(answers) > 1
    return [each for each in METRICS if each.can_measure(answers) and (enough or each.name != "r2")]


def _model(name: str, has_classes: bool, targets: int) -> Any:
    """The model of scikit-learn of this name, with its defaults."""
    from sklearn.dummy import DummyClassifier, DummyRegressor  # heavy
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.multioutput import MultiOutputRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if name == GUESS:
        return DummyClassifier(strategy="prior") if has_classes else DummyRegressor()
    if name == LINEAR:
        last = LogisticRegression(max_iter=300) if has_classes else Ridge()
        return make_pipeline(StandardScaler(), last)
    if has_classes:
        return HistGradientBoostingClassifier(random_state=0)
    boosting = HistGradientBoostingRegressor(random_state=0)
    return boosting if targets == 1 else MultiOutputRegressor(boosting)


def _fitted(model: Any, samples: Samples, has_classes: bool) -> Callable[[Pairs], Answers]:
    """A function from a part to the answers of the model, trained on the training part."""
    train, classes = samples.train, len(samples.classes)
    mean, scale = samples.target_mean.double().numpy(), samples.target_scale.double().numpy()

    def numbers(y: Any) -> np.ndarray:
        values: np.ndarray = np.asarray(y, dtype=np.float64).reshape(len(y), -1) * scale + mean
        return values

    y = train.y.numpy() if has_classes else train.y.double().numpy()
    weight = None if train.weight is None else train.weight.double().numpy()
    rows = _no_rows if type(model).__name__.startswith("Dummy") else _rows
    last = f"{model.steps[-1][0]}__sample_weight" if hasattr(model, "steps") else "sample_weight"
    weights = {} if weight is None else {last: weight}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a model that has not converged is a baseline as well
        model.fit(rows(train), y if has_classes or y.shape[1] > 1 else y[:, 0], **weights)

    def of_classes(part: Pairs) -> Answers:
        share = np.zeros((len(part), classes))
        share[:, model.classes_] = model.predict_proba(rows(part))
        share /= share.sum(1, keepdims=True)  # boosting sums in float32
        return AnsweredClasses.of_probabilities(part.y.numpy(), share, weights_of(part))

    def of_numbers(part: Pairs) -> Answers:
        answer = numbers(model.predict(rows(part)))
        truth = numbers(part.y.double().numpy())
        return AnsweredNumbers(truth, answer, weights_of(replace(part, y=part.y[:, 0])))

    return of_classes if has_classes else of_numbers


def _work(name: str, samples: Samples, has_classes: bool) -> int:
    """About how much a model computes, in rows times features."""
    rows = len(samples.train)
    if name == BOOSTING:
        rows += BINS * min(LEAVES, rows // 20)  # a leaf has 20 rows at least
    models = max(1, len(samples.classes) - 1) if has_classes else 1
    return rows * _features(samples.train.x) * models


def _features(x: Tensor) -> int:
    """How many numbers of a sample the models get."""
    shape = x.shape[1:]
    return shape[0] * prod(_averaged(shape)) if _is_large(shape) else prod(shape)


def _is_large(shape: torch.Size) -> bool:
    return len(shape) == 3 and prod(shape) > MOST_FEATURES


def _averaged(shape: torch.Size) -> tuple[int, int]:
    """Height and width of a picture that is averaged down."""
    side = max(1, isqrt(MOST_FEATURES // shape[0]))
    return min(side, shape[1]), min(side, shape[2])


def _rows(part: Pairs) -> np.ndarray:
    """What a model gets of a part: (samples, features)."""
    x = part.x
    if _is_large(x.shape[1:]) and len(part):
        size = _averaged(x.shape[1:])
        x = torch.cat([adaptive_avg_pool2d(piece, size) for piece in pieces_of(x)])
    rows: np.ndarray = x.reshape(len(part), -1).numpy()
    return rows


def _no_rows(part: Pairs) -> np.ndarray:
    """What a guess gets, which looks at no inputs: they need not be in memory."""
    return np.zeros((len(part), 1))
