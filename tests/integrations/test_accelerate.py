"""Accelerate: observed without a change of the program, and by `watch`."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from framework_checks import (
    BATCH,
    EPOCHS,
    RATE,
    Network,
    Numbers,
    assert_same,
    classes,
    names,
    numbers,
    observed,
)
from netwise import signals

pytest.importorskip("accelerate", reason="needs accelerate: pip install 'netwise[integrations]'")
pytestmark = pytest.mark.filterwarnings("ignore")  # advice about machines without accelerator

import accelerate  # noqa: E402
from accelerate.state import AcceleratorState, GradientState  # noqa: E402

from netwise.integrations import accelerate as of_accelerate  # noqa: E402

KINDS = ("plain", "accumulated", "clipped", "bf16", "all")


def train(
    kind: str = "plain", fault: str = "", watch: of_accelerate.Watch | None = None
) -> Numbers:
    """The loop that Accelerate's documentation shows. "uncleared" never clears the gradients."""
    AcceleratorState._reset_state(reset_partial_state=True)  # it keeps the first precision
    GradientState._reset_state()
    torch.manual_seed(0)
    accelerator = accelerate.Accelerator(
        cpu=True,
        mixed_precision="bf16" if kind in ("bf16", "all") else "no",
        gradient_accumulation_steps=4 if kind in ("accumulated", "all") else 1,
        log_with=watch,
    )
    accelerator.init_trackers("digits")
    model = Network(fault=fault)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    loader = DataLoader(TensorDataset(*classes()), BATCH, shuffle=True)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    losses = []
    for _ in range(EPOCHS):
        for x, y in loader:
            with accelerator.accumulate(model):
                loss = F.cross_entropy(model(x), y)
                accelerator.backward(loss)
                if kind in ("clipped", "all"):
                    accelerator.clip_grad_norm_(model.parameters(), 0.2)
                optimizer.step()
                if fault != "uncleared":
                    optimizer.zero_grad()
                losses.append(loss.item())
            accelerator.log({"train_loss": losses[-1], "lr": RATE})
        accelerator.log({"val_loss": losses[-1], "val_acc": 1.0})
    accelerator.end_training()
    return numbers(accelerator.unwrap_model(model), losses)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_found_in_a_healthy_program(kind: str) -> None:
    history = observed(partial(train, kind)).history()
    assert names(history) == ()
    assert history.wiring.optimizers == ("AdamW",)
    assert history.wiring.losses[0].operation == "cross entropy"
    passes = history.of(signals.BACKWARD_PASSES)
    assert set(passes.values) == {4.0 if kind in ("accumulated", "all") else 1.0}


def test_gradients_that_are_never_cleared_are_named() -> None:
    assert "stale_gradients" in names(observed(partial(train, fault="uncleared")).history())


def test_a_second_softmax_is_named() -> None:
    assert "output_misfits_loss" in names(observed(partial(train, fault="softmax")).history())


def test_the_tracker_records_the_training_and_what_is_logged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    alone = train()
    watch = of_accelerate.Watch()
    assert_same(alone, train(watch=watch))
    history = watch.history()
    for name in (signals.TRAIN_LOSS, signals.VALID_LOSS, signals.VALID_ACCURACY):
        assert len(history.of(name)) == EPOCHS
    assert "No problem found." in capsys.readouterr().out
