"""Passes without gradients against moments of numpy's kind computed apart, and small programs."""

from __future__ import annotations

import gc
import itertools
import math
import pickle

import pytest
import torch
from torch import Tensor, nn

from netwise.observe import evaluation_passes
from netwise.observe.evaluation_passes import EvaluationPasses, InputFacts, features_of
from netwise.observe.row_fingerprints import KnownRows
from netwise.signals import (
    EVALUATION_INPUT_MEAN,
    EVALUATION_INPUT_OFFSET,
    EVALUATION_INPUT_RATIO,
    EVALUATION_INPUT_STD,
    EVALUATION_MODE,
    NORM_MEAN_OFFSET,
    NORM_VARIANCE_RATIO,
    TRAINING_INPUT_MEAN,
    TRAINING_INPUT_STD,
)


def draw(*shape: int, seed: int = 3) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def module() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 3))


@pytest.mark.parametrize(
    ("layer", "depends"),
    [
        (nn.Dropout(0.5), True),
        (nn.Dropout2d(0.1), True),
        (nn.Dropout(0.0), False),
        (nn.BatchNorm1d(3), True),
        (nn.BatchNorm2d(3, track_running_stats=False), False),
        (nn.SyncBatchNorm(3), True),
        (nn.InstanceNorm2d(3), False),
        (nn.InstanceNorm2d(3, track_running_stats=True), True),
        (nn.LayerNorm(3), False),
        (nn.GroupNorm(1, 3), False),
        (nn.LSTM(3, 3, num_layers=2, dropout=0.5), True),
        (nn.LSTM(3, 3), False),
        (nn.MultiheadAttention(4, 2, dropout=0.1), True),
        (nn.TransformerEncoderLayer(4, 2), True),
        (nn.Linear(3, 3), False),
        (nn.LazyBatchNorm1d(), True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else str(value),
)
def test_layers_that_depend_on_the_mode(layer: nn.Module, depends: bool) -> None:
    passes = EvaluationPasses(nn.Sequential(layer))
    assert passes.has_mode_layers == depends
    passes.evaluation_pass([draw(5, 3)])
    assert (EVALUATION_MODE in passes.window_ends()) == depends


def test_the_mode_of_evaluation_passes() -> None:
    net = module()
    passes = EvaluationPasses(net)
    assert passes.window_ends() == {}
    passes.evaluation_pass([draw(5, 4)])
    assert passes.window_ends()[EVALUATION_MODE] == 0
    net.eval()
    passes.evaluation_pass([draw(5, 4)])
    assert passes.window_ends()[EVALUATION_MODE] == 1
    net[2].train()  # dropout on purpose, as for an estimate of uncertainty
    passes.evaluation_pass([draw(5, 4)])
    assert passes.window_ends()[EVALUATION_MODE] == 1
    net.train()
    net[2].eval()  # no layer is in training mode
    passes.evaluation_pass([draw(5, 4)])
    net.train()
    passes.evaluation_pass([draw(5, 4)])
    assert passes.window_ends()[EVALUATION_MODE] == 0.5
    assert passes.window_ends() == {}
    assert passes.evaluation_passes == 5


@pytest.mark.parametrize(
    ("momentum", "evaluates", "same_rows", "rows", "expected"),
    [
        (0.1, False, False, 12, True),
        (0.1, True, False, 12, False),
        (None, False, False, 12, False),  # statistics that are computed on purpose
        (0.1, False, True, 12, False),  # of training rows
        (0.1, False, False, 2, False),  # perhaps a trial of shapes
    ],
)
def test_batch_norms_that_take_their_statistics_from_evaluated_rows(
    momentum: float | None, evaluates: bool, same_rows: bool, rows: int, expected: bool
) -> None:
    norm = nn.BatchNorm1d(4, momentum=momentum)
    passes = EvaluationPasses(norm)
    known, others = draw(30, 4), draw(30, 4, seed=1)
    passes.training_pass([known])
    norm.train(not evaluates)
    for row in (known if same_rows else others)[:rows].split(1):
        passes.norm_called(norm, row)
        passes.evaluation_pass([row])
    passes.window_ends()
    assert passes.normed_by_evaluated == expected


def test_moments_of_inputs() -> None:
    passes = EvaluationPasses(module())
    training, first, second = draw(300, 4), draw(40, 4, seed=1) * 3 + 5, draw(60, 4, seed=2)
    for part in training.split(50):
        passes.training_pass([part])
    passes.evaluation_pass([first])
    passes.evaluation_pass([second])
    row = passes.window_ends()
    both = torch.cat([first, second]).double()
    assert row[EVALUATION_INPUT_MEAN] == pytest.approx(float(both.mean()))
    assert row[EVALUATION_INPUT_STD] == pytest.approx(float(both.std(unbiased=False)))
    facts = passes.input_facts()
    assert facts is not None
    x = training.double()
    assert facts.training_mean == pytest.approx(x.mean(0).tolist())
    assert facts.training_std == pytest.approx(x.std(0, unbiased=False).tolist())
    assert facts.offsets == pytest.approx(
        ((both.mean(0) - x.mean(0)) / x.std(0, unbiased=False)).tolist()
    )
    assert facts.ratios == pytest.approx(
        (both.std(0, unbiased=False) / x.std(0, unbiased=False)).tolist()
    )
    assert (facts.training_values, facts.evaluation_values) == (300, 100)
    assert row[TRAINING_INPUT_MEAN] == pytest.approx(float(x.mean()))
    assert row[TRAINING_INPUT_STD] == pytest.approx(float(x.std(unbiased=False)))
    assert (row[EVALUATION_INPUT_OFFSET], row[EVALUATION_INPUT_RATIO]) == facts.distance
    passes.evaluation_pass([first[:7]])
    assert EVALUATION_INPUT_OFFSET not in passes.window_ends()  # too few samples


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((50, 4), (50, 4)),
        ((50,), (50, 1)),
        ((20, 7, 5), (140, 5)),
        ((10, 3, 8, 8), (640, 3)),
        ((10, 8, 8, 3), (640, 3)),
        ((4, 2, 3, 4, 5), (240, 2)),
        ((1, 4), (1, 4)),
    ],
    ids=str,
)
def test_features(shape: tuple[int, ...], expected: tuple[int, int]) -> None:
    x = draw(*shape)
    features = features_of(x)
    assert features is not None
    assert features.shape == expected
    assert float(features.mean()) == pytest.approx(float(x.mean()), abs=1e-6)


