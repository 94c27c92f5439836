"""Pictures of what was learned: they are drawn from what the modules give, and only where there is
something to see."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.report.pictures.energy_plots import learned_pictures, unsupervised_curves
from netwise.report.pictures.mosaic import as_images, image_sheet, mosaic, scatter_codes

DIGITS = nw.data.digits().load()


def test_a_mosaic_puts_images_in_rows_with_gaps() -> None:
    images = np.arange(3 * 2 * 2, dtype=float).reshape(3, 2, 2)
    made = mosaic(images, 2)
    assert made.shape == (5, 5)
    np.testing.assert_array_equal(made[:2, :2], images[0])
    np.testing.assert_array_equal(made[:2, 3:], images[1])
    np.testing.assert_array_equal(made[3:, :2], images[2])
    assert np.isnan(made[2]).all()


def test_rows_are_images_where_their_shape_says_so_or_they_are_squares() -> None:
    assert as_images(np.zeros((4, 12)), (3, 2, 2)).shape == (4, 2, 2, 3)
    assert as_images(np.zeros((4, 12)), (1, 3, 4)).shape == (4, 3, 4)
    assert as_images(np.zeros((4, 64)), (64,)).shape == (4, 8, 8)
    assert as_images(np.zeros((4, 13)), (13,)) is None


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("rbm", ("Filters", "reconstructions", "Unfamiliar", "Samples", "completed", "Codes")),
        ("dbn", ("Filters", "reconstructions", "Unfamiliar", "Samples", "Codes")),
        ("autoencoder", ("Filters", "reconstructions", "Unfamiliar", "Codes")),
        ("variational", ("Filters", "reconstructions", "Unfamiliar", "Samples", "Codes")),
    ],
)
def test_each_kind_shows_what_it_has(name: str, titles: tuple[str, ...]) -> None:
    run = nw.fit(nw.gallery.healthy[name].recipe.but(epochs=2))
    x = DIGITS.valid.x.round() if name in ("rbm", "dbn") else DIGITS.valid.x
    pictures = learned_pictures(run.module, x, (1, 8, 8), DIGITS.valid.y, DIGITS.classes)
    labels = [picture.partition('aria-label="')[2].partition('"')[0] for picture in pictures]
    for title in titles:
        assert any(title in label for label in labels), (title, labels)
    assert len(labels) == len(set(labels)) == len(titles)
    curves = unsupervised_curves(run.history)
    assert curves
    assert all(picture.startswith("<svg") for picture in (*pictures, *curves))


def test_a_memory_shows_its_patterns_as_they_settle_and_its_energy_as_it_falls() -> None:
    run = nw.fit(
        nw.Recipe(data=nw.data.random_patterns(count=4, units=64), network=nw.Hopfield(64))
    )
    pictures = learned_pictures(run.module, torch.zeros(0, 64), (64,))
    assert ["Recall from noise" in p for p in pictures].count(True) >= 1
    assert any("Energy" in p for p in pictures)
    assert any("noise" in p.lower() for p in pictures)


def test_a_boltzmann_machine_shows_its_weights() -> None:
    run = nw.fit(
        nw.Recipe(
            data=nw.data.encoder_problem(),
            network=nw.BoltzmannMachine(8, 2),
            loss=nw.ExactGradient(),
            epochs=2,
            batch_size=4,
        )
    )
    assert any(
        "Weights between all units" in p for p in learned_pictures(run.module, torch.eye(8), (8,))
    )


def test_nothing_is_drawn_of_what_is_no_image() -> None:
    recipe = nw.Recipe(
        data=nw.data.wine(),
        preprocess=(nw.Standardise(),),
        network=nw.Autoencoder((13, 4)),
        loss=nw.MeanSquaredError(),
        epochs=1,
    )
    run = nw.fit(recipe)
    pictures = learned_pictures(run.module, torch.zeros(5, 13), (13,))
    assert len(pictures) == 1  # the codes
    assert image_sheet(np.zeros((0, 2, 2)), "nothing") == ""
    assert "<svg" in scatter_codes(np.zeros((3, 2)), None, (), "dots")


@pytest.mark.parametrize("name", ["rbm", "denoising", "hopfield", "dbn", "posterior_collapse"])
def test_a_report_of_such_a_run_is_one_whole_page(name: str) -> None:
    specimen = nw.gallery.healthy.get(name) or nw.gallery.sick[name]
    from netwise.report.run_page import run_page

    text = run_page(nw.fit(specimen.recipe.but(epochs=2)))
    assert "What the network has learned" in text
    assert text.count("<html") == 1
    assert "Infinity" not in text
