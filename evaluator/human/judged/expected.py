"""What a judge would be asked of a model that answers as the data set itself does: for estimates, before any answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from evaluator.engines.base import EngineInfo, Request
from evaluator.human.data import HumanData
from evaluator.human.items import HumanItem
from evaluator.human.judged.extracted import Merger
from evaluator.human.judged.prompts import prompts_of
from evaluator.human.judged.subjects import Subject, pairs_of, subjects_of
from evaluator.human.labelled import pair_item
from evaluator.human.setup import HumanSetup
from evaluator.human.tasks import JudgedTask, Task
from evaluator.identity import text_digest
from evaluator.judges.spec import JudgeSpec
from evaluator.records import Generation, SlotOrder


def expected_prompts(
    setup: HumanSetup, items: Sequence[HumanItem], asked: Iterable[Generation], engine: EngineInfo
) -> list[Request]:
    """Returns what a run's judge would be asked first, if the model wrote what the data set holds in its place.

    The answers to prompts are the data set's own. Of extraction, as much is verified as people have labelled, each
    sentence once as it is and once as if a model had written another one of the same words.

    Args:
        setup: A run of a task whose answers a judge reads.
        items: All of some groups, what is given too.
        asked: A row of each prompt that the model is asked; what it says is left aside.
        engine: What the judge runs on.

    Raises:
        ValueError: If the task is not such a one.
    """
    task, judge = setup.protocol.task, setup.judge
    if isinstance(task, Task) or not isinstance(judge, JudgeSpec):
        raise ValueError(f"nobody judges {setup.protocol.id}")
    sound = _own_answers(asked, setup.data)
    subjects = subjects_of(task, items, sound, ())
    if task is JudgedTask.EXTRACTION:
        subjects = [*subjects, *_as_if_extracted(subjects, setup.data)]
    prompts = prompts_of(setup, judge, subjects, pairs_of(items, sound), engine)
    return [prompt.request for prompt in prompts.values()]


def _own_answers(asked: Iterable[Generation], data: HumanData) -> dict[str, Generation]:
    """Returns the data set's own answers to prompts as a model's, by item."""
    own: dict[str, str] = {}
    for response in data.tables.responses:
        own.setdefault(response.prompt_id, response.generic)
        own.setdefault(pair_item(response.prompt_id, response.user_id), response.personalised)
    rows = {row.key.question_id: row for row in asked}
    return {
        name: row.model_copy(update={"answer": own[name], "content_hash": text_digest(own[name])})
        for name, row in rows.items()
        if name in own
    }


def _as_if_extracted(given: Iterable[Subject], data: HumanData) -> Iterator[Subject]:
    """Yields attributes that a model might have extracted: as many, as long and from the same conversations."""
    for subject in given:
        words = data.attributes[str(subject.attribute_id)].text.split()
        merger = Merger(" ".join(reversed(words)), subject.item.evidence)
        yield Subject(subject.item, subject.item.person, merger.content_hash, SlotOrder.SINGLE, merger=merger)
