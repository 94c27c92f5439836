"""A compiled program gives the bits of torch's steps; what it cannot do is said before it runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from netwise.training import step
from netwise.training.captured import native_program, whole_steps
from netwise.training.captured.native_program import (
    LOOKED_UP,
    Compilation,
    NativeProgram,
    why_not_native,
)
from netwise.training.captured.native_text import NativeText
from netwise.training.captured.own_memory import own_gradients
from netwise.training.captured.recorded_operations import Recording
from netwise.training.captured.same_steps import same_bits
from netwise.training.captured.step_program import CannotBeWritten, StepProgram

native = pytest.mark.skipif(bool(why_not_native()), reason=why_not_native())
G = torch.Generator().manual_seed(0)
X, CLASSES = torch.randn(40, 6, generator=G), torch.randint(3, (40,), generator=G)
NUMBERS = torch.randn(40, 3, generator=G)
ROWS = torch.randperm(40, generator=G).view(8, 5)
RATES = [0.1 / (1 + i) for i in range(8)]
Updates = Callable[[list[nn.Parameter]], torch.optim.Optimizer]
Loss = Callable[[Tensor, Tensor], Tensor]
UPDATES: dict[str, Updates] = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1, fused=True),
    "momentum": lambda p: torch.optim.SGD(
        p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01, fused=True
    ),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.1, fused=True),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.1, fused=True),
    "Adam with halves": lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.75, 0.999), fused=True),
    "Adam with decay": lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.1, fused=True),
}
KINDS: dict[str, tuple[type[nn.Module], Loss, Tensor]] = {
    "ReLU": (nn.ReLU, F.cross_entropy, CLASSES),
    "Tanh": (nn.Tanh, F.mse_loss, NUMBERS),
    "Sigmoid": (nn.Sigmoid, F.cross_entropy, CLASSES),
}


class Steps:
    """A network that takes the same steps by torch and by programs."""

    def __init__(
        self, update: Updates, bend: type[nn.Module], loss: Loss, y: Tensor, units: int = 37
    ) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(6, units), bend(), nn.Linear(units, 3))
        self.optimizer, self.loss, self.y = update(list(self.model.parameters())), loss, y

    def take(self, number: int) -> Tensor:
        self.optimizer.param_groups[0]["lr"] = RATES[number]
        loss = self.loss(self.model(X[ROWS[number]]), self.y[ROWS[number]])
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def state(self) -> list[Tensor]:
        kept = [each for values in self.optimizer.state.values() for each in values.values()]
        return [*self.model.parameters(), *(k for k in kept if isinstance(k, Tensor))]

    def programs(self) -> tuple[StepProgram, NativeText]:
        """Of the second step, which is taken."""
        self.take(0)
        self.optimizer.param_groups[0]["lr"] = RATES[1]
        x, y = X[ROWS[1]], self.y[ROWS[1]]
        weights = list(self.model.parameters())
        with Recording(self.state()) as recording:
            output = self.model(x)
            loss = self.loss(output, y)
            found = own_gradients(weights, torch.autograd.grad(loss, weights), (x, output, loss))
            for weight, gradient in zip(weights, found, strict=True):
                weight.grad = gradient
            self.optimizer.step()
        assert recording.reason == ""
        parts: Any = (recording.operations, [(X, x), (self.y, y)], output.detach(), loss.detach())
        return StepProgram(*parts), NativeText(*parts)


def compiled(steps: Steps) -> NativeProgram:
    program, text = steps.programs()
    made = NativeProgram(text, program)
    made.load()
    return made


@native
@pytest.mark.parametrize(
    ("update", "kind"),
    [
        ("SGD", "ReLU"),
        ("momentum", "Tanh"),
        ("Adam", "Sigmoid"),
        ("AdamW", "ReLU"),
        ("Adam with decay", "Tanh"),
    ],
)
def test_rounds_are_the_steps_of_torch(update: str, kind: str) -> None:
    ours, theirs = (Steps(UPDATES[update], *KINDS[kind]) for _ in range(2))
    outputs, losses = compiled(ours).run(ROWS[2:], RATES[2:])
    expected = torch.stack([theirs.take(number) for number in range(8)])
    assert torch.equal(losses, expected[2:])
    assert outputs.shape == (6, 5, 3)
    assert all(map(same_bits, ours.state(), theirs.state()))


@native
@pytest.mark.parametrize("update", ["Adam", "Adam with halves", "AdamW"])
def test_means_of_gradients_that_stay_zero_shrink_as_in_torch(update: str) -> None:
    """Units that never fire: their means go through all sizes below the smallest normal number, of
    both signs, beside weights of others; a weight of 0 is moved by them."""
    ours, theirs = (Steps(UPDATES[update], *KINDS["ReLU"]) for _ in range(2))
    program, text = ours.programs()
    assert any("update(" in line for line in text.text.splitlines())  # not the kernel of torch
    native = NativeProgram(text, program)
    native.load()
    for number in range(2):
        theirs.take(number)
    g = torch.Generator().manual_seed(1)
    for steps in (ours, theirs):
        first, bias, second, _ = steps.model.parameters()
        means = [steps.optimizer.state[each]["exp_avg"] for each in (first, second)]
        with torch.no_grad():
            bias[::2] = -100
            first[6, 2] = 0
        for mean, dead in zip(means, (means[0][::2], means[1][:, ::2]), strict=True):
            sizes = torch.randint(2**24, dead.shape, generator=g.manual_seed(1)) % 2 ** (
                torch.arange(dead.numel()).view(dead.shape) % 24 + 1
            )
            signs = torch.randint(2, dead.shape, generator=g) * -(2**31)
            dead.copy_((sizes + signs).int().view(torch.float32))
            assert bool((mean != 0).any())
    for _ in range(12):
        native.run(ROWS[2:], RATES[2:])
        for number in range(2, 8):
            theirs.take(number)
    assert all(map(same_bits, ours.state(), theirs.state()))


@native
def test_loops_are_shared_over_threads() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        ours, theirs = (Steps(UPDATES["Adam"], *KINDS["ReLU"], units=7001) for _ in range(2))
        assert ours.model[0].weight.numel() > 32_768
        compiled(ours).run(ROWS[2:], RATES[2:])
        for number in range(8):
            theirs.take(number)
    finally:
        torch.set_num_threads(before)
    assert all(map(same_bits, ours.state(), theirs.state()))


@native
def test_values_that_are_not_finite_pass_as_in_torch() -> None:
    ours, theirs = (Steps(UPDATES["SGD"], *KINDS["ReLU"]) for _ in range(2))
    program = compiled(ours)
    theirs.model.load_state_dict(ours.model.state_dict())
    for steps in (ours, theirs):
        with torch.no_grad():
            next(steps.model.parameters())[0, 0] = float("nan")
    program.run(ROWS[2:3], RATES[2:3])
    theirs.take(2)
    for one, other in zip(ours.state(), theirs.state(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


@native
def test_an_error_in_a_step_is_torchs_own() -> None:
    steps = Steps(UPDATES["SGD"], nn.ReLU, F.cross_entropy, CLASSES.clone())
    program = compiled(steps)
    steps.y[ROWS[4, 0]] = 7
    before = steps.state()[0].clone()
    with pytest.raises(RuntimeError, match="Target 7 is out of bounds"):
        program.run(ROWS[2:], RATES[2:])
    assert not torch.equal(before, steps.state()[0])  # steps 2 and 3 were taken


def test_large_steps_are_worth_a_compiler_sooner() -> None:
    small, large = (
        Steps(UPDATES["Adam"], *KINDS["ReLU"], units=units).programs()[1].worth
        for units in (37, 7001)
    )
    assert 100 < large < small < 20_000


def test_operations_that_are_not_known_are_named() -> None:
    x = X[:2].clone()
    for make, said in (
        (lambda: x.cos(), "aten::cos is not known"),
        (lambda: torch.clamp_min(x, 1), "a limit that is not 0"),
        (lambda: x.t() * x.t(), "do not follow each other"),
        (lambda: x + X[0], "one by one"),
    ):
        with Recording() as recording:
            y = make()  # type: ignore[no-untyped-call]
        with pytest.raises(CannotBeWritten, match=said):
            NativeText(recording.operations, [(X, x)], y, y.new_zeros(()))


def test_the_pinned_version_of_torch_is_looked_up() -> None:
    text = (Path(__file__).parents[3] / "constraints.txt").read_text()
    pinned = next(line for line in text.splitlines() if line.startswith("torch=="))
    assert pinned.removeprefix("torch==").startswith(LOOKED_UP)


def test_without_a_compiler_or_with_another_torch_nothing_is_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(native_program.sys, "platform", "linux")
    monkeypatch.setattr(native_program.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(native_program.torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    with monkeypatch.context() as inside:
        inside.setattr(native_program, "_compiler", lambda: None)
        assert "there is no compiler" in why_not_native()
        inside.setattr(native_program.torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
        assert "the vectors DEFAULT" in why_not_native()
    monkeypatch.setattr(native_program.torch, "__version__", "9.9.0")
    assert why_not_native() == "the functions of torch 9.9.0 were not looked up"


@native
def test_a_compiler_that_fails_is_a_reason() -> None:
    broken = Compilation("this is no program")
    with pytest.raises(CannotBeWritten, match="the compiler has failed"):
        broken.run()


# ---- in runs

SMALL = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.SGD(lr=0.1), batch_size=8, epochs=8
)
OTHERS = ("fused_update", "gathered_batches", "late_checks", "captured_steps")


def worth_from(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    worth = property(lambda self: steps, lambda self, value: None)
    monkeypatch.setattr(NativeText, "worth", worth, raising=False)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs are compiled in short runs, which wait for the compiler."""
    worth_from(1, monkeypatch)
    monkeypatch.setattr(step, "LEAST_RECORDED", 0)
    monkeypatch.setattr(whole_steps, "OFTEN", 8)
    monkeypatch.setattr(NativeProgram, "is_compiled", lambda self: True)


