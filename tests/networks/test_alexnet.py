"""AlexNet: its two towers, and normalisation across maps."""

from __future__ import annotations

import torch

import netwise as nw

SMALL = nw.AlexNet(towers=True, image=(3, 67, 67), classes=5, width=0.1)


def test_a_tower_does_not_see_the_other_one() -> None:
    """conv2, conv4 and conv5 of the paper are connected to their own half only."""
    module = SMALL.build().eval()
    grouped = [m for m in module.modules() if isinstance(m, torch.nn.Conv2d) and m.groups == 2]
    assert len(grouped) == 3
    half = grouped[0].in_channels // 2
    x = torch.rand(1, grouped[0].in_channels, 9, 9)
    other = x.clone()
    other[:, half:] = 0
    outs = grouped[0].out_channels // 2
    with torch.no_grad():
        assert torch.equal(grouped[0](x)[:, :outs], grouped[0](other)[:, :outs])
        assert not torch.equal(grouped[0](x)[:, outs:], grouped[0](other)[:, outs:])


def test_the_modern_form_has_one_tower() -> None:
    module = nw.AlexNet(image=(3, 64, 64), classes=5, width=0.1).build()
    assert all(m.groups == 1 for m in module.modules() if isinstance(m, torch.nn.Conv2d))
    assert module.eval()(torch.rand(2, 3, 64, 64)).shape == (2, 5)


def test_response_normalisation_is_the_papers_formula() -> None:
    """b = a / (k + alpha sum a^2)^beta, with k = 2, n = 5, alpha = 1e-4, beta = 0.75."""
    norms = [m for m in SMALL.build().modules() if isinstance(m, torch.nn.LocalResponseNorm)]
    assert norms
    a = torch.rand(1, 12, 3, 3) * 30
    square = torch.nn.functional.pad(a.square(), (0, 0, 0, 0, 2, 2))
    total = torch.stack([square[:, i : i + 12] for i in range(5)]).sum(0)
    torch.testing.assert_close(norms[0](a), a / (2 + 1e-4 * total) ** 0.75)
