"""Gradients have memory of their own, in the layout of their parameters."""

from __future__ import annotations

import torch

from netwise.training.captured.own_memory import own_gradients


def test_only_shared_or_differently_laid_out_gradients_are_copied() -> None:
    parameters = [torch.zeros(2, 3) for _ in range(5)]
    whole = torch.rand(2, 2, 3)
    shown = torch.rand(2, 3)
    gradients = [torch.rand(2, 3), torch.rand(3, 2).t(), whole[0], shown, None]
    own = own_gradients(parameters, gradients, [shown])
    assert own[0] is gradients[0]
    assert own[4] is None
    for found, gradient, parameter in zip(own[:4], gradients[:4], parameters[:4], strict=True):
        assert found is not None
        assert gradient is not None
        assert torch.equal(found, gradient)
        assert found.stride() == parameter.stride()
    storages = {each.untyped_storage().data_ptr() for each in own if each is not None}
    assert len(storages | {shown.untyped_storage().data_ptr()}) == 5
