"""Modes, statistics and inputs of training and evaluation: on passes made by hand."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import found, observed
from netwise import signals
from netwise.diagnosis.rules import evaluation


def test_training_in_evaluation_mode() -> None:
    def run(modes: list[float]) -> nw.Finding | nw.Unchecked | None:
        return evaluation.evaluation_mode_in_training(observed({signals.TRAINING_MODE: modes}))

    finding = found(run([1.0, 1.0, *[0.0] * 8]))
    assert finding.sentence.startswith("8 of 10 watched training steps ran in evaluation mode")
    assert finding.steps == (20, 90)
    assert run([1.0] * 9 + [0.0]) is None
    missing = evaluation.evaluation_mode_in_training(observed())
    assert missing == nw.Unchecked(evaluation.NO_MODES)


def test_evaluation_in_training_mode() -> None:
    def run(modes: list[float]) -> nw.Finding | nw.Unchecked | None:
        return evaluation.training_mode_in_evaluation(observed({signals.EVALUATION_MODE: modes}))

    assert "4 of 4 observed evaluations" in found(run([0.0] * 4)).sentence
    assert run([1.0, 1.0, 0.0]) is None
    assert isinstance(run([0.0]), nw.Unchecked)  # one pass may be a trial of shapes
    once = observed({signals.EVALUATION_MODE: [0.0]}, normed_by_evaluated=True)
    answer = evaluation.training_mode_in_evaluation(once)
    assert "1 of 1 observed evaluations" in found(answer).sentence


def test_evaluated_rows_that_were_scaled_by_themselves() -> None:
    answer = evaluation.evaluation_prepared_otherwise(observed(scaled_by_itself="moments"))
    assert "each feature has mean 0 and standard deviation 1, exactly" in found(answer).sentence
    assert "StandardScaler().fit(x_train)" in found(answer).change
    answer = evaluation.evaluation_prepared_otherwise(observed(scaled_by_itself="range"))
    assert "MinMaxScaler().fit(x_train)" in found(answer).change
    good = observed({signals.VALID_LOSS: [0.2, 0.2]}, final=0.1, scaled_by_itself="range")
    assert evaluation.evaluation_prepared_otherwise(good) is None


@pytest.mark.parametrize(
    ("mean", "variance", "words"),
    [(1.05, 1.2, "off by 1.05 "), (0.1, 1.5, "by a factor of 4.48"), (0.7, 0.1, "off by 0.70 ")],
)
def test_running_statistics_that_do_not_fit(mean: float, variance: float, words: str) -> None:
    run = observed(
        {
            signals.NORM_MEAN_OFFSET: [0.1, 0.1, mean, mean],
            signals.NORM_VARIANCE_RATIO: [0.1, 0.1, variance, variance],
        }
    )
    assert words in found(evaluation.running_statistics_misfit(run)).sentence


def test_running_statistics_that_fit() -> None:
    fitting = {signals.NORM_MEAN_OFFSET: [3.0, 0.12], signals.NORM_VARIANCE_RATIO: [5.0, 0.15]}
    assert evaluation.running_statistics_misfit(observed(fitting)) is None
    off = {signals.NORM_MEAN_OFFSET: [2.0] * 4}
    good = observed({**off, signals.VALID_LOSS: [0.2, 0.2]}, final=0.1)
    assert evaluation.running_statistics_misfit(good) is None  # its evaluation is right
    assert found(evaluation.running_statistics_misfit(observed(off, final=0.1)))
    at_times = observed({**off, signals.VALID_LOSS: [2.0, 0.2, 1.8, 1.9]}, final=0.1)
    assert found(evaluation.running_statistics_misfit(at_times))  # one good evaluation is chance


def prepared(
    mean: float, std: float, final: float = 2.3, evaluations: int = 3
) -> nw.Finding | nw.Unchecked | None:
    """Training inputs of mean 0 and standard deviation 1, and evaluation inputs of these."""
    values = {
        signals.EVALUATION_INPUT_MEAN: mean,
        signals.EVALUATION_INPUT_STD: std,
        signals.EVALUATION_INPUT_OFFSET: abs(mean),
        signals.EVALUATION_INPUT_RATIO: std,
        signals.VALID_LOSS: final,
    }
    whole = {
        signals.TRAINING_INPUT_MEAN: [0.0] * 3,
        signals.TRAINING_INPUT_STD: [1.0] * 3,
        **{signal: [value] * evaluations for signal, value in values.items()},
    }
    run = observed(whole, final=final)
    return evaluation.evaluation_prepared_otherwise(
        run.but(data=nw.DataFacts(beyond_training=0.0)) if evaluations == 1 else run
    )


def test_a_single_evaluation_shows_its_scale_and_not_its_mean() -> None:
    """A part of the data, such as another season, may have another mean."""
    assert prepared(2.0, 1.0, evaluations=1) is None
    assert found(prepared(2.0, 0.01, evaluations=1)).rule == "evaluation_prepared_otherwise"


def test_evaluation_inputs_that_are_prepared_otherwise() -> None:
    finding = found(prepared(35.0, 110.0))
    assert finding.sentence.startswith(
        "Inputs have mean 0 and standard deviation 1 in training, 35 and 110 in evaluation."
    )
    assert len(finding.evidence) == 2
    assert found(prepared(0.0, 0.2)).evidence[0].value == pytest.approx(5)
    assert found(prepared(0.0, 0.0)).strength > 1
    assert prepared(0.5, 2.5) is None
    assert prepared(35.0, 110.0, final=0.1) is None  # its evaluation is right


def test_moments_of_single_features_count_where_they_were_recorded() -> None:
    """All features shifted by two of their standard deviations, in both directions: the mean of all
    numbers is as before."""
    shifted = observed(
        {
            signals.TRAINING_INPUT_MEAN: [0.0] * 3,
            signals.TRAINING_INPUT_STD: [1.0] * 3,
            signals.EVALUATION_INPUT_MEAN: [0.0] * 3,
            signals.EVALUATION_INPUT_STD: [2.2] * 3,
            signals.EVALUATION_INPUT_OFFSET: [2.0] * 3,
            signals.EVALUATION_INPUT_RATIO: [1.0] * 3,
        }
    )
    finding = found(evaluation.evaluation_prepared_otherwise(shifted))
    assert [each.value for each in finding.evidence] == [2]


def test_without_evaluations_nothing_is_known_of_their_inputs() -> None:
    whole = {signals.TRAINING_INPUT_MEAN: [0.0] * 6, signals.TRAINING_INPUT_STD: [1.0] * 6}
    answer = evaluation.evaluation_prepared_otherwise(observed(whole))
    assert answer == nw.Unchecked(evaluation.NO_EVALUATION)


def with_models(data: nw.DataFacts, mean: float, std: float) -> nw.Finding | nw.Unchecked | None:
    """As `prepared`, without a loss of the evaluation, and with scores of simple models."""
    whole = {
        signals.TRAINING_INPUT_MEAN: [0.0] * 4,
        signals.TRAINING_INPUT_STD: [1.0] * 4,
        signals.EVALUATION_INPUT_MEAN: [mean] * 4,
        signals.EVALUATION_INPUT_STD: [std] * 4,
        signals.EVALUATION_INPUT_OFFSET: [mean] * 4,
        signals.EVALUATION_INPUT_RATIO: [std] * 4,
    }
    return evaluation.evaluation_prepared_otherwise(observed(whole).but(data=data))


@pytest.mark.parametrize(
    ("before", "after", "grade"),
    [(0.2, 0.9, "cause"), (0.85, 0.9, ""), (0.1, 0.12, "suspect"), (0.5, 0.45, "")],
    ids=["scale", "harmless", "not predictable", "another population"],
)
def test_inputs_of_another_scale_do_harm(before: float, after: float, grade: str) -> None:
    data = nw.DataFacts(
        evaluation_chance_score=0.1, evaluation_linear_score=before, evaluation_rescaled_score=after
    )
    answer = with_models(data, 5.0, 1.0)
    assert (answer.grade if isinstance(answer, nw.Finding) else "") == grade


@pytest.mark.parametrize(("after", "found"), [(0.8, True), (0.45, False)])
def test_some_features_of_another_scale(after: float, found: bool) -> None:
    """Over all features the scale differs by less than the limit; simple models show the harm."""
    data = nw.DataFacts(
        evaluation_chance_score=0.4, evaluation_linear_score=0.6, evaluation_rescaled_score=after
    )
    answer = with_models(data, 0.1, 2.5)
    assert isinstance(answer, nw.Finding) is found
    assert not found or answer.grade == "cause"  # type: ignore[union-attr]


def test_a_few_training_rows_of_another_size_are_no_other_preparation() -> None:
    whole = {
        signals.TRAINING_INPUT_MEAN: [12.0] * 3,
        signals.TRAINING_INPUT_STD: [180.0] * 3,
        signals.EVALUATION_INPUT_MEAN: [0.0] * 3,
        signals.EVALUATION_INPUT_STD: [1.0] * 3,
        signals.EVALUATION_INPUT_OFFSET: [0.1] * 3,
        signals.EVALUATION_INPUT_RATIO: [1 / 180] * 3,
    }
    batches = {signals.INPUT_MEAN: [0.0] * 9 + [80.0], signals.INPUT_STD: [1.0] * 9 + [900.0]}
    rule = evaluation.evaluation_prepared_otherwise
    assert found(rule(observed(whole)))
    assert rule(observed({**whole, **batches})) is None


@pytest.mark.parametrize(
    ("across", "apart", "is_found"),
    [(0.15, 1.0, True), (0.15, 0.1, False), (0.8, 1.0, False)],
    ids=["others", "other classes", "harmless"],
)
def test_evaluated_inputs_with_other_axes(across: float, apart: float, is_found: bool) -> None:
    """Transposed pictures: either part can be predicted, and the one says nothing of the other."""
    data = nw.DataFacts(
        class_targets=True,
        inputs_apart=apart,
        evaluation_chance_score=0.1,
        evaluation_linear_score=across,
        inside_training_score=0.95,
        inside_training_chance=0.1,
        inside_evaluation_score=0.95,
        inside_evaluation_chance=0.1,
    )
    answer = with_models(data, 0.0, 1.0)
    assert isinstance(answer, nw.Finding) == is_found


def test_statistics_that_cost_an_evaluation_much_though_it_is_fair() -> None:
    """0.9 instead of 0.98 is lost on the way from training batches to evaluation."""
    off = {
        signals.NORM_MEAN_OFFSET: [1.0] * 4,
        signals.VALID_LOSS: [0.3] * 4,
        signals.VALID_ACCURACY: [0.9] * 8,
        signals.ACCURACY: [0.97] * 8,
    }
    data = nw.DataFacts(class_targets=True, evaluation_linear_score=0.97, evaluation_samples=400)
    run = observed(off, final=0.1)
    assert evaluation.running_statistics_misfit(run) is None
    assert found(evaluation.running_statistics_misfit(run.but(data=data)))
