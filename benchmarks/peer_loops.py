"""The same training in netwise, in plain loops and in other libraries, for `benchmarks/peers.py`.

A contestant is a function: from a task to a function that trains some epochs and calls
`epoch_ends` after each. Libraries are used as their documentation shows, with displays, loggers and
checkpoints off; batches are shuffled by each in its own way.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

EPOCHS = 3
CLASSES, SAME = "classes", "the inputs"  # targets
Train = Callable[[Callable[[], object]], object]


@dataclass(frozen=True)
class Task:
    """What all contestants train.

    Args:
        inputs: shape of a sample.
        network: "dense", "lenet", "lstm" or "resnet20".
        widths: of a dense network, with inputs and outputs.
        activation: of its hidden layers, "relu" or "tanh".
        targets: `CLASSES` with cross entropy, or `SAME` with the mean squared error.
        optimizer: "SGD" (rate 0.01) or "Adam" (rate 0.001).
        batch, steps: samples of a batch, and batches of an epoch.
    """

    inputs: tuple[int, ...] = (784,)
    network: str = "dense"
    widths: tuple[int, ...] = ()
    activation: str = "relu"
    targets: str = CLASSES
    optimizer: str = "SGD"
    batch: int = 128
    steps: int = 100

    @property
    def rate(self) -> float:
        return 0.01 if self.optimizer == "SGD" else 0.001


def samples(task: Task) -> tuple[Any, Any]:
    """Random inputs and targets, as tensors."""
    import torch

    g = torch.Generator().manual_seed(0)
    rows = task.batch * task.steps
    x = torch.rand(rows, *task.inputs, generator=g)
    return x, x if task.targets == SAME else torch.randint(10, (rows,), generator=g)


def torch_module(task: Task) -> Any:
    """The network as an ordinary module of torch; the residual network is that of netwise."""
    from torch import nn

    if task.network == "resnet20":
        import netwise as nw

        return nw.CIFARResNet(depth=20).build()
    if task.network == "lstm":

        class LastState(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.lstm = nn.LSTM(28, 128, batch_first=True)
                self.head = nn.Linear(128, 10)

            def forward(self, x: Any) -> Any:
                return self.head(self.lstm(x)[0][:, -1])

        return LastState()
    layers: list[Any] = []
    if task.network == "lenet":
        for channels, maps, padding in ((1, 6, 2), (6, 16, 0)):
            layers += [nn.Conv2d(channels, maps, 5, padding=padding), nn.ReLU(), nn.MaxPool2d(2)]
        layers.append(nn.Flatten())
    bend = nn.ReLU if task.activation == "relu" else nn.Tanh
    for a, b in pairwise((400, 120, 84, 10) if task.network == "lenet" else task.widths):
        layers += [nn.Linear(a, b), bend()]
    return nn.Sequential(*layers[:-1])


def torch_loss(task: Task) -> Any:
    from torch import nn

    return nn.CrossEntropyLoss() if task.targets == CLASSES else nn.MSELoss()


# ---- plain loops


def tutorial(task: Task) -> Train:
    """DataLoader, `.item()` after each step, torch's default threads."""
    import torch

    x, y = samples(task)
    model, criterion = torch_module(task), torch_loss(task)
    optimizer = getattr(torch.optim, task.optimizer)(model.parameters(), lr=task.rate)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(x, y), batch_size=task.batch, shuffle=True
    )

    def train(epoch_ends: Callable[[], object]) -> None:
        for _ in range(EPOCHS):
            running = 0.0
            for inputs, targets in loader:
                optimizer.zero_grad()
                loss = criterion(model(inputs), targets)
                loss.backward()
                optimizer.step()
                running += loss.item()
            epoch_ends()

    return train


def hand_tuned(threads: int) -> Callable[[Task], Train]:
    """Batches by `index_select`, fused optimizer, no `.item()`; 0 threads: as many as cores."""

    def contestant(task: Task) -> Train:
        import torch

        torch.set_num_threads(threads or len(os.sched_getaffinity(0)))
        x, y = samples(task)
        model, criterion = torch_module(task), torch_loss(task)
        made = getattr(torch.optim, task.optimizer)
        optimizer = made(model.parameters(), lr=task.rate, fused=True)

        def train(epoch_ends: Callable[[], object]) -> None:
            for _ in range(EPOCHS):
                for rows in torch.randperm(len(x)).split(task.batch):
                    loss = criterion(model(x.index_select(0, rows)), y.index_select(0, rows))
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                epoch_ends()

        return train

    return contestant


