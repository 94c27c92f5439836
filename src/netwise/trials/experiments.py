"""Which trials are run, in which order, and what each of them shows.

All compare what a short training of a copy reaches on held-out rows with what the program itself
reached at its end. A change is the cause where it gains much over the program's end and over the
same short training without the change, with two orders of the batches. Each trial stops at the
limit of the cost.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median

from netwise import signals
from netwise.diagnosis.report import Report
from netwise.diagnosis.rules import RULES
from netwise.diagnosis.rules.observation import as_written, name_of_model
from netwise.diagnosis.rules.outcome import simple_score, skill
from netwise.diagnosis.short_trial import CLEARED, PROVED, UNDECIDED, ShortTrial
from netwise.history import History
from netwise.trials.bench import END, FRESH, START, Bench, OutOfTime, Reached, TrialSetup
from netwise.trials.changed_data import (
    exchanged_targets,
    few_rows,
    half_of_rows,
    mixed_rows,
    on_classes,
    standard_inputs,
    standard_targets,
)
from netwise.trials.grown_network import DEEPER, WIDER, factor_of, grown
from netwise.trials.measured import Measured
from netwise.trials.sequences import without_padding

SHORT = 60  # steps of a look at one rate
LONG = 200  # steps of a comparison
SEEDS = (0, 1)
LITTLE, ENOUGH = 0.2, 0.85  # skill on a few samples: of some learning, of nearly all
NO_SKILL = 0.1  # of held-out rows that are not predicted
ALIKE = 0.8  # skill on exchanged targets over that on the program's own
SHARE = 1 / 3  # of the whole gain, that a change must bring; the rest is more or plainer steps
GOOD = 0.95  # skill from which on suspects are cleared without a trial
GAIN = 0.1  # of the skill, that a proof needs
NO_GAIN = 0.03  # of the skill, up to which a change is of no use
FAIR = 0.5  # skill on the samples trained on, beyond which capacity is no question
HIGHER, LOWER = (10.0, 100.0, 1e3, 1e4, 1e6), (0.1, 0.01, 1e-3)  # up to one that is worse
FAR = 10.0  # factor on the rate beyond which it is named although longer training would help too
APART = 3.0  # factor between spreads of first weights that differ
SYMPTOMS = {rule.name for rule in RULES if rule.symptom}
# Suspects that their own trial can clear. Others may have causes that no trial changes.
CLEARABLE = {
    "rate_too_high",
    "rate_too_low",
    "brakes_too_strong",
    "inputs_not_normalised",
    "target_not_scaled",
    "loss_misfits_task",
    "start_too_large",
    "start_too_small",
    "too_short",
}
NEGATIVE = -1.0  # hidden biases below this keep units from firing
SCHEDULED = 3.0  # factor between rates of a schedule that matters
CLIPPED = 0.5  # share of a gradient that is left, below which clipping matters

NO_DECAY = (
    'for group in optimizer.param_groups:\n    group["weight_decay"] = 0.0  # as in the trial'
)
NO_DROPOUT = (
    "for layer in model.modules():  # before the loop\n"
    "    if isinstance(layer, nn.Dropout):\n        layer.p = 0.0  # as in the trial"
)

PLAIN = TrialSetup()


@dataclass(frozen=True)
class Comparison:
    """A change, compared with the same training without it and with the program's end.

    Args:
        name: of the trial.
        rule: of the finding that it proves or clears.
        changed: what differs.
        setup: with the change.
        base: without it.
        change: lines of code for the program.
    """

    name: str
    rule: str
    changed: str
    setup: TrialSetup
    base: TrialSetup = PLAIN
    change: str = ""


@dataclass
class Experiments:
    """The trials of one program.

    Args:
        bench: what they are run on.
        history: of the program.
        report: without trials.
    """

    bench: Bench
    history: History
    report: Report
    outcomes: list[ShortTrial] = field(default_factory=list)
    _known: dict[tuple[TrialSetup, int, int], Reached] = field(default_factory=dict)
    _since: tuple[float, int] = (0.0, 0)  # processor seconds and steps at the start of a trial

    def run(self) -> tuple[ShortTrial, ...]:
        """Run the trials up to the first proof; none where there is nothing to gain."""
        self._since = time.thread_time(), self.bench.steps
        end = self.bench.reach_of(END)
        self.end = end
        if end.held.skill > 1 - GAIN:  # no change could gain enough for a proof
            return self._nothing_to_gain()
        if not self.bench.loss_known:
            return self._fitting_loss()
        trials: tuple[Callable[[], bool], ...] = (
            # First what is seen to differ from the usual; only then what can differ in any program.
            self._sequences,
            self._freeze,
            self._start,
            self._data,
            self._loss,
            self._labels,
            self._rate_or_regularisation,
            self._time,
            self._capacity,
            self._few_samples,
        )
        for trial in trials:
            self._since = time.thread_time(), self.bench.steps
            try:
                if trial():
                    break
            except OutOfTime:
                name = trial.__name__.strip("_").replace("_", " ")
                sentence = "It stopped at the limit of the cost. Allow more with limit=1.0."
                self._add(name, "", UNDECIDED, sentence, "", {})
                break
        return tuple(self.outcomes)

    def _nothing_to_gain(self) -> tuple[ShortTrial, ...]:
        """Clear the suspects of a program that ends well, without any training."""
        skill = self.end.held.skill
        if skill >= GOOD:
            sentence = f"The program ends with a skill of {skill:.2f}: no change could gain much."
            for name in sorted({finding.rule for finding in self.report.found} & CLEARABLE):
                self._add("end", "nothing", CLEARED, sentence, name, {"end": skill})
        return tuple(self.outcomes)

    def _fitting_loss(self) -> tuple[ShortTrial, ...]:
        """Where the program's loss is not understood: another one that fits the targets."""
        name = self.bench.loss.name
        gained = self._gains(PLAIN, self.end.held) or self._gains(
            TrialSetup(rate=0.1), self.end.held
        )
        best = max(self._skill(PLAIN), self._skill(TrialSetup(rate=0.1)))
        sentence = (
            f"With {name} as the loss, {LONG} steps from the same start reach a skill of "
            f"{best:.2f} on held-out rows; the program ended at {self.end.held.skill:.2f}."
        )
        numbers = {"end of the program": self.end.held.skill, "with the change": best}
        verdict = PROVED if gained else UNDECIDED
        self._add("loss", f"{name} as the loss", verdict, sentence, "loss_misfits_task", numbers)
        return tuple(self.outcomes)

    # ---- measurements

    def _reach(self, setup: TrialSetup, steps: int = LONG, seed: int = 0) -> Reached:
        key = (setup, steps, seed)
        if key not in self._known:
            self._known[key] = self.bench.train(setup, steps, seed)
        return self._known[key]

    def _gains(self, setup: TrialSetup, over: Measured, margin: float = GAIN) -> bool:
        """Whether a training reaches more than `over` with both orders of the batches."""
        return all(self._reach(setup, LONG, seed).held.exceeds(over, margin) for seed in SEEDS)

    def _skill(self, setup: TrialSetup) -> float:
        """Skill on held-out rows, the lower one of both orders."""
        return min(self._reach(setup, LONG, seed).held.skill for seed in SEEDS)

    def _add(
        self,
        name: str,
        changed: str,
        verdict: str,
        sentence: str,
        finding: str,
        numbers: Mapping[str, float],
        change: str = "",
    ) -> bool:
        seconds, steps = time.thread_time() - self._since[0], self.bench.steps - self._since[1]
        self.outcomes.append(
            ShortTrial(name, changed, verdict, sentence, finding, numbers, seconds, steps, change)
        )
        return verdict == PROVED

    def _compare(self, comparison: Comparison) -> bool:
        """Run a comparison and add its outcome; whether it proves the finding."""
        end, setup, base = self.end.held, comparison.setup, comparison.base
        first = self._reach(setup).held
        if not first.exceeds(end, GAIN) and first.skill - end.skill < GAIN / 2:
            return self._add_comparison(comparison, first.skill, self._reach(base).held.skill)
        changed, plain = self._skill(setup), self._skill(base)
        return self._add_comparison(comparison, changed, plain)

    def _add_comparison(self, comparison: Comparison, changed: float, plain: float) -> bool:
        end = self.end.held.skill
        gain, total = changed - plain, changed - end
        numbers = {"end of the program": end, "with the change": changed, "without it": plain}
        steps = f"{LONG} steps"
        seeds = SEEDS if changed - end >= GAIN / 2 else SEEDS[:1]
        beyond = all(
            self._reach(comparison.setup, LONG, s).held.exceeds(self.end.held, GAIN)
            and self._reach(comparison.setup, LONG, s).held.exceeds(
                self._reach(comparison.base, LONG, s).held, GAIN
            )
            for s in seeds
        )
        sentence = (
            f"With {comparison.changed}, {steps} reach a skill of {changed:.2f} on held-out rows; "
            f"without it {plain:.2f}, and the program ended at {end:.2f} (0 is a constant answer, "
            "1 is perfect)."
        )
        if beyond and len(seeds) > 1 and gain >= max(GAIN, SHARE * total):
            verdict = PROVED
        elif gain < NO_GAIN and total < NO_GAIN:
            verdict = CLEARED
        else:
            verdict = UNDECIDED
        return self._add(
            comparison.name,
            comparison.changed,
            verdict,
            sentence,
            comparison.rule,
            numbers,
            comparison.change,
        )

    # ---- trials

    def _rate_or_regularisation(self) -> bool:
        """The rate, and what holds the weights back: each can gain by the other's fault, so the one
        that gains more is the fault."""
        released, other = self._released(), self._other_rate()
        if released is not None and other is not None:
            both = sorted((released, other), key=lambda each: -self._skill(each.setup))
            return self._compare(both[0]) or self._compare(both[1])
        chosen = released or other
        return chosen is not None and self._compare(chosen)

    def _other_rate(self) -> Comparison | None:
        """Same start and batches at other rates: the best one, where it is not the program's."""
        first_loss = self.bench.reach_of(START).fitted.loss

        def worth(reached: Reached) -> float:
            return _worth(reached, first_loss)

        falls = {1.0: self._reach(TrialSetup(), SHORT)}
        for factors in (HIGHER, LOWER):
            for factor in factors:
                falls[factor] = self._reach(TrialSetup(rate=factor), SHORT)
                if worth(falls[factor]) < max(map(worth, falls.values())) - NO_GAIN:
                    break
        best = max(falls, key=lambda factor: worth(falls[factor]))
        if best == 1.0:
            numbers = {f"skill at {k:g} times": v.held.skill for k, v in falls.items()}
            sentence = f"No other rate reaches more in {SHORT} steps from the same start."
            suspects = [n for n in self.report.names if n in ("rate_too_high", "rate_too_low")]
            for name in suspects or [""]:
                self._add("rate", "the learning rate", CLEARED, sentence, name, numbers)
            return None
        rule = "rate_too_low" if best > 1 else "rate_too_high"
        changed = f"{best:g} times the learning rate"
        change = self._change_of_rate(best)
        comparison = Comparison("rate", rule, changed, TrialSetup(rate=best), PLAIN, change)
        # A longer training would do; where nothing is suspected, it is what is asked for.
        if best > 1 and (best <= FAR or not self.report.found) and self._time_helps():
            return None
        return comparison

    def _change_of_rate(self, factor: float) -> str:
        """The rate with which the trial was run, as lines of code."""
        kept = [o["lr"] for k in self.bench.optimizers for _, o in k.groups if o.get("lr")]
        rates = {float(rate) * self.bench.rate for rate in kept}
        one = f"  # {factor * rates.pop():.3g}, as in the trial" if len(rates) == 1 else ""
        sign, size = ("*=", factor) if factor > 1 else ("/=", 1 / factor)
        return (
            "for group in optimizer.param_groups:  # before the loop and its schedule\n"
            f'    group["lr"] {sign} {size:g}{one}'
        )

    def _time_helps(self) -> bool:
        return self._gains(TrialSetup(begin=END), self.end.held) or self._gains(
            TrialSetup(), self.end.held
        )

    def _time(self) -> bool:
        """Go on from the end of the program, and from its start in a plain loop."""
        end = self.end.held
        further = self._gains(TrialSetup(begin=END), end)
        again = not further and self._gains(TrialSetup(), end)
        numbers = {"end of the program": end.skill}
        if not further and not again:
            skill = self._reach(TrialSetup(begin=END)).held.skill
            numbers["further"] = skill
            sentence = f"{LONG} more steps lead from a skill of {end.skill:.2f} to {skill:.2f}."
            verdict = CLEARED if skill - end.skill < NO_GAIN else UNDECIDED
            return self._add("time", "more steps", verdict, sentence, "too_short", numbers)
        setup = TrialSetup(begin=END) if further else TrialSetup()
        skill = self._skill(setup)
        numbers["further" if further else "again"] = skill
        where = "more steps of a plain loop" if further else "steps of a plain loop from the start"
        reach = (
            f"{LONG} {where} reach a skill of {skill:.2f} on held-out rows; the program ended at "
            f"{end.skill:.2f} after {self.history.ended.step:,} steps."
        )
        rule, because = self._brake()
        if rule:
            return self._add("time", because, PROVED, f"{reach} {because}.", rule, numbers)
        if further or self.history.ended.step < LONG:
            done = max(self.history.ended.step, 1)
            times = -(-(LONG + done * further) // done)
            change = (
                f"for epoch in range({times} * epochs):  # as many steps as in the trial\n"
                "    ...\n# with early stopping: patience of 5 to 10 epochs, min_delta of 0"
            )
            return self._add("time", "more steps", PROVED, reach, "too_short", numbers, change)
        sentence = f"{reach} Something that the program's loop does besides holds it back."
        return self._add("time", "a plain loop", UNDECIDED, sentence, "", numbers)

    def _brake(self) -> tuple[str, str]:
        """What the program's loop does besides the plain steps of a trial: rule and sentence."""
        wiring, of = self.history.wiring, self.history.of
        if "not_shuffled" in self.report.names:
            return "not_shuffled", "The plain loop takes the batches in a random order"
        terms = () if wiring is None else wiring.losses
        if self.bench.penalised or any(term.penalty for term in terms):
            return "brakes_too_strong", "The plain loop has no penalty on the weights"
        factors = of(signals.GRADIENT_FACTOR)
        if factors is not None and median(factors.values) < CLIPPED:
            return "clipped_away", "The plain loop does not clip gradients"
        rates = of(signals.RATE)
        if (
            rates is not None
            and rates.finite
            and max(rates.finite) > SCHEDULED * _late(rates.finite)
        ):
            return "rate_faded", "The plain loop keeps the largest rate of the program's schedule"
        return "", ""

    def _start(self) -> bool:
        """New random weights against those of the program."""
        fresh = TrialSetup(begin=FRESH)
        rule, difference = self._start_difference()
        if not rule:
            return False
        changed = f"new random weights of torch's layers ({difference})"
        return self._compare(Comparison("start", rule, changed, fresh))

    def _start_difference(self) -> tuple[str, str]:
        """How the first weights differ from new ones: the rule that this is about."""
        own = self.bench.copy(START).named_parameters()
        new = dict(self.bench.copy(FRESH).named_parameters())
        ratios = []
        for name, p in own:
            spread, usual = float(p.detach().std()), float(new[name].detach().std())
            if p.dim() > 1 and usual > 0 and p.numel() > 1:
                same = bool((p == p.reshape(-1)[0]).all())
                ratios.append(0.0 if same else spread / usual)
            elif p.dim() == 1 and p.numel() > 1 and float(p.detach().mean()) < NEGATIVE:
                written = as_written(name, name_of_model(self.history))
                return "dead_relu", f"{written} is {float(p.detach().mean()):.3g} on average"
        if not ratios:
            return "", ""
        if min(ratios) == 0:
            return "start_symmetric", "the program's are all equal"
        if max(ratios) > APART:
            return "start_too_large", f"the program's are up to {max(ratios):.3g} times as large"
        if min(ratios) < 1 / APART:
            return "start_too_small", f"the program's are down to {min(ratios):.3g} times as large"
        return "", ""

    def _released(self) -> Comparison | None:
        """Without weight decay and dropout, where there are any and it helps."""
        decays = [o.get("weight_decay") or 0 for k in self.bench.optimizers for _, o in k.groups]
        dropout = self.bench.is_random
        if not any(decays) and not dropout:
            return None
        what = " and ".join(
            word for word, there in (("weight decay", any(decays)), ("dropout", dropout)) if there
        )
        gains = {}
        for begin in (START, END):
            setup, base = (
                TrialSetup(begin=begin, decay=False, dropout=False),
                TrialSetup(begin=begin),
            )
            gain = self._reach(setup).held.skill - self._reach(base).held.skill
            gains[begin] = gain
            if gain < NO_GAIN:
                break
        begin = max(gains, key=lambda each: gains[each])
        setup, base = TrialSetup(begin=begin, decay=False, dropout=False), TrialSetup(begin=begin)
        change = "\n".join(
            line for line, there in ((NO_DECAY, any(decays)), (NO_DROPOUT, dropout)) if there
        )
        comparison = Comparison(
            "regularisation", "brakes_too_strong", f"no {what}", setup, base, change
        )
        if gains[begin] >= NO_GAIN:
            return comparison
        self._compare(comparison)
        return None

    def _sequences(self) -> bool:
        """What a suspected network does not see of its sequences, shown to it."""
        if "read_from_padding" in self.report.names:
            batches, held = without_padding(self.bench.batches), without_padding(self.bench.held)
            if batches and held:
                setup = TrialSetup(batches=batches, held=held)
                changed = "batches of sequences of one length, without padding"
                if self._compare(Comparison("padding", "read_from_padding", changed, setup)):
                    return True
        if "order_unseen" in self.report.names:
            changed = "positions added to the embeddings"
            setup = TrialSetup(positions=True)
            return self._compare(Comparison("positions", "order_unseen", changed, setup))
        return False

    def _freeze(self) -> bool:
        trained = set(self.bench.names.values())
        held = {
            self.bench.names.get(key, "")
            for kept in self.bench.optimizers
            for ids, _ in kept.groups
            for key in ids
        }
        still = trained - (held & self.bench.start.trainable)
        if not still:
            return False
        model = name_of_model(self.history)
        few = ", ".join(as_written(name, model) for name in sorted(still)[:3])
        changed = f"{few} trained too"
        setup = TrialSetup(all_trainable=True)
        return self._compare(Comparison("freeze", "frozen_layers", changed, setup))

    def _data(self) -> bool:
        """Standardised inputs and targets, and rows in a random order."""
        for name, rule, changed, change in (
            ("inputs", "inputs_not_normalised", "standardised inputs", standard_inputs),
            ("targets", "target_not_scaled", "standardised targets", standard_targets),
            ("order", "not_shuffled", "rows in a random order", mixed_rows),
        ):
            made = change(self.bench)
            if made is not None:
                batches, held = made
                setup = TrialSetup(batches=batches, held=held)
                if self._compare(Comparison(name, rule, changed, setup)):
                    return True
        return False

    def _loss(self) -> bool:
        """Cross-entropy of the outputs where targets are classes."""
        made = on_classes(self.bench)
        if made is None:
            return False
        changed = f"{made[2].name} as the loss"
        setup = TrialSetup(batches=made[0], held=made[1], loss=made[2])
        return self._compare(Comparison("loss", "loss_misfits_task", changed, setup))

    def _labels(self) -> bool:
        """Targets exchanged among the samples, where neither the program nor simple models predict
        held-out rows: what is learned as well is learned by heart."""
        if self._labels_of_evaluation():
            return True
        possible = skill(self.history, simple_score(self.history))
        made = exchanged_targets(self.bench)
        if made is None or possible is None or max(possible, self.end.held.skill) > NO_SKILL:
            return False
        own, other = self._reach(PLAIN), self._reach(TrialSetup(batches=made))
        fitted, by_heart = own.fitted.skill, other.fitted.skill
        sentence = (
            f"With targets exchanged among the samples, {LONG} steps fit them with a skill of "
            f"{by_heart:.2f}; the program's own with {fitted:.2f}, and held-out rows with "
            f"{own.held.skill:.2f}. Simple models of the inputs reach {possible:.2f}."
        )
        alike = fitted > LITTLE and by_heart > ALIKE * fitted and own.held.skill < NO_SKILL
        verdict = PROVED if alike else UNDECIDED
        numbers = {"fitted": fitted, "exchanged": by_heart, "held out": own.held.skill}
        return self._add(
            "labels", "targets exchanged", verdict, sentence, "labels_suspect", numbers
        )

    def _labels_of_evaluation(self) -> bool:
        """Where training labels are suspected: the same training on rows of the evaluation with
        their labels, for the others of these rows."""
        halves = half_of_rows(self.bench.held, 0), half_of_rows(self.bench.held, 1)
        if "labels_suspect" not in self.report.names or None in halves:
            return False
        setup = TrialSetup(batches=halves[0], held=halves[1])
        base = TrialSetup(held=halves[1])
        pairs = [(self._reach(setup, LONG, s).held, self._reach(base, LONG, s).held) for s in SEEDS]
        theirs, own = min(a.skill for a, _ in pairs), max(b.skill for _, b in pairs)
        if own > NO_SKILL or not all(a.exceeds(b, FAIR) for a, b in pairs):
            return False
        sentence = (
            f"Trained on rows of the evaluation with their labels, {LONG} steps reach a skill of "
            f"{theirs:.2f} on other rows of it; on the training rows with theirs, {own:.2f}."
        )
        numbers = {"evaluation labels": theirs, "training labels": own}
        return self._add(
            "labels", "labels of the evaluation", PROVED, sentence, "labels_suspect", numbers
        )

    def _capacity(self) -> bool:
        """More units in the hidden layers, and more layers, where the program does not fit even its
        training rows."""
        if self.end.fitted.skill > ENOUGH or self.bench.start.trainable != {
            name for name, _ in self.bench.copy().named_parameters()
        }:
            return False
        first = self.bench.batches[0]
        base = TrialSetup(begin=FRESH)
        narrow = "layer_too_narrow" in self.report.names
        times = factor_of(self.bench.copy(), first)
        for how, changed, rule, change in (
            (
                WIDER,
                f"hidden layers {times} times as wide",
                "layer_too_narrow" if narrow else "underfitting",
                f"width = {times} * width  # of the hidden layers, as in the trial",
            ),
            (
                DEEPER,
                "a layer more behind each hidden one",
                "underfitting",
                "nn.Linear(units, units), nn.ReLU()  # after each hidden layer, as in the trial",
            ),
        ):
            if grown(self.bench.copy(), how, first) is None:
                continue
            setup = TrialSetup(begin=FRESH, grown=how, all_trainable=True)
            if self._compare(Comparison("capacity", rule, changed, setup, base, change)):
                return True
        return False

    def _few_samples(self) -> bool:
        """Whether a few samples can be fitted at any rate."""
        few = few_rows(self.bench)
        suspects = {f.rule for f in self.report.found} - SYMPTOMS
        if few is None or self.end.fitted.skill > FAIR or suspects - {"underfitting"}:
            return False
        reached = [Measured(skill=0.0)]
        for begin in (START, FRESH):
            for rate in (1.0, 0.1, 10.0, 100.0):
                setup = TrialSetup(begin=begin, rate=rate, decay=False, dropout=False, batches=few)
                got = self._reach(setup).fitted
                reached.append(got)
                if got.score > 0.9:
                    return self._few_fitted(got.score)
        best = max(reached, key=lambda each: each.skill)
        sentence = (
            f"{len(few[0].inputs[0])} samples alone are not fitted at any of four rates: at most "
            f"a score of {best.score:.2f} in {LONG} steps."
        )
        # A network that learns nothing at all may have any other fault.
        verdict = PROVED if LITTLE < best.skill < ENOUGH else UNDECIDED
        numbers = {"score": best.score}
        return self._add("few samples", "few samples", verdict, sentence, "underfitting", numbers)

    def _few_fitted(self, score: float) -> bool:
        sentence = f"A few samples alone are fitted with a score of {score:.2f}."
        return self._add(
            "few samples", "few samples", CLEARED, sentence, "underfitting", {"score": score}
        )


def _worth(reached: Reached, first_loss: float) -> float:
    """What is compared between rates: the skill on both parts, and how far the loss has fallen.

    Args:
        reached: by a training.
        first_loss: before it.
    """
    fall = 1 - reached.fitted.loss / first_loss if first_loss > 0 else 0.0
    value = reached.held.skill + reached.fitted.skill + max(-1.0, fall)
    return -math.inf if math.isnan(value) else value


def _late(rates: tuple[float, ...]) -> float:
    """The rate towards the end of the run. A rate that still rises is no brake of further steps."""
    return max(median(rates), rates[-1])
