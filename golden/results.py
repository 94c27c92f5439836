"""Runs and reports as digests and exact numbers that two commits can be compared by.

A result is a dictionary of plain values. Its keys are what a comparison names; "parts" has the same
by tensor and by signal, so that a difference can be located.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from golden.names import attribute, public, word

Result = dict[str, Any]


def sha(pieces: Iterable[bytes]) -> str:
    """SHA-256 of all pieces, each with its length, as hex digits."""
    mark = hashlib.sha256()
    for piece in pieces:
        mark.update(struct.pack("<q", len(piece)))
        mark.update(piece)
    return mark.hexdigest()


def exact(value: float | None) -> str | None:
    """A number as text that loses no bit: C99 hex, "nan", "inf"."""
    return None if value is None else float(value).hex()


def exactly(values: Iterable[float | None]) -> list[str | None]:
    return [exact(value) for value in values]


def tensor_bytes(tensor: Tensor) -> bytes:
    """Data type, shape and content, whatever the layout in memory."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    content = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
    return f"{tensor.dtype}{tuple(tensor.shape)}".encode() + content


def of_tensors(tensors: Mapping[str, Tensor]) -> Result:
    """Tensors by name, such as the state of a module."""
    named = {name: tensor_bytes(tensors[name]) for name in sorted(tensors)}
    parts = {name: sha([content])[:8] for name, content in named.items()}
    digest = sha(piece for name in named for piece in (name.encode(), named[name]))
    return {"weights": digest, "parts": {"weights": parts}}


def of_history(history: Any) -> Result:
    """Every value of every signal with its step, and how the run ended. No seconds, no versions."""
    signals: dict[str, list[bytes]] = {}
    for signal, layer in sorted(history.series):
        series = history.series[signal, layer]
        pairs = zip(series.steps, series.values, strict=True)
        content = b"".join(struct.pack("<qd", step, value) for step, value in pairs)
        signals.setdefault(word(signal), []).append(layer.encode() + b"|" + content)
    parts = {signal: sha(contents)[:8] for signal, contents in signals.items()}
    digest = sha(each for name in sorted(signals) for each in (name.encode(), *signals[name]))
    ended = attribute(history, "ended")
    end = [word(attribute(ended, "how")), ended.step]
    return {"history": digest, "ended": end, "parts": {"history": parts}}


def of_findings(report: Any) -> Result:
    """Names of the findings with their consequences inside, and the numbers they rest on."""

    def nested(findings: Iterable[Any]) -> list[Any]:
        return [
            [word(attribute(each, "rule")), *nested(attribute(each, "consequences"))]
            for each in findings
        ]

    def numbers(findings: Iterable[Any]) -> list[Any]:
        return [
            [exactly(one.value for one in each.evidence), *numbers(attribute(each, "consequences"))]
            for each in findings
        ]

    found = attribute(report, "found")
    return {"findings": nested(found), "evidence": numbers(found)}


def of_score(score: Any) -> list[str | None] | None:
    """Value, ends of its interval and number of samples."""
    return None if score is None else exactly((score.value, score.low, score.high, score.samples))


def of_run(run: Any) -> Result:
    """Everything that is compared of a run."""
    weights, history = of_tensors(run.module.state_dict()), of_history(run.history)
    return {
        **weights,
        **history,
        "score": of_score(run.score),
        "recipe": run.recipe.hash,
        **of_findings(public("diagnose")(run)),
        "parts": {**weights["parts"], **history["parts"]},
    }


def of_numbers(values: Any) -> str:
    """A digest of numbers: an array, a tensor, or a sequence of either."""
    if isinstance(values, list | tuple):
        return sha(of_numbers(value).encode() for value in values)
    return sha([tensor_bytes(torch.as_tensor(values))])
