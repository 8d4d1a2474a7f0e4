"""A judge is data: one directory with everything that decides its verdicts, and nothing hidden in code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Self, TypeAlias

import yaml
from pydantic import Field, ValidationError, model_validator

from evaluator.engines.base import Sampling
from evaluator.errors import Cause, RapportError
from evaluator.hicupid.prompts import first_fault
from evaluator.hicupid.questions import QuestionType
from evaluator.human.stages.wording import WORDS
from evaluator.human.tasks import Task
from evaluator.identity import digest
from evaluator.judges.parse import BETTER_RESPONSE, PARSERS, SATISFACTION, ParserName, VerdictLine
from evaluator.protocol import PEOPLE
from evaluator.records import Record, SlotOrder

Kind: TypeAlias = Literal["pairwise", "rating", "verifier"]
"""What a judge is asked: which of two answers is better, by how much one serves an attribute better than the other, or
whether an attribute makes sense."""
Orders: TypeAlias = Literal["both", "answer_first", "gold_first", "drawn", "single"]
"""In which slots the two answers stand before a judge: in both orders, one and the same always, one that is drawn for
each pair, or `single` where nothing is compared. The model's answer, or the personalised one, is `answer`."""
SLOTS: Mapping[Orders, tuple[SlotOrder, ...]] = MappingProxyType(
    {
        "both": (SlotOrder.ANSWER_FIRST, SlotOrder.GOLD_FIRST),
        "drawn": (SlotOrder.ANSWER_FIRST, SlotOrder.GOLD_FIRST),
        "answer_first": (SlotOrder.ANSWER_FIRST,),
        "gold_first": (SlotOrder.GOLD_FIRST,),
        "single": (SlotOrder.SINGLE,),
    }
)
"""The slot orders in which a judge may be asked."""
_FITTING: Mapping[Kind, tuple[Orders, ...]] = MappingProxyType(
    {
        "pairwise": ("both", "answer_first", "gold_first"),
        "rating": ("drawn", "answer_first", "gold_first"),
        "verifier": ("single",),
    }
)
"""Which orders fit a kind."""
_BEFORE: Mapping[Kind, Mapping[str, str]] = MappingProxyType(
    {
        "pairwise": {"engine": "own", "orders": "both", "parser": "hicupid-v1"},
        "rating": {"engine": "own", "orders": "drawn", "parser": "word-v1"},
        "verifier": {"engine": "own", "orders": "single", "parser": "word-v1"},
    }
)
"""What was so of every judge of a kind before its file said it: no part of a digest, so that judges which have not
changed keep the names that plans and scorecards know them by."""


class ForcedPatterns(Record):
    """Regular expressions that the completion is forced to match, free text bounded so that the verdict always fits."""

    pairwise: str
    schedule: str


class ForcedWord(Record):
    """The regular expression that a judge is forced to match which says nothing but one word."""

    word: str


class TrainedOn(Record):
    """What a judge was trained on, as its authors say; None is what they do not say."""

    types: tuple[QuestionType, ...] | None = None
    """Question types among its training items."""
    models: tuple[str, ...] | None = None
    """Models whose answers were among them, as the board names them."""


_DECIDE_NOTHING = {"family", "trained_on", "training_note"}
"""Fields that say where a judge comes from and decide no verdict of it: no part of a digest, so that one of which more
becomes known stays the same judge."""


class JudgeSpec(Record):
    """One judge."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")
    title: str
    """One sentence for readers."""
    kind: Kind
    status: Literal["official", "candidate", "demo", "retired"]
    model: str
    """Hub id, or `local/NAME` below the folder of local models."""
    revision: str | None
    """Commit SHA; None is pinned before a run: a local folder to its digest, a Hub model to its newest commit. Of a
    model that is on no Hub, whatever its operator calls its state."""
    engine: Literal["own", "server"]
    """`own` is loaded by the worker, unless settings name a server for it; `server` is an OpenAI-compatible server that
    settings name."""
    orders: Orders
    parser: ParserName
    """How its verdicts are read."""
    sampling: Sampling
    retry_temperature: float = Field(default=0.3, gt=0)
    """A greedy judge would only repeat itself, so the second attempt at an unread verdict is drawn."""
    patterns: ForcedPatterns | ForcedWord | None
    """None lets it write freely."""
    prompt_pack: str
    """Of one that compares, `official`, `builtin` or a pack's id; of others a wording, such as `human-v1`."""
    licence: str
    family: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")
    """Family of its model, by the name that `evaluator.judges.families` has for it; None where nobody says."""
    trained_on: TrainedOn | None = None
    """None where nobody says."""
    training_note: str | None = Field(default=None, min_length=1, max_length=500)
    """What is known of its training, in words for readers."""

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

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.orders not in (fitting := _FITTING[self.kind]):
            raise ValueError(
                f"a judge of kind {self.kind} is asked in orders {' or '.join(fitting)}, not {self.orders}"
            )
        if self.kind not in PARSERS[self.parser].kinds:
            raise ValueError(f"the parser {self.parser} does not read judges of kind {self.kind}")
        if self.status == "official" and self.kind == "pairwise" and self.orders != "both":
            raise ValueError("an official judge that compares is asked in both orders: else it may go by slots alone")
        if self.engine == "server" and self.revision is None and "/" not in self.model:
            raise ValueError(f"{self.model} is on no Hub, so its revision must be said")
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
        """Returns the SHA-256 of all that its verdicts hang on, its title and status with it."""
        told, before = self.model_dump(mode="json", exclude=_DECIDE_NOTHING), _BEFORE[self.kind].items()
        return digest({name: said for name, said in told.items() if (name, said) not in before})

    def line(self, type_: QuestionType = QuestionType.PERSONA) -> VerdictLine:
        """Returns what its verdict on a question of some type looks like; the type matters to one that compares."""
        if self.kind != "pairwise":
            return VerdictLine("", self.words)
        return SATISFACTION if type_ is QuestionType.SCHEDULE else BETTER_RESPONSE

    def read(self, completion: str, type_: QuestionType = QuestionType.PERSONA) -> str | None:
        """Returns the verdict word of a completion, or None if there is no clear one; any text is read.

        Example:
            >>> load_judge("demo-rating").read("4."), load_judge("demo").read("4.")
            ('4', None)
        """
        return PARSERS[self.parser].read(completion, self.line(type_))

    def samplings_for(self, type_: QuestionType) -> tuple[Sampling, ...]:
        """Returns the decodings of both attempts at one question type."""
        return tuple(self.sampling_for(type_, attempt) for attempt in (1, 2))

    def sampling_for(self, type_: QuestionType, attempt: int = 1) -> Sampling:
        """Returns the decoding for one question type, with the forced pattern and the verdict words to watch.

        Args:
            type_: The question's type.
            attempt: From 1; later ones are drawn with another seed.
        """
        pattern = None
        if isinstance(self.patterns, ForcedPatterns):
            pattern = self.patterns.schedule if type_ is QuestionType.SCHEDULE else self.patterns.pairwise
        return self._sampling(pattern, self.line(type_).words, attempt)

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
_FILE = "judge.yaml"


