"""Cells of the board as HTML: whatever a submitter or a model controls is escaped by the template engine's own text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import LiteralString, TypeAlias
from urllib.parse import quote

from markupsafe import Markup, escape

from evaluator.results import Gap, Interval, PairwiseScores, Rate
from leaderboard.board.build import BoardRow
from leaderboard.pages.agreement_columns import AgreementCell
from leaderboard.pages.board.entries import Entry
from leaderboard.pages.facts import size_in_words
from leaderboard.pages.figures import bounds, counts, estimate, figure, interval, judged, share
from leaderboard.pages.human_cells import Cell
from leaderboard.pages.render import conditions, place
from leaderboard.pages.tables import known
from leaderboard.records import TrainingData

Write: TypeAlias = Callable[[Entry], Markup]
"""Writes what stands in a cell."""

AS_PUBLISHED = "as published, not re-run"
MISSING = Markup('<span aria-hidden="true">–</span>')
TRAINED_ON = {
    TrainingData.TRAIN: "train split",
    TrainingData.TEST: "test split",
    TrainingData.NEITHER: "no",
    TrainingData.UNKNOWN: "not known",
}
"""What is declared of a model's training data, in words."""
HIGHEST_TOTAL = 87.5


def html(template: LiteralString, *values: object) -> Markup:
    """Puts values into a template, each escaped unless it is HTML that was made here already.

    It does what `Markup.format` does, in a tenth of the time: a page has 700 cells.

    Example:
        >>> html("<b>{}</b>{}", "<script>", html("<i></i>"))
        Markup('<b>&lt;script&gt;</b><i></i>')
    """
    return Markup(template.format(*map(escape, values)))  # noqa: S704 - every value is escaped


def joined(parts: Iterable[Markup]) -> Markup:
    """Returns HTML that was made here, one after the other."""
    return Markup("".join(parts))  # noqa: S704 - it is HTML already


def missing(why: str) -> Markup:
    """Writes that a figure is missing, and why."""
    return html('<span aria-hidden="true">–</span><span class="small wraps">{}</span>', why)


def small(text: str, kind: str = "") -> Markup:
    """Writes a line below a figure."""
    return html('<span class="small{}">{}</span>', f" {kind}" if kind else "", text)


def marks(texts: Iterable[str], kind: str = "") -> Markup:
    """Writes marks beside a name."""
    return joined(html('<span class="mark{}"><bdi>{}</bdi></span>', kind, text) for text in texts)


def rank_cell(entry: Entry) -> Markup:
    """Writes a rank with the ranks that the data leave open."""
    if entry.row is None or entry.row.rank is None or entry.row.rank_interval is None:
        return MISSING
    low, high = entry.row.rank_interval
    written = place(entry.row)
    told = f"{entry.row.rank}, between {low} and {high}" if low != high else f"{entry.row.rank}"
    return html('<span title="{}">{}</span>', told, written)


def model_cell(entry: Entry) -> Markup:
    """Writes a model's name with its revision, its date and all that marks it."""
    row = entry.row
    if row is None:
        return _published_name(entry)
    link = html('<a href="/model?id={}"><bdi>{}</bdi></a>', quote(row.scorecard_id, safe="@"), row.model)
    made = html(
        '<span class="small"><a href="/submission?id={}" title="Submission, at revision {}"><code>{}</code></a> · '
        '<time datetime="{}">{}</time></span>',
        quote(row.submission_id),
        row.revision,
        row.revision[:8],
        row.published_at.isoformat(),
        f"{row.published_at:%Y-%m-%d}",
    )
    found = marks(conditions(row), " condition") + marks(row.unranked_because)
    return link + made + (html('<span class="marks">{}</span>', found) if found else "")


def _published_name(entry: Entry) -> Markup:
    """Writes what others have published, with its setting and source."""
    if entry.published is None:
        return MISSING
    of, told = entry.published, '<bdi>{}</bdi><span class="small wraps">{}, {}</span><span class="marks">{}</span>'
    return html(told, of.label, of.setting, of.source, marks([AS_PUBLISHED]))


