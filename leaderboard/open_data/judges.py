"""The public rows about judges: what each is, what is known of its verdicts, and what canaries say of it.

What each column means, in which unit and range, is its docstring, as in `leaderboard.open_data.records`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from evaluator.hicupid.questions import QuestionType
from evaluator.judges.canaries import Canary, CanaryFigureName, CanaryVerdict
from evaluator.judges.parse import ParserName
from evaluator.judges.quality.records import Why
from evaluator.judges.spec import Kind, Orders
from evaluator.records import Upgrade, UpgradedRecord
from leaderboard.open_data.records import OpenRecord
from leaderboard.records import Moment

_NOT_TOLD = dict.fromkeys(
    ("engine", "orders", "parser", "family", "trained_types", "trained_models", "training_note"), None
)
"""What rows of version 2 do not tell of a judge."""


class OpenJudge(OpenRecord, UpgradedRecord):
    """One judge: everything that decides its verdicts, and what its authors say of where it comes from."""

    upgrades: ClassVar[Mapping[int, Upgrade]] = {
        1: lambda fields: {**fields, "word_pattern": None},
        2: lambda fields: {**fields, **_NOT_TOLD},
    }
    schema_version: Literal[3] = 3
    """Version of this row's layout."""
    id: str
    """Name of the judge, as in all other configs."""
    title: str
    """One sentence about it."""
    kind: str
    """What it is asked: `pairwise` sets the answer beside the reference answer, `rating` says by how much an answer
    serves an attribute better than another one, `verifier` whether an attribute makes sense."""
    status: Literal["official", "candidate", "demo", "retired"]
    """Whether its verdicts rank: `official` ones do."""
    model: str
    """Model that judges, as `owner/name` or `local/NAME`."""
    revision: str | None
    """Commit of that model; null where each run pins the newest one and every verdict names it."""
    engine: Literal["own", "server"] | None
    """`own` is loaded by the worker, `server` is asked at an address that only the site knows; null in rows that were
    written before it was told."""
    orders: Orders | None
    """In which slots the two answers stand before it: `both`, `answer_first`, `gold_first`, one `drawn` for each pair,
    or `single` where nothing is compared; null in rows that were written before it was told."""
    parser: ParserName | None
    """Grammar by which its verdicts are read; null in rows that were written before it was told."""
    temperature: float
    """Temperature of its sampling, at least 0; 0 takes the likeliest token."""
    top_k: int
    """Likeliest tokens that are drawn from; -1 for all."""
    top_p: float
    """Share of probability that is drawn from, above 0 to 1."""
    max_tokens: int
    """Most tokens that it writes."""
    seed: int
    """Number that its random streams are derived from."""
    retry_temperature: float
    """Temperature of a second attempt at a verdict that could not be read, above 0."""
    pairwise_pattern: str | None
    """Regular expression that verdicts on pairs are forced to match; null for free writing."""
    word_pattern: str | None
    """Regular expression that a judge is forced to match which says nothing but one word; null for all others."""
    schedule_pattern: str | None
    """Regular expression that verdicts on schedule questions are forced to match; null for free writing."""
    prompt_pack: str
    """Wording of its prompts."""
    licence: str
    """Licence of the model that judges."""
    family: str | None
    """Family of the model that judges, as its file says; null where it does not."""
    trained_types: tuple[QuestionType, ...] | None
    """Question types among the items that it was trained on, sorted; null where its authors do not say."""
    trained_models: tuple[str, ...] | None
    """Models whose answers were among these, sorted; null where its authors do not say."""
    training_note: str | None
    """What is known of its training in words; null where nothing is."""
    judge_config: str
    """SHA-256 of the configuration that decides its verdicts, 64 hexadecimal digits; scorecards name it too."""


class OpenQualityFigure(OpenRecord):
    """One figure of a judge."""

    value: float | None
    """Null where `reason` says why."""
    low: float | None
    """Lower end of its 95 % interval, clustered by user; null where there is none."""
    high: float | None
    """Upper end of that interval."""
    counted: int
    """What it is made of: verdicts, pairs, words or answers."""
    possible: int
    """These and those that had to be left out."""
    users: int
    """Users whose they are."""
    reason: Why | None
    """Why there is no figure, or else no interval; null where there are both."""


