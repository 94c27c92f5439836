"""Facts of the data of observed programs."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from netwise.data_facts import DataFacts
from netwise.observe.kept_batches import KeptBatches
from netwise.observe.sampled_facts import LazyDataFacts, facts_of_data

G = torch.Generator().manual_seed(0)
CENTRES = 2 * torch.randn(3, 6, generator=G)
Y = torch.randint(3, (300,), generator=G)
X = CENTRES[Y] + torch.randn(300, 6, generator=G)


def known(value: float | None) -> float:
    assert value is not None
    return value


def stored(x: Tensor, y: Tensor, evaluated: tuple[Tensor, Tensor] | None = None) -> KeptBatches:
    kept = KeptBatches()
    for step, rows in enumerate(torch.arange(len(x)).split(25)):
        kept.training_pass((x[rows],), {}, step)
        kept.loss_read(y[rows], "cross entropy" if not y.is_floating_point() else "", "mean", None)
    if evaluated is not None:
        kept.evaluation_pass((evaluated[0],), {}, 0)
        kept.evaluation_loss(evaluated[1], "cross entropy")
    return kept


def test_classes_that_can_be_predicted() -> None:
    facts = facts_of_data(stored(X[:200], Y[:200], (X[200:], Y[200:])))
    assert (facts.train_samples, facts.evaluation_samples, facts.features) == (200, 100, 6)
    assert known(facts.best_score) > 0.9
    assert known(facts.best_evaluation_score) > 0.9
    assert known(facts.chance_score) < 0.5
    assert facts.class_map == (0, 1, 2)
    assert known(facts.inputs_apart) < 0.3


def test_shuffled_training_labels_are_not_predicted_and_those_of_evaluation_are() -> None:
    shuffled = Y[torch.randperm(200, generator=G)]
    facts = facts_of_data(stored(X[:200], shuffled, (X[200:], Y[200:])))
    assert known(facts.inside_training_score) < 0.5
    assert known(facts.inside_evaluation_score) > 0.9


def test_labels_that_are_off_by_one() -> None:
    facts = facts_of_data(stored(X[:200], (Y[:200] + 1) % 3, (X[200:], Y[200:])))
    assert facts.class_map == (1, 2, 0)
    assert known(facts.matched_score) > 0.9
    assert known(facts.best_evaluation_score) < 0.2


def test_inputs_that_are_prepared_otherwise_can_be_told_apart() -> None:
    facts = facts_of_data(stored(X[:200], Y[:200], (X[200:] * 20, Y[200:])))
    assert known(facts.inputs_apart) > 0.5


@pytest.mark.parametrize("column", [0, 4])
def test_a_target_among_the_inputs_is_found(column: int) -> None:
    y = torch.randn(200, generator=G)
    x = X[:200].clone()
    assert facts_of_data(stored(x, y)).target_feature is None
    x[:, column] = y
    assert facts_of_data(stored(x, y)).target_feature == column


def test_a_target_in_other_units_among_the_inputs_is_found() -> None:
    y = torch.randn(200, generator=G)
    x = X[:200].clone()
    x[:, 4] = 3 * y - 1
    facts = facts_of_data(stored(x, y))
    assert facts.target_feature == 4
    assert facts.target_feature_scale == pytest.approx((3, -1), abs=1e-4)
    x[:, 4] += 0.01 * torch.randn(200, generator=G)  # a good predictor, and no copy
    assert facts_of_data(stored(x, y)).target_feature is None
    sign = X[:200, 4].sign()  # of two values any two lie on a line
    both = torch.cat([x, sign[:, None]], 1)
    assert facts_of_data(stored(both, sign)).target_feature == X.shape[1]
    assert facts_of_data(stored(both, sign * 2 + 1)).target_feature is None


def test_rare_classes_are_ranked_where_they_can_be_foreseen() -> None:
    x = torch.randn(500, 6, generator=G)
    ranked = facts_of_data(stored(x, (x[:, 0] > 1.6).long())).rare_ranking
    drawn = facts_of_data(stored(x, (torch.rand(500, generator=G) < 0.06).long())).rare_ranking
    assert known(ranked) > 0.85
    assert 0.25 < known(drawn) < 0.7


def test_features_are_counted() -> None:
    x = torch.cat([X * 100, X[:, :1], X[:, :1], torch.ones(300, 2)], 1)
    facts = facts_of_data(stored(x, Y))
    assert (facts.constant_features, facts.duplicated_features) == (2, 1)
    assert facts.smallest_std == pytest.approx(float(X[:, 0].double().std(unbiased=False)), rel=0.1)
    assert known(facts.largest_std) > 100


def test_an_autoencoder_has_no_scores_and_a_reason() -> None:
    facts = facts_of_data(stored(X, X))
    assert facts.best_score is None
    assert facts.not_known["linear_score"] == "the targets are the inputs"


def test_few_rows_have_no_scores_and_a_reason() -> None:
    facts = facts_of_data(stored(X[:30], Y[:30]))
    assert facts.linear_score is None
    assert "60 different rows" in facts.not_known["linear_score"]


def test_facts_are_found_again_when_there_are_twice_as_many_batches() -> None:
    kept, lazy = stored(X[:100], Y[:100]), LazyDataFacts()
    first = lazy.facts([kept], 3, running=True)
    kept.training_pass((X[100:125],), {}, 9)
    kept.loss_read(Y[100:125], "cross entropy", "mean", None)
    assert first is not None
    assert lazy.facts([kept], 3, running=True) == first
    later = lazy.facts([kept], 3, running=False)
    assert later is not None
    assert (first.train_samples, later.train_samples) == (100, 125)
    assert lazy.facts([KeptBatches()], 3, running=False) is None


def test_a_watched_program_has_facts_and_its_random_numbers() -> None:
    def train(watched: bool) -> tuple[DataFacts | None, Tensor]:
        torch.manual_seed(0)
        model = nn.Linear(6, 3)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        facts = None
        with nw.watch() as watch:
            for rows in torch.arange(200).split(20):
                optimizer.zero_grad()
                F.cross_entropy(model(X[rows]), Y[rows]).backward()
                optimizer.step()
            if watched:
                facts = watch.history().data
        return facts, torch.rand(3)

    facts, drawn = train(True)
    assert facts is not None
    assert facts.train_samples > 60
    assert torch.equal(drawn, train(False)[1])


def test_targets_that_are_whole_numbers() -> None:
    def facts(target: torch.Tensor) -> DataFacts:
        kept = KeptBatches()
        for step, rows in enumerate(torch.arange(120).split(30)):
            kept.training_pass((torch.randn(30, 4),), {}, step)
            kept.loss_read(target[rows][:, None], "squared error", "mean", None)
        return facts_of_data(kept)

    numbers = torch.arange(120) % 4
    assert facts(numbers.float()).whole_targets == 4
    assert facts(numbers + 0.5).whole_targets is None


def test_spreads_of_targets_that_are_several_things() -> None:
    rows = torch.randn(120, 20, generator=G)
    things = rows[:, :3] * torch.tensor([0.01, 1.0, 500.0])
    least, most = known(facts_of_data(stored(rows, things)).target_spreads)
    assert (least, most) == pytest.approx((0.01, 500.0), rel=0.3)
    # Neither pixels, nor the inputs in another state, nor one thing.
    assert facts_of_data(stored(rows, rows.tile(1, 2) + 1)).target_spreads is None
    assert facts_of_data(stored(things + 0.1, things)).target_spreads is None
    assert facts_of_data(stored(rows, rows[:, 0])).target_spreads is None


def test_rows_that_are_standardised_one_by_one() -> None:
    rows = torch.randn(100, 20, generator=G) * torch.rand(100, 1, generator=G)
    alone = (rows - rows.mean(1, keepdim=True)) / rows.std(1, keepdim=True)
    assert facts_of_data(stored(alone, rows[:, 0])).rows_standardised is True
    assert facts_of_data(stored(rows, rows[:, 0])).rows_standardised is False
    assert facts_of_data(stored(rows[:, :6], rows[:, 0])).rows_standardised is None


def test_what_places_of_symbols_tell() -> None:
    x = torch.randint(2, 12, (300, 6), generator=G)
    y = torch.randint(2, (300,), generator=G)
    x[:, 0], x[:, 5] = y, 1 - y
    by_order = facts_of_data(stored(x, y))
    assert known(by_order.best_score) > 0.95
    assert known(by_order.unordered_score) < 0.65
    x[:, 5] = y
    assert known(facts_of_data(stored(x, y)).unordered_score) > 0.95
    assert facts_of_data(stored(X, Y)).unordered_score is None
