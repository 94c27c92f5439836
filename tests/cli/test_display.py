"""Progress on stderr: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

import netwise as nw
from netwise import signals
from netwise.cli.display import (
    MOST_LINES,
    LiveDisplay,
    PlainDisplay,
    display,
    epoch_text,
    runs_table,
)


def test_both_displays_leave_the_run_as_it_is(
    capsys: pytest.CaptureFixture[str], small: nw.Recipe
) -> None:
    plain, live = nw.fit(small, progress=PlainDisplay()), nw.fit(small, progress=LiveDisplay())
    assert plain.history.series == live.history.series
    assert "epoch 4/4  loss " in capsys.readouterr().err


def test_redirected_output_gets_plain_lines() -> None:
    assert isinstance(display(), PlainDisplay)  # stderr is captured, so it is no terminal


@pytest.mark.parametrize("epochs", [1, 7, 50, 51, 1000])
def test_a_long_run_prints_about_fifty_lines(
    epochs: int, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = PlainDisplay()
    shown.start(epochs, epochs, 0)
    for epoch in range(1, epochs + 1):
        shown.epoch(epoch, {signals.TRAIN_LOSS: 1.0})
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) <= MOST_LINES + 1
    assert lines[0].startswith(f"epoch 1/{epochs}  ")
    assert lines[-1].startswith(f"epoch {epochs}/{epochs}  ")


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({signals.VALID_ACCURACY: 0.5}, "valid 50.0 %"),
        ({signals.VALID_ACCURACY: 0.5, signals.TRAIN_ACCURACY: 0.9}, "valid 50.0 %"),
        ({signals.TRAIN_ACCURACY: 0.9}, "train 90.0 %"),
        ({signals.VALID_R2: -0.25}, "valid R² -0.250"),
        ({signals.STAGE: 2.0, signals.RECONSTRUCTION: 0.03}, "layer 2  reconstruction error 0.03"),
        ({signals.LOG_LIKELIHOOD: -86.342}, "likelihood -86.34 nats"),
        ({signals.PSEUDO_LIKELIHOOD: -12.34}, "pseudo-likelihood -12.3 nats"),
    ],
)
def test_the_line_of_an_epoch_has_the_signals_of_its_kind(row: dict[str, float], text: str) -> None:
    assert epoch_text({signals.TRAIN_LOSS: 0.123456, **row}) == f"loss 0.1235  {text}"


def test_the_table_has_a_line_for_each_run() -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    first = nw.RunProgress("run 2 of 3", 4, 9, 0.5, "seed = [bold]2")
    console.print(runs_table("1 of 3 runs ended", [first, nw.RunProgress("run 3 of 3")]))
    lines = console.export_text().splitlines()
    assert lines[0].strip() == "1 of 3 runs ended"
    assert lines[1].split() == ["run", "epoch", "valid", "settings"]
    assert lines[2].split() == ["run", "2", "of", "3", "4/9", "0.5000", "seed", "=", "[bold]2"]
    assert lines[3].split() == ["run", "3", "of", "3", "starting"]
