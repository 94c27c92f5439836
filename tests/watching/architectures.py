"""Small networks of many kinds, each with a batch and a loss, from fixed starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations
from torch.utils.checkpoint import checkpoint

N = 6  # rows of a batch


class Wrapped(nn.Module):
    """A module of a function and its parts."""

    def __init__(self, function: Callable[..., Any], **parts: nn.Module | nn.Parameter) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.function = function

    def forward(self, *args: Any, **options: Any) -> Any:
        return self.function(self, *args, **options)


def _activated(activation: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(8, 12), activation, nn.Linear(12, 3))


def _over_maps(*layers: nn.Module, channels: int = 6) -> nn.Module:
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 3))


def _residual() -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        h = F.relu(self.first(x))
        h = h + self.second(F.relu(self.norm(self.branch(h))))
        return self.head(h.mean((2, 3)))

    return Wrapped(
        forward,
        first=nn.Conv2d(2, 6, 3, padding=1),
        branch=nn.Conv2d(6, 6, 3, padding=1),
        norm=nn.BatchNorm2d(6),
        second=nn.Conv2d(6, 6, 1),
        head=nn.Linear(6, 3),
    )


def _dense() -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        x = torch.cat([x, torch.relu(self.a(x))], 1)
        x = torch.cat([x, torch.relu(self.b(x))], 1)
        return self.head(x)

    return Wrapped(forward, a=nn.Linear(8, 4), b=nn.Linear(12, 4), head=nn.Linear(16, 3))


def _u_net() -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        high = torch.relu(self.down(x))
        low = torch.relu(self.lowest(F.max_pool2d(high, 2)))
        return self.out(torch.cat([high, self.up(low)], 1)).mean((2, 3))

    return Wrapped(
        forward,
        down=nn.Conv2d(2, 4, 3, padding=1),
        lowest=nn.Conv2d(4, 8, 3, padding=1),
        up=nn.ConvTranspose2d(8, 4, 2, stride=2),
        out=nn.Conv2d(8, 3, 1),
    )


def _recurrent(kind: type[nn.Module], **options: Any) -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        return self.head(self.rnn(x)[0][:, -1])

    width = 10 * (2 if options.get("bidirectional") else 1)
    rnn = kind(4, 10, batch_first=True, **options)
    return Wrapped(forward, rnn=rnn, head=nn.Linear(width, 3))


def _cell() -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        state = x.new_zeros(len(x), 10)
        for column in x.unbind(1):
            state = self.cell(column, state)
        return self.head(state)

    return Wrapped(forward, cell=nn.GRUCell(4, 10), head=nn.Linear(10, 3))


def _attention() -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        return self.head(self.attend(x, x, x, need_weights=False)[0].mean(1))

    attend = nn.MultiheadAttention(4, 2, dropout=0.1, batch_first=True)
    return Wrapped(forward, attend=attend, head=nn.Linear(4, 3))


def _transformer() -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        return self.head(self.decoder(self.encoder(x), self.encoder(x)).mean(1))

    return Wrapped(
        forward,
        encoder=nn.TransformerEncoderLayer(4, 2, 8, dropout=0.1, batch_first=True),
        decoder=nn.TransformerDecoderLayer(4, 2, 8, dropout=0.1, batch_first=True),
        head=nn.Linear(4, 3),
    )


def _experts() -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        shares = self.gate(x).softmax(1)
        return (shares[:, None] * torch.stack([e(x) for e in self.experts], 2)).sum(2)

    experts = nn.ModuleList(nn.Linear(8, 3) for _ in range(3))
    return Wrapped(forward, gate=nn.Linear(8, 3), experts=experts)


def _chosen_expert() -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        chosen, out = self.gate(x).argmax(1), x.new_zeros(len(x), 3)
        for k, expert in enumerate(self.experts):
            rows = torch.nonzero(chosen == k)[:, 0]
            out = out.index_add(0, rows, expert(x[rows]))
        return out

    experts = nn.ModuleList(nn.Linear(8, 3) for _ in range(3))
    return Wrapped(forward, gate=nn.Linear(8, 3), experts=experts)


def _highway() -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        share = torch.sigmoid(self.gate(x))
        return self.head(share * torch.relu(self.inner(x)) + (1 - share) * x)

    return Wrapped(forward, gate=nn.Linear(8, 8), inner=nn.Linear(8, 8), head=nn.Linear(8, 3))


def _hyper_network() -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        return F.linear(x, self.weights(self.code).view(3, 8))

    code = nn.Parameter(torch.randn(4))
    return Wrapped(forward, code=code, weights=nn.Linear(4, 24))


def _reused() -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        for _ in range(3):
            x = torch.tanh(self.layer(x))
        return self.head(x)

    return Wrapped(forward, layer=nn.Linear(8, 8), head=nn.Linear(8, 3))


def _in_place() -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        x = self.a(x)
        x += 1
        x.mul_(0.5)
        return self.b(F.relu(x, inplace=True))

    return Wrapped(forward, a=nn.Linear(8, 12), b=nn.Linear(12, 3))


class Swish(torch.autograd.Function):
    """x sigmoid(x) with its own backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x.sigmoid()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradient * x.sigmoid() * (1 + x * (1 - x.sigmoid()))


