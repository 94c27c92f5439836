"""Small networks of many kinds with a loss each: `LOSSES`, functions without arguments that return
(modules and parameters, loss)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

X = torch.randn(6, 8, generator=torch.Generator().manual_seed(0))
Y = torch.tensor([0, 1, 2, 0, 1, 2])
IMAGES = torch.randn(4, 2, 8, 8, generator=torch.Generator().manual_seed(1))
WORDS = torch.tensor([[1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [2, 2, 0, 1, 7]])
SERIES = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(2))

Made = tuple[Any, Tensor]  # a module, a list of modules or of parameters; the loss


def mlp() -> nn.Sequential:
    return nn.Sequential(nn.Linear(8, 7), nn.ReLU(), nn.Linear(7, 3))


def multilayer_perceptron() -> Made:
    model = mlp()
    return model, F.cross_entropy(model(X), Y)


def some_frozen() -> Made:
    model = mlp()
    model[0].requires_grad_(False)
    return model, F.cross_entropy(model(X), Y)


def frozen_behind_trained() -> Made:
    model = mlp()
    model[2].requires_grad_(False)
    return model, F.cross_entropy(model(X), Y)


def detached_between() -> Made:
    model = mlp()
    return model, F.cross_entropy(model[2](model[1](model[0](X)).detach()), Y)


def convolution() -> Made:
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten())
    head = nn.LazyLinear(3)
    return [model, head], F.cross_entropy(head(model(IMAGES)), Y[:4])


def transposed_convolution() -> Made:
    model = nn.Sequential(nn.Conv2d(2, 3, 2, 2), nn.GELU(), nn.ConvTranspose2d(3, 2, 2, 2))
    return model, F.mse_loss(model(IMAGES), IMAGES)


def depthwise_and_pooled() -> Made:
    model = nn.Sequential(nn.Conv2d(2, 4, 3, groups=2), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1))
    return model, model(IMAGES).square().mean()


def unet() -> Made:
    down, up = nn.Conv2d(2, 4, 2, 2), nn.ConvTranspose2d(4, 2, 2, 2)
    last = nn.Conv2d(4, 3, 1)
    maps = last(torch.cat([IMAGES, up(down(IMAGES).relu())], 1))
    return [down, up, last], F.cross_entropy(maps, torch.zeros(4, 8, 8).long())


def convolution_in_time() -> Made:
    model = nn.Conv1d(4, 3, 3, padding=1)
    return model, F.cross_entropy(model(SERIES.transpose(1, 2)), WORDS % 3)


def batch_norm() -> Made:
    model = nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 3))
    return model, F.cross_entropy(model(X), Y)


def norm_without_weights() -> Made:
    model = nn.Sequential(nn.Linear(8, 4), nn.LayerNorm(4, elementwise_affine=False))
    return model, model(X).pow(3).mean()


def layer_and_group_norm() -> Made:
    model = nn.Sequential(nn.Linear(8, 4), nn.LayerNorm(4), nn.GroupNorm(2, 4), nn.PReLU())
    return model, F.l1_loss(model(X), X[:, :4])


def rms_norm() -> Made:
    model = nn.Sequential(nn.Linear(8, 4), nn.RMSNorm(4))
    return model, F.huber_loss(model(X), X[:, :4])


def residual() -> Made:
    first, second = nn.Linear(8, 8), nn.Linear(8, 8)
    hidden = X + first(X).relu()
    return [first, second], (hidden + second(hidden)).square().mean()


def shared_module() -> Made:
    layer = nn.Linear(8, 8)
    return layer, layer(layer(X).relu()).square().mean()


def tied_autoencoder() -> Made:
    encoder, shift = nn.Linear(8, 3), nn.Parameter(torch.zeros(8))
    code = encoder(X).sigmoid()
    return [encoder, shift], F.mse_loss(F.linear(code, encoder.weight.t(), shift), X)


def variational_autoencoder() -> Made:
    encoder, decoder = nn.Linear(8, 6), nn.Linear(3, 8)
    mean, log_variance = encoder(X).chunk(2, 1)
    code = mean + torch.randn_like(mean) * (log_variance / 2).exp()
    divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum()
    return [encoder, decoder], F.mse_loss(decoder(code), X, reduction="sum") + divergence


def recurrent() -> Made:
    model, head = nn.RNN(4, 5, batch_first=True), nn.Linear(5, 3)
    return [model, head], F.cross_entropy(head(model(SERIES)[0][:, -1]), Y[:3])


def lstm() -> Made:
    model, head = nn.LSTM(4, 5, 2, batch_first=True, bidirectional=True), nn.Linear(10, 3)
    return [model, head], F.cross_entropy(head(model(SERIES)[0]).transpose(1, 2), WORDS % 3)


def gru() -> Made:
    model = nn.GRU(4, 5, batch_first=True)
    return model, model(SERIES)[1].square().sum()


def packed_sequences() -> Made:
    model = nn.LSTM(4, 5, batch_first=True)
    packed = nn.utils.rnn.pack_padded_sequence(SERIES, [5, 3, 2], batch_first=True)
    padded, _ = nn.utils.rnn.pad_packed_sequence(model(packed)[0], batch_first=True)
    return model, padded.mean()


def lstm_cell() -> Made:
    cell = nn.LSTMCell(4, 5)
    state = None
    for step in SERIES.unbind(1):
        state = cell(step, state)
    assert state is not None
    return cell, state[0].sum()


def transformer_encoder() -> Made:
    model = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    return model, model(SERIES).square().mean()


def transformer_decoder() -> Made:
    model = nn.TransformerDecoderLayer(4, 2, 8, batch_first=True)
    return model, model(SERIES, SERIES.flip(0)).square().mean()


def attention() -> Made:
    model = nn.MultiheadAttention(4, 2, batch_first=True)
    return model, model(SERIES, SERIES, SERIES, need_weights=False)[0].sum()


def language_model() -> Made:
    words, layer = nn.Embedding(9, 4), nn.Linear(4, 9, bias=False)
    layer.weight = words.weight
    return [words, layer], F.cross_entropy(layer(words(WORDS)).flatten(0, 1), WORDS.flatten())


def sparse_embedding() -> Made:
    words, layer = nn.Embedding(9, 4, sparse=True, padding_idx=0), nn.Linear(4, 2)
    return [words, layer], layer(words(WORDS).mean(1)).square().mean()


def embedding_bag() -> Made:
    words, layer = nn.EmbeddingBag(9, 4, sparse=True), nn.Linear(4, 2)
    return [words, layer], layer(words(WORDS)).square().mean()


def matrix_factorisation() -> Made:
    users, films = nn.Embedding(9, 3), nn.Embedding(9, 3)
    ratings = (users(WORDS[0]) * films(WORDS[1])).sum(1)
    return [users, films], F.mse_loss(ratings, torch.ones(5))


def mixture_of_experts() -> Made:
    experts, gate = nn.ModuleList(nn.Linear(8, 3) for _ in range(3)), nn.Linear(8, 3)
    chosen = gate(X).argmax(1)
    outputs = torch.stack([experts[i % 2](x) for i, x in zip(chosen.tolist(), X, strict=True)])
    return [experts, gate], F.cross_entropy(outputs, Y)


def several_heads() -> Made:
    trunk, heads = nn.Linear(8, 4), nn.ModuleList([nn.Linear(4, 3), nn.Linear(4, 1)])
    hidden = trunk(X).relu()
    return [trunk, heads], F.cross_entropy(heads[0](hidden), Y)


def low_rank_adapter() -> Made:
    base, down, up = nn.Linear(8, 3), nn.Linear(8, 2, bias=False), nn.Linear(2, 3, bias=False)
    base.requires_grad_(False)
    nn.init.zeros_(up.weight)
    return [base, down, up], F.cross_entropy(base(X) + up(down(X)), Y)


def checkpointed() -> Made:
    model, head = mlp(), nn.Linear(3, 3)
    hidden = checkpoint(model, X, use_reentrant=False)
    return [model, head], F.cross_entropy(head(hidden), Y)


def functional_call() -> Made:
    model = mlp()
    fast = {name: weight * 0.9 for name, weight in model.named_parameters()}
    return model, F.cross_entropy(torch.func.functional_call(model, fast, (X,)), Y)


def inner_step() -> Made:  # a step of MAML
    model = mlp()
    weights = dict(model.named_parameters())
    loss = F.cross_entropy(torch.func.functional_call(model, weights, (X,)), Y)
    slopes = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
    fast = {n: w - 0.1 * g for (n, w), g in zip(weights.items(), slopes, strict=True)}
    return model, F.cross_entropy(torch.func.functional_call(model, fast, (X,)), Y)


def gradient_penalty() -> Made:  # of WGAN-GP
    critic = nn.Sequential(nn.Linear(8, 5), nn.Tanh(), nn.Linear(5, 1))
    points = X.clone().requires_grad_()
    (slope,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    return critic, critic(X).mean() + 10 * (slope.norm(2, 1) - 1).square().mean()


def physics_informed() -> Made:
    model = nn.Sequential(nn.Linear(1, 5), nn.Tanh(), nn.Linear(5, 1))
    t = torch.linspace(0, 1, 6)[:, None].requires_grad_()
    (slope,) = torch.autograd.grad(model(t).sum(), t, create_graph=True)
    return model, (slope + t).square().mean()


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        return 2 * slope


def function_of_its_own() -> Made:
    model = mlp()
    return model, F.cross_entropy(Doubled.apply(model(X)), Y)


def weight_norm() -> Made:
    model = nn.utils.parametrizations.weight_norm(nn.Linear(8, 3))
    return model, F.cross_entropy(model(X), Y)


def spectral_norm() -> Made:
    model = nn.utils.parametrizations.spectral_norm(nn.Linear(8, 3))
    return model, F.cross_entropy(model(X), Y)


def changed_in_place() -> Made:
    layer, scale = nn.Linear(8, 4), nn.Parameter(torch.ones(6))
    hidden = layer(X)
    hidden[:, 0] *= scale
    return [layer, scale], hidden.square().mean()


def raw_parameters() -> Made:
    weight, shift = nn.Parameter(torch.randn(8, 1)), nn.Parameter(torch.zeros(1))
    unused = nn.Parameter(torch.zeros(1))
    return [weight, shift, unused], ((X @ weight + shift - X[:, :1]) ** 2).mean()


def penalised() -> Made:
    model, other = mlp(), nn.Linear(2, 2)
    penalty = sum(p.abs().sum() for p in [*model.parameters(), other.weight])
    return [model, other], F.cross_entropy(model(X), Y) + 1e-4 * penalty


def contrastive() -> Made:
    first, second = nn.Linear(8, 4), nn.Linear(8, 4)
    logits = F.normalize(first(X)) @ F.normalize(second(X)).T / 0.1
    rows = torch.arange(6)
    loss = (F.cross_entropy(logits, rows) + F.cross_entropy(logits.T, rows)) / 2
    return [first, second], loss


def triplet() -> Made:
    model = nn.Linear(8, 4)
    return model, F.triplet_margin_loss(model(X), model(X.roll(1, 0)), model(X.roll(2, 0)))


def adversarial_generator() -> Made:
    generator, critic = nn.Linear(8, 8), nn.Linear(8, 1)
    return [generator, critic], F.binary_cross_entropy_with_logits(
        critic(generator(X)), torch.ones(6, 1)
    )


def adversarial_critic() -> Made:
    generator, critic = nn.Linear(8, 8), nn.Linear(8, 1)
    return [generator, critic], F.softplus(critic(generator(X).detach())).mean()


def actor() -> Made:
    model = mlp()
    return model, -(F.log_softmax(model(X), 1)[range(6), Y] * X[:, 0]).mean()


def speech() -> Made:
    model = nn.Linear(4, 6)
    log_probabilities = model(SERIES).log_softmax(2).transpose(0, 1)
    lengths = torch.tensor([5, 5, 5]), torch.tensor([2, 2, 2])
    return model, F.ctc_loss(log_probabilities, WORDS[:, :2], *lengths)


def bilinear() -> Made:
    model = nn.Bilinear(8, 8, 1)
    return model, model(X, X.flip(0)).square().mean()


def graph_convolution() -> Made:
    first, second = nn.Linear(8, 5), nn.Linear(5, 3)
    neighbours = torch.ones(6, 6) / 6
    return [first, second], F.cross_entropy(neighbours @ second((neighbours @ first(X)).relu()), Y)


LOSSES: tuple[Callable[[], Made], ...] = (
    multilayer_perceptron,
    some_frozen,
    frozen_behind_trained,
    detached_between,
    convolution,
    transposed_convolution,
    depthwise_and_pooled,
    unet,
    convolution_in_time,
    batch_norm,
    norm_without_weights,
    layer_and_group_norm,
    rms_norm,
    residual,
    shared_module,
    tied_autoencoder,
    variational_autoencoder,
    recurrent,
    lstm,
    gru,
    packed_sequences,
    lstm_cell,
    transformer_encoder,
    transformer_decoder,
    attention,
    language_model,
    sparse_embedding,
    embedding_bag,
    matrix_factorisation,
    mixture_of_experts,
    several_heads,
    low_rank_adapter,
    checkpointed,
    functional_call,
    inner_step,
    gradient_penalty,
    physics_informed,
    function_of_its_own,
    weight_norm,
    spectral_norm,
    changed_in_place,
    raw_parameters,
    penalised,
    contrastive,
    triplet,
    adversarial_generator,
    adversarial_critic,
    actor,
    speech,
    bilinear,
    graph_convolution,
)


def weights_of(made: Any) -> Iterable[nn.Parameter]:
    """All parameters of what a function of `LOSSES` returns first."""
    for part in made if isinstance(made, list) else [made]:
        yield from [part] if isinstance(part, nn.Parameter) else part.parameters()
