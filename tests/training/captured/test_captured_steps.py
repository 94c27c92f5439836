"""Captured steps give the history of plain ones to the last bit, and say where none is captured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from netwise.training import step
from netwise.training.captured.captured_steps import MOST_SHAPES, SHADOWED, CapturedSteps, hindrance
from netwise.training.speedups import SPEEDUPS

PLAIN = tuple(each.name for each in SPEEDUPS if each.same_bits and each.name != "captured_steps")
CAPTURED = (*PLAIN, "captured_steps")


def own() -> nn.Module:
    return nn.Linear(4, 3)


G = torch.Generator().manual_seed(0)
DATA = nw.data.arrays(
    torch.randn(150, 6, generator=G),
    torch.randint(3, (150,), generator=G),
    weights=torch.rand(150, generator=G) + 0.5,
)
PIXELS = nw.data.arrays(torch.rand(150, 12, generator=G), torch.randint(3, (150,), generator=G))
IMAGES = nw.data.arrays(
    torch.rand(100, 1, 12, 12, generator=G), torch.randint(3, (100,), generator=G)
)
NUMBERS = nw.data.arrays(torch.randn(150, 6, generator=G), torch.randn(150, generator=G))
SMALL = nw.Recipe(
    data=nw.data.iris(),
    network=nw.MLP((4, 8, 3)),
    optimizer=nw.SGD(lr=0.1),
    batch_size=16,
    epochs=3,
)
CASES: dict[str, dict[str, Any]] = {
    "SGD": {},
    "Nesterov": {"optimizer": nw.SGD(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01)},
    "Adam": {"optimizer": nw.Adam(lr=0.01)},
    "AdamW": {"optimizer": nw.AdamW(lr=0.01)},
    "clipping": {"clip": nw.Clip(norm=0.1)},
    "penalty": {"penalty": nw.L2(strength=0.01)},
    "limit of weights": {"penalty": nw.MaxNorm(norm=1.0)},
    "rate of each step": {"schedule": nw.OneCycle()},
    "dropout": {"network": nw.MLP((4, 8, 3), dropout=0.3)},
    "batch norm": {
        "network": nw.MLP((4, 8, 8, 3), batch_norm=True, dropout=0.2),
        "optimizer": nw.Adam(lr=0.01),
        "clip": nw.ClipValue(value=0.1),
    },
    "autoencoder": {
        "data": PIXELS,
        "network": nw.Autoencoder((12, 8, 4)),
        "loss": nw.MeanSquaredError(),
    },
    "sparse codes": {
        "data": PIXELS,
        "network": nw.Autoencoder((12, 8, 4), sparsity=0.1, top=2),
        "loss": nw.BinaryCrossEntropy(),
    },
    "logistic units": {"loss": nw.BinaryCrossEntropy()},
    "ensemble": {"network": nw.MLP((4, 8, 3), members=4)},
    "convolutions": {
        "data": IMAGES,
        "network": nw.LeNet5(image=(1, 12, 12), classes=3),
        "batch_size": 8,
    },
    "batches of one": {"batch_size": 1, "epochs": 1},
    "best epoch": {"stopping": nw.Patience(1)},
    "weights of samples": {"data": DATA, "network": nw.MLP((6, 8, 3))},
    "regression": {"data": NUMBERS, "network": nw.MLP((6, 8, 1)), "loss": nw.MeanSquaredError()},
    "tanh": {"network": nw.MLP((4, 8, 8, 3), activation=nw.Tanh())},
    "residual GELU": {"network": nw.MLP((4, 8, 8, 3), activation=nw.GELU(), residual=True)},
}
# Repeated, but in a call for each step.
ONE_BY_ONE: dict[str, tuple[dict[str, Any], str]] = {
    "momentum of a formula": ({"optimizer": nw.Momentum(lr=0.05)}, "gives a number to Python"),
    "RMSProp": ({"optimizer": nw.RMSProp(lr=0.01)}, "no kernel that takes the rate"),
    "average of weights": ({"average": nw.EMA(decay=0.9)}, "between two steps"),
    "augmented": ({"augment": (nw.Noise(),)}, "between two steps"),
}
FALLING_BACK: dict[str, tuple[dict[str, Any], str]] = {
    "a layer at a time": (
        {
            "data": PIXELS,
            "network": nw.Autoencoder((12, 8, 4), layer_by_layer=True),
            "loss": nw.MeanSquaredError(),
        },
        "gives a number to Python",
    ),
    "mixed samples": ({"augment": (nw.Mixup(),)}, "samples are mixed"),
    "own": ({"network": nw.CustomNetwork(own)}, "the network is your own"),
    "switched off": ({}, "switched off"),
}


def equal(one: nw.Run, other: nw.Run) -> bool:
    pairs = zip(one.module.state_dict().items(), other.module.state_dict().items(), strict=True)
    return one.history.series == other.history.series and all(
        name == same and torch.equal(a, b) for (name, a), (same, b) in pairs
    )


def captured(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "about.json").read_text())["captured"]
    return found


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recorded steps are part of programs in short runs too."""
    monkeypatch.setattr(step, "LEAST_RECORDED", 0)


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_a_run_has_the_same_history_and_weights(changes: dict[str, Any], tmp_path: Path) -> None:
    recipe = SMALL.but(**changes)
    run = nw.fit(recipe, folder=tmp_path / "run", speedups=CAPTURED, watch_every=5)
    about = captured(tmp_path / "run")
    assert (about["reason"], about["reason_for_single_calls"]) == ("", "")
    assert about["in_one_call"] > 5
    assert (about["reason_for_recording_alone"], about["recorded_in_one_call"] > 0) == ("", True)
    assert equal(run, nw.fit(recipe, speedups=PLAIN, watch_every=5))