def jax_scan(task: Task) -> Train:
    """One compiled `lax.scan` over the batches of an epoch; dense networks only."""
    if task.network != "dense":
        raise NotImplementedError("written for dense networks only")
    import jax
    import numpy as np
    from jax import numpy as jnp

    x, y = (jnp.asarray(each.numpy()) for each in samples(task))
    rng = np.random.default_rng(0)
    weights = [
        (
            jnp.asarray(rng.uniform(-1, 1, (a, b)).astype("float32") / a**0.5),
            jnp.zeros(b, "float32"),
        )
        for a, b in pairwise(task.widths)
    ]
    bend = jax.nn.relu if task.activation == "relu" else jnp.tanh

    def loss(weights: Any, x: Any, y: Any) -> Any:
        for w, b in weights[:-1]:
            x = bend(x @ w + b)
        output = x @ weights[-1][0] + weights[-1][1]
        if task.targets == SAME:
            return ((output - y) ** 2).mean()
        return -jnp.take_along_axis(jax.nn.log_softmax(output), y[:, None], 1).mean()

    def descend(state: Any, gradient: Any) -> Any:
        move = lambda w, g: w - task.rate * g  # noqa: E731
        return (jax.tree.map(move, state[0], gradient), *state[1:])

    def adam(state: Any, gradient: Any) -> Any:
        weights, first, second, step = state
        step = step + 1
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
        rate = task.rate * jnp.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        move = lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-8)  # noqa: E731
        return jax.tree.map(move, weights, first, second), first, second, step

    update = descend if task.optimizer == "SGD" else adam
    zeros = jax.tree.map(jnp.zeros_like, weights)

    @jax.jit
    def epoch(state: Any, x: Any, y: Any, key: Any) -> Any:
        def step(state: Any, rows: Any) -> Any:
            value, gradient = jax.value_and_grad(loss)(state[0], x[rows], y[rows])
            return update(state, gradient), value

        rows = jax.random.permutation(key, len(x)).reshape(-1, task.batch)
        return jax.lax.scan(step, state, rows)

    state = (weights, zeros, zeros, jnp.zeros((), "float32"))
    keys = iter(range(10**9))

    def train(epoch_ends: Callable[[], object]) -> None:
        nonlocal state
        for _ in range(EPOCHS):
            state, _losses = jax.block_until_ready(epoch(state, x, y, jax.random.key(next(keys))))
            epoch_ends()

    return train


# ---- netwise


