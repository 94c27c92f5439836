"""A recipe as a plain script: it names netwise nowhere, and its weights are the same to the last
bit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

import netwise as nw

pytestmark = pytest.mark.usefixtures("processes_without_coverage")
DIGITS = nw.data.digits()
BIG = (nw.Resize(16, 16),)
RECIPES = {
    "mlp": nw.Recipe(data=DIGITS, network=nw.MLP((64, 30, 10)), epochs=3),
    "maxout, one cycle": nw.Recipe(
        data=DIGITS,
        network=nw.MLP(
            (64, 30, 30, 10),
            activation=nw.Maxout(3),
            dropout=0.3,
            batch_norm=True,
            input_dropout=0.1,
        ),
        init=nw.He(),
        optimizer=nw.SGD(lr=0.1, momentum=0.9, nesterov=True),
        penalty=nw.L2(),
        schedule=nw.OneCycle(),
        epochs=3,
        batch_size=19,
    ),
    "residual, dropped weights": nw.Recipe(
        data=DIGITS,
        network=nw.MLP((64, 20, 20, 10), residual=True, drop_connect=0.3),
        init=nw.Uniform(reach=0.2),
        optimizer=nw.Adadelta(),
        epochs=2,
    ),
    "lenet, augmented": nw.Recipe(
        data=DIGITS,
        preprocess=(nw.Resize(28, 28), nw.Standardise()),
        network=nw.LeNet5(activation=nw.PReLU()),
        optimizer=nw.AdamW(),
        augment=(nw.Shift(fill="border"), nw.Noise()),
        epochs=2,
        clip=nw.Clip(),
    ),
    "lenet, bent, averaged": nw.Recipe(
        data=DIGITS,
        preprocess=(nw.Resize(28, 28), nw.Scale(0.9)),
        network=nw.LeNet5(),
        init=nw.He(),
        optimizer=nw.AdamW(),
        augment=(nw.Affine(shear=5.0), nw.Elastic(), nw.Erase()),
        average=nw.EMA(decay=0.99),
        epochs=2,
    ),
    "contrast, mean of weights": nw.Recipe(
        data=DIGITS,
        preprocess=(nw.GlobalContrast(bias=0.1),),
        network=nw.MLP((64, 20, 10), batch_norm=True),
        average=nw.SWA(start=0.3),
        epochs=4,
    ),
    "lenet of 1998": nw.Recipe(
        data=DIGITS,
        preprocess=(nw.Resize(28, 28),),
        network=nw.LeNet5Paper(),
        optimizer=nw.SGD(lr=0.01),
        epochs=1,
    ),
    "convnet": nw.Recipe(
        data=DIGITS,
        network=nw.ConvNet(image=(1, 8, 8), channels=(8, 16)),
        augment=(nw.Flip(),),
        penalty=nw.MaxNorm(norm=1.0),
        optimizer=nw.NAdam(),
        epochs=2,
    ),
    "resnet": nw.Recipe(
        data=DIGITS,
        network=nw.CIFARResNet(image=(1, 8, 8), depth=8, stochastic_depth=0.3),
        optimizer=nw.RAdam(),
        epochs=2,
        schedule=nw.Cosine(),
    ),
    "googlenet": nw.Recipe(
        data=DIGITS,
        preprocess=BIG,
        network=nw.GoogLeNet(image=(1, 16, 16), width=0.1, classes=10),
        optimizer=nw.RMSProp(),
        epochs=1,
        batch_size=200,
    ),
    "vgg": nw.Recipe(
        data=DIGITS,
        preprocess=BIG,
        network=nw.VGG(depth=11, image=(1, 16, 16), width=0.05, classes=10, batch_norm=True),
        optimizer=nw.Adagrad(),
        epochs=1,
        batch_size=200,
    ),
    "alexnet": nw.Recipe(
        data=DIGITS,
        preprocess=BIG,
        network=nw.AlexNet(image=(1, 16, 16), width=0.1, classes=10, towers=True),
        epochs=1,
        batch_size=200,
    ),
    "regression": nw.Recipe(
        data=nw.data.diabetes(),
        network=nw.MLP((10, 20, 1), activation=nw.Tanh()),
        loss=nw.MeanSquaredError(),
        init=nw.Glorot(),
        stopping=nw.Patience(3),
        optimizer=nw.Adam(lr=0.02),
        epochs=30,
    ),
    "the notes' setting": nw.Recipe(
        data=nw.data.iris(),
        preprocess=(nw.MinMax(),),
        network=nw.MLP((4, 8, 3), activation=nw.Sigmoid()),
        loss=nw.BinaryCrossEntropy(),
        init=nw.Normal(std=1.0, bias_std=1.0),
        optimizer=nw.SGD(lr=0.5),
        penalty=nw.L1(),
        batch_size=10,
        epochs=5,
        schedule=nw.StepDecay(every=2),
    ),
    "lstm": nw.Recipe(
        data=DIGITS,
        network=nw.LSTM(features=8, units=12),
        optimizer=nw.AMSGrad(),
        init=nw.LeCun(),
        clip=nw.ClipValue(0.1),
        epochs=2,
    ),
}


def ran(script: str, folder: Path, *words: str) -> dict[str, torch.Tensor]:
    """The weights that a script leaves."""
    assert "netwise" not in script.partition('"""\n')[2].replace("NETWISE_DATA", "").replace(
        "netwise.write_recipe", ""
    )
    (folder / "run.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "run.py", *words], cwd=folder, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr[-2000:]
    weights: dict[str, torch.Tensor] = torch.load(folder / "weights.pt", weights_only=True)
    return weights


def same(recipe: nw.Recipe, weights: dict[str, torch.Tensor]) -> bool:
    state = nw.fit(recipe, threads=1, test=False).module.state_dict()
    return list(state) == list(weights) and all(
        torch.equal(state[name], weights[name]) for name in state
    )


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_the_script_gives_the_same_weights_bit_for_bit(recipe: nw.Recipe, tmp_path: Path) -> None:
    assert same(recipe, ran(recipe.to_script(), tmp_path))


def test_a_text_a_table_and_arrays_too(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("the quick brown fox " * 100)
    symbols = len(set("the quick brown fox "))
    network = nw.GRU(
        symbols=symbols, features=6, units=10, outputs=symbols, answers="each", dropout=0.2
    )
    recipe = nw.Recipe(data=nw.data.text(tmp_path / "t.txt", length=20), network=network, epochs=2)
    assert same(recipe, ran(recipe.to_script(), tmp_path))
    rows = [
        f"{i % 7},{'red' if i % 3 else 'blue'},{'' if i % 11 == 0 else i * 0.37:},{'ab'[i % 2]}"
        for i in range(120)
    ]
    (tmp_path / "table.csv").write_text("x,colour,z,kind\n" + "\n".join(rows))
    for target, outputs in (("kind", 2), ("x", 7)):
        data = nw.data.csv(tmp_path / "table.csv", target)
        features = data.load().train.x.shape[1]
        recipe = nw.Recipe(data=data, network=nw.MLP((features, 8, outputs)), epochs=3)
        assert same(recipe, ran(recipe.to_script(), tmp_path))
    data = nw.data.arrays(torch.rand(60, 5), torch.rand(60).numpy())
    recipe = nw.Recipe(data=data, network=nw.MLP((5, 4, 1)), loss=nw.Huber(), epochs=3)
    nw.write_recipe(recipe, tmp_path / "recipe.toml")
    assert same(recipe, ran(recipe.to_script(), tmp_path, str(tmp_path)))
