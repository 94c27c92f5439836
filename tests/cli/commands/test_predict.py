"""netwise predict, write and script."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import netwise as nw
from cli.command_line import run, run_folder, train
from netwise.data.tables import read_table, streaming

pytestmark = pytest.mark.usefixtures("empty_reports")


def test_a_table_is_trained_on_and_predicted() -> None:
    Path("pets.csv").write_text(
        "weight,colour,pet\n" + "4,red,cat\n30,,dog\n5,red,cat\n?,black,dog\n" * 20
    )
    assert run("train", "pets.csv", "--target", "pet", "--epochs", "20").exit_code == 0
    Path("new.csv").write_text("weight,colour\n4.5,red\n,black\n")
    result = run("predict", run_folder().name, "new.csv")
    lines = result.stdout.splitlines()
    assert lines[0] == "prediction,probability,probability_cat,probability_dog"
    assert [line.split(",")[0] for line in lines[1:]] == ["cat", "dog"]
    plain = json.loads(run("predict", run_folder().name, "new.csv", "--json").stdout)
    assert plain["predictions"] == ["cat", "dog"]
    assert plain["classes"] == ["cat", "dog"]
    assert (
        run("predict", run_folder().name, "new.csv", "-o", "out.csv").stdout
        == "2 predictions in out.csv\n"
    )
    again = run("predict", run_folder().name, "new.csv", "-o", "out.csv")
    assert again.exit_code == 2
    assert "out.csv exists already, and files are never overwritten" in again.stderr


def test_each_row_has_its_own_answer_whatever_it_holds() -> None:
    Path("pets.csv").write_text(
        "weight,colour,pet\n" + "4,red,cat\n30,,dog\n5,red,cat\n40,black,dog\n" * 20
    )
    assert run("train", "pets.csv", "--target", "pet", "--epochs", "20").exit_code == 0
    lines = ["4.5,red", ",", "40,black", "", ' , "" ', "?,nan", "1e30,\u00fc", "4.5,red"]
    Path("new.csv").write_text("weight,colour\n" + "\n".join(lines) + "\n", "utf-8")
    document = json.loads(run("predict", run_folder().name, "new.csv", "--json").stdout)
    alone = []
    for line in lines:
        Path("one.csv").write_text(f"weight,colour\n{line or ','}\n", "utf-8")
        one = json.loads(run("predict", run_folder().name, "one.csv", "--json").stdout)
        assert len(one["predictions"]) == 1
        alone += one["predictions"]
    assert document["predictions"] == alone
    assert nw.load(run_folder()).predict("new.csv").tolist() == alone
    Path("large.csv").write_text("weight,colour\n1,red\n1e300,red\n")
    assert (
        "column 'weight', row 2: 1e+300 is too large"
        in run("predict", run_folder().name, "large.csv").stderr
    )


def test_an_empty_cell_is_named_with_its_row_where_a_number_is_needed() -> None:
    folder = train()
    Path("new.csv").write_text("a,b,c,d\n5.1,3.5,1.4,0.2\n,,,\n")
    result = run("predict", folder.name, "new.csv")
    assert result.exit_code == 2
    assert "column 'a', row 2: the cell is empty" in result.stderr


def test_numbers_are_predicted_for_data_without_columns() -> None:
    folder = train()
    Path("new.csv").write_text("a,b,c,d\n5.1,3.5,1.4,0.2\n")
    assert run("predict", folder.name, "new.csv").stdout.startswith("prediction,probability,")
    Path("bad.csv").write_text("a,b,c,d\n5.1,x,1.4,0.2\n")
    assert "'x' is no number" in run("predict", folder.name, "bad.csv").stderr
    Path("short.csv").write_text("a,b\n5.1,3\n")
    assert run("predict", folder.name, "short.csv").exit_code == 2


def test_write_continues_a_text(here: Path) -> None:
    (here / "song.txt").write_text("do re mi fa " * 100)
    (here / "r.toml").write_text(
        'epochs = 3\ndata = {kind = "text", path = "song.txt", length = 12}\n'
        'network = {kind = "GRU", symbols = 9, features = 4, units = 8, outputs = 9, '
        'answers = "each"}'
    )
    assert run("train", "r.toml").exit_code == 0
    written = run("write", run_folder().name, "--prompt", "do re", "--length", "20")
    assert written.stdout.startswith("do re")
    assert len(written.stdout) == 26


def test_predictions_are_those_of_the_loaded_run() -> None:
    folder = train()
    Path("new.csv").write_text("a,b,c,d\n5.1,3.5,1.4,0.2\n6.5,3.0,5.8,2.2\n")
    rows = [[5.1, 3.5, 1.4, 0.2], [6.5, 3.0, 5.8, 2.2]]
    loaded, document = (
        nw.load(folder),
        json.loads(run("predict", "@last", "new.csv", "--json").stdout),
    )
    assert document["predictions"] == loaded.predict(rows).tolist()
    assert document["probabilities"] == loaded.predict_proba(rows).tolist()


def flats(path: Path, rows: int, seed: int, sep: str = ",") -> Path:
    """A table of which the price is three numbers and noise; with identifiers."""
    draw = np.random.default_rng(seed)
    area, rooms = draw.uniform(20, 150, rows), draw.integers(1, 7, rows)
    town = draw.choice(["Graz", "Linz", "Wien"], rows)
    price = 1000 * area + 5000 * rooms + 20_000 * (town == "Wien") + draw.normal(0, 9000, rows)
    table = {"id": [f"H{i:05d}" for i in range(rows)], "area": area.round(1), "rooms": rooms}
    frame = pl.DataFrame({**table, "town": town, "price": price.round(2)})
    frame.write_csv(path, separator=sep)
    return path


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table of flats and a run on their prices."""
    folder = tmp_path_factory.mktemp("flats")
    flats(folder / "flats.csv", 500, 0)
    with contextlib.chdir(folder):
        done = run("train", "flats.csv", "--target", "price", "--epochs", "15")
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def priced(here: Path, trained_once: Path) -> Path:
    """The folder of a run on the prices of flats."""
    shutil.copytree(trained_once, here, dirs_exist_ok=True)
    return run_folder()


