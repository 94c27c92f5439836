"""Which samples a loss of distances draws together and which it pushes apart, beside how far they
are from each other by their inputs."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from netwise.observe.readable import readable

MOST_CALLS = 4  # of one step
LOOKS = 3  # steps after which a module that is called once is left alone
MOST_ROWS = 64  # of a call that are read
MOST_NUMBERS = 4096  # of a row
MOST_PAIRS, LAST = 6000, 1500  # that are kept, and of the latest ones
FEWEST_ROWS = 4
ALONG = 0.99  # cosine of a gradient along the difference of two outputs
FEWEST = 100  # pairs of each kind


@dataclass
class _Call:
    inputs: Tensor
    outputs: Tensor
    gradient: Tensor | None = None


@dataclass(frozen=True)
class PairOrder:
    """How pairs that are drawn together lie beside those that are pushed apart.

    Args:
        nearer_inputs: the probability that one of the former is nearer by its inputs than one of
            the latter; 0.5 at random.
        nearer_outputs: the same of outputs, at the end.
    """

    nearer_inputs: float
    nearer_outputs: float


class PairForces:
    """Reads the calls of one module in each step, where there are several.

    A loss that draws two outputs together has a gradient along their difference.

    Example:
        >>> forces, layer = PairForces(), torch.nn.Linear(3, 3)
        >>> for _ in range(4):
        ...     x = torch.randn(64, 3)
        ...     like, unlike = x + 0.1 * torch.randn(64, 3), torch.randn(64, 3)
        ...     outputs = [layer(each) for each in (x, like, unlike)]
        ...     for each, output in zip((x, like, unlike), outputs):
        ...         forces.called([each], [output])
        ...     torch.nn.functional.triplet_margin_loss(*outputs, margin=9.0).backward()
        ...     forces.step()
        >>> forces.pairs.nearer_inputs > 0.9
        True
    """

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._steps, self._several = 0, False
        self._pairs: list[tuple[float, bool]] = []
        self._late: deque[tuple[float, bool]] = deque(maxlen=LAST)

    def called(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        """A pass of training has ended."""
        if self._steps >= LOOKS and not self._several:
            return
        given = next((t for t in inputs if t.is_floating_point() and t.dim() > 1), None)
        answer = outputs[0] if outputs else None
        if given is None or answer is None or answer.grad_fn is None or answer.dim() != 2:
            return
        if len(given) != len(answer) or len(answer) < FEWEST_ROWS or answer.shape[1] < 2:
            return
        rows, values = readable(given), readable(answer)
        if rows is None or values is None or len(self._calls) >= MOST_CALLS:
            return
        call = _Call(_few_numbers(rows), values[:MOST_ROWS].float())
        self._calls.append(call)
        node, place = answer.grad_fn, answer.output_nr

        def read(gradients: tuple[Tensor | None, ...]) -> None:
            gradient = gradients[place] if place < len(gradients) else None
            known = None if gradient is None else readable(gradient)
            if known is not None and known.shape == answer_shape:
                call.gradient = known[:MOST_ROWS].float()

        answer_shape = answer.shape
        node.register_prehook(read)  # it gives nothing back, and lives as long as the graph

    def step(self) -> None:
        """An optimizer has stepped."""
        calls, self._calls = [c for c in self._calls if c.gradient is not None], []
        self._steps += 1
        if len(calls) < 2 or len({c.outputs.shape for c in calls}) > 1:
            return
        self._several = True
        for place, one in enumerate(calls):
            for other in calls[place + 1 :]:
                if len(self._pairs) < MOST_PAIRS and one.inputs.shape == other.inputs.shape:
                    self._add(one, other)

    def _add(self, one: _Call, other: _Call) -> None:
        way = other.outputs - one.outputs
        assert one.gradient is not None
        assert other.gradient is not None
        cosines = torch.stack([_cosine(-one.gradient, way), _cosine(-other.gradient, -way)])
        # Of a triplet the gradient of the first sample is a sum; that of the others is not.
        strongest = cosines.gather(0, cosines.abs().argmax(0)[None])[0]
        chosen = strongest.abs() > ALONG
        apart, drawn = (one.inputs - other.inputs).norm(dim=1)[chosen], strongest[chosen] > 0
        for distance, length, together in zip(
            apart.tolist(), way.norm(dim=1)[chosen].tolist(), drawn.tolist(), strict=True
        ):
            self._pairs.append((distance, together))
            self._late.append((length, together))

    @property
    def pairs(self) -> PairOrder | None:
        """What is known of the pairs; None where they are few, or of one kind."""
        parts = [_nearer(self._pairs), _nearer(list(self._late)[-LAST // 2 :])]
        inputs, outputs = parts
        return None if inputs is None or outputs is None else PairOrder(inputs, outputs)


def _few_numbers(rows: Tensor) -> Tensor:
    """A copy of some numbers of some rows: the inputs themselves are not kept."""
    chosen = rows[:MOST_ROWS].detach().flatten(1)
    return chosen[:, :: -(-chosen.shape[1] // MOST_NUMBERS)].float().clone()


def _cosine(one: Tensor, other: Tensor) -> Tensor:
    sizes = one.norm(dim=1) * other.norm(dim=1)
    cosines: Tensor = (one * other).sum(1) / sizes.clamp(min=1e-30)
    return cosines


def _nearer(pairs: Sequence[tuple[float, bool]]) -> float | None:
    """The probability that a pair that is drawn together is nearer than one that is not."""
    drawn = torch.tensor([distance for distance, together in pairs if together])
    pushed = torch.tensor([distance for distance, together in pairs if not together])
    if min(len(drawn), len(pushed)) < FEWEST:
        return None
    places = torch.searchsorted(drawn.sort().values, pushed)
    return float(places.float().mean() / len(drawn))
