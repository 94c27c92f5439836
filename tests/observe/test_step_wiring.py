"""The connections that recorded steps show, compared with what an observer reads of the same loop
and with what was built into the modules."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from netwise.observe.hooked_probe import HookedProbe
from netwise.observe.step_wiring import StepWiring

BATCH, INPUTS, OUTPUTS = 12, 6, 3


def plain() -> nn.Module:
    return nn.Sequential(nn.Linear(INPUTS, 5), nn.ReLU(), nn.Linear(5, OUTPUTS))


def linear() -> nn.Module:
    return nn.Sequential(nn.Linear(INPUTS, 5), nn.Linear(5, OUTPUTS))


def frozen() -> nn.Module:
    module = plain()
    module[0].requires_grad_(False)
    return module


class Cut(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.below, self.above = nn.Linear(INPUTS, 5), nn.Linear(5, OUTPUTS)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.above(torch.relu(self.below(x)).detach())
        return y


class InList(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = [nn.Linear(INPUTS, 5)]
        self.head = nn.Linear(5, OUTPUTS)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(torch.relu(self.hidden[0](x)))
        return y


class SoftmaxOverBatch(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(INPUTS, OUTPUTS)

    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(self.layer(x), 0)


class Attending(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(INPUTS, 2, 8, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(INPUTS, OUTPUTS)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.encoder(x[:, None]).mean(1))
        return y


MODULES: tuple[Callable[[], nn.Module], ...] = (
    plain,
    linear,
    frozen,
    Cut,
    InList,
    SoftmaxOverBatch,
    Attending,
)


def data(seed: int = 0) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(BATCH, INPUTS, generator=g), torch.arange(BATCH) % OUTPUTS


class Loop:
    """A loop whose steps are all recorded."""

    def __init__(self, module: nn.Module) -> None:
        trained = [p for p in module.parameters() if p.requires_grad]
        self.module, self.optimizer = module, torch.optim.SGD(trained, lr=0.1)
        self.probe, self.wiring = HookedProbe(module), StepWiring(module)

    def step(self, loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy) -> None:
        x, y = data()
        self.probe.attach()
        value = loss(self.module(x), y)
        self.optimizer.zero_grad()
        self.wiring.before_backward(value, x, self.probe, self.optimizer)
        value.backward()  # type: ignore[no-untyped-call]
        self.wiring.after_backward()
        self.probe.record(value.detach(), y)
        self.optimizer.step()
        self.probe.finish_step()


def wiring_of(module: nn.Module, steps: int = 3) -> nw.Wiring:
    loop = Loop(module)
    for _ in range(steps):
        loop.step()
    wiring = loop.wiring.wiring()
    assert wiring is not None, loop.wiring.error
    return wiring


@pytest.mark.parametrize("build", MODULES, ids=lambda build: build.__name__)
def test_the_facts_are_those_of_an_observed_loop(build: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    module = build()
    found = wiring_of(module)
    trained = [p for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.1)
    x, y = data()
    with nw.watch() as watched:
        for _ in range(3):
            optimizer.zero_grad()
            F.cross_entropy(module(x), y).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    (history,) = watched.histories().values()
    expected = history.wiring
    assert expected is not None
    assert found.module == type(module).__name__
    for name in (
        *("optimizers", "trainable", "frozen", "in_no_optimizer", "not_reached"),
        *("optimizer_weights", "optimizer_trainable", "widened", "softmax_over_batch", "linear"),
    ):
        assert getattr(found, name) == getattr(expected, name), name
    assert sorted(found.outside_module) == sorted(expected.outside_module)
    # Observed programs have the place of `backward`, too.
    assert [t.operation for t in found.losses] == [t.operation for t in expected.losses]
    assert [t.chain for t in found.losses] == [t.chain for t in expected.losses]


def test_a_cut_is_between_two_layers() -> None:
    wiring = wiring_of(Cut())
    assert wiring.not_reached == ("below.bias", "below.weight")
    assert wiring.cut_between == ("below", "above")
    assert wiring_of(plain()).cut_between == ()


def test_layers_in_a_list_are_outside_of_the_module() -> None:
    assert sorted(wiring_of(InList()).outside_module) == ["(5, 6)", "(5,)"]


class MadeInForward(nn.Module):
    """A layer that each call makes anew."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(5, OUTPUTS)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(nn.Linear(INPUTS, 5)(x)))