def judge_ids(outside: Path | None = None) -> list[str]:
    """Returns the ids of all judges, sorted.

    Args:
        outside: Folder of further judges, each in a directory of its own; None where there are none.

    Raises:
        RapportError: `data_error` if that folder is not there, or holds a judge under the name of one that ships.

    Example:
        >>> "demo" in judge_ids()
        True
    """
    return sorted({*_shipped_ids(), *_outside_ids(outside)})


def load_judge(judge_id: str, outside: Path | None = None) -> JudgeSpec:
    """Returns the judge with an id.

    Args:
        judge_id: Name of its directory.
        outside: As of `judge_ids`; its files are read anew each time.

    Raises:
        RapportError: `not_found` if there is none, `data_error` if its file is broken, or as of `judge_ids`.

    Example:
        >>> load_judge("demo").status
        'demo'
    """
    own = _outside_ids(outside)
    if judge_id in own and outside is not None:
        path = outside / judge_id / _FILE
        try:
            return _read(judge_id, path.read_text(encoding="utf-8", errors="replace"))
        except OSError as error:
            raise _unreadable(path, error) from error
    if judge_id in _shipped_ids():
        return _shipped(judge_id)
    known = ", ".join(sorted({*_shipped_ids(), *own}))
    raise RapportError(Cause.NOT_FOUND, f"There is no judge {judge_id!r}.", f"Choose one of: {known}.")


def _shipped_ids() -> set[str]:
    """Returns the ids of the judges that ship."""
    return {entry.name for entry in _FOLDER.iterdir() if (entry / _FILE).is_file()}


def _outside_ids(outside: Path | None) -> set[str]:
    """Returns the ids of the judges in a folder; none may be taken for another one."""
    if outside is None:
        return set()
    if not outside.is_dir():
        raise RapportError(
            Cause.DATA_ERROR, f"The folder of judges {outside} is not there.", "Make it, or unset RAPPORT_JUDGES."
        )
    try:
        found = {entry.name for entry in outside.iterdir() if (entry / _FILE).is_file()}
    except OSError as error:
        raise _unreadable(outside, error) from error
    if taken := sorted(found & {*_shipped_ids(), PEOPLE}):
        raise RapportError(
            Cause.DATA_ERROR,
            f"The folder {outside} holds a judge {taken[0]}, which is the name of one that ships.",
            "Give its directory and its id another name.",
        )
    return found


@cache
def _shipped(judge_id: str) -> JudgeSpec:
    """Returns a judge that ships."""
    return _read(judge_id, (_FOLDER / judge_id / _FILE).read_text(encoding="utf-8"))


def _read(judge_id: str, text: str) -> JudgeSpec:
    """Returns the judge that a file holds.

    Raises:
        RapportError: `data_error` with the first fault.
    """
    try:
        judge = JudgeSpec.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        raise _broken(judge_id, first_fault(error)) from error
    except yaml.YAMLError as error:
        raise _broken(judge_id, " ".join(str(error).split())) from error
    if judge.id != judge_id:
        raise _broken(judge_id, f"it calls itself {judge.id}")
    return judge


def _unreadable(path: Path, error: OSError) -> RapportError:
    """Says that somebody's judges cannot be read."""
    return RapportError(
        Cause.DATA_ERROR, f"{path} cannot be read: {error.strerror}.", "Let the user of this process read it."
    )


def _broken(judge_id: str, fault: str) -> RapportError:
    """Says that a file is no judge."""
    return RapportError(
        Cause.DATA_ERROR, f"The file judge.yaml of judge {judge_id} is broken: {fault}.", "Mend the file."
    )
