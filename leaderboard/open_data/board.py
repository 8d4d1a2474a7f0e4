"""A scorecard as one flat row: every figure with its interval and counts, and where it comes from.

What belongs to one figure is a record of its own; `columns_of` lays them side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from evaluator.records import Upgrade, UpgradedRecord
from leaderboard.open_data.records import OpenRecord, PersonalData
from leaderboard.records import Moment, Relation, TrainingData


class OpenRate(OpenRecord):
    """A mean over items, with its 95 % interval and counts."""

    value: float | None
    """In percent, 0 to 100; null where no item counts."""
    low: float | None
    """Lower end of the 95 % interval, clustered by user, in percent; null below ten users."""
    high: float | None
    """Upper end of the 95 % interval, clustered by user, in percent; null below ten users."""
    users: int | None
    """Users that the interval rests on; null without an interval."""
    judged: int
    """Items that the mean is of, at least 0."""
    items: int
    """Items that the protocol asks for, at least 0."""


class OpenTotal(OpenRecord):
    """The Total, with its 95 % interval and counts."""

    value: float | None
    """In points, 0 to 87.5; null unless every question type has a judged item."""
    low: float | None
    """Lower end of the 95 % interval, clustered by user, in points; null below ten users."""
    high: float | None
    """Upper end of the 95 % interval, clustered by user, in points; null below ten users."""
    users: int | None
    """Users that the interval rests on; null without an interval."""
    worst_case: float | None
    """In points, 0 to 87.5, if every missing verdict were a loss; null unless every question type has an item."""
    judged: int
    """Items with every verdict, at least 0."""
    items: int
    """Items that the protocol asks for, at least 0."""


class OpenGap(OpenRecord):
    """A score less another one of the same model, with its 95 % interval."""

    value: float | None
    """In points, -100 to 100; below 0 where the first of the two is worse; null where one has no judged item."""
    low: float | None
    """Lower end of the 95 % interval, clustered by user, in points; null below ten users."""
    high: float | None
    """Upper end of the 95 % interval, clustered by user, in points; null below ten users."""
    users: int
    """Users that count, at least 0."""
    first: str
    """Name of the first of the two."""
    first_judged: int
    """Judged items behind the first, at least 0."""
    second: str
    """Name of the second of the two."""
    second_judged: int
    """Judged items behind the second, at least 0."""


def _without_judges_ranks(fields: dict[str, Any]) -> dict[str, Any]:
    """Returns a row of version 1 as one of version 2: ranks under a judge that decides none were not worked out."""
    told = dict.fromkeys(("rank_under_judge", "rank_under_judge_low", "rank_under_judge_high", "judge_status_since"))
    return {**fields, **told}


def _place_without_judges_ranks(fields: dict[str, Any]) -> dict[str, Any]:
    """Returns the place of a row of version 1, likewise."""
    told = _without_judges_ranks(fields)
    del told["rank_under_judge"]
    return told


FACTS = (
    "parameters",
    "weight_bytes",
    "context_length",
    "architecture",
    "quantisation",
    "model_licence",
    "model_family",
)
"""Columns of what is known of the model itself, on the board and of scorecards of human-grounded tasks alike."""


def without_facts(fields: dict[str, Any]) -> dict[str, Any]:
    """Returns a row from before `FACTS` were told as one that has none."""
    return {**fields, **dict.fromkeys(FACTS)}


class OpenScorecard(OpenRecord, UpgradedRecord):
    """One scorecard: a model under a protocol and a judge, with its place on the board."""

    upgrades: ClassVar[Mapping[int, Upgrade]] = {1: _without_judges_ranks, 2: without_facts}
    schema_version: Literal[3] = 3
    """Version of this row's layout."""
    rank: int | None
    """1 + the number of models that are significantly better under the same protocol, judge and data; null where it
    does not rank."""
    rank_low: int | None
    """Best rank that the data leave open, at 95 % for the whole ranking together; null where it does not rank."""
    rank_high: int | None
    """Worst rank that the data leave open, at 95 % for the whole ranking together; null where it does not rank."""
    model: str
    """Model as `owner/name`, `local/NAME` or `reference/NAME`; references are answers that no model gave."""
    total: OpenTotal
    """The paper's Total: an answer as good as the reference answer scores 50."""
    persona_score: OpenRate
    """Persona questions against the reference answer: a win counts 1, a tie one half."""
    persona_win: OpenRate
    """Persona questions whose answer was preferred to the reference answer."""
    persona_tie: OpenRate
    """Persona questions whose answer was called as good as the reference answer."""
    persona_loss: OpenRate
    """Persona questions whose reference answer was preferred."""
    profile_score: OpenRate
    """Profile questions against the reference answer: a win counts 1, a tie one half."""
    profile_win: OpenRate
    """Profile questions whose answer was preferred to the reference answer."""
    profile_tie: OpenRate
    """Profile questions whose answer was called as good as the reference answer."""
    profile_loss: OpenRate
    """Profile questions whose reference answer was preferred."""
    schedule: OpenRate
    """Schedule questions whose answer kept the user's appointment in mind."""
    unranked_because: str
    """Why it stays out of the ranking, reasons parted by `; `; empty where nothing keeps it out."""
    protocol: str
    """Id of the protocol."""
    judge: str
    """Id of the judge; see the config `judges`."""
    judge_status: Literal["official", "candidate", "demo", "retired"]
    """Whether the judge's verdicts rank: those of an official one do."""
    judge_status_since: Moment | None
    """When a promotion gave the judge that status for this protocol, in UTC; null where none did."""
    rank_under_judge: int | None
    """The rank that it would have if its judge decided ranks: 1 + the number of models that are significantly better
    under the same protocol, judge and data, whatever that judge's status; null where anything else keeps it out."""
    rank_under_judge_low: int | None
    """Best rank under its judge that the data leave open, at 95 % for the whole ranking together; null without one."""
    rank_under_judge_high: int | None
    """Worst rank under its judge that the data leave open, at 95 % for the whole ranking together; null without
    one."""
    created_at: Moment
    """When it was scored, in UTC."""
    aui: float | None
    """Adherence to user information, in points, 0 to 87.5: the same as `total`."""
    uii: float | None
    """Understanding of implicit information, in percent: the same as `persona_score`."""
    mi: float | None
    """Reasoning from multiple information, in percent: the same as `profile_score`."""
    pr: float | None
    """Proactiveness, in percent: the same as `schedule`."""
    lc: OpenGap | None
    """Long-context capacity: persona score after the whole history, less that after the needed dialogues alone; null
    unless both were evaluated."""
    generalisation: OpenGap | None
    """Total for unseen users, less that for seen ones; null unless both were evaluated."""
    bleu: OpenRate
    """Mean sentence BLEU of the answers against the reference answers."""
    rouge_l: OpenRate
    """Mean ROUGE-L F1 of the answers against the reference answers."""
    evidence_recall: OpenRate
    """Share of the needed dialogues that the context showed."""
    position_consistency: OpenRate
    """Share of pairs whose two verdicts, one in either slot order, agree."""
    slot_a_share: OpenRate
    """How often the judge preferred slot A where it preferred either: about 50 for one that looks at the answers.
    Its `judged` counts these words, its `items` the verdicts that pairs in both orders are owed."""
    items: int
    """Items that were asked, at least 0."""
    users: int
    """Users that were asked for, at least 0."""
    generations: int
    """Items with an answer, at least 0."""
    judged: int
    """Items with every verdict, at least 0."""
    judged_share: float | None
    """These over all items, 0 to 1; null without items."""
    verdicts: int
    """Verdicts that were asked for and read, at least 0."""
    missing: int
    """Verdicts that were asked for and are missing, at least 0."""
    missing_because: str
    """The missing verdicts by cause, as a JSON object of counts."""
    defects: int
    """Items lost without a verdict because of their answers, at least 0."""
    defects_because: str
    """These by defect, as a JSON object of counts."""
    failures: int
    """Items without an answer, at least 0."""
    failures_because: str
    """These by cause, as a JSON object of counts."""
    clashes: int
    """Answers and verdicts left out because another one on the same thing says otherwise, at least 0."""
    submission_id: str
    """Submission that the scorecard belongs to."""
    run_id: str
    """Run that it is of: the submission's id, `.`, the protocol."""
    scorecard_id: str
    """Name of the scorecard: its run, `@`, its judge; see the config `scorecards`."""
    revision: str
    """Commit of the model's repository, or digest of its folder; hexadecimal."""
    adapter: str | None
    """LoRA adapter on top of the model; null without one."""
    adapter_revision: str | None
    """Commit of the adapter; null without one."""
    parameters: int | None
    """Parameters of the model, of its base where there is an adapter, at least 0, counted in its files when it was
    handed in; null where they did not tell."""
    weight_bytes: int | None
    """Bytes of its weights' files together, at least 0, likewise; null where they did not tell."""
    context_length: int | None
    """Tokens of prompt and answer together that it declares to take, above 0; null where it does not tell."""
    architecture: str | None
    """Class of the model, as its `config.json` names it; null where it does not tell."""
    quantisation: str | None
    """How its weights were made smaller, as its `config.json` names it; null where they were not, or it is not
    known."""
    model_licence: str | None
    """Licence of the model, as its card names it; null where it names none."""
    model_family: str | None
    """Line of models that it belongs to, such as `qwen`: by its own name, what it was made from, or an architecture of
    one maker alone; null where none of these tells. Nothing is taken from how a model is called."""
    submitter: str
    """Who handed it in, by the name on the Hub."""
    relation: Relation
    """How the submitter stands to the model's owner, as declared."""
    base_model: str | None
    """Model that it was made from, as declared; null if none was named."""
    training_data: TrainingData
    """What of the benchmark it was trained on, as declared."""
    thinking: bool
    """Whether it thinks aloud before it answers, as declared."""
    publish_answers: bool
    """Whether its answers may be shown, as declared."""
    protocol_config: str
    """SHA-256 of the whole protocol, 64 hexadecimal digits."""
    judge_revision: str
    """Commit of the judge, or digest of its folder; hexadecimal."""
    judge_config: str
    """SHA-256 of the judge's whole configuration, 64 hexadecimal digits."""
    prompt_pack: str
    """Wording of the prompts."""
    prompt_pack_status: Literal["official", "imported", "builtin"]
    """Where that wording comes from: only `official` ranks."""
    data_source: str
    """Data set that was asked from."""
    data_sha: str
    """Commit or digest of that data set."""
    context: str
    """What decided the contexts besides the protocol, as a JSON object."""
    chat_template_arguments: str
    """What the chat template was told, as a JSON object."""
    instruction_moved: bool
    """Whether the instruction stood in the first user turn, for want of a place for a system message."""
    engine: str
    """What ran the model, such as `vllm`."""
    engine_version: str
    """Version of the engine."""
    engine_flags: str
    """Settings of the engine, as a JSON object."""
    dtype: str
    """Type of the weights in memory, such as `bfloat16`."""
    hardware: str
    """Machine that the model ran on."""
    judge_engine: str
    """What ran the judge."""
    judge_engine_version: str
    """Version of that engine."""
    judge_dtype: str
    """Type of the judge's weights in memory."""
    judge_hardware: str
    """Machine that the judge ran on."""
    rows_sha: str
    """SHA-256 over the keys and contents of all rows behind it, 64 hexadecimal digits."""
    prefill_efficiency: float | None
    """Distinct prompt tokens over prompt tokens computed, above 0; null where the engine does not tell."""
    stage_seconds: str
    """Seconds by stage of the work, all workers together, as a JSON object."""
    peak_rss_mb: float
    """Highest resident memory of any one process of the run, in megabytes."""
    season: str
    """Season of the leaderboard."""
    licence: str | None
    """Licence of the data set that was asked from; null where its authors state none."""
    redistributable: bool
    """Whether that data set's own text may be shown to others."""
    personal_data: PersonalData
    """Whether real people stand behind that text."""


