"""Small images: digits of 8 by 8 pixels, and drawn shapes."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, OneCycleLR, StepLR
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, TensorDataset

from calibration.zoo.program import accuracy, digits, healthy


def epochs_of(net, optimizer, rounds, size=50, criterion=F.cross_entropy, scheduler=None):
    """Trains on the digits; each epoch ends with the test. Returns the accuracy."""
    x, y, x_test, y_test = digits()
    for _ in range(rounds):
        net.train()
        for i in torch.randperm(len(x)).split(size):
            optimizer.zero_grad()
            criterion(net(x[i]), y[i]).backward()
            optimizer.step()
        if scheduler is not None:
            scheduler.step()
        net.eval()
        with torch.no_grad():
            out = net(x_test)
            criterion(out, y_test)
    return accuracy(out, y_test)


@healthy(good=0.93)
def batch_norm_convolution():
    net = nn.Sequential(
        *(nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()),
        *(nn.Conv2d(8, 16, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, 10)),
    )
    return epochs_of(net, torch.optim.SGD(net.parameters(), 0.05, 0.9, weight_decay=5e-4), 8)


@healthy(good=0.9)
def group_norm_convolution():
    net = nn.Sequential(
        *(nn.Conv2d(1, 8, 3), nn.GroupNorm(4, 8), nn.SiLU()),
        *(nn.Conv2d(8, 16, 3), nn.GroupNorm(4, 16), nn.SiLU()),
        *(nn.Flatten(), nn.Linear(256, 10)),
    )
    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    return epochs_of(net, opt, 7, scheduler=CosineAnnealingLR(opt, 7))


class Branch(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.one = nn.Conv2d(channels, channels, 3, padding=1)
        self.two = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.two.weight)
        nn.init.zeros_(self.two.bias)

    def forward(self, x):
        return x + self.two(F.relu(self.one(F.relu(x))))


@healthy(good=0.92)
def residual_branches_from_zero():
    net = nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), Branch(12), Branch(12), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(192, 10),
    )  # fmt: skip
    return epochs_of(net, torch.optim.Adam(net.parameters(), 2e-3), 6)


@healthy(good=0.9)
def bfloat16():
    x, y, x_test, y_test = digits()
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 10))
    opt = torch.optim.AdamW(net.parameters(), lr=2e-3)
    warm = LambdaLR(opt, lambda step: min(1.0, (step + 1) / 30))
    for _ in range(12):
        for i in torch.randperm(1000).split(40):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = F.cross_entropy(net(x[i]), y[i])
            opt.zero_grad()
            loss.backward()
            opt.step()
            warm.step()
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        return accuracy(net(x_test).float(), y_test)


@healthy(good=0.9)
def four_batches_a_step():
    x, y, x_test, y_test = digits()
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 10))
    opt = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
    loader = DataLoader(TensorDataset(x, y), batch_size=10, shuffle=True)
    for _ in range(10):
        for number, (xb, yb) in enumerate(loader, 1):
            (nn.functional.cross_entropy(net(xb), yb) / 4).backward()
            if number % 4 == 0:
                opt.step()
                opt.zero_grad()
    with torch.no_grad():
        return accuracy(net(x_test), y_test)


@healthy(good=0.9)
def recomputed_activations():
    x, y, x_test, y_test = digits()
    first = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU())
    blocks = nn.ModuleList(nn.Sequential(nn.Linear(64, 64), nn.ReLU()) for _ in range(3))
    last = nn.Linear(64, 10)
    opt = torch.optim.Adam([*first.parameters(), *blocks.parameters(), *last.parameters()], 2e-3)

    def forward(batch):
        h = first(batch)
        for block in blocks:
            h = checkpoint(block, h, use_reentrant=False)
        return last(h)

    for _ in range(10):
        for i in torch.randperm(1000).split(50):
            opt.zero_grad()
            F.cross_entropy(forward(x[i]), y[i]).backward()
            opt.step()
    with torch.no_grad():
        return accuracy(forward(x_test), y_test)


@healthy(good=0.9)
def one_cycle_and_clipping():
    x, y, x_test, y_test = digits()
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 80), nn.ReLU(), nn.Linear(80, 10))
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    cycle = OneCycleLR(opt, max_lr=0.4, total_steps=20 * 15)
    for _ in range(15):
        for i in torch.randperm(1000).split(50):
            opt.zero_grad()
            F.cross_entropy(net(x[i]), y[i]).backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            opt.step()
            cycle.step()
    with torch.no_grad():
        return accuracy(net(x_test), y_test)


@healthy(good=0.85)
def shifted_images():
    """Images rolled by a pixel in training."""
    x, y, x_test, y_test = digits()
    net = nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(12, 24, 3),
        nn.ReLU(), nn.Flatten(), nn.Dropout(0.2), nn.Linear(96, 10),
    )  # fmt: skip
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(10):
        net.train()
        for i in torch.randperm(1000).split(50):
            a, b = torch.randint(-1, 2, (2,)).tolist()
            opt.zero_grad()
            F.cross_entropy(net(torch.roll(x[i], (a, b), (2, 3))), y[i]).backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            test_loss = F.cross_entropy(net(x_test), y_test)
    assert test_loss.isfinite()
    with torch.no_grad():
        return accuracy(net(x_test), y_test)


@healthy(good=0.9)
def softmax_regression():
    """A linear model suffices for these images."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    return epochs_of(net, torch.optim.SGD(net.parameters(), lr=0.1), 10, 32)