def _own_function() -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        return self.b(Swish.apply(self.a(x)))

    return Wrapped(forward, a=nn.Linear(8, 12), b=nn.Linear(12, 3))


def _checkpointed(reentrant: bool) -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        return self.c(checkpoint(self.b, torch.relu(self.a(x)), use_reentrant=reentrant))

    middle = nn.Sequential(nn.Linear(12, 12), nn.Dropout(0.2), nn.ReLU())
    return Wrapped(forward, a=nn.Linear(8, 12), b=middle, c=nn.Linear(12, 3))


def _complex() -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        return self.head(torch.fft.rfft(x * self.weights).abs())

    return Wrapped(forward, weights=nn.Parameter(torch.ones(8)), head=nn.Linear(5, 3))


def _outputs(form: str) -> nn.Module:
    def forward(self: Any, x: Tensor) -> Any:
        a, b = self.a(x), self.b(x)
        return {"dictionary": {"a": a, "b": b}, "tuple": (a, [b])}[form]

    return Wrapped(forward, a=nn.Linear(8, 3), b=nn.Linear(8, 2))


def _by_name() -> nn.Module:
    def forward(self: Any, *, left: Tensor, right: Tensor | None = None) -> Tensor:
        return self.a(left) + (0 if right is None else self.b(right))

    return Wrapped(forward, a=nn.Linear(8, 3), b=nn.Linear(8, 3))


def _own_loss() -> nn.Module:
    def forward(self: Any, x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(self.a(x), y)

    return Wrapped(forward, a=nn.Linear(8, 3))


def _parameter_list() -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        for weight in self.weights:
            x = torch.tanh(x @ weight)
        return self.heads["only"](x)

    weights = nn.ParameterList(0.3 * torch.randn(8, 8) for _ in range(2))
    return Wrapped(forward, weights=weights, heads=nn.ModuleDict({"only": nn.Linear(8, 3)}))


def _embeddings(**options: Any) -> nn.Module:
    return nn.Sequential(nn.EmbeddingBag(20, 8, **options), nn.Linear(8, 3))


def _flow() -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        a, b = x.chunk(2, 1)
        scale, shift = self.net(a).chunk(2, 1)
        return 0.5 * (b * scale.exp() + shift).square().sum(1).mean() - scale.sum(1).mean()

    return Wrapped(forward, net=nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 8)))


