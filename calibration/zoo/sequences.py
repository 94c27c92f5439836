"""Letters, words and series in time."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

from calibration.zoo.program import accuracy, healthy, r2

TEXT = (
    "a run is a function of a value. the recipe is fit and gives a run, the run has a history, "
    "the history is read by the rules, and the rules give a report. a rule that reads a number "
    "says what it has read. a run that learns is left in peace. "
)
LETTERS = sorted(set(TEXT))
CODES = torch.tensor([LETTERS.index(letter) for letter in TEXT * 6])


class Letters(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.table = nn.Embedding(len(LETTERS), 24)
        self.lstm = nn.LSTM(24, width, batch_first=True)
        self.out = nn.Linear(width, len(LETTERS))

    def forward(self, codes, state=None):
        h, state = self.lstm(self.table(codes), state)
        return self.out(h), state


@healthy(good=0.6)
def lstm_of_letters():
    net = Letters()
    opt = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _ in range(120):
        starts = torch.randint(len(CODES) - 33, (16,))
        window = torch.stack([CODES[s : s + 33] for s in starts])
        logits, _ = net(window[:, :-1])
        loss = F.cross_entropy(logits.reshape(-1, len(LETTERS)), window[:, 1:].reshape(-1))
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
    return accuracy(logits, window[:, 1:])


@healthy(good=0.6)
def truncated_backpropagation():
    """The state goes from one window to the next, and its graph does not."""
    net = Letters(48)
    opt = torch.optim.Adam(net.parameters(), lr=1e-2)
    rows = CODES[: len(CODES) // 8 * 8].view(8, -1)
    for _ in range(14):
        state = None
        for start in range(0, rows.shape[1] - 21, 20):
            window = rows[:, start : start + 21]
            logits, state = net(window[:, :-1], state)
            state = tuple(s.detach() for s in state)
            loss = F.cross_entropy(logits.transpose(1, 2), window[:, 1:])
            opt.zero_grad()
            loss.backward()
            opt.step()
    return accuracy(logits, window[:, 1:])


class Causal(nn.Module):
    def __init__(self, vocabulary, width=32, longest=32):
        super().__init__()
        self.table = nn.Embedding(vocabulary, width)
        self.place = nn.Embedding(longest, width)
        layer = nn.TransformerEncoderLayer(width, 4, 64, 0.0, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, vocabulary)

    def forward(self, codes):
        length = codes.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        h = self.table(codes) + self.place(torch.arange(length))
        return self.out(self.norm(self.blocks(h, mask=mask, is_causal=True)))


@healthy(good=0.5)
def transformer_of_letters():
    net = Causal(len(LETTERS))
    opt = torch.optim.AdamW(net.parameters(), lr=1e-2, weight_decay=0.01)
    for step in range(300):
        for group in opt.param_groups:
            group["lr"] = 1e-2 * min(1, (step + 1) / 20)
        starts = torch.randint(len(CODES) - 33, (16,))
        window = torch.stack([CODES[s : s + 33] for s in starts])
        logits = net(window[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), window[:, 1:].flatten())
        opt.zero_grad()
        loss.backward()
        opt.step()
    return accuracy(logits, window[:, 1:])


@healthy(good=0.8)
def masked_letters():
    """A tenth of the letters is hidden and predicted; all others are ignored by the loss."""
    table = nn.Embedding(len(LETTERS) + 1, 24)
    gru = nn.GRU(24, 48, batch_first=True, bidirectional=True)
    out = nn.Linear(96, len(LETTERS))
    parameters = [*table.parameters(), *gru.parameters(), *out.parameters()]
    opt = torch.optim.Adam(parameters, lr=1e-2)
    for _ in range(200):
        starts = torch.randint(len(CODES) - 24, (24,))
        window = torch.stack([CODES[s : s + 24] for s in starts])
        hidden = torch.rand(window.shape) < 0.1
        target = torch.where(hidden, window, -100)
        h, _ = gru(table(window.masked_fill(hidden, len(LETTERS))))
        logits = out(h)
        loss = F.cross_entropy(logits.flatten(0, 1), target.flatten())
        opt.zero_grad()
        loss.backward()
        opt.step()
    return accuracy(logits[hidden], window[hidden])


@healthy(good=0.8)
def reversal_with_teacher_forcing():
    """Reads up to six digits and writes them backwards; rows are padded with 0."""
    encoder, decoder = nn.GRU(16, 48, batch_first=True), nn.GRU(16, 48, batch_first=True)
    table, out = nn.Embedding(12, 16, padding_idx=0), nn.Linear(48, 12)
    modules = nn.ModuleList([encoder, decoder, table, out])
    opt = torch.optim.Adam(modules.parameters(), lr=1e-2)
    criterion = nn.CrossEntropyLoss(ignore_index=0)

    def batch(count):
        length = torch.randint(3, 7, (count,))
        source = torch.randint(2, 12, (count, 6))
        places = torch.arange(6)
        inside = places < length[:, None]
        back = source.gather(1, (length[:, None] - 1 - places).clamp(min=0))
        return source * inside, back * inside

    for _ in range(350):
        source, target = batch(48)
        _, state = encoder(table(source))
        before = torch.cat([torch.ones(48, 1, dtype=torch.long), target[:, :-1]], 1)
        h, _ = decoder(table(before), state)
        logits = out(h)
        loss = criterion(logits.transpose(1, 2), target)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(modules.parameters(), 2.0)
        opt.step()
    seen = target != 0
    return accuracy(logits[seen], target[seen])


@healthy(good=0.85)
def bag_of_words():
    """Which of four topics a bag of words is from."""
    topics = torch.softmax(2.0 * torch.randn(4, 120), 1)
    y = torch.randint(4, (800,))
    words = torch.stack([torch.multinomial(topics[t], 12, replacement=True) for t in y])
    net = nn.Sequential(nn.EmbeddingBag(120, 16, mode="mean"), nn.Linear(16, 4))
    opt = torch.optim.Adam(net.parameters(), lr=2e-2)
    for _ in range(12):
        for i in torch.randperm(600).split(40):
            opt.zero_grad()
            F.cross_entropy(net(words[i]), y[i]).backward()
            opt.step()
    with torch.no_grad():
        return accuracy(net(words[600:]), y[600:])


def season(length=700):
    time = torch.arange(length).float()
    wave = torch.sin(time / 6) + 0.5 * torch.sin(time / 17)
    return wave + 0.1 * torch.randn(length)


@healthy(good=0.85)
def windows_of_a_series():
    """Windows in order, with shuffling of the training part only; the test is what comes later."""
    series = season()
    windows = series.unfold(0, 25, 1)
    x, y = windows[:, :-1, None], windows[:, -1:]
    cell, out = nn.LSTM(1, 24, batch_first=True), nn.Linear(24, 1)
    opt = torch.optim.Adam([*cell.parameters(), *out.parameters()], lr=1e-2)
    for _ in range(12):
        for i in torch.randperm(500).split(50):
            opt.zero_grad()
            F.mse_loss(out(cell(x[i])[0][:, -1]), y[i]).backward()
            opt.step()
    with torch.no_grad():
        return r2(out(cell(x[530:])[0][:, -1]), y[530:])


@healthy(good=0.8)
def dilated_convolution():
    series = season(900)
    windows = series.unfold(0, 33, 1)
    x, y = windows[:, None, :-1], windows[:, -1:]
    net = nn.Sequential(
        *(nn.Conv1d(1, 12, 2, dilation=1), nn.ReLU(), nn.Conv1d(12, 12, 2, dilation=2), nn.ReLU()),
        *(nn.Conv1d(12, 12, 2, dilation=4), nn.ReLU(), nn.Flatten(), nn.Linear(12 * 25, 1)),
    )
    opt = torch.optim.AdamW(net.parameters(), lr=2e-3)
    for _ in range(8):
        for i in torch.randperm(700).split(32):
            opt.zero_grad()
            F.l1_loss(net(x[i]), y[i]).backward()
            opt.step()
    with torch.no_grad():
        return r2(net(x[740:]), y[740:])


@healthy(good=0.9)
def sum_over_time():
    """Whether the marked numbers of a series sum to more than 0."""
    x = torch.randn(1200, 12, 2)
    x[..., 1] = (torch.rand(1200, 12) < 0.3).float()
    y = ((x[..., 0] * x[..., 1]).sum(1) > 0).float()
    cell, out = nn.GRU(2, 24, batch_first=True), nn.Linear(24, 1)
    opt = torch.optim.Adam([*cell.parameters(), *out.parameters()], lr=1e-2)
    for _ in range(15):
        for i in torch.randperm(1000).split(50):
            opt.zero_grad()
            logit = out(cell(x[i])[1][0]).squeeze(1)
            F.binary_cross_entropy_with_logits(logit, y[i]).backward()
            opt.step()
    with torch.no_grad():
        return ((out(cell(x[1000:])[1][0]).squeeze(1) > 0) == y[1000:].bool()).float().mean()


@healthy(good=0.85)
def alignment_free_labels():
    """Connectionist temporal classification of short patterns."""
    patterns = torch.randn(4, 3, 6)
    net = nn.Sequential(nn.Conv1d(6, 32, 3, padding=1), nn.ReLU(), nn.Conv1d(32, 5, 1))
    opt = torch.optim.Adam(net.parameters(), lr=1e-2)
    ctc = nn.CTCLoss()
    for _ in range(120):
        labels = torch.randint(4, (16, 3))
        x = torch.cat([patterns[labels[:, i]] for i in range(3)], 1)
        x = (x + 0.3 * torch.randn_like(x)).transpose(1, 2)
        log_p = net(x).permute(2, 0, 1).log_softmax(-1)
        lengths = torch.full((16,), 9), torch.full((16,), 3)
        loss = ctc(log_p, labels + 1, *lengths)
        opt.zero_grad()
        loss.backward()
        opt.step()
    best = log_p.argmax(-1).T
    texts = [
        [c for c, n in zip(r, [*r[1:], -1], strict=True) if c != n and c] for r in best.tolist()
    ]
    right = [t == want for t, want in zip(texts, (labels + 1).tolist(), strict=True)]
    distinct = (labels[:, 1:] != labels[:, :-1]).all(1)
    kept = [r for r, d in zip(right, distinct.tolist(), strict=True) if d]
    return sum(kept) / max(len(kept), 1) if kept else math.nan