@healthy(good=0.9)
def softmax_regression_from_zero():
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    nn.init.zeros_(net[1].weight)
    nn.init.zeros_(net[1].bias)
    return epochs_of(net, torch.optim.SGD(net.parameters(), lr=0.2), 10, 100)


@healthy(good=0.88)
def second_order_steps():
    x, y, x_test, y_test = digits()
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 20), nn.Tanh(), nn.Linear(20, 10))
    opt = torch.optim.LBFGS(net.parameters(), lr=1.0, max_iter=10, line_search_fn="strong_wolfe")

    def closure():
        opt.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss = loss + 1e-3 * sum(p.pow(2).sum() for p in net.parameters())
        loss.backward()
        return loss

    for _ in range(8):
        opt.step(closure)
    with torch.no_grad():
        return accuracy(net(x_test), y_test)


@healthy(good=0.9)
def smoothed_labels_and_steps():
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 10))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    return epochs_of(net, opt, 12, criterion=criterion, scheduler=StepLR(opt, 4, 0.3))


@healthy(good=0.9)
def mixup():
    x, y, x_test, y_test = digits()
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    beta = torch.distributions.Beta(0.4, 0.4)
    for _ in range(14):
        for i in torch.randperm(1000).split(50):
            j, share = i[torch.randperm(len(i))], float(beta.sample())
            out = net(share * x[i] + (1 - share) * x[j])
            loss = share * F.cross_entropy(out, y[i]) + (1 - share) * F.cross_entropy(out, y[j])
            opt.zero_grad()
            loss.backward()
            opt.step()
    with torch.no_grad():
        return accuracy(net(x_test), y_test)


class Patches(nn.Module):
    """A small vision transformer: 16 patches of 2 by 2 pixels."""

    def __init__(self, width=32):
        super().__init__()
        self.patch = nn.Conv2d(1, width, 2, stride=2)
        self.place = nn.Parameter(0.02 * torch.randn(1, 17, width))
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        layer = nn.TransformerEncoderLayer(
            width, 4, 64, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        h = self.patch(x).flatten(2).transpose(1, 2)
        h = torch.cat([self.token.expand(len(x), -1, -1), h], 1) + self.place
        return self.head(self.blocks(h).mean(1))


@healthy(good=0.8)
def vision_transformer():
    net = Patches()
    opt = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=0.05)
    return epochs_of(net, opt, 15, scheduler=CosineAnnealingLR(opt, 15))


def squares(count):
    """Noisy images (16 by 16) with one bright rectangle, its mask, and its centre from 0 to 1."""
    masks, centres = torch.zeros(count, 1, 16, 16), torch.zeros(count, 2)
    for i in range(count):
        r, c = torch.randint(2, 10, (2,)).tolist()
        masks[i, 0, r - 2 : r + 4, c - 2 : c + 4] = 1
        centres[i] = torch.tensor([r + 1, c + 1]) / 15
    return masks + 0.5 * torch.randn_like(masks), masks, centres


@healthy(good=0.75)
def segmentation():
    """Intersection over union of a rectangle, by cross-entropy and Dice together."""
    images, masks, _ = squares(300)
    down = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    middle = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU())
    up = nn.Sequential(nn.ConvTranspose2d(8, 8, 2, 2), nn.ReLU(), nn.Conv2d(8, 1, 1))
    net = nn.Sequential(down, middle, up)
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(10):
        for i in torch.randperm(240).split(24):
            out = net(images[i])
            p = out.sigmoid()
            dice = 1 - (2 * (p * masks[i]).sum() + 1) / (p.sum() + masks[i].sum() + 1)
            loss = F.binary_cross_entropy_with_logits(out, masks[i]) + dice
            opt.zero_grad()
            loss.backward()
            opt.step()
    with torch.no_grad():
        found, true = net(images[240:]) > 0, masks[240:].bool()
    return (found & true).sum() / (found | true).sum()


@healthy(good=0.6)
def centre_of_a_shape():
    images, _, centres = squares(400)
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(392, 32), nn.ReLU(),
        nn.Linear(32, 2), nn.Sigmoid(),
    )  # fmt: skip
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(20):
        for i in torch.randperm(320).split(32):
            opt.zero_grad()
            F.smooth_l1_loss(net(images[i]), centres[i], beta=0.1).backward()
            opt.step()
    with torch.no_grad():
        error = (net(images[320:]) - centres[320:]).pow(2).mean()
    return 1 - error / centres[320:].var(0).mean()


@healthy(good=0.85)
def depthwise_with_dropout():
    net = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.Hardswish()),
        *(nn.Conv2d(16, 16, 3, padding=1, groups=16), nn.Conv2d(16, 24, 1), nn.Hardswish()),
        *(nn.Dropout2d(0.1), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(384, 10)),
    )
    return epochs_of(net, torch.optim.NAdam(net.parameters(), lr=3e-3), 7)
