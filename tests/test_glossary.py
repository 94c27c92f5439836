"""Terms in English and Chinese are answered with the names of netwise, all of which exist."""

from __future__ import annotations

import pytest

import netwise as nw
from netwise.cli import main
from netwise.errors import UnknownName
from netwise.glossary import names_for, terms
from netwise.recipe.recipe import Recipe

OTHER = {"activations", "accuracy", "dropout", "batch_norm", "train", "valid", "lr"}


def test_every_name_exists() -> None:
    known = {rule.name for rule in nw.RULES} | {remedy.name for remedy in nw.REMEDIES}
    known |= set(dir(nw)) | set(main.commands) | set(Recipe.__dataclass_fields__) | OTHER
    known.add("degradation")  # a finding of pairs of runs
    assert not {name for term in terms() for name in term.names} - known


def test_no_form_stands_twice() -> None:
    for forms in (
        [form for term in terms() for form in term.zh],
        [form for term in terms() for form in term.english],
    ):
        assert len(forms) == len(set(forms))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("梯度消失", ("vanishing_gradient",)),
        ("受限玻尔兹曼机", ("RBM",)),  # and not the machine whose name it ends in
        ("玻尔兹曼机", ("BoltzmannMachine",)),
        ("交叉", ("CrossEntropy", "BinaryCrossEntropy", "use_cross_entropy", "validate")),
        ("没有这个词", ()),
        ("vanishing", ()),
        ("Xavier", ("Glorot",)),
        ("kaiming_normal", ("He",)),
        ("multilayer perceptron", ("MLP",)),
        ("CyclicLR", ("Cyclical",)),
        ("ReduceLROnPlateau", ("Plateau",)),
        ("", ()),
    ],
)
def test_a_term_has_its_names(text: str, names: tuple[str, ...]) -> None:
    assert names_for(text)[: len(names)] == names
    assert bool(names_for(text)) == bool(names)


def test_an_unknown_name_in_chinese_is_answered() -> None:
    with pytest.raises(UnknownName, match="Did you mean `add_dropout`"):
        nw.remedy("弃权")