@pytest.mark.parametrize(("changes", "reason"), ONE_BY_ONE.values(), ids=ONE_BY_ONE)
def test_a_step_that_needs_python_is_repeated_by_itself(
    changes: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    recipe = SMALL.but(**changes)
    run = nw.fit(recipe, folder=tmp_path / "run", speedups=CAPTURED, watch_every=5)
    about = captured(tmp_path / "run")
    assert (about["reason"], about["in_one_call"]) == ("", 0)
    assert reason in about["reason_for_single_calls"]
    assert about["repeated_steps"] > 5
    assert equal(run, nw.fit(recipe, speedups=PLAIN, watch_every=5))


@pytest.mark.parametrize(("changes", "reason"), FALLING_BACK.values(), ids=FALLING_BACK)
def test_a_run_that_cannot_be_captured_says_why(
    changes: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    recipe = SMALL.but(**changes)
    names = PLAIN if reason == "switched off" else CAPTURED
    run = nw.fit(recipe, folder=tmp_path / "run", speedups=names, watch_every=5)
    about = captured(tmp_path / "run")
    assert about["repeated_steps"] == 0
    assert reason in about["reason"]
    assert equal(run, nw.fit(recipe, speedups=PLAIN, watch_every=5))


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("copied", [2**12, 0], ids=["answers copied", "answers compared"])
def test_each_step_can_be_recorded_in_one_call(
    copied: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netwise.observe.hooked_probe.MOST_COPIED", copied)
    recipe = SMALL.but(network=nw.MLP((4, 8, 8, 3), activation=nw.Tanh()), clip=nw.Clip(norm=0.1))
    run = nw.fit(recipe, folder=tmp_path / "run", speedups=CAPTURED, watch_every=1)
    about = captured(tmp_path / "run")
    assert about["recorded_in_one_call"] == about["repeated_steps"] > 5
    plain = nw.fit(recipe, folder=tmp_path / "plain", speedups=PLAIN, watch_every=1)
    assert equal(run, plain)
    rows = [(tmp_path / each / "history/rows.jsonl").read_bytes() for each in ("run", "plain")]
    assert rows[0] == rows[1]  # resumed runs have the same file


@pytest.mark.parametrize(("epochs", "every", "in_one_call"), [(3, 2, 5), (2, 1, 0)])
def test_few_recorded_steps_are_computed_in_the_plain_way(
    epochs: int, every: int, in_one_call: int, tmp_path: Path
) -> None:
    recipe = SMALL.but(epochs=epochs)
    run = nw.fit(recipe, folder=tmp_path / "run", speedups=CAPTURED, watch_every=every)
    about = captured(tmp_path / "run")
    assert (about["in_one_call"], about["recorded_in_one_call"]) == (in_one_call, 0)
    assert about["reason_for_recording_alone"] == "few steps are recorded"
    assert equal(run, nw.fit(recipe, speedups=PLAIN, watch_every=every))


@pytest.mark.usefixtures("recorded")
def test_a_resumed_run_has_the_numbers_of_one_without_interruption(tmp_path: Path) -> None:
    recipe = SMALL.but(optimizer=nw.Adam(lr=0.01), schedule=nw.OneCycle())
    folder = tmp_path / "run"
    options: dict[str, Any] = {"speedups": CAPTURED, "watch_every": 7}
    nw.fit(recipe, folder=folder, halt=lambda done, row: "for a moment", **options)
    assert equal(nw.resume(folder), nw.fit(recipe, speedups=PLAIN, watch_every=7))


def test_a_run_that_diverges_names_the_same_step_and_layer() -> None:
    recipe = SMALL.but(optimizer=nw.SGD(lr=1e30), epochs=20)
    one, other = (nw.fit(recipe, speedups=names, watch_every=7) for names in (CAPTURED, PLAIN))
    assert one.history.ended == other.history.ended
    assert one.history.ended.how == "diverged"
    assert equal(one, other)


def stepped(layer: nn.Module, x: Tensor, steps: CapturedSteps) -> tuple[Tensor, Tensor] | None:
    def forward(x: Tensor, y: Tensor, w: Tensor | None) -> tuple[Tensor, Tensor, None, Tensor]:
        output = layer(x)
        loss = F.mse_loss(output, y)
        return output, loss, None, loss

    return steps.take(x, torch.zeros(len(x), 2), None, forward)


def test_too_many_shapes_of_batches_fall_back() -> None:
    layer, steps = nn.Linear(3, 2), CapturedSteps()
    steps.use_parameters(list(layer.parameters()))
    for rows in range(1, MOST_SHAPES + 2):
        stepped(layer, torch.ones(rows, 3), steps)
    assert steps.reason == f"batches have more than {MOST_SHAPES} shapes"


def test_a_computation_that_changes_from_step_to_step_is_found_out() -> None:
    class Alternating(nn.Linear):
        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            return super().forward(x) * self.calls

    layer, steps = Alternating(3, 2), CapturedSteps()
    steps.use_parameters(list(layer.parameters()))
    for _ in range(SHADOWED + 2):
        stepped(layer, torch.ones(4, 3), steps)
    assert steps.reason == "repeated operations give other bits than the plain step"
    assert layer.calls == 2


def test_other_parameters_are_recorded_anew() -> None:
    layer, steps = nn.Linear(3, 2), CapturedSteps()
    steps.use_parameters([layer.weight])
    for _ in range(SHADOWED + 2):
        stepped(layer, torch.ones(4, 3), steps)
    assert (steps.repeated, layer.bias.grad) == (1, None)
    steps.use_parameters([layer.weight, layer.bias])
    for _ in range(SHADOWED + 2):
        stepped(layer, torch.ones(4, 3), steps)
    assert steps.repeated == 2
    assert layer.bias.grad is not None


@pytest.mark.parametrize(
    ("changes", "device", "precision", "reason"),
    [
        ({}, "cpu", None, ""),
        ({}, "cpu", "float32", ""),
        ({}, "cuda", None, "not measured on cuda"),
        ({}, "cpu", "bfloat16", "precision is bfloat16"),
        ({"network": nw.RBM(4, 2)}, "cpu", None, "without autograd"),
    ],
)
def test_what_is_known_before_the_first_step(
    changes: dict[str, Any], device: str, precision: str | None, reason: str
) -> None:
    found = hindrance(SMALL.but(**changes), device, precision)
    assert reason in found
    assert bool(reason) == bool(found)
