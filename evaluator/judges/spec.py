"""A judge is data: one directory with everything that decides its verdicts, and nothing hidden in code."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from evaluator.engines.base import Sampling
from evaluator.errors import Cause, RapportError
from evaluator.hicupid.questions import QuestionType
from evaluator.human.stages.wording import WORDS
from evaluator.human.tasks import Task
from evaluator.identity import digest
from evaluator.judges.parse import BETTER_RESPONSE, SATISFACTION
from evaluator.records import Record


class ForcedPatterns(Record):
    """Regular expressions that the completion is forced to match, free text bounded so that the verdict always fits."""

    pairwise: str
    schedule: str


class ForcedWord(Record):
    """The regular expression that a judge is forced to match which says nothing but one word."""

    word: str


class JudgeSpec(Record):
    """One judge."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")
    title: str
    """One sentence for readers."""
    kind: Literal["pairwise", "rating", "verifier"]
    """What it is asked: which of two answers is better, by how much one serves an attribute better than the other, or
    whether an attribute makes sense."""
    status: Literal["official", "candidate", "demo", "retired"]
    model: str
    """Hub id, or `local/NAME` below the folder of local models."""
    revision: str | None
    """Commit SHA; None is pinned before a run: a local folder to its digest, a Hub model to its newest commit."""
    sampling: Sampling
    retry_temperature: float = Field(default=0.3, gt=0)
    """A greedy judge would only repeat itself, so the second attempt at an unread verdict is drawn."""
    patterns: ForcedPatterns | ForcedWord | None
    """None lets it write freely."""
    prompt_pack: str
    """Of one that compares, `official`, `builtin` or a pack's id; of others a wording, such as `human-v1`."""
    licence: str

    @model_validator(mode="after")
    def _can_be_decoded(self) -> Self:
        pairwise = self.kind == "pairwise"
        if self.patterns is not None and isinstance(self.patterns, ForcedPatterns) != pairwise:
            raise ValueError(f"these patterns are not those of a judge of kind {self.kind}")
        if pairwise:
            for type_ in QuestionType:
                self.sampling_for(type_)
        else:
            self.word_samplings()
        return self

    @property
    def words(self) -> tuple[str, ...]:
        """The words of which it says one; those of a judge that compares depend on the question.

        Example:
            >>> load_judge("demo-verifier").words
            ('accepted', 'uncertain', 'rejected')
        """
        tasks = {"rating": Task.RATING, "verifier": Task.VERIFICATION}
        return tuple(map(str, WORDS[tasks[self.kind]])) if self.kind in tasks else ()

    def digest(self) -> str:
        """Returns the SHA-256 of the whole configuration."""
        return digest(self.model_dump(mode="json"))

    def samplings_for(self, type_: QuestionType) -> tuple[Sampling, ...]:
        """Returns the decodings of both attempts at one question type."""
        return tuple(self.sampling_for(type_, attempt) for attempt in (1, 2))

    def sampling_for(self, type_: QuestionType, attempt: int = 1) -> Sampling:
        """Returns the decoding for one question type, with the forced pattern and the verdict words to watch.

        Args:
            type_: The question's type.
            attempt: From 1; later ones are drawn with another seed.
        """
        schedule = type_ is QuestionType.SCHEDULE
        words = (SATISFACTION if schedule else BETTER_RESPONSE).words
        pattern = None
        if isinstance(self.patterns, ForcedPatterns):
            pattern = self.patterns.schedule if schedule else self.patterns.pairwise
        return self._sampling(pattern, words, attempt)

    def word_samplings(self) -> tuple[Sampling, ...]:
        """Returns the decodings of both attempts of a judge that says nothing but one word."""
        pattern = self.patterns.word if isinstance(self.patterns, ForcedWord) else None
        return tuple(self._sampling(pattern, self.words, attempt) for attempt in (1, 2))

    def decoding(self, type_: QuestionType) -> str:
        """Returns the digest that names the decoding in a verdict's key, retries and all."""
        return decoding_of(self.samplings_for(type_))

    def _sampling(self, pattern: str | None, words: tuple[str, ...], attempt: int) -> Sampling:
        """Returns the decoding of an attempt; later ones than the first are drawn."""
        changes: dict[str, Any] = {"pattern": pattern, "watch": words}
        if attempt > 1:
            changes |= {"temperature": self.retry_temperature, "seed": self.sampling.seed + attempt - 1}
        return Sampling.model_validate({**dict(self.sampling), **changes})


def decoding_of(samplings: Sequence[Sampling]) -> str:
    """Returns the digest that names decodings, one an attempt, in a verdict's key."""
    return digest([sampling.model_dump(mode="json") for sampling in samplings])[:16]


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
