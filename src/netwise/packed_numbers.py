"""Long sequences of numbers in eight bytes each, where a tuple of floats needs 32."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar, overload

Number = TypeVar("Number", int, float)


class PackedNumbers(Sequence[Number]):
    """A sequence of numbers that does not change, and is equal to a tuple of the same numbers.

    Args:
        numbers: as an array of whole numbers or floats. It is not copied.

    Example:
        >>> from array import array
        >>> values = PackedNumbers(array("d", [2.3, 2.1, 1.9]))
        >>> values, values[-2:], values == (2.3, 2.1, 1.9)
        ((2.3, 2.1, 1.9), (2.1, 1.9), True)
    """

    __slots__ = ("_numbers",)

    def __init__(self, numbers: array[Number]) -> None:
        self._numbers: array[Any] = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[Number]:
        return iter(self._numbers)

    @overload
    def __getitem__(self, place: int) -> Number: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Number, ...]: ...
    def __getitem__(self, place: int | slice) -> Number | tuple[Number, ...]:
        found = self._numbers[place]
        return tuple(found) if isinstance(found, array) else found

    def __add__(self, other: Iterable[Number]) -> tuple[Number, ...]:
        return tuple(self) + tuple(other)

    def __radd__(self, other: Iterable[Number]) -> tuple[Number, ...]:
        return tuple(other) + tuple(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, PackedNumbers):
            return bool(self._numbers == other._numbers)
        return tuple(self) == other if isinstance(other, tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return PackedNumbers, (self._numbers,)
