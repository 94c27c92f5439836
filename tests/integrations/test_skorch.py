"""skorch: observed without a change of the program, and by the callback."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from functools import partial

import pytest
import torch
from sklearn.base import clone
from torch import nn

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
    values,
)
from netwise import signals

pytest.importorskip("skorch", reason="needs skorch: pip install 'netwise[integrations]'")
pytestmark = pytest.mark.filterwarnings("ignore")  # warnings of skorch about its dependencies

import skorch  # noqa: E402

from netwise.integrations import skorch as of_skorch  # noqa: E402


def train(fault: str = "", callbacks: Sequence[object] = (), **arguments: object) -> Numbers:
    """ "probabilities" leaves the default loss, which takes the logarithm of what the network
    returns, with a network that returns no probabilities."""
    torch.manual_seed(0)
    if fault != "probabilities":
        arguments["criterion"] = nn.CrossEntropyLoss
    net = skorch.NeuralNetClassifier(
        Network,
        module__fault=fault,
        optimizer=torch.optim.AdamW,
        lr=RATE,
        batch_size=BATCH,
        iterator_train__shuffle=True,
        max_epochs=EPOCHS,
        verbose=0,
        callbacks=list(callbacks),
        **arguments,
    )
    net.fit(*classes())
    return numbers(net.module_, net.history[:, "train_loss"])


def train_regressor(fault: str = "") -> Numbers:
    """ "broadcast" passes one-dimensional targets to a network whose outputs have two axes."""
    torch.manual_seed(0)
    x, y = values()
    net = skorch.NeuralNetRegressor(
        Network,
        module__outputs=1,
        optimizer=torch.optim.AdamW,
        lr=RATE,
        batch_size=BATCH,
        max_epochs=EPOCHS,
        train_split=None,
        verbose=0,
    )
    net.fit(x, y if fault == "broadcast" else y[:, None])
    return numbers(net.module_, net.history[:, "train_loss"])


def test_nothing_is_found_in_healthy_programs() -> None:
    history = observed(train).history()
    assert names(history) == ()
    assert history.wiring.optimizers == ("AdamW",)
    assert names(observed(train_regressor).history()) == ()


def test_a_logarithm_of_what_is_no_probability_is_named() -> None:
    assert "not_finite" in names(observed(partial(train, "probabilities")).history())


def test_a_second_softmax_is_named() -> None:
    assert "output_misfits_loss" in names(observed(partial(train, "softmax")).history())


def test_targets_that_are_broadcast_are_named() -> None:
    assert "shapes_broadcast" in names(observed(partial(train_regressor, "broadcast")).history())


def test_the_callback_records_the_fit_and_its_scores(capsys: pytest.CaptureFixture[str]) -> None:
    alone = train()
    watch = of_skorch.Watch()
    assert_same(alone, train(callbacks=[watch]))
    history = watch.history()
    for name in (signals.TRAIN_LOSS, signals.VALID_LOSS, signals.VALID_ACCURACY):
        assert len(history.of(name)) == EPOCHS
    assert history.of(signals.TRAIN_LOSS).last == float(alone["losses"][-1])
    assert "No problem found." in capsys.readouterr().out


def test_a_net_with_the_callback_can_be_cloned_and_pickled() -> None:
    """As grid searches and `joblib.dump` do."""
    net = skorch.NeuralNetClassifier(
        Network,
        criterion=nn.CrossEntropyLoss,
        max_epochs=1,
        verbose=0,
        callbacks=[of_skorch.Watch(every=5, report=False)],
    )
    copy = clone(net).fit(*classes())
    assert copy.callbacks[0].every == 5
    again = pickle.loads(pickle.dumps(copy))
    assert torch.equal(again.module_.last.weight, copy.module_.last.weight)
    with pytest.raises(RuntimeError, match="has observed no fit"):
        again.callbacks[0].history()
