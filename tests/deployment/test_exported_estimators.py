"""A fitted estimator is exported with the columns of its frame and the names of its classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import netwise as nw
from netwise.estimators import NetClassifier, NetRegressor


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    size = rng.normal(size=120)
    return pd.DataFrame({"size": size, "ear": np.where(size > 0, "long", "short")})


def test_classes_have_their_names(tmp_path: Path) -> None:
    x = np.linspace(-1, 1, 60, dtype=np.float32)[:, None]
    y = np.where(x[:, 0] > 0, "high", "low")
    model = NetClassifier(hidden=(8,), random_state=0).fit(x, y)
    nw.export(model, tmp_path / "a.pt2")
    answers = torch.export.load(tmp_path / "a.pt2").module()(torch.from_numpy(x))
    names = np.array(model.to_run().pipeline.classes)[answers["class"]]
    assert names.tolist() == model.predict(x).tolist()
    np.testing.assert_allclose(answers["probabilities"], model.predict_proba(x), atol=1e-4)


def test_a_frame_goes_in_by_its_columns(frame: pd.DataFrame, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra netwise[onnx]")
    pytest.importorskip("onnxscript", reason="needs the extra netwise[onnx]")
    target = frame["size"] * 3 + (frame["ear"] == "long")
    model = NetRegressor(hidden=(8,), random_state=0).fit(frame, target)
    nw.export(model, tmp_path / "b.onnx", rows=frame[:50])
    session = onnxruntime.InferenceSession(tmp_path / "b.onnx")
    names = [each.name for each in session.get_inputs()]
    assert names == ["size", "ear"]
    given = {"size": frame["size"].to_numpy(), "ear": frame["ear"].to_numpy(object)}
    [answers] = session.run(None, {name: given[name] for name in names})
    np.testing.assert_allclose(np.ravel(answers), model.predict(frame), atol=1e-3)


def test_rows_of_a_frame_are_needed(frame: pd.DataFrame, tmp_path: Path) -> None:
    model = NetClassifier(hidden=(8,), random_state=0).fit(frame, frame["ear"])
    with pytest.raises(nw.WrongValue, match="fitted to a data frame and keeps no rows of it"):
        nw.export(model, tmp_path / "c.onnx")
    assert not list(tmp_path.iterdir())


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(nw.WrongValue, match="must be a run, or a fitted estimator"):
        nw.export("run", tmp_path / "d.pt2")  # type: ignore[arg-type]
