"""What the public rows of a run of a human-grounded task say, in the records that the scoring takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from evaluator.hicupid.outcomes import MadeOn, about, latest_rows
from evaluator.human.answers import fault_of
from evaluator.human.items import HumanItem, Part
from evaluator.human.judged.counting import Rows
from evaluator.human.outcomes import NOT_GENERATED, Said, what_was_said
from evaluator.human.stages.extraction import read_extraction
from evaluator.human.tasks import JudgedTask
from evaluator.records import Generation
from leaderboard.open_data.published import generation_of, verdict_of
from leaderboard.open_data.records import OpenGeneration, OpenVerdict
from leaderboard.open_data.views import shows_answers
from leaderboard.results import HumanScorecard

GIVEN = "given/"
"""What the names begin with of what a data set itself holds."""
WITHHELD = "withheld"
"""Why an answer that is not shown cannot be read, where one that can be is shown."""
_UNKNOWN = "unknown"


class PublicRun(NamedTuple):
    """A scorecard with the public rows behind it."""

    card: HumanScorecard
    generations: Sequence[OpenGeneration]
    verdicts: Sequence[OpenVerdict]

    @property
    def strange(self) -> bool:
        """Whether a row is of another run, or of another judge."""
        named = {(row.run_id, row.model, row.protocol) for row in self.generations}
        named |= {(row.run_id, row.model, row.protocol) for row in self.verdicts}
        raters = {row.rater for row in self.verdicts if row.rater_kind != "rule"}
        card = self.card
        return not named <= {(card.run_id, card.model, card.protocol)} or not raters <= {card.judge}


class Told(NamedTuple):
    """What public answers say."""

    said: Said
    unknown: frozenset[str]
    """Items of which nobody can tell whether their answers can be read."""

    @property
    def reasons_known(self) -> bool:
        """Whether it is known of every answer whether and why it cannot be read."""
        return not self.unknown and WITHHELD not in self.said.invalid.values()


def items_in(run: PublicRun) -> tuple[HumanItem, ...]:
    """Returns what a run asked of its model, as far as rows tell: without people's labels, and what these decide."""
    return tuple(_items(run))


def _items(run: PublicRun) -> Iterator[HumanItem]:
    """Yields an item for each question that has an answer."""
    attributes: dict[str, set[str]] = {}
    for verdict in run.verdicts:
        if not verdict.question_id.startswith(GIVEN):
            pair, _, own_name = verdict.question_id.rpartition("/")
            attributes.setdefault(pair, set()).add(own_name)
    names = {row.question_id for row in run.generations}
    users = dict(name.split("/", 1) for name in sorted(names) if "/" in name)
    for name, row in {row.question_id: row for row in run.generations}.items():
        part = _part_of(run.card, name)
        own = sorted(attributes.get(name, ())) if row.type is JudgedTask.UPLIFT and part is Part.PERSONALISED else []
        # What has no row has a verdict missing, and what there is too much of has one too many.
        own += [f"{place}" for place in range(len(own), len(row.orders))]
        yield HumanItem(
            question_id=name,
            split=row.split,
            user_id=row.user_id,
            orders=row.orders[:1] * len(own) if row.type is JudgedTask.UPLIFT else row.orders,
            task=run.card.result.task,
            person=_person_of(row, part, users),
            labels=(),
            kind=run.card.result.kind,
            part=part,
            attributes=tuple(own),
        )


def _person_of(row: OpenGeneration, part: Part | None, users: Mapping[str, str]) -> str:
    """Returns whom an item is about: a writer's user, and else the group of what begins alike."""
    if part is Part.PERSONALISED:
        return row.question_id.split("/", 1)[1]
    return users.get(row.question_id, "") if part is Part.GENERIC else str(row.user_id)


def _part_of(card: HumanScorecard, name: str) -> Part | None:
    """Returns what an item is, by its name."""
    if not isinstance(task := card.result.task, JudgedTask):
        return None
    if task is JudgedTask.EXTRACTION:
        return Part.CONVERSATION
    return Part.PERSONALISED if "/" in name else Part.GENERIC


def told_by(run: PublicRun, items: Sequence[HumanItem], *, labelled: bool) -> Told:
    """Returns what the public answers of a run say; which of several attempts counts is taken as the rows say.

    Args:
        run: The run.
        items: All that it asked.
        labelled: Whether items tell what people have labelled: else nobody can tell whether an empty list is right.

    Raises:
        RapportError: `data_error` if a row contradicts itself.
    """
    every = generations_of(run)
    counting = {row.question_id: (row, made) for row, made in zip(run.generations, every, strict=True) if row.counts}
    consented = shows_answers(run.card.model, run.card.declaration, run.card.terms)
    sound, invalid, failed = dict[str, Generation](), dict[str, str](), dict[str, str]()
    for item in items:
        name = item.question_id
        row, made = counting.get(name, (None, None))
        if not item.is_asked:
            invalid |= {name: item.unasked} if item.unasked else {}
        elif row is None or made is None or made.content_hash is None:
            failed[name] = str(row.failure) if row and row.failure else NOT_GENERATED
        elif (fault := _fault_of(item, row, made, labelled=labelled, consented=consented)) is not None:
            invalid[name] = fault
        else:
            sound[name] = made
    unknown = frozenset(name for name, fault in invalid.items() if fault == _UNKNOWN)
    told = {name: fault for name, fault in invalid.items() if name not in unknown}
    whole = what_was_said(items, every)
    return Told(whole._replace(sound=sound, invalid=told, failed=failed), unknown)


def _fault_of(item: HumanItem, row: OpenGeneration, made: Generation, *, labelled: bool, consented: bool) -> str | None:
    """Returns why an answer does not count; None if it does, and `_UNKNOWN` where nobody can tell."""
    if item.part in (Part.GENERIC, Part.PERSONALISED):
        return row.defect
    if made.answer is None:
        return WITHHELD if item.part is None and consented else _UNKNOWN
    if item.part is Part.CONVERSATION and not labelled and _is_empty_list(made.answer):
        return _UNKNOWN
    return fault_of(item, made)


def generations_of(run: PublicRun) -> list[Generation]:
    """Returns the answers of a run as the archive has them, those that are withheld as if they were taken down."""
    return [generation_of(row, run.card.terms) for row in run.generations]


def rows_of(run: PublicRun, said: Said, *, labelled: bool) -> Rows:
    """Returns the rows of a run as the scoring sorts them; which verdict counts is taken as the rows say.

    Args:
        run: The run.
        said: What its answers say.
        labelled: Whether items tell what people have labelled: else what rules found counts as the rows say, too.

    Raises:
        RapportError: `data_error` if a row contradicts itself.
    """
    card = run.card
    every = [(row, verdict_of(row, card.terms)) for row in run.verdicts]
    own = [(row, made) for row, made in every if row.rater_kind == "model"]
    made_on = MadeOn(card.engine, card.dtype, card.judge_engine, card.judge_dtype)
    _, standing = latest_rows([], [made for _, made in own], made_on)
    standing |= {about(made): made for row, made in own if row.counts}
    rules = [made for row, made in every if row.rater_kind == "rule" and (labelled or row.counts)]
    return Rows(said, standing, rules)


def _is_empty_list(answer: str) -> bool:
    """Says whether an answer is a list without an entry."""
    found = read_extraction(answer)
    return found.invalid is None and not found.entries
