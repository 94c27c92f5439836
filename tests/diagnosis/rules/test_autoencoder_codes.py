"""Codes of autoencoders: on histories made by hand on both sides of the limits."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import found, history
from netwise import signals
from netwise.diagnosis.rules import autoencoder_codes as rules


def of(**values: float) -> nw.History:
    """A history in which each signal ends with this value; `_` in a keyword is a dot."""
    return history(whole={name.replace("_", "."): [0.5, value] for name, value in values.items()})


def test_a_wide_code_that_copies_is_found() -> None:
    finding = found(rules.identity_learned(of(code_width=2.0, foreign_r2=0.95, own_r2=0.99)))
    assert finding.sentence == (
        "The code has 2.0 units per input, and the network reconstructs 95 % of the variance of "
        "permuted inputs (99 % of real ones): it copies its input."
    )
    assert finding.strength == pytest.approx(0.95 / 0.8)
    assert rules.identity_learned(of(code_width=0.5, foreign_r2=0.95, own_r2=0.99)) is None
    assert rules.identity_learned(of(code_width=2.0, foreign_r2=0.79, own_r2=0.99)) is None


def test_dead_units_of_the_code_are_found() -> None:
    finding = found(rules.dead_code(of(code_dead=0.6)))
    assert finding.sentence == "60 % of the code's units are the same for all samples."
    assert rules.dead_code(of(code_dead=0.5)) is None


@pytest.mark.parametrize(("nats", "unused"), [(0.5, 0.0), (20.0, 0.95)])
def test_a_collapsed_code_is_found_by_either_sign(nats: float, unused: float) -> None:
    finding = found(rules.posterior_collapse(of(latent_kl=nats, latent_unused=unused)))
    assert finding.strength > 1
    assert finding.sentence.startswith(f"The code carries {nats:.2g} nats of information")


def test_a_code_that_is_used_or_not_variational_has_not_collapsed() -> None:
    assert rules.posterior_collapse(of(latent_kl=1.0, latent_unused=0.9)) is None
    assert rules.posterior_collapse(of(code_dead=0.0)) is None


def test_signals_that_are_not_finite_are_not_checked() -> None:
    nowhere = history(whole={signals.CODE_DEAD: [float("nan")]})
    assert isinstance(rules.dead_code(nowhere), nw.Unchecked)
