"""Remedies for rare classes: weights, resampling and moved thresholds raise balanced accuracy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.treatment.goals import goal


@pytest.fixture(scope="module")
def uneven() -> nw.Recipe:
    """Few samples of a class that inputs tell apart only in part: never the likelier one."""
    rng = np.random.default_rng(0)
    y = (rng.random(1500) < 0.04).astype(int)
    x = rng.normal(size=(1500, 3)) + y[:, None]
    return nw.suggest(nw.data.arrays(x, np.array(["no", "yes"])[y]), epochs=12)


@pytest.fixture(scope="module")
def before(uneven: nw.Recipe) -> nw.Run:
    return nw.fit(uneven)


def test_the_majority_is_answered(before: nw.Run) -> None:
    report = nw.diagnose(before)
    assert report.found[0].rule == "answers_majority"
    assert report.found[0].remedies == ("move_threshold", "weight_classes", "resample_classes")


@pytest.mark.parametrize("name", ["move_threshold", "weight_classes", "resample_classes"])
def test_each_remedy_raises_balanced_accuracy(name: str, uneven: nw.Recipe, before: nw.Run) -> None:
    treated = nw.remedy(name).apply(uneven)
    assert isinstance(treated, nw.Recipe)
    run = nw.fit(treated)
    assert goal(run) > goal(before) + 0.1
    assert "answers_majority" not in nw.diagnose(run).names
    assert isinstance(nw.remedy(name).apply(treated), nw.NotApplicable)


def test_moved_thresholds_keep_calibrated_probabilities(uneven: nw.Recipe) -> None:
    treated = nw.remedy("move_threshold").apply(uneven)
    assert isinstance(treated, nw.Recipe)
    run = nw.fit(treated)
    raw = np.random.default_rng(1).normal(size=(50, 3)) + 0.7
    shares, answers = run.predict_proba(raw), run.predict(raw)
    rare = float(treated.loss.priors[1])  # type: ignore[attr-defined]
    assert list(answers == "yes") == list(shares[:, 1] / rare > shares[:, 0] / (1 - rare))
    valid = nw.scores(run, "validation")
    assert valid.of("ece").value < 0.1  # type: ignore[union-attr]


def test_priors_add_their_logarithm_to_the_outputs() -> None:
    output, target = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2])
    priors = (0.7, 0.2, 0.1)
    loss = nw.CrossEntropy(priors=priors, label_smoothing=0.1)
    shifted = output + torch.tensor(priors).log()
    expected = torch.nn.functional.cross_entropy(shifted, target, label_smoothing=0.1)
    assert torch.equal(loss(output, target), expected)
    assert torch.equal(loss.probabilities(output), shifted.softmax(1))
    assert torch.allclose(loss.per_sample()(output, target).mean(), expected)
    with pytest.raises(ValueError, match="3 priors and the network 2 outputs"):
        loss(output[:, :2], target)


def test_even_classes_and_other_losses_are_not_applicable() -> None:
    digits = nw.suggest(nw.data.iris(), epochs=1)
    for name in ("move_threshold", "weight_classes", "resample_classes"):
        assert isinstance(nw.remedy(name).apply(digits), nw.NotApplicable)
    numbers = nw.suggest(nw.data.diabetes(), epochs=1)
    answer = nw.remedy("weight_classes").apply(numbers)
    assert isinstance(answer, nw.NotApplicable)
