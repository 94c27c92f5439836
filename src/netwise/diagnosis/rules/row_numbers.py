"""Numbers of rows among the inputs, in a table that is sorted by its classes."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.labels import skill
from netwise.diagnosis.rules.observation import NOT_OBSERVED
from netwise.history import History

TELLS = 0.5  # skill of the nearest neighbours that know nothing but the number of a row


def row_number_among_inputs(history: History) -> Answer:
    """Find a feature whose values are all different and evenly spaced, as numbers of rows are, that
    predicts the classes by itself."""
    if history.wiring is None:
        return Unchecked(NOT_OBSERVED)
    data = history.data
    if data is None or data.train_samples == 0:
        return Unchecked("no batches of training were kept together with their targets")
    if data.row_numbers is None:
        return None
    feature, alone, others = data.row_numbers
    known = skill(alone, data.chance_score)
    if known < TELLS:
        return None
    return Finding(
        rule="row_number_among_inputs",
        sentence=(
            f"Feature {feature} of the inputs looks like the number of the row: all its values are "
            "different and evenly spaced. By it alone simple models predict the classes with "
            f"accuracy {alone:.2g} (by all others with {others:.2g}), as in a table that is sorted "
            "by them. New rows have other numbers: leave it out, unless it is a time."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("skill of simple models by that feature alone", known, TELLS),),
        strength=known / TELLS,
        change=(
            f"x = torch.cat([x[:, :{feature}], x[:, {feature} + 1:]], 1)  # without the number\n"
            "table = table.drop(columns=['id'])  # or where the table is read"
        ),
    )


ROW_NUMBER_AMONG_INPUTS = Rule(
    name="row_number_among_inputs",
    title="A number of the row among the inputs",
    find=row_number_among_inputs,
    explanation=(
        "Tables are often sorted by what is to be predicted, or by where it was measured. Then the "
        "number of a row tells the answer, in every part that is drawn from the same table, and "
        "nothing about new rows. Validation does not show it."
    ),
    healthy="Inputs that are known of new rows, and mean the same there.",
    source="Kaufman, Rosset, Perlich, Stitelman 2012, Leakage in data mining, section 3",
    own_loops=True,
)
