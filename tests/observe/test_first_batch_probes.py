"""What copies show on one batch: modules with a known fault and their healthy twins; and nothing of
the module changes, over many architectures."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.first_batch import FirstBatch
from netwise.observe import first_batch_probes
from netwise.observe.first_batch_probes import first_batch_of
from networks_of_daily_life import IMAGES, SERIES, WORDS, X

SEQUENCES = torch.randn(8, 5, 3, generator=torch.Generator().manual_seed(0))
ROWS = torch.randn(9, 6, generator=torch.Generator().manual_seed(1))


class Recurrent(nn.Module):
    """Last output of a recurrent network over sequences (batch, time, 3)."""

    def __init__(self, turn: Callable[[Tensor], Tensor], **options: Any) -> None:
        super().__init__()
        self.turn, self.rnn, self.head = turn, nn.GRU(3, 6, **options), nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        out = self.rnn(self.turn(x))[0]
        return self.head(out[:, -1] if self.rnn.batch_first else out[-1])


class LastOfEach(Recurrent):
    """Takes the last time step of each sample, whatever the axes of the network are."""

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x)[0][:, -1])


class Encoder(nn.Module):
    def __init__(self, batch_first: bool) -> None:
        super().__init__()
        self.attend = nn.MultiheadAttention(4, 1, batch_first=batch_first)
        self.into, self.head = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = self.into(x)
        return self.head(self.attend(h, h, h)[0].mean(1))


class Function(nn.Module):
    """Two layers with any function between them."""

    def __init__(self, between: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.between, self.last = nn.Linear(6, 5), between, nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.between(self, self.first(x)))


class Graph(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 3)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        return self.layer(x).index_add(0, edges[0], self.layer(x)[edges[1]])


def dead() -> nn.Module:
    module = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    nn.init.constant_(module[0].bias, -100.0)
    return module


def zero_head() -> nn.Module:
    module = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    nn.init.zeros_(module[2].weight)
    return module


def facts(module: nn.Module, *args: Any) -> FirstBatch:
    torch.manual_seed(0)
    return first_batch_of(module, args, {})


def test_a_view_that_should_be_a_permute() -> None:
    found = facts(Recurrent(lambda x: x.view(5, 8, 3)), SEQUENCES)
    assert found.samples_mix == "view from (8, 5, 3) to (5, 8, 3)"
    assert found.mixed_by == "view"
    assert found.mixed_at.startswith("test_first_batch_probes.py:")
    assert facts(Recurrent(lambda x: x.transpose(0, 1)), SEQUENCES).samples_mix == ""


def test_a_recurrent_network_over_the_samples() -> None:
    found = facts(LastOfEach(lambda x: x), SEQUENCES)
    assert (found.mixed_by, found.mixed_in) == ("recurrence", "rnn")
    assert found.samples_mix
    assert facts(LastOfEach(lambda x: x, batch_first=True), SEQUENCES).samples_mix == ""


def test_attention_among_the_samples() -> None:
    found = facts(Encoder(batch_first=False), SEQUENCES)
    assert (found.mixed_by, found.mixed_in) == ("attention", "attend")
    assert facts(Encoder(batch_first=True), SEQUENCES).samples_mix == ""


class Rows(nn.Module):
    """Makes sequences (batch, time, 3) of rows."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.last = LastOfEach(lambda x: x, **options)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(x.view(-1, 2, 3))


@pytest.mark.parametrize("rows", [6, 9])  # as many as features, and more
def test_rows_that_become_sequences_inside(rows: int) -> None:
    found = facts(Rows(), ROWS[:rows])
    assert (found.mixed_by, found.mixed_in) == ("recurrence", "last.rnn")
    assert found.samples_mix
    assert facts(Rows(batch_first=True), ROWS[:rows]).samples_mix == ""


def test_as_many_samples_as_features() -> None:
    """Such a batch looks like a matrix of samples by samples."""
    found = facts(Function(lambda m, h: h.softmax(0)), ROWS[:6])
    assert found.mixed_by == "softmax"
    assert facts(nn.Sequential(nn.Linear(6, 6), nn.Softmax(0)), ROWS[:6]).mixed_by == "softmax"
    assert facts(Neighbours(torch.eye(6).roll(1, 0)), ROWS[:6]).samples_mix == ""


class Neighbours(nn.Module):
    """A graph network of one graph."""

    def __init__(self, adjacency: Tensor) -> None:
        super().__init__()
        self.register_buffer("adjacency", adjacency)
        self.layer = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.adjacency @ self.layer(x)


