"""Max pooling over 2x2 fields: torch's own, or by slices as runs of earlier versions did it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from netwise.networks.script_source import ScriptSource


class MaxPool2(nn.Module):
    """The maximum over 2x2 fields, as `nn.MaxPool2d(2)`.

    Attributes:
        sliced: four strided slices instead of a window, where the layout allows it. It takes 1.6 to
            2 times as long as torch's kernel (`scripts/bench layouts`), and is here for runs that
            began with it: if two values of a field are its maximum, they share the gradient, and
            torch gives it to the first.
    """

    sliced = False

    def forward(self, x: Tensor) -> Tensor:
        if not self.sliced or x.device.type != "cpu" or not x.is_contiguous():
            return torch.nn.functional.max_pool2d(x, 2)
        height, width = x.shape[-2] // 2 * 2, x.shape[-1] // 2 * 2
        if not height or not width:
            raise RuntimeError(
                f"Output size is too small: pooling 2x2 over maps of {tuple(x.shape[-2:])} leaves"
                " none; use larger images or fewer poolings"
            )
        top = torch.maximum(x[..., 0:height:2, 0:width:2], x[..., 0:height:2, 1:width:2])
        bottom = torch.maximum(x[..., 1:height:2, 0:width:2], x[..., 1:height:2, 1:width:2])
        return torch.maximum(top, bottom)


SCRIPT_SOURCES = {MaxPool2: ScriptSource(expression="nn.MaxPool2d(2)")}