def alter(monkeypatch: pytest.MonkeyPatch, change: Callable[..., tuple[Tensor, ...]]) -> None:
    """Compiled programs give other results."""
    run = NativeProgram.run
    monkeypatch.setattr(NativeProgram, "run", lambda self, *given: change(*run(self, *given)))


def about(run: nw.Run) -> dict[str, Any]:
    assert run.folder is not None
    found: dict[str, Any] = json.loads((run.folder / "about.json").read_text())["captured"]
    return found


AUTOENCODER = SMALL.but(
    network=nw.Autoencoder((4, 3, 2), activation=nw.ReLU()),
    loss=nw.MeanSquaredError(),
    optimizer=nw.Adam(lr=0.01),
)


@native
@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("recipe", [SMALL, AUTOENCODER], ids=["MLP", "autoencoder"])
def test_a_run_with_compiled_steps_is_the_run_without(recipe: nw.Recipe, tmp_path: Path) -> None:
    one = nw.fit(recipe, folder=tmp_path / "one")
    other = nw.fit(recipe, folder=tmp_path / "other", speedups=OTHERS)
    assert about(one)["compiled"] > 20
    assert (about(other)["compiled"], about(other)["reason_for_not_compiled"]) == (
        0,
        "switched off",
    )
    assert one.history.series == other.history.series
    pairs = zip(one.module.parameters(), other.module.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


@native
@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("copied", [2**12, 0], ids=["answers copied", "answers compared"])
@pytest.mark.parametrize("activation", [nw.ReLU(), nw.Sigmoid()], ids=["ReLU", "Sigmoid"])
def test_recorded_steps_are_compiled_too(
    activation: nw.parts.activations.Activation,
    copied: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("netwise.observe.hooked_probe.MOST_COPIED", copied)
    # more weights in a layer than are sampled
    recipe = SMALL.but(network=nw.MLP((4, 300, 5, 3), activation=activation))
    one = nw.fit(recipe, folder=tmp_path / "one", watch_every=2)
    other = nw.fit(recipe, speedups=OTHERS[:3], watch_every=2)
    assert about(one)["compiled"] > 40, about(one)
    assert about(one)["recorded_in_one_call"] > 30
    assert about(one)["reason_for_not_compiled"] == ""
    assert one.history.series == other.history.series


@native
@pytest.mark.usefixtures("at_once")
def test_a_program_that_measures_other_bits_records_no_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter(monkeypatch, lambda outputs, losses, *kept: (outputs, losses, *(k + 1 for k in kept)))
    one = nw.fit(SMALL, folder=tmp_path / "one", watch_every=3)
    other = nw.fit(SMALL, speedups=OTHERS[:3], watch_every=3)
    reason = "compiled programs measure other bits than the plain step"
    assert about(one)["reason_for_not_compiled"] == reason
    assert about(one)["recorded_in_one_call"] > 10
    assert one.history.series == other.history.series


@native
@pytest.mark.usefixtures("at_once")
def test_a_program_that_gives_other_bits_takes_no_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter(monkeypatch, lambda outputs, losses, *kept: (outputs, losses + 1, *kept))
    one = nw.fit(SMALL, folder=tmp_path / "one")
    other = nw.fit(SMALL, speedups=OTHERS)
    assert about(one)["compiled"] == 0
    assert "other bits" in about(one)["reason_for_not_compiled"]
    assert about(one)["in_one_call"] > 20
    assert one.history.series == other.history.series


@native
@pytest.mark.usefixtures("at_once")
def test_equal_steps_of_several_runs_are_worth_a_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = SMALL.but(network=nw.MLP((4, 9, 3)))
    worth_from(150, monkeypatch)  # a run has 112
    first, second = (
        nw.fit(recipe.but(seed=seed), folder=tmp_path / str(seed), watch_every=0) for seed in (0, 1)
    )
    assert about(first)["reason_for_not_compiled"] == "the run is short"
    assert about(first)["compiled"] == 0
    assert about(second)["compiled"] > 50
