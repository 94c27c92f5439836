"""Samples that count unequally: against repetition, and against torch's own weighted losses."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import netwise as nw

G = torch.Generator().manual_seed(0)
X = torch.randn(40, 3, generator=G)
CLASSES = (torch.arange(40) % 3).tolist()
NUMBERS = (X.sum(1) + 0.1).tolist()
COUNTS = torch.randint(1, 4, (40,), generator=G)


@pytest.mark.parametrize(
    "loss",
    [
        nw.CrossEntropy(),
        nw.CrossEntropy(label_smoothing=0.1),
        nw.BinaryCrossEntropy(),
        nw.Quadratic(),
        nw.MeanSquaredError(),
        nw.Hinge(),
        nw.Hinge(power=2),
    ],
    ids=str,
)
def test_the_loss_of_each_sample_has_the_mean_of_the_batch(loss: nw.Loss) -> None:
    output = torch.randn(7, 4, generator=torch.Generator().manual_seed(1))
    target = torch.tensor([0, 1, 2, 3, 0, 1, 2])
    torch.testing.assert_close(loss.per_sample()(output, target).mean(), loss(output, target))


@pytest.mark.parametrize(
    "loss", [nw.MeanAbsoluteError(), nw.Huber(), nw.MeanSquaredError()], ids=str
)
def test_the_loss_of_each_number_too(loss: nw.Loss) -> None:
    output, target = torch.randn(2, 7, 2, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(loss.per_sample()(output, target).mean(), loss(output, target))


@pytest.mark.parametrize(
    ("y", "loss"), [(CLASSES, nw.CrossEntropy()), (NUMBERS, nw.Huber())], ids=["classes", "numbers"]
)
def test_full_batches_with_weights_are_those_with_repeated_samples(
    y: list[float], loss: nw.Loss
) -> None:
    def learned(
        x: torch.Tensor, targets: list[float], weights: torch.Tensor | None
    ) -> torch.Tensor:
        data = nw.data.arrays(x, targets, weights=weights, valid=0.0, test=0.0, scale_target=False)
        outputs = 3 if y is CLASSES else 1
        recipe = nw.Recipe(
            data=data,
            network=nw.MLP((3, 5, outputs)),
            loss=loss,
            optimizer=nw.SGD(lr=0.1),
            batch_size=1000,
            epochs=20,
        )
        return next(nw.fit(recipe).module.parameters()).detach()

    again = torch.arange(40).repeat_interleave(COUNTS)
    weighted = learned(X, y, COUNTS)
    torch.testing.assert_close(
        weighted, learned(X[again], [y[i] for i in again.tolist()], None), rtol=1e-4, atol=1e-5
    )
    assert not torch.allclose(weighted, learned(X, y, None), atol=1e-3)


def test_a_run_of_weighted_samples_goes_through_a_folder(tmp_path: Path) -> None:
    data = nw.data.arrays(X, CLASSES, weights=COUNTS)
    recipe = nw.Recipe(data=data, network=nw.MLP((3, 5, 3)), epochs=2)
    run = nw.fit(recipe, folder=tmp_path / "run")
    again = nw.load(tmp_path / "run").recipe
    assert again == recipe
    assert again.hash == recipe.hash != recipe.but(data=nw.data.arrays(X, CLASSES)).hash
    valid = data.load().valid
    assert valid.weight is not None
    loss = (
        valid.weight * nw.CrossEntropy().per_sample()(run.outputs(valid.x), valid.y)
    ).sum() / valid.weight.sum()
    series = run.history.of("valid.loss")
    assert series is not None
    assert series.last == pytest.approx(float(loss), rel=1e-5)


def test_a_script_refuses_weights_by_name() -> None:
    recipe = nw.Recipe(
        data=nw.data.arrays(X, CLASSES, weights=COUNTS), network=nw.MLP((3, 5, 3)), epochs=2
    )
    with pytest.raises(nw.WrongValue, match=r"data\.weights"):
        recipe.to_script()


def test_impossible_weights_are_refused() -> None:
    with pytest.raises(nw.DataError, match="do not fit 40 samples: pass one"):
        nw.data.arrays(X, CLASSES, weights=[1.0]).load()
    with pytest.raises(nw.DataError, match="at least 0"):
        nw.data.arrays(X, CLASSES, weights=[-1.0] * 40).load()
    data = nw.data.arrays(X, CLASSES, weights=COUNTS)
    with pytest.raises(nw.WrongValue, match="computes its own loss: delete them"):
        nw.fit(nw.Recipe(data=data, network=nw.Autoencoder((3, 2)), loss=nw.MeanSquaredError()))
    with pytest.raises(nw.WrongValue, match="give every training sample the weight 0"):
        nw.fit(
            nw.Recipe(
                data=nw.data.arrays(X, CLASSES, weights=[0.0] * 40), network=nw.MLP((3, 5, 3))
            )
        )
