"""The geometry of dot plots: everything stands where its value says, within the axis or marked as cut."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.pages.dot_plots import Axis, Dot, Mark, Scale, axis_of, bar_of, dot_plot, place_of, written

UNIT = (0.0, 1.0)
FINITE = st.floats(-1e3, 1e3)
RATIOS = st.floats(1e-5, 1e5)


@given(st.lists(FINITE, max_size=6), FINITE, st.floats(1e-2, 1e3))
def test_a_linear_axis_has_few_round_ticks_at_equal_distance_and_room_for_every_figure(values, low, length):
    dots = [Dot("a", value) for value in values]
    axis = axis_of(dots, shown=(low, low + length))
    assert 2 <= len(axis.ticks) <= 6
    assert axis.ticks[0] <= min([low, *values]) + 1e-6
    assert axis.ticks[-1] >= max([low + length, *values]) - 1e-6
    steps = [after - before for before, after in zip(axis.ticks, axis.ticks[1:], strict=False)]
    assert steps == pytest.approx([steps[0]] * len(steps), rel=1e-6)
    digits = steps[0] / 10 ** math.floor(math.log10(steps[0]) + 1e-6)
    assert any(math.isclose(digits, each, rel_tol=1e-4) for each in (1, 2, 2.5, 5))


@given(st.lists(RATIOS, max_size=6))
def test_a_logarithmic_axis_doubles_with_1_among_its_ticks_and_room_for_every_figure(values):
    axis = axis_of([Dot("a", value) for value in values], Scale.LOG, shown=(0.5, 2.0), reference=1.0)
    assert 2 <= len(axis.ticks) <= 7
    assert 1.0 in axis.ticks
    assert all(math.log2(tick) == round(math.log2(tick)) for tick in axis.ticks)
    plot = dot_plot([Dot("a", value) for value in values], axis)
    assert not any(row.place.cut for row in plot.rows)


@given(FINITE, FINITE)
def test_places_rise_with_values_and_stay_on_the_axis(one, other):
    axis = Axis(-100.0, 100.0, Scale.LINEAR, ())
    low, high = sorted((one, other))
    first, second = place_of(low, axis), place_of(high, axis)
    assert 0 <= first.at <= second.at <= 100
    assert (first.cut, second.cut) == (not -100 <= low <= 100, not -100 <= high <= 100)


def test_equal_ratios_are_equally_long():
    axis = Axis(0.25, 4.0, Scale.LOG, (0.25, 1.0, 4.0))
    assert [place_of(value, axis).at for value in (0.25, 0.5, 1.0, 2.0, 4.0)] == [0, 25, 50, 75, 100]
    assert [tick.label for tick in dot_plot([], axis).ticks] == ["1/4", "1", "4"]


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_what_a_logarithmic_axis_has_no_place_for_is_cut_and_breaks_nothing(value):
    dots = [Dot("a", 1.5, value, 1e9)]
    axis = axis_of(dots, Scale.LOG, shown=(0.5, 2.0), most=(1 / 64, 64.0))
    (row,) = dot_plot(dots, axis).rows
    assert axis.high == 64
    assert (row.span.low.cut or row.span.low.at == 0, row.span.high) == (True, (100.0, True))
    assert not row.place.cut


def test_an_interval_goes_as_far_as_it_is_let_and_a_figure_always():
    far = [Dot("a", 0.5, -3.0, 3.0), Dot("b", 1.7)]
    axis = axis_of(far, shown=UNIT, most=(-1.0, 1.0))
    assert (axis.low, axis.high) == (-1.0, 2.0)
    first, second = dot_plot(far, axis).rows
    assert (first.span.low.cut, first.span.high.cut) == (True, True)
    assert (second.place.at, second.span) == (90.0, None)


def test_what_has_no_figure_has_no_dot_but_its_marks_and_says_so():
    dot = Dot("a", None, marks=(Mark("one more", 0.5, "diamond"),), written="–", notes=("missing: too few",))
    (row,) = dot_plot([dot], axis_of([dot], shown=UNIT)).rows
    assert (row.place, row.span) == (None, None)
    assert [each.place.at for each in row.marks] == [50.0]
    assert row.says == "a: no figure; missing: too few"


def test_the_legend_names_each_kind_of_mark_once_and_the_reference_has_its_place():
    marks = (Mark("one more", 0.5, "diamond"), Mark("ceiling", 0.75, "stroke"))
    dots = [Dot("a", 0.25, 0.0, 0.5, marks), Dot("b", 0.5, marks=marks)]
    plot = dot_plot(dots, axis_of(dots, shown=UNIT, reference=0.0))
    assert plot.shapes == (("diamond", "one more"), ("stroke", "ceiling"))
    assert plot.reference == 0
    assert plot.rows[0].span == ((0, False), (50, False))
    assert [each.place.at for each in plot.rows[1].marks] == [50, 75]


@pytest.mark.parametrize(("shown", "scale"), [((1.0, 1.0), Scale.LINEAR), ((0.0, 2.0), Scale.LOG)])
def test_an_axis_without_length_is_refused(shown, scale):
    with pytest.raises(ValueError, match="cannot begin"):
        axis_of([], scale, shown=shown)


def test_values_are_written_as_they_are_read():
    assert [written(value, Scale.LOG) for value in (1 / 1024, 0.5, 1.0, 4096.0)] == ["1/1,024", "1/2", "1", "4,096"]
    assert [written(value, Scale.LINEAR) for value in (-0.25, 0.0, 0.3)] == ["−0.25", "0", "0.3"]


@pytest.mark.parametrize(
    ("bounds", "allowed", "at"), [((None, 5.0), (0, 5), 5), ((60.0, None), (60, 100), 60), ((None, None), None, None)]
)
def test_a_bar_knows_its_bound(bounds, allowed, at):
    bar = bar_of(31.0, *bounds)
    assert (bar.length, bar.allowed, bar.bound) == (31.0, allowed, at)
