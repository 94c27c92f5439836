"""Reports of runs and of treatments as files."""

from __future__ import annotations

from pathlib import Path

import torch

import netwise as nw
from netwise.recipe.prepared import prepare
from netwise.report.run_page import run_page
from report.html_page import check_page
from watching.watched_run import history


def test_a_report_is_the_same_each_time_it_is_written(tmp_path: Path, small: nw.Recipe) -> None:
    run = nw.fit(small, folder=tmp_path / "run")
    path = nw.write_report(run, tmp_path / "run" / "report.html")
    first = path.read_text("utf-8")
    assert run_page(nw.load(tmp_path / "run")) == first
    assert nw.write_report(run, path).read_text("utf-8") == first


def test_prepared_data_and_a_diagnosis_are_used_as_given(tmp_path: Path, small: nw.Recipe) -> None:
    run = nw.fit(small)
    report = nw.Report((), ("overfitting",), (("dead_relu", "nothing was recorded"),))
    path = nw.write_report(run, tmp_path / "a.html", prepared=prepare(small), diagnosis=report)
    text = path.read_text("utf-8")
    assert "No sign of: overfitting." in text
    assert "nothing was recorded" in text


def test_an_observed_history_has_a_report_without_a_run(tmp_path: Path) -> None:
    text = nw.write_report(history(), tmp_path / "loop.html").read_text("utf-8")
    check_page(text)
    assert "<h1>Net</h1>" in text
    assert "<title>loop: netwise</title>" in text
    text = nw.write_report(nw.History.from_rows([]), tmp_path / "b.html").read_text("utf-8")
    check_page(text)
    report = nw.Report((), ("overfitting",), ())
    path = nw.write_report(history(), tmp_path / "c.html", diagnosis=report)
    assert "No sign of: overfitting." in path.read_text("utf-8")


def test_data_that_are_gone_leave_out_what_needs_them(tmp_path: Path) -> None:
    table = tmp_path / "pets.csv"
    table.write_text("weight,pet\n" + "4,cat\n30,dog\n" * 20)
    run = nw.fit(nw.suggest(nw.data.csv(table, "pet"), epochs=2))
    assert "Confusion matrix" in run_page(run)
    table.unlink()
    text = run_page(run)
    assert "Confusion matrix" not in text
    assert "pets.csv is not there" in text
    assert "Loss" in text


def test_the_report_of_a_watch(tmp_path: Path) -> None:
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with nw.watch() as w:
        for _ in range(6):
            optimizer.zero_grad()
            (model(torch.ones(8, 4)) - 1).square().mean().backward()
            optimizer.step()
    text = nw.write_report(w, tmp_path / "loop.html").read_text("utf-8")
    check_page(text)
    assert "<h1>model</h1>" in text
    assert "<h2>Curves</h2>" in text
