"""How far models agree with people, as public rows: one a scorecard, and one for each of its figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from evaluator.human.records import RaterKind
from evaluator.human.tasks import AnyTask
from evaluator.records import Record, Upgrade, UpgradedRecord
from leaderboard.open_data.board import without_facts
from leaderboard.open_data.records import OpenRecord, PersonalData
from leaderboard.records import Moment, Relation, TrainingData


class WholeHumanCard(Record):
    """Those columns of an `OpenHumanScorecard`, of any version, that hold all of a scorecard."""

    scorecard_id: str
    """Name of the scorecard."""
    scorecard: str
    """The scorecard as one JSON object."""


class OpenHumanScorecard(OpenRecord, UpgradedRecord):
    """One scorecard of a human-grounded task: what was asked of whom, and how much of it was answered."""

    upgrades: ClassVar[Mapping[int, Upgrade]] = {
        1: lambda fields: {**fields, "judged": None, "judged_share": None},
        2: without_facts,
    }
    schema_version: Literal[3] = 3
    """Version of this row's layout."""
    scorecard_id: str
    """Name of the scorecard: its run, `@`, its judge, which is `people` where their labels are the truth; see the
    config `human_figures`."""
    model: str
    """Model as `owner/name`, `local/NAME` or `reference/NAME`."""
    protocol: str
    """Id of the protocol; results of different protocols are never compared."""
    task: AnyTask
    """What was asked: `verification` or `extraction` (stage 1), `relevance` (stage 2), `rating`, `comparison` or
    `uplift` (stage 3)."""
    label_kind: RaterKind
    """Whose labels the figures are about: a `person`'s each, a `consensus` of several, the `truth` that made-up users
    were made from, or `simulated`; the last two say nothing of people."""
    unranked_because: str
    """Why it takes part in no comparison, reasons parted by `; `; empty where nothing keeps it out."""
    items: int
    """Items that people have labelled and the protocol asks, at least 0."""
    answered: int
    """Items with an answer that could be read, at least 0."""
    answered_share: float | None
    """These over all items, 0 to 1; null without items."""
    invalid: int
    """Items whose answer could not be read, nor the second try; they count neither as agreement nor as
    disagreement."""
    invalid_because: str
    """These by reason, as a JSON object of counts; `no_evidence` was never asked."""
    retried: int
    """Items that were asked for once more, at least 0."""
    failures: int
    """Items without an answer, at least 0."""
    failures_because: str
    """These by cause, as a JSON object of counts."""
    clashes: int
    """Answers left out because another one on the same thing says otherwise, at least 0."""
    users: int
    """Users whom the items are about, at least 0."""
    annotators: int
    """Annotators who labelled them, at least 0."""
    labels: int
    """Labels of these items, at least 0."""
    created_at: Moment
    """When it was scored, in UTC."""
    submission_id: str
    """Submission that the scorecard belongs to."""
    run_id: str
    """Run that it is of: the submission's id, `.`, the protocol."""
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
    judge: str
    """Id of the judge; see the config `judges`, and `people` where their labels are the truth."""
    judge_status: Literal["official", "candidate", "demo", "retired"]
    """Whether the judge's verdicts rank: those of an official one do, and so do people's labels."""
    judge_revision: str
    """Commit of the judge, or digest of its folder; of `people`, the state of their labels."""
    judge_config: str
    """SHA-256 of the judge's whole configuration, 64 hexadecimal digits."""
    judged: int | None
    """Pairs, ratings or attributes in what the model wrote of which no verdict is missing, at least 0: the model's
    figures are of these; null where people's labels are the truth."""
    judged_share: float | None
    """These over all that the judge was to read, 0 to 1; null without any, and where people's labels are the truth."""
    verdicts: int | None
    """Verdicts of the judge that were asked for and read, at least 0; null where people's labels are the truth."""
    missing: int | None
    """Verdicts of the judge that were owed and are missing, at least 0; null where people's labels are the truth."""
    missing_because: str | None
    """The missing ones by cause, as a JSON object of counts; null where people's labels are the truth."""
    prompt_pack: str
    """Wording of the prompts, by id and digest."""
    data_source: str
    """Data set that was asked from."""
    data_sha: str
    """Commit or digest of that data set, or of all of it that models are shown."""
    chat_template_arguments: str
    """What the chat template was told, as a JSON object."""
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
    scorecard: str
    """The scorecard as one JSON object, with its own `schema_version`, all figures and all of its provenance."""


class OpenHumanFigure(OpenRecord, UpgradedRecord):
    """One figure of a scorecard of a human-grounded task."""

    upgrades: ClassVar[Mapping[int, Upgrade]] = {
        1: lambda fields: {**fields, "other_scorecard_id": None, "other_answered_share": None}
    }
    schema_version: Literal[2] = 2
    """Version of this row's layout."""
    scorecard_id: str
    """Scorecard that the figure belongs to; see the config `human_scorecards`."""
    rows_sha: str
    """SHA-256 over all rows behind the scorecard, 64 hexadecimal digits; equal to the scorecard's own."""
    model: str
    """Model as `owner/name`, `local/NAME` or `reference/NAME`."""
    revision: str
    """Commit of the model's repository, or digest of its folder; hexadecimal."""
    protocol: str
    """Id of the protocol."""
    task: AnyTask
    """What was asked, such as `relevance`."""
    label_kind: RaterKind
    """Whose labels it is about; `simulated` ones and the `truth` of made-up users say nothing of people."""
    rater: Literal["model", "judge"]
    """Whose figure it is: that of the `model`, or of the `judge` who read what it wrote, as one more rater of what
    people have labelled."""
    figure: str
    """Name of the figure, such as `kappa`; what one more human reaches, the noise ceiling that no rater can pass, and
    the trivial baselines on the same items follow it: `kappa.one_more_human`, `kappa.noise_ceiling`,
    `kappa.always_yes`, `kappa.always_no`. Of `verification`, and of a verifier, kappa and alpha are of two classes,
    problematic (uncertain or rejected) and accepted: F1 and the selection ratio are of problematic ones, and always yes
    calls all of them so. Of `relevance` that class is relevant (YES). `f1_majority.gap` and `recall.gap` are that on
    made-up users less this one, and `f1_majority.gap.always_yes` is the same of always yes."""
    value: float | None
    """The figure, in its own unit; null where it is not defined on these labels."""
    low: float | None
    """Lower end of the 95 % interval, clustered by user; null where `why_no_interval` says why."""
    high: float | None
    """Upper end of the 95 % interval, clustered by user; null where `why_no_interval` says why."""
    interval_users: int | None
    """Users that the interval rests on; null without an interval."""
    why_no_interval: str | None
    """Why there is no interval, or no figure at all; null where there is an interval."""
    labels: int
    """Labels, pairs of labels or items that it is made of, at least 0."""
    users: int
    """Users whose items these are, at least 0."""
    items: int
    """Items that people have labelled and the protocol asks, at least 0; in rows of a judge, the labelled items of the
    data set that the judge is set beside."""
    answered: int
    """Items with an answer that could be read, or in rows of a judge with a verdict, at least 0; the figures are of
    these."""
    unranked_because: str
    """Why the scorecard takes part in no comparison, reasons parted by `; `; empty where nothing keeps it out."""
    tied: int
    """Labels or items left out since the votes that they would be compared with are tied, at least 0."""
    other_scorecard_id: str | None
    """Of a gap, the scorecard on made-up users that it is made of besides this one; null for all other figures."""
    other_answered_share: float | None
    """Share of that scorecard's items with an answer that could be read, 0 to 1; null for all other figures, and where
    it has no items."""
