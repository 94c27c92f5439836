"""The tools that measure rules: the zoo of healthy programs, recordings and their verdicts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

import netwise as nw
from calibration.default_categories import categories
from calibration.limits import (
    Counts,
    Run,
    best_scale,
    calibrated,
    counted,
    folds,
    limits_of,
    modules_of_rules,
)
from calibration.record import Recording, reading, watched
from calibration.reported import titles_found
from calibration.scores import upper_bound
from calibration.truncated import cut_off, first_share
from calibration.verdicts import Said, Vocabulary, rule_words, verdict_of
from calibration.zoo import ZOO

WORDS = Vocabulary(
    names={},
    roots=frozenset({"lr_too_high", "loss_scale", "wrong_loss"}),
    symptoms=frozenset({"plateau", "not_learning"}),
    neutral=frozenset({"style"}),
    means=lambda fault: {fault, "lr_too_high"} if fault == "loss_scale" else {fault},
)


def sick(*roots: str, symptoms: tuple[str, ...] = ()) -> Recording:
    return Recording("program+fault", "made", "sick", roots=roots, symptoms=symptoms)


def verdict(recording: Recording, *said: str) -> str:
    return verdict_of(recording, tuple(Said(w, w, "cause", "") for w in said), WORDS).verdict


def test_a_fault_is_named_by_any_word_that_means_it() -> None:
    assert verdict(sick("loss_scale"), "lr_too_high") == "correct"
    assert verdict(sick("lr_too_high"), "loss_scale") == "wrong"
    assert verdict(sick("lr_too_high"), "wrong_loss", "lr_too_high") == "correct"


def test_true_symptoms_are_no_cause_and_no_error() -> None:
    assert verdict(sick("wrong_loss", symptoms=("plateau",)), "plateau") == "symptom only"
    assert verdict(sick("wrong_loss"), "plateau") == "wrong"
    assert verdict(sick("wrong_loss"), "style") == "silent"


def test_a_healthy_run_is_accused_by_any_word_that_is_not_true_of_it() -> None:
    healthy = Recording("program~control", "made", "healthy", also=("plateau",))
    assert verdict(healthy) == verdict(healthy, "plateau") == "ok"
    assert verdict(healthy, "wrong_loss") == "accused"


def test_a_program_its_controls_and_its_faults_are_of_one_program() -> None:
    ids = ("lenet", "lenet~doubled", "lenet+lr_high+dropout", "lenet:fixed")
    assert {Recording(i, "made", "sick").program for i in ids} == {"lenet"}
    assert Recording("lenet+lr_high+dropout", "made", "sick").operators == "lr_high+dropout"


def test_every_rule_has_a_word() -> None:
    words = rule_words(Path(__file__).parent / "clinic" / "adapter.py")
    without = {
        rule.name
        for rule in nw.RULES
        if rule.name not in words and (rule.own_loops or rule.own_modules)
    }
    assert not without


def test_a_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    import json
    from dataclasses import asdict

    histories, errors, score = watched(lambda: ZOO["straight_line"].run(0))
    assert errors == []
    assert score >= ZOO["straight_line"].good
    whole = Recording("straight_line", "zoo", "healthy", histories=histories, score=score)
    path = tmp_path / "one.json"
    path.write_text(json.dumps(asdict(whole)))
    again = reading(path)
    assert again.histories == json.loads(json.dumps(histories))
    assert (again.id, again.roots, again.healthy) == ("straight_line", (), True)


FAST = ("few_rows_regularised", "counts", "softmax_regression", "attractor_memory", "imitation")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FAST)
def test_a_healthy_program_learns_and_is_not_accused(name: str) -> None:
    scores = []
    with nw.watch() as watch:
        scores.append(ZOO[name].run(1))
    assert scores[0] >= ZOO[name].good
    for history in watch.histories().values():
        assert nw.diagnose(history).found == ()


EMPTY = nw.History.from_rows([])


def made(program: str, healthy: bool, *allowed: str) -> Run:
    return Run(program, EMPTY, healthy, frozenset(allowed))


def test_counts_of_a_rule() -> None:
    runs = [made("a", True), made("b", True, "r"), made("a", False, "r"), made("b", False)]
    counts = counted("r", (True, True, True, True), runs, lambda program: True)
    assert counts == Counts(healthy=2, accused=1, faults=1, named=1)
    assert counted("r", (True,) * 4, runs, lambda program: program == "b") == Counts(1, 0, 0, 0)


def test_a_program_is_left_out_whole() -> None:
    programs = [f"p{i}" for i in range(9)] * 2
    for out in folds(programs):
        assert len(out) == 3
    assert len(set(folds(programs))) > 1


def test_the_fitted_limit_names_most_and_accuses_nobody() -> None:
    runs = [made("a", True), made("b", False, "r"), made("c", False, "r")]
    by_scale = {
        1.0: (False, True, False),
        0.8: (False, True, True),
        0.6: (False, True, True),
        0.4: (True, True, True),
    }
    assert best_scale("r", by_scale, runs, lambda program: True) == 0.8
    assert best_scale("r", by_scale, runs, lambda program: program != "c") == 1.0


def test_limits_are_the_numbers_in_capitals_of_a_module() -> None:
    from netwise.diagnosis.rules import update_size

    limits = {each.name: each.value for each in limits_of(update_size)}
    assert limits["TOO_LONG"] == update_size.TOO_LONG
    assert "FEWEST" not in limits  # imported: it is a limit of another module


def test_scaled_limits_are_put_back() -> None:
    from netwise.diagnosis.rules import update_size

    before = vars(update_size).copy()
    rules = modules_of_rules()["netwise.diagnosis.rules.update_size"]
    for each in calibrated(rules, update_size.__name__, [made("a", True), made("b", False)]):
        assert each.whole.healthy == 1
    assert {k: v for k, v in vars(update_size).items() if k.isupper()} == {
        k: v for k, v in before.items() if k.isupper()
    }


def test_a_run_that_is_cut_off_knows_what_was_recorded_by_then() -> None:
    rows = [{"step": step, "loss": float(step)} for step in range(0, 100, 10)]
    wiring = nw.Wiring(module="Net", not_finite="Log of 0", not_finite_step=90)
    history = nw.History.from_rows(rows, ended=nw.RunEnd("finished", "Done.", 100), wiring=wiring)
    half = cut_off(history, 0.5)
    assert half.of("loss").steps == (0, 10, 20, 30, 40, 50)
    assert half.wiring.not_finite == ""
    assert cut_off(history, 1.0) == history


def test_an_exact_fact_is_found_at_the_start() -> None:
    wiring = nw.Wiring(
        *("Net", ("SGD",)), trainable=2, in_no_optimizer=("a.weight",), optimizer_weights=1
    )
    history = nw.History.from_rows([{"step": 0, "loss": 1.0}], wiring=wiring)
    first = first_share([history], lambda rule: rule == "weights_stand_still")
    assert first == (0.0, "weights_stand_still")
    assert first_share([history], lambda rule: rule == "overfitting") is None


def test_rules_that_a_program_printed() -> None:
    text = (
        "Weights that no loss reaches (cause). No loss reaches a.\n"
        "No sign of: learning rate too high, overfitting and 3 more.\n"
    )
    assert titles_found(text) == ("graph_cut",)


def test_the_bound_of_a_share() -> None:
    """Of no event among n, the bound is 1 - 0.05^(1/n): the rule of three."""
    assert upper_bound(0, 300) == pytest.approx(1 - 0.05 ** (1 / 300))
    assert upper_bound(3, 3) == 1.0


def test_categories_of_words() -> None:
    assert categories({"lr_too_high", "wrong_loss"}) == {"hyperparameter", "loss"}
    assert categories({"leaked"}) == frozenset()
