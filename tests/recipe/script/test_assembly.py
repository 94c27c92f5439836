"""What no script can have is refused, all of it at once, with what to use."""

from __future__ import annotations

import pytest

import netwise as nw

RECIPE = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))


def test_all_parts_without_a_form_are_named_at_once() -> None:
    recipe = RECIPE.but(
        optimizer=nw.Muon(),
        init=nw.Normal(truncated=True),
        tuning=nw.FineTune(),
        schedule=nw.Cosine(each="step"),
        stopping=nw.FirstOf(nw.Patience(), nw.Never()),
        average=nw.EMA(),
        data=nw.data.olivetti(),
    )
    with pytest.raises(nw.WrongValue) as caught:
        recipe.to_script()
    fields = [problem.field for problem in caught.value.problems]
    assert sorted(fields) == [
        "average",
        "data",
        "init.truncated",
        "optimizer",
        "schedule",
        "stopping",
        "tuning",
    ]
    assert "use one of Never, Patience" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"network": nw.CustomNetwork("a:b")}, "network = a:b  is user-defined code: paste it"),
        (
            {"network": nw.Autoencoder((64, 8)), "loss": nw.MeanSquaredError()},
            "network = Autoencoder  learns its inputs instead of targets, .* train it with",
        ),
        (
            {"average": nw.SWA(), "stopping": nw.Patience()},
            r"average = SWA  .* keeps the best weights: write stopping = Never\(\)",
        ),
        ({"tuning": nw.FineTune()}, "tuning = FineTune  .* delete it, or train with netwise.fit"),
    ],
)
def test_combinations_without_a_form_are_refused(change: dict[str, object], text: str) -> None:
    with pytest.raises(nw.WrongValue, match=text):
        nw.to_script(RECIPE.but(**change))


def test_equal_recipes_give_equal_scripts_and_threads_change_one_line() -> None:
    one, other = nw.to_script(RECIPE).splitlines(), nw.to_script(RECIPE, threads=4).splitlines()
    assert nw.to_script(RECIPE) == RECIPE.to_script()
    assert [a for a, b in zip(one, other, strict=True) if a != b] == ["torch.set_num_threads(1)"]
