"""The observer: steps, rows and models of loops of all kinds."""

from __future__ import annotations

import threading
import warnings
import weakref
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from netwise import signals
from netwise.observe.observed_history import history_of
from netwise.observe.observer import Observer
from tests.observe.observed_loops import X, Y, batch, classifier, observed, train


def history(observer: Observer, number: int = 0) -> Any:
    return history_of(observer.models[number], observer.program({}))


def test_each_step_of_an_ordinary_loop() -> None:
    model = classifier()
    result = history(observed(lambda: train(model)))
    assert result.ended.step == 8
    assert result.of(signals.LOSS).steps == tuple(range(8))
    assert set(result.of(signals.BACKWARD_PASSES).values) == {1.0}
    assert set(result.of(signals.STALE).values) == {0.0}
    assert [layer.name for layer in result.layers] == ["0", "2"]
    assert set(result.of(signals.WEIGHTS_MOVED).values) == {1.0}


def test_losses_of_steps_that_are_not_watched_are_known() -> None:
    model, losses = classifier(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loop() -> None:
        for step in range(150):
            x, y = batch(step)
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())

    result = history(observed(loop, every=None))
    assert result.of(signals.LOSS).values == pytest.approx(losses)
    assert len(result.of(signals.BACKWARD_PASSES)) < 40


@pytest.mark.parametrize("divided", [True, False])
def test_accumulation(divided: bool) -> None:
    model, losses = classifier(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loop() -> None:
        for step in range(40):
            x, y = batch(step)
            loss = F.cross_entropy(model(x), y)
            (loss / 4 if divided else loss).backward()
            losses.append(loss.item())
            if step % 4 == 3:
                optimizer.step()
                optimizer.zero_grad()

    result = history(observed(loop, every=None))
    assert result.ended.step == 10
    assert set(result.of(signals.BACKWARD_PASSES).values) == {4.0}
    means = [sum(losses[i : i + 4]) / 4 for i in range(0, 40, 4)]
    assert result.of(signals.LOSS).values == pytest.approx(means)
    assert set(result.of(signals.LOSS_FACTOR).values) == {0.25 if divided else 1.0}


def test_two_networks_with_optimizers_of_their_own() -> None:
    torch.manual_seed(0)
    generator, critic = nn.Linear(4, 2), nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
    og, oc = (torch.optim.Adam(m.parameters()) for m in (generator, critic))
    bce = F.binary_cross_entropy_with_logits

    def loop() -> None:
        for _ in range(12):
            real, fake = torch.randn(16, 2), generator(torch.randn(16, 4))
            oc.zero_grad()
            loss = bce(critic(real), torch.ones(16, 1)) + bce(
                critic(fake.detach()), torch.zeros(16, 1)
            )
            loss.backward()
            oc.step()
            og.zero_grad()
            bce(critic(fake), torch.ones(16, 1)).backward()
            og.step()

    observer = observed(loop)
    assert sorted(model.name for model in observer.models) == ["critic", "generator"]
    for number in (0, 1):
        result = history(observer, number)
        assert set(result.of(signals.STALE).values) == {0.0}
        assert set(result.of(signals.BACKWARD_PASSES).values) == {1.0}
        assert len(result.wiring.opponents) == 1
        assert result.facts.loss_of_guessing is None


def test_two_optimizers_of_one_network_are_one_model() -> None:
    model = classifier()
    optimizers = [torch.optim.Adam(model[0].parameters()), torch.optim.SGD(model[2].parameters())]

    def loop() -> None:
        for step in range(8):
            x, y = batch(step)
            model.zero_grad()
            F.cross_entropy(model(x), y).backward()
            for optimizer in optimizers:
                optimizer.step()

    observer = observed(loop)
    result = history(observer)
    assert len(observer.models) == 1
    assert result.wiring.optimizers == ("Adam", "SGD")
    assert set(result.of(signals.WEIGHTS_MOVED).values) == {1.0}
    assert result.wiring.in_no_optimizer == ()


def test_steps_by_hand() -> None:
    model = classifier()

    def loop() -> None:
        for step in range(30):
            x, y = batch(step)
            model.zero_grad()
            F.cross_entropy(model(x), y).backward()
            with torch.no_grad():
                for p in model.parameters():
                    p -= 0.1 * p.grad

    result = history(observed(loop, every=None))
    assert result.ended.step in (29, 30)  # the last step ends with no event
    assert "optimizers" in result.wiring.not_observed
    assert all(ratio > 0 for ratio in result.of(signals.UPDATE_RATIO, "0").values)


def test_a_closure() -> None:
    model = classifier()
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3)

    def closure(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        return loss

    def loop() -> None:
        for step in range(6):
            x, y = batch(step)
            optimizer.step(partial(closure, x, y))

    result = history(observed(loop))
    assert set(result.of(signals.STALE).values) == {0.0}
    assert set(result.of(signals.GRADIENT_CLEARED).values) == {0.0}


def test_a_gradient_scaler() -> None:
    model, losses = classifier(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=512.0)

    def loop() -> None:
        for step in range(10):
            x, y = batch(step)
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            losses.append(loss.item())

    result = history(observed(loop))
    assert result.of(signals.LOSS).values == pytest.approx(losses)
    assert set(result.of(signals.LOSS_SCALE).values) == {512.0}
    assert set(result.of(signals.GRADIENT_FACTOR).values) == {1.0}
    assert result.wiring.clipped_before_unscale == 0


def test_gradients_clipped_before_they_are_unscaled() -> None:
    model = classifier()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=512.0)

    def loop() -> None:
        for step in range(6):
            x, y = batch(step)
            optimizer.zero_grad()
            scaler.scale(F.cross_entropy(model(x), y)).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            scaler.step(optimizer)
            scaler.update()

    assert history(observed(loop)).wiring.clipped_before_unscale >= 5


