"""Losses are recognised in the autograd graph; values, targets and factors are those that were
used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.autograd_graph import MARK
from netwise.observe.loss_graph import LossReading, TermReading, read_loss
from netwise.wiring import (
    ABSOLUTE_ERROR,
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    CROSS_ENTROPY,
    HINGE,
    HINGE_OF_CLASSES,
    HUBER,
    KL_DIVERGENCE,
    LOGARITHM,
    SQUARED_ERROR,
)
from networks_of_daily_life import LOSSES, X, Y, mlp

HOT = F.one_hot(Y, 3).float()
REAL = torch.randn(6, 3, generator=torch.Generator().manual_seed(3))
SIGNS = 2 * HOT - 1
SERIES_Y = torch.tensor([[0, 1, 2, -100, 0], [2, -100, 1, 1, 0]])


def outputs(*shape: int, seed: int = 0) -> Tensor:
    """Outputs of a linear layer."""
    torch.manual_seed(seed)
    layer = nn.Linear(8, 3 if len(shape) == 0 else int(torch.tensor(shape).prod()) // 6)
    output: Tensor = layer(X).view(*(shape or (6, 3)))
    output.grad_fn.metadata[MARK] = (1, 0)
    return output


def only(loss: Tensor, *recent: Tensor) -> tuple[TermReading, LossReading]:
    reading = read_loss(loss, "train.py:3", [each.detach() for each in recent])
    assert len(reading.terms) == 1
    return reading.terms[0], reading


def p(values: Tensor) -> Tensor:
    return values.softmax(1)


# name -> (loss of outputs, operation, by hand, reduction, chain)
KNOWN: dict[str, tuple[Callable[[Tensor], Tensor], str, bool, str, tuple[str, ...]]] = {
    "cross_entropy": (
        lambda o: F.cross_entropy(o, Y),
        CROSS_ENTROPY,
        False,
        "mean",
        ("LogSoftmax", "Addmm"),
    ),
    "cross_entropy_sum": (
        lambda o: F.cross_entropy(o, Y, reduction="sum"),
        CROSS_ENTROPY,
        False,
        "sum",
        ("LogSoftmax", "Addmm"),
    ),
    "cross_entropy_none": (
        lambda o: F.cross_entropy(o, Y, reduction="none"),
        CROSS_ENTROPY,
        False,
        "none",
        ("LogSoftmax", "Addmm"),
    ),
    "cross_entropy_none_then_mean": (
        lambda o: F.cross_entropy(o, Y, reduction="none").mean(),
        CROSS_ENTROPY,
        False,
        "mean",
        ("LogSoftmax", "Addmm"),
    ),
    "cross_entropy_sum_over_samples": (
        lambda o: F.cross_entropy(o, Y, reduction="sum") / 6,
        CROSS_ENTROPY,
        False,
        "mean",
        ("LogSoftmax", "Addmm"),
    ),
    "cross_entropy_masked": (
        lambda o: (F.cross_entropy(o, Y, reduction="none") * HOT[:, 0]).sum() / HOT[:, 0].sum(),
        CROSS_ENTROPY,
        False,
        "mean",
        ("LogSoftmax", "Addmm"),
    ),
    "label_smoothing": (
        lambda o: F.cross_entropy(o, Y, label_smoothing=0.1),
        CROSS_ENTROPY,
        False,
        "mean",
        ("LogSoftmax", "Addmm"),
    ),
    "label_smoothing_none": (
        lambda o: F.cross_entropy(o, Y, label_smoothing=0.1, reduction="none").mean(),
        CROSS_ENTROPY,
        False,
        "mean",
        ("LogSoftmax", "Addmm"),
    ),
    "soft_targets": (
        lambda o: F.cross_entropy(o, HOT),
        CROSS_ENTROPY,
        False,
        "mean",
        ("LogSoftmax", "Addmm"),
    ),
    "one_hot_by_hand": (
        lambda o: -(HOT * o.log_softmax(1)).sum(1).mean(),
        CROSS_ENTROPY,
        True,
        "mean",
        ("LogSoftmax", "Addmm"),
    ),
    "gathered": (
        lambda o: -o.log_softmax(1).gather(1, Y[:, None]).mean(),
        CROSS_ENTROPY,
        True,
        "mean",
        ("LogSoftmax", "Addmm"),
    ),
    "indexed": (
        lambda o: -o.log_softmax(1)[range(6), Y].sum(),
        CROSS_ENTROPY,
        True,
        "sum",
        ("LogSoftmax", "Addmm"),
    ),
    "log_of_softmax": (
        lambda o: -p(o)[range(6), Y].log().mean(),
        CROSS_ENTROPY,
        True,
        "mean",
        ("Log", "Softmax", "Addmm"),
    ),
    "log_of_softmax_of_all": (
        lambda o: -(HOT * (p(o) + 1e-9).log()).sum(1).mean(),
        CROSS_ENTROPY,
        True,
        "mean",
        ("Log", "Softmax", "Addmm"),
    ),
    "distribution": (
        lambda o: -torch.distributions.Categorical(logits=o).log_prob(Y).mean(),
        CROSS_ENTROPY,
        True,
        "mean",
        ("LogSoftmax", "Addmm"),
    ),
    "double_softmax": (
        lambda o: F.cross_entropy(p(o), Y),
        CROSS_ENTROPY,
        False,
        "mean",
        ("LogSoftmax", "Softmax", "Addmm"),
    ),
    "nll_of_raw": (lambda o: F.nll_loss(o, Y), CROSS_ENTROPY, False, "mean", ("Addmm",)),
    "nll_of_log_softmax": (
        lambda o: F.nll_loss(o.log_softmax(1), Y),
        CROSS_ENTROPY,
        False,
        "mean",
        ("LogSoftmax", "Addmm"),
    ),
    "nll_of_log_of_relu": (
        lambda o: F.nll_loss((o.relu() + 1e-9).log(), Y),
        CROSS_ENTROPY,
        False,
        "mean",
        ("Log", "Relu", "Addmm"),
    ),
    "bce": (
        lambda o: F.binary_cross_entropy(o.sigmoid(), HOT),
        BINARY_CROSS_ENTROPY,
        False,
        "mean",
        ("Sigmoid", "Addmm"),
    ),
    "bce_of_logits": (
        lambda o: F.binary_cross_entropy_with_logits(o, HOT),
        BINARY_CROSS_ENTROPY_OF_LOGITS,
        False,
        "mean",
        ("Addmm",),
    ),
    "bce_of_logits_of_sigmoid": (
        lambda o: F.binary_cross_entropy_with_logits(o.sigmoid(), HOT),
        BINARY_CROSS_ENTROPY_OF_LOGITS,
        False,
        "mean",
        ("Sigmoid", "Addmm"),
    ),
    "bce_by_hand": (
        lambda o: -(HOT * o.sigmoid().log() + (1 - HOT) * (1 - o.sigmoid()).log()).mean(),
        BINARY_CROSS_ENTROPY,
        True,
        "mean",
        ("Log", "Sigmoid", "Addmm"),
    ),
    "multilabel_soft_margin": (
        lambda o: F.multilabel_soft_margin_loss(o, HOT),
        BINARY_CROSS_ENTROPY_OF_LOGITS,
        True,
        "mean",
        ("Addmm",),
    ),
    "mse": (lambda o: F.mse_loss(o, REAL), SQUARED_ERROR, False, "mean", ("Addmm",)),
    "mse_of_relu": (
        lambda o: F.mse_loss(o.relu(), REAL),
        SQUARED_ERROR,
        False,
        "mean",
        ("Relu", "Addmm"),
    ),
    "squares": (lambda o: ((o - REAL) ** 2).mean(), SQUARED_ERROR, True, "mean", ("Addmm",)),
    "squares_reversed": (
        lambda o: (REAL - o).square().sum(),
        SQUARED_ERROR,
        True,
        "sum",
        ("Addmm",),
    ),
    "product_with_itself": (
        lambda o: ((o - REAL) * (o - REAL)).mean(),
        SQUARED_ERROR,
        True,
        "mean",
        ("Addmm",),
    ),
    "sum_over_columns": (
        lambda o: ((o - REAL) ** 2).sum(1).mean(),
        SQUARED_ERROR,
        True,
        "",
        ("Addmm",),
    ),
    "root_of_mse": (lambda o: F.mse_loss(o, REAL).sqrt(), SQUARED_ERROR, True, "", ("Addmm",)),
    "l1": (lambda o: F.l1_loss(o, REAL), ABSOLUTE_ERROR, False, "mean", ("Addmm",)),
    "absolute": (lambda o: (REAL - o).abs().mean(), ABSOLUTE_ERROR, False, "mean", ("Addmm",)),
    "huber": (lambda o: F.huber_loss(o, REAL), HUBER, False, "mean", ("Addmm",)),
    "smooth_l1": (lambda o: F.smooth_l1_loss(o, REAL), HUBER, False, "mean", ("Addmm",)),
    "kl": (
        lambda o: F.kl_div(o.log_softmax(1), HOT, reduction="batchmean"),
        KL_DIVERGENCE,
        False,
        "mean",
        ("LogSoftmax", "Addmm"),
    ),
    "kl_of_softmax": (
        lambda o: F.kl_div(p(o), HOT, reduction="batchmean"),
        KL_DIVERGENCE,
        False,
        "mean",
        ("Softmax", "Addmm"),
    ),
    "kl_log_target": (
        lambda o: F.kl_div(
            o.log_softmax(1), REAL.log_softmax(1), reduction="batchmean", log_target=True
        ),
        KL_DIVERGENCE,
        True,
        "mean",
        ("LogSoftmax", "Addmm"),
    ),
    "multi_margin": (
        lambda o: F.multi_margin_loss(o, Y),
        HINGE_OF_CLASSES,
        False,
        "mean",
        ("Addmm",),
    ),
    "soft_margin": (lambda o: F.soft_margin_loss(o, SIGNS), HINGE, False, "mean", ("Addmm",)),
    "log_of_relu": (
        lambda o: -(o.relu() + 1).log().mean(),
        LOGARITHM,
        True,
        "mean",
        ("Log", "Relu", "Addmm"),
    ),
    "log_of_linear": (
        lambda o: -(HOT * o.clamp(1e-8, 1).log()).sum(1).mean(),
        LOGARITHM,
        True,
        "mean",
        ("Log", "Clamp", "Addmm"),
    ),
    "log_of_shares": (
        lambda o: -(HOT * (o / o.sum(1, keepdim=True)).clamp(1e-7, 1).log()).sum(1).mean(),
        LOGARITHM,
        True,
        "mean",
        ("Log", "Clamp", "Div", "Addmm"),
    ),
}


@pytest.mark.parametrize("name", list(KNOWN))
def test_kinds_of_losses(name: str) -> None:
    make, operation, by_hand, reduction, chain = KNOWN[name]
    loss = make(outputs())
    reading, whole = only(loss, outputs())
    term = reading.term
    assert (term.operation, term.by_hand, term.reduction) == (operation, by_hand, reduction)
    assert term.chain == chain
    assert term.place == "train.py:3"
    assert whole.factor == term.factor == pytest.approx(1)
    assert not term.penalty
    if loss.dim() == 0:
        assert reading.value == pytest.approx(loss.item(), nan_ok=True)


UNKNOWN: dict[str, Callable[[Tensor], Tensor]] = {
    "triplet": lambda o: F.triplet_margin_loss(o, o.roll(1, 0), o.roll(2, 0)),
    "hinge": lambda o: F.hinge_embedding_loss(o, SIGNS),
    "gaussian": lambda o: F.gaussian_nll_loss(o, REAL, o.exp()),
    "gaussian_by_hand": lambda o: (o[:, 0].log().abs() + (o[:, 1] - 1) ** 2 / o[:, 0]).mean(),
    "poisson": lambda o: F.poisson_nll_loss(o, HOT),
    "quantiles": lambda o: torch.max(0.9 * (o - REAL), -0.1 * (o - REAL)).mean(),
    "dice": lambda o: 1 - 2 * (p(o) * HOT).sum() / (p(o).sum() + HOT.sum()),
    "policy": lambda o: -(o.log_softmax(1)[range(6), Y] * REAL[:, 0]).mean(),
    "entropy": lambda o: (p(o) * o.log_softmax(1)).sum(1).mean(),
    "critic": lambda o: o[:3].mean() - o[3:].mean(),
    "norm": lambda o: (o - REAL).norm(),
    "output": lambda o: -o.mean(),
    "squared_output": lambda o: o.square().mean(),
}


def test_a_ranking_loss_is_a_hinge_of_a_difference() -> None:
    logits = outputs()
    loss = F.margin_ranking_loss(logits[:, 0], logits[:, 1], SIGNS[:, 0], margin=0.5)
    (reading,) = read_loss(loss, "", [logits.detach()]).terms
    assert reading.term.operation == HINGE
    assert reading.target is not None
    assert torch.equal(reading.target, SIGNS[:, 0])


@pytest.mark.parametrize("name", list(UNKNOWN))
def test_losses_that_are_not_known(name: str) -> None:
    reading = read_loss(UNKNOWN[name](outputs()), "", [outputs().detach()])
    assert {each.term.operation for each in reading.terms} == {""}
    assert all(each.term.by_hand and not each.term.penalty for each in reading.terms)
    assert reading.factor == 1


@pytest.mark.parametrize("name", ["mse", "squares", "squares_reversed", "l1", "absolute"])
def test_targets_that_are_numbers(name: str) -> None:
    reading, _ = only(KNOWN[name][0](outputs()), outputs())
    assert torch.allclose(reading.target, REAL, atol=1e-6)
    assert reading.term.target_shape == reading.term.output_shape == (6, 3)
    assert reading.term.target_low == pytest.approx(REAL.min().item(), abs=1e-6)
    assert reading.term.target_high == pytest.approx(REAL.max().item(), abs=1e-6)


def test_targets_without_the_outputs() -> None:
    reading, _ = only(((outputs() - REAL) ** 2).mean())
    assert reading.target is None
    assert reading.term.target_shape == ()
    reading, _ = only(((outputs().sigmoid() - HOT) ** 2).mean())  # a sigmoid keeps its result
    assert torch.allclose(reading.target, HOT, atol=1e-6)
    assert reading.term.target_row_sums == pytest.approx((1, 1))
    squeezed = outputs(6, 1).squeeze(1)
    reading, _ = only(((squeezed - REAL[:, 0]) ** 2).mean(), outputs(6, 1))
    assert torch.allclose(reading.target, REAL[:, 0], atol=1e-6)


def test_a_value_of_the_shape_of_an_output_is_no_output() -> None:
    points = X.clone().requires_grad_()
    critic = nn.Sequential(nn.Linear(8, 5), nn.Tanh(), nn.Linear(5, 1), nn.Flatten(0))
    scores = critic(points)
    scores.grad_fn.metadata[MARK] = (1, 0)
    (slope,) = torch.autograd.grad(scores.sum(), points, create_graph=True)
    reading, _ = only(((slope.norm(2, 1) - 1) ** 2).mean(), scores)
    assert reading.target is None


def test_a_sum_over_twice_the_samples() -> None:
    targets = REAL[:, :1]
    reading, whole = only(((outputs(6, 1) - targets) ** 2).sum() / 12)
    assert (reading.term.reduction, whole.factor) == ("mean", pytest.approx(0.5))


def test_learned_weights_of_tasks_are_no_penalty() -> None:
    scale = nn.Parameter(torch.zeros(()))
    loss = F.cross_entropy(outputs(), Y) * (-scale).exp() + scale
    assert not any(each.term.penalty for each in read_loss(loss).terms)


def test_an_output_with_its_graph_is_known_by_its_node() -> None:
    layer = nn.Linear(8, 3)
    output, other = layer(X), layer(X.flip(0))
    loss = ((output.squeeze() - REAL) ** 2).mean()
    reading = read_loss(loss, "", [other, output]).terms[0]
    assert torch.allclose(reading.target, REAL, atol=1e-6)
    assert read_loss(loss, "", [other]).terms[0].target is None


def test_one_number_is_no_target() -> None:
    reading, _ = only(((outputs() - 1) ** 2).mean(), outputs())  # as in a least squares GAN
    assert reading.term.operation == SQUARED_ERROR
    assert reading.target is None


@pytest.mark.parametrize("name", ["gathered", "indexed", "log_of_softmax", "distribution"])
def test_classes_that_are_picked_by_hand(name: str) -> None:
    reading, _ = only(KNOWN[name][0](outputs()))
    assert torch.equal(reading.target, Y)


def test_ignored_index_and_class_weights() -> None:
    words = torch.randn(2, 5, 8)
    logits = nn.Linear(8, 3)(words)
    reading, _ = only(F.cross_entropy(logits.transpose(1, 2), SERIES_Y))
    assert reading.ignore_index == -100
    assert reading.term.output_shape[:2] == (2, 3)
    assert torch.equal(reading.target.reshape(2, 5), SERIES_Y)
    assert not reading.weighted
    flat = F.cross_entropy(
        logits.flatten(0, 1), SERIES_Y.flatten().clamp(0), ignore_index=2, weight=torch.ones(3)
    )
    reading, _ = only(flat)
    assert reading.ignore_index == 2
    assert reading.weighted


def test_segmentation_maps() -> None:
    maps = nn.Conv2d(2, 3, 1)(torch.randn(2, 2, 4, 4))
    targets = torch.full((2, 4, 4), 255)
    targets[0] = 1
    reading, _ = only(F.cross_entropy(maps, targets, ignore_index=255))
    assert reading.term.operation == CROSS_ENTROPY
    assert reading.term.chain == ("LogSoftmax", "Convolution")
    assert (reading.ignore_index, reading.term.target_shape) == (255, (2, 4, 4))


def test_highest_input_of_a_log_likelihood() -> None:
    raw = outputs()
    assert only(F.nll_loss(raw, Y))[0].term.highest == pytest.approx(raw.max().item())
    assert only(F.cross_entropy(raw, Y))[0].term.highest is None


FACTORS: dict[str, tuple[Callable[[Tensor], Tensor], float]] = {
    "quarter": (lambda loss: loss / 4, 0.25),
    "scaler": (lambda loss: loss * torch.tensor(65536.0), 65536),
    "negative": (lambda loss: -loss, -1),
    "several": (lambda loss: 3 * (loss / 4).float() / 2, 0.375),
    "shift": (lambda loss: 0 + loss, 1),
    "one_element": (lambda loss: loss.reshape(1) / 2, 0.5),
    "precision": (lambda loss: loss.double() / 8, 0.125),
}


@pytest.mark.parametrize("factor", list(FACTORS))
@pytest.mark.parametrize("name", ["cross_entropy", "soft_targets", "gathered", "squares", "kl"])
def test_constant_factors(name: str, factor: str) -> None:
    change, expected = FACTORS[factor]
    plain = KNOWN[name][0](outputs())
    reading, whole = only(change(plain))
    assert whole.factor == pytest.approx(expected)
    assert reading.term.reduction == KNOWN[name][3]
    assert reading.value == pytest.approx(plain.item())


def test_a_sum_over_a_count_of_several_batches_keeps_its_factor() -> None:
    reading, whole = only(F.cross_entropy(outputs(), Y, reduction="sum") / 24)
    assert (reading.term.reduction, whole.factor) == ("sum", pytest.approx(1 / 24))


SUMS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "plus": lambda a, b: a + b,
    "sum_of_a_list": lambda a, b: sum([a, b]),
    "stacked": lambda a, b: torch.stack([a, b]).sum(),
    "weighted": lambda a, b: a + 0.5 * b,
    "alpha": lambda a, b: torch.add(a, b, alpha=0.5),
    "mean": lambda a, b: torch.stack([a, b]).mean(),
    "halved": lambda a, b: (a + b) / 2,
    "minus": lambda a, b: a - b,
}


@pytest.mark.parametrize("name", list(SUMS))
def test_several_summands(name: str) -> None:
    first, second = F.cross_entropy(outputs(), Y), F.mse_loss(outputs(seed=1), REAL)
    loss = SUMS[name](first, second)
    reading = read_loss(loss)
    assert [each.term.operation for each in reading.terms] == [CROSS_ENTROPY, SQUARED_ERROR]
    a = 0.5 if name == "mean" else 1
    b = {"weighted": 0.5, "alpha": 0.5, "mean": 0.5, "minus": -1}.get(name, 1)
    assert reading.terms[0].value == pytest.approx(a * first.item())
    assert reading.terms[1].value == pytest.approx(b * second.item())
    assert reading.factor == (0.5 if name == "halved" else 1)


def test_signs_of_sums_of_logarithms() -> None:
    real, made = outputs().sigmoid(), outputs(seed=1).sigmoid()
    scores = real.log().mean() + (1 - made).log().mean()
    for loss, factor in ((-scores, 1), (-scores / 2, 0.5), (scores, -1)):
        reading = read_loss(loss)
        assert [each.term.operation for each in reading.terms] == [LOGARITHM, LOGARITHM]
        assert reading.factor == factor
    assert read_loss(-(outputs().mean() + outputs(seed=1).mean())).factor == 1


def test_soft_targets_of_torch_with_class_weights() -> None:
    reading, _ = only(F.cross_entropy(outputs(), HOT, weight=torch.tensor([1.0, 2, 3])))
    assert (reading.term.operation, reading.term.by_hand) == (CROSS_ENTROPY, False)
    assert reading.weighted


def test_sums_of_single_elements() -> None:
    each = F.cross_entropy(outputs(), Y, reduction="none")
    other = F.mse_loss(outputs(), REAL, reduction="none").mean(1)
    reading = read_loss((each + other).mean())
    assert [t.term.operation for t in reading.terms] == [CROSS_ENTROPY, SQUARED_ERROR]


PENALTIES: dict[str, Callable[[nn.Module], Tensor]] = {
    "squares": lambda model: sum((w**2).sum() for w in model.parameters()),
    "norms": lambda model: sum(w.norm() for w in model.parameters()),
    "absolute": lambda model: sum(w.abs().sum() for w in model.parameters()),
    "one_weight": lambda model: model[0].weight.square().sum(),
    "stacked": lambda model: torch.stack([w.norm() for w in model.parameters()]).sum(),
    "joined": lambda model: torch.cat([w.flatten() for w in model.parameters()]).norm(),
    "orthogonal": lambda model: (model[2].weight @ model[2].weight.T - torch.eye(3)).norm(),
    "masked": lambda model: (model[0].weight * torch.ones(7, 8)).square().sum(),
    "to_old_values": lambda model: (model[0].weight - torch.ones(7, 8)).square().sum(),
}


@pytest.mark.parametrize("name", list(PENALTIES))
def test_penalties_of_weights(name: str) -> None:
    model = mlp()
    data, penalty = F.cross_entropy(model(X), Y), 0.01 * PENALTIES[name](model)
    for factor, loss in ((1, data + penalty), (0.25, (penalty + data) / 4)):
        reading = read_loss(loss)
        assert [each.term.penalty for each in reading.terms] == [False, True]
        assert reading.factor == factor
        assert reading.terms[0].value == pytest.approx(data.item())
        assert reading.terms[1].value == pytest.approx(penalty.item(), rel=1e-3)


def test_what_depends_on_data_is_no_penalty() -> None:
    model = mlp()
    hidden = model[0](X)
    words = nn.Embedding(9, 4)
    slope = nn.Parameter(torch.ones(1))
    others = [
        hidden.square().mean(),  # of activations
        -0.5 * (1 + hidden - hidden.exp()).sum(),  # a variational bound
        words(torch.tensor([1, 2])).norm(),
        words.weight[torch.tensor([1, 2])].norm(),
        ((slope * X[:, 0] - X[:, 1]) ** 2).mean(),  # a regression by hand
        (X @ model[0].weight.T).square().mean(),
    ]
    for other in others:
        reading = read_loss(F.cross_entropy(model(X), Y) + other)
        assert len(reading.terms) == 2
        assert not any(each.term.penalty for each in reading.terms)


def test_a_variational_autoencoder_has_no_scaled_loss() -> None:
    codes = outputs(seed=1)
    divergence = -0.5 * (1 + codes - codes.exp()).sum()
    picture = F.binary_cross_entropy_with_logits(outputs(), HOT, reduction="sum")
    reading = read_loss((picture + divergence) / 6)
    assert reading.factor == 1
    assert [each.term.operation for each in reading.terms] == [BINARY_CROSS_ENTROPY_OF_LOGITS, ""]
    assert reading.terms[0].value == pytest.approx(picture.item() / 6)
    assert reading.terms[1].value == pytest.approx(divergence.item() / 6)


def test_a_loss_inside_of_an_unknown_formula() -> None:
    each = F.cross_entropy(outputs(), Y, reduction="none")
    focal, _ = only(((1 - (-each).exp()) ** 2 * each).mean())
    assert focal.term.operation == CROSS_ENTROPY
    assert (focal.term.by_hand, focal.term.reduction) == (True, "")
    assert focal.weighted


def test_functions_that_hide_what_lies_behind() -> None:
    class Through(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, slope: Tensor) -> Tensor:
            return slope

    reading, _ = only(F.nll_loss(Through.apply(outputs()).log(), Y))
    assert reading.term.chain == ("Log", "?")
    reading, _ = only(Through.apply(F.cross_entropy(outputs(), Y)))
    assert (reading.term.operation, reading.term.chain) == ("", ("?",))


def test_targets_that_were_widened_have_the_shape_they_were_given_with() -> None:
    with pytest.warns(UserWarning, match="target size"):
        loss = F.mse_loss(outputs(6, 1), REAL[:, 0])
    reading, _ = only(loss)
    assert (reading.term.output_shape, reading.term.target_shape) == ((6, 1), (6,))
    assert torch.equal(reading.target, REAL[:, 0])


@pytest.mark.parametrize("make", LOSSES, ids=[make.__name__ for make in LOSSES])
def test_summands_add_up_to_the_loss(make) -> None:
    torch.manual_seed(0)
    _, loss = make()
    reading = read_loss(loss)
    values = [each.value for each in reading.terms]
    if None not in values:
        assert reading.factor * sum(values) == pytest.approx(loss.item(), rel=1e-4)
    assert reading.terms


def test_gradient_scaler_and_autocast() -> None:
    model = mlp()
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = F.cross_entropy(model(X), Y)
    reading, whole = only(scaler.scale(loss))
    assert whole.factor == 1024
    assert reading.term.chain == ("LogSoftmax", "Addmm")
    assert reading.value == pytest.approx(loss.item())


@pytest.mark.parametrize("pick", ["gather", "index"])
def test_the_shape_of_outputs_is_that_before_the_right_classes_are_picked(pick: str) -> None:
    """-log p of the right class, by hand, with the index before the logarithm."""
    p = torch.randn(5, 3, requires_grad=True).mul(1.0).softmax(1).clamp(1e-7, 1)
    y = torch.tensor([0, 1, 2, 1, 0])
    picked = p.gather(1, y[:, None]) if pick == "gather" else p[torch.arange(5), y]
    (reading,) = read_loss(-picked.log().mean()).terms
    assert reading.term.output_shape == (5, 3)


def test_a_gathered_column_is_that_of_the_actions() -> None:
    probabilities, actions = outputs().softmax(1), Y[:, None]
    numbers = torch.tensor([1.0, -1.0, 2.0, -0.5, 0.3, -2.0])
    for chosen in (
        probabilities.gather(1, actions)[:, 0],
        probabilities.gather(1, actions).squeeze(1),
    ):
        terms = read_loss((chosen.log() * numbers).mean()).terms
        assert [each.term.advantages for each in terms] == [-1]


def test_weights_of_classes() -> None:
    weights, ratio = torch.tensor([1.0, 2.0, 0.5]), torch.tensor([4.0])
    bits = (Y > 0).float()
    losses = {
        (1.0, 2.0, 0.5): F.cross_entropy(outputs(), Y, weight=weights),
        (1.0, 4.0): F.binary_cross_entropy_with_logits(outputs()[:, 0], bits, pos_weight=ratio),
        (): F.cross_entropy(outputs(), Y),
    }
    for wanted, loss in losses.items():
        assert read_loss(loss).terms[0].term.class_weights == wanted
