"""Events of torch arrive, and nothing is left behind."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.modules import module as torch_modules
from torch.optim import optimizer as torch_optimizers

from netwise.observe.torch_hooks import TorchHooks


class Recorder:
    """Records the names of events."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def backward(self, run: Any, tensors: Any, args: Any, kwargs: Any) -> Any:
        self.events.append("backward" if kwargs["accumulate_grad"] else "grad")
        return run(tensors, *args, **kwargs)

    def step_begins(self, optimizer: Any) -> None:
        self.events.append("step begins")

    def step_ended(self, optimizer: Any) -> None:
        self.events.append("step ended")

    def gradients_unscale(self, scaler: Any, optimizer: Any) -> None:
        self.events.append("unscale")

    def loss_scales(self, scaler: Any) -> None:
        self.events.append("scale")

    def state_loaded(self, module: nn.Module, state: Any, keys: Any) -> None:
        self.events.append(f"{type(module).__name__} loaded")

    def mode_set(self, module: nn.Module, was_training: bool) -> None:
        self.events.append(
            f"{type(module).__name__} {'trains' if module.training else 'evaluates'}"
        )

    def gradients_off(self, place: object) -> None:
        self.events.append(f"off {getattr(place, 'co_name', place)}")

    def gradients_on(self) -> None:
        self.events.append("on")

    def module_begins(self, module: nn.Module) -> None:
        self.events.append(f"{type(module).__name__} begins")

    def module_ended(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        self.events.append(f"{type(module).__name__} ended{'' if output is not None else ' badly'}")


class StepRecorder:
    """The same of steps alone."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def backward_begins(self, tensors: Any, kwargs: Any) -> None:
        self.events.append("backward" if kwargs["accumulate_grad"] else "grad")

    def step_ended(self, optimizer: Any) -> None:
        self.events.append("step ended")


def state_of_torch() -> list[Any]:
    """All that the hooks could change."""
    return [
        torch.autograd._engine_run_backward,
        torch.amp.GradScaler.unscale_,
        torch.amp.GradScaler.scale,
        *(
            getattr(switch, name)
            for switch in (torch.no_grad, torch.inference_mode, torch.set_grad_enabled)
            for name in ("__enter__", "__exit__")
        ),
        list(torch_optimizers._global_optimizer_pre_hooks),
        list(torch_optimizers._global_optimizer_post_hooks),
        list(torch_modules._global_forward_hooks),
        list(torch_modules._global_forward_pre_hooks),
        list(torch_modules._global_forward_hooks_with_kwargs),
        [each for each in warnings.filters if "global hooks" in str(each[1])],
    ]


@pytest.fixture
def recorder() -> Any:
    before = state_of_torch()
    listener = Recorder()
    hooks = TorchHooks(listener)
    hooks.install()
    listener.hooks = hooks  # type: ignore[attr-defined]
    yield listener
    hooks.remove()
    assert state_of_torch() == before


def test_a_training_step(recorder: Any) -> None:
    net = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    recorder.events.clear()  # initialisers run without gradients
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    assert recorder.events == ["backward", "step ended"]
    recorder.hooks.listen_to_modules(True)
    optimizer.step()
    recorder.hooks.listen_to_modules(False)
    optimizer.step()
    assert recorder.events[2:] == ["step begins", "step ended", "step ended"]


def test_another_listener_may_receive_the_steps(recorder: Any) -> None:
    net = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    other = StepRecorder()
    recorder.events.clear()
    recorder.hooks.of_steps = other
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    with torch.no_grad():
        net(torch.ones(1, 2))
    assert other.events == ["backward", "step ended"]
    assert recorder.events == ["off test_another_listener_may_receive_the_steps", "on"]
    recorder.hooks.remove()
    optimizer.step()
    assert len(other.events) == 2


def test_modules_only_while_they_are_listened_to(recorder: Any) -> None:
    net = nn.Sequential(nn.Linear(2, 2))
    recorder.events.clear()
    net(torch.ones(1, 2))
    recorder.hooks.listen_to_modules(True)
    net(torch.ones(1, 2))
    with pytest.raises(RuntimeError):
        net(torch.ones(1, 3))
    recorder.hooks.listen_to_modules(False)
    net(torch.ones(1, 2))
    good = ["Sequential begins", "Linear begins", "Linear ended", "Sequential ended"]
    bad = ["Sequential begins", "Linear begins", "Linear ended badly", "Sequential ended badly"]
    assert recorder.events == [*good, *bad]


def test_autograd_grad_is_told_from_backward(recorder: Recorder) -> None:
    x = torch.ones(2, requires_grad=True)
    torch.autograd.grad(x.sum(), x)
    torch.autograd.backward(x.sum())
    assert recorder.events == ["grad", "backward"]


def test_blocks_without_gradients(recorder: Recorder) -> None:
    @torch.no_grad()
    def validate() -> None:
        with torch.no_grad():  # inside of another block it is no event
            pass

    validate()
    with torch.inference_mode():
        pass
    with torch.set_grad_enabled(False):
        pass
    with torch.set_grad_enabled(True):
        pass
    names = [event for event in recorder.events if event.startswith("off")]
    assert names[0] == "off validate"
    assert len(names) == 3
    assert recorder.events[-1] == "on"


def test_a_block_ends_with_its_own_context(recorder: Recorder) -> None:
    """Contexts inside of it, and those of torch's own code, do not end it."""
    net = nn.Linear(2, 2)
    recorder.events.clear()
    with torch.no_grad():
        recorder.events.append("inside")
        with torch.enable_grad():
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            nn.init.zeros_(net.weight)
            torch.optim.swa_utils.update_bn([torch.ones(1, 2)], net)
        recorder.events.append("still inside")
    assert recorder.events[1:] == ["inside", "still inside", "on"]


def test_torch_uses_blocks_itself(recorder: Recorder) -> None:
    net = nn.Linear(2, 2)
    torch.optim.SGD(net.parameters(), lr=0.1).zero_grad()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    nn.init.zeros_(net.weight)
    assert recorder.events == []


class Scores:
    """A callable object."""

    @torch.no_grad()
    def method(self) -> None:
        pass

    def __call__(self) -> None:
        pass


def test_decorated_code_is_identified(recorder: Recorder) -> None:
    Scores().method()
    torch.no_grad()(Scores())()

    @torch.no_grad()
    def parts() -> Iterator[int]:
        yield 1

    list(parts())
    names = [event for event in recorder.events if event.startswith("off")]
    expected = ["off method", "off test_decorated_code_is_identified", "off parts"]
    assert list(dict.fromkeys(names)) == expected


def test_the_gradient_scaler(recorder: Recorder) -> None:
    net = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu")
    scaler.scale(net(torch.ones(1, 2)).sum()).backward()
    scaler.step(optimizer)
    assert [e for e in recorder.events if e in ("scale", "unscale")] == ["scale", "unscale"]


def test_two_listeners_removed_in_the_order_of_installing() -> None:
    before = state_of_torch()
    first, second = Recorder(), Recorder()
    hooks = [TorchHooks(first), TorchHooks(second)]
    for each in hooks:
        each.install()
    loss = F.mse_loss(torch.ones(2, requires_grad=True), torch.zeros(2))
    loss.backward()
    assert first.events == second.events == ["backward"]
    hooks[0].remove()  # the second one's wrapper is above it
    torch.ones(1, requires_grad=True).sum().backward()
    assert (first.events, second.events) == (["backward"], ["backward", "backward"])
    hooks[1].remove()
    torch.ones(1, requires_grad=True).sum().backward()
    assert second.events == ["backward", "backward"]
    assert state_of_torch() == before
