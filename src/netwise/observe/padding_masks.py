"""Masks of padding that attention gets, compared with the symbols of the inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from netwise.observe.nested import tensors_in
from netwise.observe.operations import Operation

OF_FUNCTION = "attn_mask"
FEWEST_LENGTHS = 2  # of different sequences, from which padding is told from other symbols


def inverted_mask(
    module: nn.Module,
    call: Callable[[Any, Any], object],
    args: Any,
    kwargs: Any,
    operations: Sequence[Operation] = (),
) -> str:
    """The argument of an attention that leaves out all symbols and keeps the padding, such as
    "encoder: src_key_padding_mask"; "" without one.

    Layers of torch leave out the places at which a mask is True, and its function
    `scaled_dot_product_attention` those at which it is False.

    Args:
        module: the copy that `call` calls.
        call: runs the forward pass.
        args, kwargs: the inputs.
        operations: of a forward pass, for masks of the function.

    Example:
        >>> attention = nn.MultiheadAttention(4, 1, batch_first=True)
        >>> class Net(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.emb, self.att = nn.Embedding(5, 4), attention
        ...     def forward(self, x):
        ...         h = self.emb(x)
        ...         return self.att(h, h, h, key_padding_mask=x != 0)[0]
        >>> x, net = torch.tensor([[1, 2, 0], [3, 0, 0]]), Net()
        >>> inverted_mask(net, lambda args, kwargs: net(*args), (x,), {})
        'att: key_padding_mask'
    """
    tokens = [t for t in tensors_in((args, kwargs)) if _is_symbols(t)]
    padded = [pads for t in tokens if (pads := padding_of(t)) is not None]
    for operation in operations if padded else ():
        kept = _kept_by_function(operation)
        if kept is not None and _leaves_out_symbols(~kept, padded):
            return f"{operation.layer or 'forward'}: {OF_FUNCTION}"
    if not padded or not any(_attends(part) for part in module.modules()):
        return ""
    seen: list[str] = []

    def note(name: str) -> Callable[..., None]:
        def begins(part: nn.Module, args: Any, kwargs: Any) -> None:
            for key, value in kwargs.items():
                if "padding_mask" in key and isinstance(value, Tensor):
                    left_out = value if value.dtype == torch.bool else value == float("-inf")
                    if _leaves_out_symbols(left_out, padded):
                        seen.append(f"{name}: {key}")

        return begins

    handles = [
        part.register_forward_pre_hook(note(name), with_kwargs=True)
        for name, part in module.named_modules()
        if name and _attends(part)
    ]
    try:
        call(args, kwargs)
    finally:
        for handle in handles:
            handle.remove()
    return seen[0] if seen else ""


def _leaves_out_symbols(left_out: Tensor, padded: Sequence[Tensor]) -> bool:
    """Whether a mask (samples, places) leaves out all symbols of inputs and none of their padding;
    it may have a few further places before or behind them, as of a first symbol that is learned."""
    for pads in padded:
        if left_out.dim() != 2 or left_out.shape[0] != pads.shape[0]:
            continue
        more, places = left_out.shape[1] - pads.shape[1], pads.shape[1]
        if 0 <= more < places and any(
            bool((end == ~pads).all()) for end in (left_out[:, more:], left_out[:, :places])
        ):
            return True
    return False


def _kept_by_function(operation: Operation) -> Tensor | None:
    """The places (samples, places) that take part in `scaled_dot_product_attention`; None for
    other operations, and for masks that differ between queries."""
    if operation.name != "scaled_dot_product_attention":
        return None
    mask = operation.kwargs.get(OF_FUNCTION, (*operation.args, None, None, None, None)[3])
    if not isinstance(mask, Tensor) or mask.dim() != 4 or mask.shape[1:3] != (1, 1):
        return None
    return mask[:, 0, 0] if mask.dtype == torch.bool else mask[:, 0, 0] > float("-inf")


def _attends(part: nn.Module) -> bool:
    kind = type(part).__name__
    return "Attention" in kind or "Transformer" in kind


def _is_symbols(tensor: Tensor) -> bool:
    whole = not tensor.is_floating_point() and not tensor.is_complex()
    return whole and tensor.dtype != torch.bool and tensor.dim() == 2 and min(tensor.shape) > 1


def padding_of(symbols: Tensor) -> Tensor | None:
    """Where sequences are padded with a symbol that is found at their ends, or at their beginnings,
    and nowhere else; None where no symbol is."""
    for turned in (symbols, symbols.flip(1)):
        last: Sequence[int] = turned[:, -1].tolist()
        pads = turned == max(set(last), key=list(last).count)
        behind = pads.flip(1).cummin(1).values.flip(1)  # up to the end
        lengths = set(behind.sum(1).tolist())
        if bool((pads == behind).all()) and len(lengths) >= FEWEST_LENGTHS and not pads.all():
            return pads if turned is symbols else pads.flip(1)
    return None
