"""What holds for any data: hypothesis tries to find some for which it does not."""

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from conceptspace.figures.evidence import nan_mean
from conceptspace.figures.plane import path_between, swept_region
from conceptspace.figures.samples import spread_steps
from conceptspace.figures.style import new_figure, step_axis
from conceptspace.report.charts import tidy
from conceptspace.report.html import json_for_script
from conceptspace.report.words import value_html

SHARES = st.floats(0, 1)
ODD = st.sampled_from([np.nan, np.inf, -np.inf])
STEPS = st.lists(st.integers(0, 10**6), min_size=1, max_size=40, unique=True).map(sorted)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(STEPS)
def test_a_step_axis_shows_every_checkpoint(steps: list[int]):
    axes = new_figure(3, 2).add_subplot()
    step_axis(axes, steps)
    low, high = axes.get_xlim()
    assert low <= steps[0]
    assert steps[-1] <= high


@given(STEPS, st.integers(1, 12))
def test_columns_are_ordered_checkpoints_and_hold_the_last(steps: list[int], number: int):
    shown = spread_steps(steps, number)
    assert len(shown) <= number
    assert shown == sorted(set(shown))
    assert set(shown) <= set(steps)
    assert steps[0] in shown


@given(arrays.arrays(float, (6, 2), elements=SHARES), st.floats(0, 50), st.floats(0, 50))
def test_a_piece_of_a_path_stays_within_it(path: np.ndarray, one: float, other: float):
    steps = np.arange(6) * 10
    piece = path_between(steps, path, min(one, other), max(one, other))
    assert (piece >= path.min(axis=0) - 1e-9).all()
    assert (piece <= path.max(axis=0) + 1e-9).all()


@given(
    arrays.arrays(float, (4, 2), elements=SHARES | st.just(np.nan)),
    arrays.arrays(float, (4, 2), elements=SHARES),
)
def test_the_swept_region_stays_within_the_intervals(low: np.ndarray, width: np.ndarray):
    high = low + width
    for polygon in swept_region(low, high):
        assert (polygon >= np.nanmin(low, axis=0) - 1e-9).all()
        assert (polygon <= np.nanmax(high, axis=0) + 1e-9).all()


@given(arrays.arrays(float, (3, 5), elements=SHARES | st.just(np.nan)))
def test_the_mean_lies_among_the_values(values: np.ndarray):
    for row, mean in zip(values, nan_mean(values)):
        known = row[np.isfinite(row)]
        assert np.isnan(mean) == (len(known) == 0)
        if len(known):
            assert known.min() - 1e-12 <= mean <= known.max() + 1e-12


@given(arrays.arrays(float, 5, elements=st.floats(-1e300, 1e300) | ODD))
def test_tidy_numbers_are_json(values: np.ndarray):
    assert json.loads(json.dumps(tidy(values), allow_nan=False)) == tidy(values)


@given(PLAIN)
def test_json_in_the_page_says_the_same_and_ends_nothing(value):
    text = json_for_script(value)
    assert not set(text) & set("<>&")
    assert json.loads(text) == value


@settings(max_examples=60)
@given(PLAIN)
def test_no_value_brings_in_markup_of_its_own(value):
    text = value_html(value)
    for tag in ("<dl>", "</dl>", "<dt>", "</dt>", "<dd>", "</dd>", "<br>"):
        text = text.replace(tag, "")
    assert not set(text) & set("<>")
