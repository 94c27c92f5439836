"""What a lab is: a published claim as an experiment, with numbers, criteria that can fail, a
figure and a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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

    Example:
        >>> import netwise as nw
        >>> nw.lab("L01").run().verdict
        'confirmed'
    """

    numbers: Mapping[str, float]
    criteria: tuple[Criterion, ...]
    figure: str
    recipes: Mapping[str, str]
    seeds: tuple[int, ...] = ()

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
class Lab:
    """A published claim as an experiment that anyone can repeat.

    Args:
        name: its id, such as "L01".
        claim: what the source claims, in a sentence.
        setting: how the experiment is run.
        source: the paper or book that makes the claim.
        run: runs the experiment.
        arms: makes the recipes that it trains, by name; a recorded result is valid as long as
            their hashes are the same. Default: none.
        slow: whether it takes minutes, or needs data that are not bundled. Default false. Slow
            labs are not run by the tests; run them with `netwise lab NAME --record`.

    Example:
        >>> import netwise as nw
        >>> [lab.name for lab in nw.LABS][:2]
        ['L01', 'L02']
    """

    name: str
    claim: str
    setting: str
    source: str
    run: Callable[[], LabResult]
    arms: Callable[[], Mapping[str, Recipe]] = dict
    slow: bool = False
