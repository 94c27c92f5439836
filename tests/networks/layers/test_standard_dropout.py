"""Dropout that scales in use."""

from __future__ import annotations

import pytest
import torch

import netwise as nw


def test_units_are_dropped_in_training_and_scaled_in_use() -> None:
    from netwise.networks.layers.standard_dropout import StandardDropout

    layer, x = StandardDropout(0.3), torch.ones(200, 500)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        trained = layer(x)
    assert set(trained.unique().tolist()) == {0.0, 1.0}  # not scaled
    assert float(trained.mean()) == pytest.approx(0.7, abs=0.01)
    assert torch.equal(layer.eval()(x), torch.full_like(x, 0.7))  # of the mean in training


def test_both_forms_are_the_same_network_up_to_the_scale_of_the_next_layer() -> None:
    """With equal draws, and weights of the next layer times 1 - p in the inverted form."""
    inverted = nw.MLP((6, 20, 3), dropout=0.4)
    standard = inverted.but(dropout_form="standard")
    a, b = inverted.build(), standard.build()
    b.load_state_dict(a.state_dict())
    with torch.no_grad():
        b.layer2.weight.div_(1 - 0.4)
    x = torch.randn(50, 6, generator=torch.Generator().manual_seed(0))
    for mode in (True, False):
        outputs = []
        for module in (a.train(mode), b.train(mode)):
            with torch.random.fork_rng():
                torch.manual_seed(1)
                outputs.append(module(x))
        torch.testing.assert_close(outputs[0], outputs[1])


def test_the_field_is_written_only_where_it_is_used() -> None:
    recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3), dropout=0.2))
    assert "dropout_form" not in nw.recipe_text(recipe)
    other = recipe.but(network=recipe.network.but(dropout_form="standard"))
    assert 'dropout_form = "standard"' in nw.recipe_text(other)
    assert other.hash != recipe.hash
    script = nw.to_script(other)
    assert "class StandardDropout" in script


def test_a_run_learns_with_it() -> None:
    network = nw.MLP((64, 64, 10), dropout=0.5, dropout_form="standard")
    recipe = nw.Recipe(data=nw.data.digits(), network=network, epochs=10)
    accuracy = nw.fit(recipe, test=False).history.of("valid.accuracy")
    assert accuracy is not None
    assert accuracy.last > 0.85
