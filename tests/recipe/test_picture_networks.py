"""Networks for pictures: one that fits their size, and the one that weights in a file have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import netwise as nw
from netwise.networks import Network
from netwise.recipe.picture_networks import described_beginning, transfer_side, transferred


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    for name in ("day", "night", "dusk"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(5):
            pixels = draw.integers(0, 255, (64, 64, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{i}.png")
    return tmp_path / "photos"


def saved(network: Network, path: Path) -> dict[str, torch.Tensor]:
    tensors = {name: value.contiguous() for name, value in network.build().state_dict().items()}
    if path.suffix == ".pt":
        torch.save(tensors, path)
    else:
        save_file(tensors, path)
    return tensors


@pytest.mark.parametrize(("side", "stages"), [(1, 1), (3, 1), (28, 3), (64, 4), (224, 5)])
def test_pictures_begin_with_stages_that_fit_their_size(
    photos: Path, side: int, stages: int
) -> None:
    recipe = nw.suggest(nw.data.images(photos, height=side, width=side))
    assert isinstance(recipe.network, nw.ConvNet)
    assert recipe.network.image == (3, side, side)
    assert nw.check(recipe) == []
    if side != 28:
        assert len(recipe.network.channels) == stages
    assert "begins with a ConvNet" in described_beginning(recipe)
    assert "--init weights.safetensors" in described_beginning(recipe)


def test_bundled_images_keep_their_quick_network() -> None:
    assert isinstance(nw.suggest(nw.data.digits()).network, nw.MLP)


@pytest.mark.parametrize(
    "network",
    [
        nw.ConvNet(image=(3, 64, 64), channels=(4, 8), classes=2, means=True),
        nw.CIFARResNet(depth=20, image=(3, 64, 64), classes=4),
    ],
    ids=lambda network: type(network).__name__,
)
@pytest.mark.parametrize("ending", [".safetensors", ".pt"])
def test_the_network_of_weights_is_found_and_begins_with_them(
    photos: Path, network: Network, ending: str
) -> None:
    path = photos.parent / f"weights{ending}"
    tensors = saved(network, path)
    recipe = nw.suggest(nw.data.images(photos, height=64, width=64), epochs=1)
    recipe = transferred(recipe, path)
    assert type(recipe.network) is type(network)
    assert recipe.network.classes == 3  # type: ignore[attr-defined]
    run = nw.fit(recipe.but(optimizer=nw.SGD(lr=1e-12)))
    own = run.module.state_dict()
    copied = [name for name in own if "conv" in name and name.endswith("weight")]
    assert copied
    assert all(torch.allclose(own[name], tensors[name], atol=1e-6) for name in copied)
    assert "with the weights of" in described_beginning(recipe)


def test_a_resnet_for_imagenet_is_recognised(photos: Path) -> None:
    path = photos.parent / "weights.safetensors"
    saved(nw.ResNet(depth=34, image=(3, 64, 64), classes=7), path)
    recipe = transferred(nw.suggest(nw.data.images(photos, height=64, width=64)), path)
    assert recipe.network == nw.ResNet(depth=34, image=(3, 64, 64), classes=3)
    assert recipe.init == nw.From(path=str(path), anew=("fc",))


def test_as_many_classes_keep_the_last_layer(photos: Path) -> None:
    path = photos.parent / "weights.safetensors"
    saved(nw.ConvNet(image=(3, 64, 64), channels=(4, 8), classes=3, means=True), path)
    recipe = transferred(nw.suggest(nw.data.images(photos, height=64, width=64)), path)
    assert recipe.init.anew == ()  # type: ignore[attr-defined]


def test_weights_for_imagenet_take_larger_pictures(tmp_path: Path) -> None:
    saved(nw.ResNet(depth=18, image=(3, 64, 64), width=0.125), tmp_path / "a.safetensors")
    saved(nw.ConvNet(channels=(4,)), tmp_path / "b.safetensors")
    assert transfer_side(tmp_path / "a.safetensors") == 128
    assert transfer_side(tmp_path / "b.safetensors") is None
    assert transfer_side(tmp_path) is None


def test_weights_of_an_unknown_network_are_refused_with_what_is_known(photos: Path) -> None:
    path = photos.parent / "weights.safetensors"
    save_file({"encoder.weight": torch.zeros(3, 3)}, path)
    recipe = nw.suggest(nw.data.images(photos, height=64, width=64))
    with pytest.raises(nw.DataError, match="no network of netwise.*Known are ResNet, VGG"):
        transferred(recipe, path)
    with pytest.raises(nw.DataError, match="weights to begin with are for pictures"):
        transferred(nw.suggest(nw.data.iris()), path)
