"""Scores equal those of scikit-learn and closed forms; intervals cover the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, r2_score
from torch import nn
from torch.nn import functional as F

import netwise as nw
from netwise.data.dataset import Pairs
from netwise.training.evaluate import evaluate, mean_batch_loss, outputs_of, pooled_r2, r2, score


def test_r2_is_scikit_learns() -> None:
    g = torch.Generator().manual_seed(0)
    y, answer = torch.randn(80, 3, generator=g), torch.randn(80, 3, generator=g)
    assert r2(answer, y) == pytest.approx(r2_score(y, answer), abs=1e-6)
    assert r2(y.mean(0).expand_as(y), y) == pytest.approx(0, abs=1e-6)
    assert r2(y, y) == 1


def test_pooled_r2_weighs_targets_by_their_variance() -> None:
    g = torch.Generator().manual_seed(0)
    y, output = torch.randn(80, 3, generator=g), torch.randn(80, 3, generator=g)
    errors = (output - y).double().square().sum(1)
    deviations = (y - y.mean(0)).double().square().sum(1)
    expected = r2_score(y, output, multioutput="variance_weighted")
    assert pooled_r2(errors, deviations) == pytest.approx(expected, abs=1e-6)


def test_outputs_in_pieces_equal_those_at_once_and_modes_stay() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.BatchNorm1d(4)).train()
    x = torch.randn(10_000, 3)
    outputs = outputs_of(module, x)
    assert module.training
    with torch.no_grad():
        assert torch.allclose(outputs, module.eval()(x), atol=1e-6)


def test_weights_of_samples_count_in_the_loss() -> None:
    module = nn.Linear(2, 2)
    g = torch.Generator().manual_seed(0)
    x, y = torch.randn(20, 2, generator=g), torch.arange(20) % 2
    weight = torch.arange(20.0)
    part = Pairs(x, y, weight)
    per_sample = nw.CrossEntropy().per_sample()
    row = evaluate(module, F.cross_entropy, part, "classification", loss_per_sample=per_sample)
    with torch.no_grad():
        losses = F.cross_entropy(module(x), y, reduction="none")
    assert row["valid.loss"] == pytest.approx(float((weight * losses).sum() / weight.sum()))


def test_the_bootstrap_interval_of_r2_covers_the_score_and_shrinks_with_samples() -> None:
    g = torch.Generator().manual_seed(0)
    x = torch.randn(4000, 1, generator=g)
    y = x + 0.5 * torch.randn(4000, 1, generator=g)
    small = score(nn.Identity(), Pairs(x[:100], y[:100]), "regression", 0)
    large = score(nn.Identity(), Pairs(x, y), "regression", 0)
    for measured in (small, large):
        assert measured.low < measured.value < measured.high
    assert large.high - large.low < 0.5 * (small.high - small.low)
    assert large.low < 1 - 0.25 / 1.25 < large.high  # noise variance over total variance


def test_accuracy_counts_each_time_step_of_a_sequence() -> None:
    logits = torch.zeros(4, 3, 5)  # samples, classes, steps
    logits[:, 1] = 1.0
    y = torch.ones(4, 5, dtype=torch.long)
    y[0] = 0
    result = score(nn.Identity(), Pairs(logits, y), "classification", 0)
    assert (result.value, result.samples) == (0.75, 20)


def test_the_log_likelihood_of_a_small_machine_is_its_mean_exact_one() -> None:
    run = nw.fit(
        nw.Recipe(
            data=nw.data.arrays((np.random.default_rng(0).random((60, 6)) < 0.5) * 1.0),
            network=nw.RBM(6, 3),
            loss=nw.PCD(),
            epochs=1,
        )
    )
    assert run.score is not None
    assert run.score.name == "log-likelihood"
    x = run.recipe.data.load().test.x
    bits = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 6)
    with torch.no_grad():
        free_energies = run.module.free_energy(torch.cat([x, bits]))  # type: ignore[operator]
    log_z = torch.logsumexp(-free_energies[len(x) :].double(), 0)
    expected = float((-free_energies[: len(x)].double() - log_z).mean())
    assert run.score.value == pytest.approx(expected, abs=1e-4)
    assert math.isfinite(run.score.low)


def test_the_loss_of_an_autoencoder_is_the_mean_over_samples() -> None:
    network = nw.Autoencoder((4, 2))
    module = network.build()
    module.set_loss(nw.MeanSquaredError())  # type: ignore[operator]
    x = torch.rand(30, 4)
    with torch.no_grad():
        expected = F.mse_loss(module.eval()(x), x)
    assert mean_batch_loss(module, Pairs(x, x), 0) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (nw.Score("r2", 0.5, 0.4, 0.6, 10), "R² 0.500 (95 % interval 0.400 to 0.600; 10 samples)"),
        (
            nw.Score("log-likelihood", -1.5, -2, -1, 9, "exact"),
            "log-likelihood -1.50 nats (95 % interval -2.00 to -1.00; 9 samples; exact)",
        ),
        (nw.Score("recall", 1, 0.9, 1, 3), "recall 100.0 % (95 % interval 90.0 to 100.0"),
    ],
    ids=["r2", "likelihood", "recall"],
)
def test_a_score_is_a_sentence(result: nw.Score, text: str) -> None:
    assert str(result).startswith(text)


def test_weights_of_samples_count_in_scores_of_held_out_parts_as_in_scikit_learn() -> None:
    g = torch.Generator().manual_seed(0)
    x, weight = torch.randn(90, 4, generator=g), torch.rand(90, generator=g)
    module, by = nn.Linear(4, 3), {"sample_weight": weight.numpy()}
    answers = outputs_of(module, x)
    loss = nn.CrossEntropyLoss()
    y = torch.randint(3, (90,), generator=g)
    part = Pairs(x, y, weight)
    expected = accuracy_score(y, answers.argmax(1), **by)
    assert evaluate(module, loss, part, "classification")["valid.accuracy"] == pytest.approx(
        expected, abs=1e-6
    )
    found = score(module, part, "classification", 0)
    assert found.value == pytest.approx(expected, abs=1e-6)
    plain = score(module, Pairs(x, y), "classification", 0)
    assert found.samples == plain.samples == 90
    assert found.high - found.low > plain.high - plain.low
    targets = answers + torch.randn(90, 3, generator=g)
    numbers = Pairs(x, targets, weight)
    expected = r2_score(targets, answers, **by)
    assert evaluate(module, nn.MSELoss(), numbers, "regression")["valid.r2"] == pytest.approx(
        expected, abs=1e-5
    )
    of_numbers = score(module, numbers, "regression", 0)
    assert of_numbers.value == pytest.approx(expected, abs=1e-5)
    assert of_numbers.low < expected < of_numbers.high


def test_weights_reach_all_scores_of_a_run() -> None:
    x, y = torch.randn(400, 3), torch.arange(400) % 2
    weights = torch.where(y == 1, 3.0, 1.0)
    recipe = nw.Recipe(
        data=nw.data.arrays(x, y, weights=weights),
        network=nw.MLP((3, 2)),
        loss=nw.CrossEntropy(),
        optimizer=nw.SGD(lr=0.1),
        epochs=2,
        metric="balanced_accuracy",
    )
    run = nw.fit(recipe)
    test = recipe.data.load().test
    by = {"sample_weight": test.weight.numpy()}
    answers = run.predict(test.x.numpy())
    accuracy = nw.scores(run).of("accuracy").value
    assert accuracy == pytest.approx(accuracy_score(test.y, np.asarray(answers).astype(int), **by))
    majority = float(test.weight[test.y == 1].sum() / test.weight.sum())
    assert nw.scores(run).majority_share == pytest.approx(majority)
    models = {each.name: each for each in nw.baselines(run).models}
    guess = models["guess"].score("test", "accuracy")
    assert guess is not None
    assert guess.value == pytest.approx(majority)
