"""Columns of all kinds: what their inputs can predict, compared with scikit-learn."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import TargetEncoder

import netwise as nw
from netwise.data.columns.fitting import fit_columns
from netwise.data.columns.table_encoder import TableEncoder
from netwise.data.encoding import encoder_from

rng = np.random.default_rng(0)
KINDS = {"n": "number", "c": "category", "d": "date", "t": "text"}


def table(rows: int = 200) -> dict[str, np.ndarray]:
    """One column of each kind, with gaps."""
    numbers = rng.normal(size=rows)
    words = np.array([f"w{i}" for i in rng.integers(0, 60, rows)], dtype=object)
    dates = np.datetime64("2020-01-01", "us") + rng.integers(0, 10**14, rows)
    texts = np.array([f"some words {i} {i % 7}" for i in range(rows)], dtype=object)
    numbers[3], words[4], dates[5], texts[6] = np.nan, None, np.datetime64("NaT"), None
    return {"n": numbers, "c": words, "d": dates.astype("datetime64[us]"), "t": texts}


def test_an_encoder_comes_back_from_plain_values_and_gives_the_same_inputs() -> None:
    columns = table()
    encoder, _ = fit_columns(columns, KINDS, rng.normal(size=(200, 2)), ("y", "z"))
    again = encoder_from(json.loads(json.dumps(encoder.plain())))
    assert again == encoder
    assert isinstance(again, TableEncoder)
    x = again.encode(columns)
    assert x.shape == (200, len(encoder.features))
    assert len(set(encoder.features)) == len(encoder.features)
    assert bool(x.isfinite().all())
    # In any form of a table, the same.
    frame = pd.DataFrame(columns)
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    for raw in (frame, rows, [list(row.values()) for row in rows]):
        np.testing.assert_array_equal(again.encode(raw).numpy(), x.numpy())


def test_columns_without_information_are_left_out_and_listed() -> None:
    columns = {"id": ["a", "b"], "same": [1.0, 1.0], "none": [None, None], "x": [1.0, 2.0]}
    kinds = {"id": "identifier", "same": "number", "none": "empty", "x": "number"}
    encoder, x = fit_columns(columns, kinds)
    assert encoder.features == ("x",)
    assert [(each.name, each.reason) for each in encoder.left_out] == [
        ("id", "it names the rows: another value in each"),
        ("same", "it has the same value in all training rows"),
        ("none", "it has no values"),
    ]
    assert encoder.encode({"x": [1.0, 2.0]}).tolist() == x.tolist() == [[-1.0], [1.0]]
    assert encoder_from(json.loads(json.dumps(encoder.plain()))) == encoder


@pytest.mark.parametrize("offset", [0.0, 1.7e9, 1e15, -1e12])
def test_numbers_far_from_zero_keep_their_differences(offset: float) -> None:
    distances = rng.normal(0, 50, 1000).round()
    values = offset + distances
    _, x = fit_columns({"t": values}, {"t": "number"})
    expected = (distances - distances.mean()) / distances.std()
    np.testing.assert_allclose(x[:, 0].numpy(), expected, atol=1e-3 if offset == 1e15 else 1e-5)


def test_numbers_near_the_limits_of_float64_are_scaled_or_refused() -> None:
    _, x = fit_columns({"t": np.array([1e300, 2e300, 3e300])}, {"t": "number"})
    np.testing.assert_allclose(x[:, 0].numpy(), [-1.2247449, 0, 1.2247449], rtol=1e-6)
    with pytest.raises(nw.DataError, match="too far from the median"):
        fit_columns({"t": np.array([-1.7e308, -1.7e308, 1.7e308])}, {"t": "number"})
    _, x = fit_columns({"t": np.array([-1.7e308, 1.7e308])}, {"t": "number"})
    assert x.tolist() == [[-1.0], [1.0]]


def test_dates_predict_as_well_as_their_true_parts_do() -> None:
    """A trend, a season, week ends and office hours: linear in the inputs but for the hours."""
    when = np.datetime64("2019-01-01", "us") + rng.integers(0, 1400 * 86_400, 3000) * 10**6
    index = pd.DatetimeIndex(when)
    season = np.sin(2 * np.pi * index.day_of_year / 365)
    y = 0.002 * (index - index.min()).days + season + 1.5 * (index.day_of_week >= 5)
    y = np.asarray(y + ((index.hour >= 8) & (index.hour < 18)))
    encoder, x = fit_columns({"when": when[:2000]}, {"when": "date"})
    model = HistGradientBoostingRegressor().fit(x.numpy(), y[:2000])
    assert model.score(encoder.encode({"when": when[2000:]}).numpy(), y[2000:]) > 0.98
    linear = Ridge().fit(x.numpy(), y[:2000])
    assert linear.score(encoder.encode({"when": when[2000:]}).numpy(), y[2000:]) > 0.95


def test_only_parts_of_dates_that_vary_are_inputs() -> None:
    days = [date(2024, 3, day) for day in (1, 2, 3)]
    encoder, _ = fit_columns({"d": days}, {"d": "date"})
    parts = {name.split(": ")[1].split(" ")[0] for name in encoder.features}
    assert parts == {"days", "season", "day", "weekday"}


def test_dates_come_as_texts_datetimes_and_timestamps_alike() -> None:
    days = ["2024-03-01 10:00", "2024-04-02 11:30", "2025-05-03 12:00"]
    encoder, x = fit_columns({"d": days}, {"d": "date"})
    east = timezone(timedelta(hours=2))
    for cells in (
        [datetime.fromisoformat(day) for day in days],
        [datetime.fromisoformat(day).replace(tzinfo=UTC).astimezone(east) for day in days],
        list(pd.to_datetime(days)),
        pd.to_datetime(days).to_numpy(),
    ):
        np.testing.assert_array_equal(encoder.encode({"d": cells}).numpy(), x.numpy())
    with pytest.raises(nw.DataError, match=r"column 'd', row 2: 'soon' is no date.*2024-05-31"):
        encoder.encode({"d": ["2024-01-01", "soon"]})


def test_many_categories_have_the_means_of_scikit_learns_target_encoder() -> None:
    words = np.array([f"w{i:03}" for i in rng.integers(0, 200, 3000)], dtype=object)
    y = rng.normal(size=200)[[int(word[1:]) for word in words]] + rng.normal(size=3000)
    encoder, x = fit_columns({"w": words}, {"w": "category"}, y[:, None], ("y",))
    assert encoder.features[-2:] == ("w=(other)", "w: mean of y")
    reference = TargetEncoder(target_type="continuous").fit(words[:, None], y)
    every = np.array([*np.unique(words), "never seen"], dtype=object)
    ours = encoder.encode({"w": every}).numpy()[:, -1]
    theirs = reference.transform(every[:, None])[:, 0]
    slope, constant = np.polyfit(theirs, ours, 1)
    np.testing.assert_allclose(ours, slope * theirs + constant, atol=1e-5)
    assert x[:, -1].mean().abs() < 1e-5
    assert abs(float(x[:, -1].std()) - 1) < 1e-3


def test_a_row_does_not_see_its_own_target() -> None:
    """Categories without any meaning: means fitted on all rows would correlate with the target."""
    words = np.array([f"w{i}" for i in rng.integers(0, 1000, 3000)], dtype=object)
    y = rng.normal(size=3000)
    encoder, x = fit_columns({"w": words}, {"w": "category"}, y[:, None])
    assert abs(np.corrcoef(x[:, -1].numpy(), y)[0, 1]) < 0.06
    assert np.corrcoef(encoder.encode({"w": words})[:, -1].numpy(), y)[0, 1] > 0.3


def test_a_category_with_five_thousand_values_predicts() -> None:
    effects, which = rng.normal(size=5000), rng.integers(0, 5000, 40_000)
    words = np.array([f"shop {i}" for i in which], dtype=object)
    y = effects[which] + rng.normal(0, 0.3, 40_000)
    half = slice(0, 20_000)
    encoder, x = fit_columns({"w": words[half]}, {"w": "category"}, y[half, None])
    assert len(encoder.features) < 60
    model = Ridge().fit(x.numpy(), y[half])
    # scikit-learn's TargetEncoder and Ridge: 0.873
    assert model.score(encoder.encode({"w": words[20_000:]}).numpy(), y[20_000:]) > 0.86


def test_free_text_predicts_as_a_linear_model_of_all_its_words() -> None:
    letters = list("abcdefghijklmnopqrstuvwxyz")
    vocabulary = ["".join(rng.choice(letters, rng.integers(3, 9))) for _ in range(400)]
    weights = np.where(np.arange(400) < 60, rng.normal(size=400), 0)
    chosen = rng.integers(0, 400, (1200, 12))
    texts = np.array([" ".join(vocabulary[i] for i in row) for row in chosen], dtype=object)
    y = weights[chosen].sum(axis=1) > 0
    encoder, x = fit_columns({"t": texts[:800]}, {"t": "text"}, y[:800, None].astype(float))
    ours = LogisticRegression(C=0.01).fit(x.numpy(), y[:800])
    reference = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10)).fit(texts[:800], y[:800])
    score = ours.score(encoder.encode({"t": texts[800:]}).numpy(), y[800:])
    assert score >= reference.score(texts[800:], y[800:]) - 0.02


def test_texts_that_all_have_the_same_words_differ_by_how_often() -> None:
    many = rng.integers(1, 30, 100)
    texts = [" ".join(["good"] * count + ["car"] * 20) for count in many]
    _, x = fit_columns({"t": texts}, {"t": "text"}, np.log(many)[:, None])
    assert Ridge().fit(x.numpy(), np.log(many)).score(x.numpy(), np.log(many)) > 0.9
    assert x.mean(0).abs().max() < 1e-4
    unequal, _ = fit_columns({"t": ["qxz", "vwk"], "n": [1, 2]}, {"t": "text", "n": "number"})
    assert [each.reason for each in unequal.left_out] == [
        "no piece of its texts tells training rows apart"
    ]


def test_text_without_targets_has_the_most_frequent_pieces() -> None:
    encoder, x = fit_columns({"t": ["red car", "red bus", None, "bus"] * 5}, {"t": "text"})
    assert x.shape == (20, len(encoder.features))
    assert encoder.features[-1] == "t is missing"
    assert x[:, -1].sum() == 5


def test_whole_numbers_are_the_same_words_however_they_are_written() -> None:
    encoder, x = fit_columns({"c": ["1", "2", "10"]}, {"c": "category"})
    for cells in ([1, 2, 10], [1.0, 2.0, 10.0], np.array([1, 2, 10]), np.array([1.0, 2.0, 10.0])):
        assert encoder.encode({"c": cells}).tolist() == x.tolist()


def test_a_word_such_as_none_is_a_category_where_training_had_it() -> None:
    encoder, _ = fit_columns({"c": ["None", "some", "all"]}, {"c": "category"})
    assert encoder.encode({"c": ["None", None]}).tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]


def test_texts_that_tell_nothing_of_the_target_are_left_out() -> None:
    generator = np.random.default_rng(0)
    y = generator.normal(size=(300, 1))
    streets = [f"High Street {n} b" for n in generator.integers(1, 900, 300)]
    praise = ["good and quiet" if v > 0 else "bad and noisy" for v in y[:, 0]]
    words = ["house", "garden", "door", "roof"]
    told = [f"{text} {generator.choice(words)}" for text in praise]
    encoder, _ = fit_columns(
        {"street": streets, "text": told}, {"street": "text", "text": "text"}, y
    )
    chosen = {each.name: len(each.feature_names) for each in encoder.columns}
    assert chosen.get("street", 0) < 20
    assert 0 < chosen["text"] < 60
