"""L71: what Hebb's rule and the delta rule learn in one layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.learning_rules import delta, hebb, oja
from netwise.part import integer, number
from netwise.report.pictures.drawing import COLOURS, figure, svg

# Inputs of -1 and 1, and a constant input of 1: its weight is the bias.
INPUTS = torch.tensor([[-1, -1, 1], [-1, 1, 1], [1, -1, 1], [1, 1, 1]], dtype=torch.float64)
TARGETS = {
    name: torch.tensor(values, dtype=torch.float64)[:, None]
    for name, values in {"AND": [-1, -1, -1, 1], "OR": [-1, 1, 1, 1], "XOR": [-1, 1, 1, -1]}.items()
}
STEPS = 1000  # of Hebb's and Oja's rules

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class RuleSettings(LabSettings):
    """What can be varied in L71.

    Args:
        rate: the learning rate. Default 0.1.
        epochs: passes of the delta rule over the four samples. Default 1000.
    """

    rate: float = number(0.1, above=0, most=1000, because="a step of 0 changes nothing")
    epochs: int = integer(1000, least=2, most=100_000, because="it counts passes")


def decide(w: Tensor, x: Tensor) -> Tensor:
    """Outputs of a layer of thresholds: 1 where w x is above 0, else -1."""
    return torch.where(x @ w.T > 0, 1.0, -1.0).double()


def learn_by_delta(target: Tensor, rate: float, epochs: int) -> tuple[list[int], list[Tensor]]:
    """(samples that are right, weights) before each pass and after the last, from weights of 0."""
    w = torch.zeros(1, 3, dtype=torch.float64)
    right, weights = [], []
    for _ in range(epochs + 1):
        y = decide(w, INPUTS)
        right.append(int((y == target).sum()))
        weights.append(w)
        w = delta(w, INPUTS, target, y, rate)
    return right, weights


def most_right_on_grid(target: Tensor) -> int:
    """The most of the four samples that one layer has right with any weights from -10 to 10 in
    whole numbers."""
    grid = torch.arange(-10, 11, dtype=torch.float64)
    right = decide(torch.cartesian_prod(grid, grid, grid), INPUTS) == target
    return int(right.sum(0).max())


def signs_of_hebb(rate: float) -> float:
    """The share of the four pairs (x, y) of -1 and 1 after which a weight has grown where both are
    equal, and shrunk where they differ."""
    agree = 0
    for x, y in product((-1.0, 1.0), repeat=2):
        change = hebb(torch.zeros(1, 1), torch.tensor([[x]]), torch.tensor([[y]]), rate)
        agree += float(change.sign()) == x * y
    return agree / 4


def lengths_of_weights(rate: float) -> tuple[float, float]:
    """The lengths of the weights after 1,000 steps of Hebb's rule, y = w x, and of Oja's."""
    x = INPUTS[:, :2] * torch.tensor([1.0, 0.5], dtype=torch.float64)
    by_hebb = by_oja = torch.full((1, 2), 0.1, dtype=torch.float64)
    for _ in range(STEPS):
        if float(by_hebb.norm()) < 1e100:
            by_hebb = hebb(by_hebb, x, x @ by_hebb.T, rate)
        by_oja = oja(by_oja, x, rate)
    return float(by_hebb.norm()), float(by_oja.norm())


def gradient_differences() -> tuple[float, float]:
    """The largest differences of a step of the delta rule, with sigmoid outputs, from a step down
    the gradient of the cross-entropy and from one down that of the squared error / 2."""
    target = (TARGETS["OR"] + 1) / 2
    w = torch.tensor([[2.0, -1.0, 0.5]], dtype=torch.float64, requires_grad=True)
    y = torch.sigmoid(INPUTS @ w.T)
    step = delta(w, INPUTS, target, y, 1.0) - w
    entropy = torch.nn.functional.binary_cross_entropy(y, target)
    squares = (y - target).square().mean() / 2
    down = [-torch.autograd.grad(cost, w, retain_graph=True)[0] for cost in (entropy, squares)]
    return float((step - down[0]).detach().abs().max()), float(
        (step - down[1]).detach().abs().max()
    )


def rule_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    signs = numbers["Hebb: share of the pairs with the sign of x y"]
    solved = max(numbers[f"{name}: passes until all are right"] for name in ("AND", "OR"))
    still = numbers["AND, OR: largest change of a weight after that"]
    xor = numbers["XOR: most samples that were ever right"]
    hebbian, oja_length = (numbers[f"{name}: length of the weights"] for name in ("Hebb", "Oja"))
    entropy = numbers["delta rule - gradient of cross-entropy, largest"]
    squares = numbers["delta rule - gradient of squared error, largest"]
    return (
        Criterion("Hebb's weight grows where x = y, and shrinks where x = -y", signs, signs == 1),
        Criterion("the delta rule learns AND and OR in at most 20 passes", solved, solved <= 20),
        Criterion("it changes no weight once all outputs are right", still, still == 0),
        Criterion("one layer never has more than 3 of the 4 samples of XOR right", xor, xor <= 3),
        Criterion(
            "Hebb's weights grow without limit: beyond 1,000 times the length of Oja's in 1,000 "
            "steps (ratio)",
            min(hebbian / oja_length, 1e9),
            hebbian > 1000 * oja_length,
            part_of_claim=False,
        ),
        Criterion(
            "with sigmoid outputs the delta rule is gradient descent on the cross-entropy "
            "(largest difference)",
            entropy,
            entropy < 1e-12,
            part_of_claim=False,
        ),
        Criterion(
            "it is gradient descent on the squared error too (largest difference)",
            squares,
            squares < 1e-12,
            part_of_claim=False,
        ),
    )


def run_l71(settings: RuleSettings) -> LabResult:
    learned = {
        name: learn_by_delta(target, settings.rate, settings.epochs)
        for name, target in TARGETS.items()
    }
    numbers = {"Hebb: share of the pairs with the sign of x y": signs_of_hebb(settings.rate)}
    changes = [0.0]
    for name in ("AND", "OR"):
        right, weights = learned[name]
        done = right.index(4) if 4 in right else settings.epochs
        numbers[f"{name}: passes until all are right"] = float(done)
        changes += [float((w - weights[done]).abs().max()) for w in weights[done:]]
    numbers["AND, OR: largest change of a weight after that"] = max(changes)
    numbers["XOR: most samples that were ever right"] = float(
        max(*learned["XOR"][0], most_right_on_grid(TARGETS["XOR"]))
    )
    hebbian, oja_length = lengths_of_weights(settings.rate)
    numbers["Hebb: length of the weights"] = min(hebbian, 1e9)
    numbers["Oja: length of the weights"] = oja_length
    entropy, squares = gradient_differences()
    numbers["delta rule - gradient of cross-entropy, largest"] = entropy
    numbers["delta rule - gradient of squared error, largest"] = squares
    picture = _right_by_pass({name: right for name, (right, _) in learned.items()})
    return LabResult(numbers, rule_criteria(numbers), picture)


def _right_by_pass(right: Mapping[str, list[int]], shown: int = 10) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for i, ((name, counts), colour) in enumerate(zip(right.items(), COLOURS, strict=False)):
            # Curves that coincide are drawn side by side.
            values = [count + 0.05 * (i - 1) for count in counts[: shown + 1]]
            axis.plot(values, "o-", color=colour, label=name, markersize=3)
        axis.set_xticks(range(shown + 1))
        axis.set_ylim(-0.2, 4.4)
        axis.set_title("Delta rule, one layer of thresholds")
        axis.set_xlabel("pass over the four samples")
        axis.set_ylabel("samples that are right")
        axis.legend(loc="lower right")
        return svg(drawing, "Samples that are right by pass")


L71 = Lab("L71", lab_texts()["L71"], run_l71, RuleSettings(), stops=("rate", (0.01, 0.1, 1.0)))
