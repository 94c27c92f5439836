"""Measures of the autoencoder labs on small networks, against linear algebra."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.labs.features.autoencoders import (
    DenoisingSettings,
    angle_to_components,
    codes,
    denoising_arms,
    denoising_criteria,
    linear_probe,
    pca_error,
    reconstruction_criteria,
    reconstruction_error,
    reconstructions,
)
from netwise.labs.lab_definition import LabResult


@pytest.fixture
def linear() -> nw.Run:
    """A linear autoencoder of the digits, hardly trained."""
    return nw.fit(
        nw.Recipe(
            data=nw.data.digits(),
            preprocess=(nw.Standardise(),),
            network=nw.Autoencoder((64, 3), activation=nw.Identity(), tied=False),
            loss=nw.MeanSquaredError(),
            epochs=1,
        )
    )


def inputs(run: nw.Run) -> torch.Tensor:
    """(samples, 64): the training inputs as the network gets them."""
    x = run.recipe.data.load().train.x
    return run.recipe.preprocess[0].apply(x, run.pipeline.fitted[0]).flatten(1)


def principal(x: torch.Tensor) -> torch.Tensor:
    """(64, 3): the first right singular vectors of centred inputs."""
    return torch.linalg.svd((x - x.mean(0)).double(), full_matrices=False).Vh[:3].t()


def test_codes_and_reconstructions_are_those_of_the_layers(linear: nw.Run) -> None:
    x = inputs(linear)
    first, back = (linear.module.get_submodule(name) for name in ("layer1", "back1"))
    with torch.no_grad():
        expected = first(x)
        reconstruction = back(expected)
    assert torch.allclose(codes(linear, x), expected, atol=1e-5)
    assert torch.allclose(reconstructions(linear, x), reconstruction, atol=1e-5)
    squared = (reconstruction - x).square().mean()
    assert reconstruction_error(linear, x) == pytest.approx(float(squared), rel=1e-5)


def test_the_angle_is_0_for_the_components_and_90_for_others(linear: nw.Run) -> None:
    decoder = linear.module.get_submodule("back1").weight
    assert isinstance(decoder, torch.Tensor)
    components = principal(inputs(linear))
    mixed = components @ torch.randn(3, 3, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        decoder.copy_(mixed)  # any basis of the subspace
    assert angle_to_components(linear) < 0.1
    orthogonal = torch.linalg.qr(torch.cat([components, torch.eye(64).double()], 1)).Q[:, 3:6]
    with torch.no_grad():
        decoder.copy_(orthogonal)
    assert angle_to_components(linear) == pytest.approx(90, abs=0.1)


def test_the_error_of_pca_is_the_variance_it_leaves() -> None:
    x = torch.randn(300, 10, generator=torch.Generator().manual_seed(0)) * torch.arange(1.0, 11)
    variances = np.linalg.eigvalsh(np.cov(x.numpy().T, bias=True))
    assert pca_error(x, x, 4) == pytest.approx(variances[:6].sum() / 10, rel=1e-3)


def test_a_probe_reads_what_the_codes_hold() -> None:
    g = torch.Generator().manual_seed(0)
    labels = torch.randint(3, (600,), generator=g)
    noise = torch.randn(600, 4, generator=g)
    informative_codes = torch.cat([torch.eye(3)[labels] * 6, noise], 1)
    train, test = slice(0, 400), slice(400, 600)
    accuracy = linear_probe(
        informative_codes[train], labels[train], informative_codes[test], labels[test], 0
    )
    assert accuracy > 97
    blind = linear_probe(noise[train], labels[train], noise[test], labels[test], 0)
    assert blind == pytest.approx(100 / 3, abs=12)


def test_arms_differ_in_the_noise() -> None:
    arms = denoising_arms(DenoisingSettings())
    assert list(arms) == [
        "masked 0.0",
        "masked 0.25",
        "masked 0.5",
        "overcomplete",
        "overcomplete, masked 0.25",
    ]
    plain, masked = arms["masked 0.0"].network, arms["masked 0.5"].network
    assert isinstance(plain, nw.Autoencoder)
    assert isinstance(masked, nw.Autoencoder)
    assert plain.corrupt == ()
    assert masked.corrupt == (nw.Mask(share=0.5),)


RECONSTRUCTION = {
    "squared error of a pixel, MNIST, training": 0.005,
    "squared error of a pixel, MNIST, test": 0.006,
    "squared error of a pixel, PCA, MNIST, test": 0.017,
    "Fashion-MNIST over MNIST": 9.0,
    "linear: largest angle to the principal components, degrees": 1.0,
}
DENOISING = {
    "gain of the best share over none, points": 1.0,
    "overcomplete: share of foreign data given back": 0.95,
    "overcomplete, masked 0.25: share of foreign data given back": 0.6,
}


@pytest.mark.parametrize(
    ("criteria", "good", "bad", "number"),
    [
        (reconstruction_criteria, RECONSTRUCTION, 1.1, "Fashion-MNIST over MNIST"),
        (reconstruction_criteria, RECONSTRUCTION, 0.0, "squared error of a pixel, MNIST, training"),
        (denoising_criteria, DENOISING, 0.2, "gain of the best share over none, points"),
        (denoising_criteria, DENOISING, 0.5, "overcomplete: share of foreign data given back"),
    ],
)
def test_one_bad_number_fails_one_criterion(criteria, good, bad, number) -> None:
    assert all(criterion.holds for criterion in criteria(good))
    result = LabResult({}, criteria({**good, number: bad}), "", {})
    assert result.verdict == "partly confirmed"
    assert [c.value for c in result.criteria if not c.holds] == [bad]


def test_pca_that_is_better_does_not_change_the_verdict() -> None:
    worse = {**RECONSTRUCTION, "squared error of a pixel, PCA, MNIST, test": 0.004}
    result = LabResult({}, reconstruction_criteria(worse), "", {})
    assert result.verdict == "confirmed"
    assert not result.criteria[-1].holds
