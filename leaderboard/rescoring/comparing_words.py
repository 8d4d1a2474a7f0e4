"""A comparison of two judges in words and tables: part by part, for a terminal and for Markdown alike.

Names of models and questions, and what judges and models wrote, are strangers' text. Names pass through the function
that is given for them; longer texts stand in `Quote`s, which whoever writes them out makes harmless.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from evaluator.human.report.text import NONE, Heading, Table
from evaluator.metrics.clustered import Missing
from evaluator.plurals import several
from leaderboard.rescoring import comparing_cells as cells
from leaderboard.rescoring.comparison import (
    ComparedJudge,
    Comparison,
    Flip,
    FlipGroup,
    ModelComparison,
    ModelSide,
    Move,
    PeopleComparison,
    Said,
    VerdictAgreement,
    VerdictCounts,
)

MOST_MODELS = 50
"""Models that are listed, those whose rank moves first; JSON lists all."""
MOST_NAMED = 20
"""Runs that are named in a list of others."""
_BY_MOVE = (Move.LEFT, Move.ENTERED, Move.APART, Move.MOVED, Move.SAME, Move.UNRANKED)

Spelling = Callable[[str], str]
"""Returns a stranger's name as it can be shown."""


class Quote(NamedTuple):
    """What a stranger wrote, below a line that says what it is."""

    title: str
    text: str


Block = Heading | Table | Quote | str
"""A part; a text is a paragraph."""


def blocks(found: Comparison, spell: Spelling, flips: int) -> Iterator[Block]:
    """Yields a comparison part by part.

    Args:
        found: The comparison.
        spell: Makes a stranger's name fit to be shown.
        flips: How many flips of each kind are shown with their words, at least 0.
    """
    yield Heading(1, f"{spell(found.new.id)} beside {spell(found.old.id)} under {spell(found.protocol)}")
    yield from _head(found, spell)
    yield Heading(2, "Verdicts")
    yield from _verdicts(found)
    yield Heading(2, "Models")
    yield from _models(found, spell)
    yield Heading(2, "People")
    yield from _people(found)
    yield Heading(2, "Flips")
    yield from _flips(found, spell, flips)


def _head(found: Comparison, spell: Spelling) -> Iterator[Block]:
    """Yields who is compared on what."""
    yield (
        f"{several(len(found.models), 'run')} judged by both, "
        f"{several(found.agreement.raw.users, 'user')} with a verdict of both. Intervals are at 95 %, clustered by "
        "user: they speak of other users and the same models. There is none below ten users. Nothing of this is "
        "published."
    )
    if found.agreement.raw.clustered_by == "nothing":
        yield "An interval with a star takes verdicts to be independent, for want of ten users: it is too narrow."
    waiting = [run.model for run in found.uncompared if run.lacks == "new"]
    if waiting:
        yield (
            f"PARTIAL: the new judge has not yet judged {several(len(waiting), 'run')} that the old one has: "
            f"{_named(waiting, spell)}. They are in no figure, and ranks are among the others alone."
        )
    alone = [run.model for run in found.uncompared if run.lacks == "old"]
    if alone:
        yield f"Judged by the new judge alone, and in no figure: {_named(alone, spell)}."
    yield Table(
        ("judge", "id", "revision", "configuration", "engine"),
        (_judge("old", found.old, spell), _judge("new", found.new, spell)),
    )


def _judge(name: str, judge: ComparedJudge, spell: Spelling) -> tuple[str, ...]:
    several_of = (judge.revisions, judge.configs, judge.engines)
    short = [", ".join(spell(each if " " in each else each[:12]) for each in values) for values in several_of]
    return name, spell(judge.id), *short


