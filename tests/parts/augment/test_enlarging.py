"""Augmentations that enlarge the training part."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

import netwise as nw

X = torch.rand(3, 2, 12, 12, generator=torch.Generator().manual_seed(0))


def g(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_copies_hold_the_old_samples_first_and_their_targets() -> None:
    x, y = X, torch.tensor([4, 5, 6])
    more, targets = nw.NoiseCopies(copies=2, std=0.5).enlarge(x, y, g())
    assert torch.equal(more[:3], x)
    assert targets.tolist() == [4, 5, 6] * 3
    assert float((more[3:] - x.repeat(2, 1, 1, 1)).std()) == pytest.approx(0.5, rel=0.1)
    more, targets = nw.ShiftCopies().enlarge(x, y, g())
    assert len(more) == 15
    assert torch.equal(more[3:6, :, :-1], x[:, :, 1:])  # up by one
    assert not more[3:6, :, -1].any()
    assert torch.equal(more[12:15, :, :, 1:], x[:, :, :, :-1])  # right by one


def test_resampling_balances_classes_or_bootstraps() -> None:
    x = torch.arange(100.0)[:, None]
    y = (torch.arange(100) < 90).long()
    rows, kinds = nw.Resample(factor=2.0).enlarge(x, y, g())
    assert torch.bincount(kinds).tolist() == [100, 100]
    assert bool(((rows[:, 0] < 90).long() == kinds).all())
    _, plain = nw.Resample(balanced=False).enlarge(x, y, g())
    assert len(plain) == 100
    assert 80 < int(plain.sum()) < 98
    numbers = nw.Resample(factor=0.5).enlarge(x, x.clone(), g())
    assert torch.equal(numbers[0], numbers[1])


@pytest.mark.parametrize("form", ["gaussian", "kde"])
def test_draws_from_a_fitted_distribution_have_its_moments(form: str) -> None:
    base = torch.randn(400, 3, generator=g(1)) @ torch.tensor(
        [[1.0, 0.5, 0.0], [0.0, 1.0, 0.2], [0.0, 0.0, 0.3]]
    )
    y = (torch.arange(400) % 2).long()
    x = base + 5 * y[:, None]
    more, kinds = nw.FromDistribution(form=form, factor=20).enlarge(x, y, g(2))
    for kind in (0, 1):
        own, drawn = x[y == kind].numpy(), more[400:][kinds[400:] == kind].numpy()
        assert len(drawn) == 4000
        np.testing.assert_allclose(drawn.mean(0), own.mean(0), atol=0.12)
        wide = (
            1.0 if form == "gaussian" else 1 + float(stats.gaussian_kde(own.T).factor) ** 2
        )  # kde adds its own width
        np.testing.assert_allclose(np.cov(drawn.T), wide * np.cov(own.T), atol=0.15)
    with pytest.raises(nw.DataError, match="are not class numbers"):
        nw.FromDistribution().enlarge(x, x, g())


def test_a_run_learns_from_what_was_added() -> None:
    recipe = nw.Recipe(
        data=nw.data.iris(),
        network=nw.MLP((4, 3)),
        augment=(nw.NoiseCopies(copies=3),),
        batch_size=10,
        epochs=1,
    )
    steps = nw.fit(recipe).history.ended.step
    assert steps == -(-len(nw.data.iris().load().train) * 4 // 10)
