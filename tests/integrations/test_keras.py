"""Keras 3 on torch: observed without a change of the program, and by the callback."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import partial

import pytest
import torch

from framework_checks import (
    BATCH,
    CLASSES,
    EPOCHS,
    FEATURES,
    RATE,
    Numbers,
    assert_same,
    classes,
    names,
    observed,
    validation,
)
from netwise import signals

os.environ.setdefault("KERAS_BACKEND", "torch")  # Keras reads it once, when it is imported
pytest.importorskip("keras", reason="needs Keras: pip install 'netwise[integrations]'")
pytestmark = pytest.mark.filterwarnings("ignore")  # Keras converts arrays in old ways

import keras  # noqa: E402

from netwise.integrations import keras as of_keras  # noqa: E402

if keras.backend.backend() != "torch":
    pytest.skip("needs KERAS_BACKEND=torch", allow_module_level=True)


def train(fault: str = "", callbacks: Sequence[object] = (), epochs: int = EPOCHS) -> Numbers:
    """ "logits" passes a network without softmax to a loss that takes its logarithm."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.layers.Input((FEATURES,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(CLASSES),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(RATE),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=fault != "logits"),
        metrics=["accuracy"],
    )
    x, y = (part.numpy() for part in classes())
    other = tuple(part.numpy() for part in validation())
    fitted = model.fit(
        x, y, batch_size=BATCH, epochs=epochs, verbose=0, validation_data=other,
        callbacks=list(callbacks),
    )  # fmt: skip
    weights = {str(i): torch.tensor(value) for i, value in enumerate(model.get_weights())}
    return {**weights, "losses": torch.tensor(fitted.history["loss"]), "draw": torch.rand(4)}


def test_nothing_is_found_in_a_healthy_program_and_its_steps_are_not_observed() -> None:
    history = observed(train).history()
    assert names(history) == ()
    assert history.wiring.optimizers == ()
    assert history.wiring.losses[0].operation == "cross entropy"
    assert history.facts.loss_of_guessing == pytest.approx(math.log(CLASSES), rel=0.02)
    assert len(history.of(signals.VALID_LOSS)) == EPOCHS
    assert "Keras" in history.wiring.not_observed["mode"]
    assert any("torch.optim.Optimizer" in reason for reason in history.wiring.not_observed.values())


def test_logits_in_a_loss_that_takes_their_logarithm_are_named() -> None:
    assert "output_misfits_loss" in names(observed(partial(train, "logits")).history())


def test_the_callback_records_the_fit_and_its_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    alone = train()
    watch = of_keras.Watch()
    assert_same(alone, train(callbacks=[watch]))
    history = watch.history()
    for name in (signals.TRAIN_LOSS, signals.TRAIN_ACCURACY, signals.VALID_LOSS):
        assert len(history.of(name)) == EPOCHS
    assert "No problem found." in capsys.readouterr().out


def test_without_the_backend_of_keras_the_import_says_what_to_set() -> None:
    code = "import sys\nsys.modules['jax'] = None\nimport netwise.integrations.keras"
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "Set the environment variable KERAS_BACKEND=torch" in done.stderr


def test_another_backend_is_an_error_that_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_keras, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match="KERAS_BACKEND=torch"):
        train(callbacks=[of_keras.Watch()])