def test_the_first_loss_that_is_not_finite_is_explained() -> None:
    model = classifier()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loop() -> None:
        for step in range(40):
            x, _ = batch(step)
            loss = torch.log(model(x).square().sum() - (1e9 if step == 30 else 0)).abs()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    result = history(observed(loop, every=None))
    assert result.wiring.not_finite_step == 30
    assert "Log" in result.wiring.not_finite
    assert "test_observer.py" in result.wiring.not_finite


def test_a_gradient_that_is_not_finite_is_explained() -> None:
    model = classifier()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)

    def loop() -> None:
        for step in range(40):
            x, _ = batch(step)
            out = model(x).sum(1)
            error = (out - (out.detach() if step == 30 else 0.0)).square().mean().sqrt()
            optimizer.zero_grad()
            error.backward()
            optimizer.step()

    result = history(observed(loop, every=None))
    assert result.wiring.not_finite_step == 30
    assert "Sqrt" in result.wiring.not_finite


def test_an_optimizer_of_another_copy_of_the_module() -> None:
    model, other = classifier(), classifier()
    optimizer = torch.optim.SGD(other.parameters(), lr=0.1)

    def loop() -> None:
        for step in range(8):
            x, y = batch(step)
            model.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()

    result = history(observed(loop))
    assert result.wiring.in_no_optimizer == ("0.bias", "0.weight", "2.bias", "2.weight")
    assert set(result.of(signals.WEIGHTS_MOVED).values) == {0.0}


def test_a_given_module_is_recorded_inside_of_another() -> None:
    inner = classifier()
    outer = nn.Sequential(inner)
    optimizer = torch.optim.SGD(outer.parameters(), lr=0.1)

    def loop() -> None:
        for step in range(6):
            x, y = batch(step)
            optimizer.zero_grad()
            F.cross_entropy(outer(x), y).backward()
            optimizer.step()

    observer = observed(loop, model=inner)
    assert [layer.name for layer in history(observer).layers] == ["0", "2"]
    assert len(observer.models) == 1


def test_a_new_model_in_each_fold() -> None:
    def loop() -> None:
        for _ in range(3):
            train(classifier(), steps=20)

    observer = observed(loop, every=None)
    assert [model.name for model in observer.models] == ["model", "model-2", "model-3"]
    for number in range(3):
        result = history(observer, number)
        assert result.ended.step == 20
        assert len(result.of(signals.BACKWARD_PASSES)) >= 5


def test_nothing_of_the_program_is_kept_alive() -> None:
    references: list[weakref.ref[Any]] = []

    def loop() -> None:
        model = classifier()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        references.extend(map(weakref.ref, [model, optimizer, model[0].weight]))
        train(model, optimizer=optimizer)

    observer = Observer()
    observer.start()
    loop()
    dead = [reference() is None for reference in references]
    observer.stop()
    assert dead == [True, True, True]
    assert history(observer).wiring.optimizers == ("SGD",)


def test_other_threads_are_not_observed() -> None:
    def loop() -> None:
        thread = threading.Thread(target=train, args=(classifier(),))
        thread.start()
        thread.join()

    assert observed(loop).models == []


def test_an_error_inside_is_recorded_once_and_switches_off_a_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*args: object) -> None:
        raise ZeroDivisionError("broken")

    monkeypatch.setattr("netwise.observe.loss_graph.read_loss", fail)
    observer = Observer(every=1)
    observer.start()
    train(classifier())
    observer.stop()
    assert observer.switched_off == {"losses": "ZeroDivisionError: broken"}
    result = history(observer)
    assert result.ended.step == 8
    assert "broken" in result.wiring.not_observed["losses"]


def test_no_warning_reaches_the_program() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        observed(lambda: train(classifier(), steps=30), every=None)


def test_validation_is_observed() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 12), nn.Dropout(0.1), nn.ReLU(), nn.Linear(12, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []

    def loop() -> None:
        for _ in range(3):
            model.train()
            train(model, steps=7, optimizer=optimizer)  # rows 0 to 139
            model.eval()
            with torch.no_grad():
                losses.append(F.cross_entropy(model(X[150:]), Y[150:]).item())

    result = history(observed(loop, every=None))
    assert result.of(signals.VALID_LOSS).values == pytest.approx(losses)
    assert result.of(signals.VALID_LOSS).steps == (6, 13, 20)
    assert set(result.of(signals.EVALUATION_MODE).values) == {1.0}
    assert len(result.of(signals.TRAIN_LOSS)) == 3
