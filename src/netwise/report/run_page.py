"""The page of one run: how it ended, its diagnosis, what it recorded and what it predicts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from netwise.data import Text
from netwise.data.encoding import TextEncoder
from netwise.diagnosis.grouping import all_findings
from netwise.diagnosis.report import Report, diagnose
from netwise.errors import NetwiseError
from netwise.networks.recurrent import NextSymbolPredictor
from netwise.observe.anatomy import anatomy_of, format_bytes
from netwise.recipe.checks import check
from netwise.recipe.prepared import Prepared, prepare
from netwise.recipe.writer import recipe_text
from netwise.report.data_values import summary_values
from netwise.report.finding_values import report_values
from netwise.report.inside_values import inside_values
from netwise.report.page import render
from netwise.report.pictures.answer_plots import worst_mistakes
from netwise.report.pictures.energy_plots import learned_pictures, unsupervised_curves
from netwise.report.pictures.history_plots import curves
from netwise.report.score_values import baseline_values, score_pictures, score_values
from netwise.scoring.scores import Scores
from netwise.tasks import task_named
from netwise.training.evaluate import outputs_of
from netwise.training.run import Run
from netwise.training.run_scores import final_scores
from netwise.training.simple_baselines import Baselines
from netwise.training.text_generation import sample_text
from netwise.treatment.trials import SEEDS

PROMPT_LENGTH, SAMPLE_LENGTH = 20, 500  # characters of a generated text
MOST_INPUTS = 1000  # of which an unsupervised network's outputs are drawn
MOST_MISTAKES = 10


def run_page(
    run: Run,
    prepared: Prepared | None = None,
    diagnosis: Report | None = None,
    scores: Scores | None = None,
    baselines: Baselines | None = None,
) -> str:
    """The page of one run.

    Args:
        run: what the page is about.
        prepared: its data where they are prepared already. Default: they are loaded.
        diagnosis: of the run. Default: the run is diagnosed.
        scores: of the run, where they were measured already. Default: they are measured.
        baselines: simple models beside the run. Default: none.
    """
    report = diagnose(run) if diagnosis is None else diagnosis
    data = prepared_data(run) if prepared is None else prepared
    name = run.folder.name if run.folder else f"recipe {run.recipe.hash}"
    anatomy, anatomy_error = _anatomy(run, data)
    if scores is None and isinstance(data, Prepared):
        scores = final_scores(run, data)
    return render(
        "run.html",
        title=name,
        heading=f"{type(run.recipe.network).__name__} on {data_title(run)}",
        ended=run.history.ended.sentence,
        score=None if run.score is None else str(run.score),
        scores=None if scores is None else score_values(scores),
        baselines=None if baselines is None else baseline_values(baselines),
        scores_drawn=score_pictures(run, data, scores)
        if scores is not None and isinstance(data, Prepared)
        else [],
        report=report_values(report, run.history),
        treatment=_treatment_hint(run, report),
        warnings=_warnings(run, data),
        data=None if isinstance(data, NetwiseError) else summary_values(run.recipe.data),
        curves=[*curves(run.history), *unsupervised_curves(run.history)],
        learned=_learned(run, data),
        inside=inside_values(run.history),
        predictions=prediction_pictures(run, data),
        text_sample=_text_sample(run, data),
        anatomy=anatomy,
        anatomy_error=anatomy_error,
        recipe=recipe_text(run.recipe),
        provenance=provenance_text(run),
    )


def prepared_data(run: Run) -> Prepared | NetwiseError:
    """The data of a run, or why they are not available any more."""
    try:
        return prepare(run.recipe)
    except NetwiseError as error:
        return error


def data_title(run: Run) -> str:
    """The file of a run's data, or their class."""
    path = getattr(run.recipe.data, "path", "")
    return Path(path).name if path else type(run.recipe.data).__name__


def provenance_text(run: Run) -> str:
    """The recipe's hash, versions, device and time."""
    made_by = run.history.made_by
    versions = ", ".join(f"{name} {version}" for name, version in made_by.versions.items())
    threads = "1 thread" if made_by.threads == 1 else f"{made_by.threads} threads"
    return (
        f"Recipe {made_by.recipe}; {versions}; {made_by.device}, {threads}; "
        f"trained in {made_by.seconds:.1f} s."
    )