@pytest.mark.parametrize(
    "shape", [(10**5, 1000), (64, 3, 512, 512), (10**7,), (2, 10**6, 64)], ids=str
)
def test_large_inputs_are_sampled(shape: tuple[int, ...]) -> None:
    x = torch.ones(1).expand(shape)
    features = features_of(x)
    assert features is not None
    assert features.shape[1] <= 256
    assert 1000 <= features.numel() <= 65_536
    assert bool((features == 1).all())


def test_features_of_pictures_are_their_channels() -> None:
    x = draw(40, 3, 16, 16) * torch.tensor([1.0, 5, 9])[:, None, None]
    features = features_of(x)
    assert features is not None
    assert features.std(0).tolist() == pytest.approx([1, 5, 9], rel=0.05)


@pytest.mark.parametrize(
    "x",
    [
        torch.ones(5, 3, dtype=torch.long),
        torch.ones(5, 3, dtype=torch.uint8),
        torch.ones(0, 3),
        torch.ones(5, 3, device="meta"),
        torch.ones(5, 3, dtype=torch.complex64),
    ],
    ids=["tokens", "uint8", "empty", "meta", "complex"],
)
def test_inputs_that_are_left_out(x: Tensor) -> None:
    assert features_of(x) is None
    passes = EvaluationPasses(nn.Linear(3, 3))
    passes.training_pass([x])
    passes.evaluation_pass([x])
    assert passes.window_ends() == {}
    assert passes.input_facts() is None


def test_inputs_with_another_number_of_features_are_left_out() -> None:
    passes = EvaluationPasses(nn.Linear(3, 3))
    passes.training_pass([draw(10, 3)])
    passes.training_pass([draw(10, 5)])
    passes.evaluation_pass([draw(10, 5)])
    passes.evaluation_pass([draw(10, 3)])
    facts = passes.input_facts()
    assert facts is not None
    assert len(facts.training_mean) == len(facts.evaluation_mean) == 3


def test_constant_features_are_not_compared() -> None:
    facts = InputFacts((0.0, 1.0), (0.0, 2.0), (3.0, 3.0), (1.0, 4.0), 10, 10)
    assert facts.offsets == (1.0,)
    assert facts.ratios == (2.0,)


