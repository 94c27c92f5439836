"""Scores of evaluations that compare the wrong numbers."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import observed
from netwise.history import History

ONE_COLUMN = "argmax of one column"
OVER_SAMPLES = "argmax over the samples"
VALUES = "largest outputs"
ROUNDED_LOGITS = "rounded logits"
HALF_OF_LOGITS = "logits above 0.5"
_KINDS = (ONE_COLUMN, OVER_SAMPLES, VALUES, ROUNDED_LOGITS, HALF_OF_LOGITS)


def score_misread(history: History) -> Answer:
    """Find a score that compares each answer with the targets of all samples, takes the largest of
    a single number or along the samples, or takes logits for probabilities."""
    wiring = observed(history, "score_misread", "evaluation")
    if isinstance(wiring, Unchecked):
        return wiring
    misread = wiring.score_misread
    is_shape = misread not in _KINDS
    if not misread or (is_shape and wiring.widened):  # then it is the loss, with the same shapes
        return None
    if misread == ONE_COLUMN:
        what = (
            "A score takes the `argmax` of a single output, which is always 0. Write "
            "`(output > 0)` for logits, or `(output > 0.5)` for probabilities."
        )
        change = "predicted = (output[:, 0] > 0).long()  # 0.5 for probabilities"
    elif misread == OVER_SAMPLES:
        what = (
            "A score takes the `argmax` along the samples: one answer for the whole batch. Write "
            "`output.argmax(dim=1)`, or a comparison where there is one output."
        )
        change = "predicted = output.argmax(dim=1)"
    elif misread == VALUES:
        what = (
            "A score compares the largest outputs with the class numbers, and not their places: "
            "`torch.max(output, 1)` gives values first, and indices second."
        )
        change = "_, predicted = torch.max(output, 1)  # or output.argmax(dim=1)"
    elif misread in (ROUNDED_LOGITS, HALF_OF_LOGITS):
        how = "rounds the outputs" if misread == ROUNDED_LOGITS else "asks for outputs above 0.5"
        what = (
            f"A score {how} as if they were probabilities, and they are logits: the loss applies "
            "the sigmoid itself. A logit of 0 is a probability of 0.5: write `(output > 0)`."
        )
        change = "predicted = (output > 0).float()  # or torch.sigmoid(output).round()"
    else:
        what = (
            f"A score compares outputs and targets of different shapes: {misread}, each output "
            "with the targets of all samples. Give both the same shape, with "
            "`output.squeeze(1)` or `target.unsqueeze(1)`."
        )
        change = "score = score_of(output.squeeze(1), y)"
    return Finding(
        rule="score_misread",
        sentence=f"{what} What was learned may be better than this score.",
        steps=(0, history.ended.step),
        evidence=(Evidence("scores of the wrong numbers", 1.0, 0.0),),
        change=change,
    )


SCORE_MISREAD = Rule(
    name="score_misread",
    title="Score computed on the wrong numbers",
    find=score_misread,
    explanation=(
        "Arithmetic on shapes (n, 1) and (n,) gives (n, n), and the largest of one number is "
        "always the first. The score is then near that of guessing, whatever the model has "
        "learned, and early stopping or a search that looks at it chooses by chance."
    ),
    healthy="Answers and targets of one shape, and an argmax along several classes.",
    source="PyTorch documentation, Broadcasting semantics and torch.max",
    explains=("labels_suspect", "overfitting", "best_was_earlier", "plateau"),
    tasks=WITH_TARGETS,
    own_loops=True,
    exact=True,
)
