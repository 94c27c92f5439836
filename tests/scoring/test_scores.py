"""All scores of one part: the majority beside the accuracy, recalls, confusion, reliability."""

from __future__ import annotations

import json

import numpy as np
from sklearn.metrics import confusion_matrix, recall_score

from netwise.scoring.answers import AnsweredClasses, AnsweredNumbers
from netwise.scoring.score import Score
from netwise.scoring.scores import score_answers


def test_a_model_that_answers_the_majority_is_seen_as_one() -> None:
    truth = np.repeat([0, 1], [988, 12])
    share = np.tile([0.97, 0.03], (1000, 1))
    scores = score_answers(AnsweredClasses.of_probabilities(truth, share), "test", ("no", "yes"))
    assert scores.answers_majority
    assert scores.majority == "no"
    assert scores.majority_share == 0.988
    assert [each.recall for each in scores.classes] == [1, 0]
    assert scores.classes[1].precision is None
    assert scores.majority_sentence == (
        "Always answering 'no' would score 98.8 %; balanced accuracy 50.0 % (chance 50.0 %)."
    )
    json.dumps(scores.as_dict(), allow_nan=False)


def test_counts_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth, answer = rng.integers(0, 3, 90), rng.integers(0, 3, 90)
    share = np.eye(4)[answer] * 0.8 + 0.05
    scores = score_answers(AnsweredClasses(truth, answer, share, share), "test", tuple("abcd"))
    labels = range(4)
    assert np.array_equal(scores.confusion, confusion_matrix(truth, answer, labels=labels))
    recalls = recall_score(truth, answer, labels=[0, 1, 2], average=None)
    assert np.allclose([each.recall for each in scores.classes[:3]], recalls)
    assert np.isnan(scores.classes[3].recall)  # no sample of it
    assert sum(each.samples for each in scores.reliability) == 90
    json.dumps(scores.as_dict(), allow_nan=False)


def test_a_score_that_is_known_is_kept() -> None:
    answers = AnsweredNumbers(np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [2.0], [4.0]]))
    known = Score("r2", 0.5, 0.1, 0.9, 3)
    scores = score_answers(answers, "test", known=known)
    assert scores.of("r2") == known
    assert scores.majority_share is None
    assert scores.majority_sentence == ""
    assert not scores.answers_majority


def test_one_sample_has_no_variance_and_still_scores() -> None:
    numbers = score_answers(AnsweredNumbers(np.ones((1, 1)), np.zeros((1, 1))), "test")
    assert [score.name for score in numbers.scores] == ["mae", "rmse"]
    one = AnsweredClasses.of_probabilities(np.array([0]), np.array([[0.6, 0.4]]))
    assert score_answers(one, "test", ("a", "b")).of("auc") is None


def test_many_classes_have_no_confusion_matrix() -> None:
    truth = np.arange(101)
    answers = AnsweredClasses.of_probabilities(truth, np.eye(101))
    assert score_answers(answers, "test", [str(k) for k in truth]).confusion == ()