def norms(momentum: float) -> dict[str, float]:
    """Signals of the evaluation of a small network with batch norm."""
    torch.manual_seed(0)
    norm = nn.BatchNorm1d(16, momentum=momentum)
    net = nn.Sequential(nn.Linear(8, 16), norm, nn.ReLU(), nn.Linear(16, 2))
    x = draw(400, 8)
    for part in x.split(4):
        net(part)
    net.eval()
    passes, inputs = EvaluationPasses(net), []
    handle = norm.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    with torch.no_grad():
        for part in x.split(100):
            net(part)
            passes.evaluation_pass([part])
            passes.norm_called(norm, inputs[-1])
    handle.remove()
    values, row = torch.cat(inputs).double(), passes.window_ends()
    variance = norm.running_var.double() + norm.eps
    offset = ((values.mean(0) - norm.running_mean).square() / variance).mean().sqrt()
    ratio = ((values.var(0, unbiased=False) + norm.eps).log() - variance.log()).square().mean()
    assert row[NORM_MEAN_OFFSET] == pytest.approx(float(offset), rel=1e-4)
    assert row[NORM_VARIANCE_RATIO] == pytest.approx(math.sqrt(float(ratio)), rel=1e-4)
    return row


def test_running_statistics_of_the_last_batch_do_not_fit() -> None:
    sick, healthy = norms(0.99), norms(0.1)
    assert sick[NORM_MEAN_OFFSET] > 0.5 > 0.2 > healthy[NORM_MEAN_OFFSET]
    assert sick[NORM_VARIANCE_RATIO] > 0.8 > 0.4 > healthy[NORM_VARIANCE_RATIO]


def test_batch_norm_of_pictures() -> None:
    norm = nn.BatchNorm2d(600).eval()
    passes, x = EvaluationPasses(norm), draw(8, 600, 6, 6) * 2 + 1
    passes.evaluation_pass([x])
    passes.norm_called(norm, x)
    row = passes.window_ends()
    assert row[NORM_MEAN_OFFSET] == pytest.approx(1, rel=0.1)
    assert row[NORM_VARIANCE_RATIO] == pytest.approx(math.log(4), rel=0.1)


def test_norms_that_say_nothing() -> None:
    passes = EvaluationPasses(nn.Linear(2, 2))
    passes.evaluation_pass([draw(63, 2)])
    passes.norm_called(nn.BatchNorm1d(2).eval(), draw(63, 2) + 9)  # too few
    passes.norm_called(nn.BatchNorm1d(2), draw(640, 2) + 9)  # in training mode
    passes.norm_called(nn.BatchNorm1d(2, track_running_stats=False).eval(), draw(640, 2) + 9)
    passes.norm_called(nn.LayerNorm(2).eval(), draw(640, 2) + 9)
    assert NORM_MEAN_OFFSET not in passes.window_ends()


def test_rows_of_training_are_recognised() -> None:
    passes, training, other = EvaluationPasses(module()), draw(200, 4), draw(100, 4, seed=9)
    passes.evaluation_pass([other])
    assert passes.evaluation_rows_seen_in_training is None
    assert not passes.on_training_rows
    for part in training.split(20):
        passes.training_pass([part])
    passes.evaluation_pass([training.flip(0)])
    assert passes.evaluation_rows_seen_in_training == 1
    assert passes.on_training_rows
    passes.evaluation_pass([other])
    assert passes.evaluation_rows_seen_in_training == 0
    assert not passes.on_training_rows


def test_inputs_of_training_are_read_when_they_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(evaluation_passes, "MOST_WAITING", 100)
    read: list[Tensor] = []
    add = KnownRows.add
    monkeypatch.setattr(KnownRows, "add", lambda self, x: (read.extend(x), add(self, x))[1])
    passes, training = EvaluationPasses(module()), draw(50, 4)
    for number, part in enumerate(training.split(5), 1):
        given = part.clone()
        passes.training_pass([given])
        given.zero_()  # the program fills its batch anew
        assert len(read) == (6 if number >= 6 else 0)  # 120 numbers were too many
    passes.evaluation_pass([training])
    assert torch.equal(torch.cat(read), training)
    assert passes.evaluation_rows_seen_in_training == 1


def test_rows_of_training_that_were_observed_in_part() -> None:
    passes, training = EvaluationPasses(module()), draw(2000, 4)
    passes.training_pass([training[:400]])
    passes.watched_share = 0.2
    part = torch.randperm(2000, generator=torch.Generator().manual_seed(0))
    passes.evaluation_pass([training[part]])
    assert passes.on_training_rows
    passes.evaluation_pass([draw(2000, 4, seed=8)])
    assert not passes.on_training_rows


