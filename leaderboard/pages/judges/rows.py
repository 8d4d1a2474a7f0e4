"""What a page shows of each judge: its figures beside what they are to be read beside, and what canaries say of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from evaluator.human.figures import NOISE_CEILING, ONE_MORE_HUMAN
from evaluator.human.records import RaterKind
from evaluator.human.tasks import Task
from evaluator.judges.canaries import Bound, CanaryFigure, JudgeCheck, bounds_of
from evaluator.judges.quality.headline import Headline, headline_of_set, headlines_of
from evaluator.judges.quality.records import Costs, HumanSetAgreement, JudgeQuality, PeopleAgreement, QualityFigure
from evaluator.plurals import several
from leaderboard.board.human_words import parts
from leaderboard.board.judges import JudgeRow
from leaderboard.pages import figures
from leaderboard.pages.dot_plots import Bar, bar_of
from leaderboard.pages.judges.words import (
    CANARIES,
    FIGURES,
    OVERLAP,
    VERDICTS,
    WHOSE,
    Shown,
    amount,
    bound_words,
    canary_name,
    kappa,
    percent,
    ratio,
    shown,
    shown_named,
    signed,
)

_MEASURES = {
    "pairs": "kappa with single annotators: wins and all else",
    "schedule": "kappa with single annotators: satisfied or not",
    "answers": "kappa with what most annotators say: win, tie and loss",
    str(Task.VERIFICATION): "kappa with single annotators: accepted or not",
    str(Task.RATING): "Spearman with the mean of the others, within annotators",
}
"""What the figure is that stands for agreement, by what was labelled."""
_DIGITS = re.compile(r"[0-9a-f]{16}")
"""How commits, digests and the names of prompts begin."""
_ON = {"pairwise": "question", "rating": "rated pair", "verifier": "accepted attribute"}


class Beside(NamedTuple):
    """How far a judge agrees with labels, beside how far those who gave them agree."""

    source: str
    kind: RaterKind
    about: str
    """What was labelled: `pairs`, `schedule`, `verification`, `rating`."""
    measure: str
    """What the figure is."""
    judge: Shown
    human: Shown | None
    """One more of the annotators; None where no two of them labelled the same."""
    ceiling: Shown | None
    """What no rater can pass on these items; None where there is none."""
    of: str
    """How much was labelled, by how many."""

    @property
    def whose(self) -> str:
        """Whose labels they are."""
        return WHOSE[self.kind]

    @property
    def others(self) -> tuple[tuple[str, Shown | None, str], ...]:
        """What the judge is read beside: its name, the figure, and why there is none."""
        names = parts(self.kind)
        return (
            (names[ONE_MORE_HUMAN], self.human, "no two annotators labelled the same answer"),
            (names[NOISE_CEILING], self.ceiling, "there is none of this figure"),
        )


class CanaryLine(NamedTuple):
    """How a judge took one canary."""

    canary: str
    says: str
    """What the canary says."""
    figure: str
    rate: str
    doubt: str
    of: str
    bound: str
    verdict: str
    """As it is said."""
    mark: str
    """One of `CanaryVerdict`, or `unasked`."""
    bar: Bar


class CheckView(NamedTuple):
    """What canaries say of a version of a judge."""

    check: JudgeCheck
    lines: tuple[CanaryLine, ...]
    passed: tuple[str, ...]
    """Canaries of whose bounds it keeps all."""
    failed: tuple[str, ...]
    """All other canaries that have one."""
    about: str


class Cost(NamedTuple):
    """What a verdict takes of one thing."""

    name: str
    figure: Shown
    note: str = ""
    """How not to read it."""


class ShownJudge(NamedTuple):
    """One version of a judge."""

    name: str
    """What tells it from the others that are shown with it."""
    row: JudgeRow
    revision: str
    """Commit of its model, or that there is none yet."""
    people: tuple[Beside, ...]
    consistency: Shown | None
    length: Shown | None
    family: Shown | None
    unread: Shown | None
    costs: tuple[Cost, ...]
    checks: tuple[CheckView, ...]

    @property
    def short(self) -> str:
        """Its revision, short."""
        return _short(self.revision)

    @property
    def address(self) -> str:
        """Where all of it stands; an id from a file is a name within an address, never a part of it."""
        return f"/judge?{urlencode({'id': self.row.judge.id})}"

    @property
    def ranks(self) -> bool:
        """Whether its verdicts rank."""
        return self.row.judge.status == "official"

    @property
    def figures_alone(self) -> bool:
        """Whether it has figures here though it never decided ranks: a maintainer had them worked out."""
        return self.row.judge.status == "candidate" and bool(self.row.quality or self.checks)


def first_versions(rows: Iterable[JudgeRow]) -> list[JudgeRow]:
    """Returns one version of each judge: the first, which is of its present configuration and has judged most."""
    found: dict[str, JudgeRow] = {}
    for row in rows:
        found.setdefault(row.judge.id, row)
    return list(found.values())


def views_of(rows: Sequence[JudgeRow]) -> list[ShownJudge]:
    """Returns what is shown of some versions, each under a name that none of the others has."""
    names = _names(rows)
    return [_view(row, name) for row, name in zip(rows, names, strict=True)]


def beside_of(quality: JudgeQuality) -> Iterator[Beside]:
    """Yields how far a judge agrees with labels: of each source, and each part of it, one figure."""
    for people in quality.people:
        yield from (_of_people(people, headline) for headline in headlines_of(people))
    for human_set in quality.human_sets:
        yield from _of_set(human_set)


def check_view(check: JudgeCheck) -> CheckView:
    """Returns what canaries say of a version of a judge, those among them that were not asked."""
    unkept = check.unkept
    unasked = [(canary, figure) for canary, figure, why in unkept if why == "unasked"]
    bounds = bounds_of(check.kind)
    lines = [_line(check, figure) for figure in check.figures]
    lines += [_unasked(canary_name(canary), CANARIES[canary], name, bounds[canary, name]) for canary, name in unasked]
    failed = {canary for canary, _, _ in unkept}
    bound = dict.fromkeys(canary for canary, _ in bounds)
    engine = check.judge_engine
    about = (
        f"{check.canaries}, {several(check.questions, _ON[check.kind])} of {several(check.users, 'user')}, "
        f"{engine.engine} {engine.version}, {engine.dtype}"
    )
    return CheckView(
        check,
        tuple(lines),
        tuple(canary_name(each) for each in bound if each not in failed),
        tuple(canary_name(each) for each in bound if each in failed),
        about,
    )


def _view(row: JudgeRow, name: str) -> ShownJudge:
    """Returns what is shown of a version."""
    quality, of_pairs = row.quality, row.judge.kind == "pairwise"
    checks = tuple(map(check_view, row.checks))
    revision = row.version[0] if row.version else row.judge.revision or "none judged yet"
    if quality is None:
        return ShownJudge(name, row, revision, (), None, None, None, None, (), checks)
    return ShownJudge(
        name,
        row,
        revision,
        tuple(beside_of(quality)),
        shown(quality.positions.consistency, percent, "pairs") if of_pairs else None,
        shown(quality.length.odds_ratio, ratio, "votes") if of_pairs else None,
        shown(quality.family_preference.difference, signed, "answers") if of_pairs else None,
        shown(quality.reading.unparsed, percent, "verdicts"),
        _costs(quality.costs),
        checks,
    )


def _costs(costs: Costs) -> tuple[Cost, ...]:
    """Returns what a verdict takes."""
    seconds = shown(costs.seconds, amount, "verdicts")
    return (
        Cost("tokens read", shown(costs.prompt_tokens, amount, "verdicts")),
        Cost("tokens written", shown(costs.output_tokens, amount, "verdicts")),
        Cost("seconds", seconds, OVERLAP if seconds.value is not None else ""),
    )


def _short(digits: str) -> str:
    """Returns the first signs of a commit or digest; what a host calls a model's state, such as a date, as it stands.

    Example:
        >>> _short("0a1b2c3d" * 5), _short("2026-11-23")
        ('0a1b2c3d', '2026-11-23')
    """
    return digits[:8] if _DIGITS.match(digits) else digits


def _names(rows: Sequence[JudgeRow]) -> list[str]:
    """Returns the judges' ids, with as much of each version beside as tells it from the others of that id."""
    found = [row.judge.id for row in rows]
    for part, of in enumerate(("at", "configuration", "prompts")):
        alike = {name for name in found if found.count(name) > 1}
        found = [
            f"{name} {of} {_short(row.version[part])}" if name in alike and row.version else name
            for name, row in zip(found, rows, strict=True)
        ]
    return found


