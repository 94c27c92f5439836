"""Likelihoods of small machines against sums over all states; criteria that can fail."""

from __future__ import annotations

import itertools

import pytest
import torch

import netwise as nw
from netwise.labs.energy.contrastive_divergence import (
    LikelihoodSettings,
    StepSettings,
    exact_and_estimated,
    gibbs_step_arms,
    gibbs_step_criteria,
    likelihood_arms,
    likelihood_criteria,
    scikit_learn_likelihood,
)
from netwise.labs.lab_definition import LabResult
from netwise.networks.energy.rbm import RestrictedBoltzmann


def mean_likelihood(
    weight: torch.Tensor, visible: torch.Tensor, hidden: torch.Tensor, x: torch.Tensor
) -> float:
    """Mean ln p(v) of a machine by a sum over all states; weight (hidden, visible), in float64."""

    def log_sum_over_hidden(v: torch.Tensor) -> torch.Tensor:
        terms = []
        for h in itertools.product((0.0, 1.0), repeat=len(hidden)):
            state = torch.tensor(h, dtype=torch.float64)
            terms.append(v @ visible + v @ weight.t() @ state + state @ hidden)
        return torch.logsumexp(torch.stack(terms), 0)

    states = torch.tensor(
        list(itertools.product((0.0, 1.0), repeat=len(visible))), dtype=torch.float64
    )
    log_z = torch.logsumexp(log_sum_over_hidden(states), 0)
    return float((log_sum_over_hidden(x.double()) - log_z).mean())


def patterns(samples: int = 200) -> torch.Tensor:
    """(samples, 6) of 0 and 1: the second half of the inputs repeats the first."""
    half = torch.randint(2, (samples, 3), generator=torch.Generator().manual_seed(0)).float()
    return torch.cat([half, half], 1)


def test_the_exact_likelihood_is_the_sum_over_states_and_ais_is_near() -> None:
    torch.manual_seed(0)
    machine = nw.RBM(6, 3, centred=False).build()
    assert isinstance(machine, RestrictedBoltzmann)
    weight, hidden, visible = machine.weights_and_biases
    with torch.no_grad():
        weight.copy_(torch.randn(weight.shape))
        hidden.copy_(torch.randn(hidden.shape))
        visible.copy_(torch.randn(visible.shape))
    exact, errors = exact_and_estimated(machine, patterns(), chains=200, temperatures=500)
    expected = mean_likelihood(
        *(t.detach().double() for t in (weight, visible, hidden)), patterns()
    )
    assert exact == pytest.approx(expected, abs=1e-4)
    assert 0 <= errors < 4


def test_scikit_learns_likelihood_is_that_of_its_weights() -> None:
    from sklearn.neural_network import BernoulliRBM

    x = patterns()
    rbm = BernoulliRBM(3, learning_rate=0.01, batch_size=100, n_iter=4, random_state=0)
    rbm.fit(x.numpy())
    weight, visible, hidden = (
        torch.from_numpy(value).double()
        for value in (rbm.components_, rbm.intercept_visible_, rbm.intercept_hidden_)
    )
    found = scikit_learn_likelihood(x, x, hidden=3, epochs=4)
    assert found == pytest.approx(mean_likelihood(weight, visible, hidden, x), abs=1e-4)


def test_arms_differ_in_what_their_names_say() -> None:
    arms = likelihood_arms(LikelihoodSettings())
    assert nw.recipe_diff(arms["PCD-1"], arms["CD-1"]).keys() == {"loss"}
    assert arms["PCD-1, centred"].network == nw.RBM(784, 16)
    steps = gibbs_step_arms(StepSettings())
    assert [steps[f"16 hidden, CD-{k}"].loss for k in (1, 25)] == [nw.CD(), nw.CD(steps=25)]


LIKELIHOOD = {
    **{
        f"{name}: error of AIS in standard errors": 1.0
        for name in likelihood_arms(LikelihoodSettings())
    },
    "PCD-1, centred: exact, nats": -143.0,
    "PCD-1: exact, nats": -149.0,
    "CD-1: exact, nats": -165.0,
    "independent pixels, nats": -206.0,
    "scikit-learn's BernoulliRBM, same rate, batch and epochs, nats": -205.0,
}
STEPS = {
    "16 hidden, CD-1, nats": -160.0,
    "16 hidden, CD-3, nats": -157.0,
    "16 hidden, CD-10, nats": -155.0,
    "16 hidden, CD-25, nats": -154.0,
    "16 hidden, PCD-1, nats": -153.0,
    "500 hidden, CD-1, nats": -120.0,
    "independent pixels, nats": -206.0,
}


def test_l23_is_refuted_by_a_bad_estimate_and_poor_machines() -> None:
    assert all(criterion.holds for criterion in likelihood_criteria(LIKELIHOOD))
    bad = {**LIKELIHOOD, "CD-1: error of AIS in standard errors": 5.0}
    assert LabResult({}, likelihood_criteria(bad), "", {}).verdict == "partly confirmed"
    bad |= {"PCD-1, centred: exact, nats": -190.0, "PCD-1: exact, nats": -164.0}
    criteria = likelihood_criteria(bad)
    assert LabResult({}, criteria, "", {}).verdict == "refuted"
    assert criteria[0].value == 5.0


def test_l24_is_refuted_where_one_step_learns_nothing() -> None:
    assert all(criterion.holds for criterion in gibbs_step_criteria(STEPS))
    bad = {**STEPS, "500 hidden, CD-1, nats": -200.0, "16 hidden, CD-3, nats": -161.0}
    criteria = gibbs_step_criteria(bad)
    assert LabResult({}, criteria, "", {}).verdict == "refuted"
    assert [criterion.holds for criterion in criteria] == [False, False, True, True]
