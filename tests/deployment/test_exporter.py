"""Exported files answer raw inputs as their runs do, or the step that they lack is named."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import netwise as nw
from netwise.deployment.onnx_file import ONNX
from netwise.parts.preprocess import Fitted, Preprocess

PETS = "weight,colour,pet\n" + "4,red,cat\n30,,dog\n5,red,cat\n?,black,dog\n" * 20
FORMS = ("onnx", "pt2")


@pytest.fixture(scope="module")
def pets(tmp_path_factory: pytest.TempPathFactory) -> nw.Run:
    path = tmp_path_factory.mktemp("pets") / "pets.csv"
    path.write_text(PETS)
    return nw.fit(nw.suggest(nw.data.csv(path, "pet"), epochs=5))


def onnx_answers(path: Path, **inputs: object) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]
    feeds = {name: np.asarray(value) for name, value in inputs.items()}
    return dict(zip(names, session.run(None, feeds), strict=True))


def test_a_table_is_answered_from_its_columns_of_text_and_numbers(
    pets: nw.Run, tmp_path: Path
) -> None:
    made = nw.export(pets, tmp_path / "pets.onnx")
    assert (made.outputs, made.left, made.rows) == (("class", "probabilities"), (), 80)
    assert made.difference <= made.tolerance
    colours = np.array(["red", "", "NA", "never seen", "black"], dtype=object)
    weights = np.array([4.0, 30.0, np.nan, 1e6, np.nan])
    answers = onnx_answers(made.path, weight=weights, colour=colours)
    rows = {"weight": weights.tolist(), "colour": [*colours]}
    assert answers["class"].tolist() == pets.predict(rows).tolist()
    np.testing.assert_allclose(answers["probabilities"], pets.predict_proba(rows), atol=1e-5)
    one = onnx_answers(made.path, weight=weights[:1], colour=colours[:1])
    np.testing.assert_allclose(one["probabilities"], answers["probabilities"][:1], atol=1e-6)


def test_a_torch_file_leaves_the_codes_of_words_to_its_caller(pets: nw.Run, tmp_path: Path) -> None:
    path = tmp_path / "pets.pt2"
    with pytest.raises(nw.ExportError, match=r"1 step .* 'colour': the code of each word") as error:
        nw.export(pets, path)
    assert "partial=True" in str(error.value)
    assert not path.exists()
    made = nw.export(pets, path, partial=True)
    texts = {"netwise": ""}
    program = torch.export.load(path, extra_files=texts)
    about = json.loads(texts["netwise"])
    codes = about["inputs"][1]["codes"]
    colours = torch.tensor([codes["red"], about["inputs"][1]["unknown"]])
    answers = program.module()(torch.tensor([4.0, 30.0], dtype=torch.float64), colours)
    rows = {"weight": [4.0, 30.0], "colour": ["red", "never seen"]}
    right = pets.predict_proba(rows)
    np.testing.assert_allclose(answers["probabilities"].numpy(), right, atol=1e-6)
    chosen = [about["classes"][i] for i in answers["class"]]
    assert chosen == pets.predict(rows).tolist()
    assert len(made.left) == 1


def test_the_file_says_what_it_takes_and_gives(pets: nw.Run, tmp_path: Path) -> None:
    made = nw.export(pets, tmp_path / "pets.onnx")
    session = onnxruntime.InferenceSession(made.path, providers=["CPUExecutionProvider"])
    about = json.loads(session.get_modelmeta().custom_metadata_map["netwise"])
    assert about["classes"] == ["cat", "dog"]
    assert [(each["name"], each["type"]) for each in about["inputs"]] == [
        ("weight", "float64"),
        ("colour", "text"),
    ]
    assert [each.type for each in session.get_inputs()] == ["tensor(double)", "tensor(string)"]
    assert session.get_outputs()[0].type == "tensor(string)"


def test_columns_may_have_the_names_of_outputs_and_of_the_exporter(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("class,input,linear,y\n" + "a,1,2,0.5\nb,2,1,1.5\nc,3,5,2.5\n" * 20)
    run = nw.fit(nw.suggest(nw.data.csv(path, "y", task="classification"), epochs=2))
    made = nw.export(run, tmp_path / "t.onnx")
    assert [each.name for each in made.inputs] == ["class", "input", "linear"]
    cells = np.array(["a"], dtype=object)
    answers = onnx_answers(made.path, **{"class": cells, "input": [1.0], "linear": [2.0]})
    assert list(answers) == ["class_", "probabilities"]


def test_numbers_that_float32_cannot_tell_apart_stay_apart(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    seconds = 1_700_000_000 + rng.integers(-50, 50, 200)
    path = tmp_path / "times.csv"
    lines = [f"{each},{(each - 1_700_000_000) / 10}" for each in seconds]
    path.write_text("\n".join(["when,y", *lines]))
    run = nw.fit(nw.suggest(nw.data.csv(path, "y", task="regression"), epochs=5))
    made = nw.export(run, tmp_path / "times.onnx")
    when = np.array([1_700_000_001.0, 1_700_000_002.0])
    given = onnx_answers(made.path, when=when)["prediction"]
    np.testing.assert_allclose(given, run.predict({"when": [*when]}), atol=1e-4)
    assert given[0] != given[1]


@pytest.mark.parametrize("form", FORMS)
def test_steps_of_preprocessing_are_in_the_file(form: str, tmp_path: Path) -> None:
    steps = (
        nw.Scale(2.0),
        nw.Resize(6, 6),
        nw.GlobalContrast(),
        nw.Flatten(),
        nw.FillMissing(),
        nw.Standardise(),
        nw.ClipInputs(3.0),
        nw.Whiten(),
        nw.MinMax(),
    )
    recipe = nw.Recipe(data=nw.data.digits(), preprocess=steps, network=nw.MLP((36, 10)), epochs=1)
    made = nw.export(nw.fit(recipe), tmp_path / f"digits.{form}")
    assert not made.left
    assert [each.shape for each in made.inputs] == [(1, 8, 8)]


def test_one_hot_columns_and_quantiles_are_in_the_file(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 4, (200, 3)).astype(float)
    recipe = nw.Recipe(
        data=nw.data.arrays(x, x.sum(1) > 4),
        preprocess=(nw.OneHot(columns=(1,)), nw.Quantile()),
        network=nw.MLP((6, 2)),
        epochs=1,
    )
    made = nw.export(nw.fit(recipe), tmp_path / "t.onnx")
    beyond = np.array([[-9.0, 7.0, 1.5], [2.0, 1.0, 9.0]], dtype=np.float32)
    given = onnx_answers(made.path, input=beyond)["probabilities"]
    np.testing.assert_allclose(given, nw.fit(recipe).predict_proba(beyond), atol=1e-5)


@dataclass(frozen=True)
class Branch(Preprocess):
    """A step that no file has: its result depends on values in Python."""

    def apply(self, x: Tensor, fitted: Fitted) -> Tensor:
        return x if float(x.sum()) < 0 else x + 1


def with_step(step: Preprocess) -> nw.Run:
    recipe = nw.Recipe(
        data=nw.data.iris(), preprocess=(nw.Standardise(),), network=nw.MLP((4, 3)), epochs=1
    )
    run = nw.fit(recipe)
    object.__setattr__(run.recipe, "preprocess", (*recipe.preprocess, step))
    object.__setattr__(run.pipeline, "fitted", (*run.pipeline.fitted, {}))
    return run


def test_a_step_without_a_form_is_named_and_can_be_left_to_the_caller(tmp_path: Path) -> None:
    run = with_step(Branch())
    with pytest.raises(nw.ExportError, match=r"preprocess\[1\] Branch \(") as error:
        nw.export(run, tmp_path / "iris.pt2")
    assert "partial=True" in str(error.value)
    made = nw.export(run, tmp_path / "iris.pt2", partial=True)
    assert [each.name for each in made.inputs] == ["prepared"]
    assert [each.partition(" (")[0] for each in made.left] == [
        "the encoder of the data",
        "preprocess[0] Standardise",
        "preprocess[1] Branch",
    ]
    prepared = run.prepared([[5.1, 3.5, 1.4, 0.2]])
    given = torch.export.load(made.path).module()(prepared)["probabilities"].numpy()
    np.testing.assert_allclose(given, run.predict_proba([[5.1, 3.5, 1.4, 0.2]]), atol=1e-6)


@dataclass(frozen=True)
class Different(Preprocess):
    """A step whose form in files gives something else."""

    def apply(self, x: Tensor, fitted: Fitted) -> Tensor:
        return x

    def traced(self, x: Tensor, fitted: Fitted) -> Tensor:
        return 2 * x


def test_a_file_that_answers_otherwise_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "iris.pt2"
    with pytest.raises(nw.ExportError, match="differ"):
        nw.export(with_step(Different()), path)
    assert not path.exists()


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x)
        return y if float(y.detach().sum()) > 0 else -y


class Normed(nn.Module):
    """A module of a user, with what differs between training and use."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.SiLU(), nn.Dropout(0.5))
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.layers(x) * torch.sigmoid(x).mean(1, keepdim=True))
        return y


