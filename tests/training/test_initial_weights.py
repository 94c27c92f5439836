"""First weights come from an initializer, a run folder, a file or a recipe."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import netwise as nw
from netwise.training.fit import initialize, trained_tensors
from netwise.training.initial_weights import initialize_weights, origin_tensors

RECIPE = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=2)


def no_training(recipe: nw.Recipe) -> dict[str, torch.Tensor]:
    raise AssertionError("nothing has to be trained")


def test_weights_are_drawn_by_the_seed_of_the_recipe() -> None:
    x, y = RECIPE.data.load().train.x, RECIPE.data.load().train.y
    modules = []
    for seed in (0, 0, 1):
        module = RECIPE.network.build()
        initialize_weights(module, RECIPE.but(init=nw.He(), seed=seed), x, y, no_training)
        modules.append(module.state_dict()["layer1.weight"])
    assert torch.equal(modules[0], modules[1])
    assert not torch.equal(modules[0], modules[2])


def test_weights_of_a_folder_a_file_and_a_recipe_are_equal(tmp_path: Path) -> None:
    run = nw.fit(RECIPE, folder=tmp_path / "run", test=False)
    weights = dict(run.module.state_dict())
    save_file({k: v.contiguous() for k, v in weights.items()}, tmp_path / "w.safetensors")
    for tensors in (
        origin_tensors(nw.From(str(tmp_path / "run")), no_training),
        origin_tensors(nw.From(str(tmp_path / "w.safetensors")), no_training),
        origin_tensors(nw.From(recipe=RECIPE), trained_tensors),
    ):
        assert tensors.keys() == weights.keys()
        assert all(torch.equal(tensors[name], weights[name]) for name in weights)


def test_a_run_starts_from_the_weights_of_its_origin() -> None:
    module = RECIPE.network.build()
    samples = RECIPE.data.load().train
    initialize(module, RECIPE.but(init=nw.From(recipe=RECIPE)), samples.x, samples.y)
    expected = trained_tensors(RECIPE)
    assert all(torch.equal(value, expected[name]) for name, value in module.state_dict().items())


def test_an_origin_is_trained_once_and_again_after_its_file_changed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,y\n" + "1,u\n2,v\n" * 40)
    recipe = nw.Recipe(data=nw.data.csv(path, "y"), network=nw.MLP((1, 2)), epochs=1)
    first = trained_tensors(recipe)
    assert trained_tensors(recipe) is first
    path.write_text("a,y\n" + "1,v\n2,u\n" * 44)
    second = trained_tensors(recipe)
    assert not torch.equal(first["layer1.weight"], second["layer1.weight"])


def test_an_origin_that_diverges_is_named() -> None:
    wild = RECIPE.but(optimizer=nw.SGD(lr=1e30))
    with pytest.raises(nw.RunFolderError, match=r"diverged \(Diverged at step.*Lower the learning"):
        trained_tensors(wild)
