"""Lays out how far models agree with people: a table for each task, protocol and state of labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from evaluator.errors import RapportError
from evaluator.human.figures import ALWAYS_NO, ALWAYS_YES, FIGURES, NOISE_CEILING, ONE_MORE_HUMAN, SHOWN_CEILING
from evaluator.human.records import RaterKind
from evaluator.human.results import Judging, NamedFigure
from evaluator.human.tasks import AnyTask, Task
from evaluator.identity import digest
from evaluator.protocol import HumanProtocol, human_protocol
from leaderboard.board.build import BoardRow
from leaderboard.board.human import in_order, main_figures
from leaderboard.board.human_gaps import GAP_FIGURE
from leaderboard.open_data.human_figures import listed_under, listed_under_judge, why_no_interval
from leaderboard.pages.figures import counts, share
from leaderboard.pages.tables import Link, Section, pairs
from leaderboard.results import HumanScorecard, Identity, identity_of

Links: TypeAlias = Mapping[Identity, tuple[Link, ...]]
"""Where else results of a model stand, by what tells it from others."""

_NAMES = {
    "kappa": "Kappa, majority",
    "single_kappa": "Kappa, single annotators",
    "f1_majority": "F1",
    GAP_FIGURE: "Synthetic-to-human gap",
    "selection_ratio": "Selection ratio",
    "spearman_within_annotators": "Spearman, within annotators",
    "spearman_mean": "Spearman, mean",
    "bias": "Bias",
    "mean_absolute_error": "Mean absolute error",
    "recall": "Recall of what was accepted",
    "accepted": "Accepted by the verifier",
    "attributes_per_user": "Attributes a user",
    "win": "Wins over generic",
    "tie": "Ties with generic",
    "uplift": "Uplift over 3",
    "no_better": "No better than generic",
    "mentioned": "Mentioned openly",
    "mention_effect": "Effect of mentioning",
    "inflation": "Inflation over people",
}
"""Headings of the main figures."""
_WITHOUT = {GAP_FIGURE: "not run on made-up users in the same way"}
"""Why a scorecard lacks a main figure, where that is not for its labels."""
_CLASSES: tuple[AnyTask, ...] = (Task.VERIFICATION, Task.RELEVANCE)
_WHOSE = {
    RaterKind.PERSON: "",
    RaterKind.CONSENSUS: "labels agreed on by several people",
    RaterKind.TRUTH: "the truth of made-up users",
    RaterKind.SIMULATED: "simulated labels",
}


_SAYS_NOTHING = {
    RaterKind.SIMULATED: (
        "These labels are simulated: a program gave them, so the figures say nothing of people, and no row of this "
        "table ever ranks."
    ),
    RaterKind.TRUTH: (
        "These users are made up, and what holds of them is known: the figures say nothing of people, and no row of "
        "this table ever ranks."
    ),
}
_ONE_MORE = {RaterKind.SIMULATED: "one more simulated annotator", RaterKind.TRUTH: "one more annotator"}
"""Who stands in the place of one more human."""
_TITLES = {
    RaterKind.SIMULATED: "Agreement with simulated labels",
    RaterKind.TRUTH: "Agreement with what made-up users were made from",
}


class Cell(NamedTuple):
    """One main figure of a row."""

    name: str
    """As its column is headed."""
    value: str
    doubt: str
    """Its interval, or why there is none."""
    beside: tuple[tuple[str, str], ...]
    """What one more human reaches, what no rater can pass, and the trivial baselines: name and value."""


class HumanRow(NamedTuple):
    """One scorecard."""

    anchor: str
    """Name of the row within the page."""
    card: HumanScorecard
    cells: tuple[Cell, ...]
    links: tuple[Link, ...]
    """Where the same model's results of HiCUPID stand."""


class HumanTable(NamedTuple):
    """Scorecards that are about the same labels of the same items; their order claims no ranks."""

    id: str
    """The same whatever other tables there are."""
    protocol: str
    title: str
    """One sentence; empty for a protocol that is no longer shipped."""
    whose: str
    """Whose labels these are, where not single people's."""
    data: str
    """Data set and state of the labels; empty where nothing stands in the table."""
    columns: tuple[tuple[str, str], ...]
    """Heading of each main figure, and what it is."""
    rows: tuple[HumanRow, ...]

    @property
    def warning(self) -> str:
        """Why its figures say nothing of people; empty where they do."""
        return _SAYS_NOTHING.get(self.rows[0].card.result.kind, "") if self.rows else ""


def human_tables(cards: Iterable[HumanScorecard], protocols: Iterable[str], homes: Links) -> list[HumanTable]:
    """Lays scorecards out, by task and protocol.

    Args:
        cards: The scorecards.
        protocols: Ids of protocols; those of human-grounded tasks have a table without a row too.
        homes: Where results of HiCUPID stand.
    """
    found: dict[tuple[str, ...], list[HumanScorecard]] = {}
    for card in in_order(cards):
        judge = (card.judge, card.judge_revision, card.judge_config)
        of = (card.protocol, card.protocol_config, card.data_source, card.data_sha, *judge)
        found.setdefault((*of, card.result.kind), []).append(card)
    tables = [_table(key, group, homes) for key, group in found.items()]
    there = {table.protocol for table in tables}
    empty = [name for name in dict.fromkeys(protocols) if name not in there and known_human(name)]
    return tables + [_empty(name) for name in empty]


