"""PyTorch Lightning: observed without a change of the program, and by the callback."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

import netwise as nw
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
    validation,
    values,
)
from netwise import signals

pytest.importorskip("lightning", reason="needs Lightning: pip install 'netwise[integrations]'")
pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning's advice about workers and loggers

import lightning.pytorch as pl  # noqa: E402

from netwise.integrations import lightning  # noqa: E402

# Arguments of the trainer, by the name of the way of training.
TRAINERS = {
    "plain": {},
    "accumulated": {"accumulate_grad_batches": 4},
    "clipped": {"gradient_clip_val": 0.2},
    "bf16": {"precision": "bf16-mixed"},
    "all": {"accumulate_grad_batches": 4, "gradient_clip_val": 0.2, "precision": "bf16-mixed"},
}


class Automatic(pl.LightningModule):
    """A step that returns its loss; Lightning does the rest."""

    def __init__(self, fault: str = "") -> None:
        super().__init__()
        self.network = Network(1 if fault == "broadcast" else 3, fault)
        self.fault, self.losses = fault, []

    def loss(self, batch: list[Tensor]) -> Tensor:
        x, y = batch
        if self.fault == "broadcast":
            return F.mse_loss(self.network(x), y)
        return F.cross_entropy(self.network(x), y)

    def training_step(self, batch: list[Tensor], number: int) -> Tensor:
        loss = self.loss(batch)
        self.losses.append(loss.item())
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: list[Tensor], number: int) -> None:
        self.log("val_loss", self.loss(batch))
        if self.fault != "broadcast":
            self.log("val_acc", (self.network(batch[0]).argmax(1) == batch[1]).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=RATE)


class Manual(Automatic):
    """The same, with optimisation by hand; "cleared" clears the gradients before the step."""

    automatic_optimization = False

    def training_step(self, batch: list[Tensor], number: int) -> None:
        optimizer = self.optimizers()
        loss = self.loss(batch)
        self.losses.append(loss.item())
        optimizer.zero_grad()
        self.manual_backward(loss)
        if self.fault == "cleared":
            optimizer.zero_grad()
        optimizer.step()


def train(
    kind: type[Automatic] = Automatic, fault: str = "", *, epochs: int = EPOCHS, **arguments: object
) -> Numbers:
    torch.manual_seed(0)
    module = kind(fault)
    data = TensorDataset(*(values() if fault == "broadcast" else classes()))
    trainer = pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **arguments,
    )
    other = data if fault == "broadcast" else TensorDataset(*validation())
    trainer.fit(module, DataLoader(data, BATCH, shuffle=True), DataLoader(other, 64))
    return numbers(module, module.losses)


@pytest.mark.parametrize("way", TRAINERS)
def test_nothing_is_found_in_a_healthy_program(way: str) -> None:
    watch = observed(partial(train, **TRAINERS[way]))
    history = watch.history()
    assert names(history) == ()
    wiring = history.wiring
    assert wiring.optimizers == ("AdamW",)
    assert wiring.losses[0].operation == "cross entropy"
    assert wiring.in_no_optimizer == wiring.outside_module == ()
    passes = history.of(signals.BACKWARD_PASSES)
    assert set(passes.values) == {4.0 if "accumulate_grad_batches" in TRAINERS[way] else 1.0}


def test_nothing_is_found_in_a_healthy_program_with_optimisation_by_hand() -> None:
    assert names(observed(partial(train, Manual)).history()) == ()


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ("list", "weights_outside_module"),
        ("softmax", "output_misfits_loss"),
        ("broadcast", "shapes_broadcast"),
    ],
)
def test_a_fault_of_the_module_is_named(fault: str, rule: str) -> None:
    assert rule in names(observed(partial(train, Automatic, fault)).history())


def test_gradients_cleared_before_the_step_are_named() -> None:
    history = observed(partial(train, Manual, "cleared")).history()
    assert "gradients_cleared_before_step" in names(history)


def test_the_callback_records_the_fit_and_its_metrics(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = train()
    watch = lightning.Watch(folder=tmp_path / "run")
    assert_same(alone, train(callbacks=[watch]))
    history = watch.history()
    for name in (signals.TRAIN_LOSS, signals.VALID_LOSS, signals.VALID_ACCURACY):
        assert len(history.of(name)) == EPOCHS
    assert history.of(signals.VALID_LOSS).last < 0.5
    assert "No problem found." in capsys.readouterr().out
    assert nw.load_history(tmp_path / "run").of(signals.VALID_LOSS) == history.of(
        signals.VALID_LOSS
    )


def test_the_callback_stops_where_the_fit_fails() -> None:
    class Failing(Automatic):
        def training_step(self, batch: list[Tensor], number: int) -> Tensor:
            if number == 3:
                raise ValueError("of the program")
            return super().training_step(batch, number)

    watch = lightning.Watch(report=False)
    with pytest.raises(ValueError, match="of the program"):
        train(Failing, callbacks=[watch])
    assert watch.history().ended.step == 3
    assert_same(train(), train(callbacks=[watch]))


def test_a_fit_after_another_has_a_history_of_its_own() -> None:
    watch = lightning.Watch(report=False)
    train(callbacks=[watch], epochs=2)
    first = watch.history().ended.step
    train(callbacks=[watch], epochs=2)
    assert watch.history().ended.step == first
