"""`rapport evaluate --suite human --dry-run`: what the tasks would take, beside what HiCUPID takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from evaluator.encoders import words
from evaluator.engines.tokenizer_only import TokenizerProcess
from evaluator.errors import Cause, RapportError
from evaluator.estimate import Cost, Work, cost, scaled
from evaluator.human.asking import HumanAnswers
from evaluator.human.items import HumanItem
from evaluator.human.judged.expected import expected_prompts
from evaluator.human.judged.prompts import samplings_of
from evaluator.human.setup import HumanSetup
from evaluator.human.synthetic import MOST_USERS
from evaluator.human.tasks import AnyTask, JudgedTask, Task
from evaluator.judges.rater import Rater
from evaluator.judges.spec import JudgeSpec, load_judge
from evaluator.models import PinnedModel
from evaluator.protocol import EvaluationProtocol, HumanProtocol, human_protocol, load_protocol, synthetic_protocols
from evaluator.records import Generation, Record
from evaluator.setup import users_of
from evaluator.suites import items_of
from leaderboard.settings import Settings
from worker.local.dry_run import counted, described, estimate, size_of, work_of
from worker.local.tokenizers import Tokenizers
from worker.local.wanted import Wanted
from worker.planning import Conditions, asks_of_people, make_setup


class Declared(NamedTuple):
    """How much a task asks at the sizes that are declared."""

    prompts: int
    """Of the model."""
    verdicts: int = 0
    """Of the judge."""


_ATTRIBUTES, _RATINGS = 1983, 367
_WRITTEN, _COMPARED = 41 + 80, 2 * 80
"""Answers for anybody to 41 prompts and 80 for a user; both orders of each pair."""
DECLARED: dict[AnyTask, Declared] = {
    Task.VERIFICATION: Declared(_ATTRIBUTES),
    Task.RELEVANCE: Declared(3973),
    Task.RATING: Declared(_RATINGS),
    JudgedTask.EXTRACTION: Declared(550, 2 * _ATTRIBUTES),
    JudgedTask.COMPARISON: Declared(_WRITTEN, _COMPARED),
    JudgedTask.UPLIFT: Declared(_WRITTEN, 2 * _RATINGS),
}
"""Sizes of the study that declares the tasks, arXiv 2606.06614, and what follows from them."""
BASIS = (
    "measured: every prompt on the loaded data, by the model's own tokenizer, the judges' too, so that all tokens can "
    "be added; what begins alike within a group is computed once",
    "declared: 1,983 attributes of 550 conversations, 3,973 pairs, 367 ratings of 80 pairs of answers to 41 prompts; "
    f"{MOST_USERS} made-up users with as many items each as in the loaded data; texts and what they share as there",
    "assumed: every answer as long as it may be; a judge reads the data set's own answers, and beside each attribute "
    "that people labelled an extracted one; HiCUPID's prompts and its judge's are the built-in ones, unless --prompts "
    "names others for the judge of the tasks; no second try",
)
"""What the figures rest on."""
_WIDTHS = (8, 10, 10, 10, 8, 9, 10, 9, 10)
"""Of the table's columns."""
BESIDE = "official-v1"
"""The protocol of HiCUPID that the tasks are set beside."""


class TaskEstimate(Record):
    """What one task would take."""

    protocol: str
    task: AnyTask
    items: int
    """That are asked of the loaded data."""
    groups: int
    """What begins alike: a conversation, a prompt, a pair of answers or, of extraction, a user."""
    model: Work
    model_cost: Cost
    judge: Work | None
    """None where people's labels, or what made-up users were made from, are the truth."""
    declared_items: int
    """Of the published study, or of all made-up users that the protocol asks."""
    declared: Work
    """The same for as many items, on texts as long as those of the loaded data."""
    declared_judge: Work | None

    @property
    def tokens(self) -> tuple[int, int]:
        """Computed tokens at the declared size: the model's, and its judge's."""
        return _computed(self.declared), _computed(self.declared_judge) if self.declared_judge else 0


