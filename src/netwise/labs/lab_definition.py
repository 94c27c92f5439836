"""What a lab is: a published claim as an experiment, with numbers, criteria that can fail, a
figure and a verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Generic, TypeVar

from netwise.errors import UnknownName
from netwise.labs.catalogue import LabText
from netwise.part import Part
from netwise.recipe.recipe import Recipe

CONFIRMED, REFUTED, PARTLY = "confirmed", "refuted", "partly confirmed"


@dataclass(frozen=True)
class Criterion:
    """One statement that the measured numbers support or contradict.

    Args:
        statement: the statement, in a sentence that can be false.
        value: the measured number that decides.
        holds: whether the statement is true of `value`.
        part_of_claim: whether the verdict depends on it. Default true. Criteria that are not part
            of the claim measure something beside it, such as its limits.

    Example:
        >>> from netwise.labs.lab_definition import Criterion
        >>> Criterion("the gain is above 0", 1.5, 1.5 > 0).holds
        True
    """

    statement: str
    value: float
    holds: bool
    part_of_claim: bool = True


@dataclass(frozen=True)
class LabResult:
    """The result of one run of a lab.

    Args:
        numbers: everything that was measured, by name.
        criteria: the statements that the numbers were compared with.
        figure: an SVG picture.
        recipes: hashes of the recipes that were trained, by arm of the experiment.
        seeds: the seeds that were used; empty where nothing is random.
        settings: what the experiment was run with, by name. `Lab.run` sets it.
        seconds: how long it took. `Lab.run` sets it.

    Example:
        >>> import netwise as nw
        >>> nw.lab("L01").run().verdict
        'confirmed'
    """

    numbers: Mapping[str, float]
    criteria: tuple[Criterion, ...]
    figure: str
    recipes: Mapping[str, str] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def claim_criteria(self) -> tuple[Criterion, ...]:
        """The criteria that the verdict depends on."""
        return tuple(criterion for criterion in self.criteria if criterion.part_of_claim)

    @property
    def verdict(self) -> str:
        """ "confirmed" where every criterion of the claim holds, "refuted" where none does, else
        "partly confirmed"."""
        holds = [criterion.holds for criterion in self.claim_criteria]
        if all(holds):
            return CONFIRMED
        return PARTLY if any(holds) else REFUTED

    @property
    def conclusion(self) -> str:
        """The verdict as a sentence, with the criteria that failed.

        Example:
            >>> from netwise.labs.lab_definition import Criterion, LabResult
            >>> gain = Criterion("the gain is above 0", -1.5, False)
            >>> speed = Criterion("training takes under 10 s", 4.0, True)
            >>> LabResult({}, (gain, speed), "", {}).conclusion
            'The claim holds in part: 1 of 2 criteria is met. Not met: the gain is above 0.'
        """
        criteria = self.claim_criteria
        failed = [criterion.statement for criterion in criteria if not criterion.holds]
        number = "1 criterion" if len(criteria) == 1 else f"{len(criteria)} criteria"
        if not failed:
            return f"The claim holds here: {number} met."
        if len(failed) == len(criteria):
            return f"The claim does not hold here: {number} not met."
        met = len(criteria) - len(failed)
        return (
            f"The claim holds in part: {met} of {len(criteria)} criteria "
            f"{'is' if met == 1 else 'are'} met. Not met: {'; '.join(failed)}."
        )

    def plain(self) -> dict[str, Any]:
        """Plain values as they are written in files and by `netwise lab --json`, without the
        figure."""
        return {
            "verdict": self.verdict,
            "numbers": dict(self.numbers),
            "recipes": dict(self.recipes),
            "seeds": list(self.seeds),
            "settings": dict(self.settings),
            "seconds": round(self.seconds, 1),
            "criteria": [
                {
                    "says": criterion.statement,
                    "seen": criterion.value,
                    "holds": criterion.holds,
                    "of_the_note": criterion.part_of_claim,
                }
                for criterion in self.criteria
            ],
        }


def recipe_hashes(arms: Mapping[str, Recipe]) -> dict[str, str]:
    """The hash of each arm's recipe: a recorded result is valid while these are the same."""
    return {name: recipe.hash for name, recipe in arms.items()}


@dataclass(frozen=True)
class LabSettings(Part):
    """What can be varied in an experiment: fields of `netwise.part`, each with a default. This one
    has none."""

    family_name = "settings of a lab"


Settings = TypeVar("Settings", bound=LabSettings)


def no_arms(settings: LabSettings) -> Mapping[str, Recipe]:
    """Of labs that train no recipe."""
    return {}


@dataclass(frozen=True)
class Lab(Generic[Settings]):
    """A published claim as an experiment that anyone can repeat and vary.

    Args:
        name: its id, such as "L01".
        text: what it is about, in words.
        experiment: runs it with some settings.
        settings: the settings of the recorded result.
        arms: makes the recipes that it trains with some settings, by name; a recorded result is
            valid as long as their hashes are the same. Default: none.
        minutes: about how long it takes on two cores. Default 0: seconds; the tests run such labs.
        small: settings under which it takes about a second, to try its code; the numbers mean
            nothing. Default: those of the recorded result.
        stops: a setting and the values at which its page shows the figure, one beside the other,
            for labs that take moments. Default: none.

    Example:
        >>> import netwise as nw
        >>> [lab.name for lab in nw.LABS][:2]
        ['L01', 'L02']
    """

    name: str
    text: LabText
    experiment: Callable[[Settings], LabResult]
    settings: Settings = LabSettings()  # type: ignore[assignment]  # of labs without settings
    arms: Callable[[Settings], Mapping[str, Recipe]] = no_arms
    minutes: float = 0.0
    small: Mapping[str, Any] = field(default_factory=dict)
    stops: tuple[str, tuple[Any, ...]] | None = None

    @property
    def claim(self) -> str:
        """What is claimed, in a sentence."""
        return self.text.claim

    def with_settings(self, changes: Mapping[str, Any]) -> Settings:
        """The settings with some of them changed.

        Raises:
            UnknownName: the lab has no such setting.
            WrongValue: a value is wrong.
        """
        known = [each.name for each in fields(self.settings)]
        for name in changes:
            if name not in known:
                raise UnknownName(f"setting of {self.name}", name, known)
        return self.settings.but(**changes)

    def run(self, **changes: Any) -> LabResult:
        """Run the experiment, with some settings changed.

        Raises:
            UnknownName: the lab has no such setting.
            WrongValue: a value is wrong.

        Example:
            >>> import netwise as nw
            >>> nw.lab("L01").run(rate=0.3).numbers["near: output at 300"] < 0.09
            True
        """
        settings = self.with_settings(changes)
        start = time.perf_counter()
        result = self.experiment(settings)
        seconds = time.perf_counter() - start
        return replace(result, settings=settings.written_fields(), seconds=seconds)
