"""Labels that do not belong to the inputs: on histories made by hand, and in watched loops."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from histories import GUESS, found, history, observed
from netwise import signals
from netwise.diagnosis.rules import labels
from netwise.wiring import LossTerm


def of(**facts: Any) -> nw.History:
    usual: dict[str, Any] = {
        "class_targets": True,
        "inside_training_chance": 0.1,
        "inside_evaluation_chance": 0.1,
        "inputs_apart": 0.1,
    }
    return history().but(data=nw.DataFacts(**{**usual, **facts}))


@pytest.mark.parametrize(
    ("training", "evaluation", "apart", "is_found"),
    [
        (0.12, 0.9, 0.1, True),
        (0.35, 0.9, 0.1, True),
        (0.7, 0.9, 0.1, False),  # a quarter of the labels drawn anew
        (0.12, 0.25, 0.1, False),  # nothing can be predicted
        (0.12, 0.9, 0.9, False),  # training inputs are augmented
    ],
)
def test_labels_that_simple_models_do_not_predict(
    training: float, evaluation: float, apart: float, is_found: bool
) -> None:
    run = of(inside_training_score=training, inside_evaluation_score=evaluation, inputs_apart=apart)
    answer = labels.labels_suspect(run)
    assert isinstance(answer, nw.Finding) == is_found
    if is_found:
        assert found(answer).grade == "cause"


def test_labels_that_have_taught_the_network_are_right() -> None:
    """Mixed samples and outliers are harder to predict than those of evaluation."""
    run = of(inside_training_score=0.3, inside_evaluation_score=0.9, evaluation_samples=500)
    assert found(labels.labels_suspect(run))
    accuracy = {(signals.VALID_ACCURACY, ""): nw.Series((9,), (0.9,))}
    assert labels.labels_suspect(run.but(series={**run.series, **accuracy})) is None


def test_classes_with_other_numbers() -> None:
    usual: dict[str, Any] = {
        "inside_training_score": 0.9,
        "inside_evaluation_score": 0.9,
        "evaluation_chance_score": 0.25,
        "evaluation_linear_score": 0.02,
        "matched_score": 0.88,
    }
    finding = found(labels.labels_suspect(of(**usual, class_map=(1, 2, 3, 0))))
    assert "shifted by 1" in finding.sentence
    swapped = {**usual, "evaluation_linear_score": 0.4}
    assert (
        "0 is 1, 1 is 0"
        in found(labels.labels_suspect(of(**swapped, class_map=(1, 0, 2, 3)))).sentence
    )
    right = {**usual, "evaluation_linear_score": 0.88}
    assert not isinstance(labels.labels_suspect(of(**right, class_map=(0, 1, 2, 3))), nw.Finding)


def test_labels_that_do_not_belong_to_the_inputs() -> None:
    def run(train: float, valid: float) -> nw.History:
        return history(
            whole={signals.TRAIN_ACCURACY: [train] * 4, signals.VALID_ACCURACY: [valid] * 4},
            facts=nw.RunFacts(loss_of_guessing=GUESS, classes=10),
        )

    assert (
        found(labels.labels_suspect(run(0.6, 0.1))).sentence
        == "Training accuracy is 60 %, and validation accuracy was never above 10 %: chance is "
        "10 %."
    )
    assert labels.labels_suspect(run(0.6, 0.3)) is None
    assert labels.labels_suspect(run(0.12, 0.1)) is None
    wide = run(1.0, 0.1)  # a simple model learns from these labels what the network does not
    beside = nw.BesideBaseline("gradient boosting", "accuracy", 0.6, 0.1, 0.07, 0.14)
    assert found(labels.labels_suspect(wide))
    assert labels.labels_suspect(wide.but(facts=replace(wide.facts, baseline=beside))) is None


def one_class(operation: str = "cross entropy", **changes: Any) -> object:
    facts = nw.RunFacts(class_targets=True, classes=1)
    if operation != "cross entropy":
        facts = nw.RunFacts(class_targets=False, target_low=1.0, target_high=1.0)
    chain = changes.pop("chain", ("LogSoftmax", "Addmm"))
    data = changes.pop("data", nw.DataFacts(answers=((0, 0, 0), (50, 50, 50))))
    alike = changes.pop("alike", 1.0)
    run = observed(
        {signals.TARGETS_ALIKE: [alike] * 8},
        facts=facts,
        losses=(LossTerm(operation, chain=chain),),
        **changes,
    )
    return labels.one_class(run.but(data=data))


@pytest.mark.parametrize(("fake", "expected"), [(1.0, True), (0.0, False)])
def test_a_judge_that_is_told_the_same_of_all_samples(fake: float, expected: bool) -> None:
    generator, judge = nn.Linear(3, 2), nn.Linear(2, 1)
    steps = [torch.optim.SGD(net.parameters(), lr=0.1) for net in (generator, judge)]
    with nw.watch() as watched:
        for _ in range(12):
            real, made = torch.randn(16, 2), generator(torch.randn(16, 3))
            for optimizer in steps:
                optimizer.zero_grad()
            loss = F.binary_cross_entropy_with_logits(judge(real), torch.ones(16, 1))
            told = torch.full((16, 1), fake)
            (loss + F.binary_cross_entropy_with_logits(judge(made.detach()), told)).backward()
            steps[1].step()
            steps[0].zero_grad()
            F.binary_cross_entropy_with_logits(judge(made), torch.ones(16, 1)).backward()
            steps[0].step()
    names = [f.rule for h in watched.histories().values() for f in nw.diagnose(h).found]
    assert ("one_class" in names) is expected


def test_targets_of_one_class_only() -> None:
    finding = found(one_class())
    assert finding.sentence == "All training targets that were seen are 1."
    assert finding.grade == "cause"
    assert found(one_class("binary cross entropy of logits", chain=("Addmm",)))
    several = nw.DataFacts(answers=((0, 0, 0), (50, 50, 50)), evaluation_answers=((9, 0, 0),) * 3)
    assert "there are 3 classes" in found(one_class(data=several)).sentence


@pytest.mark.parametrize(
    "changes",
    [
        {"alike": 0.5},
        {"chain": ("LogSoftmax", "Div", "Cat")},  # the right one of several pairs is the first
        {"opponents": ("Generator",)},
    ],
    ids=["mixed batches", "contrasted pairs", "GAN"],
)
def test_targets_that_are_alike_on_purpose(changes: dict[str, Any]) -> None:
    assert one_class(**changes) is None


G = torch.Generator().manual_seed(0)
CENTRES = 2 * torch.randn(4, 8, generator=G)
Y = torch.randint(4, (500,), generator=G)
X = CENTRES[Y] + torch.randn(500, 8, generator=G)


def watched(y: Tensor, noise: float = 0.0) -> nw.Report:
    """A usual loop with these training labels and inputs that are augmented by noise."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    draws = torch.Generator().manual_seed(1)
    with nw.watch() as watch:
        for _ in range(8):
            for rows in torch.randperm(300, generator=draws).split(30):
                optimizer.zero_grad()
                x = X[rows] + noise * torch.randn(len(rows), 8, generator=draws)
                F.cross_entropy(model(x), y[rows]).backward()
                optimizer.step()
            with torch.no_grad():
                F.cross_entropy(model(X[300:]), Y[300:])
    return nw.diagnose(watch)


def test_wrong_labels_of_a_watched_loop() -> None:
    shuffled = Y[:300][torch.randperm(300, generator=G)]
    for wrong in (shuffled, Y[:300].roll(1), (Y[:300] + 1) % 4):
        assert watched(wrong).names[0] == "labels_suspect"
    assert watched(torch.full((300,), 2)).names[0] == "one_class"


def test_right_labels_of_a_watched_loop() -> None:
    half = torch.rand(300, generator=G) < 0.25
    noisy = torch.where(half, torch.randint(4, (300,), generator=G), Y[:300])
    for report in (watched(Y[:300]), watched(noisy), watched(Y[:300], noise=3.0)):
        assert not {"labels_suspect", "one_class", "leak"} & set(report.names)
