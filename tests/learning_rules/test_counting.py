"""Operations of gradients against counting by brute force."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
import torch

import netwise as nw


class Counted(float):
    """A number that counts the multiplications it takes part in."""

    count = 0

    def __mul__(self, other: float) -> Counted:
        Counted.count += 1
        return Counted(float(self) * float(other))


@pytest.mark.parametrize("widths", [(2, 1), (2, 3, 1), (2, 3, 2), (2, 2, 3, 2), (3, 2, 2, 2, 1)])
def test_the_counts_of_operations_are_those_of_doing_it(widths: tuple[int, ...]) -> None:
    g = torch.Generator().manual_seed(0)
    edges = [
        [[Counted(v) for v in row] for row in torch.randn(a, b, generator=g).tolist()]
        for a, b in pairwise(widths)
    ]
    slopes = [[Counted(v) for v in torch.rand(b, generator=g).tolist()] for b in widths[1:]]
    values = [[Counted(v) for v in torch.rand(a, generator=g).tolist()] for a in widths[:-1]]
    layers = len(edges)

    def by_paths() -> list[float]:
        found = []
        for layer in range(layers):
            for i, j in product(range(widths[layer]), range(widths[layer + 1])):
                total = 0.0
                for path in product(*(range(width) for width in widths[layer + 2 :])):
                    term, at = values[layer][i] * slopes[layer][j], j
                    for k, unit in enumerate(path, start=layer + 1):
                        term = term * edges[k][at][unit] * slopes[k][unit]
                        at = unit
                    total += term
                found.append(total)
        return found

    def forward() -> list[float]:
        found = []
        for layer in range(layers):
            for i, j in product(range(widths[layer]), range(widths[layer + 1])):
                moving: dict[int, Counted] = {j: values[layer][i] * slopes[layer][j]}
                for k in range(layer + 1, layers):
                    sums = [
                        sum(edges[k][unit][out] * d for unit, d in moving.items())
                        for out in range(widths[k + 1])
                    ]
                    moving = {
                        out: Counted(total) * slopes[k][out] for out, total in enumerate(sums)
                    }
                found.append(float(sum(moving.values())))
        return found

    def backward() -> list[float]:
        found: list[list[float]] = []
        error = [Counted(1.0)] * widths[-1]
        for k in reversed(range(layers)):
            delta = [error[j] * slopes[k][j] for j in range(widths[k + 1])]
            found.insert(
                0,
                [
                    float(values[k][i] * delta[j])
                    for i in range(widths[k])
                    for j in range(widths[k + 1])
                ],
            )
            if k:
                error = [
                    Counted(sum(edges[k][i][j] * delta[j] for j in range(widths[k + 1])))
                    for i in range(widths[k])
                ]
        return [value for row in found for value in row]

    told = nw.learning_rules.count_operations(widths)
    answers = []
    for way, expected in (
        (by_paths, told.paths),
        (forward, told.forward),
        (backward, told.backward),
    ):
        Counted.count = 0
        answers.append(way())
        assert Counted.count == expected, way.__name__
    assert answers[0] == pytest.approx(answers[1])
    assert answers[0] == pytest.approx(answers[2])


def test_backward_wins_by_more_with_every_layer() -> None:
    deep = nw.learning_rules.count_operations((100, *[100] * 6, 1))
    assert deep.backward < deep.forward / 1000 < deep.paths / 1e6
    with pytest.raises(ValueError, match="at least two numbers"):
        nw.learning_rules.count_operations((3,))
