"""Inception blocks, and GoogLeNet's auxiliary heads."""

from __future__ import annotations

import torch

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
