"""
Find the fault of a script without changing it
==============================================

This program does not know of netwise. It runs without an error, and its accuracy stays near that of
guessing. ``netwise watch`` runs it unchanged and names the cause:

.. code-block:: sh

    netwise watch examples/plain_pytorch.py
"""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32) / 16
y = torch.tensor(digits.target)

model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.8)  # meant for each epoch
loss_function = nn.CrossEntropyLoss()

for epoch in range(10):
    for batch in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        loss = loss_function(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        accuracy = (model(x).argmax(1) == y).float().mean()
    print(f"epoch {epoch}: accuracy {accuracy:.1%}")
