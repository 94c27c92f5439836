"""From raw inputs, or prepared ones, to those of the network."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.data.dataset import Pairs
from netwise.recipe.prepared import prepare
from netwise.schema import SchemaError, typed
from netwise.training.input_pipeline import InputPipeline, Intake
from netwise.training.run import Run

DIGITS = nw.Recipe(
    data=nw.data.digits(),
    network=nw.MLP((64, 24, 10)),
    preprocess=(nw.Standardise(),),
    optimizer=nw.AdamW(lr=0.005),
    batch_size=50,
    epochs=3,
)
TEST = nw.data.digits().load().test
EVEN = torch.arange(len(TEST)) % 2 == 0


@pytest.fixture(scope="module")
def digits() -> Run:
    return nw.fit(DIGITS)


PREPARED: dict[str, Callable[[Pairs], Any]] = {
    "a part": lambda test: test,
    "its tensor": lambda test: test.x,
    "an array": lambda test: test.x.numpy(),
    "a view that numpy makes": lambda test: np.asarray(test.x)[::-1][::-1],
    "flattened": lambda test: test.x.flatten(1),
    "flattened as an array": lambda test: test.x.numpy().reshape(len(test), -1),
    "joined": lambda test: torch.cat([test.x[:100], test.x[100:]]),
    "stacked": lambda test: torch.stack(list(test.x)),
    "copied": lambda test: copy.deepcopy(test.x.clone().detach()),
    "float64": lambda test: test.x.double(),
    "chosen rows": lambda test: torch.cat([test.x[EVEN], test.x[~EVEN]])[order()],
    "chosen rows of an array": lambda test: np.take(test.x.numpy(), range(len(test)), axis=0),
    "prepared by the recipe": lambda test: prepare(DIGITS).samples.test,
    "raw": lambda test: np.array(test.x) * 16,
    "raw images": lambda test: np.array(test.x)[:, 0] * 16,
}


def order() -> torch.Tensor:
    """Puts the even rows, then the odd ones, back in order."""
    return torch.cat([EVEN.nonzero()[:, 0], (~EVEN).nonzero()[:, 0]]).argsort()


@pytest.mark.parametrize("form", PREPARED)
def test_inputs_are_prepared_once(digits: Run, form: str) -> None:
    answers = digits.predict(PREPARED[form](TEST))
    assert digits.score is not None
    share = (answers == np.array(digits.pipeline.classes)[TEST.y]).mean()
    assert share == pytest.approx(digits.score.value)


def test_one_prepared_sample_is_one_answer(digits: Run) -> None:
    assert digits.predict(TEST.x[3]) == digits.predict(TEST)[3:4]
    assert digits.predict(digits.prepared(TEST)).tolist() == digits.predict(TEST).tolist()
    assert digits.predict_proba(TEST).tolist() == digits.predict_proba(TEST.x.numpy()).tolist()
    assert digits.predict(TEST.x[:0]).shape == (0,)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (lambda: TEST.x * 16, r"units are unknown: pass np\.array\(x\)"),
        (lambda: 16.0 * TEST.x.numpy(), "units are unknown"),
        (lambda: TEST.x.clone().add_(1), "units are unknown"),
        (lambda: torch.cat([TEST.x, torch.zeros(5, 1, 8, 8)]), "units are unknown"),
        (lambda: nw.data.digits().load(), r"Samples has several parts.* samples\.test"),
        (lambda: nw.data.digits(), r"pass one of them, data\.load\(\)\.test"),
        (lambda: TEST.x.flatten(1)[:, :5], r"shape \(360, 5\), and one sample has \(1, 8, 8\)"),
        (lambda: nw.data.iris().load().test, "encoded for other data"),
        (
            lambda: prepare(DIGITS.but(preprocess=(nw.MinMax(),))).samples.test,
            "the preprocessing of another run",
        ),
        (
            lambda: prepare(DIGITS.but(data=nw.data.digits(split_seed=1))).samples.test,
            "the preprocessing of another run",
        ),
    ],
)
def test_inputs_that_were_prepared_otherwise_are_refused(
    digits: Run, wrong: Callable[[], Any], text: str
) -> None:
    with pytest.raises(nw.DataError, match=text):
        digits.predict(wrong())


def test_inputs_of_one_data_set_may_be_the_raw_ones_of_another(digits: Run) -> None:
    samples = nw.data.digits().load()
    x, y = samples.train.x.flatten(1), samples.train.y
    run = nw.fit(DIGITS.but(data=nw.data.arrays(x, y, valid=0.0, test=0.0)))
    for form in (TEST.x.flatten(1), TEST.x.numpy().reshape(len(TEST), -1), np.array(TEST.x)):
        assert (run.predict(form).astype(int) == TEST.y.numpy()).mean() > 0.8
    assert (run.predict(TEST.x * 1.0).astype(int) == TEST.y.numpy()).mean() > 0.8


def test_rows_of_a_loaded_table_are_not_encoded_again(tmp_path: Path) -> None:
    lines = (f"{i % 7},{i % 3},{'yes' if i % 7 > 3 else 'no'}" for i in range(200))
    (tmp_path / "t.csv").write_text("\n".join(["a,b,label", *lines]))
    recipe = nw.suggest(nw.data.csv(tmp_path / "t.csv", "label"), epochs=20)
    run = nw.fit(recipe, folder=tmp_path / "run")
    test = recipe.data.load().test
    assert run.score is not None
    for each in (run, nw.load(tmp_path / "run")):
        share = (each.predict(test.x) == np.array(run.pipeline.classes)[test.y]).mean()
        assert share == pytest.approx(run.score.value)


def test_codes_are_those_of_the_raw_inputs() -> None:
    run = nw.fit(
        DIGITS.but(
            network=nw.Autoencoder((64, 8)), loss=nw.BinaryCrossEntropy(), preprocess=(nw.MinMax(),)
        )
    )
    expected = run.codes(np.array(TEST.x) * 16)
    assert torch.equal(run.codes(TEST), expected)
    assert torch.equal(run.codes(TEST.x.numpy()), expected)


def test_the_input_pipeline_survives_its_file() -> None:
    prepared = nw.fit(DIGITS.but(epochs=1)).pipeline
    plain = typed(Intake, prepared.plain())
    again = InputPipeline.read(plain, prepared.tensors(), 1)
    raw = np.random.default_rng(0).random((3, 64)) * 16
    assert torch.equal(
        again.prepared(raw, DIGITS.preprocess), prepared.prepared(raw, DIGITS.preprocess)
    )
    assert (again.task, again.classes) == (prepared.task, prepared.classes)


def test_what_preprocessing_was_fitted_to_is_missed_by_name() -> None:
    """A file of a stranger may lack it; netwise's own have checksums."""
    prepared = nw.fit(DIGITS.but(epochs=1)).pipeline
    tensors = {k: v for k, v in prepared.tensors().items() if not k.startswith("preprocess.")}
    pipeline = InputPipeline.read(typed(Intake, prepared.plain()), tensors, 1)
    with pytest.raises(nw.RunFolderError, match=r"weights\.safetensors is damaged: \w+ cannot use"):
        pipeline.prepared(np.zeros((1, 64)), DIGITS.preprocess)
    with pytest.raises(SchemaError, match=r"^target\.mean is missing"):
        InputPipeline.read(typed(Intake, prepared.plain()), {}, 1)