class HumanEstimate(Record):
    """What tasks of the human-grounded suite would take; see `BASIS`."""

    tasks: tuple[TaskEstimate, ...]
    left_out: tuple[str, ...]
    """Protocols of which the loaded data holds nothing that the model, or the judge, is asked."""
    declared_tokens: int
    """Computed tokens of all tasks at their declared sizes."""
    declared_judge_tokens: int
    """The same of their judges."""
    beside: str
    """A protocol of HiCUPID."""
    beside_tokens: int
    """Computed tokens that it takes on the loaded data of its own suite, scaled to all of its items."""
    beside_judge_tokens: int
    """The same of its judge."""
    share_percent: float
    """The tasks' tokens in percent of those of `beside`, without judges."""
    made_up_percent: float
    """What of this is asked of made-up users, whom the study does not declare."""
    share_with_judges_percent: float
    """The same with the judges of both."""
    basis: tuple[str, ...] = BASIS

    def describe(self) -> str:
        """Says it in lines."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        """Yields the lines."""
        for task in self.tasks:
            yield f"{task.protocol}: {task.items:,} items in {task.groups:,} groups"
            yield from described("model", task.model, task.model_cost)
            if task.judge is not None:
                yield from counted("judge", task.judge)
        yield ""
        yield from self._table()
        if self.left_out:
            yield f"not counted: {', '.join(self.left_out)}, for the loaded data holds too little of what they ask"
        made_up = f", {self.made_up_percent:.1f} % of made-up users" if self.made_up_percent else ""
        judged = f"with the judges of both {self.share_with_judges_percent:.1f} %"
        yield f"share of {self.beside}: {self.share_percent:.1f} %{made_up}; {judged}"
        yield from self.basis

    def _table(self) -> Iterator[str]:
        """Yields what the tasks take at their declared sizes, a line each."""
        model = ("prompts", "prefill", "answers", "computed", "share")
        yield _line("at the declared sizes", *model, "verdicts", *model[1:4])
        for task in self.tasks:
            model_tokens, _ = task.tokens
            share = f"{_percent(model_tokens, self.beside_tokens):.1f} %"
            yield _line(task.protocol, *_figures(task.declared), share, *_figures(task.declared_judge))
        totals = (
            ("together", self.declared_tokens, f"{self.share_percent:.1f} %", self.declared_judge_tokens),
            (self.beside, self.beside_tokens, "", self.beside_judge_tokens),
        )
        for name, model_tokens, share, judge_tokens in totals:
            yield _line(name, "", "", "", f"{model_tokens:,}", share, "", "", "", f"{judge_tokens:,}")


def _figures(work: Work | None) -> tuple[str, ...]:
    """Returns what a row of the table says of a model or a judge."""
    if work is None:
        return ("-",) * 4
    return tuple(f"{count:,}" for count in (work.prompts, work.distinct_tokens, work.answer_tokens, _computed(work)))


def _line(name: str, *cells: str) -> str:
    """Lays out a row of the table: the model's columns, and the judge's."""
    return f"{name:<32}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))


def estimate_tasks(wanted: Sequence[Wanted], settings: Settings, tokenizers: Tokenizers) -> HumanEstimate:
    """Measures the prompts of some tasks and of their judges, and sets them beside HiCUPID's.

    Args:
        wanted: One task each, of the same model.
        settings: Those of this machine.
        tokenizers: Load what is measured with.

    Raises:
        RapportError: `not_found` for a reference, or if the loaded data holds too little of what is asked; what opening
            a data set or loading a tokenizer ended with.
    """
    model = wanted[0].candidate.model
    if model.is_reference:
        raise RapportError(Cause.NOT_FOUND, "A reference asks no model.", "Name a model.")
    found = [(each.conditions.protocol, _task(each, settings, tokenizers)) for each in wanted]
    tasks = tuple(task for _, task in found if task is not None)
    if not tasks:
        raise RapportError(
            Cause.NOT_FOUND, "The data holds too little of what is asked.", "Name another data set, or a higher limit."
        )
    beside, its_judge = _beside(wanted[0], settings, tokenizers)
    declared, declared_judge = (sum(tokens) for tokens in zip(*(task.tokens for task in tasks), strict=True))
    made_up = sum(task.tokens[0] for protocol, task in found if task and not asks_of_people(protocol))
    return HumanEstimate(
        tasks=tasks,
        left_out=tuple(protocol.id for protocol, task in found if task is None),
        declared_tokens=declared,
        declared_judge_tokens=declared_judge,
        beside=BESIDE,
        beside_tokens=beside,
        beside_judge_tokens=its_judge,
        share_percent=_percent(declared, beside),
        made_up_percent=_percent(made_up, beside),
        share_with_judges_percent=_percent(declared + declared_judge, beside + its_judge),
    )


def _beside(wanted: Wanted, settings: Settings, tokenizers: Tokenizers) -> tuple[int, int]:
    """Returns the computed tokens of a protocol of HiCUPID and of its judge, by the tokenizer of one model."""
    protocol = load_protocol(BESIDE)
    judge = _counted_as(load_judge(protocol.judge), wanted.candidate.model)
    conditions = Conditions(protocol, judge, "builtin", settings.data_set)
    found = estimate(wanted._replace(conditions=conditions, limit=None), settings, tokenizers)
    if found.model is None or protocol.items is None:
        raise ValueError(f"{BESIDE} does not say how much it asks of a model")
    verdicts = round(found.judge.prompts / found.items * protocol.items)
    return _computed(scaled(found.model, protocol.items)), _computed(scaled(found.judge, verdicts))


def _task(wanted: Wanted, settings: Settings, tokenizers: Tokenizers) -> TaskEstimate | None:
    """Measures one task; None if the data holds nothing that the model, or the judge, is asked."""
    setup = make_setup(wanted.candidate, _without_weights(wanted), settings)
    if not isinstance(setup, HumanSetup):
        raise RapportError(
            Cause.NOT_FOUND, f"{setup.protocol.id} is no protocol of people's labels.", "Name another one."
        )
    every = [item for item in items_of(setup) if isinstance(item, HumanItem)]
    whole = [item for item in every if item.is_asked]
    if not (asked := whole[: wanted.limit]):
        return None
    setup = setup._replace(only=frozenset(item.question_id for item in asked))
    tokenizer = tokenizers.of(setup.model)
    rows = HumanAnswers(setup, tokenizer).answers(users_of(asked), {})
    first = list(takewhile(lambda row: row.key.sample_index == 0, rows))
    thought = setup.protocol.thought_tokens if setup.thinking else 0
    work = work_of(first, setup.protocol.sampling.max_tokens + thought)
    judging = _judging(setup, _beside_each_other(every, asked), first, tokenizer)
    if judging is not None and not judging.prompts:
        return None
    declared = _declared(setup.protocol, whole, asked, judging)
    return TaskEstimate(
        protocol=setup.protocol.id,
        task=setup.protocol.task,
        items=len(asked),
        groups=len(users_of(asked)),
        model=work,
        model_cost=cost(work, size_of(setup.model, settings)),
        judge=judging,
        declared_items=declared.prompts,
        declared=scaled(work, declared.prompts),
        declared_judge=judging and scaled(judging, declared.verdicts),
    )


def _without_weights(wanted: Wanted) -> Conditions:
    """Returns conditions under which nothing has to be there but the model's tokenizer and the data.

    What compares extracted attributes decides no prompt of the model, so the one without weights stands for it.
    """
    protocol, judge, prompts, data_set, _ = wanted.conditions
    told = protocol.extraction if isinstance(protocol, HumanProtocol) else None
    if told is not None:
        plain = told.model_copy(update={"encoder": words.NAME, "revision": words.REVISION})
        protocol = protocol.model_copy(update={"extraction": plain})
    if isinstance(judge, JudgeSpec) and judge.kind == "pairwise" and prompts == judge.prompt_pack:
        prompts = "builtin"
    return Conditions(protocol, _counted_as(judge, wanted.candidate.model), prompts, data_set)


def _counted_as(judge: Rater, model: PinnedModel) -> Rater:
    """Returns a judge whose tokens are counted as a model's own."""
    if not isinstance(judge, JudgeSpec):
        return judge
    return judge.model_copy(update={"model": model.model, "revision": model.sha})


