"""netwise predict, write and script."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import netwise as nw
from cli.command_line import run, run_folder, train
from netwise.cli.commands.predict import predictions_csv


def test_a_table_is_trained_on_and_predicted() -> None:
    Path("pets.csv").write_text(
        "weight,colour,pet\n" + "4,red,cat\n30,,dog\n5,red,cat\n?,black,dog\n" * 20
    )
    assert run("train", "pets.csv", "--target", "pet", "--epochs", "20").exit_code == 0
    Path("new.csv").write_text("weight,colour\n4.5,red\n,black\n")
    result = run("predict", run_folder().name, "new.csv")
    assert [line.split(",")[0] for line in result.stdout.splitlines()] == [
        "prediction",
        "cat",
        "dog",
    ]
    plain = json.loads(run("predict", run_folder().name, "new.csv", "--json").stdout)
    assert plain["predictions"] == ["cat", "dog"]
    assert plain["classes"] == ["cat", "dog"]
    assert (
        run("predict", run_folder().name, "new.csv", "-o", "out.csv").stdout
        == "2 predictions in out.csv\n"
    )
    again = run("predict", run_folder().name, "new.csv", "-o", "out.csv")
    assert again.exit_code == 2
    assert "cannot be written: File exists. Use another name, or delete" in again.stderr


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
    assert "new.csv, row 2: '' is no number" in result.stderr


def test_numbers_are_predicted_for_data_without_columns() -> None:
    folder = train()
    Path("new.csv").write_text("a,b,c,d\n5.1,3.5,1.4,0.2\n")
    assert run("predict", folder.name, "new.csv").stdout.startswith("prediction,probability\n")
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


@pytest.mark.parametrize(
    ("predictions", "probabilities", "text"),
    [
        (["cat", "dog"], [[0.25, 0.75], [0.6, 0.4]], "cat,0.7500\ndog,0.6000\n"),
        ([1.5, -2.0], None, "1.5\n-2.0\n"),
        ([[1.0, 0.5], [0.0, 2.0]], None, "1.0,0.5\n0.0,2.0\n"),
        ([], None, ""),
    ],
)
def test_predictions_are_written_a_row_per_sample(
    predictions: list[object], probabilities: list[list[float]] | None, text: str
) -> None:
    header, rest = predictions_csv(predictions, probabilities).split("\n", 1)
    assert rest == text
    many = bool(predictions) and isinstance(predictions[0], list)
    named = "prediction,probability" if probabilities else "prediction"
    assert header == ("output_1,output_2" if many else named)


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