class OpenJudgeQuality(OpenRecord):
    """One version of a judge: how far its verdicts can be relied on, on the answers that were published by then."""

    schema_version: Literal[1] = 1
    """Version of this row's layout."""
    judge: str
    """Id of the judge; see the config `judges`."""
    judge_revision: str
    """Commit of the model that judged."""
    judge_config: str
    """SHA-256 of the configuration that decided its verdicts, 64 hexadecimal digits."""
    judge_prompts: str
    """Its prompts, and how answers are set into them, as verdicts name them."""
    computed_at: Moment
    """When this was worked out, in UTC."""
    runs: int
    """Runs with verdicts of this version."""
    answers: int
    """Answers that it owes a verdict on, those of each model."""
    models: int
    """Models whose answers these are."""
    users: int
    """Users whose questions these are."""
    unparsed: OpenQualityFigure
    """Share of the verdicts asked for that the strict grammar could not read, 0 to 1."""
    consistency: OpenQualityFigure
    """Share of pairs with the same outcome in both orders, 0 to 1."""
    slot_a: OpenQualityFigure
    """How often slot A was preferred where either was, 0 to 1; about 0.5 for who looks at the answers."""
    length: OpenQualityFigure
    """Odds of preferring the answer where it is longer than the reference answer, over those where it is shorter; 1 is
    no leaning."""
    family_preference: OpenQualityFigure
    """How much more than other judges it gives models of its own family, beyond what it gives others more, -1 to 1."""
    prompt_tokens: OpenQualityFigure
    """Tokens that it reads for a verdict, all attempts together."""
    output_tokens: OpenQualityFigure
    """Tokens that it writes for a verdict, likewise."""
    seconds: OpenQualityFigure
    """Seconds from handing a prompt over to its last token, for a verdict, likewise; prompts of one wave overlap."""
    quality: str
    """All that is told of it as one JSON object, with its own `schema_version`: these figures, what they are made of,
    and its agreement with the other judges and with people's labels, slice by slice."""


class OpenJudgeCheck(OpenRecord):
    """How one version of a judge took one canary, an answer that deserves nothing, or deserves a tie."""

    schema_version: Literal[1] = 1
    """Version of this row's layout."""
    judge: str
    """Id of the judge; see the config `judges`."""
    judge_revision: str
    """Commit of the model that judged."""
    judge_config: str
    """SHA-256 of the configuration that decided its verdicts, 64 hexadecimal digits."""
    judge_prompts: str
    """Its prompts, and how answers are set into them, as verdicts name them."""
    check: str
    """SHA-256 of the whole check, 64 hexadecimal digits: rows of one check share it."""
    kind: Kind
    """What it is asked; see the config `judges`."""
    canaries: str
    """Name of the set of canaries."""
    canary: Canary | None
    """The canary; null for all but the copy together."""
    figure: CanaryFigureName
    """What was counted: see `docs/judges.md` of the sources."""
    rate: float | None
    """The figure, 0 to 100 percent; null if nothing counts."""
    rate_low: float | None
    """Lower end of its 95 % interval, clustered by user; null where there is none."""
    rate_high: float | None
    """Upper end of that interval."""
    rate_users: int | None
    """Users that the interval rests on; null where there is none."""
    judged: int
    """Items that it is made of."""
    items: int
    """Items that were asked for."""
    at_least: float | None
    """The least that keeps to its bound, in percent; null without such a bound."""
    at_most: float | None
    """The most that keeps to its bound, in percent; null without such a bound."""
    verdict: CanaryVerdict
    """`within` or `outside` its bound; `unread` where too few verdicts could be read; `unbound` without a bound."""
    passed: bool
    """Whether the whole check keeps to every bound: a judge that does not never ranks."""
    engine: str
    """What ran the judge."""
    engine_version: str
    """Version of the engine."""
    dtype: str
    """Type of the judge's weights in memory."""
    hardware: str
    """Machine that the engine ran on."""
    data_sha: str
    """Commit or digest of the data set whose questions the canaries answer."""
    checked_at: Moment | None
    """When it was asked, in UTC; null of checks from before that was kept."""
    whole: str
    """The whole check as one JSON object, with its own `schema_version`."""
