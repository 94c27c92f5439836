"""Watching changes no number, stops no program, keeps nothing alive and leaves nothing behind."""

from __future__ import annotations

import copy
import gc
import io
import os
import pickle
import sys
import threading
import tracemalloc
import warnings
import weakref
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

import netwise as nw
from watching.architectures import ARCHITECTURES, batch_of, loss_of

X = torch.randn(64, 8, generator=torch.Generator().manual_seed(0))
Y = torch.randint(3, (64,), generator=torch.Generator().manual_seed(1))


class Net(nn.Sequential):
    """A small network with dropout and batch norm."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__(
            nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3)
        )


class Other(Net):
    """The same with another name."""


def train(model: nn.Module, steps: int = 20, rows: int = 32) -> list[float]:
    """The usual loop; the losses of its steps."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(steps):
        chosen = torch.randint(64, (rows,))
        optimizer.zero_grad()
        loss = F.cross_entropy(model(X[chosen]), Y[chosen])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def _optimizer(name: str, model: nn.Module) -> torch.optim.Optimizer:
    if name.startswith("sparse"):
        return torch.optim.SGD(model.parameters(), lr=0.05)
    kinds = (
        lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-3),
        lambda p: torch.optim.Adam(p, lr=0.01),
        lambda p: torch.optim.AdamW(p, lr=0.01, amsgrad=True),
        lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.5),
        lambda p: torch.optim.Adagrad(p, lr=0.01),
    )
    return kinds[list(ARCHITECTURES).index(name) % len(kinds)](model.parameters())


def _run(name: str) -> tuple[list[float], dict[str, Tensor], Tensor, tuple[float, float]]:
    """Losses, the state of the network with its last gradients, and what the generators give
    next."""
    make, shape = ARCHITECTURES[name]
    np.random.seed(0)
    torch.manual_seed(0)
    model = make()
    optimizer, losses = _optimizer(name, model), []
    for step in range(14):
        x, y = batch_of(name, shape)
        optimizer.zero_grad()
        loss = loss_of(name, model, x, y)
        loss.backward()
        if step % 3 == 1:
            nn.utils.clip_grad_norm_(
                [p for p in model.parameters() if p.grad is not None and not p.grad.is_sparse], 0.5
            )
        optimizer.step()
        losses.append(loss.item())
        if step % 5 == 4:
            model.eval()
            with torch.no_grad():
                losses.append(loss_of(name, model, x, y).item())
            model.train()
    state = {key: value.clone() for key, value in model.state_dict().items()}
    state |= {
        f"{n} grad": p.grad.clone() for n, p in model.named_parameters() if p.grad is not None
    }
    return losses, state, torch.get_rng_state(), (float(np.random.rand()),)


@pytest.mark.no_cover  # observers have tests of their own
@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_numbers_of_an_architecture_are_equal_to_the_bit(name: str) -> None:
    losses, state, generator, draws = _run(name)
    with nw.watch() as w:
        other = _run(name)
    assert w.errors == ()
    assert len(w.histories()) == 1
    assert other[0] == losses
    assert other[1].keys() == state.keys()
    for key, value in state.items():
        mine = other[1][key]
        assert torch.equal(mine.to_dense(), value.to_dense()), key
    assert torch.equal(other[2], generator)
    assert other[3] == draws


def test_there_are_forty_architectures() -> None:
    assert len(ARCHITECTURES) >= 40


# -- What is changed in torch ----------------------------------------------------------------------


def _attributes() -> dict[tuple[str, ...], int]:
    """Functions and classes of all modules of torch, and what classes hold, by their identity."""
    found: dict[tuple[str, ...], int] = {}
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] != "torch" or not hasattr(module, "__dict__"):
            continue
        for key, value in list(vars(module).items()):
            if key == "reduce_op":  # warns when it is looked at
                continue
            if callable(value):
                found[name, key] = id(value)
            if isinstance(value, type) and str(value.__module__).split(".")[0] == "torch":
                for attribute, held in list(vars(value).items()):
                    if callable(held) or isinstance(held, (classmethod, staticmethod)):
                        found[name, key, attribute] = id(held)
    return found


