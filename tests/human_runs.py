"""Runs of the human-grounded suite, on the set that ships with the project, answered by a script and really scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from evaluator.errors import Cause
from evaluator.human.data import HumanData, demo_set
from evaluator.human.items import GivenLabel, HumanItem
from evaluator.human.people import People
from evaluator.human.records import RaterKind
from evaluator.human.setup import HumanSetup, items
from evaluator.human.stages.wording import CURRENT, load_wording
from evaluator.human.synthetic import TRUTH
from evaluator.human.tasks import AnyTask, JudgedTask, Order, Task
from evaluator.models import PinnedModel
from evaluator.protocol import HumanProtocol, human_protocol
from evaluator.records import Generation, Terms
from evaluator.setup import users_of
from leaderboard.human_scorecards import make_human_scorecard
from leaderboard.records import Lane, Plan, Shard, ShardReport, Submission
from leaderboard.results import HumanScorecard
from leaderboard.scorecards import RunRows
from tests.builders import NOON, TERMS, make_generation, make_input_key, make_report, make_submission

PROTOCOLS: dict[AnyTask, str] = {task: f"human-{task}-v1" for task in (*Task, *JudgedTask)}
"""The official protocol of each task."""
Say = Callable[[HumanItem, int], str]
"""Returns what a model says of an item, given its place among all items."""


class HumanRun(NamedTuple):
    """One run with all of its rows."""

    submission: Submission
    protocol: HumanProtocol
    plan: Plan
    rows: RunRows

    @property
    def id(self) -> str:
        return self.plan.run_id

    @property
    def card(self) -> HumanScorecard:
        """What its rows come to."""
        return make_human_scorecard(self.submission, self.plan, self.rows, self.protocol, (), NOON)


def as_most_say(item: HumanItem, place: int) -> str:
    """What the mean of the labels comes to, but every fifth time the opposite."""
    mean = sum(label.number for label in item.labels) / len(item.labels)
    if item.task is Task.RATING:
        said = round(mean) if place % 5 else 6 - round(mean)
        return str(said if item.order is Order.GENERIC_FIRST else 6 - said)
    yes, no = ("rejected", "accepted") if item.task is Task.VERIFICATION else ("YES", "NO")
    return yes if (mean > 0.5) == bool(place % 5) else no


@cache
def demo_items(task: Task, limit: int | None = None) -> tuple[HumanItem, ...]:
    """Returns the items of a task on the demo set, whose labels are simulated."""
    data = HumanData.open(str(demo_set()))
    protocol = human_protocol(PROTOCOLS[task]).model_copy(update={"limit": limit})
    model = PinnedModel("org/model", "a" * 40)
    setup = HumanSetup(model, None, False, data, protocol, load_wording(CURRENT), None, People(), "r1", data.terms)  # type: ignore[arg-type]
    return tuple(items(setup))


def of_people(asked: Sequence[HumanItem]) -> tuple[HumanItem, ...]:
    """Returns items as if people had labelled them: for tests of what is shown of people."""
    return tuple(item.model_copy(update={"kind": RaterKind.PERSON}) for item in asked)


def of_made_up_users(asked: Sequence[HumanItem], users: int = 12) -> tuple[HumanItem, ...]:
    """Returns items as if they were of made-up users, whose truth is what most said of each."""
    truths = [float(sum(label.number for label in item.labels) * 2 > len(item.labels)) for item in asked]
    return tuple(
        item.model_copy(
            update={
                "kind": RaterKind.TRUTH,
                "person": f"user-{place % users}",
                "labels": (GivenLabel(annotator=TRUTH, number=truth),),
            }
        )
        for place, (item, truth) in enumerate(zip(asked, truths, strict=True))
    )


def make_synthetic_run(task: Task = Task.RELEVANCE, number: int = 1, **changes: Any) -> HumanRun:
    """Returns a run of a task on twelve made-up users."""
    made_up = {"protocol": f"human-{task}-synthetic-v1", "asked": of_made_up_users(demo_items(task))}
    return make_human_run(task, number, **(made_up | changes))


def answers_to(
    asked: Sequence[HumanItem], say: Say = as_most_say, terms: Terms = TERMS, **key: Any
) -> list[Generation]:
    """Returns a first answer to every item that is asked."""
    return [answer_to(item, say(item, place), terms=terms, **key) for place, item in enumerate(asked) if item.is_asked]


def answer_to(item: HumanItem, text: str | None, attempt: int = 0, terms: Terms = TERMS, **key: Any) -> Generation:
    """Returns an attempt at an item; a text of None is one that came to nothing."""
    named = make_input_key(item.question_id, **{"protocol": PROTOCOLS[item.task], "sample_index": attempt} | key)
    found = {"bleu": None, "rouge_l": None, "evidence_recall": None, "terms": terms}
    return make_generation(named, text, **found, **({} if text is not None else {"failure": Cause.CONTEXT_OVERFLOW}))


def make_human_plan(run_id: str, asked: Sequence[HumanItem], **changes: Any) -> Plan:
    """Returns a plan of two shards."""
    groups = users_of(asked)
    halves = [groups[: len(groups) // 2], groups[len(groups) // 2 :]]
    people = People()
    values: dict[str, Any] = {
        "run_id": run_id,
        "data_source": "demo",
        "data_sha": "d" * 40,
        "prompt_pack": f"{CURRENT}.{load_wording(CURRENT).digest[:16]}",
        "prompt_pack_status": "builtin",
        "judge": people.id,
        "judge_revision": "r1",
        "protocol_config": human_protocol(run_id.split(".", 1)[1]).digest(),
        "judge_config": people.digest(),
        "terms": TERMS,
        "items": asked,
        "shards": [Shard(id=f"{run_id}.{place:04d}", users=tuple(half)) for place, half in enumerate(halves) if half],
    }
    return Plan(**(values | changes))


def human_reports() -> list[ShardReport]:
    """Returns a report of each lane; nobody but people says how good answers are."""
    return [make_report(Lane.GENERATE), make_report(Lane.JUDGE, engine=People().id, hardware="none")]


def make_human_run(
    task: Task = Task.RELEVANCE,
    number: int = 1,
    *,
    asked: Sequence[HumanItem] | None = None,
    rows: Sequence[Generation] | None = None,
    say: Say = as_most_say,
    terms: Terms = TERMS,
    protocol: str = "",
    **changes: Any,
) -> HumanRun:
    """Returns a run of a task by a model of its own, as of `make_submission`."""
    named = protocol or PROTOCOLS[task]
    submission = make_submission(number, **{"protocols": (named,)} | changes)
    asked = demo_items(task) if asked is None else asked
    plan = make_human_plan(submission.run_ids()[0], asked, terms=terms)
    key = {"model": submission.model, "model_sha": submission.revision, "protocol": named}
    given = answers_to(asked, say, terms, **key) if rows is None else list(rows)
    return HumanRun(submission, human_protocol(named), plan, RunRows(given, [], human_reports()))


def make_human_scorecard_of(model: str, task: Task = Task.RELEVANCE, number: int = 1, **changes: Any) -> HumanScorecard:
    """Returns a scorecard of a model, by default on simulated labels."""
    return make_human_run(task, number, model=model, **changes).card
