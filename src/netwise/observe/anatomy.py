"""The table of a network's layers before training: shapes, parameters, work, memory, fields; and
where a shape does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from netwise.errors import ShapeError
from netwise.module_modes import evaluation_mode
from netwise.networks import Network
from netwise.observe.receptive_field import WHOLE, Following, size_of, start


@dataclass(frozen=True)
class AnatomyRow:
    """One row of the table: a module without children, as it was called.

    Args:
        name: dotted name in the module.
        kind: its class.
        shape: of its output, without the samples.
        parameters: numbers it learns.
        multiply_adds: for one sample.
        memory: bytes of its output for one sample, as float32; kept until the way back while it
            trains.
        field: pixels of the input that one number of its maps depends on, (height, width); "whole":
            all; None: no maps.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    memory: int = 0
    field: tuple[int, int] | str | None = None


@dataclass(frozen=True)
class Anatomy:
    """The layers of a network in order of use; printing it gives the table.

    Args:
        shape: of one input.
        rows: the rows.
        parameters: numbers the whole network learns.
        output: shape of one output.

    Example:
        >>> import netwise as nw
        >>> print(nw.describe(nw.MLP((64, 30, 10)), (1, 8, 8)))
        layer        kind             output  parameters  multiply-adds  memory
        (input)                       1x8x8
        flatten      FlattenIfNeeded  64               0              0   256 B
        layer1       Linear           30           1,950          1,920   120 B
        activation1  ReLU             30               0              0   120 B
        layer2       Linear           10             310            300    40 B
        sum                                        2,260          2,220   536 B
    """

    shape: tuple[int, ...]
    rows: tuple[AnatomyRow, ...]
    parameters: int
    output: tuple[int, ...] = ()

    @property
    def multiply_adds(self) -> int:
        """Work of one sample's way forward."""
        return sum(organ.multiply_adds for organ in self.rows)

    @property
    def memory(self) -> int:
        """Bytes of all outputs for one sample."""
        return sum(organ.memory for organ in self.rows)

    def __str__(self) -> str:
        seen = any(organ.field not in (None, WHOLE) for organ in self.rows)
        rows = [
            ("layer", "kind", "output", "parameters", "multiply-adds", "memory", "sees"),
            ("(input)", "", _times(self.shape), "", "", "", ""),
        ]
        rows += [
            (
                o.name,
                o.kind,
                _times(o.shape),
                f"{o.parameters:,}",
                f"{o.multiply_adds:,}",
                format_bytes(o.memory),
                _seen(o.field),
            )
            for o in self.rows
        ]
        rows.append(
            (
                "sum",
                "",
                "",
                f"{self.parameters:,}",
                f"{self.multiply_adds:,}",
                format_bytes(self.memory),
                "",
            )
        )
        if not seen:
            rows = [(*row[:-1], "") for row in rows]
        wide = [max(len(row[i]) for row in rows) for i in range(7)]
        left = "<<<>>>>"
        return "\n".join(
            "  ".join(
                f"{cell:{side}{width}}" for cell, side, width in zip(row, left, wide, strict=True)
            ).rstrip()
            for row in rows
        )


def anatomy_as_dict(anatomy: Anatomy) -> dict[str, Any]:
    """An anatomy as plain values.

    Example:
        >>> import netwise as nw
        >>> nw.anatomy_as_dict(nw.describe(nw.MLP((4, 3)), (4,)))["parameters"]
        15
    """
    return {**asdict(anatomy), "multiply_adds": anatomy.multiply_adds, "memory": anatomy.memory}


def format_bytes(count: int) -> str:
    """A number of bytes for people, in units of 1024."""
    if count < 10_000:
        return f"{count:,} B"
    return f"{count / 1024:,.1f} KiB" if count < 10_000 * 1024 else f"{count / 1024**2:,.1f} MiB"


def _seen(field: tuple[int, int] | str | None) -> str:
    if field is None or field == WHOLE:
        return field or ""
    return _times(field)  # type: ignore[arg-type]