ROWS = (N, 8)
MAPS = (N, 2, 8, 8)
SEQUENCES = (N, 5, 4)
ARCHITECTURES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "linear": (lambda: nn.Linear(8, 3), ROWS),
    "relu": (lambda: _activated(nn.ReLU()), ROWS),
    "relu_in_place": (lambda: _activated(nn.ReLU(inplace=True)), ROWS),
    "tanh": (lambda: _activated(nn.Tanh()), ROWS),
    "gelu": (lambda: _activated(nn.GELU()), ROWS),
    "prelu": (lambda: _activated(nn.PReLU()), ROWS),
    "random_relu": (lambda: _activated(nn.RReLU()), ROWS),
    "dropout": (lambda: _activated(nn.Dropout(0.4)), ROWS),
    "alpha_dropout": (lambda: _activated(nn.AlphaDropout(0.3)), ROWS),
    "batch_norm": (lambda: _activated(nn.BatchNorm1d(12)), ROWS),
    "layer_norm": (lambda: _activated(nn.LayerNorm(12)), ROWS),
    "maxout": (
        lambda: nn.Sequential(
            nn.Linear(8, 12), nn.Unflatten(1, (3, 4)), nn.MaxPool1d(4), nn.Flatten()
        ),
        ROWS,
    ),
    "softmax_gate": (lambda: _activated(nn.Softmax(1)), ROWS),
    "bilinear": (lambda: Wrapped(lambda self, x: self.b(x, x), b=nn.Bilinear(8, 8, 3)), ROWS),
    "dense": (_dense, ROWS),
    "experts": (_experts, ROWS),
    "chosen_expert": (_chosen_expert, ROWS),
    "highway": (_highway, ROWS),
    "hyper_network": (_hyper_network, ROWS),
    "reused_layer": (_reused, ROWS),
    "in_place": (_in_place, ROWS),
    "own_function": (_own_function, ROWS),
    "checkpoint": (lambda: _checkpointed(False), ROWS),
    "reentrant_checkpoint": (lambda: _checkpointed(True), ROWS),
    "complex": (_complex, ROWS),
    "dictionary": (lambda: _outputs("dictionary"), ROWS),
    "tuple": (lambda: _outputs("tuple"), ROWS),
    "parameter_list": (_parameter_list, ROWS),
    "flow": (_flow, ROWS),
    "by_name": (_by_name, ROWS),
    "own_loss": (_own_loss, ROWS),
    "double_precision": (lambda: _activated(nn.ELU()).double(), ROWS),
    "half_precision": (lambda: _activated(nn.SiLU()).bfloat16(), ROWS),
    "weight_norm": (lambda: parametrizations.weight_norm(nn.Linear(8, 3)), ROWS),
    "spectral_norm": (lambda: parametrizations.spectral_norm(nn.Linear(8, 3)), ROWS),
    "convolution": (lambda: _over_maps(nn.Conv2d(2, 6, 3), nn.ReLU(), nn.MaxPool2d(2)), MAPS),
    "one_dimension": (
        lambda: nn.Sequential(nn.Conv1d(5, 4, 2), nn.ReLU(), nn.Flatten(), nn.Linear(12, 3)),
        SEQUENCES,
    ),
    "depthwise": (lambda: _over_maps(nn.Conv2d(2, 2, 3, groups=2), nn.Conv2d(2, 6, 1)), MAPS),
    "group_norm": (lambda: _over_maps(nn.Conv2d(2, 6, 3), nn.GroupNorm(2, 6)), MAPS),
    "instance_norm": (
        lambda: _over_maps(nn.Conv2d(2, 6, 3), nn.InstanceNorm2d(6), nn.ReLU()),
        MAPS,
    ),
    "channel_dropout": (lambda: _over_maps(nn.Conv2d(2, 6, 3), nn.Dropout2d(0.3)), MAPS),
    "residual": (_residual, MAPS),
    "u_net": (_u_net, MAPS),
    "pixel_shuffle": (lambda: _over_maps(nn.Conv2d(2, 24, 3), nn.PixelShuffle(2)), MAPS),
    "rnn": (lambda: _recurrent(nn.RNN), SEQUENCES),
    "lstm": (lambda: _recurrent(nn.LSTM, num_layers=2, dropout=0.2), SEQUENCES),
    "gru_both_ways": (lambda: _recurrent(nn.GRU, bidirectional=True), SEQUENCES),
    "recurrent_cell": (_cell, SEQUENCES),
    "attention": (_attention, SEQUENCES),
    "transformer": (_transformer, SEQUENCES),
    "embedding_bag": (lambda: _embeddings(mode="sum"), (0,)),
    "sparse_embedding_bag": (lambda: _embeddings(sparse=True), (0,)),
}


def loss_of(name: str, model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """The loss of a batch, however the network is called."""
    if name == "by_name":
        return F.cross_entropy(model(left=x, right=x.flip(1)), y)
    if name == "own_loss":
        return model(x, y)
    output = model(x)
    if name == "flow":
        return output
    if name == "dictionary":
        return F.cross_entropy(output["a"], y) + output["b"].square().mean()
    if name == "tuple":
        return F.cross_entropy(output[0], y) + F.huber_loss(output[1][0], x[:, :2])
    return F.cross_entropy(output.float() if output.dtype == torch.bfloat16 else output, y)


def batch_of(name: str, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """A batch from torch's own generator."""
    y = torch.randint(3, (N,))
    if shape == (0,):
        return torch.randint(20, (N, 4)), y
    x = torch.randn(shape)
    types = {"double_precision": torch.float64, "half_precision": torch.bfloat16}
    return x.to(types.get(name, torch.float32)), y
