"""Loops that differ in which weights are trained, and by which optimizer."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from watching.loops.samples import batches, chains, classes, mlp


def frozen_backbone(sick: bool) -> list[float]:
    """A frozen first layer, declared by `requires_grad`. Sick: all is frozen, and only the input
    requires a gradient, as checkpointing wants it."""
    x, y = classes()
    torch.manual_seed(0)
    body, head = nn.Sequential(nn.Linear(8, 64), nn.ReLU()), nn.Linear(64, 3)
    model, losses = nn.Sequential(body, head), []
    (model if sick else body).requires_grad_(False)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows].requires_grad_(sick)), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


class LowRank(nn.Module):
    """A frozen layer with a trained addition of low rank, whose second factor starts at 0."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.a = nn.Linear(base.in_features, 4, bias=False)
        self.b = nn.Linear(4, base.out_features, bias=False)
        nn.init.zeros_(self.b.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + 2 * self.b(self.a(x))


def low_rank_adapter(sick: bool) -> list[float]:
    """LoRA, with a zero branch as published. Sick: both factors start at 0, and none can move."""
    x, y = classes()
    torch.manual_seed(0)
    model, losses = nn.Sequential(LowRank(nn.Linear(8, 32)), nn.ReLU(), nn.Linear(32, 3)), []
    model[2].requires_grad_(False)
    if sick:
        nn.init.zeros_(model[0].a.weight)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=2e-2)
    for rows in batches(600, 32, epochs=6):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


class Residual(nn.Module):
    """A residual block whose last layer starts at 0."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(width, width), nn.Linear(width, width)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.outer(torch.relu(self.inner(x)))


def zero_branches(sick: bool) -> list[float]:
    """Residual blocks that start as the identity. Sick: an MLP all of whose weights start at 0."""
    x, y = classes()
    torch.manual_seed(0)
    first = nn.Linear(8, 24)
    model = nn.Sequential(first, Residual(24), Residual(24), nn.ReLU(), nn.Linear(24, 3))
    if sick:
        model = mlp()
        for p in model.parameters():
            nn.init.zeros_(p)
    losses = []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


class Tied(nn.Module):
    """Predicts the next symbol; the last layer has the weights of the embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.mix = nn.Embedding(8, 24), nn.Linear(24, 24)
        self.head = nn.Linear(24, 8, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.mix(self.embedding(x))))


