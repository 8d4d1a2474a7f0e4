"""What people are told of each task, with two worked examples; the human-grounded stages have the words of models."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import yaml
from pydantic import ValidationError

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.prompts import first_fault
from evaluator.human.stages.wording import Instruction, load_wording
from evaluator.human.tasks import Task as ChoiceTask
from evaluator.identity import digest
from leaderboard.labelling.records import WORDS_OF, Task

PAIRS = "pairs-v1"
"""Id of what is said of pairs, in the file of that name."""
_DIGITS = 16


@cache
def instruction_of(task: Task) -> Instruction:
    """Returns what people are told of a task.

    Raises:
        RapportError: `data_error` if the file is broken.

    Example:
        >>> [choice.word for choice in instruction_of(Task.PAIRS).words]
        ['A', 'tie', 'B']
    """
    if task is not Task.PAIRS:
        return load_wording().choices[ChoiceTask(task.value)]
    text = (files("leaderboard") / "labelling" / f"{PAIRS}.yaml").read_text(encoding="utf-8")
    try:
        instruction = Instruction.model_validate(yaml.safe_load(text))
    except (ValidationError, yaml.YAMLError) as error:
        fault = first_fault(error) if isinstance(error, ValidationError) else " ".join(str(error).split())
        raise RapportError(Cause.DATA_ERROR, f"{PAIRS} is broken: {fault}.", "Mend the file.") from error
    if tuple(choice.word for choice in instruction.words) != WORDS_OF[task]:
        raise RapportError(Cause.DATA_ERROR, f"{PAIRS} asks for other words.", "Mend the file.")
    return instruction


@cache
def wording_name(task: Task) -> str:
    """Names what people are told of a task: an id, `@`, and the beginning of a SHA-256 of all that is said.

    Example:
        >>> wording_name(Task.RATING).partition("@")[0], wording_name(Task.PAIRS).partition("@")[0]
        ('human-v1', 'pairs-v1')
    """
    if task is Task.PAIRS:
        return f"{PAIRS}@{digest(instruction_of(task).model_dump(mode='json'))[:_DIGITS]}"
    wording = load_wording()
    return f"{wording.id}@{wording.digest[:_DIGITS]}"
