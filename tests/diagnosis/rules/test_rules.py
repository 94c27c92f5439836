"""What all rules keep, and each on histories made by hand on both sides of its line."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, strategies as st

import netwise as nw
from netwise import signals
from netwise.diagnosis.rules import (
    dead_units,
    exploding,
    input_scale,
    learning_curves,
    mismatch,
    nonlinearity,
    regularisation,
    saturation,
    shuffling,
    symmetry,
    update_size,
    vanishing,
    wiring,
)

RULES = {rule.name: rule for rule in nw.RULES}
LAYERS = tuple(nw.Layer(f"layer{i}", "Linear", 30, 30, "Sigmoid") for i in range(1, 5))
GUESS = 2.3


def history(
    by_layer: dict[str, list[list[float]]] | None = None,
    whole: dict[str, list[float]] | None = None,
    layers: tuple[nw.Layer, ...] = LAYERS,
    final: float = 2.3,
    facts: nw.RunFacts = nw.RunFacts(loss_of_guessing=GUESS),
    ended: nw.RunEnd = nw.RunEnd("finished", "Done.", 100),
) -> nw.History:
    """A run with these series: for each signal a list for each layer, and for the whole network."""
    series = {
        (name, layer.name): nw.Series(tuple(range(0, 10 * len(v), 10)), tuple(v))
        for name, rows in (by_layer or {}).items()
        for layer, v in zip(layers, rows, strict=False)
    }
    series |= {
        (name, ""): nw.Series(tuple(range(0, 10 * len(v), 10)), tuple(v))
        for name, v in (whole or {}).items()
    }
    series.setdefault((signals.TRAIN_LOSS, ""), nw.Series((50, 99), (final, final)))
    return nw.History(series, layers, facts, ended)


def flat(*values: float, steps: int = 8) -> list[list[float]]:
    return [[value] * steps for value in values]


@pytest.mark.parametrize("rule", nw.RULES, ids=lambda r: r.name)
def test_a_rule_has_its_card(rule: nw.Rule) -> None:
    assert len(rule.explanation) > 80
    assert len(rule.healthy) > 30
    assert rule.source
    assert set(rule.explains) <= set(RULES)
    assert rule.name not in rule.explains
    assert (rule.find.__doc__ or "").startswith("Find ")


@pytest.mark.parametrize("rule", nw.RULES, ids=lambda r: r.name)
def test_a_missing_signal_is_never_clear(rule: nw.Rule) -> None:
    answer = rule.find(nw.History.from_rows([]))
    assert isinstance(answer, nw.Unchecked)
    assert len(answer.reason) > 10


VALUES = st.one_of(
    st.floats(), st.sampled_from([0.0, math.nan, math.inf, -math.inf, 1e300, 1e-300])
)


@given(st.data())
@pytest.mark.parametrize("rule", nw.RULES, ids=lambda r: r.name)
def test_a_rule_survives_any_numbers(rule: nw.Rule, data: st.DataObject) -> None:
    names = list(signals.SIGNALS)
    length = data.draw(st.integers(1, 12))
    layers = tuple(
        nw.Layer(
            f"l{i}", "Linear", 3, 3, data.draw(st.sampled_from(["", "ReLU", "Tanh", "Identity"]))
        )
        for i in range(data.draw(st.integers(0, 3)))
    )
    series = {}
    for layer in ("", *(layer.name for layer in layers)):
        for name in data.draw(st.lists(st.sampled_from(names), unique=True)):
            values = data.draw(st.lists(VALUES, min_size=length, max_size=length))
            series[name, layer] = nw.Series(tuple(range(length)), tuple(values))
    facts = nw.RunFacts(
        loss_of_guessing=data.draw(st.one_of(st.none(), VALUES)),
        weight_decay=data.draw(st.sampled_from([None, 0.0, 0.1])),
        rate=data.draw(st.sampled_from([None, 0.0, 1.0])),
    )
    answer = rule.find(
        nw.History(
            series,
            layers,
            facts,
            nw.RunEnd(data.draw(st.sampled_from(["finished", "diverged"])), "x.", 5),
        )
    )
    assert answer is None or isinstance(answer, nw.Unchecked | nw.Finding)
    if isinstance(answer, nw.Finding):
        assert answer.rule == rule.name
        assert answer.evidence
        assert answer.sentence.endswith(".")
        assert set(answer.layers) <= {layer.name for layer in layers}


@pytest.mark.parametrize("rule", nw.RULES, ids=lambda r: r.name)
@pytest.mark.parametrize("name", nw.gallery.healthy)
def test_a_rule_is_silent_on_healthy_runs(
    rule: nw.Rule, name: str, healthy_histories: dict[str, nw.History]
) -> None:
    history = healthy_histories[name]
    assert history.facts.task not in rule.tasks or not isinstance(rule.find(history), nw.Finding)


@pytest.fixture(scope="module")
def healthy_histories() -> dict[str, nw.History]:
    return {
        name: nw.fit(specimen.recipe, test=False).history
        for name, specimen in nw.gallery.healthy.items()
    }


def found(answer: object) -> nw.Finding:
    assert isinstance(answer, nw.Finding)
    return answer


def test_vanishing_gradient() -> None:
    finding = found(
        vanishing.vanishing_gradient(history({signals.GRADIENT_RMS: flat(1e-5, 1e-4, 1e-3, 1e-2)}))
    )
    assert (
        finding.sentence
        == "layer1 gets a gradient 1,000 times smaller than layer4: 10.0 times less with each layer."
    )
    assert finding.layers == ("layer1", "layer2")
    assert finding.evidence[0].value == pytest.approx(1000)
    assert (
        vanishing.vanishing_gradient(
            history({signals.GRADIENT_RMS: flat(1e-3, 1e-3, 1e-3, 2.4e-2)})
        )
        is None
    )
    assert (
        vanishing.vanishing_gradient(
            history({signals.GRADIENT_RMS: flat(1e-5, 1e-4, 1e-3, 1e-2)}, final=0.1)
        )
        is None
    )  # it learned: harmless
    assert (
        found(vanishing.vanishing_gradient(history({signals.GRADIENT_RMS: flat(0.0, 1.0)})))
        .evidence[0]
        .value
        > 1e30
    )  # exactly 0 counts
    late = history({signals.GRADIENT_RMS: [[1.0] * 4 + [1e-6] * 9, [1.0] * 13]})
    assert found(vanishing.vanishing_gradient(late)).steps == (40, 120)
    assert isinstance(
        vanishing.vanishing_gradient(history({signals.GRADIENT_RMS: flat(1e-5, 1.0, steps=3)})),
        nw.Unchecked,
    )


def test_exploding_gradient() -> None:
    assert found(
        exploding.exploding_gradient(history({signals.GRADIENT_RMS: flat(1.0, 0.1, 0.01)}))
    ).evidence[0].value == pytest.approx(100)
    assert (
        exploding.exploding_gradient(history({signals.GRADIENT_RMS: flat(0.69, 0.1, 0.01)})) is None
    )
    start = history(
        {signals.GRADIENT_RMS: flat(1.0, 1.0), signals.GRADIENT_RATIO: flat(500.0, 1.0)},
        {signals.LOSS: [100.0] * 8},
    )
    assert (
        found(exploding.exploding_gradient(start)).sentence
        == "Before the first step the gradient of layer1 is 500 times as large as its weights."
    )
    targets = history(
        {signals.GRADIENT_RMS: flat(1.0, 1.0), signals.GRADIENT_RATIO: flat(500.0, 1.0)},
        {signals.LOSS: [2.4] * 8},
    )
    assert (
        exploding.exploding_gradient(targets) is None
    )  # the network's outputs are not far off: it is the targets that are large


def test_dead_relu() -> None:
    layers = (nw.Layer("a", "Linear", 3, 9, "ReLU"), nw.Layer("b", "Linear", 9, 3, "Identity"))
    sick = {signals.DEAD_UNITS: flat(0.8), signals.ACTIVATION_ZEROS: flat(0.99)}
    assert (
        found(dead_units.dead_relu(history(sick, layers=layers))).sentence
        == "80 % of the units of a are 0 for all samples, since the start."
    )
    later = {signals.DEAD_UNITS: [[0.1, 0.2, 0.9]], signals.ACTIVATION_ZEROS: flat(0.5)}
    assert found(dead_units.dead_relu(history(later, layers=layers))).steps[0] == 20
    assert dead_units.dead_relu(history({signals.DEAD_UNITS: flat(0.5)}, layers=layers)) is None
    assert (
        dead_units.dead_relu(
            history(sick, layers=(nw.Layer("a", "Linear", 3, 9, "Tanh"), layers[1]))
        )
        is None
    )
    assert isinstance(dead_units.dead_relu(history(layers=layers)), nw.Unchecked)


def test_saturation() -> None:
    assert found(
        saturation.saturation(history({signals.ACTIVATION_SATURATED: flat(0.6, 0.9, 0.1)}))
    ).layers == ("layer1", "layer2")
    assert (
        saturation.saturation(history({signals.ACTIVATION_SATURATED: flat(0.5, 0.4, 0.1)})) is None
    )
    assert (
        saturation.saturation(history({signals.ACTIVATION_SATURATED: flat(0.0, 0.0, 0.0, 1.0)}))
        is None
    )  # an output may be sure
    assert (
        saturation.saturation(history({signals.ACTIVATION_SATURATED: flat(0.9)}, final=0.1)) is None
    )
    memorised = history(
        {signals.ACTIVATION_SATURATED: flat(0.9)}, {signals.VALID_LOSS: [2.3, 2.2]}, final=0.1
    )
    assert (
        found(saturation.saturation(memorised)).sentence
        == "90 % of the outputs of layer1 lie at their limits, from the start."
    )
    unknown = history(layers=(nw.Layer("a", "Linear", 3, 3, ""), LAYERS[0]))
    assert isinstance(saturation.saturation(unknown), nw.Unchecked)


def test_rate_too_high_and_too_low() -> None:
    far = history(
        {signals.UPDATE_RATIO: flat(0.01, 2.0), signals.GRADIENT_RATIO: flat(0.1, 0.1)},
        facts=nw.RunFacts(loss_of_guessing=GUESS, rate=30.0),
    )
    assert (
        found(update_size.rate_too_high(far)).sentence
        == "One step changes the weights of layer2 by 200 % of their size (learning rate 30)."
    )
    assert update_size.rate_too_low(far) is None
    near = history({signals.UPDATE_RATIO: flat(1e-7, 1e-6), signals.GRADIENT_RATIO: flat(0.1, 0.1)})
    assert found(update_size.rate_too_low(near)).evidence[0].value == pytest.approx(1e-6)
    assert update_size.rate_too_high(near) is None
    sound = history(
        {signals.UPDATE_RATIO: flat(1e-3, 1e-2), signals.GRADIENT_RATIO: flat(0.1, 0.1)}
    )
    assert update_size.rate_too_high(sound) is None
    assert update_size.rate_too_low(sound) is None
    no_pull = history(
        {signals.UPDATE_RATIO: flat(1e-7, 1e-7), signals.GRADIENT_RATIO: flat(1e-5, 1e-5)}
    )
    assert update_size.rate_too_low(no_pull) is None  # it is the gradient that is small
    assert update_size.rate_too_high(history({signals.UPDATE_RATIO: flat(2.0)}, final=0.1)) is None
    broke = history(
        {signals.UPDATE_RATIO: [[50.0, 1e6]]}, ended=nw.RunEnd("diverged", "Diverged at step 3.", 2)
    )
    assert found(update_size.rate_too_high(broke)).evidence[0].value == 1e6
    assert isinstance(
        update_size.rate_too_high(history({signals.UPDATE_RATIO: flat(2.0)}, facts=nw.RunFacts())),
        nw.Unchecked,
    )


def test_weights_stand_still() -> None:
    half = history({signals.UPDATE_RATIO: flat(0.0, 1e-3), signals.GRADIENT_RATIO: flat(0.1, 0.1)})
    assert found(wiring.weights_stand_still(half)).layers == ("layer1",)
    rounded = history({signals.UPDATE_RATIO: flat(0.0), signals.GRADIENT_RATIO: flat(1e-12)})
    assert wiring.weights_stand_still(rounded) is None
    accumulated = history(
        {signals.UPDATE_RATIO: [[0.0, 0.0, 0.0, 1e-3] * 3], signals.GRADIENT_RATIO: [[0.1] * 12]}
    )
    assert wiring.weights_stand_still(accumulated) is None


def test_inputs_not_normalised() -> None:
    assert (
        found(
            input_scale.inputs_not_normalised(
                history(whole={signals.INPUT_MEAN: [0.0] * 3, signals.INPUT_STD: [900.0] * 3})
            )
        ).strength
        == 90
    )
    assert found(
        input_scale.inputs_not_normalised(
            history(whole={signals.INPUT_MEAN: [50.0] * 3, signals.INPUT_STD: [1.0] * 3})
        )
    )
    for mean, spread in ((0.13, 0.31), (0.0, 1.0), (0.5, 0.1), (-1.0, 0.5)):
        assert (
            input_scale.inputs_not_normalised(
                history(whole={signals.INPUT_MEAN: [mean], signals.INPUT_STD: [spread]})
            )
            is None
        )


def test_symmetry_and_linearity_are_facts_of_the_layers() -> None:
    equal = tuple(nw.Layer(n, "Linear", 3, 3, "Tanh", True, True) for n in "ab")
    assert found(symmetry.start_symmetric(history(layers=equal))).layers == ("a",)
    assert (
        symmetry.start_symmetric(history(layers=equal[:1])) is None
    )  # a linear model needs no random start
    bare = tuple(nw.Layer(n, "Linear", 3, 3, "Identity") for n in "abc")
    assert found(nonlinearity.no_nonlinearity(history(layers=bare))).layers == ("a", "b")
    assert (
        nonlinearity.no_nonlinearity(
            history(layers=(*bare, nw.Layer("d", "Linear", 3, 3, "ReLU"), bare[0]))
        )
        is None
    )
    assert nonlinearity.no_nonlinearity(history(layers=bare, final=0.1)) is None


def test_brakes() -> None:
    assert (
        found(
            regularisation.brakes_too_strong(
                history(facts=nw.RunFacts(loss_of_guessing=GUESS, dropout=0.95))
            )
        )
        .evidence[0]
        .value
        == 0.95
    )
    assert (
        regularisation.brakes_too_strong(
            history(facts=nw.RunFacts(loss_of_guessing=GUESS, dropout=0.5))
        )
        is None
    )
    decayed = history(
        {signals.GRADIENT_RATIO: flat(0.01, 0.02)},
        facts=nw.RunFacts(loss_of_guessing=GUESS, weight_decay=1.0),
    )
    assert found(regularisation.brakes_too_strong(decayed)).evidence[0].value == pytest.approx(50)
    priced = history(whole={signals.PENALTY: [9.0] * 6, signals.LOSS: [10.0] * 6})
    assert (
        found(regularisation.brakes_too_strong(priced)).sentence
        == "90 % of the loss is the penalty."
    )


def curve(train: list[float], valid: list[float], **facts: float) -> nw.History:
    return history(
        whole={signals.TRAIN_LOSS: train, signals.VALID_LOSS: valid},
        facts=nw.RunFacts(loss_of_guessing=GUESS, **facts),
    )


def test_overfitting() -> None:
    falling, rising = (
        [2 * 0.7**i for i in range(20)],
        [1.5, 1.0, 0.8, 0.7, *(0.7 + 0.05 * i for i in range(16))],
    )
    finding = found(learning_curves.overfitting(curve(falling, rising)))
    assert finding.sentence.startswith(
        "The validation loss was best in epoch 4 of 20 and has risen 2.07 times since"
    )
    assert learning_curves.overfitting(curve(falling, [1.0] * 20)) is None
    assert (
        learning_curves.overfitting(curve([0.9] * 20, rising)) is None
    )  # training did not fall far below it
    assert (
        learning_curves.overfitting(curve([v / 100 for v in falling], [v / 100 for v in rising]))
        is None
    )  # as good as done
    assert isinstance(learning_curves.overfitting(curve(falling[:3], rising[:3])), nw.Unchecked)


def test_underfitting_and_not_learning() -> None:
    still = [2.0, 1.8, 1.7, *[1.65] * 20]
    assert found(learning_curves.underfitting(curve(still, still))).evidence[
        0
    ].value == pytest.approx(1.65 / GUESS)
    assert (
        learning_curves.underfitting(curve([2.2 - 0.02 * i for i in range(30)], still)) is None
    )  # still on its way
    assert learning_curves.underfitting(curve([0.5] * 20, [0.5] * 20)) is None
    assert (
        learning_curves.underfitting(curve([2.4] * 20, [2.4] * 20)) is None
    )  # nothing learned at all: that is another finding
    assert found(learning_curves.not_learning(curve([2.4] * 20, [2.4] * 20))).evidence[
        0
    ].value == pytest.approx(2.4 / GUESS)
    assert learning_curves.not_learning(curve(still, still)) is None
    grey = history(
        whole={signals.TRAIN_LOSS: [0.52] * 20},
        facts=nw.RunFacts(loss_of_guessing=0.69, least_loss=0.5),
    )
    assert learning_curves.underfitting(grey) is None  # the best that can be had is 0.5
    diverged = history(ended=nw.RunEnd("diverged", "Diverged at step 3: nan.", 2))
    assert found(learning_curves.not_learning(diverged)).sentence == "Diverged at step 3: nan."


def test_output_and_loss() -> None:
    def run(
        activation: str, kind: str, units: int = 10, final: float = 2.3, **facts: object
    ) -> nw.History:
        layers = (LAYERS[0], nw.Layer("out", "Linear", 30, units, activation))
        return history(
            layers=layers,
            final=final,
            facts=nw.RunFacts(loss_of_guessing=GUESS, loss_kind=kind, **facts),
        )  # type: ignore[arg-type]

    double = run("Softmax", "cross-entropy of logits")
    assert found(mismatch.output_misfits_loss(double)).sentence.startswith(
        "The outputs go through softmax twice"
    )
    assert (
        mismatch.output_misfits_loss(run("Softmax", "cross-entropy of logits", final=0.1)) is None
    )
    assert mismatch.output_misfits_loss(run("Identity", "cross-entropy of logits")) is None
    assert mismatch.output_misfits_loss(run("Softmax", "log of probabilities")) is None
    assert (
        "always 1"
        in found(mismatch.output_misfits_loss(run("Softmax", "squared error", units=1))).sentence
    )
    assert (
        "ReLU outputs are none"
        in found(mismatch.output_misfits_loss(run("ReLU", "log of probabilities"))).sentence
    )
    outside = run("Tanh", "squared error", class_targets=False, target_low=-3.0, target_high=2.0)
    assert (
        found(mismatch.output_misfits_loss(outside)).sentence
        == "The targets lie from -3 to 2, and Tanh outputs only from -1 to 1."
    )
    assert (
        mismatch.output_misfits_loss(
            run("Sigmoid", "squared error", class_targets=False, target_low=0.0, target_high=1.0)
        )
        is None
    )
    assert found(mismatch.loss_misfits_task(run("Identity", "squared error", class_targets=True)))
    assert mismatch.loss_misfits_task(run("Identity", "squared error", class_targets=False)) is None
    assert (
        mismatch.loss_misfits_task(run("Identity", "cross-entropy of logits", class_targets=True))
        is None
    )


def test_targets_out_of_reach() -> None:
    def run(mean: float, std: float, spread: float = 0.5) -> nw.History:
        facts = nw.RunFacts(
            loss_of_guessing=GUESS, class_targets=False, target_mean=mean, target_std=std
        )
        return history({signals.ACTIVATION_STD: flat(1.0, 1.0, 1.0, spread)}, facts=facts)

    assert found(mismatch.target_not_scaled(run(150.0, 77.0))).strength == pytest.approx(5)
    assert found(mismatch.target_not_scaled(run(0.0, 500.0)))
    assert mismatch.target_not_scaled(run(0.0, 1.0)) is None
    assert mismatch.target_not_scaled(run(29.0, 14.0)) is None
    assert (
        mismatch.target_not_scaled(run(150.0, 77.0, spread=20.0)) is None
    )  # the outputs reach there


def test_labels_and_order() -> None:
    def run(train: float, valid: float) -> nw.History:
        return history(
            whole={signals.TRAIN_ACCURACY: [train] * 4, signals.VALID_ACCURACY: [valid] * 4},
            facts=nw.RunFacts(loss_of_guessing=GUESS, classes=10),
        )

    assert (
        found(learning_curves.labels_suspect(run(0.6, 0.1))).sentence
        == "60 % of the training labels are learned, and validation never got above 10 %: chance is 10 %."
    )
    assert learning_curves.labels_suspect(run(0.6, 0.3)) is None
    assert learning_curves.labels_suspect(run(0.12, 0.1)) is None

    def batches(held: float, **facts: object) -> nw.History:
        return history(
            whole={signals.BATCH_CLASSES: [held] * 12},
            facts=nw.RunFacts(classes=10, batch_size=64, **facts),
        )  # type: ignore[arg-type]

    assert (
        found(shuffling.not_shuffled(batches(1.0))).sentence
        == "A batch of 64 holds 1 of 10 classes; drawn at random it would hold 10.0."
    )
    assert shuffling.not_shuffled(batches(9.0)) is None
    assert (
        shuffling.not_shuffled(batches(1.0, loss_of_guessing=100.0)) is None
    )  # it learned all the same


X = torch.randn(400, 8, generator=torch.Generator().manual_seed(0))
Y = X.argmax(1)


def heard(clear: bool = True, shuffle: bool = True, accumulate: int = 1) -> nw.Report:
    """A loop of one's own with a fault that no recipe can have."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 8))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.003)
    rows = torch.arange(400) if shuffle else torch.argsort(Y, stable=True)
    with nw.watch(model, optimizer=optimizer, loss=torch.nn.functional.cross_entropy) as w:
        for step in range(60):
            batch = (torch.randperm(400) if shuffle else rows)[(step * 40) % 400 :][:40]
            if clear and step % accumulate == 0:
                optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(X[batch]), Y[batch])
            loss.backward()
            w.step(loss, Y[batch])
            if (step + 1) % accumulate == 0:
                optimizer.step()
    return nw.diagnose(w.history())