def netwise_fit(watch_every: int | None) -> Callable[[Task], Train]:
    def contestant(task: Task) -> Train:
        import netwise as nw

        x, y = samples(task)
        bend = nw.ReLU() if task.activation == "relu" else nw.Tanh()
        networks: dict[str, Callable[[], nw.Network]] = {
            "dense": lambda: nw.MLP(task.widths, activation=bend),
            "lenet": nw.LeNet5,
            "lstm": lambda: nw.LSTM(features=28, units=128, outputs=10),
            "resnet20": lambda: nw.CIFARResNet(depth=20),
        }
        network: nw.Network = networks[task.network]()
        if task.targets == SAME:
            encoder = task.widths[: len(task.widths) // 2 + 1]
            network = nw.Autoencoder(encoder, activation=bend, tied=False)
        recipe = nw.Recipe(
            data=nw.data.arrays(x, y[:, 0] if task.targets == SAME else y, valid=0.0, test=0.0),
            network=network,
            loss=nw.MeanSquaredError() if task.targets == SAME else nw.CrossEntropy(),
            optimizer=nw.SGD(lr=0.01) if task.optimizer == "SGD" else nw.Adam(lr=0.001),
            batch_size=task.batch,
            epochs=EPOCHS,
        )

        def train(epoch_ends: Callable[[], object]) -> None:
            def halt(done: int, row: object) -> None:
                epoch_ends()

            nw.fit(recipe, test=False, watch_every=watch_every, halt=halt)

        return train

    return contestant


# ---- other libraries


def lightning(task: Task) -> Train:
    import logging

    import torch

    try:
        import torchvision  # noqa: F401
    except RuntimeError:  # of another build than torch; Lightning only needs that it is importable
        for name in ("nms", "qnms"):
            kinds = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            torch.library.define(f"torchvision::{name}", kinds)
    import lightning as L

    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    x, y = samples(task)

    class Model(L.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net, self.criterion = torch_module(task), torch_loss(task)

        def training_step(self, batch: Any, number: int) -> Any:
            return self.criterion(self.net(batch[0]), batch[1])

        def configure_optimizers(self) -> Any:
            return getattr(torch.optim, task.optimizer)(self.parameters(), lr=task.rate)

    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(x, y), batch_size=task.batch, shuffle=True
    )

    def train(epoch_ends: Callable[[], object]) -> None:
        class Ends(L.Callback):
            def on_train_epoch_end(self, *args: object) -> None:
                epoch_ends()

        L.Trainer(
            max_epochs=EPOCHS,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[Ends()],
        ).fit(Model(), loader)

    return train


def keras_jax(task: Task) -> Train:
    if task.network == "resnet20":
        raise NotImplementedError("not written for this network")
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    x, y = (each.numpy() for each in samples(task))
    layers, dense = keras.layers, keras.layers.Dense
    if task.network == "lstm":
        made = [layers.LSTM(128), dense(10)]
    elif task.network == "lenet":
        x = x.transpose(0, 2, 3, 1)
        made = [
            layers.Conv2D(6, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            *(dense(units, activation="relu") for units in (120, 84)),
            dense(10),
        ]
    else:
        hidden, last = task.widths[1:-1], task.widths[-1]
        made = [*(dense(units, activation=task.activation) for units in hidden), dense(last)]
    model = keras.Sequential([layers.Input(x.shape[1:]), *made])
    model.compile(
        optimizer=getattr(keras.optimizers, task.optimizer)(task.rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        if task.targets == CLASSES
        else "mse",
    )

    def train(epoch_ends: Callable[[], object]) -> None:
        ends = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: epoch_ends())
        model.fit(x, y, batch_size=task.batch, epochs=EPOCHS, verbose=0, callbacks=[ends])

    return train


def skorch_fit(task: Task) -> Train:
    import skorch
    import torch

    x, y = (each.numpy() for each in samples(task))

    def train(epoch_ends: Callable[[], object]) -> None:
        class Ends(skorch.callbacks.Callback):
            def on_epoch_end(self, net: object, **more: object) -> None:
                epoch_ends()

        kind = skorch.NeuralNetClassifier if task.targets == CLASSES else skorch.NeuralNetRegressor
        kind(
            torch_module(task),
            criterion=type(torch_loss(task)),
            optimizer=getattr(torch.optim, task.optimizer),
            lr=task.rate,
            batch_size=task.batch,
            max_epochs=EPOCHS,
            train_split=None,
            iterator_train__shuffle=True,
            verbose=0,
            callbacks=[("ends", Ends())],
        ).fit(x, y)

    return train


def fastai_fit(task: Task) -> Train:
    import torch
    from fastai.callback.core import Callback
    from fastai.callback.progress import ProgressCallback  # noqa: F401  gives `Learner` its `no_bar`
    from fastai.data.core import DataLoaders
    from fastai.data.load import DataLoader
    from fastai.learner import Learner
    from fastai.optimizer import SGD, Adam

    x, y = samples(task)
    rows = torch.utils.data.TensorDataset(x, y)
    few = torch.utils.data.TensorDataset(x[: task.batch], y[: task.batch])
    loaders = DataLoaders(
        DataLoader(rows, bs=task.batch, shuffle=True, num_workers=0),
        DataLoader(few, bs=task.batch, num_workers=0),
    )

    def train(epoch_ends: Callable[[], object]) -> None:
        class Ends(Callback):
            def after_epoch(self) -> None:
                epoch_ends()

        learner = Learner(
            loaders,
            torch_module(task),
            loss_func=torch_loss(task),
            opt_func=SGD if task.optimizer == "SGD" else Adam,
            lr=task.rate,
            cbs=[Ends()],
        )
        with learner.no_bar(), learner.no_logging():
            learner.fit(EPOCHS)

    return train


# By name; of a package that has to be installed, its name.
CONTESTANTS: dict[str, tuple[Callable[[Task], Train], str]] = {
    "hand-tuned, 1 thread": (hand_tuned(1), ""),
    "hand-tuned, all cores": (hand_tuned(0), ""),
    "netwise": (netwise_fit(0), ""),
    "netwise, watched": (netwise_fit(None), ""),
    "tutorial loop": (tutorial, ""),
    "JAX, scan": (jax_scan, "jax"),
    "Keras on JAX": (keras_jax, "keras"),
    "Lightning": (lightning, "lightning"),
    "skorch": (skorch_fit, "skorch"),
    "fastai": (fastai_fit, "fastai"),
}