class OpenPlace(OpenRecord, UpgradedRecord):
    """Those columns of the board that no scorecard tells by itself, and what each is told by; see `OpenScorecard`."""

    upgrades: ClassVar[Mapping[int, Upgrade]] = {1: _place_without_judges_ranks, 2: lambda fields: fields}
    schema_version: Literal[3] = 3
    """Version of the board's layout."""
    scorecard_id: str
    """Name of the scorecard."""
    protocol: str
    """Id of the protocol."""
    judge: str
    """Id of the judge."""
    judge_revision: str
    """Commit of the judge, or digest of its folder."""
    judge_config: str
    """SHA-256 of the judge's whole configuration."""
    judge_status: Literal["official", "candidate", "demo", "retired"]
    """Whether the judge's verdicts rank."""
    judge_status_since: Moment | None
    """When a promotion gave the judge that status; null where none did."""
    rows_sha: str
    """SHA-256 over the keys and contents of the rows that it was worked out from, 64 hexadecimal digits."""
    rank_low: int | None
    """Best rank that the data leave open; null where it does not rank."""
    rank_high: int | None
    """Worst rank that the data leave open; null where it does not rank."""
    rank_under_judge_low: int | None
    """Best rank under its judge that the data leave open; null without one."""
    rank_under_judge_high: int | None
    """Worst rank under its judge that the data leave open; null without one."""
    unranked_because: str
    """Why it stays out of the ranking."""
    lc: OpenGap | None
    """Long-context capacity."""
    generalisation: OpenGap | None
    """Total for unseen users, less that for seen ones."""