def _hooks() -> dict[str, int]:
    """How many hooks are registered for all modules, and for all optimizers."""
    places = (sys.modules["torch.nn.modules.module"], sys.modules["torch.optim.optimizer"])
    return {
        name: len(held)
        for place in places
        for name, held in vars(place).items()
        if name.startswith("_global_") and hasattr(held, "__len__")
    }


@pytest.fixture
def untouched() -> Iterator[None]:
    """Everything in torch is after the test what it was before."""
    with nw.watch():  # what the first use imports is no change
        train(Net(), 2)
    before, hooks = _attributes(), _hooks()
    yield
    after = _attributes()
    assert {key for key in before if after.get(key) != before[key]} == set()
    assert _hooks() == hooks


def test_torch_is_left_as_it_was(untouched: None) -> None:
    during: set[tuple[str, ...]] = set()
    before = _attributes()
    with nw.watch() as w:
        train(Net())
        after = _attributes()
        during = {key for key in before if after.get(key) != before[key]}
        hooks = _hooks()
    assert len(w.histories()) == 1
    assert during or any(hooks.values())  # or the comparison sees nothing


def test_an_exception_of_the_loop_passes_through(untouched: None) -> None:
    model, histories = Net(), {}
    with pytest.raises(ZeroDivisionError, match="of the loop"), nw.watch() as w:
        train(model)
        raise ZeroDivisionError("of the loop")
    histories = w.histories()
    assert len(histories["Net"].of("loss")) >= 10
    assert w.errors == ()


def test_an_exception_in_a_forward_pass_passes_through(untouched: None) -> None:
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Tensor:
            out = self.layer(x)
            if len(x) == 7:
                raise RuntimeError("seven rows")
            return out

    torch.manual_seed(0)
    model = Broken()
    with nw.watch() as w:
        train(model, 8)
        with pytest.raises(RuntimeError, match="seven rows"):
            model(X[:7])
        with pytest.raises(RuntimeError, match="mat1 and mat2"):
            model(X[:, :3])
        train(model, 8)
    assert w.errors == ()
    assert w.histories()["Broken"].ended.step == 16


def test_an_exception_in_a_backward_pass_passes_through(untouched: None) -> None:
    model = Net()
    with nw.watch() as w:
        train(model, 8)
        loss = F.cross_entropy(model(X), Y)
        loss.backward()
        with pytest.raises(RuntimeError, match="backward through the graph a second time"):
            loss.backward()
        with pytest.raises(RuntimeError, match="does not require grad"):
            torch.tensor(1.0).backward()
        train(model, 8)
    assert w.errors == ()


def test_keyboard_interrupts_pass_through(untouched: None) -> None:
    with pytest.raises(KeyboardInterrupt), nw.watch() as w:
        train(Net(), 8)
        raise KeyboardInterrupt
    assert w.history().ended.step == 8


def test_start_and_stop_do_what_the_block_does(untouched: None) -> None:
    w = nw.watch()
    w.start()
    train(Net())
    w.stop()
    steps = w.history().ended.step
    train(Net())
    assert w.history().ended.step == steps == 20


# -- Models and optimizers that are saved or copied inside of the block ----------------------------


def _vars(model: nn.Module) -> list[set[str]]:
    return [set(vars(module)) for module in model.modules()]


