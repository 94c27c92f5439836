"""Many runs tell of themselves to who watches."""

from __future__ import annotations

import pytest

import netwise as nw

RECIPE = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.SGD(lr=0.1), epochs=400
)


def test_nobody_is_told_outside(capsys: pytest.CaptureFixture[str]) -> None:
    with nw.show_progress() as say:
        say("a line")
        nw.cross_validate(RECIPE.but(epochs=1), folds=2, jobs=1)
    assert capsys.readouterr().err == "a line\n"  # no terminal: no table
