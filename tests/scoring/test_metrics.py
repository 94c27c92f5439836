"""Metrics equal those of scikit-learn, and their intervals closed forms and resampling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn import metrics as reference

from netwise.errors import UnknownName
from netwise.intervals import wilson
from netwise.scoring.answers import AnsweredClasses, AnsweredNumbers, Answers
from netwise.scoring.metrics import METRICS, is_uneven, metric_named


def of_classes(samples: int = 400, classes: int = 3, seed: int = 0) -> AnsweredClasses:
    """Answers that are better than chance, with classes of unequal size."""
    rng = np.random.default_rng(seed)
    shares = np.arange(1, classes + 1) / np.arange(1, classes + 1).sum()
    truth = rng.choice(classes, samples, p=shares)
    logits = rng.normal(size=(samples, classes)) + 1.5 * np.eye(classes)[truth]
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return AnsweredClasses.of_probabilities(truth, probability)


def of_numbers(samples: int = 400, targets: int = 1, seed: int = 0) -> AnsweredNumbers:
    rng = np.random.default_rng(seed)
    truth = rng.normal(100, 20, (samples, targets))
    return AnsweredNumbers(truth, truth + rng.normal(0, 5, (samples, targets)))


def resampled(answers: Answers, rows: np.ndarray) -> Answers:
    if isinstance(answers, AnsweredNumbers):
        return AnsweredNumbers(answers.truth[rows], answers.answer[rows])
    assert answers.probability is not None
    return AnsweredClasses.of_probabilities(answers.truth[rows], answers.probability[rows])


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_metrics_of_classes_are_those_of_scikit_learn(classes: int) -> None:
    answers = of_classes(classes=classes)
    truth, answer, share = answers.truth, answers.answer, answers.probability
    assert share is not None
    scores = share[:, 1] if classes == 2 else share
    expected = {
        "accuracy": reference.accuracy_score(truth, answer),
        "balanced_accuracy": reference.balanced_accuracy_score(truth, answer),
        "macro_f1": reference.f1_score(truth, answer, average="macro"),
        "auc": reference.roc_auc_score(truth, scores, multi_class="ovr"),
        "log_loss": reference.log_loss(truth, share),
    }
    for name, value in expected.items():
        assert metric_named(name).value(answers) == pytest.approx(value, abs=1e-12), name


@pytest.mark.parametrize("targets", [1, 3])
def test_metrics_of_numbers_are_those_of_scikit_learn(targets: int) -> None:
    answers = of_numbers(targets=targets)
    pair = answers.truth, answers.answer
    assert metric_named("mae").value(answers) == reference.mean_absolute_error(*pair)
    assert metric_named("rmse").value(answers) == reference.root_mean_squared_error(*pair)
    assert metric_named("r2").value(answers) == reference.r2_score(*pair)


def test_the_calibration_error_is_that_of_its_definition() -> None:
    answers = of_classes()
    assert answers.probability is not None
    certainty, right = answers.probability.max(1), answers.right
    gap = 0.0
    for low in np.arange(15) / 15:
        inside = (certainty > low) & (certainty <= low + 1 / 15)
        if inside.any():
            gap += inside.mean() * abs(right[inside].mean() - certainty[inside].mean())
    assert metric_named("ece").value(answers) == pytest.approx(gap, abs=1e-12)


@pytest.mark.parametrize("name", [metric.name for metric in METRICS])
def test_intervals_are_about_those_of_a_bootstrap(name: str) -> None:
    metric, rng = metric_named(name), np.random.default_rng(1)
    answers: Answers = of_classes() if metric.has_classes else of_numbers()
    drawn = [
        metric.value(resampled(answers, rng.integers(0, len(answers), len(answers))))
        for _ in range(300)
    ]
    low, high = np.quantile(drawn, (0.025, 0.975))
    score = metric.score(answers)
    assert score.low <= score.value <= score.high
    assert (score.high - score.low) / (high - low) == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize("name", ["accuracy", "balanced_accuracy", "macro_f1", "auc"])
def test_a_perfect_share_of_few_samples_is_not_certain(name: str) -> None:
    truth = np.repeat([0, 1], [36, 4])
    score = metric_named(name).score(AnsweredClasses.of_probabilities(truth, np.eye(2)[truth]))
    assert score.value == score.high == 1
    least = {"accuracy": wilson(40, 40), "balanced_accuracy": (0.75, 1)}.get(name, wilson(4, 4))
    assert score.low == pytest.approx(least[0], abs=0.02)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30),
    st.floats(0, 1),
)
def test_every_score_of_any_answers_lies_in_its_interval(
    pairs: list[tuple[int, int]], certainty: float
) -> None:
    truth, answer = np.array(pairs).T
    share = certainty * np.eye(4)[answer] + (1 - certainty) / 4
    answers = AnsweredClasses(truth, answer, share, share)
    for metric in METRICS:
        if not metric.can_measure(answers):
            continue
        score = metric.score(answers)
        assert score.low <= score.value <= score.high
        if metric.higher_is_better:
            assert score.low >= -1e-9
            assert score.high <= 1 + 1e-9


def test_what_cannot_be_measured_is_left_out() -> None:
    one_class = AnsweredClasses.of_probabilities(np.zeros(5, int), np.full((5, 2), 0.5))
    assert not metric_named("auc").can_measure(one_class)
    without = AnsweredClasses(one_class.truth, one_class.answer, one_class.ranking)
    assert not metric_named("log_loss").can_measure(without)
    assert metric_named("accuracy").can_measure(without)
    assert not metric_named("mae").can_measure(without)


def test_uneven_classes() -> None:
    assert is_uneven(np.array([51, 10]))
    assert not is_uneven(np.array([50, 10]))
    assert not is_uneven(np.array([50, 0]))
    assert not is_uneven(np.array([50]))


def test_an_unknown_metric_names_those_that_exist() -> None:
    with pytest.raises(UnknownName, match="balanced_accuracy"):
        metric_named("balanced_acuracy")


def weights_of(answers: Answers, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 4, len(answers)).astype(float)


@pytest.mark.parametrize("classes", [2, 4])
def test_weighted_metrics_of_classes_are_those_of_scikit_learn(classes: int) -> None:
    plain = of_classes(classes=classes)
    weight = weights_of(plain)
    answers = replace(plain, weight=weight)
    truth, answer, share = answers.truth, answers.answer, answers.probability
    assert share is not None
    scores = share[:, 1] if classes == 2 else share
    by = {"sample_weight": weight}
    of_each = [
        reference.roc_auc_score(truth == k, share[:, k], **by)
        for k in ([1] if classes == 2 else range(classes))
    ]
    expected = {
        "accuracy": reference.accuracy_score(truth, answer, **by),
        "balanced_accuracy": reference.balanced_accuracy_score(truth, answer, **by),
        "macro_f1": reference.f1_score(truth, answer, average="macro", **by),
        "auc": np.mean(of_each),
        "log_loss": reference.log_loss(truth, share, **by),
    }
    for name, value in expected.items():
        assert metric_named(name).value(answers) == pytest.approx(value, abs=1e-12), name
        assert abs(value - metric_named(name).value(plain)) > 1e-4, name
    if classes == 2:
        assert expected["auc"] == pytest.approx(reference.roc_auc_score(truth, scores, **by))


@pytest.mark.parametrize("targets", [1, 3])
def test_weighted_metrics_of_numbers_are_those_of_scikit_learn(targets: int) -> None:
    plain = of_numbers(targets=targets)
    answers = replace(plain, weight=weights_of(plain))
    pair, by = (answers.truth, answers.answer), {"sample_weight": answers.weight}
    expected = {
        "mae": reference.mean_absolute_error(*pair, **by),
        "rmse": reference.root_mean_squared_error(*pair, **by),
        "r2": reference.r2_score(*pair, **by),
    }
    for name, value in expected.items():
        assert metric_named(name).value(answers) == pytest.approx(value, abs=1e-12), name


@pytest.mark.parametrize("plain", [of_classes(), of_classes(classes=2), of_numbers(targets=2)])
def test_a_weight_of_two_is_the_value_of_the_sample_twice(plain: Answers) -> None:
    weight = weights_of(plain) - 1  # 0: as if it were not there
    often = resampled(plain, np.repeat(np.arange(len(plain)), weight.astype(int)))
    for metric in METRICS:
        if metric.can_measure(plain):
            value = metric.value(replace(plain, weight=weight))
            assert value == pytest.approx(metric.value(often), abs=1e-12), metric.name


@pytest.mark.parametrize("plain", [of_classes(), of_classes(classes=2), of_numbers(targets=2)])
def test_equal_weights_change_no_score_and_unequal_ones_widen_the_interval(plain: Answers) -> None:
    lopsided = np.where(np.arange(len(plain)) % 10 == 0, 10.0, 0.1)
    for metric in METRICS:
        if not metric.can_measure(plain):
            continue
        score = metric.score(plain)
        same = metric.score(replace(plain, weight=np.full(len(plain), 3.0)))
        assert (same.value, same.low, same.high) == pytest.approx(
            (score.value, score.low, score.high), abs=1e-9
        ), metric.name
        wide = metric.score(replace(plain, weight=lopsided))
        assert wide.high - wide.low > 1.5 * (score.high - score.low), metric.name
