"""Losses by hand are known again in evaluation, and other numbers are not taken for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from netwise import signals
from netwise.observe.written_losses import WrittenLoss, formula_of

X = torch.randn(120, 6, generator=torch.Generator().manual_seed(4))
CLASSES = X[:, :3].argmax(1)
Written = Callable[[Tensor, Tensor], Tensor]


def _rows(y: Tensor) -> Tensor:
    return F.one_hot(y, 3).float()


def squared(o: Tensor, y: Tensor) -> Tensor:
    return ((_rows(y) - o) ** 2).mean()


def absolute(o: Tensor, y: Tensor) -> Tensor:
    return torch.abs(o - _rows(y)).mean()


def of_probabilities(o: Tensor, y: Tensor) -> Tensor:
    p = o.softmax(1).clamp(1e-7, 1 - 1e-7)
    return -(_rows(y) * p.log()).sum(1).mean()


def of_log_softmax(o: Tensor, y: Tensor) -> Tensor:
    return -torch.log_softmax(o, dim=1).gather(1, y[:, None]).mean()


def binary(o: Tensor, y: Tensor) -> Tensor:
    p = torch.sigmoid(o).clamp(1e-6, 1 - 1e-6)
    return -(_rows(y) * torch.log(p) + (1 - _rows(y)) * torch.log(1 - p)).mean()


def weighed(o: Tensor, y: Tensor) -> Tensor:
    p = o.softmax(1).gather(1, y[:, None])
    return ((1 - p) ** 2 * -p.log()).mean()


WRITTEN = (squared, absolute, of_probabilities, of_log_softmax, binary, weighed)


def train(
    criterion: Written, score: Written | None = None, penalty: float = 0.0
) -> tuple[nn.Module, nw.History]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with nw.watch() as w:
        for _ in range(3):
            for i in range(0, 80, 20):
                optimizer.zero_grad()
                loss = criterion(model(X[i : i + 20]), CLASSES[i : i + 20])
                if penalty:
                    loss = loss + penalty * sum((p**2).sum() for p in model.parameters())
                loss.backward()
                optimizer.step()
            with torch.no_grad():
                for i in (80, 100):
                    outputs = model(X[i : i + 20])
                    (score or criterion)(outputs, CLASSES[i : i + 20]).item()
    assert w.errors == ()
    return model, w.history()


@pytest.mark.parametrize("criterion", WRITTEN)
def test_the_mean_over_batches_is_that_of_all_samples(criterion: Written) -> None:
    model, history = train(criterion)
    valid = history.of(signals.VALID_LOSS)
    assert valid is not None
    with torch.no_grad():
        expected = criterion(model(X[80:]), CLASSES[80:]).item()
    assert valid.last == pytest.approx(expected, rel=1e-5)
    assert len(valid) == 3


def test_an_evaluation_leaves_the_penalty_out() -> None:
    model, history = train(of_probabilities, penalty=1e-3)
    valid = history.of(signals.VALID_LOSS)
    assert valid is not None
    with torch.no_grad():
        expected = of_probabilities(model(X[80:]), CLASSES[80:]).item()
    assert valid.last == pytest.approx(expected, rel=1e-5)


def accuracy(o: Tensor, y: Tensor) -> Tensor:
    return (o.argmax(1) == y).float().mean()


def determination(o: Tensor, y: Tensor) -> Tensor:
    rows = _rows(y)
    return 1 - ((rows - o) ** 2).mean() / ((rows - rows.mean(0)) ** 2).mean()


def confidence(o: Tensor, y: Tensor) -> Tensor:
    return o.softmax(1).max(1)[0].mean()


@pytest.mark.parametrize("score", [accuracy, absolute, confidence])
def test_other_numbers_are_no_losses(score: Written) -> None:
    assert train(squared, score)[1].of(signals.VALID_LOSS) is None


def test_a_loss_inside_of_a_score_is_one() -> None:
    model, history = train(squared, determination)
    valid = history.of(signals.VALID_LOSS)
    assert valid is not None
    with torch.no_grad():
        expected = squared(model(X[80:]), CLASSES[80:]).item()
    assert valid.last == pytest.approx(expected, rel=1e-5)


def test_what_cannot_be_followed_gives_nothing() -> None:
    class Hidden(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, x: Tensor) -> Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: object, *gradients: Tensor) -> Tensor:
            return gradients[0]

    x = torch.ones(3, requires_grad=True)
    assert formula_of(Hidden.apply(x * 2).sum()) == frozenset()
    assert formula_of(torch.ones(3).sum()) == frozenset()
    follower = WrittenLoss()
    follower.start((x, x), frozenset(("sum",)))  # which of them is compared is not known
    assert not follower.follows


def of_yes(o: Tensor, y: Tensor) -> Tensor:
    return ((o[:, 0] > 0).long() == (y == 0)).float().mean()


def errors(o: Tensor, y: Tensor) -> Tensor:
    return (torch.max(o, 1)[1] != y).sum() / len(y)


@pytest.mark.parametrize(
    ("score", "truth"),
    [
        (accuracy, accuracy),
        (errors, accuracy),
        (of_yes, of_yes),
        (lambda o, y: (o.argmax(1)[:, None] == y).float().mean(), None),  # of a wrong shape
        (lambda o, y: (o.round() == _rows(y)).float().mean(), None),  # several answers a row
        (lambda o, y: (o.argmax(1) == o.argmin(1)).float().mean(), None),  # no targets
    ],
    ids=["equal", "unequal", "yes or no", "wrong shape", "several", "answers alone"],
)
def test_accuracy_of_answers(score: Written, truth: Written | None) -> None:
    model, history = train(F.cross_entropy, score)
    valid = history.of(signals.VALID_ACCURACY)
    if truth is None:
        assert valid is None
        return
    assert valid is not None
    with torch.no_grad():
        expected = truth(model(X[80:]), CLASSES[80:]).item()
    assert valid.last == pytest.approx(expected)


def test_accuracy_is_counted_once_beside_a_loss() -> None:
    def both(o: Tensor, y: Tensor) -> Tensor:
        loss = F.cross_entropy(o, y)
        accuracy(o, y)
        return loss

    model, history = train(F.cross_entropy, both)
    loss, valid = history.of(signals.VALID_LOSS), history.of(signals.VALID_ACCURACY)
    assert loss is not None
    assert valid is not None
    with torch.no_grad():
        outputs = model(X[80:])
    assert loss.last == pytest.approx(F.cross_entropy(outputs, CLASSES[80:]).item())
    assert valid.last == pytest.approx(accuracy(outputs, CLASSES[80:]).item())