def _beside_each_other(every: Iterable[HumanItem], asked: Sequence[HumanItem]) -> list[HumanItem]:
    """Returns what is asked, and what is given of the same groups."""
    groups, names = set(users_of(asked)), {item.question_id for item in asked}
    return [
        item
        for item in every
        if item.question_id in names or (not item.is_asked and not groups.isdisjoint(users_of([item])))
    ]


def _judging(
    setup: HumanSetup, items: Sequence[HumanItem], asked: Sequence[Generation], tokenizer: TokenizerProcess
) -> Work | None:
    """Measures what a judge is asked first; None where none reads."""
    judge = setup.judge
    if not isinstance(judge, JudgeSpec):
        return None
    requests = expected_prompts(setup, items, asked, tokenizer.info)
    said = list(tokenizer.generate(requests, samplings_of(judge)[0]))
    return work_of(said, judge.sampling.max_tokens)


def _declared(
    protocol: EvaluationProtocol, whole: Sequence[HumanItem], asked: Sequence[HumanItem], judging: Work | None
) -> Declared:
    """Returns how much a task asks at its declared size.

    Args:
        protocol: The task's.
        whole: What the loaded data holds.
        asked: Those of these that are counted.
        judging: What is judged of the users of `asked`.
    """
    if isinstance(protocol, HumanProtocol) and asks_of_people(protocol):
        return DECLARED[protocol.task]
    verdicts = judging.prompts if judging else 0
    return Declared(_of_all_users(len(whole), whole), _of_all_users(verdicts, asked))


def _of_all_users(count: int, items: Sequence[HumanItem]) -> int:
    """Scales a count from the users of some items to all made-up users."""
    return round(count / len({item.person for item in items}) * MOST_USERS)


def _computed(work: Work) -> int:
    """Tokens that an engine computes: those that no earlier prompt began with, and the answers'."""
    return work.distinct_tokens + work.answer_tokens


def _percent(part: int, whole: int) -> float:
    """Returns a part in percent."""
    return round(100 * part / whole, 2)


def human_protocols(stage: int | None) -> list[HumanProtocol]:
    """Returns the official protocols of the human-grounded suite, those last whose answers a judge reads.

    Args:
        stage: 1 to 3; None for all.

    Example:
        >>> [protocol.task.value for protocol in human_protocols(1)], human_protocols(2)[1].id
        (['verification', 'verification', 'extraction', 'extraction'], 'human-relevance-synthetic-v1')
    """
    every: tuple[AnyTask, ...] = (*Task, *JudgedTask)
    labelled = [f"human-{task}-v1" for task in every if stage in (None, task.stage)]
    made_up = synthetic_protocols()
    return [human_protocol(name) for of in labelled for name in (of, made_up.get(of)) if name]
