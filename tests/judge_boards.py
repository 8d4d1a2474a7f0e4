"""A board of judges in the public results: judges of known rules with figures, one with canaries alone, one without."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from functools import cache

from evaluator.engines.base import EngineInfo
from evaluator.human.records import RaterKind
from evaluator.judges.canaries import BOUNDS, Bounds, Canary, CanaryFigureName, JudgeCheck, bounds_of, held
from evaluator.judges.quality.board import Rated, judge_quality
from evaluator.judges.quality.figures import without
from evaluator.judges.quality.labelled import LabelledVerdict
from evaluator.judges.quality.people import PeopleSaid
from evaluator.judges.quality.reading import costs_of
from evaluator.judges.quality.records import Costs, JudgeQuality, QualityFigure, Why
from evaluator.judges.spec import JudgeSpec, Kind, load_judge
from evaluator.records import Outcome, SlotOrder
from evaluator.results import Interval, Rate
from leaderboard.judge_board.records import ComputedQuality
from leaderboard.open_data import layout
from leaderboard.open_data.files import encode_checks, encode_judges, encode_quality
from leaderboard.open_data.judge_views import open_checks, open_quality
from leaderboard.store.base import Store, Write
from tests.builders import NOON
from tests.unit.test_judge_quality_simulated import ANSWERS, LABELS, UNTOLD, Answer, judge, knowing, slotted

SEEN = [each for each in ANSWERS if each.item.user_id < 12 and each.text[-1] in "0123"]
JUDGES = {"hicupid-llama-3.2-3b": knowing(0.9), "openai-compatible": knowing(0.7), "demo": slotted(0.8)}
"""Ids of judges that ship, and the rules by which they go here."""
_SKILLS = (0.7, 0.75, 0.8, 0.85)


def labelled(kind: RaterKind = RaterKind.PERSON) -> PeopleSaid:
    """Four annotators, who leave nothing out."""
    return PeopleSaid(
        "site-labels",
        [
            LabelledVerdict(
                schema_version=1,
                question_id=answer.item.question_id,
                content_hash=content_of(answer),
                annotator=f"n-{who}",
                outcome=_said_by(skill, answer),
                kind=kind,
            )
            for answer in SEEN
            for who, skill in enumerate(_SKILLS)
        ],
    )


def content_of(answer: Answer) -> str:
    """The name of an answer's text."""
    return f"{ANSWERS.index(answer):064x}"


@cache
def qualities() -> tuple[JudgeQuality, ...]:
    """What is known of each of `JUDGES`, beside each other and people."""
    names, items = {answer.text: content_of(answer) for answer in SEEN}, {a.item.question_id: a.item for a in SEEN}
    rated = [
        Rated(
            name,
            str(place) * 40,
            load_judge(name).digest(),
            "official",
            "abc"[place],
            UNTOLD,
            [
                each._replace(content_hash=names[each.content_hash])
                for each in judge(rule)
                if each.content_hash in names
            ],
            costs_of([], items),
        )
        for place, (name, rule) in enumerate(JUDGES.items())
    ]
    families = {"a/good": "a", "b/plain": "b", "c/poor": "c"}
    found = [judge_quality(each, rated, [labelled()], items, families, epsilon=0.1) for each in rated]
    return tuple(each.model_copy(update={"costs": costs()}) for each in found)


def costs() -> Costs:
    """What a verdict takes, where nobody told seconds."""

    def mean(value: float) -> QualityFigure:
        near = Interval(low=value * 0.9, high=value * 1.1, users=12)
        return QualityFigure(value=value, interval=near, counted=288, possible=288, users=12, reason=None)

    return Costs(
        verdicts=288,
        rows=290,
        prompt_tokens=mean(1234.5),
        output_tokens=mean(87.25),
        computed_tokens=without(Why.UNTOLD, 288),
        seconds=without(Why.UNTOLD, 288),
    )


def check_of(spec: JudgeSpec, revision: str, failing: Iterable[Canary] = ()) -> JudgeCheck:
    """What canaries say of a judge that keeps to all bounds but those of some canaries."""
    kind: Kind = spec.kind
    bounds: Bounds = bounds_of(kind)
    bad = set(failing)
    figures = [
        held(bounds, canary, name, _rate(canary, name, canary in bad))
        for canary, name in [*bounds, *([(Canary.PRAISE, "score")] if bounds is BOUNDS else [])]
    ]
    return JudgeCheck(
        kind=kind,
        judge=spec.id,
        judge_revision=revision,
        judge_config=spec.digest(),
        judge_engine=EngineInfo(
            engine="vllm",
            version="0.11.0",
            dtype="bfloat16",
            flags=(),
            hardware="one GPU",
            context_length=4096,
            chat_template_hash="f" * 64,
            chat_template_arguments=(),
            load_seconds=1.0,
        ),
        prompt_pack="official",
        data_sha="d" * 40,
        questions=100,
        users=25,
        verdicts=1_890,
        missing=10,
        prompt_tokens=1,
        output_tokens=1,
        rows_sha="e" * 64,
        figures=tuple(figures),
    )


def publish_judges(
    results: Store,
    specs: Sequence[JudgeSpec],
    known: Sequence[JudgeQuality] = (),
    checks: Sequence[JudgeCheck] = (),
    at: datetime.datetime = NOON,
) -> None:
    """Writes judges, and what is known of them, into the public results."""
    computed = [ComputedQuality(quality=each, computed_at=at, runs=3, archive_revision="7") for each in known]
    files = {
        layout.JUDGES: encode_judges(specs),
        layout.JUDGE_QUALITY: encode_quality(map(open_quality, computed)),
        layout.JUDGE_CHECKS: encode_checks(open_checks(checks)),
    }
    results.commit([Write(path, content) for path, content in files.items()], "judges")


def publish_all(results: Store) -> None:
    """Writes all of `JUDGES`, and two more of which less is known."""
    specs = [load_judge(name) for name in (*JUDGES, "zero-shot-verifier", "zero-shot-rating")]
    known = qualities()
    official, candidate, _, verifier, _ = specs
    checks = [
        check_of(official, known[0].revision),
        check_of(candidate, known[1].revision, [Canary.FORGED, None]),
        check_of(verifier, "9" * 40, [Canary.GOLD]),
    ]
    publish_judges(results, specs, known, checks)


def _rate(canary: Canary | None, name: CanaryFigureName, fails: bool) -> Rate:
    """A rate within or outside whatever its bound is."""
    high = canary in (Canary.COPY, Canary.GOLD, None)
    value = (31.0 if fails else 91.5) if high else (37.5 if fails else 1.5)
    near = Interval(low=max(0.0, value - 6), high=min(100.0, value + 6), users=25)
    return Rate(value=value, judged=100, items=100, interval=near)


def _said_by(skill: float, answer: Answer) -> Outcome:
    import numpy as np

    said = knowing(skill)(np.random.default_rng(), answer, SlotOrder.SINGLE)
    assert said in LABELS
    return said
