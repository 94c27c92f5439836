"""Masks of attention that hide the symbols of a sequence and leave its padding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from netwise.observe.nested import tensors_in
from netwise.observe.operations import Operation, traced

FEWEST_PLACES = 3  # of a sequence
NEARLY_ALL = 0.99  # of the places; an added first symbol may be left in by hand
OF_TORCH = "multi_head_attention_forward"  # True, or minus infinity: the place is left out
OF_PRODUCT = "scaled_dot_product_attention"  # True: the place takes part


def inverted_mask(
    module: nn.Module, call: Callable[[Any, Any], object], args: Any, kwargs: Any
) -> str | None:
    """The layer of the first attention whose mask leaves out all symbols of the inputs and none of
    their padding: masks of `nn.MultiheadAttention` are true where a place is left out, those of
    `F.scaled_dot_product_attention` where it takes part.

    Args:
        module: the copy that `call` calls.
        call: runs the forward pass in evaluation mode.
        args, kwargs: of one call.

    Returns:
        "" where masks are right; None where no attention has a mask of padding.

    Example:
        >>> attention = nn.MultiheadAttention(4, 1, batch_first=True)
        >>> ids = torch.tensor([[3, 5, 0, 0], [2, 4, 6, 0]])
        >>> class Net(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.symbols, self.attention = nn.Embedding(9, 4, padding_idx=0), attention
        ...
        ...     def forward(self, ids):
        ...         x = self.symbols(ids)
        ...         return self.attention(x, x, x, key_padding_mask=ids != 0)[0]
        >>> net = Net().eval()
        >>> inverted_mask(net, lambda args, kwargs: net(*args), (ids,), {})
        'attention'
    """
    paddings = list(_paddings(module, list(tensors_in((args, kwargs)))))
    if not paddings:
        return None
    with _without_fast_path(), torch.no_grad():
        operations = traced(module, call, (args, kwargs))
    answer = None
    for operation in operations:
        hidden = _hidden(operation)
        for padding in paddings if hidden is not None else ():
            share = _agreement(hidden, ~padding)
            if share is not None and share >= NEARLY_ALL:
                return operation.layer or "forward"
            answer = "" if share is not None else answer
    return answer


def _paddings(module: nn.Module, inputs: Sequence[Tensor]) -> Iterator[Tensor]:
    """Where padding stands in inputs of symbols: runs of one symbol at the ends of rows."""
    known = {
        layer.padding_idx
        for layer in module.modules()
        if isinstance(layer, nn.Embedding) and layer.padding_idx is not None
    }
    for symbols in inputs:
        if symbols.is_floating_point() or symbols.is_complex() or symbols.dtype == torch.bool:
            continue
        if symbols.dim() != 2 or symbols.shape[1] < FEWEST_PLACES:
            continue
        for symbol in known or set(symbols[:, -1].tolist()):
            padding = symbols == symbol
            lengths = padding.sum(1, keepdim=True)
            last = (
                torch.arange(symbols.shape[1], device=symbols.device) >= symbols.shape[1] - lengths
            )
            if bool((padding == last).all()) and 0 < int(lengths.sum()) < padding.numel():
                yield padding


def _hidden(operation: Operation) -> Tensor | None:
    """The places that an attention leaves out (samples, places); None without such a mask."""
    if operation.name == OF_TORCH:
        mask = operation.kwargs.get("key_padding_mask")
        if not isinstance(mask, Tensor):
            return None
        return mask == float("-inf") if mask.is_floating_point() else mask.bool()
    if operation.name != OF_PRODUCT:
        return None
    mask = operation.kwargs.get("attn_mask", (*operation.args, None, None, None, None)[3])
    if not isinstance(mask, Tensor) or mask.dim() != 4 or 1 not in mask.shape[1:3]:
        return None
    taken = mask[:, 0, 0] > float("-inf") if mask.is_floating_point() else mask[:, 0, 0]
    return ~taken


def _agreement(hidden: Tensor | None, places: Tensor) -> float | None:
    """The share of places at which a mask hides these; the mask may have further places before or
    behind them. None for other shapes."""
    if hidden is None or hidden.dim() != 2 or hidden.shape[0] != places.shape[0]:
        return None
    more = hidden.shape[1] - places.shape[1]
    if more < 0:
        return None
    ends = (hidden[:, more:], hidden[:, : places.shape[1]])
    return max(float((end == places).float().mean()) for end in ends)


@contextmanager
def _without_fast_path() -> Iterator[None]:
    """Encoders of torch that run in Python, where their attention can be seen."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
