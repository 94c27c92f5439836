"""
Find the fault in a training loop of your own
=============================================

The loop below never clears its gradients. ``nw.watch`` observes it while it runs and changes none
of its numbers. Nothing is passed to it and nothing is called in the loop.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn

import netwise as nw

torch.manual_seed(0)
digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32) / 16
y = torch.tensor(digits.target)

model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
loss_function = nn.CrossEntropyLoss()

with nw.watch() as watcher:
    for _ in range(5):
        for batch in torch.randperm(len(x)).split(64):
            loss = loss_function(model(x[batch]), y[batch])  # optimizer.zero_grad() is missing
            loss.backward()
            optimizer.step()

print(nw.diagnose(watcher.history()))

# %%
# What the observer read from the autograd graph and from the optimizer's steps.

wiring = watcher.history().wiring
print(wiring.module, wiring.optimizers, wiring.trainable, "parameters")
print(wiring.losses[0].operation, "of", " of ".join(wiring.losses[0].chain))
