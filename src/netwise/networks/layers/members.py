"""Layers of an ensemble whose members share their weight matrices."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.networks.script_source import ScriptSource


class MemberLinear(nn.Linear):
    """A linear layer of `members` networks: one weight matrix for all of them, and for each its own
    factors of the inputs and outputs, and its own biases.

        y = (x * (1 + r_m)) W^T * (1 + s_m) + b_m

    Row i of a batch belongs to member i modulo `members`. The factors are stored as their distance
    from 1, so weight decay makes members alike. Source: Wen, Tran, Ba 2020, arXiv 2002.06715.
    """

    def __init__(self, in_features: int, out_features: int, members: int) -> None:
        super().__init__(in_features, out_features, bias=False)
        self.members = members
        self.inputs = nn.Parameter(0.3 * torch.randn(members, in_features))
        self.outputs = nn.Parameter(0.3 * torch.randn(members, out_features))
        self.biases = nn.Parameter(torch.empty(members, out_features).uniform_(-1, 1))
        with torch.no_grad():
            self.biases.mul_(in_features**-0.5)  # as `nn.Linear` has them

    def forward(self, x: Tensor) -> Tensor:
        ins, outs = 1 + self.inputs, 1 + self.outputs
        if x.shape[0] % self.members == 0:  # as (rounds, members): no row of factors is copied
            rounds = (x.shape[0] // self.members, self.members)
            x = (x.unflatten(0, rounds) * ins).flatten(0, 1)
            y: Tensor = F.linear(x, self.weight).unflatten(0, rounds)
            return (y * outs + self.biases).flatten(0, 1)
        member = torch.arange(x.shape[0], device=x.device) % self.members
        y = F.linear(x * ins.index_select(0, member), self.weight)
        return y * outs.index_select(0, member) + self.biases.index_select(0, member)

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, {self.members}"


class Members(nn.Sequential):
    """Layers of an ensemble, some of them `MemberLinear`. In training each row is computed by one
    member; in evaluation by all of them, and the result is the mean of their outputs.

    So a training step costs what that of one network costs, and members are trained on different
    rows.
    """

    def forward(self, x: Tensor) -> Tensor:
        members = 0  # until a layer of members: those before it are the same for all
        for layer in self:
            if not members and not self.training:
                members = members_of(layer)
                x = x.repeat_interleave(max(members, 1), 0)
            x = layer(x)
        return x.unflatten(0, (-1, members)).mean(1) if members else x


def members_of(layer: nn.Module) -> int:
    """The number of members of the first `MemberLinear` in a layer; 0: there is none."""
    layers = (each for each in layer.modules() if isinstance(each, MemberLinear))
    return next((each.members for each in layers), 0)


SCRIPT_SOURCES = {
    MemberLinear: ScriptSource(),
    Members: ScriptSource(needs=(MemberLinear, members_of)),
}
