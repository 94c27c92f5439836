"""Networks of the user's own modules."""

from __future__ import annotations

import pytest
from torch import nn

import netwise as nw


def top_level() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


def test_an_own_network_is_kept_by_its_name() -> None:
    own = nw.CustomNetwork(top_level)
    assert own.source == f"{__name__}:top_level"
    assert own == nw.CustomNetwork(f"{__name__}:top_level")
    assert isinstance(own.build(), nn.Sequential)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (lambda: nn.Identity(), "move it to the top of a module"),
        ("no colon", 'must be a function, or "module:name" of one'),
        ("a:b:c", "must be a function"),
        ("os:abort; x", "must be a function"),
        (3, "must be a function"),
    ],
)
def test_a_function_without_a_name_is_refused(source: object, text: str) -> None:
    with pytest.raises(nw.WrongValue, match=text):
        nw.CustomNetwork(source)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("no_such_module:Net", "add its folder to PYTHONPATH"),
        ("torch.nn:Nett", "cannot be imported"),
        ("os:sep", "is not a function"),
        ("os:getcwd", "must return a torch.nn.Module, and returned str"),
    ],
)
def test_an_own_network_that_cannot_be_built_is_told(source: str, text: str) -> None:
    with pytest.raises(nw.WrongValue, match=text.replace("?", r"\?")):
        nw.CustomNetwork(source).build()
