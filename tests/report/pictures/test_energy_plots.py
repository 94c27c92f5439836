"""What memories, energy models and autoencoders have learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import netwise as nw
from netwise import signals
from netwise.report.pictures.energy_plots import learned_pictures, unsupervised_curves

DIGITS = nw.data.digits().load()


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("rbm", ("Filters", "reconstructions", "Unfamiliar", "Samples", "completed", "Codes")),
        ("dbn", ("Filters", "reconstructions", "Unfamiliar", "Samples", "Codes")),
        ("autoencoder", ("Filters", "reconstructions", "Unfamiliar", "Codes")),
        ("variational", ("Filters", "reconstructions", "Unfamiliar", "Samples", "Codes")),
    ],
)
def test_each_kind_shows_what_it_has(name: str, titles: tuple[str, ...], drawn: list[Any]) -> None:
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


def test_a_memory_shows_its_recall(drawn: list[Any]) -> None:
    data, network = nw.data.random_patterns(count=4, units=64), nw.Hopfield(64)
    run = nw.fit(nw.Recipe(data=data, network=network))
    assert len(learned_pictures(run.module, torch.zeros(0, 64), (64,))) == 4
    stored, steps, energy, rates = (figure.axes[0] for figure in drawn)
    first = stored.images[0].get_array()[:8, :8]
    np.testing.assert_array_equal(first.reshape(-1), run.module.patterns[0])
    assert [label.get_text() for label in steps.get_yticklabels()] == [
        "25 % flipped",
        "1/3 updated",
        "2/3 updated",
        "all once",
        "converged",
    ]
    assert len(energy.lines) == 4
    for line in energy.lines:
        assert np.all(np.diff(line.get_ydata()) <= 1e-9)
    exact, overlap = rates.lines
    measured = np.array(run.module.recall_rates())
    np.testing.assert_allclose(exact.get_ydata(), measured[:, 1])
    np.testing.assert_allclose(overlap.get_ydata(), measured[:, 2])
    np.testing.assert_allclose(exact.get_xdata(), 100 * measured[:, 0])


def test_a_boltzmann_machine_shows_its_weights(drawn: list[Any]) -> None:
    run = nw.fit(
        nw.Recipe(
            data=nw.data.encoder_problem(),
            network=nw.BoltzmannMachine(8, 2),
            loss=nw.ExactGradient(),
            epochs=2,
            batch_size=4,
        )
    )
    learned_pictures(run.module, torch.eye(8), (8,))
    image = drawn[-1].axes[0]
    assert image.get_title(loc="left") == "Weights between units (the first 8 are visible)"
    weight = run.module.weight.detach()
    np.testing.assert_allclose(image.images[0].get_array(), weight)


def test_nothing_is_drawn_of_inputs_that_are_no_images() -> None:
    recipe = nw.Recipe(
        data=nw.data.wine(),
        preprocess=(nw.Standardise(),),
        network=nw.Autoencoder((13, 4)),
        loss=nw.MeanSquaredError(),
        epochs=1,
    )
    run = nw.fit(recipe)
    (codes,) = learned_pictures(run.module, torch.zeros(5, 13), (13,))
    assert "Codes (4 numbers)" in codes
    assert learned_pictures(nw.MLP((4, 3)).build(), torch.zeros(5, 4), (4,)) == []


def test_curves_have_a_line_per_signal_and_a_mark_where_the_next_layer_starts(
    drawn: list[Any],
) -> None:
    rows = [
        {
            "step": i,
            signals.PSEUDO_LIKELIHOOD: -20.0 + i,
            signals.BASE_RATE_LIKELIHOOD: -21.0,
            signals.STAGE: float(1 + i // 2),
        }
        for i in range(4)
    ]
    assert len(unsupervised_curves(nw.History.from_rows(rows))) == 1
    axis = drawn[0].axes[0]
    pseudo, baseline, start = axis.lines
    assert pseudo.get_label() == "pseudo-likelihood"
    assert list(pseudo.get_ydata()) == [-20.0, -19.0, -18.0, -17.0]
    assert baseline.get_label() == "independent inputs"
    assert list(start.get_xdata()) == [2.5, 2.5]
    assert axis.get_xlabel() == "epoch (dashed: the next layer starts)"


def test_a_baseline_alone_is_not_drawn() -> None:
    rows = [{"step": i, signals.BASE_RATE_LIKELIHOOD: -21.0} for i in range(3)]
    assert unsupervised_curves(nw.History.from_rows(rows)) == []
