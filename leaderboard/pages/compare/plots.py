"""Differences of two results as dot plots around zero, and in words: who is better, or that nobody can tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from evaluator.hicupid.scoring import HIGHEST_TOTAL
from evaluator.plurals import several
from leaderboard.answers.pairs import Comparison, Pair, PairedDifference, PairedSlice, in_words, p_in_words
from leaderboard.answers.slices import SliceKind
from leaderboard.pages.compare.asked import Asked, slice_called
from leaderboard.pages.dot_plots import Axis, Dot, Plot, axis_of, dot_plot
from leaderboard.pages.figures import bounds

LETTERS = "ABCD"
"""What results are called where their names have no room, by their places."""
_SHOWN, _WHOLE = (-5.0, 5.0), (-100.0, 100.0)
_KINDS: Mapping[SliceKind, tuple[str, str]] = {
    SliceKind.TYPE: ("By question type", "Score of each type."),
    SliceKind.SPLIT: ("By split", "test_1 asks users whose histories models may be trained on, test_2 others."),
    SliceKind.POSITION: (
        "By position of the evidence",
        "Where in a user's history the oldest dialogue lies that a question needs.",
    ),
    SliceKind.CATEGORY: ("By persona category", "What the taste is for that a question is about."),
    SliceKind.SENTIMENT: ("By likes and dislikes", "Whether the user likes or dislikes what a question is about."),
}


class Part(NamedTuple):
    """A piece of a sentence."""

    text: str
    is_name: bool
    """Whether it is what a result is called: text of a submitter's."""


class Sentence(NamedTuple):
    """What is said of a pair."""

    parts: tuple[Part, ...]
    told_apart: bool


class Group(NamedTuple):
    """All differences of one kind of slice."""

    id: str
    title: str
    about: str
    plot: Plot
    told_apart: int
    """Slices that are told apart."""


class PairPlots(NamedTuple):
    """A pair by slice."""

    id: str
    first: int
    """Place of the result for which points right of zero speak."""
    second: int
    told_apart: int
    """Slices that are told apart."""
    slices: int
    groups: tuple[Group, ...]


def sentence_of(pair: Pair, names: Sequence[str]) -> Sentence:
    """Says of a pair whether it is told apart, as `in_words`, with names as parts of their own.

    Args:
        pair: The two.
        names: What the results are called, in their order.
    """
    # Names stand in only afterwards: whatever they hold, they are never taken for parts of the sentence.
    pieces = in_words(pair, [f"\0{place}\0" for place in range(len(names))]).split("\0")
    parts = (Part(names[int(each)], True) if place % 2 else Part(each, False) for place, each in enumerate(pieces))
    return Sentence(tuple(part for part in parts if part.text), pair.total.told_apart)


def totals_plot(found: Comparison) -> Plot:
    """Draws the difference of the Totals of every pair."""
    dots = [_dot(f"{LETTERS[pair.first]} less {LETTERS[pair.second]}", pair.total, pair) for pair in found.pairs]
    return dot_plot(dots, _axis(dots, HIGHEST_TOTAL))


def pair_plots(found: Comparison, asked: Asked) -> tuple[PairPlots, ...]:
    """Draws each pair by slice; all pairs share one axis, and each slice leads to its items."""
    drawn = [[_slice_dot(each, pair, asked) for each in pair.slices] for pair in found.pairs]
    axis = _axis([dot for dots in drawn for dot in dots], 100.0)
    return tuple(
        PairPlots(
            f"pair-{number}",
            pair.first,
            pair.second,
            sum(each.difference.told_apart for each in pair.slices),
            len(pair.slices),
            tuple(_groups(f"pair-{number}", pair.slices, dots, axis)),
        )
        for number, (pair, dots) in enumerate(zip(found.pairs, drawn, strict=True), 1)
    )


def signed(value: float | None) -> str:
    """Writes a difference with its sign; a missing one as a dash.

    Example:
        >>> signed(1.25), signed(-3.0), signed(None)
        ('+1.2', '−3.0', '–')
    """
    return "–" if value is None else f"{value:+.1f}".replace("-", "−")


def _groups(pair_id: str, slices: Sequence[PairedSlice], dots: Sequence[Dot], axis: Axis) -> Iterable[Group]:
    """Yields the plots of a pair by kind of slice."""
    for kind, (title, about) in _KINDS.items():
        mine = [dot for each, dot in zip(slices, dots, strict=True) if each.kind is kind]
        if mine:
            yield Group(f"{pair_id}-{kind}", title, about, dot_plot(mine, axis), sum(dot.strong for dot in mine))


def _slice_dot(each: PairedSlice, pair: Pair, asked: Asked) -> Dot:
    """Returns one slice as it is drawn."""
    is_type = each.kind is SliceKind.TYPE
    name = each.name.capitalize() if is_type else f"{each.name}, {each.type}"
    address = asked.items(type=str(each.type), slice="" if is_type else slice_called(each.kind, each.name))
    return _dot(name, each.difference, pair)._replace(address=address)


def _dot(name: str, found: PairedDifference, pair: Pair) -> Dot:
    """Returns a difference as it is drawn, with all that is to be said of it."""
    counted = f"{several(found.items, 'item')}, {several(found.users, 'user')}"
    if found.value is None:
        return Dot(name, None, written="–", notes=("missing: not all kinds of questions are shared", counted))
    if found.interval is None or found.p_value is None or found.corrected is None:
        return Dot(name, found.value, written=signed(found.value), notes=("no interval: too few users", counted))
    low, high = found.interval.low, found.interval.high
    tested, alone = p_in_words(found.corrected), p_in_words(found.p_value)
    tested += " corrected" if tested == alone else f" corrected, {alone.removeprefix('p ')} alone"
    better = LETTERS[pair.first if found.value > 0 else pair.second]
    says = f"told apart: {better} is better" if found.told_apart else "not told apart"
    notes = (bounds(found.interval).replace("-", "−"), tested, counted, says)
    return Dot(name, found.value, low, high, (), signed(found.value), notes, found.told_apart)


def _axis(dots: Sequence[Dot], most: float) -> Axis:
    """Returns the axis of differences, with none in its midst."""
    ends = [abs(end) for dot in dots for end in (dot.value, dot.low, dot.high) if end is not None]
    reach = min(most, max([_SHOWN[1], *ends]))
    return axis_of(dots, shown=(-reach, reach), most=_WHOLE, reference=0.0)