def tied_weights(sick: bool) -> list[float]:
    """Embedding and head share a matrix. Sick: they are tied anew, to another matrix, after the
    optimizer was made."""
    torch.manual_seed(0)
    model, losses, symbols = Tied(), [], chains(400)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    if sick:
        model.embedding = nn.Embedding(8, 24)
        model.head.weight = model.embedding.weight
    for rows in batches(400, 32, epochs=5):
        optimizer.zero_grad()
        output = model(symbols[rows, :-1])
        loss = F.cross_entropy(output.flatten(0, 1), symbols[rows, 1:].flatten())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def missing_layer(sick: bool) -> list[float]:
    """Parameter groups made by hand. Sick: that of the head is forgotten."""
    x, y = classes()
    model, losses = mlp(), []
    groups = [{"params": list(model[0].parameters()), "lr": 1e-2}]
    if not sick:
        groups.append({"params": list(model[2].parameters()), "lr": 2e-2})
    optimizer = torch.optim.Adam(groups)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def replaced_head(sick: bool) -> list[float]:
    """A new head for new classes. Sick: it is put in after the optimizer was made."""
    x, y = classes()
    model, losses = mlp(10), []
    if not sick:
        model[2] = nn.Linear(32, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    if sick:
        model[2] = nn.Linear(32, 3)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def optimizer_of_a_copy(sick: bool) -> list[float]:
    """Training goes on with the best weights. Sick: on a copy that the optimizer does not know."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    if sick:
        model = copy.deepcopy(model)
    for rows in batches(600, 32, epochs=4):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


class Stack(nn.Module):
    """Layers in a `ModuleList`, or in a Python list, where the module does not see them."""

    def __init__(self, hidden: bool) -> None:
        super().__init__()
        layers = [nn.Linear(8, 16), nn.Linear(16, 16)]
        self.layers = layers if hidden else nn.ModuleList(layers)
        self.head = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.relu(layer(x))
        return self.head(x)


def layers_in_a_list(sick: bool) -> list[float]:
    """A stack of layers. Sick: in a Python list, so `parameters()` has only the head's."""
    x, y = classes()
    torch.manual_seed(0)
    model, losses = Stack(hidden=sick), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


class Cut(nn.Module):
    """Three layers; the graph is cut before the last one in one of several ways."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.first, self.second, self.head = nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.second(torch.relu(self.first(x))))
        if self.how == "detach":
            x = x.detach()
        elif self.how == "data":
            x = x.data
        elif self.how == "numpy":
            x = torch.from_numpy(x.detach().numpy() * 1.0)
        elif self.how == "new tensor":
            x = torch.tensor(x.tolist())
        elif self.how == "no_grad":
            with torch.no_grad():
                x = x * 1.0
        return self.head(x)


def graph_cut(sick: bool, how: str = "detach") -> list[float]:
    """Three layers. Sick: the loss reaches the last one alone."""
    x, y = classes()
    torch.manual_seed(0)
    model, losses = Cut(how if sick else ""), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def by_hand(sick: bool) -> list[float]:
    """Gradient descent without an optimizer. Sick: `.grad` is never cleared."""
    x, y = classes()
    model, losses = mlp(), []
    for rows in batches(600, 32, epochs=6):
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.3 * p.grad
                if not sick:
                    p.grad = None
        losses.append(loss.item())
    return losses


def by_hand_with_grad(sick: bool) -> list[float]:
    """Gradient descent with `torch.autograd.grad`. No sick version."""
    x, y = classes()
    model, losses = mlp(), []
    for rows in batches(600, 32, epochs=6):
        loss = F.cross_entropy(model(x[rows]), y[rows])
        gradients = torch.autograd.grad(loss, tuple(model.parameters()))
        with torch.no_grad():
            for p, gradient in zip(model.parameters(), gradients, strict=True):
                p.sub_(gradient, alpha=0.3)
        losses.append(loss.item())
    return losses


def two_optimizers(sick: bool) -> list[float]:
    """One optimizer for the body, another for the head. Sick: the middle layer is in neither."""
    x, y = classes()
    torch.manual_seed(0)
    model, losses = Cut(""), []
    body = [*model.first.parameters(), *(() if sick else model.second.parameters())]
    optimizers = torch.optim.Adam(body, lr=1e-2), torch.optim.SGD(model.head.parameters(), lr=0.2)
    for rows in batches(600, 32, epochs=5):
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        losses.append(loss.item())
    return losses


def rates_by_group(sick: bool) -> list[float]:
    """A smaller rate for the lower layers, and no decay of biases. No sick version."""
    x, y = classes()
    torch.manual_seed(0)
    model, losses = Cut(""), []
    groups = [
        {"params": [model.first.weight, model.second.weight], "lr": 1e-3, "weight_decay": 0.01},
        {"params": [model.first.bias, model.second.bias], "lr": 1e-3, "weight_decay": 0.0},
        {"params": model.head.parameters(), "lr": 3e-2, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def frozen_then_thawed(sick: bool) -> list[float]:
    """The head alone for 30 steps, then all weights, as in gradual fine-tuning. Sick: the thawed
    layers are never given to the optimizer."""
    x, y = classes()
    torch.manual_seed(0)
    model, losses = Cut(""), []
    for layer in (model.first, model.second):
        layer.requires_grad_(False)
    optimizer = torch.optim.Adam(model.head.parameters(), lr=1e-2)
    for k, rows in enumerate(batches(600, 32, epochs=6)):
        if k == 30:
            for layer in (model.first, model.second):
                layer.requires_grad_(True)
                if not sick:
                    optimizer.add_param_group({"params": layer.parameters(), "lr": 1e-2})
        model.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
