"""Write the report of a run, of an observed history or of a treatment to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from netwise.atomic import write_atomically
from netwise.diagnosis.report import Report
from netwise.history import History
from netwise.recipe.prepared import Prepared
from netwise.report.run_page import run_page
from netwise.scoring.scores import Scores
from netwise.training.run import Run
from netwise.training.simple_baselines import Baselines

if TYPE_CHECKING:
    from netwise.treatment.rounds import TreatmentResult
    from netwise.watching.watch import watch


def write_report(
    of: Run | TreatmentResult | History | watch,
    path: str | Path,
    *,
    prepared: Prepared | None = None,
    diagnosis: Report | None = None,
    scores: Scores | None = None,
    baselines: Baselines | None = None,
) -> Path:
    """Write the report of a run, of an observed loop or of a treatment as one self-contained HTML
    file.

    Args:
        of: what the report is about. Of a `watch` it is the model with the most weights, of a
            history the model that it belongs to.
        path: of the file to write; an existing one is replaced.
        prepared: the data of a run where they are prepared already. Default: they are loaded.
        diagnosis: of a run or a history, as `diagnose` returns it. Default: it is diagnosed.
        scores: of a run, where they were measured already. Default: they are measured.
        baselines: simple models beside a run, as `baselines` returns them. Default: none.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> run = nw.fit(nw.suggest(nw.data.iris(), epochs=5))
        >>> path = nw.write_report(run, pathlib.Path(tempfile.mkdtemp()) / "report.html")
        >>> path.read_text("utf-8").startswith("<!doctype html>")
        True
    """
    path = Path(path)
    if isinstance(of, Run):
        text = run_page(of, prepared, diagnosis, scores, baselines)
    else:
        text = _other_page(of, path.stem, diagnosis)
    write_atomically(path, text)
    return path


def _other_page(of: TreatmentResult | History | watch, title: str, diagnosis: Report | None) -> str:
    """The page of what is no run of netwise's own."""
    from netwise.report.program_page import program_page  # heavy
    from netwise.report.treatment_page import treatment_page
    from netwise.watching.watch import watch

    of = of.history() if isinstance(of, watch) else of
    if isinstance(of, History):
        return program_page(of, title=title, diagnosis=diagnosis)
    return treatment_page(of)
