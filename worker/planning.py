"""Fixes what a run asks, before its first question."""

from __future__ import annotations

from typing import NamedTuple

from evaluator.context_mode import Dense
from evaluator.encoders import words
from evaluator.errors import Cause, RapportError
from evaluator.hicupid.data import HicupidData, demo_set
from evaluator.hicupid.prompt_packs import find_pack
from evaluator.hicupid.prompt_sources import load_sources
from evaluator.human.data import HumanData
from evaluator.human.data import demo_set as human_demo_set
from evaluator.human.people import People
from evaluator.human.setup import HumanSetup
from evaluator.human.stages.wording import load_wording
from evaluator.human.synthetic import synthetic_data
from evaluator.human.tasks import AnyTask, JudgedTask
from evaluator.judges.rater import Rater, load_rater
from evaluator.judges.spec import JudgeSpec
from evaluator.models import LOCAL, PinnedModel, pin, pin_encoder
from evaluator.protocol import PEOPLE, EvaluationProtocol, HicupidProtocol, HumanProtocol, load_protocol
from evaluator.setup import HicupidSetup, users_of
from evaluator.suites import RunSetup, items_of
from leaderboard.records import Plan, Shard, Submission, protocol_of
from leaderboard.rescoring.promotions import NOTHING_PROMOTED, Promotions
from leaderboard.settings import Settings
from leaderboard.submissions.entering import SUBMIT_AGAIN
from worker.tasks import shard_id

MOST_USERS_PER_SHARD = 10
LEAST_USERS_PER_SHARD = 2


