"""Whole steps are used where their bits are those of plain steps, for the memory and the settings
that they were recorded with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from netwise.history import Layer
from netwise.observe.hooked_probe import HookedProbe
from netwise.observe.kept_steps import Measure
from netwise.observe.step_signals import write_numbers
from netwise.training.captured.whole_steps import MOST_PROGRAMS, StepParts, WholeSteps

G = torch.Generator().manual_seed(0)
X, Y = torch.randn(40, 6, generator=G), torch.randn(40, 2, generator=G)
SMALL = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.SGD(lr=0.1), batch_size=8, epochs=4
)


class Loop:
    """A linear layer and what `WholeSteps` asks of its training."""

    def __init__(self, layer: nn.Module | None = None) -> None:
        torch.manual_seed(0)
        self.layer = nn.Linear(6, 2) if layer is None else layer
        self.optimizer = torch.optim.SGD(self.layer.parameters(), lr=0.1, fused=True)
        self.settings: dict[str, Any] = {"momentum": 0.0}
        self.whole = WholeSteps(
            StepParts(
                (X, Y),
                self.forward,
                list(self.layer.parameters()),
                self.optimizer.step,
                lambda rate: self.optimizer.param_groups[0].update(lr=rate),
                lambda: list(self.layer.parameters()),
                lambda: dict(self.settings),
            )
        )

    def forward(
        self, x: Tensor, y: Tensor, w: Tensor | None
    ) -> tuple[Tensor, Tensor, None, Tensor]:
        output = self.layer(x)
        loss = F.mse_loss(output, y)
        return output, loss, None, loss

    def take(self, first: int, wanted: int, batch: int = 4) -> int:
        """Take steps; returns how many."""
        count = self.whole.steps_at_once(batch, [False] * wanted)
        if count:
            rows = torch.arange(first, first + count * batch).remainder(40).view(count, batch)
            self.whole.take(rows, [0.1] * count)
        return count


def test_a_step_is_recorded_then_compared_then_taken_with_many() -> None:
    loop = Loop()
    assert [loop.take(i, 7) for i in range(4)] == [1, 2, 7, 7]
    assert (loop.whole.reason, loop.whole.taken) == ("", 14)


def test_other_settings_or_memory_need_another_program() -> None:
    loop = Loop()
    assert [loop.take(i, 5) for i in range(3)] == [1, 2, 5]
    loop.settings["momentum"] = 0.5
    assert [loop.take(i, 5) for i in range(3)] == [1, 2, 5]
    layer = loop.layer
    assert isinstance(layer, nn.Linear)
    layer.weight.data = layer.weight.data.clone()
    before = layer.weight.clone()
    assert [loop.take(i, 5) for i in range(3)] == [1, 2, 5]
    assert not torch.equal(layer.weight, before)


def test_a_step_that_changes_from_call_to_call_is_found_out() -> None:
    class Alternating(nn.Linear):
        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            return super().forward(x) * self.calls

    torch.manual_seed(0)
    loop, plain = Loop(Alternating(6, 2)), Loop(Alternating(6, 2))
    plain.layer.load_state_dict(loop.layer.state_dict())
    assert [loop.take(4 * i, 1) for i in range(3)] == [1, 1, 0]
    assert loop.whole.reason == "programs give other bits than the plain step"
    for i in range(2):
        plain.whole._plain(torch.arange(4 * i, 4 * i + 4), 0.1)
    assert all(map(torch.equal, loop.layer.parameters(), plain.layer.parameters()))


def test_measures_that_change_from_step_to_step_are_found_out() -> None:
    """The steps themselves are still taken by programs, but those that are recorded are not."""

    class Alternating(HookedProbe):
        calls = 0

        def before_update(self, *args: Any, **named: Any) -> list[Measure]:
            self.calls += 1
            return [*super().before_update(*args, **named), loss_times(self.calls)]

    def loss_times(number: int) -> Measure:
        return Measure(write_numbers, (torch.tensor(float(number)) + X[0, 0],), ("calls",))

    loop = Loop()
    probe = Alternating(loop.layer)
    probe.layers = (Layer("", "Linear", 6, 2, "", True, False),)
    loop.whole.parts = replace(loop.whole.parts, probe=probe)
    whole, rows = loop.whole, torch.arange(8).view(2, 4)

    def take(*recorded: bool) -> int:
        count = whole.steps_at_once(4, recorded)
        found: list[dict[str, float] | None] = [{} if each else None for each in recorded]
        if count:
            whole.take(rows[:count], [0.1] * count, found[:count])
        return count

    assert [take(False, False), take(False, False)] == [1, 2]
    assert take(False, True) == 1  # the first that is recorded is compared, by itself
    assert take(True, False) == 2
    assert whole.not_recorded == "programs measure other bits than the plain step"
    assert [take(True, False), take(False, True), take(False, False)] == [0, 1, 2]
    assert (whole.reason, whole.recorded) == ("", 0)


def test_too_many_sizes_of_batches_fall_back() -> None:
    loop = Loop()
    for size in range(1, MOST_PROGRAMS + 2):
        loop.take(0, 1, size)
    assert loop.whole.reason == f"batches have more than {MOST_PROGRAMS} sizes"


def test_ctrl_c_ends_the_run_after_a_call_of_few_steps() -> None:
    asked = []

    def halt(done: int, row: object) -> str | None:
        asked.append(done)
        return "enough" if done == 2 else None

    run = nw.fit(SMALL, watch_every=0, halt=halt)
    assert (run.history.ended.how, asked) == ("interrupted", [1, 2])


def test_an_optimizer_that_is_switched_is_recorded_anew() -> None:
    recipe = SMALL.but(
        optimizer=nw.SwitchOptimizer(first=nw.Adam(lr=0.01), then=nw.SGD(lr=0.1), epoch=2)
    )
    names = ("fused_update", "gathered_batches", "late_checks")
    one, other = (
        nw.fit(recipe, watch_every=0, speedups=each) for each in (names, (*names, "captured_steps"))
    )
    assert one.history.series == other.history.series
