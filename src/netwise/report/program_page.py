"""The page of an observed program: its diagnosis, what was recorded, and how it is connected."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from netwise.atomic import write_atomically
from netwise.diagnosis.report import Report, diagnose
from netwise.history import History
from netwise.report.finding_values import report_values
from netwise.report.inside_values import inside_values
from netwise.report.page import render
from netwise.report.pictures.history_plots import batch_curves, curves
from netwise.storage.layout import REPORT
from netwise.storage.run_folder import RunFolder, program_title
from netwise.wiring import LossTerm, Wiring

MOST_NAMES = 8  # of parameters in one cell


def write_program_report(folder: str | Path) -> Path:
    """Write `report.html` into the run folder of a watched program, which may still be running.

    Args:
        folder: of the run.

    Raises:
        RunFolderError: there is no run.
        OSError: the file cannot be written.
    """
    store = RunFolder.open(folder)
    page = program_page(store.history(), store.program(), title=store.path.name)
    path = store.path / REPORT
    write_atomically(path, page)
    return path


def program_page(
    history: History,
    program: Mapping[str, Any] | None = None,
    *,
    title: str = "training",
    diagnosis: Report | None = None,
) -> str:
    """The page of a history that was observed.

    Args:
        history: what was recorded.
        program: the contents of `program.json`. Default: the page has no section about it.
        title: of the page.
        diagnosis: of the history. Default: it is diagnosed.
    """
    program = program or {}
    wiring = history.wiring or Wiring()
    model = str(program.get("model") or wiring.module or "Module")
    return render(
        "program.html",
        title=title,
        heading=f"{model} in {program_title(program)}" if program else model,
        ended=history.ended.sentence,
        report=report_values(diagnose(history) if diagnosis is None else diagnosis, history),
        curves=[*curves(history), *batch_curves(history)],
        inside=inside_values(history),
        facts=_facts(history, wiring),
        losses=[_loss_row(term) for term in wiring.losses],
        not_observed=[
            (name.replace("_", " "), reason) for name, reason in wiring.not_observed.items()
        ],
        command=shlex.join(str(word) for word in program.get("command") or ()),
        program=_program_rows(program),
        provenance=_provenance(history),
    )


def _facts(history: History, wiring: Wiring) -> list[tuple[str, str]]:
    """Exact facts of the program, and what is known of its data; without those not known."""
    facts = history.facts
    rows = [
        ("optimizer", ", ".join(wiring.optimizers) or facts.optimizer),
        ("learning rate at the start", None if facts.rate is None else f"{facts.rate:.4g}"),
        ("trainable parameters (tensors)", wiring.trainable or None),
        ("frozen parameters", _names(wiring.frozen)),
        ("in no optimizer", _names(wiring.in_no_optimizer)),
        ("reached by no loss", _names(wiring.not_reached)),
        ("trained outside of the module", _names(wiring.outside_module)),
        ("trained against", ", ".join(wiring.opponents)),
        ("called by", ", ".join(wiring.frameworks)),
        ("first value that is not finite", wiring.not_finite),
        ("task", facts.task),
        ("classes in the targets", facts.classes),
        ("largest batch", facts.batch_size),
        ("loss of guessing", _number(facts.loss_of_guessing)),
        ("least loss", _number(facts.least_loss)),
    ]
    return [(name, str(value)) for name, value in rows if value not in (None, "")]


def _names(names: tuple[str, ...]) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.4g}"


def _loss_row(term: LossTerm) -> tuple[str, ...]:
    kind = term.operation or ("penalty on weights" if term.penalty else "?")
    return (
        f"{kind}, by hand" if term.by_hand else kind,
        term.place,
        term.reduction,
        f"{term.factor:.4g}",
        ", ".join(term.chain),
        " x ".join(map(str, term.output_shape)),
        " x ".join(map(str, term.target_shape)),
    )


def _program_rows(program: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [
        ("script", program.get("script")),
        ("SHA-256", program.get("sha256")),
        ("folder", program.get("folder")),
    ]
    return [(name, str(value)) for name, value in rows if value]


def _provenance(history: History) -> str:
    made_by = history.made_by
    versions = ", ".join(f"{name} {version}" for name, version in made_by.versions.items())
    threads = "1 thread" if made_by.threads == 1 else f"{made_by.threads} threads"
    return f"{versions}; {made_by.device}, {threads}; observed for {made_by.seconds:.1f} s.".lstrip(
        "; "
    )
