"""Views of data: folds partition what is not the test part; fewer samples are nested."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.model_selection import StratifiedKFold

import netwise as nw


def rows(x: torch.Tensor) -> list[tuple[float, ...]]:
    return sorted(map(tuple, x.flatten(1).tolist()))


def test_validation_parts_of_all_folds_are_a_partition() -> None:
    data = nw.data.iris()
    whole = data.load()
    folds = [nw.data.Fold(data=data, folds=4, number=i).load() for i in range(4)]
    assert rows(torch.cat([fold.valid.x for fold in folds])) == rows(
        torch.cat([whole.train.x, whole.valid.x])
    )
    for fold in folds:
        assert len(fold.train) + len(fold.valid) == len(whole.train) + len(whole.valid)
        assert torch.equal(fold.test.x, whole.test.x)
    assert len({fold.fingerprint for fold in folds}) == 4


def test_folds_are_those_of_scikit_learn() -> None:
    whole = nw.data.iris().load()
    x, y = torch.cat([whole.train.x, whole.valid.x]), torch.cat([whole.train.y, whole.valid.y])
    splits = list(StratifiedKFold(3, shuffle=True, random_state=7).split(x, y))
    fold = nw.data.Fold(data=nw.data.iris(), folds=3, number=1, repeat=7).load()
    assert torch.equal(fold.valid.x, x[sorted(splits[1][1])])
    assert torch.equal(fold.valid.y, y[sorted(splits[1][1])])


def test_fewer_samples_are_nested_and_balanced() -> None:
    small, large = (nw.data.Fewer(data=nw.data.digits(), rows=n).load() for n in (100, 300))
    assert set(rows(small.train.x)) <= set(rows(large.train.x))
    assert torch.bincount(small.train.y, minlength=10).min() >= 9
    whole = nw.data.digits().load()
    assert torch.equal(small.valid.x, whole.valid.x)


def test_the_innermost_data_are_found_through_views() -> None:
    data = nw.data.iris()
    assert nw.data.Fewer(data=nw.data.Fold(data=data), rows=10).innermost is data


def test_workers_get_arrays_by_their_digest() -> None:
    arrays = nw.data.arrays(torch.rand(40, 3), [0, 1] * 20)
    fold = nw.data.Fold(data=arrays, number=2)
    light = fold.without_arrays()
    assert isinstance(light, nw.data.Fold)
    assert isinstance(light.data, nw.data.Arrays)
    assert light == fold
    assert hash(light) == hash(fold)
    assert len(light.data.X) == 0
    assert nw.data.iris().without_arrays() == nw.data.iris()


def test_too_few_samples_and_texts_are_refused_with_what_to_write() -> None:
    few = nw.data.arrays([[0.0], [1.0], [2.0]], [0, 1, 1], valid=0.0, test=0.0)
    with pytest.raises(nw.DataError, match="3 samples are too few for 5 folds: write folds = 3"):
        nw.data.Fold(data=few).load()
    with pytest.raises(nw.DataError, match="rows = 9 is more than the 3 training samples"):
        nw.data.Fewer(data=few, rows=9).load()
    with pytest.raises(nw.WrongValue, match="is no fold of 5: .* Write 4"):
        nw.data.Fold(data=few, number=5)


def test_each_fold_fits_its_own_encoder_and_scale_of_targets(tmp_path: Path) -> None:
    draws = np.random.default_rng(0)
    x, y = draws.normal(size=60) ** 3, draws.normal(size=60) * 9
    lines = [f"{a},{b},{'abc'[i % 3]}" for i, (a, b) in enumerate(zip(x, y, strict=True))]
    (tmp_path / "t.csv").write_text("\n".join(["x,y,word", *lines]))
    for whole in (nw.data.csv(tmp_path / "t.csv", "y"), nw.data.arrays(x[:, None], y)):
        folds = [nw.data.Fold(data=whole, number=i).load() for i in range(5)]
        assert len({float(fold.target_mean) for fold in folds}) == 5
        for fold in folds:
            assert abs(float(fold.train.y.mean())) < 1e-6
            truth = [f.test.y * f.target_scale + f.target_mean for f in (fold, folds[0])]
            assert torch.allclose(*truth, atol=1e-4)
    table = nw.data.csv(tmp_path / "t.csv", "y")
    encoders = [nw.data.Fold(data=table, number=i).load().encoder.plain() for i in range(5)]
    assert len({str(each) for each in encoders}) == 5
