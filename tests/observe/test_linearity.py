"""A module is called linear only where its output is, against numbers: f(ax + by) - f(0)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.linearity import is_linear


class Function(nn.Module):
    """A module of a function and its layers."""

    def __init__(self, function: Callable[..., Tensor], *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, *self.layers)


def first_state(x: Tensor, layer: nn.Module) -> Tensor:
    return layer(x[:, None])[0][:, 0]


MODULES: dict[str, tuple[Callable[[], nn.Module], bool | None]] = {
    "linear": (lambda: nn.Linear(4, 4), True),
    "two_linear": (lambda: nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 4, bias=False)), True),
    "frozen": (lambda: nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 4).requires_grad_(False)), True),
    "residual": (lambda: Function(lambda x, f: x + f(x), nn.Linear(4, 4)), True),
    "scaled": (lambda: Function(lambda x, f: f(x) * 0.5 / 3 - 1, nn.Linear(4, 4)), True),
    "weight_norm": (lambda: nn.utils.parametrizations.weight_norm(nn.Linear(4, 4)), True),
    "convolution": (
        lambda: nn.Sequential(nn.Unflatten(1, (1, 4)), nn.Conv1d(1, 2, 3, padding=1), nn.Flatten()),
        True,
    ),
    "average_pool": (
        lambda: Function(
            lambda x, f: F.avg_pool2d(f(x.view(-1, 1, 2, 2)), 2).flatten(1), nn.Conv2d(1, 4, 1)
        ),
        True,
    ),
    "batch_norm": (lambda: nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4).eval()), True),
    "relu": (lambda: nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 4)), False),
    "tanh_last": (lambda: nn.Sequential(nn.Linear(4, 4), nn.Tanh()), False),
    "softmax": (lambda: nn.Sequential(nn.Linear(4, 4), nn.Softmax(1)), False),
    "layer_norm": (lambda: nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)), False),
    "max_pool": (lambda: nn.Sequential(nn.Linear(4, 8), nn.MaxPool1d(2)), False),
    "gru": (lambda: Function(first_state, nn.GRU(4, 4, batch_first=True)), False),
    "lstm": (lambda: Function(first_state, nn.LSTM(4, 4, batch_first=True)), False),
    "rnn": (lambda: Function(first_state, nn.RNN(4, 4, batch_first=True)), False),
    "product_of_layers": (
        lambda: Function(lambda x, f, g: f(x) * g(x), nn.Linear(4, 4), nn.Linear(4, 4)),
        False,
    ),
    "square": (lambda: Function(lambda x, f: f(x) ** 2, nn.Linear(4, 4)), False),
    "gate_of_data": (lambda: Function(lambda x, f: f(x) * x, nn.Linear(4, 4)), None),
    "spectral_norm": (lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(4, 4)), None),
    "checkpointed": (
        lambda: Function(
            lambda x, f: torch.utils.checkpoint.checkpoint(f, x, use_reentrant=False),
            nn.Linear(4, 4),
        ),
        True,
    ),
}


@pytest.mark.parametrize("name", list(MODULES))
def test_modules(name: str) -> None:
    torch.manual_seed(0)
    make, expected = MODULES[name]
    module = make()
    x, y = torch.randn(6, 4), torch.randn(6, 4)
    answer = is_linear(module(x))
    assert answer is expected
    is_packed = name == "checkpointed"  # reading its input would run its forward pass again
    assert is_linear(module(x), [y, x]) is (None if is_packed else expected)
    with torch.no_grad():
        zero = module(torch.zeros(6, 4))
        both = module(2 * x - 3 * y) - zero
        parts = 2 * (module(x) - zero) - 3 * (module(y) - zero)
    is_so = torch.allclose(both, parts, atol=1e-5)
    if answer is not None:
        assert answer == is_so


def test_attention_is_no_linear_map() -> None:
    x = torch.randn(2, 3, 4)
    assert is_linear(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)(x)) is False
    assert is_linear(nn.MultiheadAttention(4, 2)(x, x, x)[0]) is False


def test_dropout_is_a_mask() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.Linear(4, 2))
    assert is_linear(model(torch.ones(6, 4))) is True


def test_inputs_that_require_a_gradient() -> None:
    x = torch.randn(6, 4, requires_grad=True)
    assert is_linear(nn.Linear(4, 3)(x)) is True
    assert is_linear(nn.Linear(4, 4)(x) * x) is False


def test_frozen_layers_before_the_first_trained_one() -> None:
    x = torch.randn(6, 4)
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    model[0].requires_grad_(False)
    assert is_linear(model(x)) is True  # of the features, which alone are in the graph
    assert is_linear(model(x), [x]) is None
    features = Function(lambda x, f: f(x.square()), nn.Linear(4, 2))
    assert is_linear(features(x), [x]) is None
    words = nn.Embedding(9, 4)
    assert is_linear(words(torch.tensor([1, 2])), [torch.tensor([1, 2])]) is None
    index = torch.tensor([1, 2])
    assert is_linear(words(index), [index]) is True


def test_what_has_no_graph_or_is_too_large() -> None:
    assert is_linear(torch.ones(3)) is None
    value = nn.Linear(4, 3)(torch.ones(6, 4))
    assert is_linear(value, most=2) is None
    assert is_linear(nn.Parameter(torch.ones(3)) * 2) is None