def test_each_row_of_a_file_has_its_answer_and_interval(
    priced: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flats(Path("new.csv"), 1000, 1)
    new = pl.read_csv("new.csv")
    whole = nw.load(priced).predict("new.csv")
    monkeypatch.setattr(streaming, "PIECE", 3000)
    done = run("predict", "@last", "new.csv", "-o", "out.csv", "--interval", "0.8")
    assert done.stdout == "1000 predictions in out.csv\n", done.output
    out = pl.read_csv("out.csv")
    assert out.columns == ["id", "price", "prediction", "prediction_low", "prediction_high"]
    assert out["id"].to_list() == new["id"].to_list()
    np.testing.assert_allclose(out["prediction"], whole, rtol=1e-5)
    inside = (out["prediction_low"] <= out["price"]) & (out["price"] <= out["prediction_high"])
    assert inside.mean() == pytest.approx(0.8, abs=0.1)


def test_files_of_other_forms_have_the_same_answers(priced: Path) -> None:
    flats(Path("new.csv"), 60, 1)
    new = pl.read_csv("new.csv").drop("price")
    new.write_csv("comma.csv", separator=";", decimal_comma=True)
    new.write_parquet("new.parquet")
    new.write_ndjson("new.jsonl")
    Path("latin.csv").write_text(Path("comma.csv").read_text().replace("Linz", "Lünz"), "cp1252")
    expected = nw.load(priced).predict("new.csv")
    for name in ("comma.csv", "new.parquet", "new.jsonl"):
        for ending in ("csv", "tsv", "csv.gz", "parquet", "arrow", "jsonl"):
            out = f"{name}.out.{ending}"
            done = run("predict", "@last", name, "-o", out, "--keep", "all", "--no-interval")
            assert done.exit_code == 0, done.output
            answers = read_table(out)
            names = ["id", "area", "rooms", "town", "prediction"]
            assert [column.name for column in answers.columns] == names
            np.testing.assert_allclose(answers.frame["prediction"], expected, rtol=1e-5)
            assert answers.cells["id"].to_list() == new["id"].to_list()
    assert len(run("predict", "@last", "latin.csv").stdout.splitlines()) == 61


def test_a_wrong_cell_is_named_by_its_row_in_the_file(
    priced: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "PIECE", 200)
    rows = "".join(f"{i},50,2,Graz\n" for i in range(100))
    Path("new.csv").write_text(f"id,area,rooms,town\n{rows}100,5o,2,Graz\n{rows}")
    done = run("predict", "@last", "new.csv", "-o", "out.csv")
    assert done.exit_code == 2
    assert "column 'area', row 101: '5o' is no number" in done.stderr
    assert not Path("out.csv").exists()
    assert [path.name for path in Path().glob("*out*")] == []
    done = run("predict", "@last", "new.csv", "-o", "out.csv", "--bad-cells", "missing")
    assert done.stdout == "201 predictions in out.csv\n", done.output


def test_columns_may_be_chosen(priced: Path) -> None:
    Path("new.csv").write_text("id,area,rooms,town,prediction,note\n007,50,2,Graz,1,\n")
    ends = "prediction,prediction_low,prediction_high"
    for keep, header in (
        (("unused",), f"id,prediction,note,{ends.replace('prediction,', 'prediction_2,', 1)}"),
        (("none",), ends),
        (("id", "--keep", "town"), f"id,town,{ends}"),
    ):
        done = run("predict", "@last", "new.csv", "--keep", *keep)
        assert done.stdout.splitlines()[0] == header
    assert done.stdout.splitlines()[1].startswith("007,Graz,")
    document = json.loads(run("predict", "@last", "new.csv", "--json").stdout)
    assert document["columns"] == {"id": ["007"], "prediction": ["1"], "note": [""]}
    assert document["low"][0] < document["predictions"][0] < document["high"][0]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--keep", "idd"), "Did you mean"),
        (("-o", "out.doc"), "has to end in .csv"),
        (("-o", "flats.csv"), "never overwritten"),
        (("--threshold", "0.5"), "--threshold is for classes"),
        (("--interval", "0.999"), "write level = "),
        (("--interval", "95"), "between 0 and 1"),
        (("--kind", "id=text"), "Leave --kind out"),
    ],
)
def test_wrong_options_say_what_to_write(priced: Path, words: tuple[str, ...], text: str) -> None:
    Path("new.csv").write_text("id,area,rooms,town\n007,50,2,Graz\n")
    done = run("predict", "@last", "new.csv", *words)
    assert done.exit_code == 2
    assert text in done.stderr


