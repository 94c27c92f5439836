"""Views that scramble the axes of a sample: a cause where nothing was learned."""

from __future__ import annotations

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules.scrambled_axes import axes_scrambled


def run(final: float = 2.3, view: str | None = "", **facts: object) -> nw.History:
    first = nw.FirstBatch(scrambled_view=view, **facts)  # type: ignore[arg-type]
    return history(final=final).but(first_batch=first)


def test_the_view_its_line_and_what_to_write() -> None:
    finding = found(
        axes_scrambled(run(view="view from (40, 10, 4) to (40, 4, 10)", scrambled_at="net.py:9"))
    )
    assert "(net.py:9)" in finding.sentence
    assert finding.grade == "cause"
    assert finding.change.startswith("x = x.permute(0, 2, 1)")


def test_joined_axes_have_a_general_line() -> None:
    finding = found(axes_scrambled(run(view="reshape from (8, 4, 16, 6) to (8, 16, 24)")))
    assert "permute(0, 2, 1, 3)" in finding.change


def test_no_finding_in_a_run_that_learns_nor_without_a_view() -> None:
    view = "view from (40, 10, 4) to (40, 4, 10)"
    assert axes_scrambled(run(0.1, view)) is None
    assert axes_scrambled(run()) is None
    assert axes_scrambled(run(view=view, samples_mix="view of (3,)")) is None
    assert isinstance(axes_scrambled(run(view=None)), nw.Unchecked)
