"""Whether gradients go through a layer of a training pass."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class CallRecord:
    """One call of a layer in a training pass: whether gradients come in and go out."""

    layer: str
    takes: bool
    gives: bool
    has_weights: bool