def test_layers_that_forward_makes_are_new_at_each_step() -> None:
    wiring = wiring_of(MadeInForward())
    assert wiring.outside_anew
    assert sorted(wiring.outside_module) == ["(5, 6)", "(5,)"]
    assert not wiring_of(InList()).outside_anew


class SometimesLeftOut(nn.Module):
    """Stochastic depth: the middle is used in one forward pass of several only."""

    def __init__(self, every: int) -> None:
        super().__init__()
        self.first, self.middle = nn.Linear(INPUTS, 5), nn.Linear(5, 5)
        self.head, self.calls, self.every = nn.Linear(5, OUTPUTS), 0, every

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        self.calls += 1
        moved = self.middle(x)
        if self.calls % self.every == 0:
            x = x + moved
        y: Tensor = self.head(x)
        return y


def test_a_layer_that_is_sometimes_left_out_is_reached() -> None:
    """Also where no graph of the steps that used it was read."""
    assert wiring_of(SometimesLeftOut(1000), 12).not_reached == ("middle.bias", "middle.weight")
    assert wiring_of(SometimesLeftOut(11), 12).not_reached == ()


def test_a_layer_that_is_frozen_for_a_while_is_reached_when_it_is_released() -> None:
    module = plain()
    loop = Loop(module)
    module[0].requires_grad_(False)
    for _ in range(6):
        loop.step()
    before = loop.wiring.wiring()
    module[0].requires_grad_(True)
    loop.step()
    after = loop.wiring.wiring()
    assert before is not None
    assert after is not None
    assert (before.trainable, before.frozen) == (2, ("0.bias", "0.weight"))
    assert (after.trainable, after.frozen, after.not_reached) == (4, (), ())


class Unused(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.used, self.unused = nn.Linear(INPUTS, OUTPUTS), nn.Linear(5, 5)
        self.also_unused = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.used(x)
        return y


def test_layers_that_are_never_called_do_no_harm() -> None:
    assert wiring_of(Unused()).not_reached == ()


def test_weights_that_the_optimizer_lacks_are_named() -> None:
    loop = Loop(plain())
    del loop.optimizer.param_groups[0]["params"][2:]
    loop.step()
    wiring = loop.wiring.wiring()
    assert wiring is not None
    assert wiring.in_no_optimizer == ("2.bias", "2.weight")
    assert (wiring.optimizer_weights, wiring.trainable) == (2, 4)


def test_outputs_that_are_widened_against_targets_are_seen() -> None:
    loop = Loop(nn.Linear(INPUTS, 1))
    loop.step(lambda output, y: ((output - y.float()) ** 2).mean())
    wiring = loop.wiring.wiring()
    assert wiring is not None
    assert wiring.widened == "(12, 1) to (12, 12)"


def test_a_state_survives_json() -> None:
    loop = Loop(InList())
    for _ in range(3):
        loop.step()
    other = StepWiring(loop.module)
    other.load_state_dict(json.loads(json.dumps(loop.wiring.state_dict())))
    assert other.seen == loop.wiring.seen
    assert other.wiring() == loop.wiring.wiring()


def test_a_snapshot_is_not_changed_by_later_steps() -> None:
    loop = Loop(plain())
    loop.step()
    before = loop.wiring.snapshot()
    loop.step(lambda output, y: F.mse_loss(output, F.one_hot(y, OUTPUTS).float()))
    assert loop.wiring.snapshot() != before
    loop.wiring.restore(before)
    assert [t.operation for t in loop.wiring.wiring().losses] == ["cross entropy"]  # type: ignore[union-attr]


def test_nothing_is_known_before_the_first_recorded_step() -> None:
    assert StepWiring(plain()).wiring() is None


def test_an_error_switches_the_reading_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(loss: Tensor) -> None:
        raise RuntimeError("no graph today")

    monkeypatch.setattr("netwise.observe.autograd_graph.read_graph", fail)
    loop = Loop(plain())
    loop.step()
    monkeypatch.undo()
    loop.step()
    assert loop.wiring.wiring() is None
    assert loop.wiring.error == "RuntimeError: no graph today"
    other = StepWiring(loop.module)
    other.load_state_dict(loop.wiring.state_dict())
    assert other.error == loop.wiring.error


def test_reading_changes_no_bit() -> None:
    ends = []
    for read in (True, False):
        torch.manual_seed(3)
        loop = Loop(Attending())  # has dropout, which draws random numbers
        if not read:
            loop.wiring.error = "switched off"
        for _ in range(3):
            loop.step()
        ends.append([p.detach().clone() for p in loop.module.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*ends, strict=True))