def test_models_are_pickled_and_copied_without_a_trace() -> None:
    model, twin = Net(), Net()
    torch.manual_seed(1)
    train(twin)
    torch.manual_seed(1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    with nw.watch():
        train(model)
        F.cross_entropy(model(X), Y).backward()
        optimizer.step()
        copied = copy.deepcopy(model)
        pickled = pickle.dumps((model, optimizer))
        file = io.BytesIO()
        torch.save({"model": model, "optimizer": optimizer, "state": optimizer.state_dict()}, file)
        assert _vars(model) == _vars(twin) == _vars(copied)
    for written in (pickled, file.getvalue()):
        assert b"netwise" not in written
    loaded, _ = pickle.loads(pickled)
    for module in (*model.modules(), *copied.modules(), *loaded.modules()):
        hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
        assert not any(hooks)
    for mine in (copied, loaded):
        mine.eval()
    model.eval()
    assert torch.equal(copied(X), model(X))
    assert torch.equal(loaded(X), model(X))
    for parameter in model.parameters():
        assert not parameter._backward_hooks
        assert not parameter._post_accumulate_grad_hooks


def test_a_copy_that_is_trained_is_another_module() -> None:
    model = Net()
    with nw.watch() as w:
        train(model, 12)
        train(copy.deepcopy(model), 12)
    assert w.errors == ()
    assert sorted(w.histories()) == ["Net", "Net-2"]


@pytest.mark.parametrize("how", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
@pytest.mark.skipif(
    any(name.startswith(("COV_", "COVERAGE_")) for name in os.environ),
    reason="the measuring of coverage ends worker processes that are forked",
)
def test_loaders_with_workers_give_the_same_batches(how: str) -> None:
    data = TensorDataset(X, Y)

    def losses() -> list[float]:
        model = Net()
        torch.manual_seed(0)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        loader = DataLoader(
            data, 16, shuffle=True, num_workers=1, multiprocessing_context=how, timeout=60
        )
        out = []
        for _ in range(2 if how == "fork" else 1):
            for x, y in loader:
                optimizer.zero_grad()
                loss = F.cross_entropy(model(x), y)
                loss.backward()
                optimizer.step()
                out.append(loss.item())
        return out

    with nw.watch() as w:
        watched = losses()
    assert w.errors == ()
    assert w.history().ended.step == len(watched)
    if how == "fork":
        assert watched == losses()


# -- Threads and several observers -----------------------------------------------------------------


def test_another_thread_is_not_watched() -> None:
    other, results = Other(), []
    expected = train_alone(Other())

    def work() -> None:
        results.append(train_alone(other))

    with nw.watch() as w:
        thread = threading.Thread(target=work)
        thread.start()
        train(Net(), 30)
        thread.join()
    assert w.errors == ()
    assert list(w.histories()) == ["Net"]
    assert results == [expected]


def train_alone(model: nn.Module) -> list[float]:
    """A loop that draws nothing from torch's generator, which threads share."""
    model[3].p = 0.0
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=0.1), []
    for k in range(60):
        rows = torch.arange(k % 4, 64, 2)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(X[rows]), Y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_a_watch_in_a_thread_sees_its_own_thread() -> None:
    names: list[list[str]] = []

    def work() -> None:
        with nw.watch() as w:
            train(Other(), 12)
        names.append(list(w.histories()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert names == [["Other"]]


# -- What is kept alive ----------------------------------------------------------------------------


class Mark:
    """An object that lives as long as the node of the graph that holds it."""


@pytest.mark.parametrize("every", [None, 1], ids=["default", "every_step"])
def test_a_batch_lives_no_longer_than_in_the_bare_loop(every: int | None) -> None:
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    alive: list[int] = []
    gc.collect()
    gc.disable()
    try:
        with nw.watch(every=every):
            for _ in range(12):
                x, y = torch.randn(32, 8), torch.randint(3, (32,))
                output = model(x)
                loss = F.cross_entropy(output, y)
                optimizer.zero_grad()
                loss.backward(retain_graph=True)
                optimizer.step()
                mark = output.grad_fn.metadata["mark"] = Mark()
                made = [weakref.ref(each) for each in (x, y, output, loss, mark)]
                del x, y, output, loss, mark
                alive.append(sum(ref() is not None for ref in made))
    finally:
        gc.enable()
    assert alive == [0] * 12


def test_models_and_optimizers_die_inside_of_the_block() -> None:
    refs: list[Any] = []

    def train_one() -> None:
        model = Net()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        for _ in range(10):
            optimizer.zero_grad()
            F.cross_entropy(model(X), Y).backward()
            optimizer.step()
        refs.extend([weakref.ref(model), weakref.ref(optimizer)])
        refs.extend(weakref.ref(p) for p in model.parameters())
        refs.extend(weakref.ref(m) for m in model.modules())

    with nw.watch() as w:
        train_one()
        gc.collect()
        assert [ref() for ref in refs if ref() is not None] == []
        histories = w.histories()
    assert list(histories) == ["Net"]
    wiring = histories["Net"].wiring
    assert wiring.trainable == 6
    assert wiring.in_no_optimizer == wiring.not_reached == wiring.frozen == ()


def test_many_short_trainings_are_bounded() -> None:
    """A search over models in one block: each has its history, and none of them its weights."""
    with nw.watch() as w:
        for _ in range(12):
            train(Net(), 6)
    assert w.errors == ()
    assert len(w.histories()) <= 12


@pytest.mark.no_cover
@pytest.mark.parametrize("steps", [6000])
def test_memory_is_flat_over_many_steps(steps: int) -> None:
    torch.manual_seed(0)
    model = nn.Linear(8, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    sizes, objects = [], []
    tracemalloc.start()
    try:
        with nw.watch() as w:
            for step in range(steps):
                optimizer.zero_grad(set_to_none=False)
                F.cross_entropy(model(X[:8]), Y[:8]).backward()
                optimizer.step()
                if step in (steps // 2, steps - 1):
                    gc.collect()
                    sizes.append(tracemalloc.get_traced_memory()[0])
                    objects.append(len(gc.get_objects()))
    finally:
        tracemalloc.stop()
    assert w.errors == ()
    assert w.history().ended.step == steps
    assert sizes[1] - sizes[0] < 300_000
    assert objects[1] - objects[0] < 2_000


# -- Other users of torch's hooks and tracers ------------------------------------------------------


def test_users_hooks_are_called_as_often_as_without() -> None:
    def counts(block: Any) -> dict[str, int]:
        model, seen = Net(), {"forward": 0, "pre": 0, "backward": 0, "tensor": 0, "step": 0}

        def count(name: str) -> Any:
            def hook(*args: Any, **options: Any) -> None:
                seen[name] += 1

            return hook

        model.register_forward_hook(count("forward"))
        model[0].register_forward_pre_hook(count("pre"))
        model[4].register_full_backward_hook(count("backward"))
        model[0].weight.register_hook(count("tensor"))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        optimizer.register_step_pre_hook(count("step"))
        with block:
            for _ in range(8):
                optimizer.zero_grad()
                F.cross_entropy(model(X), Y).backward()
                optimizer.step()
        return seen

    assert counts(nw.watch()) == counts(nullcontext())


def test_hooks_that_users_register_inside_of_the_block_stay() -> None:
    calls = []
    with nw.watch():
        train(Net(), 4)
        handle = nn.modules.module.register_module_forward_hook(lambda *args: calls.append(1))
    try:
        Net()(X)
        assert len(calls) == 6
    finally:
        handle.remove()


def test_a_function_that_is_patched_inside_of_the_block_stays_patched() -> None:
    """Leaving restores what netwise put there, not what somebody put there since."""
    original = nn.Module.train

    def train_loudly(module: nn.Module, mode: bool = True) -> nn.Module:
        return original(module, mode)

    try:
        with nw.watch():
            nn.Module.train = train_loudly  # type: ignore[method-assign]
        assert nn.Module.train is train_loudly
    finally:
        nn.Module.train = original  # type: ignore[method-assign]


def test_tracers_work_inside_of_the_block() -> None:
    model = Net().eval()
    plain = torch.fx.symbolic_trace(model).code
    with nw.watch() as w:
        train(model.train(), 4)
        model.eval()
        assert torch.fx.symbolic_trace(model).code == plain
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            traced = torch.jit.trace(model, X[:2])
            exported = torch.export.export(model, (X[:2],))
    assert w.errors == ()
    assert torch.allclose(traced(X[:2]), model(X[:2]))
    assert torch.equal(exported.module()(X[:2]), model(X[:2]))
    assert "netwise" not in str(exported)


def test_meta_and_fake_tensors_are_left_alone() -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    with nw.watch() as w:
        with torch.device("meta"):
            F.cross_entropy(nn.Linear(8, 3)(torch.empty(4, 8)), torch.zeros(4).long()).backward()
        with FakeTensorMode():
            F.cross_entropy(nn.Linear(8, 3)(torch.empty(4, 8)), torch.zeros(4).long()).backward()
        train(Net(), 8)
    assert w.errors == ()
    assert list(w.histories()) == ["Net"]