def test_a_class_is_answered_from_its_threshold_on() -> None:
    folder = train()
    Path("new.csv").write_text("a,b,c,d\n5.1,3.5,1.4,0.2\n6.5,3.0,5.8,2.2\n")
    done = run("predict", folder.name, "new.csv", "--threshold", "virginica=0.000001", "--json")
    assert json.loads(done.stdout)["predictions"] == ["virginica", "virginica"]
    for words, text in (
        (("0.5",), "is for two classes"),
        (("rose=0.5",), "rose"),
        (("virginica=2",), "no probability"),
        (("virginica=x",), "'x' is no number. Write CLASS=0.3"),
        (("0.2", "--threshold", "0.3"), "each names its class"),
    ):
        done = run("predict", folder.name, "new.csv", "--threshold", *words)
        assert done.exit_code == 2
        assert text in done.stderr


def test_columns_without_names_in_training_may_have_an_identifier_beside_them() -> None:
    train()
    Path("new.csv").write_text("key,a,b,c,d\nx1,5.1,3.5,1.4,0.2\nx2,6.5,3.0,5.8,2.2\n")
    done = run("predict", "@last", "new.csv", "--keep", "key", "--no-probabilities")
    lines = [line.split(",") for line in done.stdout.splitlines()]
    assert lines[0] == ["key", "prediction", "probability"]
    assert [line[0] for line in lines[1:]] == ["x1", "x2"]
    assert "Traceback" not in run("predict", "@last", "new.csv").stderr


def test_a_run_without_a_validation_part_answers_without_intervals(here: Path) -> None:
    flats(here / "flats.csv", 100, 0)
    words = ("--target", "price", "--epochs", "1", "--set", "data.valid=0")
    words += ("--set", "stopping={kind='Never'}")
    assert run("train", "flats.csv", *words).exit_code == 0
    done = run("predict", "@last", "flats.csv", "--keep", "none")
    assert done.stdout.startswith("prediction\n")
    assert "No intervals: " in done.stderr
