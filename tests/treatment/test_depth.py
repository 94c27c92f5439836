"""Depth against width at equal size, and against a shallower twin."""

from __future__ import annotations

import pytest

import netwise as nw
from netwise.treatment.depth import matched_networks, parameters_of

DEEP = nw.Recipe(
    data=nw.data.digits(),
    network=nw.MLP((64, *[24] * 12, 10), activation=nw.Tanh()),
    init=nw.Normal(std=0.15),
    optimizer=nw.SGD(lr=0.1),
    epochs=10,
)


@pytest.mark.parametrize("widths", [(64, 30, 10), (64, 100, 50, 10), (4, *[16] * 8, 3)])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_networks_are_matched_by_their_parameters(
    widths: tuple[int, ...], batch_norm: bool
) -> None:
    network = nw.MLP(widths, batch_norm=batch_norm)
    found, layers = matched_networks(network), len(widths) - 2
    for name in ("deeper", "wider"):
        assert parameters_of(found[name]) == pytest.approx(parameters_of(network), rel=0.12)
    assert len(found["deeper"].widths) - 2 == 2 * layers  # type: ignore[attr-defined]
    assert len(found["wider"].widths) - 2 == max(1, layers // 2)  # type: ignore[attr-defined]
    assert ("shallower" in found) == (layers > 1)


def test_a_deep_plain_network_that_fits_worse_than_its_twin_has_a_finding() -> None:
    run = nw.with_shallower_twin(nw.fit(DEEP, test=False), seeds=(0, 1, 2), jobs=1)
    twin = run.history.facts.shallower
    assert twin is not None
    assert twin.train_loss > twin.twin_train_loss
    names = [each.rule for each in nw.diagnose(run).found]
    assert names[0] == "degradation", names
    better = nw.remedy("use_residual").apply(DEEP)
    assert isinstance(better, nw.Recipe)
    cured = nw.with_shallower_twin(nw.fit(better, test=False), seeds=(0, 1, 2), jobs=1)
    assert "degradation" not in nw.diagnose(cured).names


def test_a_twin_that_is_no_better_is_no_finding() -> None:
    for low, own in ((-0.1, 0.5), (0.001, 0.401)):
        twin = nw.ShallowerTwin(4, 2, own, 0.4, low, 0.3, 5)
        facts = nw.RunFacts(shallower=twin, loss_of_guessing=2.3, task="classification")
        history = nw.History.from_rows([{"step": 0, "loss": 1.0}], facts=facts)
        rule = next(rule for rule in nw.RULES if rule.name == "degradation")
        assert rule.find(history) is None


def test_the_comparison_says_which_is_better() -> None:
    recipe = DEEP.but(network=nw.MLP((64, 20, 20, 10)), init=nw.He(), epochs=2)
    result = nw.compare_depth(recipe, seeds=(0, 1), jobs=1)
    assert [arm.name for arm in result.arms] == ["given", "deeper", "wider", "shallower"]
    assert "4 hidden layers of" in result.sentence
    with pytest.raises(nw.WrongValue, match="hidden layers whose number and width"):
        nw.compare_depth(recipe.but(network=nw.MLP((64, 10))))
    with pytest.raises(nw.WrongValue, match="hidden layers whose number and width"):
        nw.compare_depth(nw.Recipe(data=nw.data.mnist(), network=nw.LeNet5()))
