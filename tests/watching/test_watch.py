"""`watch` records a loop of the user's own, changes nothing in it, and records what `fit` does."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.modules import module as torch_modules

import netwise as nw
from netwise import random_streams, signals
from netwise.observe.layer_activations import DEAD_AFTER
from netwise.observe.loss_questions import MOST_ROWS
from netwise.parts.initializers import initialize
from netwise.watching.watch import KEPT_TARGETS

X = torch.randn(200, 12, generator=torch.Generator().manual_seed(0))
Y = torch.randint(4, (200,), generator=torch.Generator().manual_seed(1))


class Functional(nn.Module):
    """Activations as functions, a layer used twice, dropout, batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.out = nn.Linear(12, 16), nn.Linear(16, 16), nn.Linear(16, 4)
        self.norm = nn.BatchNorm1d(16)

    def forward(self, x):  # type: ignore[no-untyped-def]
        h = F.relu(self.a(x))
        h = torch.tanh(self.b(h))
        h = F.dropout(self.norm(torch.sigmoid(self.b(h))), 0.2, self.training)
        return self.out(h)


def train(model: nn.Module, watcher: object = None, steps: int = 60) -> list[float]:
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for step in range(steps):
        rows = torch.randint(200, (32,))
        loss = F.cross_entropy(model(X[rows]), Y[rows])
        optimizer.zero_grad()
        loss.backward()
        if watcher is not None:
            watcher.step(loss, Y[rows])  # type: ignore[attr-defined]
        optimizer.step()
        losses.append(loss.item())
        if step % 10 == 9:  # what a loop does between: it must not be recorded
            model.eval()
            with torch.no_grad():
                model(X)
            model.train()
    return losses


@pytest.mark.parametrize("every", [None, 1, 7])
@pytest.mark.parametrize(
    "make",
    [
        Functional,
        lambda: nn.Sequential(
            nn.Linear(12, 8), nn.ReLU(inplace=True), nn.Dropout(0.3), nn.Linear(8, 4)
        ),
        lambda: nn.Linear(12, 4),
    ],
    ids=["functional", "sequential", "linear"],
)
def test_the_users_numbers_stay_the_same_to_the_last_bit_and_nothing_is_left(
    make: object, every: int | None
) -> None:
    torch.manual_seed(3)
    one = make()  # type: ignore[operator]
    other = copy.deepcopy(one)
    before = set(vars(other))
    plain = train(one)
    with nw.watch(other, loss=F.cross_entropy, every=every) as w:
        recorded = train(other, w)
    assert recorded == plain
    assert all(
        torch.equal(a, b)
        for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    )
    assert set(vars(other)) == before
    assert not any(
        m._forward_hooks or m._forward_pre_hooks or m._backward_hooks for m in other.modules()
    )


