"""Runs in which a scripted model writes and a scripted judge reads, by rules that tell every figure in advance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from evaluator.encoders.base import Encoder
from evaluator.engines.base import Request
from evaluator.hicupid.prompts import builtin_pack
from evaluator.human.asking import HumanAnswers
from evaluator.human.data import HumanData, demo_set
from evaluator.human.items import HumanItem, Part
from evaluator.human.judged.asking import judge_written
from evaluator.human.judged.scoring import score_judged
from evaluator.human.results import HumanResult, NamedFigure
from evaluator.human.setup import HumanSetup, items
from evaluator.human.stages.wording import load_wording
from evaluator.judges.spec import load_judge
from evaluator.models import PinnedModel
from evaluator.protocol import human_protocol
from evaluator.records import Generation, Verdict
from evaluator.setup import users_of
from tests.scripted import ScriptedEngine

Say = Callable[[Request], str | None]


@cache
def demo_data() -> HumanData:
    return HumanData.open(str(demo_set()))


def make_setup(task: str, data: HumanData | None = None, judge: str = "", **changes: Any) -> HumanSetup:
    """Returns a run of a model on the demo protocol of a task, by default without its limit."""
    protocol = human_protocol(f"human-{task}-demo-v1").model_copy(update={"limit": None} | changes)
    data = data or demo_data()
    return HumanSetup(
        model=PinnedModel("org/model", "a" * 40),
        adapter=None,
        thinking=False,
        data=data,
        protocol=protocol,
        wording=load_wording(protocol.wording),
        pack=builtin_pack(),
        judge=load_judge(judge or protocol.judge),
        judge_revision="r1",
        terms=data.terms,
    )


class Written(NamedTuple):
    """A run with all of its rows."""

    setup: HumanSetup
    items: tuple[HumanItem, ...]
    generations: list[Generation]
    verdicts: list[Verdict]
    judge: ScriptedEngine

    @property
    def result(self) -> HumanResult:
        return score_judged(
            self.items,
            self.generations,
            self.verdicts,
            task=self.setup.protocol.task,
            judge=self.setup.judge.id,
            epsilon=self.setup.protocol.epsilon,
        )

    def value(self, name: str) -> float | None:
        return self.figure(name).value

    def figure(self, name: str) -> NamedFigure:
        found = self.result.figure(name)
        assert found is not None, name
        return found

    def of(self, part: Part) -> Iterator[HumanItem]:
        return (item for item in self.items if item.part is part)


def run_written(
    setup: HumanSetup,
    writes: Say,
    judges: Say,
    known: Sequence[Verdict] = (),
    encoder: Encoder | None = None,
    **info: Any,
) -> Written:
    """Asks a scripted model and a scripted judge everything; `info` is told of the engines of both."""
    asked, judge = tuple(items(setup)), ScriptedEngine(judges, **info)
    generations = list(HumanAnswers(setup, ScriptedEngine(writes, **info)).answers(users_of(asked), {}))
    verdicts = list(judge_written(setup, asked, generations, judge, known, encoder))
    return Written(setup, asked, generations, verdicts, judge)


def says(request: Request) -> str:
    """All that a request says."""
    return "\n".join(message.content for message in request.messages)


def is_personalised(request: Request) -> bool:
    """Says whether a writer is told of a user."""
    return load_wording().headings.attributes in request.messages[0].content


def writing(generic: str | None = "As anybody would.", personalised: str | None = "Just as you like it.") -> Say:
    """A writer of two sentences."""
    return lambda request: personalised if is_personalised(request) else generic