def _treatment_hint(run: Run, report: Report) -> dict[str, str] | None:
    """The command that tries the remedies of the first finding, and how long it takes."""
    remedies = {name for finding in all_findings(report.found[:1]) for name in finding.remedies}
    if not remedies:
        return None
    count = len(remedies)
    runs = (1 + count) * len(SEEDS)
    seconds = max(runs * run.history.made_by.seconds, 0.1)
    time = f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    subject = "the remedy" if count == 1 else f"all {count} remedies of the first finding"
    return {
        "text": f"Trying {subject} takes {runs} runs, about {time} of computing:",
        "command": f"netwise treat {run.folder or 'RUN'}",
    }


def _warnings(run: Run, data: Prepared | NetwiseError) -> list[tuple[str, str]]:
    """What the check of the recipe warns of."""
    if isinstance(data, NetwiseError):
        return []
    try:
        problems = check(run.recipe, prepared=data)
    except NetwiseError:
        return []
    return [(problem.subject, problem.sentence) for problem in problems]


def _learned(run: Run, data: Prepared | NetwiseError) -> list[str]:
    """What an unsupervised network makes of the validation part, or of the training part where
    there is none."""
    network = run.recipe.network
    if (network.own_task is None and not network.is_energy_model) or isinstance(data, NetwiseError):
        return []
    samples, loaded = data.samples, data.loaded
    has_valid = len(samples.valid) > 0
    part, raw = (samples.valid, loaded.valid) if has_valid else (samples.train, loaded.train)
    labels = raw.y if task_named(loaded.task).has_classes and raw.y.dim() == 1 else None
    x = part.x[:MOST_INPUTS].to(_device(run))
    return learned_pictures(run.module, x, samples.shape, labels, loaded.classes)


def prediction_pictures(run: Run, data: Prepared | NetwiseError) -> list[str]:
    """For images, the worst mistakes on the validation part; [] where the task is no classification
    of single images."""
    if not task_named(run.pipeline.task).has_classes or isinstance(data, NetwiseError):
        return []
    valid, classes = data.samples.valid, run.pipeline.classes
    if not len(valid) or valid.y.dim() > 1 or valid.x.dim() != 4:
        return []
    outputs = outputs_of(run.module, valid.x.to(_device(run))).cpu()[:, : len(classes)]
    if not bool(torch.isfinite(outputs).all()):
        return []
    predicted, truth = outputs.argmax(1), valid.y
    probability = torch.softmax(outputs, 1).amax(1)
    mistakes = torch.nonzero(predicted != truth).flatten()
    by_probability = probability[mistakes].argsort(descending=True)
    worst = mistakes[by_probability][:MOST_MISTAKES]
    picture = worst_mistakes(
        valid.x[worst].numpy(),
        [classes[int(truth[i])] for i in worst],
        [classes[int(predicted[i])] for i in worst],
        probability[worst].numpy(),
    )
    return [picture] if picture else []


def _text_sample(run: Run, data: Prepared | NetwiseError) -> dict[str, str] | None:
    """A text that the network continues from the first characters of the validation part."""
    if isinstance(data, NetwiseError) or not task_named(run.pipeline.task).has_classes:
        return None
    valid, encoder = data.samples.valid, run.pipeline.encoder
    if not isinstance(encoder, TextEncoder) or not isinstance(run.recipe.data, Text):
        return None
    if not isinstance(run.module, NextSymbolPredictor) or not len(valid) or valid.y.dim() < 2:
        return None
    start = valid.x[0].tolist()
    prompt = encoder.decode(start[:PROMPT_LENGTH])
    text = sample_text(run, prompt, SAMPLE_LENGTH, temperature=0.8)
    note = (
        f"The first {min(PROMPT_LENGTH, len(start))} characters are from the validation part; "
        "the network wrote the rest at temperature 0.8."
    )
    return {"text": text, "note": note}


def _anatomy(
    run: Run, data: Prepared | NetwiseError
) -> tuple[Sequence[tuple[str, ...]], str | None]:
    """(the table of layers, why it cannot be shown)."""
    if run.recipe.network.is_memory:
        return [], None
    if isinstance(data, NetwiseError):
        return [], str(data)
    samples = data.samples
    try:
        anatomy = anatomy_of(run.module, samples.shape, samples.train.x[:2])
    except NetwiseError as error:
        return [], str(error)
    rows = [
        (
            row.name,
            row.kind,
            "x".join(map(str, row.shape)),
            f"{row.parameters:,}",
            f"{row.multiply_adds:,}",
            format_bytes(row.memory),
        )
        for row in anatomy.rows
    ]
    total = (f"{anatomy.parameters:,}", f"{anatomy.multiply_adds:,}", format_bytes(anatomy.memory))
    return [*rows, ("total", "", "", *total)], None


def _device(run: Run) -> torch.device:
    """Where the network's parameters are."""
    return next((p.device for p in run.module.parameters()), torch.device("cpu"))