def test_a_module_of_ones_own_is_exported_or_named(tmp_path: Path) -> None:
    def run(source: type[nn.Module]) -> nw.Run:
        network = nw.CustomNetwork(source)
        return nw.fit(nw.Recipe(data=nw.data.iris(), network=network, epochs=1))

    for form in FORMS:
        assert nw.export(run(Normed), tmp_path / f"iris.{form}").difference < 1e-5
    with pytest.raises(
        nw.ExportError, match=r"the network CustomNetwork cannot be written as \.pt2"
    ):
        nw.export(run(Branching), tmp_path / "branching.pt2")


def test_a_text_goes_in_as_characters(tmp_path: Path) -> None:
    song = tmp_path / "song.txt"
    song.write_text("la la la lo " * 60)
    network = nw.LSTM(features=8, units=16, outputs=4, symbols=4, answers="each")
    run = nw.fit(nw.Recipe(data=nw.data.text(song, length=12), network=network, epochs=1))
    made = nw.export(run, tmp_path / "song.onnx")
    characters = np.array([list("la lo"), list("lo la")], dtype=object)  # of another length
    answers = onnx_answers(made.path, characters=characters)
    assert answers["class"].tolist() == run.predict(["la lo", "lo la"]).tolist()


@pytest.mark.parametrize(
    ("network", "loss"),
    [
        (nw.Autoencoder((64, 16), top=4), nw.MeanSquaredError()),
        (nw.Autoencoder((64, 16, 8), layer_by_layer=True), nw.BinaryCrossEntropy()),
        (nw.VariationalAutoencoder((64, 32, 4)), nw.BinaryCrossEntropy(outputs="sum")),
        (nw.energy.RBM(64, 16), nw.energy.PCD()),
        (nw.energy.DBN((64, 16, 8)), nw.energy.PCD()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_codes_and_reconstructions_are_in_the_file(
    network: nw.Network, loss: nw.Loss, tmp_path: Path
) -> None:
    recipe = nw.Recipe(
        data=nw.data.digits(),
        preprocess=(nw.MinMax(),),
        network=network,
        loss=loss,
        optimizer=nw.SGD(lr=0.01),
        epochs=2,
    )
    made = nw.export(nw.fit(recipe), tmp_path / "digits.onnx")
    assert made.outputs == ("reconstruction", "code")


def test_memories_say_why_there_is_no_file(tmp_path: Path) -> None:
    recipe = nw.Recipe(
        data=nw.data.digits(), preprocess=(nw.Binarise(),), network=nw.energy.Hopfield(64)
    )
    with pytest.raises(nw.ExportError, match="Hopfield cannot be exported: its recall repeats"):
        nw.export(nw.fit(recipe), tmp_path / "memory.onnx")


def test_names_and_existing_files_are_refused_before_any_work(pets: nw.Run, tmp_path: Path) -> None:
    with pytest.raises(nw.WrongValue, match=r"has to end in \.onnx or \.pt2"):
        nw.export(pets, tmp_path / "pets.pkl")
    (tmp_path / "there.onnx").write_text("mine")
    with pytest.raises(nw.DataError, match="never overwritten"):
        nw.export(pets, tmp_path / "there.onnx")
    assert (tmp_path / "there.onnx").read_text() == "mine"


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr("netwise.deployment.onnx_file.import_module", absent)
    with pytest.raises(nw.MissingPackage, match=r"netwise\[onnx\]"):
        ONNX.require()


def test_rows_of_ones_own_are_checked_where_the_data_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "pets.csv"
    path.write_text(PETS)
    run = nw.fit(nw.suggest(nw.data.csv(path, "pet"), epochs=2), folder=tmp_path / "run")
    path.unlink()
    run = nw.load(tmp_path / "run")
    with pytest.raises(nw.ExportError, match="rows="):
        nw.export(run, tmp_path / "pets.onnx")
    rows = [{"weight": 4.0, "colour": "red"}]
    assert nw.export(run, tmp_path / "pets.onnx", rows=rows).rows == 1


@pytest.mark.parametrize("form", FORMS)
def test_pictures_of_any_size_are_resized_in_the_file(form: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, low in (("day", 100), ("night", 0)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(10):
            pixels = rng.integers(low, low + 150, (30, 40, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{i}.png")
    data = nw.data.images(tmp_path / "photos", height=12, width=8)
    run = nw.fit(nw.Recipe(data=data, network=nw.MLP((288, 2)), epochs=2))
    made = nw.export(run, tmp_path / f"photos.{form}")
    assert [each.shape for each in made.inputs] == [(3, None, None)]
    file = tmp_path / "photos" / "day" / "3.png"
    whole = np.asarray(Image.open(file), dtype=np.float32).transpose(2, 0, 1)[None]
    if form == "onnx":
        given = onnx_answers(made.path, input=whole)["probabilities"]
    else:
        program = torch.export.load(made.path).module()
        given = program(torch.from_numpy(whole.copy()))["probabilities"].numpy()
    # Pillow rounds after each of two passes: one of 255 steps of brightness may differ.
    np.testing.assert_allclose(given, run.predict_proba(str(file)), atol=5e-3)