@pytest.mark.parametrize(
    ("between", "by"),
    [
        (lambda m, h: h.softmax(0), "softmax"),
        (lambda m, h: h - h.mean(0), "statistics"),
        (lambda m, h: (h @ h.T).softmax(1) @ h, "product"),
    ],
    ids=["softmax", "mean", "attention"],
)
def test_functions_that_mix(between: Callable[[nn.Module, Tensor], Tensor], by: str) -> None:
    found = facts(Function(between), ROWS)
    assert found.mixed_by == by
    # Rows without another axis may be the members of one set, which attend to each other.
    assert bool(found.samples_mix) == (by != "product")


@pytest.mark.parametrize(
    ("module", "inputs"),
    [
        (nn.LSTM(4, 6), (SERIES.transpose(0, 1),)),  # time first
        (nn.LSTM(4, 6), (SERIES[0],)),  # one sequence without an axis of samples
        (nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(20, 3)), (WORDS,)),
        (nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten()), (IMAGES,)),
        (nn.BatchNorm1d(8, track_running_stats=False), (X,)),
        (nn.Sequential(nn.Linear(8, 4), nn.LayerNorm(4), nn.Dropout(0.5)), (X,)),
        (nn.Bilinear(8, 8, 3), (X, X.flip(0))),
        (Graph(), (ROWS, torch.tensor([[0, 1, 2], [3, 4, 5]]))),
        (Function(lambda m, h: F.dropout(h, 0.5, m.training)), (ROWS,)),
    ],
    ids=["time", "one", "words", "images", "norm", "layers", "two", "graph", "dropout"],
)
def test_healthy_modules(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    found = facts(module, *inputs)
    assert found.samples_mix == "", found
    assert found.constant_output is False
    assert found.dropout_in_evaluation == ""
    assert found.evaluation_noise == 0.0


def test_outputs_that_do_not_depend_on_the_inputs() -> None:
    found = facts(dead(), ROWS)
    assert (found.constant_output, found.constant_after) == (True, "1")
    assert found.constant_kind == "rectifier"
    single = nn.Sequential(nn.Linear(6, 1), nn.Softmax(1))
    assert facts(single, ROWS).constant_kind == "softmax of one unit"
    unused = Function(lambda m, h: m.first(torch.ones(9, 6)))
    unused.first.register_forward_hook(lambda *_: None)
    assert facts(unused, ROWS).constant_output is True


class Ignores(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(torch.ones_like(x))


def test_inputs_that_no_layer_gets() -> None:
    found = facts(Ignores(), ROWS)
    assert (found.constant_output, found.constant_after) == (True, "the inputs")


def test_a_last_layer_of_zeros_is_no_constant() -> None:
    assert facts(zero_head(), ROWS).constant_output is False


def test_dropout_in_evaluation_mode() -> None:
    found = facts(Function(lambda m, h: F.dropout(h, 0.5)), ROWS)
    assert (found.dropout_in_evaluation or "").startswith("test_first_batch_probes.py:")
    assert (found.evaluation_noise or 0) > 0.1
    noise = facts(Function(lambda m, h: h + torch.randn_like(h)), ROWS)
    assert noise.dropout_in_evaluation == ""
    assert (noise.evaluation_noise or 0) > 0.1


def test_noise_of_training_mode() -> None:
    def share(p: float) -> float:
        module = nn.Sequential(nn.Linear(6, 50), nn.Dropout(p), nn.Linear(50, 3))
        return facts(module, ROWS).noise_share or 0.0

    assert share(0.0) == 0.0
    assert 0 < share(0.1) < share(0.9) < 1


@pytest.mark.parametrize("draw", [lambda: torch.rand(1), random.random, np.random.rand])
def test_noise_of_any_generator_is_found(draw: Callable[[], Any]) -> None:
    always = facts(Function(lambda m, h: h * float(draw())), ROWS)
    assert (always.evaluation_noise or 0) > 0
    assert (always.noise_share or 0) > 0
    trained = facts(Function(lambda m, h: h * float(draw()) if m.training else h), ROWS)
    assert trained.evaluation_noise == 0
    assert (trained.noise_share or 0) > 0


@pytest.mark.parametrize(
    ("layer", "calls"), [(nn.ReLU(), 1), (nn.Dropout(), 3), (nn.BatchNorm1d(6), 3)]
)
def test_other_seeds_are_tried_where_they_could_change_something(
    layer: nn.Module, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[bool | None] = []
    outputs_of = first_batch_probes.outputs_of

    def noted(*args: Any, training: bool | None, **kwargs: Any) -> list[Tensor]:
        modes.append(training)
        return outputs_of(*args, training=training, **kwargs)

    monkeypatch.setattr(first_batch_probes, "outputs_of", noted)
    facts(nn.Sequential(nn.Linear(6, 6), layer, nn.Linear(6, 3)), ROWS)
    assert modes.count(None) == calls


def test_values_per_channel_of_batch_norm() -> None:
    module = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5))
    assert (facts(module, ROWS).norm_values, facts(module, ROWS).single_norms) == (9, ())
    single = facts(module, ROWS[:1])
    assert (single.norm_values, single.single_norms) == (1, ("1",))
    images = facts(nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)), IMAGES)
    assert images.norm_values == 4 * 36


