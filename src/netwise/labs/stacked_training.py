"""One recipe trained from several seeds at once, with the weights of all networks in one tensor.

A step of a small network on ten samples is mostly overhead. With the networks stacked, a step is
the same few calls for all of them, and takes less time. Initial weights, order of the
samples, dropout, schedule and stopping are those of `fit`, so a network is the one that `fit` gives
for its seed, up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from netwise import random_streams
from netwise.data.content import FileKey, files_key
from netwise.data.dataset import Pairs
from netwise.errors import WrongValue
from netwise.parts.penalties import Penalty
from netwise.parts.schedules import ScheduleContext
from netwise.recipe.prepared import Prepared, prepare
from netwise.recipe.recipe import Recipe
from netwise.training.fit import initialize
from netwise.training.run_setup import set_up
from netwise.training.settings import RunOptions

TRAIN, VALID, TEST = "train", "valid", "test"
Floats = NDArray[np.float64]
EVALUATED_AT_ONCE = 2500  # samples
SMALLEST = 1e-30  # probability; its logarithm is finite

# By the class name of an activation: the function, in place, and its slope from its value.
FUNCTIONS: Mapping[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor | float]]] = {
    "Identity": (lambda z: z, lambda a: 1.0),
    "Sigmoid": (torch.sigmoid_, lambda a: a * (1 - a)),
    "Tanh": (torch.tanh_, lambda a: 1 - a * a),
    "ReLU": (torch.relu_, lambda a: (a > 0).float()),
    "Softmax": (lambda z: torch.softmax(z, -1), lambda a: 1.0),  # of the loss, never of a layer
}


@dataclass(frozen=True, eq=False)
class Curve:
    """Measurements on one part of the data over training.

    Args:
        epochs: completed epochs at each measurement; 0 is the start.
        accuracy, loss: of the classes, (measurements, seeds); the loss is without the penalty.
    """

    epochs: tuple[int, ...]
    accuracy: Floats
    loss: Floats

    @property
    def best(self) -> Floats:
        """The highest accuracy of each seed."""
        return np.array(self.accuracy.max(0))

    def at(self, epoch: int) -> Floats:
        """The accuracy of each seed after so many epochs."""
        return np.array(self.accuracy[self.epochs.index(epoch)])


@dataclass(frozen=True, eq=False)
class TrainedStack:
    """Networks that were trained together.

    Args:
        recipe: of the first.
        seeds: one for each network.
        weights, biases: of each layer, (networks, out, in) and (networks, 1, out).
        curves: measurements by part of the data.
        epochs: that each network was trained for.
        penalties: value of the penalty of each network, (measurements of the training part, seeds).
    """

    recipe: Recipe
    seeds: tuple[int, ...]
    weights: Sequence[Tensor]
    biases: Sequence[Tensor]
    curves: Mapping[str, Curve]
    epochs: tuple[int, ...]
    penalties: Floats

    def outputs(self, x: Tensor) -> Tensor:
        """Predictions for samples, (networks, samples, classes): probabilities where the loss takes
        logits."""
        return torch.cat(
            [self._predictions(part) for part in x.flatten(1).split(EVALUATED_AT_ONCE)], 1
        )

    def _predictions(self, x: Tensor) -> Tensor:
        return forward(self.recipe, self.weights, self.biases, x.expand(len(self.seeds), -1, -1))[
            -1
        ]


@torch.no_grad()
def train_stack(
    recipe: Recipe, seeds: Sequence[int], watch: Mapping[str, Collection[int]]
) -> TrainedStack:
    """Train an `MLP` for classification by plain SGD, from several seeds at once.

    Args:
        recipe: what to train. Its penalty may be `L2`, `L1` or both.
        seeds: of the networks, in place of the recipe's.
        watch: epochs after which accuracy and loss are measured, by part: "train", "valid",
            "test".

    Raises:
        WrongValue: the recipe has a part that only `fit` computes.
    """
    _require_plain(recipe)
    stack = _Stack(recipe, seeds)
    curves: dict[str, list[tuple[int, Floats, Floats]]] = {part: [] for part in watch}
    penalties: list[Floats] = []

    def measure(epoch: int) -> None:
        for part, epochs in watch.items():
            if epoch in epochs:
                curves[part].append((epoch, *stack.evaluate(part)))
                if part == TRAIN:
                    penalties.append(stack.penalty_values())

    measure(0)
    for epoch in range(recipe.epochs):
        stack.train_epoch(epoch)
        measure(epoch + 1)
        if not any(stack.running):
            measure(recipe.epochs)  # nothing changes any more
            break
    return TrainedStack(
        recipe,
        tuple(seeds),
        stack.weights,
        stack.biases,
        {
            part: Curve(
                tuple(row[0] for row in rows),
                np.array([row[1] for row in rows]),
                np.array([row[2] for row in rows]),
            )
            for part, rows in curves.items()
        },
        tuple(stack.epochs),
        np.array(penalties),
    )


@torch.no_grad()
def untrained_stack(recipe: Recipe, seeds: Sequence[int]) -> TrainedStack:
    """The networks of `train_stack` before training."""
    stack = _Stack(recipe, seeds)
    return TrainedStack(
        recipe, tuple(seeds), stack.weights, stack.biases, {}, (0,) * len(seeds), np.zeros((0, 0))
    )


def forward(
    recipe: Recipe, weights: Sequence[Tensor], biases: Sequence[Tensor], x: Tensor
) -> list[Tensor]:
    """Outputs of each layer in evaluation mode, (networks, samples, units) each, and last the
    predictions."""
    values = [x]
    for layer, (w, b) in enumerate(zip(weights, biases, strict=True), start=1):
        z = torch.baddbmm(b, values[-1], w.transpose(1, 2))
        last = layer == len(weights)
        kind = recipe.network.output.kind if last else recipe.network.activation.kind  # type: ignore[attr-defined]
        values.append(FUNCTIONS[kind][0](z))
    return [*values[:-1], _prediction(recipe, values[-1])]


def _prediction(recipe: Recipe, output: Tensor) -> Tensor:
    """Predictions of a network's outputs."""
    ends_plain = recipe.network.output.kind == "Identity"  # type: ignore[attr-defined]
    return FUNCTIONS[recipe.loss.output_activation][0](output) if ends_plain else output