def test_evaluation_inputs_are_those_of_other_rows_where_there_are_any() -> None:
    """A program that evaluates both parts, and has prepared only one as for training."""
    passes, training = EvaluationPasses(module()), draw(200, 4)
    for part in training.split(20):
        passes.training_pass([part])
    passes.evaluation_pass([training])
    row = passes.window_ends()
    assert row[EVALUATION_INPUT_MEAN] == pytest.approx(float(training.mean()), abs=1e-6)
    passes.evaluation_pass([training])
    passes.evaluation_pass([draw(20, 4, seed=5) * 50 + 100])
    row = passes.window_ends()
    assert row[EVALUATION_INPUT_MEAN] == pytest.approx(100, rel=0.2)
    facts = passes.input_facts()
    assert facts is not None
    assert min(facts.offsets) > 50
    assert min(facts.ratios) > 20


def test_inputs_are_read_in_some_windows_alone() -> None:
    passes, read = EvaluationPasses(nn.Linear(4, 4)), []
    for window in range(1, 301):
        passes.evaluation_pass([draw(5, 4)])
        if EVALUATION_INPUT_MEAN in passes.window_ends():
            read.append(window)
    assert read[:4] == [1, 2, 3, 4]
    assert 10 < len(read) < 30
    assert max(b / a for a, b in itertools.pairwise(read)) <= 2
    assert read[-1] > 200
    facts = passes.input_facts()
    assert facts is None  # nothing of training was seen


def test_passes_that_belong_to_each_step_are_no_evaluation() -> None:
    target = EvaluationPasses(module())
    for _ in range(6):
        target.evaluation_pass([draw(5, 4)])
        target.training_pass([draw(5, 4)])
        target.step_ends()
    assert target.belongs_to_training
    assert (target.steps, target.steps_with_evaluation) == (6, 6)
    evaluated = EvaluationPasses(module())
    for step in range(30):
        evaluated.training_pass([draw(5, 4)])
        evaluated.step_ends()
        if step % 10 == 9:
            evaluated.evaluation_pass([draw(5, 4)])
            evaluated.evaluation_pass([draw(5, 4)])
    assert not evaluated.belongs_to_training
    assert (evaluated.steps, evaluated.steps_with_evaluation) == (30, 2)


def test_nothing_of_the_program_is_kept_or_changed() -> None:
    net, x = module(), draw(30, 4)
    passes, state = EvaluationPasses(net), torch.get_rng_state()
    before = pickle.dumps(net.state_dict())
    with torch.inference_mode():
        passes.evaluation_pass([draw(30, 4)], draw(30, 3))
    passes.training_pass([x.clone().requires_grad_()])
    with torch.inference_mode():
        passes.evaluation_pass([draw(30, 4)], draw(30, 3))
    assert EVALUATION_INPUT_MEAN in passes.window_ends()
    assert passes.input_facts() is not None
    assert torch.equal(state, torch.get_rng_state())
    assert pickle.dumps(net.state_dict()) == before
    del net
    gc.collect()
    assert passes._module() is None
    passes.evaluation_pass([x])
    assert passes.window_ends()[EVALUATION_MODE] == 1


def test_features_that_are_seldom_other_than_zero_are_not_far_apart() -> None:
    generator = torch.Generator().manual_seed(0)
    share = torch.rand(200, generator=generator) * 0.03  # such as words of a text

    def rows(count: int) -> torch.Tensor:
        return (torch.rand(count, 200, generator=generator) < share).float()

    passes = EvaluationPasses(nn.Linear(200, 2))
    passes.training_pass([rows(64)])
    passes.evaluation_pass([rows(400)])
    row = passes.window_ends()
    assert row[EVALUATION_INPUT_OFFSET] < 0.3
    assert 0.7 < row[EVALUATION_INPUT_RATIO] < 1.4


def test_inputs_of_training_that_are_read_together_are_those_that_were_given() -> None:
    batches = [draw(5, 4, seed=seed) for seed in range(11)]
    passes, buffer = EvaluationPasses(module()), torch.empty(5, 4)
    for batch in batches:
        passes.training_pass([buffer.copy_(batch)])
    buffer.zero_()
    passes.evaluation_pass([batches[-1]])
    assert passes.evaluation_rows_seen_in_training == 1.0
    passes.evaluation_pass([draw(16, 4, seed=99)])
    facts = passes.window_ends()
    assert facts[TRAINING_INPUT_MEAN] == pytest.approx(float(torch.cat(batches).mean()), abs=1e-6)
