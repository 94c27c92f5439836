"""The contract of all remedies: they change only what their titles name, or give a reason."""

from __future__ import annotations

import re

import pytest

import netwise as nw
from netwise.treatment import learning_rate

SIZES = {"network.widths", "network.width", "network.channels", "network.units"}
RATES = {"optimizer.lr", "optimizer.first.lr"}
# The only fields that each remedy may change.
CHANGES = {
    "move_threshold": {"loss.priors"},
    "weight_classes": {"loss.weights"},
    "resample_classes": {"augment"},
    "rebuild_optimizer": set(),
    "clear_gradients": set(),
    "shuffle": set(),
    "look_at_labels": set(),
    "scale_targets": {"data.scale_target"},
    "use_plain_output": {"network.output"},
    "use_cross_entropy": {"loss", "network.output"},
    "standardise_inputs": {"preprocess"},
    "use_relu": {"network.activation", "init"},
    "use_fitting_init": {"init", "init.gain", "init.shape", "init.activation"},
    "use_batch_norm": {"network.batch_norm", "network.block"},
    "use_leaky_relu": {"network.activation"},
    "use_residual": {"network.residual", "network.plain"},
    "more_data": {"augment"},
    "shrink": SIZES,
    "search_rate": RATES,
    "lower_rate": RATES,
    "use_adam": {"optimizer"},
    "clip_gradient": {"clip"},
    "stop_early": {"stopping"},
    "add_dropout": {"network.dropout"},
    "add_weight_decay": {"penalty", "penalty.strength"},
    "lighten_brakes": {
        "network.dropout",
        "network.stochastic_depth",
        "penalty",
        "optimizer.weight_decay",
    },
    "widen": SIZES,
    "deepen": {"network.widths"},
    "more_epochs": {"epochs"},
    "larger_batch": {"batch_size"},
    "corrupt_inputs": {"network.corrupt"},
    "narrow_code": {"network.widths", "network.top"},
    "liven_code": {"network.top", "network.sparsity", "network.activation", "network.code"},
    "count_whole_inputs": {"loss", "loss.outputs"},
    "lower_beta": {"network.beta"},
    "begin_at_base_rates": {"network.visible_bias"},
    "centre_units": {"network.centred"},
    "raise_rate": RATES,
    "use_persistent_chains": {"loss"},
    "more_gibbs_steps": {"loss.steps"},
    "slow_down": RATES,
    "use_pseudo_inverse": {"network.rule"},
    "use_storkey": {"network.rule"},
}
RECIPES = {
    **{name: case.recipe.but(epochs=1) for name, case in nw.gallery.sick.items()},
    "softmax regression": nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 3)), epochs=1),
    "lenet5": nw.suggest(nw.data.digits(), "lenet5", epochs=1),
    "convnet": nw.Recipe(
        data=nw.data.digits(),
        network=nw.ConvNet(image=(1, 8, 8), channels=(4,), block="CAPD"),
        epochs=1,
    ),
    "lstm": nw.Recipe(
        data=nw.data.digits(),
        network=nw.LSTM(features=8, units=8),
        optimizer=nw.SwitchOptimizer(),
        epochs=1,
    ),
    "plain resnet": nw.Recipe(
        data=nw.data.digits(valid=0.45, test=0.5),  # few samples: it is the slowest network
        network=nw.CIFARResNet(image=(1, 8, 8), depth=8, plain=True, stochastic_depth=0.1),
        epochs=1,
    ),
    "text": nw.Recipe(
        data=nw.data.copying(samples=100, wait=2),
        network=nw.GRU(symbols=10, features=4, units=4, outputs=10, answers="each"),
        epochs=1,
    ),
    "own": nw.Recipe(data=nw.data.iris(), network=nw.CustomNetwork("torch.nn:Flatten"), epochs=1),
    "everything on": nw.Recipe(
        data=nw.data.iris(),
        preprocess=(nw.Standardise(),),
        network=nw.MLP((4, 8, 3), batch_norm=True, dropout=0.5),
        init=nw.He(),
        penalty=nw.L2(),
        clip=nw.Clip(),
        optimizer=nw.AdamW(weight_decay=0.1),
        stopping=nw.Patience(),
        epochs=1,
    ),
}


def test_every_remedy_is_named_by_a_rule() -> None:
    names = [remedy.name for remedy in nw.REMEDIES]
    assert set(names) == set(CHANGES)
    assert len(names) == len(set(names))
    assert set(names) == {name for rule in nw.RULES for name in rule.remedies}


@pytest.mark.parametrize("remedy", nw.REMEDIES, ids=lambda r: r.name)
def test_a_card_reads_as_text(remedy: nw.Remedy) -> None:
    assert remedy.title[0].isupper()
    assert not remedy.title.endswith(".")
    assert len(remedy.by_hand) > 15
    assert remedy.source
    assert not re.search(r"note 00\d|claims? [A-Z]\d\d", remedy.source)


@pytest.mark.parametrize("rule", sorted(rule.name for rule in nw.RULES))
def test_every_remedy_that_a_rule_names_exists(rule: str) -> None:
    names = {remedy.name for remedy in nw.REMEDIES}
    card = next(each for each in nw.RULES if each.name == rule)
    # The sentences of rules about programs of the user's own say what to write.
    assert card.remedies or card.own_loops or card.own_modules
    assert set(card.remedies) <= names


@pytest.mark.no_cover  # each file of remedies has tests of its own
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("remedy", nw.REMEDIES, ids=lambda r: r.name)
def test_a_remedy_changes_only_what_its_title_names_or_gives_a_reason(
    remedy: nw.Remedy, recipe: nw.Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One epoch instead of four for each of the 13 rates of `search_rate`.
    monkeypatch.setattr(learning_rate, "FEW_STEPS", 1)
    if remedy.name == "search_rate" and isinstance(recipe.network, nw.CustomNetwork):
        pytest.skip("a rate is searched by training, which needs a network with weights")
    before = nw.recipe_text(recipe)
    treated = remedy.apply(recipe)
    assert nw.recipe_text(recipe) == before
    if isinstance(treated, nw.NotApplicable):
        assert len(treated.reason) > 15
        return
    changed = set(nw.recipe_diff(recipe, treated))
    assert changed, "a remedy that changes nothing must be NotApplicable"
    assert changed <= CHANGES[remedy.name]
    assert not [p for p in nw.check(treated) if p.grade == "cannot run"] or isinstance(
        recipe.network, nw.CustomNetwork
    )


@pytest.mark.parametrize(
    "name", ["use_relu", "use_fitting_init", "use_batch_norm", "add_dropout", "widen"]
)
def test_a_custom_network_is_changed_by_hand(name: str) -> None:
    answer = nw.remedy(name).apply(RECIPES["own"])
    assert isinstance(answer, nw.NotApplicable)
    assert "by_hand" in answer.reason


def test_what_is_there_already_is_not_applicable() -> None:
    full = RECIPES["everything on"]
    for name in (
        "standardise_inputs",
        "use_relu",
        "use_fitting_init",
        "use_batch_norm",
        "use_adam",
        "clip_gradient",
        "stop_early",
        "add_dropout",
    ):
        answer = nw.remedy(name).apply(full)
        assert isinstance(answer, nw.NotApplicable), name
        assert "already" in answer.reason


def test_an_unknown_remedy_is_answered_with_similar_names() -> None:
    with pytest.raises(nw.UnknownName, match="Did you mean `use_relu`?"):
        nw.remedy("use_rely")
