"""A finding of one seed: what is gained by a remedy is no cure of it."""

from __future__ import annotations

import netwise as nw
from netwise.treatment.trials import compare


def of_seed_zero(history: nw.History) -> nw.Finding | None:
    """Find a run whose first loss is that of seed 0."""
    losses = history.of("loss")
    assert losses is not None
    if losses.values[0] != FIRST_LOSS:
        return None
    return nw.Finding("of_seed_zero", "It is seed 0.", evidence=(nw.Evidence("seed", 1.0, 0.5),))


RULE = nw.Rule("of_seed_zero", "Seed 0", of_seed_zero, "It is seed 0.", "this test")
SLOW = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.SGD(lr=1e-4), epochs=2
)
FIRST_LOSS = nw.fit(SLOW, test=False).history.of("loss").values[0]  # type: ignore[union-attr]


def runs(recipe: nw.Recipe, seeds: range) -> list[nw.Run]:
    return [nw.fit(recipe.but(seed=seed), test=False) for seed in seeds]


def test_a_gain_against_a_finding_of_one_seed_is_said_to_be_no_cure() -> None:
    fast = SLOW.but(optimizer=nw.Adam(lr=0.05))
    before, after = (runs(recipe, range(5, 8)) for recipe in (SLOW, fast))
    result = compare("faster", before, after, fast, "of_seed_zero", (RULE,))
    assert result.sick_before == 0.0
    assert "of seed zero is in 0 of 3 runs without it, so it depends on the seed" in result.sentence
    run = nw.fit(fast, test=False)
    treated = nw.TreatmentResult(run, run, (), result, (RULE,))
    assert not treated.cured


def test_a_finding_of_every_run_has_no_such_note() -> None:
    always = nw.Rule(
        "always",
        "Always",
        lambda history: nw.Finding("always", "Always.", evidence=(nw.Evidence("x", 1.0, 0.5),)),
        "Always.",
        "this test",
    )
    before, after = (runs(recipe, range(5, 7)) for recipe in (SLOW, SLOW.but(epochs=3)))
    result = compare("longer", before, after, SLOW.but(epochs=3), "always", (always,))
    assert "depends on the seed" not in result.sentence
