"""Programs after problems that users of PyTorch have reported in public: exact facts of masks,
places, shapes, lengths and classes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from watching.loops.samples import batches, mlp

LENGTH = 9


def _train(model: nn.Module, x: Tensor, y: Tensor, rate: float = 5e-3) -> list[float]:
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=rate), []
    for rows in batches(len(x), 32, epochs=10):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


class _Attentive(nn.Module):
    """Attention over symbols, of which 0 is padding."""

    def __init__(self, inverted: bool) -> None:
        super().__init__()
        self.inverted = inverted
        self.symbols = nn.Embedding(7, 16)
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.head = nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = self.symbols(x)
        mask = x != 0 if self.inverted else x == 0
        h = h[:, :1] + self.attention(h[:, :1], h, h, key_padding_mask=mask)[0]
        answer: Tensor = self.head(h[:, 0])
        return answer


def mask_of_what_is_real(sick: bool) -> list[float]:
    """Sick: the mask of padding is True at what is no padding."""
    generator = torch.Generator().manual_seed(2)
    lengths = torch.randint(3, LENGTH + 1, (320, 1), generator=generator)
    x = torch.randint(1, 7, (320, LENGTH), generator=generator)
    x = x * (torch.arange(LENGTH) < lengths)
    torch.manual_seed(0)
    return _train(_Attentive(sick), x, (x == 2).any(1).long(), rate=1e-2)


class _Placed(nn.Module):
    """Sequences of numbers with a table of places."""

    def __init__(self, along_batch: bool) -> None:
        super().__init__()
        self.along_batch = along_batch
        self.inner, self.outer = nn.Linear(3, 24), nn.Linear(24, 2)
        self.table: Tensor
        self.register_buffer("table", torch.randn(64, 24))

    def forward(self, x: Tensor) -> Tensor:
        h = self.inner(x)
        places = self.table[: len(x), None] if self.along_batch else self.table[: x.shape[1]]
        answer: Tensor = self.outer(torch.relu(h + places).mean(1))
        return answer


def places_along_the_batch(sick: bool) -> list[float]:
    """Sick: a code of places is added along the samples. The class is where the peak is."""
    generator = torch.Generator().manual_seed(3)
    x = 0.1 * torch.randn(320, 6, 3, generator=generator)
    peak = torch.randint(6, (320,), generator=generator)
    x[torch.arange(320), peak, 0] += 4
    torch.manual_seed(0)
    return _train(_Placed(sick), x, (peak > 2).long(), rate=1e-2)


class _Tagged(nn.Module):
    """A class for each of seven symbols, as cross-entropy wants it: (samples, classes, places)."""

    def __init__(self, viewed: bool) -> None:
        super().__init__()
        self.viewed = viewed
        self.symbols, self.head = nn.Embedding(10, 16), nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.head(self.symbols(x))
        return h.view(len(x), 5, 7) if self.viewed else h.transpose(1, 2)


def view_for_transpose(sick: bool) -> list[float]:
    """Sick: places and classes are exchanged by `view`."""
    x = torch.randint(10, (320, 7), generator=torch.Generator().manual_seed(4))
    torch.manual_seed(0)
    return _train(_Tagged(sick), x, x % 5, rate=1e-2)


def channels_last(sick: bool) -> list[float]:
    """Sick: series are (samples, time, channels), as other libraries want them."""
    generator = torch.Generator().manual_seed(8)
    y = torch.randint(3, (480,), generator=generator)
    start = torch.rand(480, 1, 2, generator=generator)
    speed = (1.0 + y)[:, None, None] * torch.tensor([1.0, 1.3])
    x = torch.sin(6.3 * (start + speed * torch.linspace(0, 2, 40)[None, :, None]))
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv1d(40 if sick else 2, 8, 5 if not sick else 2), nn.ReLU(), nn.AdaptiveMaxPool1d(1),
        nn.Flatten(), nn.Linear(8, 3),
    )  # fmt: skip
    return _train(model, x if sick else x.transpose(1, 2).contiguous(), y, rate=1e-2)


def angles_as_numbers(sick: bool) -> list[float]:
    """Sick: an angle is the target itself; healthy: its sine and cosine."""
    generator = torch.Generator().manual_seed(9)
    turn = 6.2831 * torch.rand(480, 1, generator=generator)
    both = torch.cat([turn.sin(), turn.cos()], 1)
    x = torch.cat([both, both**2, torch.randn(480, 4, generator=generator)], 1)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 1 if sick else 2))
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=1e-2), []
    for rows in batches(480, 32, epochs=8):
        loss = F.mse_loss(model(x[rows]), (turn if sick else both)[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def labels_without_room(sick: bool) -> list[float]:
    """Sick: strides leave fewer time steps than there are labels, and CTC has no path."""
    generator = torch.Generator().manual_seed(5)
    y = torch.randint(1, 4, (160, 4), generator=generator)
    x = F.one_hot(y.repeat_interleave(3, 1), 4).float().transpose(1, 2)
    torch.manual_seed(0)
    stride = 4 if sick else 1
    model = nn.Sequential(nn.Conv1d(4, 16, 3, stride, 1), nn.ReLU(), nn.Conv1d(16, 4, 1))
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=2e-2), []
    for rows in batches(160, 16, epochs=5):
        steps = F.log_softmax(model(x[rows]), 1).permute(2, 0, 1)
        lengths = torch.full((16,), len(steps)), torch.full((16,), 4)
        loss = F.ctc_loss(steps, y[rows], *lengths, zero_infinity=True)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def ranks_with_zeros(sick: bool) -> list[float]:
    """Sick: pairs are marked by 1 and 0, and the ranking loss wants 1 and -1."""
    generator = torch.Generator().manual_seed(6)
    x, other = torch.randn(2, 320, 8, generator=generator)
    better = (x[:, 0] > other[:, 0]).float()
    target = better if sick else 2 * better - 1
    model = mlp(outputs=1)
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=1e-2), []
    for rows in batches(320, 32, epochs=4):
        pair = model(x[rows])[:, 0], model(other[rows])[:, 0]
        loss = F.margin_ranking_loss(*pair, target[rows], margin=0.5)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def class_of_the_padding(sick: bool) -> list[float]:
    """Sick: the loss leaves out the number of a class, of which it is taken for padding."""
    generator = torch.Generator().manual_seed(7)
    x = torch.randn(320, 8, generator=generator)
    y = (x[:, 0] > 0).long() + (x[:, 1] > 0).long()
    model = mlp()
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=1e-2), []
    for _ in range(8):
        for rows in torch.randperm(240).split(24):
            loss = F.cross_entropy(model(x[rows]), y[rows], ignore_index=2 if sick else -100)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            (model(x[240:]).argmax(1) == y[240:]).float().mean()
    return losses


def masks_of_one_class(sick: bool) -> list[float]:
    """Sick: masks were scaled like pictures, and are 0 as whole numbers."""
    generator = torch.Generator().manual_seed(8)
    x = torch.rand(96, 1, 6, 6, generator=generator)
    y = (x[:, 0] > 0.5).long() + (x[:, 0] > 0.8).long()
    y = (y / 255).long() if sick else y
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 12, 1), nn.ReLU(), nn.Conv2d(12, 3, 1))
    return _train(model, x, y, rate=5e-2)


def inputs_scaled_twice(sick: bool) -> list[float]:
    """Sick: inputs differ by little more than nothing from what they have in common."""
    generator = torch.Generator().manual_seed(9)
    x = torch.randn(320, 6, generator=generator)
    y = (x[:, 0] > 0).long()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
    return _train(model, x / 250 - 0.9 if sick else x, y, rate=1e-3 if sick else 1e-2)
