"""From scorecards of human-grounded tasks to public rows, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evaluator.human.figures import FIGURES
from evaluator.human.gap import Gap
from evaluator.human.results import NamedFigure
from evaluator.human.tasks import AnyTask, JudgedTask, Task
from evaluator.identity import canonical_json
from evaluator.metrics.clustered import Missing
from leaderboard.open_data.cleaning import NO_SECRETS, Secrets, clean
from leaderboard.open_data.figures import REASONS, facts_of
from leaderboard.open_data.human import OpenHumanFigure, OpenHumanScorecard, WholeHumanCard
from leaderboard.results import HumanScorecard
from leaderboard.store.rows import read_record

_AS_OBJECTS = ("chat_template_arguments", "engine_flags", "stage_seconds")
_NOT_TOLD = "nobody has noted why"


def open_human_scorecard(card: HumanScorecard, secrets: Secrets = NO_SECRETS) -> OpenHumanScorecard:
    """Returns a scorecard as a public row; what looks like a secret in it is taken out.

    Args:
        card: The scorecard.
        secrets: Texts that must not appear.
    """
    public, result = clean(card, secrets), card.result
    known = {**dict(public.terms), **dict(public.declaration), **dict(public), **dict(result)}
    own = {
        "schema_version": 3,
        "scorecard_id": card.id,
        "label_kind": result.kind,
        "unranked_because": REASONS.join(public.unranked_because),
        "scorecard": public.model_dump_json(),
        **{name: canonical_json(dict(getattr(public, name))) for name in _AS_OBJECTS},
        **facts_of(public),
    }
    for name, counts in (("invalid", result.invalid), ("failures", result.failures)):
        own |= {name: sum(count for _, count in counts), f"{name}_because": canonical_json(dict(counts))}
    judging = result.judging
    own |= {
        "judged": judging and judging.judged,
        "judged_share": judging and judging.judged_share,
        "verdicts": judging and judging.verdicts,
        "missing": judging and judging.missing,
        "missing_because": judging and canonical_json(dict(judging.missing_because)),
    }
    wanted = OpenHumanScorecard.model_fields
    return OpenHumanScorecard.model_validate({name: own[name] if name in own else known[name] for name in wanted})


def human_card_of(row: WholeHumanCard | OpenHumanScorecard) -> HumanScorecard:
    """Returns the scorecard of a public row.

    Raises:
        RapportError: `data_error` if the row holds none.
    """
    return read_record(row.scorecard, HumanScorecard, f"scorecard {row.scorecard_id}")


def open_human_figures(card: HumanScorecard, secrets: Secrets = NO_SECRETS) -> list[OpenHumanFigure]:
    """Returns the public rows of a scorecard's figures: the model's, then the judge's, each sorted by name.

    Args:
        card: The scorecard, with its gaps as far as there are any.
        secrets: Texts that must not appear.
    """
    public, result = clean(card, secrets), card.result
    same: dict[str, object] = {
        "scorecard_id": card.id,
        "rows_sha": public.rows_sha,
        "model": public.model,
        "revision": public.revision,
        "protocol": public.protocol,
        "task": result.task,
        "label_kind": result.kind,
        "items": result.items,
        "answered": result.answered,
        "unranked_because": REASONS.join(public.unranked_because),
    }
    own = [_row(same, "model", listed_under(result.task), figure) for figure in result.figures]
    if result.judging is None or not result.judging.figures:
        return own
    same |= _of_judge(result.judging.figures)
    return own + [_row(same, "judge", listed_under_judge(result.task), figure) for figure in result.judging.figures]


def _of_judge(figures: Sequence[NamedFigure]) -> dict[str, int]:
    """Returns how many labelled items a judge is set beside, and on how many of them it said something.

    Nobody counts them apart: they are what the judge's own `answered` is made of.
    """
    (counted,) = (figure for figure in figures if figure.name == "answered")
    return {"items": counted.labels, "answered": round((counted.value or 0.0) * counted.labels)}


def _row(same: Mapping[str, object], rater: str, stage: str, figure: NamedFigure) -> OpenHumanFigure:
    """Returns the row of one figure."""
    ends, behind = figure.interval, figure if isinstance(figure, Gap) else None
    return OpenHumanFigure.model_validate(
        {
            **same,
            "rater": rater,
            "figure": figure.name,
            "value": figure.value,
            "low": ends and ends.low,
            "high": ends and ends.high,
            "interval_users": ends and ends.users,
            "why_no_interval": why_no_interval(stage, figure),
            "labels": figure.labels,
            "users": figure.users,
            "tied": figure.tied,
            "other_scorecard_id": behind and behind.other_scorecard_id,
            "other_answered_share": behind and behind.other_answered_share,
        }
    )


def listed_under(task: AnyTask) -> str:
    """Returns what the figures of a task are listed under in `evaluator.human.figures`.

    Example:
        >>> listed_under(Task.RELEVANCE), listed_under(JudgedTask.UPLIFT)
        ('relevance', 'writing')
    """
    return task.figures if isinstance(task, JudgedTask) else task.value


def listed_under_judge(task: AnyTask) -> str:
    """Returns what the figures of a task's judge are listed under: those of what people were asked instead.

    Example:
        >>> listed_under_judge(JudgedTask.EXTRACTION), listed_under_judge(JudgedTask.UPLIFT)
        ('verification', 'rating')
    """
    return Task.VERIFICATION.value if task is JudgedTask.EXTRACTION else Task.RATING.value


def why_no_interval(stage: str, figure: NamedFigure) -> str | None:
    """Says why a figure has no interval, or no value; None if it has an interval.

    Args:
        stage: What it is listed under; see `listed_under`.
        figure: The figure.
    """
    if figure.interval is not None:
        return None
    known = FIGURES.get(f"{stage}.{figure.name}")
    if figure.value is not None and known is not None and known.method is None:
        return known.why
    return Missing[figure.reason.upper()].value if figure.reason else _NOT_TOLD