def _of_people(people: PeopleAgreement, told: Headline[QualityFigure]) -> Beside:
    """The agreement with labels of answers of one source."""
    part, unit = told.part, "pairs of labels" if told.part else "answers"
    labels = several(part.labels if part else sum(each.labels for each in people.parts), "label")
    return Beside(
        people.source,
        people.kind,
        told.about,
        _MEASURES[told.about],
        shown(told.judge, kappa, unit),
        shown(told.one_more_human, kappa, unit) if told.one_more_human else None,
        shown(told.noise_ceiling, kappa, unit) if told.noise_ceiling else None,
        f"{labels} of {several(part.items, 'answer')}, {several(part.annotators, 'annotator')}"
        if part
        else f"{labels}, no two of them to be held against each other",
    )


def _of_set(human_set: HumanSetAgreement) -> Iterator[Beside]:
    """The agreement with a data set of people's labels."""
    told = headline_of_set(human_set)
    if told is not None:
        yield Beside(
            human_set.source,
            human_set.kind,
            told.about,
            _MEASURES[told.about],
            shown_named(told.judge),
            shown_named(told.one_more_human) if told.one_more_human else None,
            shown_named(told.noise_ceiling) if told.noise_ceiling else None,
            f"{human_set.answered:,} of {several(human_set.items, 'item')} answered, "
            f"{several(human_set.annotators, 'annotator')}",
        )


def _line(check: JudgeCheck, figure: CanaryFigure) -> CanaryLine:
    """How a judge took one canary."""
    rate, bound = figure.rate, figure.bound
    least, most = (bound.at_least, bound.at_most) if bound else (None, None)
    doubt = figures.interval(rate.interval, check.users) if rate.value is not None else "missing: nothing was judged"
    return CanaryLine(
        canary_name(figure.canary),
        CANARIES[figure.canary],
        FIGURES[figure.figure],
        f"{figures.figure(rate.value)} %",
        doubt,
        f"of all {rate.items:,}" if rate.judged == rate.items else f"of {rate.judged:,} of {rate.items:,}",
        bound_words(bound),
        VERDICTS[figure.verdict],
        str(figure.verdict),
        bar_of(rate.value, least, most),
    )


def _unasked(canary: str, says: str, name: str, bound: Bound) -> CanaryLine:
    """That a judge was not asked about a canary."""
    bar = bar_of(None, bound.at_least, bound.at_most)
    missing = "missing: it was not asked"
    return CanaryLine(
        canary, says, FIGURES[name], "–", missing, "of 0", bound_words(bound), VERDICTS["unasked"], "unasked", bar
    )
