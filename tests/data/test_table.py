"""CSV files: columns of numbers and words, gaps, classes and targets; learned from the training
part only."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import netwise as nw
from netwise.data.encoding import TableEncoder, encoder_from, fit_table
from netwise.data.table import classes_of, read_table, task_of


def table(path: Path, rows: int = 300, seed: int = 0) -> Path:
    draw = random.Random(seed)
    lines = ["age,town,score,label"]
    for _ in range(rows):
        town = draw.choice(["Bern", "Rom", "Wien", ""])
        age = "" if draw.random() < 0.1 else f"{draw.gauss(40, 12):.2f}"
        score = f"{draw.random() * 1000:.1f}"
        lines.append(f"{age},{town},{score},{'yes' if float(score) > 500 else 'no'}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_cells_are_encoded_as_scikit_learn_does(tmp_path: Path) -> None:
    cells = read_table(table(tmp_path / "t.csv"))
    cells.pop("label")
    train = {name: column[:200] for name, column in cells.items()}
    encoder = fit_table(train, {"age": True, "town": False, "score": True})

    def frame(columns: dict[str, list[str]]) -> np.ndarray:
        numbers = [[float(v) if v else np.nan for v in columns[name]] for name in ("age", "score")]
        words = [v or "(missing)" for v in columns["town"]]
        return np.array([numbers[0], words, numbers[1]], dtype=object).T

    reference = ColumnTransformer(
        [
            ("age", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), [0]),
            (
                "town",
                OneHotEncoder(
                    handle_unknown="infrequent_if_exist", max_categories=50, sparse_output=False
                ),
                [1],
            ),
            ("score", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), [2]),
        ]
    ).fit(frame(train))
    np.testing.assert_allclose(
        encoder.encode(cells).numpy(), reference.transform(frame(cells)).astype(float), atol=1e-5
    )


def test_rare_words_share_an_input_and_unknown_ones_too() -> None:
    words = [f"w{i}" for i in range(60) for _ in range(60 - i)]
    encoder = fit_table({"word": words}, {"word": False})
    coder = OneHotEncoder(
        max_categories=50, handle_unknown="infrequent_if_exist", sparse_output=False
    ).fit(np.array(words)[:, None])
    seen = ["w0", "w59", "never"]
    np.testing.assert_array_equal(
        encoder.encode({"word": seen}).numpy(), coder.transform(np.array(seen)[:, None])
    )


def test_an_unknown_word_is_zero_where_no_word_was_rare() -> None:
    encoder = fit_table({"c": ["a", "b", "a"]}, {"c": False})
    assert encoder.encode({"c": ["z"]}).tolist() == [[0.0, 0.0]]


def test_only_the_training_part_is_learned_from(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv")
    data = nw.data.csv(path, "label")
    samples = data.load()
    assert isinstance(samples.encoder, TableEncoder)
    train = samples.train.x[:, [name == "score" for name in samples.encoder.features].index(True)]
    assert abs(float(train.mean())) < 1e-5
    assert abs(float(train.std(unbiased=False)) - 1) < 1e-5
    everything = nw.data.csv(path, "label", valid=0, test=0).load()
    assert everything.encoder != samples.encoder


def test_an_encoder_comes_back_from_plain_values(tmp_path: Path) -> None:
    import json

    encoder = nw.data.csv(table(tmp_path / "t.csv"), "label").load().encoder
    assert encoder_from(json.loads(json.dumps(encoder.plain()))) == encoder


@pytest.mark.parametrize(
    ("targets", "task"),
    [
        (["a", "b"], "classification"),
        (["0", "1", "1"], "classification"),
        (["0.5", "1"], "regression"),
        ([str(i) for i in range(30)], "regression"),
        (["1", "?x"], "classification"),
    ],
)
def test_the_task_is_read_off_the_targets(targets: list[str], task: str) -> None:
    assert task_of(targets) == task


def test_numbered_classes_are_in_the_order_of_their_size() -> None:
    assert classes_of(["10", "9", "2", "10"]) == ("2", "9", "10")


def test_other_separators_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a;b;y\n1;2;u\n3;4;v\n", encoding="utf-8-sig")
    assert read_table(path) == {"a": ["1", "3"], "b": ["2", "4"], "y": ["u", "v"]}


def test_a_test_file_is_kept_as_the_test_part(tmp_path: Path) -> None:
    train, test = table(tmp_path / "train.csv"), table(tmp_path / "test.csv", 50, seed=1)
    samples = nw.data.csv(train, "label", test_file=test).load()
    assert len(samples.test) == 50
    assert len(samples.train) + len(samples.valid) == 300


WRONG = {
    "": "has no rows below its header",
    "a,y\n": "has no rows below its header",
    "a,a,y\n1,2,3\n": "the column name 'a' stands twice",
    "a,y\n1,2\n3\n": "line 3: 1 cells where the header has 2",
    "a,y\n1,\n2,3\n": "1 rows have no target 'y', the first is row 1",
    "a,z\n1,2\n": "unknown column of",
    "a,y\n1,u\n2,u\n3,u\n": "has the one value u",
    "y\n1\n2\n": "has no column besides the target",
}


@pytest.mark.parametrize(("content", "text"), WRONG.items())
def test_a_wrong_file_is_told(tmp_path: Path, content: str, text: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(nw.NetwiseError, match=text):
        nw.data.csv(path, "y").load()


def test_absent_and_binary_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(nw.DataError, match="is not there"):
        nw.data.csv(tmp_path / "no.csv", "y").load()
    (tmp_path / "b.csv").write_bytes(b"a,y\n\xff\xfe,1\n")
    with pytest.raises(nw.DataError, match=r"is no UTF-8 text \(byte 4\)"):
        nw.data.csv(tmp_path / "b.csv", "y").load()
    with pytest.raises(nw.DataError, match="is a folder"):
        nw.data.csv(tmp_path, "y").load()


def test_a_run_predicts_whatever_form_a_table_comes_in(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv")
    run = nw.fit(nw.suggest(nw.data.csv(path, "label"), epochs=15), folder=tmp_path / "run")
    rows = [{"age": "", "town": "Rom", "score": 990}, {"age": 20, "town": "Atlantis", "score": 3}]
    expected = ["yes", "no"]
    assert run.predict(rows).tolist() == expected
    loaded = nw.load(tmp_path / "run")
    assert (
        loaded.predict({name: [row[name] for row in rows] for name in rows[0]}).tolist() == expected
    )
    assert loaded.predict([[None, "Rom", 990], [20, "Atlantis", 3]]).tolist() == expected
    new = tmp_path / "new.csv"
    new.write_text("score,town,extra,age\n990,Rom,1,\n3,Atlantis,2,20\n")
    assert loaded.predict(new).tolist() == expected
    with pytest.raises(nw.DataError, match="the table has no column 'town'. Did you mean `twon`?"):
        run.predict([{"age": 1, "twon": "Rom", "score": 3}])
    with pytest.raises(nw.DataError, match="'x' is no number, and the column was one in training"):
        run.predict([["x", "Rom", 3]])


@pytest.mark.files
def test_adult_is_learned_in_two_epochs(data_files: Path) -> None:
    names = "age workclass fnlwgt education education-num marital-status occupation relationship race sex"
    names += " capital-gain capital-loss hours-per-week native-country income"
    samples = nw.data.csv(data_files / "uci" / "adult.data", "income", columns=names.split()).load()
    assert samples.classes == ("<=50K", ">50K")
    assert len(samples.train) + len(samples.valid) + len(samples.test) == 32_561
    run = nw.fit(
        nw.suggest(
            nw.data.csv(data_files / "uci" / "adult.data", "income", columns=names.split()),
            epochs=2,
        )
    )
    assert run.score is not None
    assert run.score.low > 0.82  # logistic regression reaches 0.85; always "<=50K" gives 0.76