def total_cell(entry: Entry) -> Markup:
    """Writes a Total and draws its interval on the scale from 0 to 87.5."""
    row = entry.row
    if row is None:
        return _as_published(entry.published.total if entry.published else None)
    total = row.total
    told = html("<strong>{}</strong>{}", figure(total.value), _drawn(total.value, total.interval))
    coverage = f"{judged(total)} ({share(total.judged, total.items)})"
    below = small(interval(total.interval, row.users)) + small(coverage, "wraps extra")
    return told + below + small(f"worst case {figure(total.worst_case)}", "extra")


def _drawn(value: float | None, within: Interval | None) -> Markup:
    """Draws a Total with its interval; nothing where there is none."""
    if value is None:
        return Markup("")
    low, high = (within.low, within.high) if within else (value, value)
    ends = f"--at:{value:.1f};--low:{max(0.0, low):.1f};--high:{min(HIGHEST_TOTAL, high):.1f}"
    return html('<span class="range" aria-hidden="true" style="{}"><i></i><b></b></span>', ends)


def _as_published(value: float | None) -> Markup:
    """Writes a figure of others, which has neither interval nor count."""
    return html("<strong>{}</strong>{}", figure(value), small("no interval, no count", "wraps"))


def beside_gold(of: Callable[[BoardRow], PairwiseScores], published: Callable[[Entry], float | None]) -> Write:
    """Returns what writes wins, ties and losses against gold, with a bar."""

    def write(entry: Entry) -> Markup:
        if entry.row is None:
            return Markup("score ") + _as_published(published(entry))
        scores = of(entry.row)
        parts = [figure(each.value) for each in (scores.win, scores.tie, scores.loss)]
        bar = Markup("")
        if scores.score.value is not None:
            inside = joined(
                html('<i class="{}" style="--part:{}"></i>', kind, part)
                for kind, part in zip(("win", "tie", "loss"), parts, strict=True)
            )
            bar = html('<span class="bar" aria-hidden="true">{}</span>', inside)
        below = small(f"score {estimate(scores.score.value, scores.score.interval)}")
        return bar + html("{} / {} / {}", *parts) + below + small(judged(scores.score), "extra")

    return write


def rate_cell(of: Callable[[BoardRow], Rate], published: Callable[[Entry], float | None] = lambda entry: None) -> Write:
    """Returns what writes a rate with its interval and count."""

    def write(entry: Entry) -> Markup:
        if entry.row is None:
            return MISSING if published(entry) is None else _as_published(published(entry))
        rate = of(entry.row)
        told = html("{}", figure(rate.value))
        below = small(interval(rate.interval, entry.row.users) if rate.value is not None else "missing: nothing judged")
        return told + below + small(f"of {rate.judged:,} of {rate.items:,}", "extra")

    return write


def gap_cell(of: Callable[[BoardRow], Gap | None]) -> Write:
    """Returns what writes a gap with its interval and counts."""

    def write(entry: Entry) -> Markup:
        if entry.row is None:
            return MISSING
        gap = of(entry.row)
        if gap is None or gap.value is None:
            return missing("not evaluated both ways" if gap is None else "nothing judged")
        first, second = gap.judged
        count = f"of {first:,} and {second:,}, {gap.users:,} users"
        return escape(f"{gap.value:+.1f}") + small(bounds(gap.interval)) + small(count, "wraps extra")

    return write


def agreement_cell(entry: Entry, stage: int) -> Markup:
    """Writes how far a model agrees with those who labelled the same items, and what one more human reaches."""
    cell = entry.agreement[stage] if entry.agreement else None
    told = cell and cell.figure
    if cell is None or told is None:
        return missing("not run") if entry.is_model else MISSING
    return _agreement(cell, told)


def gap_to_people_cell(entry: Entry, stage: int) -> Markup:
    """Writes by how much made-up users flatter a model."""
    cell = entry.agreement[stage] if entry.agreement else None
    told = cell and cell.gap
    if cell is None or told is None:
        return missing("not run") if entry.is_model else MISSING
    return _agreement(cell, told)