def test_module_calls_are_observed_on_watched_steps_only() -> None:
    model = nn.Linear(12, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    listening = []
    with nw.watch(model, every=3) as w:
        for _ in range(9):
            listening.append(bool(torch_modules._global_forward_hooks))
            assert not model._forward_hooks
            assert not model._forward_pre_hooks
            optimizer.zero_grad()
            F.cross_entropy(model(X), Y).backward()
            optimizer.step()
    assert listening == [step % 3 == 0 for step in range(9)]
    series = w.history().of(signals.LOSS)
    assert series is not None
    assert series.steps == (0, 3, 6)


def test_nothing_is_left_when_the_loop_raises() -> None:
    model = nn.Linear(12, 4)
    with pytest.raises(ZeroDivisionError), nw.watch(model):
        model(X)
        raise ZeroDivisionError
    assert not model._forward_hooks


def test_both_roads_hear_the_same() -> None:
    recipe = nw.Recipe(
        data=nw.data.digits(),
        network=nw.MLP((64, 24, 16, 10), activation=nw.Tanh(), dropout=0.1),
        init=nw.Glorot(),
        optimizer=nw.SGD(lr=0.1, momentum=0.9),
        epochs=3,
        batch_size=100,
    )
    fitted = nw.fit(recipe, watch_every=4).history
    samples = recipe.data.load()
    torch.set_num_threads(
        fitted.made_by.threads
    )  # sums are split between threads: their number shows in the last bits
    with random_streams.global_seed(0, random_streams.INIT):
        model = recipe.network.build()
    initialize(model, recipe.init, random_streams.generator(0, random_streams.INIT, step=1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, fused=True)
    with nw.watch(model, loss=F.cross_entropy, every=4) as w:
        for epoch in range(3):
            torch.manual_seed(random_streams.seed_of(0, random_streams.FORWARD, epoch))
            order = torch.randperm(
                len(samples.train),
                generator=random_streams.generator(0, random_streams.ORDER, epoch),
            )
            for rows in order.split(100):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(samples.train.x[rows]), samples.train.y[rows])
                loss.backward()
                w.step(loss, samples.train.y[rows])
                optimizer.step()
    recorded = w.history()
    assert recorded.layers == fitted.layers
    for key, series in fitted.series.items():
        if not key[0].startswith(("train.", "valid.", "rate")):
            assert recorded.series[key] == series, key
    assert len(recorded.series) > 20
    assert nw.diagnose(recorded).found == nw.diagnose(fitted).found == ()


def test_the_numbers_are_what_they_are_called() -> None:
    """Every statistic of one step, computed again from the module by hand."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 4))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    with nw.watch(model, every=1) as w:
        loss = F.cross_entropy(model(X), Y)
        loss.backward()
        w.step(loss, Y)
        optimizer.step()
    history = w.history()

    def value(signal: str, layer: str) -> float:
        series = history.of(signal, layer)
        assert series is not None
        return series.values[0]

    a = torch.relu(X @ before["0.weight"].T + before["0.bias"])
    b = torch.tanh(a @ before["2.weight"].T + before["2.bias"])
    assert [layer.activation for layer in history.layers] == ["ReLU", "Tanh", "Identity"]
    assert value(signals.ACTIVATION_MEAN, "0") == pytest.approx(a.mean().item(), rel=1e-4)
    assert value(signals.ACTIVATION_STD, "0") == pytest.approx(
        a.std(unbiased=False).item(), rel=1e-4
    )
    assert value(signals.ACTIVATION_ZEROS, "0") == pytest.approx(
        (a == 0).float().mean().item(), abs=1e-6
    )
    assert value(signals.ACTIVATION_SATURATED, "2") == pytest.approx(
        (b.abs() > 0.95).float().mean().item(), abs=1e-6
    )
    for name in ("0", "2", "4"):
        weight, grad = before[f"{name}.weight"], model.get_parameter(f"{name}.weight").grad
        assert grad is not None
        assert value(signals.WEIGHT_NORM, name) == pytest.approx(weight.norm().item(), rel=1e-5)
        assert value(signals.GRADIENT_RMS, name) == pytest.approx(
            grad.square().mean().sqrt().item(), rel=1e-4
        )
        assert value(signals.GRADIENT_RATIO, name) == pytest.approx(
            (grad.norm() / weight.norm()).item(), rel=1e-4
        )
        assert value(signals.UPDATE_RATIO, name) == pytest.approx(
            (0.5 * grad.norm() / weight.norm()).item(), rel=1e-3
        )
    assert value(signals.LOSS, "") == pytest.approx(loss.item())
    assert value(signals.INPUT_MEAN, "") == pytest.approx(X.mean().item(), abs=1e-6)


@pytest.mark.parametrize(
    ("make", "activations"),
    [
        (
            lambda: nn.Sequential(nn.Linear(12, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4)),
            ["ReLU", "Identity"],
        ),
        (
            lambda: nn.Sequential(nn.Linear(12, 8), nn.Linear(8, 4), nn.Softmax(1)),
            ["Identity", "Softmax"],
        ),
        (lambda: nn.Sequential(nn.Linear(12, 8), nn.GELU(), nn.Linear(8, 4)), ["GELU", "Identity"]),
        (
            lambda: nn.Sequential(
                nn.Unflatten(1, (1, 12)),
                nn.Conv1d(1, 3, 3),
                nn.ReLU(inplace=True),
                nn.MaxPool1d(2),
                nn.Flatten(),
                nn.Linear(15, 4),
            ),
            ["ReLU", "Identity"],
        ),
    ],
)
def test_activations_are_recognised_however_they_are_written(
    make: object, activations: list[str]
) -> None:
    torch.manual_seed(0)
    model = make()  # type: ignore[operator]
    with nw.watch(model) as w:
        train(model, w, 3)
    assert [layer.activation for layer in w.history().layers] == activations


def test_recurrent_layers_and_a_reused_one_are_recorded() -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.out = nn.LSTM(4, 6, batch_first=True), nn.Linear(6, 4)

        def forward(self, x):  # type: ignore[no-untyped-def]
            return self.out(self.rnn(x.view(-1, 3, 4))[0][:, -1])

    model = Recurrent()
    with nw.watch(model, loss=F.cross_entropy) as w:
        train(model, w, 10)
    history = w.history()
    assert [(layer.name, layer.kind) for layer in history.layers] == [
        ("rnn", "LSTM"),
        ("out", "Linear"),
    ]
    assert history.of(signals.GRADIENT_RMS, "rnn") is not None
    reused = Functional()
    with nw.watch(reused) as w:
        train(reused, w, 3)
    assert [layer.name for layer in w.history().layers] == ["a", "b", "out"]


def test_dead_units_are_counted_over_enough_samples() -> None:
    model = nn.Sequential(nn.Linear(12, 10), nn.ReLU(), nn.Linear(10, 4))
    with torch.no_grad():
        model[0].bias[:3] = -100.0
    with nw.watch(model, every=1) as w:
        for _ in range(2 * DEAD_AFTER // 200 + 2):
            loss = F.cross_entropy(model(X), Y)
            loss.backward()
            w.step(loss, Y)
    series = w.history().of(signals.DEAD_UNITS, "0")
    assert series is not None
    alive = (torch.relu(model[0](X)) > 0).any(0)
    assert series.last == pytest.approx(1 - alive.float().mean().item())
    assert series.last >= 0.3


def test_frozen_layers_are_told_and_get_no_gradient_series() -> None:
    model = nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 4))
    model[0].requires_grad_(False)
    with nw.watch(model) as w:
        train(model, w, 8)
    history = w.history()
    assert [layer.trainable for layer in history.layers] == [False, True]
    assert history.of(signals.GRADIENT_RMS, "0") is None


def test_a_long_loop_keeps_a_bounded_number_of_points() -> None:
    model = nn.Linear(12, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with nw.watch(model, loss=F.cross_entropy) as w:
        for _ in range(3000):
            loss = F.cross_entropy(model(X[:4]), Y[:4])
            optimizer.zero_grad()
            loss.backward()
            w.step(loss, Y[:4])
            optimizer.step()
    series = w.history().of(signals.LOSS)
    assert series is not None
    assert 150 < len(series) <= 500
    assert series.steps[-1] > 2900
    assert len({b - a for a, b in zip(series.steps, series.steps[1:], strict=False)}) == 1


def test_facts_are_known_where_they_can_be() -> None:
    model = nn.Sequential(nn.Linear(12, 4), nn.Dropout(0.25))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.125, weight_decay=0.5)
    with nw.watch(model, optimizer=optimizer, loss=F.cross_entropy) as w:
        train(model, w, 60)
        w.epoch(train_loss=1.0, valid_loss=2.0, valid_accuracy=0.5)
    facts = w.history().facts
    assert (
        facts.task,
        facts.classes,
        facts.batch_size,
        facts.rate,
        facts.dropout,
        facts.weight_decay,
    ) == ("classification", 4, 32, 0.125, 0.25, 0.5)
    assert facts.loss_of_guessing == pytest.approx(1.38, abs=0.01)
    assert w.history().of(signals.VALID_LOSS) == nw.Series((59,), (2.0,))
    unknown = nw.watch(nn.Linear(2, 2))
    assert unknown.history().facts.loss_of_guessing is None


def test_misuse_raises() -> None:
    w = nw.watch(nn.Linear(2, 2))
    with pytest.raises(
        RuntimeError, match=r"outside of its `with` block.*Write `with nw.watch\(\) as w:`"
    ):
        w.step(torch.tensor(1.0))
    with pytest.raises(TypeError, match=r"got a value of type int\. Pass the module"):
        nw.watch(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="every = 0 must be at least 1"):
        nw.watch(nn.Linear(2, 2), every=0)


def test_an_observed_loss_is_not_called_and_others_on_few_targets() -> None:
    calls: list[int] = []

    def loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        calls.append(len(target))
        return F.cross_entropy(output, target)

    def by_hand(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        calls.append(len(target))
        return torch.special.entr(torch.sigmoid(output)).mean() + output.mean(1).sub(target).max()

    for function in (loss, by_hand):
        calls.clear()
        model = nn.Linear(12, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        with nw.watch(model, loss=function) as w:
            for _ in range(10):
                optimizer.zero_grad()
                value = function(model(X), Y)
                value.backward()
                w.step(value, Y)
                optimizer.step()
        during = len(calls)
        w.history()
        assert max(calls[during:], default=0) <= KEPT_TARGETS
        for_guessing = [rows for rows in calls[during:] if rows > 2 * MOST_ROWS]
        assert bool(for_guessing) == (function is by_hand)
        assert w.errors == ()


def test_an_empty_batch() -> None:
    model = nn.Linear(12, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with nw.watch(model, loss=F.cross_entropy) as w:
        for rows in (20, 0, 20):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(X[:rows]), Y[:rows], reduction="sum")
            loss.backward()
            w.step(loss, Y[:rows])
            optimizer.step()
    assert w.history().ended.step == 3
    assert w.errors == ()


def test_a_stated_loss_is_asked_what_it_expects() -> None:
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = torch.randn(30, 4), torch.arange(30) % 3
    with nw.watch(loss=F.cross_entropy) as w:
        for _ in range(5):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
    first = w.history().first_batch
    assert first is not None
    assert (first.loss_takes, first.loss_rewards_errors, first.loss_sums) == (
        "logits",
        False,
        False,
    )


class OverEdges(nn.Module):
    """A layer of weights of its own, whose inputs are summed over the edges of a graph."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.3 * torch.randn(inputs, outputs))

    def forward(self, x: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
        return torch.sparse.mm(edges, torch.mm(x, self.weight))


class OnGraph(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = OverEdges(9, 8), OverEdges(8, 3)

    def forward(self, x: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
        return self.two(torch.relu(self.one(x, edges)), edges)


def test_sparse_inputs_switch_nothing_off() -> None:
    torch.manual_seed(0)
    x = (torch.rand(40, 9) > 0.6).float().to_sparse()
    edges = (torch.eye(40) + (torch.rand(40, 40) > 0.9).float()).to_sparse()
    y, model = torch.arange(40) % 3, OnGraph()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    with nw.watch() as w:
        for _ in range(12):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x, edges)[:30], y[:30]).backward()
            optimizer.step()
            with torch.no_grad():
                nn.functional.cross_entropy(model(x, edges)[30:], y[30:])
    history = w.history()
    assert history.wiring is not None
    assert not {"layers", "kept batches"} & history.wiring.not_observed.keys()
    assert [layer.name for layer in history.layers] == ["one", "two"]
