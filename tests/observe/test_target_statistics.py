"""Statistics of targets against brute force, scikit-learn's forms of targets and torch's losses."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from netwise.observe.target_statistics import (
    TargetStatistics,
    all_alike,
    classes_in,
    few_class_numbers,
    share_ignored,
)
from netwise.parts import losses
from netwise.wiring import (
    ABSOLUTE_ERROR,
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    CROSS_ENTROPY,
    HUBER,
    KL_DIVERGENCE,
    LOSS_OPERATIONS,
    SQUARED_ERROR,
)


def draw(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3))


def whole(high: int, *shape: int) -> Tensor:
    return torch.randint(high, shape, generator=torch.Generator().manual_seed(4))


def statistics_of(
    target: Tensor,
    output_shape: tuple[int, ...] = (),
    batch: int = 50,
    ignore_index: int | None = None,
) -> TargetStatistics:
    statistics = TargetStatistics()
    for part in target.split(batch):
        shape = (len(part), *output_shape[1:]) if output_shape else ()
        statistics.add(part, shape, ignore_index)
    return statistics


def lowest_of_constants(
    loss: Callable[[Tensor, Tensor], Tensor], target: Tensor, shape: tuple[int, ...]
) -> float:
    """The lowest loss of one constant output of this shape, by Newton-like optimisation."""
    constant = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [constant], max_iter=300, tolerance_grad=1e-10, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss(constant.expand(len(target), *shape), target)
        value.backward()
        return value

    for _ in range(5):
        optimizer.step(closure)
    return float(closure().detach())


def bce(output: Tensor, target: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(output, target.double())


def bce_of_sigmoid(output: Tensor, target: Tensor) -> Tensor:
    return F.binary_cross_entropy(torch.sigmoid(output), target.double())


def squared(output: Tensor, target: Tensor) -> Tensor:
    return F.mse_loss(output, target.double())


def absolute(output: Tensor, target: Tensor) -> Tensor:
    return F.l1_loss(output, target.double())


def divergence(output: Tensor, target: Tensor) -> Tensor:
    return F.kl_div(output.log_softmax(1), target)


def smoothed(output: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(output, target, label_smoothing=0.1)


SKEWED = (whole(16, 400).double().sqrt()).long()  # four classes, unequally frequent
SOFT = torch.softmax(draw(400, 5).double(), 1)
LABELS = whole(4, 400, 6) == 0

CASES = {
    "class numbers": (CROSS_ENTROPY, F.cross_entropy, SKEWED, (4,)),
    "a class that is never met": (CROSS_ENTROPY, F.cross_entropy, SKEWED, (5,)),
    "class maps": (CROSS_ENTROPY, F.cross_entropy, SKEWED.reshape(100, 2, 2), (4, 1, 1)),
    "soft labels": (CROSS_ENTROPY, F.cross_entropy, SOFT, (5,)),
    "one-hot rows": (CROSS_ENTROPY, F.cross_entropy, F.one_hot(SKEWED, 4).double(), (4,)),
    "several labels": (BINARY_CROSS_ENTROPY_OF_LOGITS, bce, LABELS.double(), (6,)),
    "several bool labels": (BINARY_CROSS_ENTROPY_OF_LOGITS, bce, LABELS, (6,)),
    "whole one-hot rows": (BINARY_CROSS_ENTROPY_OF_LOGITS, bce, F.one_hot(SKEWED, 4), (4,)),
    "one bool label": (BINARY_CROSS_ENTROPY, bce_of_sigmoid, LABELS[:, :1], (1,)),
    "shares": (BINARY_CROSS_ENTROPY, bce_of_sigmoid, SOFT, (5,)),
    "numbers": (SQUARED_ERROR, squared, draw(400), ()),
    "one column": (SQUARED_ERROR, squared, draw(400, 1) * 3 + 7, (1,)),
    "columns of other sizes": (
        SQUARED_ERROR,
        squared,
        draw(400, 4) * torch.tensor([1, 9, 0, 2.0]),
        (4,),
    ),
    "pictures": (SQUARED_ERROR, squared, draw(400, 1, 3, 3), (1, 3, 3)),
    "whole numbers": (SQUARED_ERROR, squared, whole(30, 400), ()),
    "distance": (ABSOLUTE_ERROR, absolute, draw(401), ()),
    "distances": (ABSOLUTE_ERROR, absolute, draw(401, 3) * torch.tensor([1.0, 5, 2]), (3,)),
    "distance of whole numbers": (ABSOLUTE_ERROR, absolute, whole(30, 401), ()),
    "distributions": (KL_DIVERGENCE, divergence, SOFT, (5,)),
}


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("name", CASES)
def test_guessing_is_the_best_constant_of_an_optimiser(name: str) -> None:
    operation, loss, target, shape = CASES[name]
    statistics = statistics_of(target, (len(target), *shape))
    value = statistics.loss_of_guessing(operation, "mean")

    def of(output: Tensor, y: Tensor) -> Tensor:
        if name == "class maps":
            output = output.expand(-1, -1, 2, 2)
        return loss(output, y)

    best = lowest_of_constants(of, target, shape)
    # The minimum of a median is not smooth, that of a class never met is at infinity.
    assert value == pytest.approx(best, rel=2e-3, abs=1e-6)
    assert value <= best + 1e-6


def test_label_smoothing_where_it_is_known() -> None:
    for outputs in (4, 7):
        statistics = statistics_of(SKEWED, (400, outputs))
        best = lowest_of_constants(smoothed, SKEWED, (outputs,))
        assert statistics.loss_of_guessing(CROSS_ENTROPY, "mean", 0.1) == pytest.approx(
            best, rel=1e-5
        )
        perfect = F.one_hot(SKEWED, outputs) * 0.9 + 0.1 / outputs
        least = statistics.least_loss(CROSS_ENTROPY, "mean", 0.1)
        assert least == pytest.approx(float(smoothed(perfect.log(), SKEWED)), rel=1e-5)
    assert statistics.loss_of_guessing(CROSS_ENTROPY, "mean", None) is None
    assert statistics.least_loss(CROSS_ENTROPY, "mean", None) is None


@pytest.mark.parametrize(
    ("operation", "loss", "target", "shape"),
    [
        (CROSS_ENTROPY, F.cross_entropy, SKEWED, (4,)),
        (SQUARED_ERROR, F.mse_loss, draw(400, 3), (3,)),
        (BINARY_CROSS_ENTROPY_OF_LOGITS, F.binary_cross_entropy_with_logits, LABELS.float(), (6,)),
        (ABSOLUTE_ERROR, F.l1_loss, draw(400, 3), (3,)),
    ],
    ids=["classes", "squared", "labels", "absolute"],
)
def test_guessing_agrees_with_the_loss_called_on_constants(
    operation: str, loss: Callable[..., Tensor], target: Tensor, shape: tuple[int, ...]
) -> None:
    statistics = statistics_of(target, (400, *shape))
    expected = losses.loss_of_guessing(loss, target, shape[0])
    assert expected is not None
    assert statistics.loss_of_guessing(operation, "mean") == pytest.approx(expected, rel=1e-3)

    def summed(output: Tensor, y: Tensor) -> Tensor:
        return loss(output, y, reduction="sum")

    whole_sum = losses.loss_of_guessing(summed, target, shape[0])
    assert whole_sum is not None
    of_a_batch = statistics.loss_of_guessing(operation, "sum")
    assert of_a_batch == pytest.approx(whole_sum / 8, rel=1e-3)  # 8 batches of 50


def test_reductions_of_divergence() -> None:
    statistics = statistics_of(SOFT, (400, 5))
    mean = statistics.loss_of_guessing(KL_DIVERGENCE, "mean")
    assert mean is not None
    assert statistics.loss_of_guessing(KL_DIVERGENCE, "batchmean") == pytest.approx(5 * mean)
    assert statistics.loss_of_guessing(KL_DIVERGENCE, "sum") == pytest.approx(250 * mean)
    assert statistics.loss_of_guessing(KL_DIVERGENCE, "") is None


def test_least_loss_is_that_of_perfect_predictions() -> None:
    soft = statistics_of(SOFT, (400, 5))
    entropy = float(F.cross_entropy(SOFT.log(), SOFT))
    assert soft.least_loss(CROSS_ENTROPY, "mean") == pytest.approx(entropy)
    assert soft.least_loss(CROSS_ENTROPY, "sum") == pytest.approx(50 * entropy)
    of_shares = float(F.binary_cross_entropy(SOFT, SOFT))
    assert soft.least_loss(BINARY_CROSS_ENTROPY, "mean") == pytest.approx(of_shares)
    assert soft.least_loss(BINARY_CROSS_ENTROPY_OF_LOGITS, "mean") == pytest.approx(of_shares)
    for operation in (SQUARED_ERROR, ABSOLUTE_ERROR, HUBER, KL_DIVERGENCE):
        assert soft.least_loss(operation, "mean") == 0
    assert statistics_of(SKEWED, (400, 4)).least_loss(CROSS_ENTROPY, "mean") == 0
    assert statistics_of(draw(400, 2)).least_loss(BINARY_CROSS_ENTROPY, "mean") is None


@pytest.mark.parametrize("operation", LOSS_OPERATIONS)
def test_guessing_is_not_known_where_it_is_not_understood(operation: str) -> None:
    understood = {SQUARED_ERROR, ABSOLUTE_ERROR}
    value = statistics_of(draw(100, 2), (100, 2)).loss_of_guessing(operation, "mean")
    assert (value is not None) == (operation in understood)
    assert TargetStatistics().loss_of_guessing(operation, "mean") is None
    few = statistics_of(draw(2, 2), (2, 2))
    assert few.loss_of_guessing(operation, "mean") is None


def test_ignored_class_numbers_do_not_count() -> None:
    target = SKEWED.clone()
    target[::3] = -100
    used = target[target >= 0]
    expected = losses.loss_of_guessing(F.cross_entropy, used, 4)
    statistics = statistics_of(target, (400, 4))
    assert statistics.loss_of_guessing(CROSS_ENTROPY, "mean") == pytest.approx(expected)
    assert statistics.loss_of_guessing(CROSS_ENTROPY, "sum") == pytest.approx(
        expected * len(used) / 8
    )
    assert statistics.facts()["classes"] == 4
    of_255 = torch.where(target < 0, 255, target).to(torch.uint8)
    for ignore_index, output_shape in ((255, ()), (None, (400, 4)), (255, (400, 4))):
        again = statistics_of(of_255, output_shape, ignore_index=ignore_index)
        assert again.loss_of_guessing(CROSS_ENTROPY, "mean") == pytest.approx(expected)
        assert again.facts() == {"class_targets": True, "classes": 4, "task": "classification"}
    assert share_ignored(target, None) == pytest.approx(134 / 400)
    assert share_ignored(of_255, 255) == pytest.approx(134 / 400)
    assert share_ignored(of_255, None) == 0
    assert share_ignored(draw(4), 0) == 0
    nothing = TargetStatistics()
    nothing.add(torch.full((64,), -100), (64, 4))
    assert nothing.facts() == {}
    assert nothing.loss_of_guessing(CROSS_ENTROPY, "mean") is None


CLASSES_OF_4 = {"class_targets": True, "classes": 4, "task": "classification"}


@pytest.mark.parametrize(
    ("target", "output_shape", "facts"),
    [
        (SKEWED, (400, 4), CLASSES_OF_4),
        (SKEWED, (400, 40), CLASSES_OF_4),
        (SKEWED.to(torch.uint8), (400, 4), CLASSES_OF_4),
        (SKEWED.to(torch.int32), (), CLASSES_OF_4),
        (SKEWED[:, None], (400, 4), CLASSES_OF_4),
        (SKEWED.reshape(40, 10), (40, 10, 4), CLASSES_OF_4),
        (SKEWED.reshape(40, 10), (40, 4, 10), CLASSES_OF_4),
        (SKEWED.reshape(40, 10), (400, 4), CLASSES_OF_4),
        (SKEWED.reshape(4, 10, 10), (4, 4, 10, 10), CLASSES_OF_4),
        (F.one_hot(SKEWED, 4).float(), (400, 4), CLASSES_OF_4),
        (F.one_hot(SKEWED, 4).float(), (), CLASSES_OF_4),
        (F.one_hot(SKEWED, 4), (400, 4), CLASSES_OF_4),
        (F.one_hot(SKEWED, 4), (), CLASSES_OF_4),
        (SKEWED > 1, (400, 1), {**CLASSES_OF_4, "classes": 2}),
        (SKEWED - 1, (), CLASSES_OF_4),
    ],
    ids=[
        "numbers",
        "more outputs",
        "uint8",
        "int32 without outputs",
        "one column",
        "language, classes last",
        "language, classes second",
        "language, flat outputs",
        "maps",
        "one-hot",
        "one-hot without outputs",
        "whole one-hot",
        "whole one-hot without outputs",
        "bool",
        "label -1",
    ],
)
def test_classes_are_recognised(
    target: Tensor, output_shape: tuple[int, ...], facts: dict[str, object]
) -> None:
    statistics = TargetStatistics()
    statistics.add(target, output_shape)
    assert statistics.facts() == facts
    assert losses.are_classes(target)
    assert classes_in(target, None) == facts["classes"]


@pytest.mark.parametrize(
    ("target", "output_shape"),
    [
        (draw(400), (400,)),
        (draw(400, 1), (400, 1)),
        (draw(400, 5), ()),
        (LABELS.float(), (400, 6)),
        (LABELS, (400, 6)),
        (LABELS.long(), (400, 6)),
        (whole(100, 400), (400, 1)),
        (whole(100, 400), (400,)),
        (draw(400, 2).to(torch.bfloat16), (400, 2)),
        (draw(400, 2).half(), (400, 2)),
    ],
    ids=[
        "(n,)",
        "(n, 1)",
        "(n, k)",
        "several labels",
        "several bool labels",
        "several whole labels",
        "whole numbers for one output",
        "whole numbers for a vector of outputs",
        "bfloat16",
        "float16",
    ],
)
def test_numbers_are_described(target: Tensor, output_shape: tuple[int, ...]) -> None:
    statistics = TargetStatistics()
    statistics.add(target, output_shape)
    y = target.double()
    assert statistics.facts() == pytest.approx(
        {
            "class_targets": False,
            "task": "regression",
            "target_low": float(y.min()),
            "target_high": float(y.max()),
            "target_mean": float(y.mean()),
            "target_std": float(y.std(unbiased=False)),
        }
    )


def test_numbers_that_are_not_finite_do_not_count() -> None:
    target = draw(400, 2)
    target[::7, 0] = float("nan")
    target[3, 1] = float("inf")
    statistics = statistics_of(target, (400, 2))
    columns = [column[column.isfinite()].double() for column in target.T]
    assert statistics.loss_of_guessing(SQUARED_ERROR, "mean") == pytest.approx(
        sum(float(column.var(unbiased=False)) for column in columns) / 2
    )
    assert statistics.loss_of_guessing(ABSOLUTE_ERROR, "mean") == pytest.approx(
        sum(float((column - column.median()).abs().mean()) for column in columns) / 2, rel=1e-2
    )
    assert statistics.facts()["target_high"] == float(torch.cat(columns).max())


NOTHING = {
    "empty": torch.zeros(0, 3),
    "empty classes": torch.zeros(0, dtype=torch.long),
    "sparse": torch.eye(3).to_sparse(),
    "complex": torch.ones(3, dtype=torch.complex64),
    "meta": torch.ones(3, device="meta"),
    "nested": torch.nested.nested_tensor([torch.ones(2)], layout=torch.jagged),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NOTHING)
def test_what_cannot_be_read_counts_as_none(name: str) -> None:
    target, statistics = NOTHING[name], TargetStatistics()
    statistics.add(target, tuple(target.shape) if name != "nested" else ())
    statistics.add(target)
    assert statistics.facts() == {}
    assert statistics.loss_of_guessing(SQUARED_ERROR, "mean") is None
    assert share_ignored(target, None) == 0
    assert not all_alike(target, None)
    assert not classes_in(target, None)


def test_single_samples_and_scalars() -> None:
    statistics = TargetStatistics()
    for value in draw(50):
        statistics.add(value)
        assert not all_alike(value, None)
    assert statistics.facts()["target_mean"] == pytest.approx(float(draw(50).mean()))
    one = TargetStatistics()
    one.add(torch.tensor([3]), (1, 10))
    assert one.facts()["classes"] == 1
    assert one.loss_of_guessing(CROSS_ENTROPY, "mean") is None


def test_all_alike() -> None:
    alike = (
        torch.tensor([1, 1, 1]),
        torch.tensor([1, -100, 1]),
        torch.ones(4, 1),
        torch.tensor([True, True]),
        torch.tensor([[0.0, 1], [0, 1]]),
        torch.tensor([[0, 1], [0, 1]]),
        torch.full((2, 5, 5), 3),
    )
    different = (
        torch.tensor([1, 2]),
        torch.tensor([1]),
        torch.tensor([-100, -100]),
        torch.tensor([[1.0, 0], [0, 1]]),
        torch.tensor([[1, 0], [0, 1]]),
        torch.tensor([0.5, 0.6]),
        torch.zeros(0),
    )
    assert [all_alike(target, None) for target in alike] == [True] * len(alike)
    assert [all_alike(target, None) for target in different] == [False] * len(different)


def test_shapes_that_change_become_one_column() -> None:
    statistics, parts = TargetStatistics(), [draw(20, 3), draw(20, 5) + 1, draw(20, 3)]
    for part in parts:
        statistics.add(part, tuple(part.shape))
    values = torch.cat([part.flatten() for part in parts]).double()
    assert statistics.loss_of_guessing(SQUARED_ERROR, "mean") == pytest.approx(
        float(values.var(unbiased=False))
    )
    assert statistics.facts()["target_std"] == pytest.approx(float(values.std(unbiased=False)))


def test_huge_targets_are_sampled_and_not_copied() -> None:
    labels = (torch.arange(1000) % 10).expand(10**6, 1000).T  # 1e9 numbers, not contiguous
    tracemalloc.start()
    statistics = TargetStatistics()
    statistics.add(labels.reshape(1000, 1000, 1000), (1000, 10, 1000, 1000))
    assert statistics.facts()["classes"] == 10
    assert statistics.loss_of_guessing(CROSS_ENTROPY, "mean") == pytest.approx(2.302585, abs=1e-2)
    classes = (torch.arange(2 * 10**6) % 10)[:, None].expand(-1, 500)
    flat = TargetStatistics()
    flat.add(classes[:, 0], (2 * 10**6, 10))
    assert flat.loss_of_guessing(CROSS_ENTROPY, "mean") == pytest.approx(2.302585, abs=1e-3)
    numbers = TargetStatistics()
    numbers.add(torch.ones(1, 1).expand(10**5, 10**4), (10**5, 10**4))
    assert numbers.facts()["target_mean"] == 1
    assert numbers.loss_of_guessing(SQUARED_ERROR, "mean") == 0
    assert tracemalloc.get_traced_memory()[1] < 10**6
    tracemalloc.stop()


def test_a_large_vocabulary_in_bounded_memory() -> None:
    statistics, draws = TargetStatistics(), torch.Generator().manual_seed(0)
    tokens = (torch.rand(40, 60_000, generator=draws).square() * 250_000).long()
    for part in tokens:
        statistics.add(part, (60_000, 250_000))
    share = torch.bincount(tokens.flatten()).double() / tokens.numel()
    expected = -float(torch.xlogy(share, share).sum())
    assert statistics.loss_of_guessing(CROSS_ENTROPY, "mean") == pytest.approx(expected)
    few = TargetStatistics()  # of too few tokens the entropy would be far too low
    few.add(tokens[0], (60_000, 250_000))
    assert few.loss_of_guessing(CROSS_ENTROPY, "mean") is None


def test_nothing_of_the_program_is_changed() -> None:
    target, weights = draw(300, 3).requires_grad_(), draw(300, 3)
    state, statistics = torch.get_rng_state(), TargetStatistics()
    with torch.inference_mode():
        inside = draw(300, 3)
        statistics.add(inside)
    statistics.add(target)
    statistics.add(weights)
    assert torch.equal(state, torch.get_rng_state())
    assert target.grad is None
    assert not statistics._moments.mean.requires_grad
    assert statistics.loss_of_guessing(SQUARED_ERROR, "mean") == pytest.approx(
        float(weights.double().var(0, unbiased=False).mean())
    )


def test_subclasses_that_only_add_attributes_are_read() -> None:
    class Labels(Tensor):
        pass

    target = SKEWED.as_subclass(Labels)
    statistics = TargetStatistics()
    statistics.add(target, (400, 4))
    assert statistics.facts()["classes"] == 4
    assert classes_in(target, None) == 4


def test_targets_of_another_kind_are_left_out() -> None:
    statistics = statistics_of(SKEWED, (400, 4))
    statistics.add(draw(400), (400,))
    assert statistics.facts() == CLASSES_OF_4


@pytest.mark.parametrize(
    ("numbers", "ignored"),
    [
        ([0, 1, 2, 1], None),
        ([2, 2, -100], None),
        ([-100, -100], None),
        ([255, 3, 255], 255),
        ([5, 5], None),
    ],
)
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32], ids=str)
def test_few_class_numbers_are_read_as_many_are(
    numbers: list[int], ignored: int | None, dtype: torch.dtype
) -> None:
    target = torch.tensor(numbers, dtype=dtype)
    few = few_class_numbers(target, ignored)
    assert few == (
        pytest.approx(share_ignored(target, ignored)),
        all_alike(target, ignored),
        classes_in(target, ignored),
    )


def test_few_class_numbers_are_of_one_axis() -> None:
    for target in (torch.rand(4), torch.zeros(4, 2).long(), torch.tensor(3), torch.tensor([3])):
        assert few_class_numbers(target, None) is None
    assert few_class_numbers(torch.zeros(100_000).long(), None) is None


def test_shares_are_in_the_order_of_class_numbers_that_need_not_follow_each_other() -> None:
    statistics = TargetStatistics()
    statistics.add(torch.tensor([2, 2, 2, 5] * 10), (40, 6))
    assert statistics.class_shares() == (0, 0, 0.75, 0, 0, 0.25)
    words = TargetStatistics()
    words.add(torch.tensor([3, 3, 400, 401] * 10), (40, 500))
    assert words.class_shares() is None
