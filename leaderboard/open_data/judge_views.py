"""From judges, what is known of them and what canaries say to public rows: ids and figures, and no text of a source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from evaluator.identity import digest
from evaluator.judges.canaries import CanaryFigure, JudgeCheck
from evaluator.judges.quality.records import QualityFigure
from evaluator.judges.spec import ForcedPatterns, ForcedWord, JudgeSpec
from leaderboard.judge_board.records import ComputedQuality
from leaderboard.open_data.judges import OpenJudge, OpenJudgeCheck, OpenJudgeQuality, OpenQualityFigure


def open_judge(judge: JudgeSpec, config: str | None = None) -> OpenJudge:
    """Returns a judge as a public row.

    Args:
        judge: The judge, with the status that it has by now.
        config: Digest of its configuration as its file has it, which scorecards name; None if the status is the file's.

    Example:
        >>> from evaluator.judges.spec import load_judge
        >>> open_judge(load_judge("demo")).max_tokens
        168
    """
    patterns, trained = judge.patterns, judge.trained_on
    wanted = OpenJudge.model_fields.keys() - {"schema_version"}
    taken = {name: value for source in (judge.sampling, judge) for name, value in source if name in wanted}
    own = {
        "pairwise_pattern": patterns.pairwise if isinstance(patterns, ForcedPatterns) else None,
        "schedule_pattern": patterns.schedule if isinstance(patterns, ForcedPatterns) else None,
        "word_pattern": patterns.word if isinstance(patterns, ForcedWord) else None,
        "trained_types": _sorted(trained.types if trained else None),
        "trained_models": _sorted(trained.models if trained else None),
        "judge_config": config or judge.digest(),
    }
    return OpenJudge.model_validate(taken | own)


def open_quality(computed: ComputedQuality) -> OpenJudgeQuality:
    """Returns what is known of a version of a judge as a public row."""
    quality = computed.quality
    return OpenJudgeQuality(
        judge=quality.judge,
        judge_revision=quality.revision,
        judge_config=quality.config,
        judge_prompts=quality.prompt_pack,
        computed_at=computed.computed_at,
        runs=computed.runs,
        answers=quality.answers,
        models=quality.models,
        users=quality.users,
        unparsed=_figure(quality.reading.unparsed),
        consistency=_figure(quality.positions.consistency),
        slot_a=_figure(quality.positions.slot_a),
        length=_figure(quality.length.odds_ratio),
        family_preference=_figure(quality.family_preference.difference),
        prompt_tokens=_figure(quality.costs.prompt_tokens),
        output_tokens=_figure(quality.costs.output_tokens),
        seconds=_figure(quality.costs.seconds),
        quality=quality.model_dump_json(),
    )


def open_checks(checks: Iterable[JudgeCheck]) -> Iterator[OpenJudgeCheck]:
    """Yields what canaries said of judges as public rows, one a canary and figure."""
    for check in checks:
        whole = check.model_dump_json()
        name = digest(check.model_dump(mode="json"))
        yield from (_canary(check, figure, name, whole) for figure in check.figures)


def _canary(check: JudgeCheck, figure: CanaryFigure, name: str, whole: str) -> OpenJudgeCheck:
    """Returns the row of one canary."""
    rate, bound, engine = figure.rate, figure.bound, check.judge_engine
    return OpenJudgeCheck(
        judge=check.judge,
        judge_revision=check.judge_revision,
        judge_config=check.judge_config,
        judge_prompts=check.prompt_pack,
        check=name,
        kind=check.kind,
        canaries=check.canaries,
        canary=figure.canary,
        figure=figure.figure,
        rate=rate.value,
        rate_low=rate.interval and rate.interval.low,
        rate_high=rate.interval and rate.interval.high,
        rate_users=rate.interval and rate.interval.users,
        judged=rate.judged,
        items=rate.items,
        at_least=bound and bound.at_least,
        at_most=bound and bound.at_most,
        verdict=figure.verdict,
        passed=check.passed,
        engine=engine.engine,
        engine_version=engine.version,
        dtype=engine.dtype,
        hardware=engine.hardware,
        data_sha=check.data_sha,
        checked_at=check.checked_at,
        whole=whole,
    )


def _figure(figure: QualityFigure) -> OpenQualityFigure:
    """Returns a figure in the columns that it has."""
    interval = figure.interval
    return OpenQualityFigure(
        value=figure.value,
        low=interval and interval.low,
        high=interval and interval.high,
        counted=figure.counted,
        possible=figure.possible,
        users=figure.users,
        reason=figure.reason,
    )


def _sorted(values: Iterable[str] | None) -> tuple[str, ...] | None:
    """Returns what is told in one order."""
    return None if values is None else tuple(sorted(values))