def test_gradients_that_are_never_cleared_are_found_and_declared_accumulation_is_not() -> None:
    assert heard(clear=False).found[0].rule == "stale_gradients"
    assert "stale_gradients" in heard().clear
    assert "stale_gradients" in heard(accumulate=4).clear


def test_sorted_batches_are_found() -> None:
    assert heard(shuffle=False).found[0].rule == "not_shuffled"
    assert "not_shuffled" in heard().clear


def test_the_kind_of_a_loss_is_told_by_its_gradient() -> None:
    from torch.nn import functional as F

    from netwise.parts.losses import loss_kind

    g = torch.Generator().manual_seed(0)
    out, classes = torch.randn(30, 4, generator=g), torch.randint(4, (30,), generator=g)
    onehot, p = F.one_hot(classes, 4).float(), torch.softmax(out, 1)
    assert loss_kind(F.cross_entropy, out, classes) == "cross-entropy of logits"
    assert (
        loss_kind(lambda o, t: F.nll_loss(F.log_softmax(o, 1), t), out, classes)
        == "cross-entropy of logits"
    )
    assert (
        loss_kind(lambda o, t: ((o - F.one_hot(t, 4)) ** 2).sum(), out, classes) == "squared error"
    )
    assert loss_kind(F.mse_loss, out, onehot) == "squared error"
    assert (
        loss_kind(F.binary_cross_entropy_with_logits, out, onehot)
        == "cross-entropy of sigmoid logits"
    )
    assert loss_kind(lambda o, t: F.nll_loss(o.log(), t), p, classes) == "log of probabilities"
    assert loss_kind(F.binary_cross_entropy, torch.sigmoid(out), onehot) == "log of probabilities"
    assert loss_kind(F.l1_loss, out, torch.rand(30, 4, generator=g)) == ""
    assert loss_kind(lambda o, t: o.new_zeros(()), out, classes) == ""
