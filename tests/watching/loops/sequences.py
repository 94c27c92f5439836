"""Loops over sequences: recurrent networks, transformers, packing, sparse embeddings."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from watching.loops.samples import batches, chains, classes


class Recurrent(nn.Module):
    """The next symbol after each symbol, by a GRU."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(9, 16), nn.Linear(32, 8)
        self.rnn = nn.GRU(16, 32, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(self.embedding(x))[0])


class Transformer(nn.Module):
    """The next symbol after each symbol, by one layer of attention."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.places = nn.Embedding(9, 16), nn.Parameter(torch.zeros(16, 16))
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
        self.norm, self.head = nn.LayerNorm(16), nn.Linear(16, 8)

    def forward(self, x: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        h = self.layer(self.embedding(x) + self.places[: x.shape[1]], src_mask=mask)
        return self.head(self.norm(h))


def language_model(sick: bool, attention: bool = False) -> list[float]:
    """Outputs (n, t, c), and targets with -100 where a row is padded. Sick: softmax before
    cross-entropy."""
    torch.manual_seed(0)
    model, losses, symbols = Transformer() if attention else Recurrent(), [], chains(300)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(300, 32, epochs=7 if attention else 6):
        optimizer.zero_grad()
        x, y = symbols[rows, :-1], symbols[rows, 1:].clone()
        y[torch.arange(11)[None] >= 6 + rows[:, None] % 6] = -100
        output = model(x)
        output = output.softmax(-1) if sick else output
        loss = F.cross_entropy(output.transpose(1, 2), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def flattened_language_model(sick: bool) -> list[float]:
    """Outputs and targets in one long row. Sick: the hidden state of the last batch is carried over
    and detached, but so is the recurrent layer's output."""
    torch.manual_seed(0)
    model, losses, symbols = Recurrent(), [], chains(300)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(300, 30, epochs=7):
        optimizer.zero_grad()
        h = model.rnn(model.embedding(symbols[rows, :-1]))[0]
        output = model.head(h.detach() if sick else h)
        loss = F.cross_entropy(output.reshape(-1, 8), symbols[rows, 1:].reshape(-1))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def carried_state(sick: bool) -> list[float]:
    """Truncated backpropagation through time: the hidden state goes on, detached. No sick
    version."""
    torch.manual_seed(0)
    model, losses, symbols = Recurrent(), [], chains(32, length=241)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(3):
        state = None
        for start in range(0, 240, 10):
            optimizer.zero_grad()
            h, state = model.rnn(model.embedding(symbols[:, start : start + 10]), state)
            state = state.detach()
            target = symbols[:, start + 1 : start + 11]
            loss = F.cross_entropy(model.head(h).flatten(0, 1), target.flatten())
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


class Packed(nn.Module):
    """The class of a sequence from the last state of an LSTM over its true length."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.rnn = nn.Embedding(9, 12), nn.LSTM(12, 24, batch_first=True)
        self.head = nn.Linear(24, 2)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(
            self.embedding(x), lengths, batch_first=True, enforce_sorted=False
        )
        output, (state, _) = self.rnn(packed)
        pad_packed_sequence(output, batch_first=True)
        return self.head(state[-1])


def packed_sequences(sick: bool) -> list[float]:
    """Rows of several lengths in one packed batch. Sick: the recurrent layer is in no optimizer."""
    torch.manual_seed(0)
    model, losses, x = Packed(), [], torch.randint(8, (400, 10))
    lengths = torch.randint(3, 11, (400,))
    last = x[torch.arange(400), lengths - 1]
    y = (last > 3).long()
    trained = [p for n, p in model.named_parameters() if not (sick and n.startswith("rnn"))]
    optimizer = torch.optim.Adam(trained, lr=1e-2)
    for rows in batches(400, 32, epochs=7):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows], lengths[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def sparse_embedding(sick: bool) -> list[float]:
    """Sparse gradients with their own optimizer. Sick: that optimizer is never stepped."""
    torch.manual_seed(0)
    embedding = nn.Embedding(50, 12, sparse=True)
    model, losses = nn.Sequential(embedding, nn.Flatten(), nn.Linear(48, 24)), []
    model.extend([nn.ReLU(), nn.Linear(24, 2)])
    x = torch.randint(50, (400, 4))
    y = ((x < 20).sum(1) > 1).long()
    of_embedding = torch.optim.SparseAdam(list(embedding.parameters()), lr=2e-2)
    of_rest = torch.optim.Adam(model[2:].parameters(), lr=1e-2)
    for rows in batches(400, 32, epochs=7):
        of_embedding.zero_grad()
        of_rest.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        if not sick:
            of_embedding.step()
        of_rest.step()
        losses.append(loss.item())
    return losses


def lazy_layers(sick: bool) -> list[float]:
    """Layers that learn their size in the first pass. No sick version."""
    x, y = classes()
    torch.manual_seed(0)
    model, losses = nn.Sequential(nn.LazyLinear(32), nn.ReLU(), nn.LazyLinear(3)), []
    model(x[:2])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


class _Turned(nn.Module):
    """A recurrent network over sequences (batch, time, 3), by one of several ways to turn axes."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way
        self.rnn = nn.GRU(3, 24, batch_first=way == "batch first")
        self.head = nn.Linear(24, 3)

    def forward(self, x: Tensor) -> Tensor:
        n, length, features = x.shape
        if self.way == "view":
            return self.head(self.rnn(x.view(length, n, features))[0][-1])
        if self.way == "transpose":
            return self.head(self.rnn(x.transpose(0, 1))[0][-1])
        return self.head(self.rnn(x)[0][:, -1])


def turned_axes(sick: bool, wrong: str = "view") -> list[float]:
    """Sequences with the batch first for a network that wants the time first: scrambled by a view,
    or not turned at all. Source: zamanzadeh/CARLA, issue 16."""
    torch.manual_seed(0)
    y = torch.randint(3, (300,))
    phase = 6.28 * torch.rand(300, 1, 3)
    x = torch.sin(0.5 * (1 + y)[:, None, None] * torch.arange(10.0)[None, :, None] + phase)
    right = "transpose" if wrong == "view" else "batch first"
    model, losses = _Turned(wrong if sick else right), []
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for i in batches(300, 25, epochs=8):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[i]), y[i])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


class Beginnings(nn.Module):
    """Classes of padded rows of symbols, read off at a symbol of its own before each row."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault = fault
        self.symbols = nn.Embedding(7, 16, padding_idx=0)
        self.places = nn.Parameter(0.1 * torch.randn(9, 16))
        self.first = nn.Parameter(0.1 * torch.randn(1, 1, 16))
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=fault != "axes")
        self.head = nn.Linear(16, 3)

    def forward(self, ids: Tensor) -> Tensor:
        x = torch.cat([self.first.expand(len(ids), 1, 16), self.symbols(ids)], 1) + self.places
        if self.fault == "axes":
            return self.head(self.layer(x)[:, 0])
        padding = ids == 0 if self.fault != "mask" else ids != 0
        mask = F.pad(padding, (1, 0))
        return self.head(self.layer(x, src_key_padding_mask=mask)[:, 0])


def beginnings(sick: bool, fault: str) -> list[float]:
    """Sick: the mask hides the symbols, or the samples lie on the axis of the places."""
    torch.manual_seed(0)
    ids = torch.randint(1, 7, (300, 8))
    lengths = torch.randint(3, 9, (300, 1))
    ids[torch.arange(8)[None] >= lengths] = 0
    y, model, losses = ids[:, 0] % 3, Beginnings(fault if sick else ""), []
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for rows in batches(300, 30, epochs=10):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(ids[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
