"""Trainer of Hugging Face transformers: observed without a change of the program, and by the
callback. The networks are made from configurations; nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset, Subset

import netwise as nw
from framework_checks import Numbers, assert_same, names, numbers, observed
from netwise import signals

pytest.importorskip(
    "transformers", reason="needs transformers: pip install 'netwise[integrations]'"
)
pytest.importorskip("accelerate", reason="needs accelerate: pip install 'netwise[integrations]'")
pytestmark = pytest.mark.filterwarnings("ignore")  # advice about tokens of unused kinds

import transformers  # noqa: E402

from netwise.integrations import transformers as of_transformers  # noqa: E402

WORDS, LENGTH, CLASSES = 20, 6, 3
SIZES = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}

# Arguments of the trainer, by the name of the way of training.
TRAINERS = {
    "plain": {},
    "bf16": {"bf16": True},
    "clipped": {"max_grad_norm": 0.2},
    "unclipped": {"max_grad_norm": 0.0},
    "accumulated": {"gradient_accumulation_steps": 4, "per_device_train_batch_size": 4},
}


class Sentences(Dataset):
    """Sentences of random words; the class is that of the first word, the next word a function of
    the last one."""

    def __init__(self, labels: str = "class", seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        words = torch.randint(1, WORDS, (256, LENGTH), generator=generator)
        if labels == "words":
            for place in range(1, LENGTH):
                words[:, place] = (words[:, place - 1] * 7 + 3) % WORDS
        self.words, self.labels = words, words if labels == "words" else words[:, 0] % CLASSES

    def __len__(self) -> int:
        return len(self.words)

    def __getitem__(self, row: int) -> dict[str, Tensor]:
        return {"input_ids": self.words[row], "labels": self.labels[row]}


def bert() -> nn.Module:
    config = transformers.BertConfig(
        vocab_size=WORDS, intermediate_size=64, max_position_embeddings=LENGTH, num_labels=CLASSES,
        **SIZES,
    )  # fmt: skip
    return transformers.BertForSequenceClassification(config)


def gpt2() -> nn.Module:
    return transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=WORDS, n_embd=32, n_layer=1, n_head=2, n_positions=LENGTH,
            bos_token_id=0, eos_token_id=0,
        )
    )  # fmt: skip


class Tagger(nn.Module):
    """A network of one's own that returns a dict with its loss. "softmax" adds one before the
    loss, which has its own."""

    def __init__(self, fault: str = "") -> None:
        super().__init__()
        self.embedding, self.last = nn.Embedding(WORDS, 32), nn.Linear(32 * LENGTH, CLASSES)
        self.fault = fault

    def forward(self, input_ids: Tensor, labels: Tensor) -> dict[str, Tensor]:
        logits = self.last(self.embedding(input_ids).flatten(1).tanh())
        if self.fault == "softmax":
            logits = logits.softmax(1)
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def accuracy(predictions: transformers.EvalPrediction) -> dict[str, float]:
    return {"accuracy": float((predictions.predictions.argmax(-1) == predictions.label_ids).mean())}


def train(
    make: Callable[[], nn.Module],
    folder: Path,
    labels: str = "class",
    callbacks: Sequence[object] = (),
    **changes: object,
) -> Numbers:
    transformers.set_seed(0)
    model = make()
    settings = {
        "output_dir": str(folder), "num_train_epochs": 8, "per_device_train_batch_size": 16,
        "learning_rate": 5e-3, "use_cpu": True, "report_to": [], "save_strategy": "no",
        "eval_strategy": "epoch", "logging_strategy": "epoch", "disable_tqdm": True, "seed": 0,
        "dataloader_pin_memory": False,
    }  # fmt: skip
    trainer = transformers.Trainer(
        model,
        transformers.TrainingArguments(**{**settings, **changes}),
        train_dataset=Sentences(labels),
        eval_dataset=Sentences(labels, seed=1),
        compute_metrics=None if labels == "words" else accuracy,
        callbacks=list(callbacks),
    )
    trainer.train()
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    return numbers(model, losses)


@pytest.mark.parametrize("way", TRAINERS)
def test_nothing_is_found_in_a_healthy_program(way: str, tmp_path: Path) -> None:
    watch = observed(partial(train, gpt2, tmp_path, "words", **TRAINERS[way]))
    history = watch.history()
    assert names(history) == ()
    assert history.wiring.optimizers == ("AdamW",)
    assert history.wiring.losses[0].operation == "cross entropy"
    assert history.wiring.in_no_optimizer == history.wiring.outside_module == ()


def test_nothing_is_found_in_a_network_of_ones_own(tmp_path: Path) -> None:
    assert names(observed(partial(train, Tagger, tmp_path)).history()) == ()


def test_a_second_softmax_is_named(tmp_path: Path) -> None:
    history = observed(partial(train, partial(Tagger, "softmax"), tmp_path)).history()
    assert "output_misfits_loss" in names(history)


@pytest.mark.parametrize(("pieces", "found"), [(1, False), (4, True)])
def test_a_loss_that_is_accumulated_and_not_divided_is_named(
    pieces: int, found: bool, tmp_path: Path
) -> None:
    """A fault of transformers 5.24: `BertForSequenceClassification` takes any keyword arguments,
    so the trainer leaves the division to it, and it does not divide."""
    ways = {"gradient_accumulation_steps": pieces, "per_device_train_batch_size": 16 // pieces}
    history = observed(partial(train, bert, tmp_path, **ways)).history()
    assert ("accumulation_not_divided" in names(history)) is found


@pytest.mark.parametrize(("divided", "factor"), [(False, 4.0), (True, 1.0)])
def test_the_gradient_of_bert_grows_with_accumulation(
    divided: bool, factor: float, tmp_path: Path
) -> None:
    """The numbers of docs/guide/frameworks.md."""
    one, four = (first_gradient(32, 1, True, tmp_path), first_gradient(8, 4, divided, tmp_path))
    assert four / one == pytest.approx(factor, rel=1e-4)


def first_gradient(batch: int, pieces: int, divided: bool, folder: Path) -> float:
    """Norm of the gradient of 32 sentences at the first step."""
    transformers.set_seed(0)
    config = transformers.BertConfig(
        vocab_size=WORDS, intermediate_size=64, max_position_embeddings=LENGTH, num_labels=CLASSES,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **SIZES,
    )  # fmt: skip
    model = transformers.BertForSequenceClassification(config)
    if divided:
        model.accepts_loss_kwargs = False
    norms: list[Tensor] = []

    class Norm(transformers.TrainerCallback):
        def on_pre_optimizer_step(self, args, state, control, **others):  # type: ignore[no-untyped-def]
            gradients = [p.grad for p in model.parameters() if p.grad is not None]
            norms.append(torch.nn.utils.get_total_norm(gradients))

    settings = transformers.TrainingArguments(
        str(folder), per_device_train_batch_size=batch, gradient_accumulation_steps=pieces,
        max_steps=1, max_grad_norm=0.0, use_cpu=True, report_to=[], save_strategy="no",
        disable_tqdm=True,
    )  # fmt: skip
    data = Subset(Sentences(), range(32))
    transformers.Trainer(model, settings, train_dataset=data, callbacks=[Norm()]).train()
    return float(norms[0])


def test_the_callback_records_the_training_and_its_evaluations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = train(Tagger, tmp_path)
    watch = of_transformers.Watch(folder=tmp_path / "run")
    assert_same(alone, train(Tagger, tmp_path, callbacks=[watch]))
    history = watch.history()
    for name in (signals.TRAIN_LOSS, signals.VALID_LOSS, signals.VALID_ACCURACY):
        assert len(history.of(name)) == 8
    assert torch.tensor(history.of(signals.TRAIN_LOSS).values).equal(alone["losses"])
    assert "No problem found." in capsys.readouterr().out
    assert nw.load_history(tmp_path / "run").of(signals.VALID_LOSS) == history.of(
        signals.VALID_LOSS
    )


def test_without_evaluations_each_epoch_is_recorded(tmp_path: Path) -> None:
    watch = of_transformers.Watch(report=False)
    train(Tagger, tmp_path, callbacks=[watch], eval_strategy="no")
    assert len(watch.history().of(signals.TRAIN_LOSS)) == 8
    assert watch.history().of(signals.VALID_LOSS) is None


def test_evaluations_by_steps_are_recorded_as_epochs(tmp_path: Path) -> None:
    watch = of_transformers.Watch(report=False)
    train(Tagger, tmp_path, callbacks=[watch], eval_strategy="steps", eval_steps=8)
    assert len(watch.history().of(signals.VALID_LOSS)) == 16