def human_links(cards: Iterable[HumanScorecard]) -> Links:
    """Returns where the scorecards of each model stand."""
    found: dict[Identity, tuple[Link, ...]] = {}
    for card in in_order(cards):
        whose = _WHOSE[card.result.kind]
        link = Link(f"#{_anchor(card)}", f"{card.protocol} ({whose})" if whose else card.protocol)
        found[identity_of(card)] = (*found.get(identity_of(card), ()), link)
    return found


def homes_of(sections: Iterable[Section]) -> Links:
    """Returns where the rows of each model stand among those of HiCUPID."""
    found: dict[Identity, tuple[Link, ...]] = {}
    for section in sections:
        for table in section.tables:
            for row in table.rows:
                link = Link(f"#{row_anchor(table.id, row)}", section.protocol)
                found[identity_of(row)] = (*found.get(identity_of(row), ()), link)
    return found


def row_anchor(table_id: str, row: BoardRow) -> str:
    """Returns the name of a row of HiCUPID within the page."""
    return f"row-{table_id}-{row.scorecard_id}"


def known_human(protocol_id: str) -> HumanProtocol | None:
    """Returns a protocol of a human-grounded task; None if there is none of that id."""
    try:
        return human_protocol(protocol_id)
    except RapportError:
        return None


def number(value: float | None) -> str:
    """Writes a figure of agreement, a missing one as a dash.

    Example:
        >>> number(0.41256), number(-0.0), number(None)
        ('0.413', '0.000', '–')
    """
    return "–" if value is None else f"{value + 0.0:.3f}"


def doubt(stage: str, figure: NamedFigure) -> str:
    """Writes the interval of a figure, or why there is none."""
    if figure.interval is not None:
        return f"{number(figure.interval.low)} to {number(figure.interval.high)}"
    why = why_no_interval(stage, figure) or ""
    return f"{'missing' if figure.value is None else 'no interval'}: {why}"


def agreement_title(card: HumanScorecard) -> str:
    """Says with whom a scorecard's figures tell agreement."""
    return f"{_TITLES.get(card.result.kind, 'Agreement with people')}, {card.protocol}"


def annotators(card: HumanScorecard) -> str:
    """Counts those who labelled; a program's are never called annotators alone, and a truth is nobody's."""
    if card.result.kind is RaterKind.TRUTH:
        return "no annotators"
    simulated = card.result.kind is RaterKind.SIMULATED
    return f"{card.result.annotators} {'simulated annotators' if simulated else 'annotators'}"


def says(stage: str, name: str, kind: RaterKind) -> str:
    """Says what a figure is; labels of a program, and what made-up users were made from, are never called people's.

    Args:
        stage: What it is listed under; see `listed_under`.
        name: Its name there.
        kind: Whose labels it is about.

    Example:
        >>> says("relevance", "f1.always_no", RaterKind.PERSON)
        'F1 of always no'
    """
    known = FIGURES.get(f"{stage}.{name}")
    told = known.says if known else name.replace("_", " ").replace(".", ", ")
    return told.replace("one more human", _ONE_MORE.get(kind, "one more human"))


def human_figures(card: HumanScorecard) -> list[tuple[str, str]]:
    """Lists every figure of a scorecard, and of its judge, for reading."""
    result = card.result
    found = [_told("", listed_under(result.task), figure, result.kind) for figure in result.figures]
    if result.judging:
        stage = listed_under_judge(result.task)
        found += [_told("judge, ", stage, figure, result.kind) for figure in result.judging.figures]
    return found


def _told(whose: str, stage: str, figure: NamedFigure, kind: RaterKind) -> tuple[str, str]:
    """Writes one figure with its interval and counts."""
    value = f"{number(figure.value)} ({doubt(stage, figure)}), of {figure.labels:,}, {figure.users} users"
    return f"{whose}{figure.name}: {says(stage, figure.name, kind)}", value


