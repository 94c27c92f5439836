"""Dropout that acts in evaluation mode, too."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.history import History


def train_eval_differ(history: History) -> Answer:
    """Find a dropout that sets values to zero although the module is in evaluation mode.

    Noise that is drawn otherwise, as in a variational autoencoder, is no finding.
    """
    facts = first_batch_fact(history, "dropout_in_evaluation")
    if isinstance(facts, Unchecked):
        return facts
    if not facts.dropout_in_evaluation:
        return None
    share = facts.evaluation_noise
    return Finding(
        rule="train_eval_differ",
        sentence=(
            f"Dropout acts in evaluation mode, too ({facts.dropout_in_evaluation}): two "
            "evaluations of one sample give different outputs. `F.dropout(x, p)` does not know the "
            "mode of the module; a dropout layer in a Python list is not switched by `eval()`."
        ),
        evidence=(
            Evidence(
                "noise / variance of the outputs in evaluation", share or 0.0, 0.0, True, True
            ),
        ),
    )


TRAIN_EVAL_DIFFER = Rule(
    name="train_eval_differ",
    title="Dropout in evaluation mode",
    find=train_eval_differ,
    explanation=(
        "Dropout shall be off when a network is evaluated or used. Left on, validation scores are "
        "those of a damaged network, and predictions change from call to call."
    ),
    healthy="In evaluation mode equal inputs give equal outputs.",
    source="PyTorch documentation, torch.nn.functional.dropout: training=True is the default",
    explains=("training_mode_in_evaluation", "underfitting"),
    own_loops=True,
    exact=True,
    change="x = F.dropout(x, p=0.5, training=self.training)",
)
