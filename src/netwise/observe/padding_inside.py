"""Symbols that an embedding takes for padding and that stand between others: words of the text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

Call = Callable[[Any, Any], list[Tensor]]


def padding_inside(module: nn.Module, call: Call, args: Any, kwargs: Any) -> tuple[str, float]:
    """The embedding whose padding symbol stands between other symbols, and the share of the rows
    in which it does; ("", 0) without one.

    Args:
        module: a copy that `call` calls.
        call: gives its outputs.
        args, kwargs: of one call.

    Example:
        >>> import torch
        >>> table = nn.Embedding(5, 2, padding_idx=0)
        >>> rows = torch.tensor([[3, 0, 2, 1], [4, 2, 1, 0]])  # in the first row 0 is a word
        >>> padding_inside(table, lambda args, kwargs: [table(*args)], (rows,), {})
        ('Embedding', 0.5)
    """
    found: dict[str, float] = {}

    def note(name: str, symbol: int) -> Callable[..., None]:
        def begins(layer: nn.Module, given: Any) -> None:
            if given and isinstance(given[0], Tensor) and given[0].dim() == 2:
                found[name] = max(found.get(name, 0.0), _share(given[0], symbol))

        return begins

    handles = [
        layer.register_forward_pre_hook(note(name or type(layer).__name__, layer.padding_idx))
        for name, layer in module.named_modules()
        if isinstance(layer, nn.Embedding) and layer.padding_idx is not None
    ]
    if not handles:
        return "", 0.0
    try:
        call(args, kwargs)
    finally:
        for handle in handles:
            handle.remove()
    name = max(found, key=lambda each: found[each], default="")
    return (name, found[name]) if name and found[name] else ("", 0.0)


def _share(rows: Tensor, symbol: int) -> float:
    """Of the rows (samples, places) with the symbol between two others."""
    others = rows != symbol
    before = others.cumsum(1) > 0
    behind = others.flip(1).cumsum(1).flip(1) > 0
    return float((~others & before & behind).any(1).float().mean()) if len(rows) else 0.0
