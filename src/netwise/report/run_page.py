"""What a report shows of a run and of a treatment."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from netwise.atomic import write_atomically
from netwise.data import Text
from netwise.data.encoding import TextEncoder
from netwise.diagnosis.report import Report, diagnose, rule_title
from netwise.diagnosis.rules import Finding
from netwise.errors import NetwiseError, Problem
from netwise.networks.recurrent import NextSymbolPredictor
from netwise.observe.anatomy import anatomy_of, format_bytes
from netwise.recipe.checks import check
from netwise.recipe.prepared import Prepared, prepare
from netwise.recipe.writer import recipe_text
from netwise.report.page import Html, figures, joined, page, table, tag
from netwise.report.pictures import (
    answer_plots as answers,
    energy_plots as machines,
    history_plots as drawn,
    trial_plots as tried,
)
from netwise.tasks import task_named
from netwise.training.evaluate import outputs_of
from netwise.training.run import Run
from netwise.training.text_generation import sample_text
from netwise.treatment.remedies import remedy
from netwise.treatment.rounds import TreatmentResult
from netwise.treatment.trials import SEEDS, describe_changes

PROMPT, WRITTEN = 20, 500  # characters of a text that a report shows
RANKED_BY = "The worst first: images that were answered wrong with the most certainty."


def write_report(
    of: Run | TreatmentResult,
    path: str | Path,
    *,
    prepared: Prepared | None = None,
    diagnosis: Report | None = None,
) -> Path:
    """Write the report of a run or of a treatment as one HTML file that needs nothing else.

    Args:
        of: what the report is about.
        path: of the file to write.
        prepared: the data of a run where they are prepared already. Default: they are loaded.
        diagnosis: of a run, as `diagnose` gives it. Default: the run is diagnosed.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> run = nw.fit(nw.suggest(nw.data.iris(), epochs=5))
        >>> path = nw.write_report(run, pathlib.Path(tempfile.mkdtemp()) / "report.html")
        >>> path.read_text("utf-8").startswith("<!doctype html>")
        True
    """
    path = Path(path)
    text = run_page(of, prepared, diagnosis) if isinstance(of, Run) else course_page(of)
    write_atomically(path, text)
    return path


def run_page(run: Run, prepared: Prepared | None = None, diagnosis: Report | None = None) -> str:
    """The report of one run."""
    report = diagnose(run) if diagnosis is None else diagnosis
    data = _prepared_data(run) if prepared is None else prepared
    name = run.folder.name if run.folder else f"recipe {run.recipe.hash}"
    return page(
        f"{name}: netwise",
        tag("h1", f"{type(run.recipe.network).__name__} on {_data_name(run)}"),
        _ending(run),
        tag("h2", "Diagnosis"),
        _diagnosis(report),
        _trial_cost(run, report),
        _before_training(run, data),
        _curves(run),
        _learned(run, data),
        _inside(run),
        _answers(run, data),
        *([] if run.recipe.network.is_memory else [tag("h2", "The network"), _anatomy(run, data)]),
        tag("h2", "The recipe"),
        tag("pre", recipe_text(run.recipe)),
        _made_by(run),
    )


def course_page(course: TreatmentResult) -> str:
    """The report of a treatment: before, what was tried, after."""
    before, after = course.before, course.run
    both = (
        [("before", before.history), ("after", after.history)]
        if course.recipe != before.recipe
        else [("the run", before.history)]
    )
    body: list[Html | str] = [
        tag("h1", f"Treatment of {type(before.recipe.network).__name__} on {_data_name(before)}"),
        tag("p", course.sentence, kind="good" if course.cured else "bad"),
        _scores(course),
        tag("h2", "Before"),
        _diagnosis(diagnose(before)),
        figures([*drawn.curves(before.history, "before"), *drawn.inside(before.history, "before")]),
    ]
    for number, each in enumerate(course.rounds, start=1):
        body += [tag("h2", f"Trials {number}: {rule_title(each.finding.rule)}")]
        body += [
            tag(
                "p",
                "Each remedy changes one thing. Runs are paired: same seed, same start, same batches. Dots are pairs, diamonds their mean.",
                kind="soft",
            )
        ]
        body += [figures([tried.gains(each.verdicts, f"round {number}")])]
        rows = [
            (
                tag("strong", v.remedy) if v.remedy == each.accepted else v.remedy,
                (v.not_applicable and f"not applicable: {v.not_applicable}")
                or f"{v.display_scale * v.gain:+.1f} ({v.display_scale * v.low:+.1f} to {v.display_scale * v.high:+.1f})",
                ""
                if v.not_applicable
                else f"{round(v.sick_before * len(v.seeds))} of {len(v.seeds)}, then {round(v.sick_after * len(v.seeds))}",
                "" if v.not_applicable else f"{v.cost:.1f}",
                "accepted" if v.remedy == each.accepted else ("helps" if v.helps else v.note),
            )
            for v in each.verdicts
        ]
        body += [
            table(
                (
                    "remedy",
                    f"gain in {each.verdicts[0].unit} (95 %)",
                    "finding before, after",
                    "cost",
                    "",
                ),
                rows,
            )
        ]
        unhelped = [v.remedy for v in each.verdicts if v.remedy == each.accepted]
        body += [
            tag("p", "By hand: ", tag("code", remedy(name).by_hand), kind="soft")
            for name in unhelped
        ]
    if course.recipe != before.recipe:
        body += [
            tag("h2", "After"),
            _diagnosis(diagnose(after)),
            tag("h3", "What was changed"),
            tag(
                "ul",
                *(
                    tag("li", tag("code", line))
                    for line in describe_changes(before.recipe, after.recipe)
                ),
            ),
            figures(
                [
                    drawn.gradient_profile(both),
                    *drawn.curves(after.history, "after"),
                    *drawn.inside(after.history, "after"),
                ]
            ),
            _answers(after, _prepared_data(after)),
        ]
    body += [
        tag("h2", "The recipe it ends with"),
        tag("pre", recipe_text(course.recipe)),
        _made_by(after),
    ]
    return page("Treatment: netwise", *body)


def _data_name(run: Run) -> str:
    named = getattr(run.recipe.data, "path", "")
    return Path(named).name if named else type(run.recipe.data).__name__


def _ending(run: Run) -> Html:
    lines = [tag("p", run.history.ended.sentence)]
    if run.score is not None:
        lines.append(tag("p", tag("strong", f"Test {run.score}")))
    return joined(lines)


def _scores(course: TreatmentResult) -> Html:
    rows = [
        (label, str(run.score))
        for label, run in (("test part, before", course.before), ("test part, after", course.run))
        if run.score is not None
    ]
    return table(("", "score"), rows) if rows else Html("")


def _diagnosis(report: Report) -> Html:
    cards = [_card(finding) for finding in report.found]
    if not cards:
        cards = [tag("p", "Nothing found.", kind="good")]
    if report.clear:
        cards.append(
            tag(
                "p",
                f"No sign of: {', '.join(rule_title(name) for name in report.clear)}.",
                kind="soft",
            )
        )
    if report.unchecked:
        rows = [(rule_title(name), reason) for name, reason in report.unchecked]
        cards.append(
            joined([tag("p", "Not checked:", kind="soft"), table(("rule", "because"), rows)])
        )
    return joined(cards)


def _trial_cost(run: Run, report: Report) -> Html:
    """What it would take to prove a cure."""
    remedies = {name for finding in report.found for name in finding.remedies}
    if not remedies:
        return Html("")
    seconds = 2 * len(SEEDS) * run.history.made_by.seconds
    name = run.folder.name if run.folder else "RUN"
    told = f"A paired trial of one remedy takes {2 * len(SEEDS)} runs, about {max(seconds, 0.1):.1f} s of computing; all that answer: "
    return tag("p", told, tag("code", f"netwise treat {name}"), kind="soft")


def _card(finding: Finding, consequence: bool = False) -> Html:
    title = finding.title or rule_title(finding.rule)
    inside: list[Html | str] = [
        tag("h3", f"{'Consequence: ' if consequence else ''}{title[0].upper()}{title[1:]}"),
        tag("p", finding.sentence),
    ]
    shown = [
        (e.what, e.value_text, e.limit_text) for e in finding.evidence if math.isfinite(e.limit)
    ]
    if shown:
        inside.append(table(("evidence", "measured", "limit"), shown, numbers=(1,)))
    if finding.layers:
        inside.append(
            tag(
                "p",
                f"Layers: {', '.join(finding.layers)}. Steps {finding.steps[0] + 1} to {finding.steps[1] + 1}.",
                kind="soft",
            )
        )
    inside.append(tag("p", finding.explanation))
    if finding.healthy:
        inside.append(tag("p", f"In a run that learns well: {finding.healthy}", kind="soft"))
    if finding.remedies and not consequence:
        items = [
            tag(
                "li",
                tag("strong", name),
                f": {remedy(name).title}. By hand: ",
                tag("code", remedy(name).by_hand),
            )
            for name in finding.remedies
        ]
        inside += [tag("p", "What may cure it, in the order to try:"), tag("ul", *items)]
    inside.append(tag("p", f"Source: {finding.source}.", kind="soft"))
    inside += [_card(each, consequence=True) for each in finding.consequences]
    return tag("div", *inside, kind="card found")


def _prepared_data(run: Run) -> Prepared | NetwiseError:
    """The data of a run, or why they are not available any more."""
    try:
        return prepare(run.recipe)
    except NetwiseError as error:
        return error


def _before_training(run: Run, data: Prepared | NetwiseError) -> Html:
    if isinstance(data, NetwiseError):
        return Html("")
    try:
        problems: list[Problem] = check(run.recipe, prepared=data)
    except NetwiseError:
        return Html("")
    if not problems:
        return Html("")
    rows = [(problem.subject, problem.sentence) for problem in problems]
    return joined(
        [tag("p", "Seen before training:"), table(("field", "why it will learn badly"), rows)]
    )


def _curves(run: Run) -> Html:
    pictures = [*drawn.curves(run.history), *machines.told_curves(run.history)]
    return joined([tag("h2", "Curves"), figures(pictures)]) if pictures else Html("")


def _inside(run: Run) -> Html:
    pictures = drawn.inside(run.history)
    return (
        joined([tag("h2", "Inside the network"), _inside_text(), figures(pictures)])
        if pictures
        else Html("")
    )


def _learned(run: Run, data: Prepared | NetwiseError) -> Html:
    """What a network that learned its inputs makes of them; on the validation part, or the training
    part where there is none."""
    if run.recipe.network.own_task is None and not run.recipe.network.is_energy_model:
        return Html("")
    if isinstance(data, NetwiseError):
        return Html("")
    samples, own = data.samples, data.loaded
    part, raw = (samples.valid, own.valid) if len(samples.valid) else (samples.train, own.train)
    labels = raw.y if task_named(own.task).has_classes and raw.y.dim() == 1 else None
    x = part.x[:1000].to(next((p.device for p in run.module.parameters()), torch.device("cpu")))
    pictures = machines.learned(run.module, x, samples.shape, labels, own.classes)
    return joined([tag("h2", "What it has learned"), figures(pictures)]) if pictures else Html("")


def _inside_text() -> Html:
    return tag(
        "p",
        "Layers from the input (top) to the output (bottom), over the steps of the run. A row that fades is a layer that does not learn.",
        kind="soft",
    )


def _anatomy(run: Run, data: Prepared | NetwiseError) -> Html:
    if isinstance(data, NetwiseError):
        return tag("pre", str(data))
    samples = data.samples
    try:
        anatomy = anatomy_of(run.module, samples.shape, samples.train.x[:2])
    except NetwiseError as error:
        return tag("pre", str(error))
    rows = [
        (
            o.name,
            o.kind,
            "x".join(map(str, o.shape)),
            f"{o.parameters:,}",
            f"{o.multiply_adds:,}",
            format_bytes(o.memory),
        )
        for o in anatomy.rows
    ]
    rows.append(
        (
            "sum",
            "",
            "",
            f"{anatomy.parameters:,}",
            f"{anatomy.multiply_adds:,}",
            format_bytes(anatomy.memory),
        )
    )
    return table(
        ("layer", "kind", "output", "parameters", "multiply-adds", "memory"),
        rows,
        numbers=(3, 4, 5),
    )


def _answers(run: Run, data: Prepared | NetwiseError) -> Html:
    """Confusion matrix and, for images, the worst mistakes; on the validation part, which is looked
    at anyway."""
    if not task_named(run.pipeline.task).has_classes:
        return Html("")
    if isinstance(data, NetwiseError):
        return Html("")
    valid = data.samples.valid
    if not len(valid):
        return Html("")
    if valid.y.dim() > 1:
        return _writing(run, valid.x[0].tolist())
    device = next((p.device for p in run.module.parameters()), torch.device("cpu"))
    outputs = outputs_of(run.module, valid.x.to(device)).cpu()[:, : len(run.pipeline.classes)]
    if not bool(torch.isfinite(outputs).all()):
        return Html("")
    answer, truth = outputs.argmax(1), valid.y
    pictures = [answers.confusion(truth.numpy(), answer.numpy(), run.pipeline.classes)]
    if valid.x.dim() == 4:
        sure = torch.softmax(outputs, 1).amax(1)
        wrong = torch.nonzero(answer != truth).flatten()
        worst = wrong[sure[wrong].argsort(descending=True)][:10]
        names = run.pipeline.classes
        told = [names[int(truth[i])] for i in worst], [names[int(answer[i])] for i in worst]
        pictures.append(answers.worst_mistakes(valid.x[worst].numpy(), *told, sure[worst].numpy()))
    return joined([tag("h2", "Answers"), figures(pictures)])


def _writing(run: Run, beginning: list[int]) -> Html:
    """What a network that has learned a text writes, after a few characters of the validation
    part."""
    encoder = run.pipeline.encoder
    if (
        not isinstance(encoder, TextEncoder)
        or not isinstance(run.module, NextSymbolPredictor)
        or not isinstance(run.recipe.data, Text)
    ):
        return Html("")
    text = sample_text(run, encoder.decode(beginning[:PROMPT]), WRITTEN, temperature=0.8)
    told = f"After the first {min(PROMPT, len(beginning))} characters, which are the validation part's own; drawn at temperature 0.8."
    return joined([tag("h2", "What it writes"), tag("pre", text), tag("p", told, kind="soft")])


def _made_by(run: Run) -> Html:
    made = run.history.made_by
    versions = ", ".join(f"{name} {version}" for name, version in made.versions.items())
    threads = "1 thread" if made.threads == 1 else f"{made.threads} threads"
    return tag(
        "p",
        f"Recipe {made.recipe}; {versions}; {made.device}, {threads}; trained in {made.seconds:.1f} s.",
        kind="soft",
    )
