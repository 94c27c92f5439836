"""Views that give an axis the place of another one without moving its numbers: `view` and `reshape`
where `permute` or `transpose` is meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor

from netwise.observe.operations import Operation

VIEWS = ("view", "reshape", "_unsafe_view", "view_as", "reshape_as")
SMALLEST = 3  # axes of one or two numbers have the size of many others


def scrambled_view(operations: Iterable[Operation]) -> tuple[str, str]:
    """The first view of the program that scrambles the axes within a sample, such as "view from
    (40, 10, 4) to (40, 4, 10)", and its line; ("", "") without one."""
    for each in operations:
        if each.name not in VIEWS or not each.inputs or not each.line:
            continue
        source = each.inputs[0]
        before, after = tuple(source.shape), tuple(each.output.shape)
        if jumps(before, after) and not _is_shifted(source):
            return f"{each.name} from {before} to {after}", each.line
    return "", ""


def jumps(before: Sequence[int], after: Sequence[int]) -> bool:
    """Whether an axis is found again behind others than it was: then its places are no longer
    those of one index. A view that splits or joins neighbours leaves all axes where they are.

    >>> jumps((40, 10, 4), (40, 4, 10)), jumps((40, 4, 16, 8), (40, 16, 32))
    (True, True)
    >>> jumps((40, 16, 4, 8), (40, 16, 32)), jumps((40, 10, 4), (400, 4))
    (False, False)
    """
    old, new = _places(before), _places(after)
    for size, behind in old:
        if size < SMALLEST or sum(other == size for other in before) > 1:
            continue
        if (size, behind) in new:
            continue
        if any(other == size for other, _ in new):
            return True
    return False


def _places(shape: Sequence[int]) -> list[tuple[int, int]]:
    """The size of each axis, and how many rows the axes before it make."""
    found, rows = [], 1
    for size in shape:
        found.append((size, rows))
        rows *= size
    return [(size, behind) for size, behind in found if size > 1]


def _is_shifted(source: Tensor) -> bool:
    """Whether zeros were put before the first or behind the last place of an axis: a view then
    shifts each row by one place more, as relative positions do it."""
    for axis, size in enumerate(source.shape):
        if size > 1 and any(not source.select(axis, place).any() for place in (0, size - 1)):
            return True
    return False
