"""The page of an observed program: self-contained, complete and escaped."""

from __future__ import annotations

import re
from pathlib import Path

import netwise as nw
from netwise.report.program_page import program_page, write_program_report
from netwise.storage.run_folder import RunFolder
from report.html_page import check_page
from watching.watched_run import PROGRAM, history, write_watched_run


def cells(text: str) -> list[str]:
    return re.findall(r"<td[^>]*>([^<]*)</td>", text)


def test_a_page_shows_what_was_recorded_and_observed(tmp_path: Path) -> None:
    path = write_program_report(write_watched_run(tmp_path / "train"))
    assert path == tmp_path / "train" / "report.html"
    text = path.read_text("utf-8")
    check_page(text)
    for part in (
        "<h1>Net in program train.py</h1>",
        "40 steps were recorded.",
        "<h2>Diagnosis</h2>",
        "guessing: 2.3",
        "Gradient (rms, log scale)",
        "python train.py --epochs 3",
        "python 3.11, torch 2.13; cpu, 1 thread; observed for 1.5 s.",
    ):
        assert part in text, part
    shown = cells(text)
    for row in (
        ["optimizer", "SGD"],
        ["classes in the targets", "3"],
        ["loss of guessing", "2.3"],
        ["cross entropy", "train.py:31", "", "1", "LogSoftmax, Addmm"],
        ["linear", "the module is compiled"],
        ["SHA-256", PROGRAM["sha256"]],
    ):
        assert any(shown[i : i + len(row)] == row for i in range(len(shown))), row
    frozen = shown[shown.index("frozen parameters") + 1]
    assert frozen.startswith("layer0.weight, ")
    assert frozen.endswith(", layer7.weight and 2 more")


def test_a_page_leaves_out_what_is_not_known() -> None:
    text = program_page(nw.History.from_rows([{"step": 0, "loss": 1.0}]))
    check_page(text)
    assert "<h1>Module</h1>" in text
    assert "What was observed" not in text
    assert "Losses, as" not in text
    assert "Not observed:" not in text
    assert "Inside the network" not in text


def test_words_of_the_program_are_escaped() -> None:
    evil = "<script>alert(1)</script>"
    program = {**PROGRAM, "name": evil, "model": evil, "command": ["python", evil], "folder": evil}
    text = program_page(history(), program, title=evil)
    assert evil not in text
    check_page(text)


def test_the_page_of_a_killed_program_says_so(tmp_path: Path) -> None:
    folder = write_watched_run(tmp_path / "train")
    nw_folder = nw.load_history(folder)
    assert nw_folder.ended.how == "finished"
    store = RunFolder(folder)
    about = store.about()
    store.write_about({**about, "ended": {**about["ended"], "how": "running"}})
    assert "The program was killed or crashed" in write_program_report(folder).read_text("utf-8")
