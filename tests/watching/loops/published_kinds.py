"""Programs with faults of the kinds that published collections of buggy programs contain."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from watching.loops.samples import digits


def written_cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """As Keras computes it from probabilities."""
    rows = nn.functional.one_hot(targets, outputs.shape[1]).float()
    shares = (outputs / outputs.sum(1, keepdim=True)).clamp(1e-7, 1 - 1e-7)
    return -(rows * shares.log()).sum(1).mean()


def train(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    criterion: Callable[[Tensor, Tensor], Tensor],
    parts: tuple[Tensor, Tensor, Tensor, Tensor],
    epochs: int,
    batch: int = 50,
) -> list[float]:
    """The usual loop, with the loss of the evaluation part after each epoch."""
    x, y, x_valid, y_valid = parts
    losses: list[float] = []
    for _ in range(epochs):
        model.train()
        for rows in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad()
            loss = criterion(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            criterion(model(x_valid), y_valid)
    return losses


def halves() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Digits: training and evaluation part."""
    x, y = digits()
    return x[:1200], y[:1200], x[1200:], y[1200:]


def few_steps_of_a_written_loss(sick: bool) -> list[float]:
    """The loss of an evaluation is not known where it is written by hand; that there was one is."""
    model = nn.Sequential(nn.Linear(64, 48), nn.Tanh(), nn.Linear(48, 10), nn.Softmax(1))
    optimizer = torch.optim.NAdam(model.parameters(), lr=2e-3)
    return train(model, optimizer, written_cross_entropy, halves(), 1 if sick else 12)


def first_layer_of_one_number(sick: bool) -> list[float]:
    """All units of the first layer start with the same weights; the next layer's are random."""
    model = nn.Sequential(
        nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 20), nn.ReLU(), nn.Linear(20, 10)
    )
    if sick:
        nn.init.constant_(model[0].weight, 1.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    return train(model, optimizer, nn.CrossEntropyLoss(), halves(), 15)


def long_way_in_short_steps(sick: bool) -> list[float]:
    """Steps of a percent of the weights, whose gradients agree from first to last."""
    x = torch.randn(512, 5)
    y = x @ torch.tensor([[5.0], [-4.0], [6.0], [3.0], [-5.0]])
    model = nn.Linear(5, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003 if sick else 0.3)
    return train(model, optimizer, nn.MSELoss(), (x[:384], y[:384], x[384:], y[384:]), 40, 64)


def squared_error_that_overflows(sick: bool) -> list[float]:
    """One-hot targets are not known from outputs that are huge or not finite."""

    def squared(outputs: Tensor, targets: Tensor) -> Tensor:
        rows = nn.functional.one_hot(targets, outputs.shape[1]).float()
        return ((rows - outputs) ** 2).sum(1).mean()

    model = nn.Sequential(nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=4.0 if sick else 0.1)
    criterion = squared if sick else nn.CrossEntropyLoss()
    return train(model, optimizer, criterion, halves(), 3 if sick else 20)


def only_training_rows_are_evaluated(sick: bool) -> list[float]:
    """A network that does not learn, and whose every score is one of training rows."""
    x, y, x_valid, y_valid = halves()
    model = nn.Sequential(nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=3.0 if sick else 0.003)
    parts = (x, y, x, y) if sick else (x, y, x_valid, y_valid)
    return train(model, optimizer, nn.CrossEntropyLoss(), parts, 12)


def all_rows_are_learned(sick: bool) -> list[float]:
    """A network that fits all rows that there are is evaluated on them."""
    x, y, _, _ = halves()
    model = nn.Sequential(nn.Linear(64, 40), nn.Tanh(), nn.Linear(40, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    return train(model, optimizer, nn.CrossEntropyLoss(), (x, y, x, y), 12)


def dropout_before_few_units(sick: bool) -> list[float]:
    """A fifth of the samples has no unit left of a layer of three."""
    width, drop = (3, 0.6) if sick else (60, 0.5)
    model = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Dropout(drop), nn.Linear(width, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    return train(model, optimizer, nn.CrossEntropyLoss(), halves(), 14)


def sigmoid_between_rectifiers(sick: bool) -> list[float]:
    """Weak inputs of a sigmoid become numbers near a half."""
    model = nn.Sequential(
        nn.Linear(64, 40),
        nn.LeakyReLU(),
        nn.Linear(40, 30),
        nn.Sigmoid() if sick else nn.Tanh(),
        nn.Linear(30, 10),
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    return train(model, optimizer, nn.CrossEntropyLoss(), halves(), 12)


def descent_on_rare_words(sick: bool) -> list[float]:
    """Counts of words: each text has a few of six hundred."""
    topics = torch.arange(900) % 6
    x = (torch.rand(900, 600) < 0.01).float()
    for row, topic in enumerate(topics.tolist()):
        x[row, 40 * topic + torch.randperm(40)[:3]] = 1.0
    model = nn.Sequential(nn.Linear(600, 32), nn.ReLU(), nn.Linear(32, 6))
    optimizer = (
        torch.optim.SGD(model.parameters(), lr=0.01)
        if sick
        else torch.optim.Adam(model.parameters(), lr=0.003)
    )
    parts = (x[:700], topics[:700], x[700:], topics[700:])
    return train(model, optimizer, nn.CrossEntropyLoss(), parts, 15, 35)


def steps_of_single_samples(sick: bool) -> list[float]:
    """Gradient descent of one sample a step learns, with a small rate."""
    x, y, x_valid, y_valid = halves()
    model = nn.Sequential(nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    parts = (x[:700], y[:700], x_valid, y_valid)
    return train(model, optimizer, nn.CrossEntropyLoss(), parts, 2, 1)


def yes_or_no_of_each_class(sick: bool) -> list[float]:
    """A network that has learned to say no to each of ten classes, and nothing else yet."""
    x, y, x_valid, y_valid = halves()
    rows = nn.functional.one_hot
    model = nn.Sequential(nn.Linear(64, 30), nn.Tanh(), nn.Linear(30, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.0 if sick else 0.9)
    if not sick:
        return train(model, optimizer, nn.CrossEntropyLoss(), (x, y, x_valid, y_valid), 15)
    parts = (x, rows(y, 10).float(), x_valid, rows(y_valid, 10).float())
    return train(model, optimizer, nn.BCEWithLogitsLoss(), parts, 3)


def class_numbers_and_one_output(sick: bool) -> list[float]:
    """Three classes cannot be the answers of one output between 0 and 1."""
    x, y, x_valid, y_valid = halves()
    x, y, x_valid, y_valid = x[y < 3], y[y < 3], x_valid[y_valid < 3], y_valid[y_valid < 3]
    outputs = [nn.Linear(30, 1), nn.Sigmoid()] if sick else [nn.Linear(30, 3)]
    model = nn.Sequential(nn.Linear(64, 30), nn.ReLU(), *outputs)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)

    def yes_or_no(outputs: Tensor, targets: Tensor) -> Tensor:
        p, t = outputs[:, 0].clamp(1e-6, 1 - 1e-6), targets.float()
        return -(t * p.log() + (1 - t) * (1 - p).log()).mean()

    criterion = yes_or_no if sick else nn.CrossEntropyLoss()
    return train(model, optimizer, criterion, (x, y, x_valid, y_valid), 15, 40)