def _verdicts(found: Comparison) -> Iterator[Block]:
    """Yields agreement, what met what, what is missing, and how judges go by slots."""
    named = [("all", found.agreement), *((each.type.value, each.agreement) for each in found.by_type)]
    yield Table(("type", "items", "compared", "users", "same %", "95 %"), tuple(_raw(*each) for each in named))
    yield Table(
        ("type", "kappa", "95 %", "weighted", "95 %", "old score", "new score", "shift", "95 %"),
        tuple(_beyond_chance(*each) for each in named),
    )
    yield (
        "A score counts a win as 100 and a tie as 50, over the verdicts that both judges gave; the shift is the new "
        "one less the old one. Weighted kappa is quadratic in the same. Of all types, kappa is the mean of theirs, "
        "weighted by how many verdicts they have and how much the old judge's vary."
    )
    yield from _without_interval(named)
    for each in found.by_type:
        if each.counts.compared:
            yield Heading(3, f"{each.type.value}: old judge (rows) by new judge (columns)")
            rows = zip(each.outcomes, each.matrix, strict=True)
            yield Table(
                ("", *map(str, each.outcomes), "all"),
                tuple((str(name), *(f"{count:,}" for count in row), f"{sum(row):,}") for name, row in rows),
            )
    yield Heading(3, "What became of the verdicts that are owed")
    yield Table(
        ("type", "owed", "defects", "compared", "old alone", "new alone", "neither"),
        tuple(
            _counted(name, counts)
            for name, counts in [("all", found.counts), *((each.type.value, each.counts) for each in found.by_type)]
        ),
    )
    yield f"Missing from the old judge: {cells.causes(found.counts.old_because)}."
    yield f"Missing from the new judge: {cells.causes(found.counts.new_because)}."
    yield Heading(3, "How either judge goes by slots, on pairs that both have read in both orders")
    yield Table(
        ("judge", "pairs", "orders agree %", "95 %", "slot A %", "95 %", "words A or B"),
        tuple(
            (
                name,
                cells.judged_of(place.consistency),
                *cells.share(place.consistency),
                *cells.share(place.slot_a_share),
                cells.judged_of(place.slot_a_share),
            )
            for name, place in (("old", found.old_position), ("new", found.new_position))
        ),
    )


def _raw(name: str, found: VerdictAgreement) -> tuple[str, ...]:
    raw = found.raw
    return name, f"{found.items:,}", f"{raw.compared:,}", f"{raw.users:,}", *cells.share(raw)


def _beyond_chance(name: str, found: VerdictAgreement) -> tuple[str, ...]:
    shift = found.shift
    return (
        name,
        *cells.figure(found.kappa),
        *cells.figure(found.weighted_kappa),
        cells.number(found.old_score),
        cells.number(found.new_score),
        cells.signed(shift.estimate),
        cells.ends(shift.interval),
    )


def _without_interval(named: Iterable[tuple[str, VerdictAgreement]]) -> Iterator[str]:
    """Yields why kappas have no interval, a sentence a reason."""
    reasons: dict[Missing, list[str]] = {}
    for name, found in named:
        for label, figure in (("kappa", found.kappa), ("weighted kappa", found.weighted_kappa)):
            if figure.reason is not None:
                reasons.setdefault(figure.reason, []).append(f"{label} ({name})")
    for reason, names in reasons.items():
        yield f"No interval of {', '.join(names)}: {reason}."


def _counted(name: str, counts: VerdictCounts) -> tuple[str, ...]:
    numbers = counts.owed, counts.defects, counts.compared, counts.old_alone, counts.new_alone, counts.neither
    return name, *(f"{number:,}" for number in numbers)


def _models(found: Comparison, spell: Spelling) -> Iterator[Block]:
    """Yields Totals and ranks, what has moved first."""
    moves = Counter(model.move for model in found.models)
    told = ", ".join(f"{moves[move]:,} {move}" for move in _BY_MOVE if moves[move])
    yield (
        f"Rank intervals: {told}. Ranks are those that the board would show of these runs were either judge the "
        f"official one: of {_sizes(model.old for model in found.models)} under the old judge and of "
        f"{_sizes(model.new for model in found.models)} under the new one."
    )
    if found.order_agreement is not None:
        yield (
            f"Kendall's tau-b of old and new Totals: {found.order_agreement:.3f} over {len(found.models):,} runs; "
            "it has no interval, since models are no sample."
        )
    listed = sorted(found.models, key=_prominence)[:MOST_MODELS]
    names = [_name(model, spell) for model in listed]
    yield Table(
        ("model", "old Total", "new Total", "new less old", "old rank", "new rank", "interval"),
        tuple(_totals(*each) for each in zip(names, listed, strict=True)),
    )
    yield Table(
        ("model", "judged % old", "new", "missing old", "new", "same %", "95 %", "kappa", "95 %"),
        tuple(_judged(*each) for each in zip(names, listed, strict=True)),
    )
    if len(found.models) > MOST_MODELS:
        yield f"And {len(found.models) - MOST_MODELS:,} more; JSON lists all."
    for name, model in zip(names, listed, strict=True):
        for judge, side in (("old", model.old), ("new", model.new)):
            if side.unranked_because:
                reasons = ", ".join(map(spell, side.unranked_because))
                yield f"{name} does not rank under the {judge} judge: {reasons}."


def _sizes(sides: Iterable[ModelSide]) -> str:
    """Says of how many runs ranks are; of several rankings, all numbers."""
    numbers = sorted({side.ranked for side in sides if side.rank}) or [0]
    return " or ".join(f"{number:,}" for number in numbers)


def _prominence(model: ModelComparison) -> tuple[int, float, str]:
    """What has moved farthest first, then what has the highest new Total."""
    total = model.new.total.value
    return _BY_MOVE.index(model.move), -total if total is not None else 1.0, model.run_id