def _agreement(cell: AgreementCell, told: Cell) -> Markup:
    """Writes a figure of agreement, which leads to all those of its run."""
    value = html('<a href="{}"><strong>{}</strong></a>', cell.address, told.value)
    marked = html('<span class="marks">{}</span>', marks(cell.marks)) if cell.marks else Markup("")
    beside = joined(small(f"{name} {each}", "wraps extra") for name, each in told.beside)
    return value + marked + small(told.doubt, "wraps") + beside


def size_cell(entry: Entry) -> Markup:
    """Writes a number of parameters."""
    facts = entry.facts
    if facts is None or facts.parameters is None:
        return missing("not told") if entry.is_model else MISSING
    written = html('<span title="{} parameters">{}</span>', f"{facts.parameters:,}", size_in_words(facts.parameters))
    return written + (small(facts.quantisation, "wraps") if facts.quantisation else "")


def context_cell(entry: Entry) -> Markup:
    """Writes how many tokens a model takes."""
    tokens = entry.facts.context_length if entry.facts else None
    return escape(f"{tokens:,}") if tokens is not None else missing("not told") if entry.is_model else MISSING


def told_cell(of: Callable[[Entry], str | None]) -> Write:
    """Returns what writes a text that strangers wrote."""

    def write(entry: Entry) -> Markup:
        text = of(entry)
        return html("<bdi>{}</bdi>", text) if text else missing("not told") if entry.is_model else MISSING

    return write


def family_cell(entry: Entry) -> Markup:
    """Writes a model's family, and the class of its architecture."""
    architecture = entry.facts.architecture if entry.facts else None
    if not entry.is_model:
        return MISSING
    below = html('<span class="small wraps"><bdi>{}</bdi></span>', architecture) if architecture else ""
    return html("<bdi>{}</bdi>{}", entry.family or "not told", below)


def trained_cell(entry: Entry) -> Markup:
    """Writes what is declared of a model's training data."""
    if entry.row is None or not entry.is_model:
        return MISSING
    return html("{}{}", TRAINED_ON[entry.row.declaration.training_data], small("as declared", "extra"))


def judge_cell(entry: Entry) -> Markup:
    """Writes the judge, and its status unless it decides ranks."""
    if entry.row is None:
        return MISSING
    row = entry.row
    mark = html(' <span class="mark mark-{0}">{0} judge</span>', row.judge_status)
    return html("<bdi>{}</bdi>{}", row.judge, "" if row.judge_status == "official" else mark)


def date_cell(entry: Entry) -> Markup:
    """Writes the day of a result."""
    if entry.row is None:
        return MISSING
    at = entry.row.published_at
    return html('<time datetime="{}">{}</time>', at.isoformat(), f"{at:%Y-%m-%d}")


def verdicts_cell(entry: Entry) -> Markup:
    """Writes how many verdicts count, and which answers lost without one."""
    if entry.row is None:
        return MISSING
    lost = counts(entry.row.defects)
    return escape(f"{entry.row.verdicts:,}") + (small(f"lost by defect: {lost}", "wraps") if lost else "")


def missing_cell(entry: Entry) -> Markup:
    """Writes how many verdicts are missing, by cause."""
    if entry.row is None:
        return MISSING
    causes = joined(small(counts([cause])) for cause in entry.row.missing_because)
    return escape(f"{entry.row.missing:,}") + causes


def consistency_cell(entry: Entry) -> Markup:
    """Writes how often both verdicts on a pair agree."""
    if entry.row is None:
        return MISSING
    protocol = known(entry.row.protocol)
    if protocol is not None and protocol.orders == "one":
        return missing("one slot order")
    return rate_cell(lambda row: row.position_consistency)(entry)


def efficiency_cell(entry: Entry) -> Markup:
    """Writes the prefill efficiency."""
    if entry.row is None:
        return MISSING
    value = entry.row.prefill_efficiency
    return missing("the engine does not tell") if value is None else escape(f"{value:.3f}")
