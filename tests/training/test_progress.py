"""Without a monitor or a terminal, several runs print nothing."""

from __future__ import annotations

import pytest

import netwise as nw

RECIPE = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.SGD(lr=0.1), epochs=400
)


def test_without_a_terminal_only_lines_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with nw.show_progress() as say:
        say("a line")
        nw.cross_validate(RECIPE.but(epochs=1), folds=2, jobs=1)
    assert capsys.readouterr().err == "a line\n"  # no terminal: no table
