"""What is said of a scorecard of a human-grounded task wherever it shows, and where its row stands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias
from urllib.parse import quote

from evaluator.errors import RapportError
from evaluator.human.records import RaterKind
from evaluator.human.results import Judging, NamedFigure
from evaluator.identity import digest
from evaluator.protocol import HumanProtocol, human_protocol
from leaderboard.board.build import BoardRow
from leaderboard.board.human import in_order
from leaderboard.board.human_words import annotators, called, in_full, says
from leaderboard.board.rankings import ranking_of
from leaderboard.open_data.human_figures import listed_under, listed_under_judge
from leaderboard.open_data.views import WHY_NO_VERDICTS, shows_verdicts
from leaderboard.pages.figures import counts, share
from leaderboard.pages.human.asked import Asked
from leaderboard.pages.tables import Link, pairs
from leaderboard.results import HumanScorecard, Identity, identity_of

Links: TypeAlias = Mapping[Identity, tuple[Link, ...]]
"""Where else results of a model stand, by what tells it from others."""

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
_TITLES = {
    RaterKind.SIMULATED: "Agreement with simulated labels",
    RaterKind.TRUTH: "Agreement with what made-up users were made from",
}


def human_links(cards: Iterable[HumanScorecard]) -> Links:
    """Returns where the scorecards of each model stand."""
    found: dict[Identity, tuple[Link, ...]] = {}
    for card in in_order(cards):
        whose = whose_labels(card)
        link = Link(human_address(card), f"{card.protocol} ({whose})" if whose else card.protocol)
        found[identity_of(card)] = (*found.get(identity_of(card), ()), link)
    return found


def homes_of(rows: Iterable[BoardRow]) -> Links:
    """Returns where the rows of each model stand among those of HiCUPID: on the board of their ranking, pinned."""
    found: dict[Identity, tuple[Link, ...]] = {}
    for row in rows:
        name, table = quote(row.scorecard_id, safe="@"), digest(ranking_of(row))[:8]
        address = f"/?protocol={quote(row.protocol, safe='')}&ranking={table}&pin={name}#row-{name}"
        found[identity_of(row)] = (*found.get(identity_of(row), ()), Link(address, row.protocol))
    return found


def known_human(protocol_id: str) -> HumanProtocol | None:
    """Returns a protocol of a human-grounded task; None if there is none of that id."""
    try:
        return human_protocol(protocol_id)
    except RapportError:
        return None


def agreement_title(card: HumanScorecard) -> str:
    """Says with whom a scorecard's figures tell agreement."""
    return f"{_TITLES.get(card.result.kind, 'Agreement with people')}, {card.protocol}"


def whose_labels(card: HumanScorecard) -> str:
    """Says whose labels a scorecard is about; nothing where they are single people's."""
    return _WHOSE[card.result.kind]


def agreed_with(kinds: Collection[RaterKind]) -> str:
    """Names what figures on labels of these kinds tell; only those on people's labels are of human agreement.

    Example:
        >>> agreed_with([]), agreed_with([RaterKind.SIMULATED]), agreed_with(list(RaterKind))
        ('Human agreement', 'Agreement with simulated labels', 'Agreement with labels')
    """
    if RaterKind.TRUTH not in kinds and RaterKind.SIMULATED not in kinds:
        return "Human agreement"
    return _TITLES[next(iter(kinds))] if len(set(kinds)) == 1 else "Agreement with labels"


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
    return f"{whose}{called(figure.name, kind)}: {says(stage, figure.name, kind)}", in_full(stage, figure)


def human_provenance(card: HumanScorecard) -> list[tuple[str, str]]:
    """Lists what was asked of whom, and how much of it was answered, for reading."""
    result, whose = card.result, _WHOSE[card.result.kind] or "single people's"
    return [
        ("Scorecard", card.id),
        *((("In no comparison because", ", ".join(card.unranked_because)),) if card.unranked_because else ()),
        *((("Adapter", f"{card.adapter} at {card.adapter_revision}"),) if card.adapter else ()),
        ("Labels", f"{result.labels:,}, {annotators(card)}: {whose}"),
        ("Judge", f"{who_decides(card)} at {card.judge_revision[:12]}"),
        *_judging(result.judging),
        *(() if shows_verdicts(result.task, card.terms) else (("Rows of verdicts", f"not public: {WHY_NO_VERDICTS}"),)),
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


def who_decides(card: HumanScorecard) -> str:
    """Says who decides: labels, or a judge that reads what the model wrote."""
    if card.result.judging is None:
        return "labels"
    return f"judge {card.judge}" + ("" if card.judge_status == "official" else f" ({card.judge_status})")


def anchor(card: HumanScorecard) -> str:
    """Returns the name of a scorecard's row within its page."""
    return f"human-{card.id}"


def human_address(card: HumanScorecard) -> str:
    """Returns where a scorecard's row stands: its task, and the name of the row.

    On which page of the task that is, and behind which switches, is found when the address is asked for (`at=`), so
    that it holds however many rows there will be.
    """
    return f"{Asked(card.protocol, at=card.id).address}#{quote(anchor(card), safe='@')}"


def labels_warning(kind: RaterKind) -> str:
    """Says why figures on labels of some kind say nothing of people; empty where they do."""
    return _SAYS_NOTHING.get(kind, "")
