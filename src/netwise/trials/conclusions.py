"""What follows from trials for a report: proved findings, and suspects that are cleared."""

from __future__ import annotations

from dataclasses import replace

from netwise.diagnosis.report import Report
from netwise.diagnosis.rules import RULES, Evidence, Finding
from netwise.diagnosis.short_trial import CLEARED, PROVED, ShortTrial
from netwise.trials.experiments import CLEARABLE, GAIN, SYMPTOMS

EXACT = {rule.name for rule in RULES if rule.exact}
CARDS = {rule.name: rule for rule in RULES}
# Findings that trials alone can make.
TITLES = {
    "too_short": "Training stopped too early",
    "start_too_large": "First weights too large",
    "start_too_small": "First weights too small",
    "frozen_layers": "Weights that are not trained, though it would help",
}
CHANGES = {
    "too_short": "# train for more epochs, or with more patience",
    "start_too_large": "for layer in model.modules():\n"
    '    if hasattr(layer, "reset_parameters"):\n        layer.reset_parameters()',
    "start_too_small": "for layer in model.modules():\n"
    '    if hasattr(layer, "reset_parameters"):\n        layer.reset_parameters()',
    "frozen_layers": "model.requires_grad_(True)\n"
    "optimizer = type(optimizer)(model.parameters(), lr=lr)",
}


def needs_trials(report: Report) -> bool:
    """Whether trials could decide something: not where a fact with one explanation was found."""
    return not any(finding.rule in EXACT for finding in report.found)


def concluded(report: Report, outcomes: tuple[ShortTrial, ...]) -> Report:
    """The report after these trials.

    Args:
        report: without trials.
        outcomes: in the order in which they were run.
    """
    found = list(report.found)
    proofs = [each for each in outcomes if each.verdict == PROVED and each.finding]
    cleared = {each.finding for each in outcomes if each.verdict == CLEARED} & CLEARABLE
    cleared -= {each.finding for each in proofs}
    gone = [f for f in found if f.rule in cleared and f.grade == "suspect" and not f.consequences]
    found = [finding for finding in found if finding not in gone]
    for proof in reversed(proofs):
        found = _with_proof(found, proof)
    proved = {finding.rule for finding in found}
    clear = [*report.clear, *(f.rule for f in gone)]
    return replace(
        report,
        found=tuple(found),
        clear=tuple(name for name in clear if name not in proved),
        trials=outcomes,
    )


def _with_proof(found: list[Finding], proof: ShortTrial) -> list[Finding]:
    """The findings with the proved one on top, and mere symptoms below it."""
    card = CARDS.get(proof.finding)
    own = next((finding for finding in found if finding.rule == proof.finding), None)
    evidence = Evidence("skill gained by the trial", _gain(proof), GAIN)
    if own is not None:
        finding = replace(
            own,
            grade="proved",
            sentence=f"{own.sentence} A trial proves it: {proof.sentence}",
            evidence=(*own.evidence, evidence),
            change=proof.change or own.change,
        )
    else:
        finding = Finding(
            proof.finding,
            proof.sentence,
            evidence=(evidence,),
            strength=max(1.0, _gain(proof) / GAIN),
            grade="proved",
            title=card.title if card is not None else TITLES[proof.finding],
            explanation=card.explanation if card is not None else "",
            healthy=card.healthy if card is not None else "",
            source=card.source if card is not None else "",
            remedies=card.remedies if card is not None else (),
            change=proof.change
            or (card.change if card is not None else CHANGES.get(proof.finding, "")),
        )
    explained = set(card.explains) if card is not None else set()
    below = [f for f in found if f is not own and (f.rule in SYMPTOMS or f.rule in explained)]
    others = [f for f in found if f is not own and f not in below]
    return [replace(finding, consequences=(*finding.consequences, *below)), *others]


def _gain(proof: ShortTrial) -> float:
    end = proof.numbers.get("end of the program")
    best = max(proof.numbers.values(), default=0.0)
    return 1.0 if end is None else best - end
