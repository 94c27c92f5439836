"""What ended a training program with an error, and where. Rules read it without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

# Values of `ProgramError.stage`.
FORWARD = "forward pass"
LOSS = "loss"
BACKWARD = "backward pass"
STEP = "optimizer's step"
DATA = "data"
ELSEWHERE = ""


@dataclass(frozen=True)
class ProgramError:
    """An error that ended a program, or its training.

    Args:
        kind: class of the error, such as "RuntimeError".
        message: its text.
        place: file and line of the innermost code of the program, such as "train.py:31".
        code: the statement there, in one line.
        stage: `FORWARD`, `LOSS`, `BACKWARD`, `STEP`, `DATA`, or `ELSEWHERE`.
        layer: name of the innermost module whose forward pass raised it, such as "encoder.fc1".
        layer_text: that module as torch prints it, such as "Linear(in_features=8, out_features=3)".
        inputs: shapes of the tensors that it got.
        tensors: names of the tensors in the statement, each with shape and type, such as
            {"y": "64 x 1 float32"}.
        trainable, frozen: numbers of parameters in sight of the statement that require a gradient,
            and that do not.
        outputs_have_graph: whether a tensor in sight has a graph that leads to weights.
        cuts: places that end a graph, as "train.py:9: .detach()", the nearest last.

    Example:
        >>> from netwise.program_error import ProgramError
        >>> ProgramError("ValueError", "too many values", place="train.py:3").stage
        ''
    """

    kind: str
    message: str
    place: str = ""
    code: str = ""
    stage: str = ELSEWHERE
    layer: str = ""
    layer_text: str = ""
    inputs: tuple[tuple[int, ...], ...] = ()
    tensors: Mapping[str, str] = field(default_factory=dict)
    trainable: int = 0
    frozen: int = 0
    outputs_have_graph: bool = False
    cuts: tuple[str, ...] = ()


def program_error_as_dict(error: ProgramError) -> dict[str, Any]:
    """All fields as plain values for a JSON file."""
    return {**asdict(error), "tensors": dict(error.tensors)}
