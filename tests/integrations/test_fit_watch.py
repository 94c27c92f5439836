"""What all callbacks share: names of metrics, and the error without a framework."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

import netwise as nw
from netwise.integrations.fit_watch import FitWatch, epoch_metrics, missing

PACKAGES = {
    "lightning": ("lightning", "pytorch_lightning"),
    "transformers": ("transformers",),
    "keras": ("keras",),
    "skorch": ("skorch",),
    "accelerate": ("accelerate",),
}


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("loss", "train_loss"),  # Keras, Hugging Face
        ("train_loss", "train_loss"),  # skorch, Lightning
        ("train_loss_epoch", "train_loss"),  # Lightning, of a loss logged by step and by epoch
        ("val_loss", "valid_loss"),
        ("valid_loss", "valid_loss"),
        ("eval_loss", "valid_loss"),
        ("val/loss", "valid_loss"),
        ("Loss/Validation", "valid_loss"),
        ("acc", "train_accuracy"),
        ("train_acc", "train_accuracy"),
        ("valid_acc", "valid_accuracy"),
        ("eval_accuracy", "valid_accuracy"),
        ("val_sparse_categorical_accuracy", "valid_accuracy"),
        ("val_top5_accuracy", None),
        ("val_balanced_accuracy", None),
        ("test_loss", None),
        ("loss_step", None),
        ("learning_rate", None),
        ("val_auxiliary_loss", None),
    ],
)
def test_the_names_of_frameworks_are_known(name: str, argument: str | None) -> None:
    assert epoch_metrics({name: torch.tensor(0.5)}) == ({} if argument is None else {argument: 0.5})


def test_history_before_a_fit_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(RuntimeError, match="Pass it to the framework as a callback"):
        FitWatch().history()


@pytest.mark.parametrize("name", PACKAGES)
def test_without_the_framework_the_import_says_what_to_install(name: str) -> None:
    hidden = "".join(f"sys.modules[{each!r}] = None\n" for each in PACKAGES[name])
    code = f"import sys\n{hidden}import netwise.integrations.{name}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "MissingPackage: " in done.stderr
    assert "pip install 'netwise[integrations]'" in done.stderr


def test_the_error_names_the_module_and_is_also_an_import_error() -> None:
    error = missing("netwise.integrations.keras", "Keras")
    assert isinstance(error, nw.MissingPackage)
    assert isinstance(error, ImportError)
    assert str(error).startswith("netwise.integrations.keras needs Keras, which is not installed.")