def users_per_shard(users: int) -> int:
    """Returns how many users make a shard: few enough that a lost worker costs little, and enough for a lease.

    Example:
        >>> [users_per_shard(users) for users in (4, 100, 250, 1500)]
        [2, 4, 10, 10]
    """
    return min(MOST_USERS_PER_SHARD, max(LEAST_USERS_PER_SHARD, users // 25))


class Candidate(NamedTuple):
    """Who is evaluated."""

    model: PinnedModel
    adapter: PinnedModel | None
    thinking: bool
    """Whether it was declared to think before it answers."""


class Conditions(NamedTuple):
    """What a model is evaluated under."""

    protocol: EvaluationProtocol
    judge: Rater
    prompts: str
    """Prompt pack: its id, `builtin` or `official`."""
    data_set: str
    """`demo`, a folder, or a Hub data set."""
    judge_revision: str | None = None
    """Commit at which the judge is taken; None for the newest one, unless its configuration names one."""


def prepare(
    submission: Submission,
    run_id: str,
    settings: Settings,
    planned: Plan | None = None,
    promotions: Promotions = NOTHING_PROMOTED,
) -> RunSetup:
    """Opens everything that a submission's run needs, apart from engines.

    Args:
        submission: What was handed in.
        run_id: One of its runs.
        settings: Those of the worker.
        planned: The run's plan if it has one: data set and judge are then taken at its commits, wherever their
            branches on the Hub have moved since.
        promotions: What was promoted decides by whom a run is judged that has no plan yet.

    Raises:
        RapportError: `data_error`, `not_found`, `judge_error` or `infrastructure`.
    """
    protocol = load_protocol(protocol_of(run_id))
    promoted = promotions.of(protocol.id) if planned is None else None
    judge = load_rater(planned.judge if planned else promoted.judge if promoted else protocol.judge, settings.judges)
    revision = promoted.judge_revision if promoted else None
    conditions = Conditions(protocol, judge, judge.prompt_pack, data_set_of(protocol, settings), revision)
    return make_setup(candidate_of(submission), conditions, settings, planned)


def data_set_of(protocol: EvaluationProtocol, settings: Settings) -> str:
    """Returns the data set of the settings that a protocol asks of: `demo`, a folder, or one on the Hub.

    Example:
        >>> settings = Settings(data_set="12kimih/HiCUPID", human_data_set="org/labels")
        >>> names = ("demo-v1", "human-relevance-v1", "human-relevance-synthetic-v1")
        >>> [data_set_of(load_protocol(name), settings) for name in names]
        ['12kimih/HiCUPID', 'org/labels', '12kimih/HiCUPID']
    """
    return settings.human_data_set if asks_of_people(protocol) else settings.data_set


def asks_of_people(protocol: EvaluationProtocol) -> bool:
    """Says whether a protocol asks what people have labelled, and so not of HiCUPID's users."""
    return isinstance(protocol, HumanProtocol) and protocol.synthetic_of is None


def candidate_of(submission: Submission) -> Candidate:
    """Returns who a submission hands in."""
    adapter = None
    if submission.adapter is not None and submission.adapter_revision is not None:
        adapter = PinnedModel(submission.adapter, submission.adapter_revision)
    declared = submission.declaration
    model = PinnedModel(submission.model, submission.revision)
    return Candidate(model, adapter, declared.thinking)


def make_setup(
    candidate: Candidate, conditions: Conditions, settings: Settings, planned: Plan | None = None
) -> RunSetup:
    """Opens everything that a run needs under some conditions, apart from engines.

    Args:
        candidate: Who is evaluated.
        conditions: Under what.
        settings: Those of the machine.
        planned: As of `prepare`.

    Raises:
        RapportError: As of `prepare`.
    """
    if isinstance(conditions.protocol, HumanProtocol):
        return _human_setup(candidate, conditions.protocol, conditions, settings, planned)
    return make_hicupid_setup(candidate, conditions, settings, planned)


def make_hicupid_setup(
    candidate: Candidate, conditions: Conditions, settings: Settings, planned: Plan | None = None
) -> HicupidSetup:
    """Opens everything that a run of HiCUPID needs, apart from engines.

    Raises:
        RapportError: As of `prepare`; `not_found` if protocol or judge are not HiCUPID's.
    """
    asked, judge = conditions.protocol, conditions.judge
    if not isinstance(asked, HicupidProtocol) or not isinstance(judge, JudgeSpec):
        raise RapportError(
            Cause.NOT_FOUND, f"{asked.id}, judged by {judge.id}, is no protocol of HiCUPID.", "Name another one."
        )
    data = _hicupid(conditions, planned)
    protocol = _with_pinned_encoder(asked, settings)
    return HicupidSetup(
        model=candidate.model,
        adapter=candidate.adapter,
        thinking=candidate.thinking,
        data=data,
        protocol=protocol,
        pack=find_pack(conditions.prompts, settings.packs, load_sources(settings.prompt_sources)),
        judge=judge,
        judge_revision=_judge_revision(judge, settings, planned, conditions.judge_revision),
        terms=data.terms,
    )


def _human_setup(
    candidate: Candidate,
    protocol: HumanProtocol,
    conditions: Conditions,
    settings: Settings,
    planned: Plan | None,
) -> HumanSetup:
    """Opens what a run of a human-grounded task needs; where people judge, the revision is that of their labels."""
    judge = conditions.judge
    _refuse_other_judges(protocol, judge)
    if protocol.synthetic_of:
        data = synthetic_data(_hicupid(conditions, planned), protocol.task)
    else:
        data = _labels(conditions, planned)
    protocol = _with_pinned_comparer(protocol, settings)
    return HumanSetup(
        model=candidate.model,
        adapter=candidate.adapter,
        thinking=candidate.thinking,
        data=data,
        protocol=protocol,
        wording=load_wording(protocol.wording),
        pack=find_pack(_pack_of(conditions), settings.packs, load_sources(settings.prompt_sources)),
        judge=judge,
        judge_revision=data.sha if isinstance(judge, People) else _judge_revision(judge, settings, planned),
        terms=data.terms,
    )


def _hicupid(conditions: Conditions, planned: Plan | None) -> HicupidData:
    """Opens a data set of HiCUPID's layout, at the commit of the plan if there is one."""
    source = str(demo_set()) if conditions.data_set == DEMO else conditions.data_set
    return HicupidData.open(source, _commit(conditions.data_set, planned))


def _labels(conditions: Conditions, planned: Plan | None) -> HumanData:
    """The same of a data set of people's labels."""
    source = str(human_demo_set()) if conditions.data_set == DEMO else conditions.data_set
    return HumanData.open(source, _commit(conditions.data_set, planned))


def _pack_of(conditions: Conditions) -> str:
    """Returns the prompt pack of a judge that compares; the words of all others are a wording's."""
    judge = conditions.judge
    return conditions.prompts if isinstance(judge, People) or judge.kind == "pairwise" else "builtin"


_KINDS: dict[AnyTask, str] = {
    JudgedTask.EXTRACTION: "verifier",
    JudgedTask.COMPARISON: "pairwise",
    JudgedTask.UPLIFT: "rating",
}
"""The kind of judge that reads what a model writes at a task; people's labels are the truth of all others."""


def _refuse_other_judges(protocol: HumanProtocol, judge: Rater) -> None:
    """Refuses a judge that cannot say how good the answers of a human-grounded task are.

    Raises:
        RapportError: `data_error`.
    """
    kind = judge.id if isinstance(judge, People) else judge.kind
    wanted = _KINDS.get(protocol.task, PEOPLE)
    if kind != wanted:
        whom = "people's labels" if wanted == PEOPLE else f"a judge of kind {wanted}"
        raise RapportError(
            Cause.DATA_ERROR, f"{protocol.id} is judged by {whom}, not by {judge.id}.", "Leave the judge out."
        )


DEMO = "demo"
"""Names the data set of either suite that ships."""


def _commit(data_set: str, planned: Plan | None) -> str | None:
    """Returns the commit at which a data set is opened: that of the plan if it is that of the plan."""
    return planned.data_sha if planned and planned.data_source == data_set else None


def _judge_revision(judge: JudgeSpec, settings: Settings, planned: Plan | None, wanted: str | None = None) -> str:
    """Returns the commit of the judge; a local one has its present state alone."""
    if judge.revision:
        return judge.revision
    if wanted is not None and not judge.model.startswith(LOCAL):
        return wanted
    if planned and planned.judge == judge.id and not judge.model.startswith(LOCAL):
        return planned.judge_revision
    try:
        return pin(judge.model, None, settings.models).sha
    except RapportError as error:
        raise RapportError(Cause.JUDGE_ERROR, f"The judge {judge.id}: {error.message}", error.remedy) from error


def _with_pinned_encoder(protocol: HicupidProtocol, settings: Settings) -> HicupidProtocol:
    """Returns a protocol whose encoder, if it has one, stands at a SHA."""
    context = protocol.context
    if not isinstance(context, Dense):
        return protocol
    pinned = pin_encoder(context.encoder, context.revision, settings.models)
    return protocol.model_copy(update={"context": context.model_copy(update={"revision": pinned.sha})})


def _with_pinned_comparer(protocol: HumanProtocol, settings: Settings) -> HumanProtocol:
    """The same of what compares extracted attributes."""
    told = protocol.extraction
    if told is None or told.encoder == words.NAME:
        return protocol
    pinned = pin_encoder(told.encoder, told.revision, settings.models)
    return protocol.model_copy(update={"extraction": told.model_copy(update={"revision": pinned.sha})})


class OutdatedPlan(RapportError):
    """A run cannot go on, because what it was planned with is gone; only a new submission helps."""

    def __init__(self, cause: Cause, message: str) -> None:
        """Says what is gone; the remedy is what lets the model be submitted anew, see `entering.uncovered`."""
        super().__init__(cause, message, SUBMIT_AGAIN)


def check_unchanged(plan: Plan, setup: RunSetup) -> None:
    """Refuses to go on with a run whose conditions are no longer those of its plan: its rows would not be comparable.

    Raises:
        OutdatedPlan: With cause `data_error` or `judge_error`.
    """
    if plan.data_sha != setup.data.sha:
        raise OutdatedPlan(Cause.DATA_ERROR, "The data set has changed since the run was planned.")
    if plan.protocol_config != setup.protocol.digest():
        raise OutdatedPlan(Cause.DATA_ERROR, "The protocol has changed since the run was planned.")
    judge = (setup.judge_revision, setup.judge.digest(), setup.pack.id)
    if (plan.judge_revision, plan.judge_config, plan.prompt_pack) != judge:
        raise OutdatedPlan(Cause.JUDGE_ERROR, "The judge or its prompts have changed since the run was planned.")


_shipped = {str(demo_set()): DEMO, str(human_demo_set()): DEMO}
"""Names of the data sets that ship, which lie elsewhere on every machine."""


def make_plan(run_id: str, setup: RunSetup) -> Plan:
    """Lists the items of a run and cuts its users into shards.

    Raises:
        RapportError: `data_error` if the data set is broken.
    """
    asked = tuple(items_of(setup))
    if not asked:
        raise RapportError(
            Cause.DATA_ERROR,
            f"The data set holds nothing that the protocol {setup.protocol.id} asks.",
            "Check the splits and question types of both; a task of people's labels needs some.",
        )
    users = users_of(asked)
    step = users_per_shard(len(users))
    return Plan(
        run_id=run_id,
        data_source=_shipped.get(setup.data.source, setup.data.source),
        data_sha=setup.data.sha,
        shown_sha=setup.data.shown_sha if isinstance(setup, HumanSetup) else None,
        prompt_pack=setup.pack.id,
        prompt_pack_status=setup.pack.status,
        protocol_config=setup.protocol.digest(),
        judge=setup.judge.id,
        judge_revision=setup.judge_revision,
        judge_config=setup.judge.digest(),
        terms=setup.terms,
        items=asked,
        shards=tuple(
            Shard(
                id=shard_id(run_id, number),
                users=tuple((user.split, user.user_id) for user in users[start : start + step]),
            )
            for number, start in enumerate(range(0, len(users), step))
        ),
    )
