"""`rapport evaluate --suite human --dry-run`: what the tasks would take, beside what HiCUPID takes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

from evaluator.engines.tokenizer_only import TokenizerProcess, TokenizerSpec
from evaluator.errors import Cause, RapportError
from evaluator.estimate import Cost, Work, cost, scaled
from evaluator.human.asking import HumanAnswers
from evaluator.human.setup import HumanSetup
from evaluator.human.tasks import AnyTask, JudgedTask, Task
from evaluator.judges.spec import load_judge
from evaluator.models import outline
from evaluator.protocol import HumanProtocol, load_protocol
from evaluator.records import Record
from evaluator.setup import users_of
from evaluator.suites import items_of
from leaderboard.settings import Settings
from worker.local.dry_run import described, estimate, size_of, work_of
from worker.local.wanted import Wanted
from worker.planning import Conditions, make_setup

DECLARED_ITEMS = {Task.VERIFICATION: 1983, Task.RELEVANCE: 3973, Task.RATING: 367}
"""Items that people labelled in the study that declares the tasks, arXiv 2606.06614."""
BESIDE = "official-v1"
"""The protocol of HiCUPID that the tasks are set beside."""


class TaskEstimate(Record):
    """What one task would take."""

    protocol: str
    task: Task
    items: int
    """That are asked of the loaded data."""
    groups: int
    """What begins alike: a conversation, a prompt or a pair of answers."""
    model: Work
    model_cost: Cost
    declared_items: int
    """Of the published study."""
    declared: Work
    """The same for as many items, on texts as long as those of the loaded data."""


class HumanEstimate(Record):
    """What tasks of the human-grounded suite would take; a second try at what cannot be read is not counted."""

    tasks: tuple[TaskEstimate, ...]
    left_out: tuple[str, ...]
    """Protocols under which a model writes and a judge reads: what they take depends on what it writes."""
    beside: str
    """A protocol of HiCUPID."""
    beside_tokens: int
    """Computed tokens that it takes on the loaded data of its own suite, scaled to all of its items."""
    declared_tokens: int
    """Computed tokens of all tasks at their declared sizes."""
    share_percent: float
    """These in percent of those of `beside`."""

    def describe(self) -> str:
        """Says it in lines."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        """Yields the lines."""
        for task in self.tasks:
            yield f"{task.protocol}: {task.items:,} items in {task.groups:,} groups"
            yield from described("model", task.model, task.model_cost)
            computed = _computed(task.declared)
            yield f"  declared     {task.declared_items:,} items would take {computed:,} computed tokens"
        if self.left_out:
            yield f"not counted: {', '.join(self.left_out)}, for what they take depends on what the model writes"
        yield f"these tasks at their declared sizes: {self.declared_tokens:,} computed tokens"
        yield f"{self.beside}: {self.beside_tokens:,} computed tokens, of which that is {self.share_percent:.1f} %"


def estimate_tasks(wanted: Sequence[Wanted], settings: Settings) -> HumanEstimate:
    """Measures the prompts of some tasks with the model's tokenizer, and sets them beside HiCUPID's.

    Args:
        wanted: One task each, of the same model; those whose answers a judge reads are left out.
        settings: Those of this machine.

    Raises:
        RapportError: `not_found` if none is left; what pinning, opening a data set or loading a tokenizer ended with.
    """
    tasks = tuple(_task(each, settings) for each in wanted if _is_of_words(each))
    if not tasks:
        raise RapportError(
            Cause.NOT_FOUND,
            "What a task takes in which a model writes and a judge reads depends on what it writes.",
            "Name one in which a word is chosen.",
        )
    of_hicupid = load_protocol(BESIDE)
    judge = load_judge("demo")  # Only the model's part is looked at, and the demo judge is always there.
    conditions = Conditions(of_hicupid, judge, judge.prompt_pack, settings.data_set)
    first = wanted[0]
    other = estimate(first._replace(conditions=conditions, limit=None), settings)
    if other.model is None or of_hicupid.items is None:
        raise RapportError(Cause.NOT_FOUND, "A reference asks no model.", "Name a model.")
    beside = _computed(scaled(other.model, of_hicupid.items))
    declared = sum(_computed(task.declared) for task in tasks)
    return HumanEstimate(
        tasks=tasks,
        left_out=tuple(each.conditions.protocol.id for each in wanted if not _is_of_words(each)),
        beside=BESIDE,
        beside_tokens=beside,
        declared_tokens=declared,
        share_percent=round(100 * declared / beside, 2),
    )


def _is_of_words(wanted: Wanted) -> bool:
    """Says whether a word is chosen in a task: how long all prompts and answers are is known beforehand."""
    protocol = wanted.conditions.protocol
    return isinstance(protocol, HumanProtocol) and isinstance(protocol.task, Task)


def _task(wanted: Wanted, settings: Settings) -> TaskEstimate:
    """Measures one task."""
    setup = make_setup(wanted.candidate, wanted.conditions, settings)
    task = setup.protocol.task if isinstance(setup, HumanSetup) else None
    if not isinstance(setup, HumanSetup) or not isinstance(task, Task):
        raise RapportError(
            Cause.NOT_FOUND, f"{setup.protocol.id} is no protocol of people's labels.", "Name another one."
        )
    asked = [item for item in items_of(setup) if item.is_asked][: wanted.limit]
    setup = setup._replace(only=frozenset(item.question_id for item in asked))
    folder = outline(setup.model, settings.models).folder
    with tempfile.TemporaryDirectory(prefix="rapport-") as scratch:
        log = Path(scratch) / "tokenizer.log"
        with TokenizerProcess(TokenizerSpec(model_path=str(folder.resolve())), log) as tokenizer:
            rows = HumanAnswers(setup, tokenizer).answers(users_of(asked), {})
            first = list(takewhile(lambda row: row.key.sample_index == 0, rows))
    sampling = setup.protocol.sampling
    thought = setup.protocol.thought_tokens if setup.thinking else 0
    work = work_of(first, sampling.max_tokens + thought)
    declared = DECLARED_ITEMS[task]
    return TaskEstimate(
        protocol=setup.protocol.id,
        task=task,
        items=len(asked),
        groups=len(users_of(asked)),
        model=work,
        model_cost=cost(work, size_of(setup.model, settings)),
        declared_items=declared,
        declared=scaled(work, declared),
    )


def _computed(work: Work) -> int:
    """Tokens that an engine computes: those that no earlier prompt began with, and the answers'."""
    return work.distinct_tokens + work.answer_tokens


def human_protocols(stage: int | None) -> list[HumanProtocol]:
    """Returns the official protocols of the human-grounded suite, those last whose answers a judge reads.

    Args:
        stage: 1 to 3; None for all.

    Example:
        >>> [protocol.id for protocol in human_protocols(1)]
        ['human-verification-v1', 'human-extraction-v1']
    """
    every: tuple[AnyTask, ...] = (*Task, *JudgedTask)
    found = [load_protocol(f"human-{task}-v1") for task in every if stage in (None, task.stage)]
    return [protocol for protocol in found if isinstance(protocol, HumanProtocol)]
