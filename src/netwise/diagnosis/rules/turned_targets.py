"""Target maps that lie otherwise than their pictures."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History

NEARLY_ALL = 0.75  # of the samples: one turn of all maps
MANY = 0.2  # of the samples: maps that are turned at random
FITS = 0.3  # correlation of maps and pictures, each turned as it fits


def targets_turned(history: History) -> Answer:
    """Find maps as targets that fit their pictures better once they are mirrored or turned, in all
    samples or in a part of them."""
    if history.wiring is None:
        return Unchecked(NOT_OBSERVED)
    data = history.data
    if data is None:
        return Unchecked("no batches of training were kept together with their targets")
    if data.turned_targets is None:
        return None
    how, own, turned, share, best = data.turned_targets
    in_all = share >= NEARLY_ALL
    if share < MANY or best < FITS:
        return None
    if in_all:
        sentence = (
            f"The target maps are {how} against their pictures: with what stands out in these they "
            f"correlate with {own:.2g} as they are, and with {turned:.2g} turned back. Arrays are "
            "indexed [row, column], which is [y, x]."
        )
        change = "heat[row, column] = 1.0  # row is y, column is x"
    else:
        sentence = (
            f"In {100 * share:.0f} % of the samples the target map is {how} against its picture, "
            "and in the others it is not: a random change of the picture has to be made to the "
            "map, too."
        )
        change = (
            "if torch.rand(()) < 0.5:  # one draw for both\n"
            "    picture, target = picture.flip(-1), target.flip(-1)"
        )
    limit = NEARLY_ALL if in_all else MANY
    return Finding(
        rule="targets_turned",
        sentence=sentence,
        steps=(0, history.ended.step),
        evidence=(Evidence("samples whose map fits turned back", share, limit, percent=True),),
        strength=share / limit,
        grade="cause",
        change=change,
    )


TARGETS_TURNED = Rule(
    name="targets_turned",
    title="Target maps that lie otherwise than their pictures",
    find=targets_turned,
    explanation=(
        "A mask or a heat map tells of each place of a picture what is there. Where rows and "
        "columns are exchanged, or only the picture is mirrored for augmentation, it tells that "
        "of another place."
    ),
    healthy="Maps that correlate best with their pictures as they are.",
    source="Ronneberger, Fischer, Brox 2015, U-Net, section 3.1; Shorten, Khoshgoftaar 2019, A "
    "survey on image data augmentation",
    explains=("behind_baseline", "plateau", "labels_suspect", "overfitting", *CONSEQUENCES),
    own_loops=True,
)
