"""Losses that mix the samples of a batch by accident are found; what is made on purpose is not."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.autograd_graph import read_graph

N = 8
X = torch.randn(N, 5, generator=torch.Generator().manual_seed(0))
T = torch.randn(N, generator=torch.Generator().manual_seed(1))
SQUARE = torch.randn(N, N, generator=torch.Generator().manual_seed(2))
Y = torch.arange(N) % 3
HOT = F.one_hot(Y, 3).float()


def outputs(columns: int) -> Tensor:
    torch.manual_seed(3)
    return nn.Linear(5, columns)(X)


WIDENED: dict[str, Callable[[Tensor], Tensor]] = {
    "mse": lambda o: F.mse_loss(o, T),
    "mse_row": lambda o: F.mse_loss(o, T[None]),
    "mse_of_squeezed": lambda o: F.mse_loss(o[:, 0], T[:, None]),
    "mse_of_float_targets": lambda o: F.mse_loss(o, T.double().float()),
    "l1": lambda o: F.l1_loss(o, T),
    "huber": lambda o: F.huber_loss(o, T),
    "smooth_l1": lambda o: F.smooth_l1_loss(o, T),
    "after_sigmoid": lambda o: F.mse_loss(o.sigmoid(), T),
    "reshaped": lambda o: F.mse_loss(o.view(-1, 1), T),
    "squares": lambda o: ((o - T) ** 2).mean(),
    "squares_reversed": lambda o: (T - o).square().mean(),
    "squares_of_squeezed": lambda o: ((o.squeeze(1) - T[:, None]) ** 2).mean(),
    "products": lambda o: ((o - T) * (o - T)).mean(),
    "absolute": lambda o: (o - T).abs().mean(),
    "root": lambda o: ((o - T) ** 2).mean().sqrt(),
    "relative": lambda o: ((o / T - 1) ** 2).mean(),
    "hinge": lambda o: (1 - T.sign() * o).clamp(min=0).mean(),
    "logarithm": lambda o: -(T.sign() * o.sigmoid().log()).mean(),
    "with_penalty": lambda o: ((o - T) ** 2).mean() / 2 + 0.1 * o.square().mean(),
}


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("name", list(WIDENED))
def test_outputs_and_targets_that_are_broadcast(name: str) -> None:
    before = (N,) if "squeezed" in name else (N, 1)
    assert read_graph(WIDENED[name](outputs(1))).widened == f"{before} to {(N, N)}"


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_one_sequence_of_numbers_against_a_row() -> None:
    def sequence() -> Tensor:
        torch.manual_seed(3)
        return nn.Linear(5, 1)(X[None])  # one sample of N steps

    wide = f"{(1, N, 1)} to {(1, N, N)}"
    for loss in (
        F.mse_loss,
        F.smooth_l1_loss,
        lambda o, y: ((o - y) ** 2).mean(),
        lambda o, y: (y - o).abs().sum(),
    ):
        assert read_graph(loss(sequence(), T[None])).widened == wide
        assert read_graph(loss(sequence(), T[None, :, None])).widened == ""
    # One number for each step beside several targets, on purpose or not, are no square.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert read_graph(F.mse_loss(sequence(), SQUARE[None, :, :3])).widened == ""
        assert read_graph(F.mse_loss(sequence(), SQUARE[None])).widened == ""
        assert read_graph(F.mse_loss(outputs(1).T, T[:, None])).widened == ""  # a row of outputs


def residual(made: Callable[[Tensor, Tensor], Tensor]) -> str:
    """Two outputs of a network, one of which may be squeezed, in one residual."""
    torch.manual_seed(3)
    body, head = nn.Linear(5, 4), nn.Linear(4, 1)
    first = head(body(X).tanh())
    return read_graph((made(first, head(body(X).relu())) ** 2).mean()).widened


def test_two_outputs_of_a_residual_that_are_broadcast() -> None:
    wide = f"{(N, 1)} to {(N, N)}"
    assert residual(lambda a, b: a + b.squeeze(1)) == wide
    assert residual(lambda a, b: a.squeeze(1) - b) == wide
    assert residual(lambda a, b: a * b[:, 0]) == wide
    assert residual(lambda a, b: a + b) == ""
    assert residual(lambda a, b: a.squeeze(1) + b.squeeze(1)) == ""
    # Pairs of all samples, on purpose.
    assert residual(lambda a, b: a - a.squeeze(1)) == ""
    assert residual(lambda a, b: a.squeeze(1)[:, None] - b.squeeze(1)) == ""
    assert residual(lambda a, b: a.squeeze(1).view(-1, 1) - b.squeeze(1)) == ""
    assert residual(lambda a, b: a - b.T) == ""


def attention() -> Tensor:
    model = nn.MultiheadAttention(5, 1, batch_first=True)
    mask = nn.Transformer.generate_square_subsequent_mask(N)
    return model(X[None], X[None], X[None], attn_mask=mask)[0].square().mean()


def additive_attention() -> Tensor:
    scores = outputs(1) + torch.full((N, N), -1.0).triu(1)  # a column of scores and a mask
    return (scores.softmax(1) @ X).square().mean()


def distances() -> Tensor:
    o = outputs(1)[:, 0]
    return ((o[:, None] - o[None]) ** 2).mean()


def distances_without_a_new_axis() -> Tensor:
    o = outputs(1)
    return ((o - o.T) ** 2).mean()


def distances_to_constants() -> Tensor:
    return (-((outputs(1)[:, 0][:, None] - T[None]) ** 2)).exp().mean()


def similarities() -> Tensor:
    o = F.normalize(outputs(4))
    return F.cross_entropy(o @ o.T / 0.1, torch.arange(N))


def similarities_to_a_bank() -> Tensor:
    o = F.normalize(outputs(N))
    return F.cross_entropy(o @ SQUARE, torch.arange(N))


def squared_distances() -> Tensor:
    o = outputs(4)
    squares = o.square().sum(1, keepdim=True)
    return (squares + squares.T - 2 * o @ o.T).clamp(min=0).mean()


def matrix_targets() -> Tensor:
    return ((outputs(N) - SQUARE) ** 2).mean()


def column_against_matrix() -> Tensor:
    return ((outputs(1) - SQUARE) ** 2).mean()


def divided_by_row() -> Tensor:
    o = outputs(N).exp()
    return F.nll_loss((o / o.sum(1, keepdim=True)).log(), torch.arange(N))


def standardised() -> Tensor:
    o = outputs(N)
    return F.mse_loss((o - o.mean(1, keepdim=True)) / o.std(1, keepdim=True), SQUARE)


def frozen_bias() -> Tensor:
    return F.mse_loss(outputs(N) + T, SQUARE)


def class_weights() -> Tensor:
    return (F.mse_loss(outputs(N), SQUARE, reduction="none") * T.abs()).mean()


def same_shapes() -> Tensor:
    return F.mse_loss(outputs(1), T[:, None])


def squeezed_both() -> Tensor:
    return ((outputs(1).squeeze() - T) ** 2).mean()


def quantiles() -> Tensor:
    error = T[:, None] - outputs(3)
    return torch.max(error * torch.tensor([0.1, 0.5, 0.9]), error * 0).mean()


def one_number() -> Tensor:
    return F.mse_loss(outputs(1).mean(), T.mean())


def multiple_instance_learning() -> Tensor:
    weights = outputs(1).softmax(0)
    return F.binary_cross_entropy_with_logits((weights * X).sum(0)[:1] * outputs(1)[0], T[:1] * 0)


ON_PURPOSE = (
    attention,
    additive_attention,
    distances,
    distances_without_a_new_axis,
    distances_to_constants,
    similarities,
    similarities_to_a_bank,
    squared_distances,
    matrix_targets,
    column_against_matrix,
    divided_by_row,
    standardised,
    frozen_bias,
    class_weights,
    same_shapes,
    squeezed_both,
    quantiles,
    one_number,
    multiple_instance_learning,
)


@pytest.mark.parametrize("make", ON_PURPOSE, ids=[make.__name__ for make in ON_PURPOSE])
def test_shapes_that_are_meant(make: Callable[[], Tensor]) -> None:
    torch.manual_seed(0)
    reading = read_graph(make())
    assert (reading.widened, reading.softmax_over_batch) == ("", "")


def test_a_batch_of_one_is_not_widened() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert read_graph(F.mse_loss(outputs(1)[:1], T[:1])).widened == ""


OVER_BATCH: dict[str, Callable[[Tensor], Tensor]] = {
    "nll": lambda o: F.nll_loss((o.softmax(0) + 1e-9).log(), Y),
    "nll_of_log_softmax": lambda o: F.nll_loss(o.log_softmax(0), Y),
    "negative_axis": lambda o: F.nll_loss(o.log_softmax(-2), Y),
    "cross_entropy": lambda o: F.cross_entropy(o.softmax(0), Y),
    "mse": lambda o: F.mse_loss(o.softmax(0), HOT),
    "squares": lambda o: ((o.softmax(0) - HOT) ** 2).mean(),
    "bce": lambda o: F.binary_cross_entropy(o.softmax(0), HOT),
    "picked": lambda o: -o.softmax(0).log()[range(N), Y].mean(),
    "gathered": lambda o: -o.log_softmax(0).gather(1, Y[:, None]).mean() / 4,
    "one_hot": lambda o: -(HOT * o.log_softmax(0)).sum(1).mean(),
}


@pytest.mark.parametrize("name", list(OVER_BATCH))
def test_softmax_over_the_batch(name: str) -> None:
    assert read_graph(OVER_BATCH[name](outputs(3))).softmax_over_batch == f"({N}, 3)"


def clip() -> Tensor:
    logits = F.normalize(outputs(4)) @ F.normalize(outputs(4)).T
    rows = torch.arange(N)
    return (F.cross_entropy(logits, rows) + F.cross_entropy(logits.T, rows)) / 2


def both_axes() -> Tensor:
    logits = F.normalize(outputs(4)) @ F.normalize(outputs(4)).T * 10
    return -(logits.log_softmax(0) + logits.log_softmax(1)).diagonal().mean()


def columns_alone() -> Tensor:
    logits = outputs(4) @ outputs(4).T
    return -logits.log_softmax(0).diagonal().mean()


def over_classes() -> Tensor:
    return F.cross_entropy(outputs(3), Y)


def one_sample() -> Tensor:
    return -outputs(3)[0].log_softmax(0)[1]


def pooled_by_attention() -> Tensor:
    pooled = (outputs(3).softmax(0)[:, :, None] * X[:, None]).sum(0)
    return F.cross_entropy(pooled @ torch.randn(5, 2), torch.tensor([0, 1, 0]))


def dual_softmax() -> Tensor:  # of matches between two sets
    scores = outputs(4) @ outputs(4).T
    return -(scores.softmax(0) * scores.softmax(1)).diagonal().log().mean()


NO_FAULT = (
    clip,
    both_axes,
    columns_alone,
    over_classes,
    one_sample,
    pooled_by_attention,
    dual_softmax,
)


@pytest.mark.parametrize("make", NO_FAULT, ids=[make.__name__ for make in NO_FAULT])
def test_softmax_that_is_meant(make: Callable[[], Tensor]) -> None:
    torch.manual_seed(0)
    assert read_graph(make()).softmax_over_batch == ""