def human_provenance(card: HumanScorecard) -> list[tuple[str, str]]:
    """Lists what was asked of whom, and how much of it was answered, for reading."""
    result, whose = card.result, _WHOSE[card.result.kind] or "single people's"
    return [
        ("Scorecard", card.id),
        *((("In no comparison because", ", ".join(card.unranked_because)),) if card.unranked_because else ()),
        *((("Adapter", f"{card.adapter} at {card.adapter_revision}"),) if card.adapter else ()),
        ("Labels", f"{result.labels:,} by {annotators(card)}: {whose}"),
        ("Judge", f"{_judge(card)} at {card.judge_revision[:12]}"),
        *_judging(result.judging),
        ("Items", f"{result.items:,}, answered {result.answered:,} ({share(result.answered, result.items)})"),
        ("Users", f"{result.users:,}"),
        ("Invalid answers", counts(result.invalid) or "none"),
        ("Asked once more", f"{result.retried:,}"),
        ("Without an answer", counts(result.failures) or "none"),
        ("Left out, for another row on the same thing counts", f"{result.clashes:,} answers"),
        ("Engine", f"{card.engine} {card.engine_version}, {card.dtype}, {card.hardware}"),
        ("Engine flags", pairs(card.engine_flags)),
        ("Chat template was told", pairs(card.chat_template_arguments)),
        ("Wording", card.prompt_pack),
        ("Protocol configuration", card.protocol_config),
        ("Data set", f"{card.data_source} at {card.data_sha[:12]}"),
        ("Prefill efficiency", "missing" if result.prefill_efficiency is None else f"{result.prefill_efficiency:.3f}"),
        ("Time", ", ".join(f"{stage} {seconds:.0f} s" for stage, seconds in card.stage_seconds)),
        ("Highest memory of a process", f"{card.peak_rss_mb:.0f} MB"),
        ("Rows", card.rows_sha),
    ]


def _judging(judging: Judging | None) -> list[tuple[str, str]]:
    """Lists what a judge had to say; nothing where people's labels are the truth."""
    if judging is None:
        return []
    return [
        ("Judged", f"{judging.judged:,} of {judging.items:,} ({share(judging.judged, judging.items)})"),
        ("Verdicts", f"{judging.verdicts:,}, missing {judging.missing:,}"),
        ("Missing because", counts(judging.missing_because) or "none is missing"),
        ("Lost for a defect of the answer", counts(judging.defects) or "none"),
    ]


def _table(key: Sequence[str], cards: Sequence[HumanScorecard], homes: Links) -> HumanTable:
    """Lays out scorecards that are about the same labels."""
    first = cards[0]
    protocol, result = known_human(first.protocol), first.result
    return HumanTable(
        digest(list(key))[:8],
        first.protocol,
        protocol.title if protocol else "",
        _WHOSE[result.kind],
        f"data {first.data_source} at {first.data_sha[:8]}, {_judge(first)} at {first.judge_revision[:8]}",
        tuple(
            (_heading(name, result.kind), says(listed_under(result.task), name, result.kind))
            for name in main_figures(result.task, result.kind)
        ),
        tuple(HumanRow(_anchor(card), card, tuple(_cells(card)), homes.get(identity_of(card), ())) for card in cards),
    )


def _empty(protocol_id: str) -> HumanTable:
    """Lays out that there is nothing of a protocol yet."""
    protocol = known_human(protocol_id)
    return HumanTable(digest(protocol_id)[:8], protocol_id, protocol.title if protocol else "", "", "", (), ())


def _cells(card: HumanScorecard) -> Iterable[Cell]:
    """Yields the main figures of a scorecard, each with what stands beside it."""
    task, kind = card.result.task, card.result.kind
    for name in main_figures(task, kind):
        figure = card.result.figure(name)
        value, sure = ("–", f"missing: {_WITHOUT.get(name, 'there is none on such labels')}")
        if figure is not None:
            value, sure = number(figure.value), doubt(listed_under(task), figure)
        yield Cell(_heading(name, kind), value, sure, tuple(_beside(card, name, kind)))


def _heading(name: str, kind: RaterKind) -> str:
    """Returns the heading of a main figure; simulated labels are nobody's."""
    return "Synthetic-to-simulated gap" if (name, kind) == (GAP_FIGURE, RaterKind.SIMULATED) else _NAMES[name]


def _beside(card: HumanScorecard, name: str, kind: RaterKind) -> Iterable[tuple[str, str]]:
    """Yields what stands beside a figure, as far as there is such a thing."""
    named = {
        ONE_MORE_HUMAN: _ONE_MORE.get(kind, "one more human"),
        NOISE_CEILING: "noise ceiling",
        ALWAYS_YES: "always yes",
        ALWAYS_NO: "always no",
    }
    task, stage = card.result.task, listed_under(card.result.task)
    for part, label in named.items():
        whole = f"{name}.{part}"
        # Against majorities of three the ceiling is 1 whatever they say, and would only look like room.
        trivial = part == NOISE_CEILING and task in _CLASSES and whole != SHOWN_CEILING
        if f"{stage}.{whole}" in FIGURES and not trivial:
            figure = card.result.figure(whole)
            yield label, number(figure.value if figure else None)


def _judge(card: HumanScorecard) -> str:
    """Says who decides: labels, or a judge that reads what the model wrote."""
    if card.result.judging is None:
        return "labels"
    return f"judge {card.judge}" + ("" if card.judge_status == "official" else f" ({card.judge_status})")


def _anchor(card: HumanScorecard) -> str:
    """Returns the name of a scorecard's row within the page."""
    return f"human-{card.id}"
