"""Losses that are written by hand, right and wrong, and scores of evaluations."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from watching.loops.samples import batches, classes, labels, mlp, numbers

Loss = Callable[[Tensor, Tensor], Tensor]
ROWS, EPOCHS = 320, 6


def fit(
    model: nn.Module,
    data: tuple[Tensor, Tensor],
    loss_of: Loss,
    score: Loss | None = None,
    rate: float = 1e-2,
    maximize: bool = False,
) -> list[float]:
    """The usual loop, with a score of all rows after each epoch; the losses of its steps."""
    x, y = data[0][:ROWS], data[1][:ROWS]
    optimizer = torch.optim.Adam(model.parameters(), lr=rate, maximize=maximize)
    losses: list[float] = []
    for _ in range(EPOCHS):
        for rows in batches(ROWS, 32):
            optimizer.zero_grad()
            loss = loss_of(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(10 + loss.item())  # some are below 0
        if score is not None:
            with torch.no_grad():
                score(model(x), y)
    return losses


def yes_or_no() -> tuple[Tensor, Tensor]:
    x, y = classes()
    return x, (y > 0).float()[:, None]


def shares() -> tuple[Tensor, Tensor]:
    """Numbers between 0 and 1."""
    x, y = numbers()
    return x, torch.sigmoid(2 * y)


# ---- healthy losses by hand


def focal(output: Tensor, target: Tensor) -> Tensor:
    logs = output.log_softmax(1).gather(1, target[:, None])[:, 0]
    return (-((1 - logs.exp()) ** 2) * logs).mean()


def smoothed(output: Tensor, target: Tensor) -> Tensor:
    rows = 0.9 * F.one_hot(target, 3) + 0.1 / 3
    return -(rows * output.log_softmax(1)).sum(1).mean()


def distilled(output: Tensor, target: Tensor) -> Tensor:
    """The softened answers of a teacher, and the classes."""
    teacher = (4.0 * F.one_hot(target, 3) / 2).softmax(1)
    soft = F.kl_div((output / 2).log_softmax(1), teacher, reduction="batchmean")
    return 4 * soft + 0.5 * F.cross_entropy(output, target)


def mixed(output: Tensor, target: Tensor) -> Tensor:
    rows = F.one_hot(target, 3).float()
    return F.cross_entropy(output, 0.8 * rows + 0.2 * rows.flip(0))


def dice(output: Tensor, target: Tensor) -> Tensor:
    p = output.sigmoid()
    return 1 - (2 * (p * target).sum() + 1) / (p.sum() + target.sum() + 1)


def stable_log(output: Tensor, target: Tensor) -> Tensor:
    p = output.softmax(1).clamp(min=1e-7)
    return -(F.one_hot(target, 3) * p.log()).sum(1).mean()


def hinge(output: Tensor, target: Tensor) -> Tensor:
    return (1 - (2 * target - 1) * output).clamp(min=0).mean()


def poisson(output: Tensor, target: Tensor) -> Tensor:
    return (output.exp() - target * output).mean()


def gaussian(output: Tensor, target: Tensor) -> Tensor:
    mean, log_variance = output[:, :1], output[:, 1:]
    return (log_variance + (target - mean) ** 2 * (-log_variance).exp()).mean() / 2


def quantile(output: Tensor, target: Tensor) -> Tensor:
    return torch.max(0.7 * (target - output), 0.3 * (output - target)).mean()


def bounded(output: Tensor, target: Tensor) -> Tensor:
    """A sigmoid for numbers between 0 and 1."""
    return ((output.sigmoid() - target) ** 2).mean()


def scaled_tanh(output: Tensor, target: Tensor) -> Tensor:
    return F.mse_loss(6 * output.tanh(), target)


def clipped_logits(output: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(10 * torch.tanh(output / 10), target)


def cosines(output: Tensor, target: Tensor) -> Tensor:
    """Cosines to three directions, over a temperature."""
    return F.cross_entropy(F.normalize(output, dim=1) @ torch.eye(3) / 0.1, target)


def ordinal(output: Tensor, target: Tensor) -> Tensor:
    """Whether the class is above 0, and above 1."""
    above = torch.stack([(target > i).float() for i in range(2)], 1)
    return F.binary_cross_entropy_with_logits(output, above)


def contrast(output: Tensor, target: Tensor) -> Tensor:
    """Samples of one class are near each other."""
    z = F.normalize(output, dim=1)
    near = (target[:, None] == target).float()
    logs = (z @ z.T / 0.5).log_softmax(1)
    return -(near * logs).sum(1).div(near.sum(1)).mean()


def rewarded(output: Tensor, target: Tensor) -> Tensor:
    """A policy gradient: the reward of an action over that of the policy."""
    policy = torch.distributions.Categorical(logits=output)
    action = policy.sample()
    reward = (action == target).float()
    return (
        -(policy.log_prob(action) * (reward - reward.mean())).mean()
        - 0.01 * policy.entropy().mean()
    )


def bounded_score(output: Tensor, target: Tensor) -> Tensor:
    """A number that is larger, the smaller the error, with a minus."""
    return -torch.exp(-F.mse_loss(output, target))


def chain_of_tags(output: Tensor, target: Tensor) -> Tensor:
    """The score of the right tags over that of all, along the batch as one series."""
    right = output.gather(1, target[:, None]).sum()
    total = output[0]
    for row in output[1:]:
        total = (total[:, None] + row[None]).logsumexp(0)
    return (total.logsumexp(0) - right) / len(output)


HEALTHY: dict[str, tuple[int, Callable[[], tuple[Tensor, Tensor]], Loss]] = {
    "focal": (3, classes, focal),
    "smoothed": (3, classes, smoothed),
    "distilled": (3, classes, distilled),
    "mixed": (3, classes, mixed),
    "dice": (1, yes_or_no, dice),
    "stable_log": (3, classes, stable_log),
    "hinge": (1, yes_or_no, hinge),
    "poisson": (1, yes_or_no, poisson),
    "gaussian": (2, numbers, gaussian),
    "quantile": (1, numbers, quantile),
    "bounded": (1, shares, bounded),
    "scaled_tanh": (1, numbers, scaled_tanh),
    "clipped_logits": (3, classes, clipped_logits),
    "cosines": (3, classes, cosines),
    "ordinal": (2, classes, ordinal),
    "contrast": (3, classes, contrast),
    "rewarded": (3, classes, rewarded),
    "bounded_score": (1, numbers, bounded_score),
    "chain_of_tags": (3, classes, chain_of_tags),
}


def healthy(sick: bool, kind: str) -> list[float]:
    """A right loss by hand. No sick version."""
    outputs, data, loss = HEALTHY[kind]
    return fit(mlp(outputs), data(), loss)


# ---- wrong losses


def hinge_of_zeros(sick: bool) -> list[float]:
    """A hinge loss of -1 and 1. Sick: of 0 and 1."""
    return fit(
        mlp(1), yes_or_no(), (lambda o, y: (1 - y * o).clamp(min=0).mean()) if sick else hinge
    )


def entropy_of_numbers(sick: bool) -> list[float]:
    """A binary cross-entropy of numbers between 0 and 1. Sick: of others."""
    data = numbers() if sick else shares()
    return fit(mlp(1), data, F.binary_cross_entropy_with_logits)


def upwards(sick: bool, maximize: bool = False) -> list[float]:
    """A loss is minimized, or its negative maximized. Sick: only one of both."""
    sign = -1 if sick != maximize else 1
    return fit(mlp(3), classes(), lambda o, y: sign * F.cross_entropy(o, y), maximize=maximize)


def absolute_of_classes(sick: bool) -> list[float]:
    """An absolute error of numbers. Sick: of one-hot rows of ten classes."""
    if not sick:
        return fit(mlp(1), numbers(), F.l1_loss)
    x, y = classes()
    ten = 3 * y + (x[:, 3] > 0).long()
    return fit(mlp(10), (x, ten), lambda o, t: (o - F.one_hot(t, 10)).abs().mean(), rate=3e-3)


def out_of_reach(sick: bool, last: str) -> list[float]:
    """Numbers without limits. Sick: an activation behind the last layer."""
    model = mlp(1)
    if sick:
        model.append({"sigmoid": nn.Sigmoid(), "rectified": nn.ReLU(), "tanh": nn.Tanh()}[last])
    x, y = numbers()
    return fit(model, (x, 3 * y), F.mse_loss)


def limited_logits(sick: bool) -> list[float]:
    """Logits. Sick: those of a tanh."""
    model = mlp(3)
    if sick:
        model.append(nn.Tanh())
    return fit(model, classes(), F.cross_entropy)


def rectified_logit(sick: bool) -> list[float]:
    """A logit of a yes or no. Sick: never below 0."""
    model = mlp(1)
    if sick:
        model.append(nn.ReLU())
    return fit(model, yes_or_no(), F.binary_cross_entropy_with_logits)


def written_softmax(sick: bool) -> list[float]:
    """A softmax by hand. Sick: of outputs that overflow."""
    gain = 200 if sick else 1

    def loss(output: Tensor, target: Tensor) -> Tensor:
        e = (gain * output).exp()
        return -(e / e.sum(1, keepdim=True)).gather(1, target[:, None]).log().mean()

    return fit(mlp(3), classes(), loss)


def second_derivative(sick: bool) -> list[float]:
    """A network that solves u'' = -pi^2 sin(pi x). Sick: of rectifiers."""
    torch.manual_seed(0)
    activation = nn.ReLU() if sick else nn.Tanh()
    model = nn.Sequential(nn.Linear(1, 16), activation, nn.Linear(16, 16), activation)
    model.append(nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(60):
        x = torch.rand(32, 1, requires_grad=True)
        slope = torch.autograd.grad(model(x).sum(), x, create_graph=True)[0]
        second = torch.autograd.grad(slope.sum(), x, create_graph=True)[0]
        residual = (second + math.pi**2 * torch.sin(math.pi * x)).square().mean()
        loss = residual + 10 * model(torch.tensor([[0.0], [1.0]])).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# ---- scores


def scored(sick: bool, kind: str) -> list[float]:
    """A score of all rows. Sick: of shapes that do not fit, or of a single column."""
    if kind == "classes":
        score: Loss = lambda o, y: (  # noqa: E731
            (o.argmax(1)[:, None] if sick else o.argmax(1)) == y
        )
        return fit(mlp(3), classes(), F.cross_entropy, lambda o, y: score(o, y).float().mean())
    if kind == "numbers":
        return fit(
            mlp(1),
            numbers(),
            F.mse_loss,
            lambda o, y: 1 - ((o - (y[:, 0] if sick else y)) ** 2).mean() / y.var(),
        )
    return fit(
        mlp(1),
        yes_or_no(),
        F.binary_cross_entropy_with_logits,
        lambda o, y: ((o.argmax(1) if sick else (o > 0).long()[:, 0]) == y[:, 0]).float().mean(),
    )


def label_scores(sick: bool) -> list[float]:
    """Scores that compare each class with each answer, on purpose. No sick version."""

    def score(output: Tensor, target: Tensor) -> Tensor:
        answers = output.argmax(1)
        table = (answers[:, None] == torch.arange(3)).float().T @ F.one_hot(target, 3).float()
        top = (output.topk(2, 1)[1] == target[:, None]).any(1).float().mean()
        wins = (output[target == 0][:, :1] > output[target == 1][:, 0]).float().mean()
        return table.diagonal().sum() + top + wins

    return fit(mlp(3), classes(), F.cross_entropy, score)


def several_true(sick: bool) -> list[float]:
    """Four labels a row with a logit each. Sick: between -1 and 1."""
    model = mlp(4)
    if sick:
        model.append(nn.Tanh())
    return fit(model, labels(), F.binary_cross_entropy_with_logits)


def own_answers(sick: bool) -> list[float]:
    """The loss compares the outputs with their own largest one, not with the classes."""

    def loss(output: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(output, output.argmax(1) if sick else target)

    return [value - 10 for value in fit(mlp(), classes(), loss)]