def test_the_narrowest_layer_is_one_that_all_goes_through() -> None:
    narrow = nn.Sequential(nn.Linear(6, 2), nn.Tanh(), nn.Linear(2, 8))
    assert (facts(narrow, ROWS).narrowest, facts(narrow, ROWS).narrowest_width) == ("0", 2)

    class Gate(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate, self.layer = nn.Linear(6, 1), nn.Linear(6, 8)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x) * self.gate(x).sigmoid()

    assert facts(Gate(), ROWS).narrowest == ""


def test_what_cannot_be_asked_has_a_reason() -> None:
    found = facts(nn.Linear(6, 3), ROWS[:1])
    assert found.samples_mix is None
    assert found.not_known["samples_mix"] == "the batch has one sample"
    with_error = facts(nn.Linear(5, 3), ROWS)
    assert "RuntimeError" in with_error.not_known["samples_mix"]
    sparse = facts(nn.Linear(6, 3), ROWS.to_sparse())
    assert "sparse" in sparse.not_known["samples_mix"]
    large = first_batch_of(nn.Linear(6, 3), (ROWS,), {}, most_bytes=10)
    assert "MB" in large.not_known["constant_output"]
    slow = first_batch_of(nn.Linear(6, 3), (ROWS,), {}, seconds=0.0)
    assert "too long" in slow.not_known["noise_share"]


MODULES = {
    "dropout": (lambda: nn.Sequential(nn.Linear(8, 9), nn.Dropout(0.5), nn.Linear(9, 3)), X),
    "norms": (lambda: nn.Sequential(nn.Linear(8, 9), nn.BatchNorm1d(9), nn.LayerNorm(9)), X),
    "spectral": (lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(8, 3)), X),
    "images": (
        lambda: nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU6(True)),
        IMAGES,
    ),
    "recurrent": (lambda: nn.LSTM(4, 5, dropout=0.3, num_layers=2), SERIES),
    "encoder": (lambda: nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), SERIES),
    "words": (lambda: nn.EmbeddingBag(9, 4), WORDS),
    "softmax": (lambda: nn.Sequential(nn.Linear(8, 3), nn.Softmax(0)), X),
    "dead": (lambda: nn.Sequential(nn.Linear(8, 3), nn.Threshold(1e6, 0.0), nn.Linear(3, 3)), X),
}


@pytest.mark.parametrize("name", MODULES)
def test_the_module_and_all_random_generators_stay_as_they_are(name: str) -> None:
    make, x = MODULES[name]
    torch.manual_seed(1)
    module = make()
    output = module(x)
    tensors = output if isinstance(output, Tensor) else output[0]
    tensors.sum().backward()
    modes = [part.training for part in module.modules()]
    before = {k: v.clone() for k, v in module.state_dict().items()}
    grads = [p.grad.clone() for p in module.parameters() if p.grad is not None]
    inputs = x.clone()
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()
    found = first_batch_of(module, (x,), {})
    assert found.forward_seconds is not None, found.not_known
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1] == random.getstate()
    assert np.array_equal(states[2][1], np.random.get_state()[1])
    assert torch.equal(inputs, x)
    assert modes == [part.training for part in module.modules()]
    after = module.state_dict()
    assert all(torch.equal(v, after[k]) for k, v in before.items())
    kept = [p.grad for p in module.parameters() if p.grad is not None]
    assert all(torch.equal(a, b) for a, b in zip(grads, kept, strict=True))


def test_a_pass_that_waits_for_a_core_does_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a pass takes long and computes little: the checks are made."""
    clock = iter(range(0, 100_000, 100))
    monkeypatch.setattr(first_batch_probes.time, "perf_counter", lambda: float(next(clock)))
    found = first_batch_of(nn.Linear(6, 3), (ROWS,), {})
    assert found.samples_mix == ""
    monkeypatch.setattr(first_batch_probes.time, "process_time", lambda: float(next(clock)))
    assert first_batch_of(nn.Linear(6, 3), (ROWS,), {}).samples_mix is None