def _times(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "1"


def describe(network: Network | nn.Module, shape: Sequence[int]) -> Anatomy:
    """The table of `network` for inputs of `shape` (without the samples). The module is left as it
    was.

    Args:
        network: a network of netwise or any module.
        shape: of one input, such as (1, 28, 28).

    Raises:
        ShapeError: the input does not fit through; the message has the table up to the failing
            layer.

    Example:
        >>> import netwise as nw
        >>> nw.describe(nw.LeNet5(), (1, 28, 28)).multiply_adds
        416520
    """
    if isinstance(network, Network):
        with torch.random.fork_rng():
            return anatomy_of(network.build(), shape)
    return anatomy_of(network, shape)


def anatomy_of(module: nn.Module, shape: Sequence[int], example: Tensor | None = None) -> Anatomy:
    """`describe` for a module, on zeros or on `example` inputs."""
    names = {layer: name or "(network)" for name, layer in module.named_modules()}
    rows: list[AnatomyRow] = []
    entered: list[tuple[nn.Module, tuple[int, ...]]] = []

    def enter(layer: nn.Module, args: tuple[Any, ...]) -> None:
        first = args[0] if args and isinstance(args[0], Tensor) else None
        entered.append((layer, tuple(first.shape[1:]) if first is not None else ()))

    def leave(layer: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        entered.pop()
        first = output[0] if isinstance(output, tuple) else output
        if isinstance(first, Tensor):
            own = sum(p.numel() for p in layer.parameters())
            kept = 4 * first[0].numel() if len(first) else 0
            rows.append(
                AnatomyRow(
                    names[layer],
                    type(layer).__name__,
                    tuple(first.shape[1:]),
                    own,
                    _work(layer, first),
                    kept,
                    size_of(first),
                )
            )

    leaves = [layer for layer in module.modules() if not list(layer.children())]
    handles = [layer.register_forward_pre_hook(enter) for layer in leaves]
    handles += [layer.register_forward_hook(leave) for layer in leaves]
    weight = next(module.parameters(), torch.zeros(0))
    x = torch.zeros(2, *shape) if example is None else example
    if example is None and leaves and isinstance(leaves[0], nn.Embedding):
        x = x.long()  # places in an alphabet
    try:
        with evaluation_mode(module), torch.no_grad(), torch.random.fork_rng(), Following():
            output = module(start(x.to(weight.device, copy=True)))
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        so_far = str(Anatomy(tuple(shape), tuple(rows), sum(o.parameters for o in rows)))
        table = so_far.rsplit("\n", 1)[0]
        raise ShapeError(
            f"The data do not fit through the network.\n{table}\n{_explained(entered, names, error)}"
        ) from None
    finally:
        for handle in handles:
            handle.remove()
    answer = output[0] if isinstance(output, tuple) else output
    given = tuple(answer.shape[1:]) if isinstance(answer, Tensor) else ()
    return Anatomy(tuple(shape), tuple(rows), sum(p.numel() for p in module.parameters()), given)


def _work(layer: nn.Module, output: Tensor) -> int:
    if isinstance(layer, nn.Linear):
        return layer.in_features * output[0].numel()
    if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        return int(layer.weight[0].numel() * output[0].numel())
    if isinstance(layer, nn.RNNBase):
        steps = output.shape[1] if layer.batch_first else output.shape[0]
        return int(sum(p.numel() for p in layer.parameters() if p.dim() > 1) * steps)
    return 0


def _explained(
    entered: list[tuple[nn.Module, tuple[int, ...]]], names: dict[nn.Module, str], error: Exception
) -> str:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if not entered:
        return f"Between the layers: {reason}"
    layer, shape = entered[-1]
    who = f"{names[layer]} ({type(layer).__name__})"
    if isinstance(layer, nn.Linear) and shape and shape[-1] != layer.in_features:
        return f"{who} takes {layer.in_features} features and gets {shape[-1]}. Write {shape[-1]} for its input."
    if isinstance(layer, nn.Conv2d):
        if len(shape) != 3:
            return f"{who} takes images (channels, height, width) and gets {_times(shape)}: give it images, or use an MLP."
        if shape[0] != layer.in_channels:
            return f"{who} takes {layer.in_channels} channels and gets {shape[0]}. Write {shape[0]} for its channels."
        field = _times(tuple(int(k) for k in layer.kernel_size))
        return f"{who} slides a field of {field} over maps of {_times(shape[1:])}, which are smaller: enlarge the images (Resize) or pool less."
    return f"{who} gets {_times(shape)} and refuses: {reason}"
