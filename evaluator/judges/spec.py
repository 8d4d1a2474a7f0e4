"""A judge is data: one directory with everything that decides its verdicts, and nothing hidden in code."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from evaluator.engines.base import Sampling
from evaluator.errors import Cause, RapportError
from evaluator.hicupid.questions import QuestionType
from evaluator.identity import digest
from evaluator.judges.parse import BETTER_RESPONSE, SATISFACTION
from evaluator.records import Record


class ForcedPatterns(Record):
    """Regular expressions that the completion is forced to match, free text bounded so that the verdict always fits."""

    pairwise: str
    schedule: str


class JudgeSpec(Record):
    """One judge."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")
    title: str
    """One sentence for readers."""
    kind: Literal["pairwise"]
    status: Literal["official", "candidate", "demo", "retired"]
    model: str
    """Hub id, or `local/NAME` below the folder of local models."""
    revision: str | None
    """Commit SHA; None is pinned before a run: a local folder to its digest, a Hub model to its newest commit."""
    sampling: Sampling
    retry_temperature: float = Field(default=0.3, gt=0)
    """A greedy judge would only repeat itself, so the second attempt at an unread verdict is drawn."""
    patterns: ForcedPatterns | None
    prompt_pack: str
    licence: str

    @model_validator(mode="after")
    def _can_be_decoded(self) -> Self:
        for type_ in QuestionType:
            self.sampling_for(type_)
        return self

    def digest(self) -> str:
        """Returns the SHA-256 of the whole configuration."""
        return digest(self.model_dump(mode="json"))

    def sampling_for(self, type_: QuestionType, attempt: int = 1) -> Sampling:
        """Returns the decoding for one question type, with the forced pattern and the verdict words to watch.

        Args:
            type_: The question's type.
            attempt: From 1; later ones are drawn with another seed.
        """
        schedule = type_ is QuestionType.SCHEDULE
        words = (SATISFACTION if schedule else BETTER_RESPONSE).words
        pattern = None
        if self.patterns:
            pattern = self.patterns.schedule if schedule else self.patterns.pairwise
        changes: dict[str, Any] = {"pattern": pattern, "watch": words}
        if attempt > 1:
            changes |= {"temperature": self.retry_temperature, "seed": self.sampling.seed + attempt - 1}
        return Sampling.model_validate({**dict(self.sampling), **changes})

    def decoding(self, type_: QuestionType) -> str:
        """Returns the digest that names the decoding in a verdict's key, retries and all."""
        return digest([self.sampling_for(type_, attempt).model_dump(mode="json") for attempt in (1, 2)])[:16]


_FOLDER = files("evaluator") / "judges" / "configs"


def judge_ids() -> list[str]:
    """Returns the ids of all judges, sorted.

    Example:
        >>> "demo" in judge_ids()
        True
    """
    return sorted(entry.name for entry in _FOLDER.iterdir() if (entry / "judge.yaml").is_file())


@cache
def load_judge(judge_id: str) -> JudgeSpec:
    """Returns the judge with an id.

    Raises:
        RapportError: `not_found` if there is none, `data_error` if its file is broken.

    Example:
        >>> load_judge("demo").status
        'demo'
    """
    if judge_id not in (known := judge_ids()):
        raise RapportError(Cause.NOT_FOUND, f"There is no judge {judge_id!r}.", f"Choose one of: {', '.join(known)}.")
    try:
        return JudgeSpec.model_validate(yaml.safe_load((_FOLDER / judge_id / "judge.yaml").read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise RapportError(
            Cause.DATA_ERROR, f"The file judge.yaml of judge {judge_id} is broken: {error}", "Mend the file."
        ) from error