def _totals(name: str, model: ModelComparison) -> tuple[str, ...]:
    sides = (model.old, model.new)
    return (
        name,
        *(cells.total(side.total) for side in sides),
        cells.difference(model.difference),
        *(cells.rank(side.rank) for side in sides),
        str(model.move),
    )


def _judged(name: str, model: ModelComparison) -> tuple[str, ...]:
    sides = (model.old, model.new)
    return (
        name,
        *(NONE if side.judged_share is None else f"{100 * side.judged_share:.1f}" for side in sides),
        *(f"{side.missing:,}" for side in sides),
        *cells.share(model.agreement.raw),
        *cells.figure(model.agreement.kappa),
    )


def _people(found: Comparison) -> Iterator[Block]:
    """Yields the agreement of either judge with people."""
    people = found.people
    if people is None:
        yield found.no_people_because or NONE
        return
    yield _labels(people)
    yield Table(
        ("judge", "compared", "users", "same %", "95 %", "kappa", "95 %", "weighted", "95 %"),
        tuple(
            (
                name,
                f"{side.raw.compared:,}",
                f"{side.raw.users:,}",
                *cells.share(side.raw),
                *cells.figure(side.kappa),
                *cells.figure(side.weighted_kappa),
            )
            for name, side in (("old", people.old), ("new", people.new))
        ),
    )
    gain = people.kappa_difference
    ends = f"95 % {cells.ends(gain.interval)}" if gain.interval else f"no interval: {gain.reason}"
    told = f"{cells.signed(gain.value, 3)} ({ends})"
    yield f"Kappa with people, new less old: {told}; above 0 the new judge is nearer to people."


def _labels(people: PeopleComparison) -> str:
    return (
        f"{several(people.labels, 'verdict')} of {several(people.annotators, 'annotator')} on "
        f"{several(people.answers, 'answer')}: {people.compared:,} compared with their majority on the very same "
        f"verdicts of both judges, {people.tied:,} tied, {people.unread:,} that a judge has not read. "
        f"{people.strangers:,} on answers that do not count, {people.unanswered:,} that say nothing."
    )


def _flips(found: Comparison, spell: Spelling, most: int) -> Iterator[Block]:
    """Yields what became what how often, and some of these with the words of both judges."""
    yield f"{found.flipped:,} of {found.agreement.raw.compared:,} verdicts are other ones under the new judge."
    if not found.flips:
        return
    of_type = {each.type: each.counts.compared for each in found.by_type}
    yield Table(
        ("type", "old", "new", "flips", "% of type", "kept here"),
        tuple(
            (
                group.type.value,
                str(group.old),
                str(group.new),
                f"{group.count:,}",
                f"{100 * group.count / of_type[group.type]:.1f}",
                f"{len(group.shown):,}",
            )
            for group in found.flips
        ),
    )
    if found.no_texts_because and most:
        yield spell(found.no_texts_because)
    for group in found.flips:
        for number, flip in enumerate(group.shown[:most], start=1):
            yield from _flip(group, flip, number, spell)


def _flip(group: FlipGroup, flip: Flip, number: int, spell: Spelling) -> Iterator[Block]:
    yield Heading(3, f"{group.type.value}, {group.old} to {group.new}, {number} of {group.count:,}")
    yield (
        f"{spell(flip.model)}, question {spell(flip.question_id)}, user {flip.user_id} of {spell(flip.split)}, "
        f"{_order(flip.order)}, run {spell(flip.run_id)}."
    )
    if flip.question is not None:
        yield Quote("Question", flip.question)
    if flip.gold is not None:
        yield Quote("Gold", flip.gold)
    yield Quote("Answer", "(taken down)" if flip.answer is None else flip.answer)
    for both in flip.said:
        for name, said in (("Old judge", both.old), ("New judge", both.new)):
            yield Quote(f"{name}, {_order(both.order)}: {_verdict(said)}", _words(said))


def _order(order: str) -> str:
    return {"answer_first": "answer as A", "gold_first": "answer as B"}.get(order, "alone")


def _verdict(said: Said | None) -> str:
    return "missing" if said is None or said.outcome is None else str(said.outcome)


def _words(said: Said | None) -> str:
    if said is None:
        return "(no row)"
    if said.taken_down:
        return "(taken down)"
    return said.completion or (f"(nothing: {said.failure})" if said.failure else "(nothing)")


def _name(model: ModelComparison, spell: Spelling) -> str:
    name = model.model if model.adapter is None else f"{model.model} + {model.adapter}"
    return spell(f"{name} (thinking)" if model.thinking else name)


def _named(names: Sequence[str], spell: Spelling) -> str:
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(map(spell, names[:MOST_NAMED])) + more