def _require_plain(recipe: Recipe) -> None:
    plain = {
        "network": recipe.network.kind == "MLP",
        "optimizer": recipe.optimizer.kind == "SGD",
        "clip": recipe.clip is None,
        "tuning": recipe.tuning is None,
        "average": recipe.average is None,
        "augment": all(change.enlarges for change in recipe.augment),
    }
    for name, holds in plain.items():
        if not holds:
            raise _only_fit(name, type(getattr(recipe, name)).__name__)


def _only_fit(name: str, value: str) -> WrongValue:
    return WrongValue.of(
        "recipe", name, value, "is trained by fit alone", "nw.fit(recipe) for each seed"
    )


def _same_samples(recipe: Recipe) -> Recipe:
    """One recipe for all that have the same prepared samples."""
    return Recipe(
        data=recipe.data, preprocess=recipe.preprocess, network=recipe.network, loss=recipe.loss
    )


@lru_cache(maxsize=2)
def _prepared(recipe: Recipe, content: tuple[FileKey, ...]) -> Prepared:
    return prepare(recipe)


@dataclass(eq=False)
class _Stack:
    """The state of the networks during training."""

    recipe: Recipe
    seeds: Sequence[int]
    weights: list[Tensor] = field(init=False)
    biases: list[Tensor] = field(init=False)

    def __post_init__(self) -> None:
        prepared = _prepared(_same_samples(self.recipe), files_key(self.recipe.data.files()))
        networks: list[list[nn.Linear]] = []
        train = prepared.samples.train
        for seed in self.seeds:
            setup = set_up(self.recipe.but(seed=seed), prepared, RunOptions(), initialize)
            networks.append([m for m in setup.module.modules() if isinstance(m, nn.Linear)])
            train = setup.train if seed == self.seeds[0] else train
            if self.recipe.augment and not torch.equal(setup.train.x, train.x):
                raise _only_fit("augment", "a change that is another one for each seed")
        layers = list(zip(*networks, strict=True))
        self.weights = [torch.stack([each.weight for each in layer]) for layer in layers]
        self.biases = [torch.stack([each.bias[None] for each in layer]) for layer in layers]
        samples = prepared.samples
        self.parts = {TRAIN: train, VALID: samples.valid, TEST: samples.test}
        self.x = train.x.flatten(1)
        self.y = torch.nn.functional.one_hot(train.y, samples.outputs).float()
        network = self.recipe.network
        self.dropout = float(network.dropout)  # type: ignore[attr-defined]
        self.slope = FUNCTIONS[network.activation.kind][1]  # type: ignore[attr-defined]
        self.function = FUNCTIONS[network.activation.kind][0]  # type: ignore[attr-defined]
        self.output_slope = FUNCTIONS[network.output.kind][1]  # type: ignore[attr-defined]
        self.output_function = FUNCTIONS[network.output.kind][0]  # type: ignore[attr-defined]
        self.l1, self.l2 = _strengths(self.recipe.penalty)
        self.schedules = [self.recipe.schedule.init() for _ in self.seeds]
        self.losses: list[float | None] = [None] * len(self.seeds)
        self.running = [True] * len(self.seeds)
        self.epochs = [0] * len(self.seeds)

    def train_epoch(self, epoch: int) -> None:
        """One pass over the training part, in an order of its own for each seed."""
        rates = self._rates(epoch)
        count, size = len(self.x), self.recipe.batch_size
        orders = torch.stack(
            [
                torch.randperm(
                    count, generator=random_streams.generator(seed, random_streams.ORDER, epoch)
                )
                for seed in self.seeds
            ]
        )
        masks = [random_streams.generator(s, random_streams.FORWARD, epoch) for s in self.seeds]
        for rows in orders.split(size, dim=1):
            self._step(rows, rates, masks)
        if self.recipe.schedule.needs_loss:
            watched = VALID if len(self.parts[VALID]) else TRAIN
            self.losses = list(self.evaluate(watched)[1])
            self._end_finished(epoch)

    def _rates(self, epoch: int) -> Tensor:
        """The learning rate of each network, (networks, 1, 1); 0 for one that has ended."""
        lr = float(self.recipe.optimizer.lr)
        rates = []
        for i, state in enumerate(self.schedules):
            context = ScheduleContext(epoch, self.recipe.epochs, self.losses[i])
            factor, self.schedules[i] = self.recipe.schedule.next(state, context)
            rates.append(lr * factor if self.running[i] else 0.0)
            self.epochs[i] += self.running[i]
        return torch.tensor(rates)[:, None, None]

    def _end_finished(self, epoch: int) -> None:
        """End the networks whose schedule ends their run after this epoch."""
        for i, state in enumerate(self.schedules):
            context = ScheduleContext(epoch + 1, self.recipe.epochs, self.losses[i])
            following = self.recipe.schedule.next(state, context)[1]
            if self.recipe.schedule.stop_reason(following) is not None:
                self.running[i] = False

    def _step(self, rows: Tensor, rates: Tensor, masks: Sequence[torch.Generator]) -> None:
        networks, size = rows.shape
        flat = rows.reshape(-1)
        values = [self.x.index_select(0, flat).view(networks, size, -1)]
        target = self.y.index_select(0, flat).view(networks, size, -1)
        kept: list[Tensor | None] = []
        slopes: list[Tensor | float] = []
        for w, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            value = self.function(torch.baddbmm(b, values[-1], w.transpose(1, 2)))
            slopes.append(self.slope(value))
            kept.append(self._mask(value, masks) if self.dropout else None)
            values.append(value if kept[-1] is None else value * kept[-1])
        output = self.output_function(
            torch.baddbmm(self.biases[-1], values[-1], self.weights[-1].transpose(1, 2))
        )
        error = (_prediction(self.recipe, output) - target) * self.output_slope(output)
        errors = [error * (rates / size)]  # gradients are linear in the errors: the rate goes in
        for w, slope, mask in zip(self.weights[:0:-1], slopes[::-1], kept[::-1], strict=True):
            error = torch.bmm(errors[-1], w) * slope
            errors.append(error if mask is None else error * mask)
        self._update(values, errors[::-1], rates)

    def _update(self, values: Sequence[Tensor], errors: Sequence[Tensor], rates: Tensor) -> None:
        lowest, highest = float(rates.min()), float(rates.max())
        for w, b, value, error in zip(self.weights, self.biases, values, errors, strict=True):
            pull = torch.sign(w).mul_(rates * self.l1) if self.l1 else None
            shrink = 1.0
            if self.l2 and lowest == highest:
                shrink = 1 - highest * self.l2
            elif self.l2:
                w.mul_(1 - rates * self.l2)
            w.baddbmm_(error.transpose(1, 2), value, beta=shrink, alpha=-1)
            if pull is not None:
                w.sub_(pull)
            b.sub_(error.sum(1, keepdim=True))

    def _mask(self, value: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
        """Factors of dropout, as `nn.Dropout` draws them."""
        mask = torch.empty_like(value)
        for row, g in zip(mask, generators, strict=True):
            row.bernoulli_(1 - self.dropout, generator=g)
        return mask.div_(1 - self.dropout)

    def evaluate(self, part: str) -> tuple[Floats, Floats]:
        """(accuracy, loss) of each network on a part of the data."""
        pairs: Pairs = self.parts[part]
        right, loss = np.zeros(len(self.seeds)), np.zeros(len(self.seeds))
        for x, y in zip(
            pairs.x.flatten(1).split(EVALUATED_AT_ONCE),
            pairs.y.split(EVALUATED_AT_ONCE),
            strict=True,
        ):
            prediction = forward(
                self.recipe, self.weights, self.biases, x.expand(len(self.seeds), -1, -1)
            )[-1]
            right += (prediction.argmax(-1) == y).sum(1).numpy()
            loss += summed_losses(self.recipe, prediction, y).numpy()
        return right / len(pairs.y), loss / len(pairs.y)

    def penalty_values(self) -> Floats:
        """The penalty of each network."""
        penalty = self.recipe.penalty
        if penalty is None:
            return np.zeros(len(self.seeds))
        return np.array(
            [float(penalty.value([w[i] for w in self.weights])) for i in range(len(self.seeds))]
        )


def summed_losses(recipe: Recipe, prediction: Tensor, y: Tensor) -> Tensor:
    """The summed loss of each network, from its predictions (networks, samples, classes)."""
    own = prediction.gather(-1, y.expand(len(prediction), -1)[..., None]).squeeze(-1)
    kind = recipe.loss.output_activation
    if kind == "Softmax":
        return -own.clamp_min(SMALLEST).log().sum(1)
    if kind == "Sigmoid":
        wrong = (1 - prediction).clamp_min(SMALLEST).log()
        others = wrong.sum(-1) - (1 - own).clamp_min(SMALLEST).log()
        return -(own.clamp_min(SMALLEST).log() + others).sum(1)
    squares = prediction.square().sum(-1) - own.square() + (1 - own).square()
    return squares.sum(1) / 2


def _strengths(penalty: Penalty | None) -> tuple[float, float]:
    """(L1, L2): the gradient of the penalty is L1 sign(w) + L2 w."""
    if penalty is None:
        return 0.0, 0.0
    with torch.enable_grad():
        w = torch.tensor([[1.0, 2.0]], requires_grad=True)
        (gradient,) = torch.autograd.grad(penalty.value([w]), w)
    l2 = float(gradient[0, 1] - gradient[0, 0])
    return float(gradient[0, 0]) - l2, l2
