"""Inception blocks, and GoogLeNet's auxiliary heads."""

from __future__ import annotations

import torch
from torch import nn

import netwise as nw

SMALL = nw.GoogLeNet(image=(3, 32, 32), classes=5, width=0.1, dropout=0.0, auxiliary_dropout=0.0)


def test_a_block_joins_its_four_branches() -> None:
    block = nw.InceptionBlock(6, (2, 3, 4, 1, 2, 3)).eval()
    x = torch.rand(2, 6, 7, 7)
    branches = [branch(x) for branch in block.children()]
    assert [b.shape[1] for b in branches] == [2, 4, 2, 3]
    assert all(b.shape[2:] == (7, 7) for b in branches)
    assert torch.equal(block(x), torch.cat(branches, 1))


def test_auxiliary_heads_answer_in_training_only() -> None:
    torch.manual_seed(0)
    module = SMALL.build()
    x = torch.rand(4, 3, 32, 32)
    outputs = module(x)
    assert isinstance(outputs, tuple)
    assert [o.shape for o in outputs] == [(4, 5)] * 3
    assert module.eval()(x).shape == (4, 5)
    assert SMALL.has_auxiliary_outputs
    plain = SMALL.but(auxiliary=False)
    assert not plain.has_auxiliary_outputs
    assert plain.build().train()(x).shape == (4, 5)


def test_auxiliary_losses_have_their_weight() -> None:
    """One step of gradient descent equals one on loss + 0.3 * (both auxiliary losses)."""
    x = torch.rand(40, 3, 32, 32).numpy()
    data = nw.data.arrays(x, [0, 1, 2, 3, 4] * 8, valid=0.0, test=0.0)
    recipe = nw.Recipe(
        data=data,
        network=SMALL.but(batch_norm=False),
        optimizer=nw.SGD(lr=0.1),
        batch_size=40,
        epochs=1,
        init=nw.ModuleDefault(),
    )
    frozen = nw.fit(recipe.but(optimizer=nw.SGD(lr=1e-30))).module  # the initial weights
    trained = nw.fit(recipe).module
    frozen.train()
    samples = data.load().train
    main, *heads = frozen(samples.x)
    loss = nn.functional.cross_entropy
    total = loss(main, samples.y) + 0.3 * sum(loss(head, samples.y) for head in heads)
    total.backward()
    for before, after in zip(frozen.parameters(), trained.parameters(), strict=True):
        expected = before.detach() - 0.1 * before.grad
        torch.testing.assert_close(after.detach(), expected, rtol=1e-3, atol=1e-4)
