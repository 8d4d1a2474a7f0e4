"""The records that last: what was asked, what came out, what a rater said, and what that adds up to.

Every stored row is one of these, frozen and versioned. Two names tell rows apart. An *input key* says what was asked of
whom under which conditions; a *content hash* says what came out. A verdict hangs on the content it judged, so equal
answers are judged once and a new judge only ever adds rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, ClassVar, Literal, Self, TypeVar, cast, dataclass_transform

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from evaluator.errors import Cause
from evaluator.identity import digest, text_digest


class Record(BaseModel):
    """Base of all records: frozen, closed to unknown fields, and free of NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())


Kind = TypeVar("Kind")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def small_record(kind: type[Kind]) -> type[Kind]:
    """Makes a class a record of a few numbers, of which boards hold a million.

    It checks what it is made of and stands in JSON as a `Record` does, in a tenth of the memory: it has slots and
    remembers of no field whether it was given. What a `Record` does by methods, `dataclasses.replace` and `asdict` and
    pydantic's `TypeAdapter` do for it.

    Example:
        >>> @small_record
        ... class Share:
        ...     part: int
        ...     whole: int
        >>> Share(part=1, whole=2)
        Share(part=1, whole=2)
        >>> Share(part="a", whole=2)
        Traceback (most recent call last):
        ...
        pydantic_core._pydantic_core.ValidationError: 1 validation error for Share...
    """
    config = ConfigDict(extra="forbid", allow_inf_nan=False)
    made: Any = dataclass(frozen=True, slots=True, kw_only=True, config=config)(kind)
    return cast(type[Kind], made)


Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
"""Takes the fields of a record of one version to those of the next one, but for `schema_version`."""


class UpgradedRecord(Record):
    """Base of records that were stored in other forms before: those are read as well, wherever they stand.

    A record that changes is given the next `schema_version`, this base, and an upgrade from each version before. What
    stands in a typed column keeps its type: a field of another type is given another name.

    Example:
        >>> class Taste(UpgradedRecord):
        ...     upgrades = {1: lambda fields: {"dish": fields["food"]}}
        ...     schema_version: Literal[2] = 2
        ...     dish: str
        >>> Taste.model_validate_json('{"schema_version": 1, "food": "ramen"}').dish
        'ramen'
    """

    upgrades: ClassVar[Mapping[int, Upgrade]] = {}

    @model_validator(mode="before")
    @classmethod
    def _from_older_versions(cls, value: Any) -> Any:
        """Takes what was stored in an older form to the present one, version by version."""
        while isinstance(value, dict) and isinstance(version := value.get("schema_version"), int):
            if (upgrade := cls.upgrades.get(version)) is None:
                break
            try:
                fields = upgrade({name: part for name, part in value.items() if name != "schema_version"})
            except (KeyError, TypeError, AttributeError) as error:
                raise ValueError(f"it is no {cls.__name__} of version {version} either") from error
            value = fields | {"schema_version": version + 1}
        return value


class Terms(Record):
    """Under which terms a row may be shown and kept; carried by the data set and by every row made from it."""

    visibility: Literal["public", "private"]
    """Whether the row may stand in the public data set."""
    season: str
    """The season of the leaderboard in which the row was made."""
    licence: str | None
    """SPDX-like id of the source's licence; None where its authors have not stated one."""
    redistributable: bool
    """Whether the source's own text (questions, gold answers, histories) may be shown to others."""
    personal_data: Literal["none", "synthetic", "pseudonymous", "personal"]
    """Whether real people stand behind the text."""


class SlotOrder(StrEnum):
    """Which answer stood in slot A of the judge's prompt; `single` where there is nothing to compare."""

    ANSWER_FIRST = "answer_first"
    GOLD_FIRST = "gold_first"
    SINGLE = "single"


class InputKey(Record):
    """What was asked of whom under which conditions; its digest names the generation's input."""

    model: str
    model_sha: str
    adapter: str | None
    adapter_sha: str | None
    data_sha: str
    protocol: str
    conditions: str
    """Digest of what the protocol decides of a prompt and its answer; see `EvaluationProtocol.conditions`."""
    prompt_pack: str
    chat_template_hash: str
    chat_template_arguments: tuple[tuple[str, str], ...]
    """Sorted name and value pairs handed to the chat template, a pinned date among them."""
    context: tuple[tuple[str, str], ...] = ()
    """Sorted name and value pairs that decide the context besides the protocol, such as an encoder's SHA."""
    engine: str
    dtype: str
    sample_index: int = Field(ge=0)
    question_id: str

    def digest(self) -> str:
        """Returns the SHA-256 of the key's canonical JSON."""
        return digest(self.model_dump(mode="json"))


class Defect(StrEnum):
    """What is wrong with an answer before any judge reads it: such an answer loses."""

    EMPTY = "empty"
    """Nothing but space."""
    CONTROL_TOKENS = "control_tokens"
    """Control characters or the markup of a chat template stand in the text."""
    REPETITION = "repetition"
    """The answer ends in an endless repetition that only the token limit stopped."""


class Generation(Record):
    """One answer of a model, or the reason why there is none."""

    schema_version: Literal[1, 2] = 1
    """2 if its text was taken down, and else 1: such a row has nothing that version 1 lacks."""
    key: InputKey
    input_key: str
    """Digest of `key`."""
    answer: str | None
    """The text that is judged; None if the item failed, or if it was taken down."""
    content_hash: str | None
    """SHA-256 of the answer, even of one that was taken down."""
    thought: str | None
    """What a thinking model wrote before its answer; never judged."""
    defect: Defect | None
    """Why the answer loses without being judged."""
    bleu: float | None = Field(ge=0, le=100)
    """Sentence BLEU of the answer against gold; None without an answer."""
    rouge_l: float | None = Field(ge=0, le=100)
    """ROUGE-L F1 of the answer against gold; None without an answer."""
    evidence_recall: float | None = Field(ge=0, le=1)
    """Share of the gold evidence dialogues of which at least a part stood in the context; None without evidence or
    without an answer."""
    failure: Cause | None
    """Why there is no answer, such as `context_overflow`."""
    prompt_hash: str
    """SHA-256 of the prompt's token ids."""
    prompt_tokens: int = Field(ge=0)
    cached_tokens: int | None = Field(ge=0)
    """Prompt tokens that the engine took from its prefix cache; None where it does not tell."""
    shared_tokens: int | None = Field(ge=0)
    """Longest common prefix with any prompt of the same user that was asked before, in this engine or an earlier one:
    what sharing allowed; None where the engine does not tell the prompt's tokens."""
    output_tokens: int = Field(ge=0)
    """Of the answer, without the thought."""
    thought_tokens: int = Field(ge=0)
    finish_reason: str
    """`stop`, `length`, or `error` where there is no answer."""
    attempt: int = Field(ge=1)
    engine_version: str
    engine_flags: tuple[tuple[str, str], ...]
    """Sorted name and value pairs, batch invariance among them."""
    hardware: str
    seconds: float = Field(ge=0)
    """From handing the prompt over to the last token; prompts of one wave overlap."""
    terms: Terms
    taken_down: bool = Field(default=False, exclude_if=lambda taken_down: not taken_down)
    """Whether answer and thought were taken down: what was found of them stays, and their text is nowhere."""

    @model_validator(mode="after")
    def _names_fit_content(self) -> Self:
        if self.input_key != self.key.digest():
            raise ValueError("input_key is not the digest of key")
        hashed, stands = self.content_hash is not None, self.answer is not None
        if hashed != (self.failure is None) or stands != (hashed and not self.taken_down):
            raise ValueError(
                "a generation has an answer with its hash, or a failure, never both or neither; "
                "the hash alone stays of one that was taken down"
            )
        if self.taken_down != (self.schema_version == 2) or (self.taken_down and self.thought is not None):
            raise ValueError("a row is of version 2 if its text was taken down, and then has none")
        if self.answer is not None and self.content_hash != text_digest(self.answer):
            raise ValueError("content_hash is not the digest of answer")
        return self


class Outcome(StrEnum):
    """What a verdict says of the model's answer."""

    WIN = "win"
    TIE = "tie"
    LOSS = "loss"
    SATISFIED = "satisfied"
    UNSATISFIED = "unsatisfied"
    ACCEPTED = "accepted"
    """Of an attribute, as the next two: it makes sense in the light of its evidence."""
    UNCERTAIN = "uncertain"
    REJECTED = "rejected"
    MUCH_WORSE = "much_worse"
    """Of a personalised answer beside a generic one in the light of one attribute, as the next four."""
    WORSE = "worse"
    NO_DIFFERENCE = "no_difference"
    BETTER = "better"
    MUCH_BETTER = "much_better"
    MENTIONED = "mentioned"
    """Of an attribute, as the next two: whether an answer names it openly."""
    UNMENTIONED = "unmentioned"
    UNTOLD = "untold"
    """Whether it is named cannot be told."""
    MATCHED = "matched"
    """Of an extracted attribute, as the next two: it is taken for one that people accepted."""
    UNMATCHED = "unmatched"
    MERGED = "merged"
    """Another one of the same user stands for it."""


_OF_FIRST_VERSION = frozenset({Outcome.WIN, Outcome.TIE, Outcome.LOSS, Outcome.SATISFIED, Outcome.UNSATISFIED})


def verdict_version(outcome: Outcome | None, *, taken_down: bool = False) -> Literal[1, 2, 3]:
    """Returns the version of a verdict's row: the oldest one that has a place for what it says.

    Example:
        >>> verdict_version(Outcome.WIN), verdict_version(Outcome.WIN, taken_down=True), verdict_version(Outcome.BETTER)
        (1, 2, 3)
    """
    if outcome is not None and outcome not in _OF_FIRST_VERSION:
        return 3
    return 2 if taken_down else 1


class VerdictKey(Record):
    """What was judged by whom under which conditions."""

    content_hash: str
    data_sha: str
    question_id: str
    rater: str
    """Judge id, or the pseudonym of a person."""
    rater_revision: str
    judge_prompt_pack: str
    decoding: str
    """Digest of the judge's sampling and forced pattern."""
    engine: str
    dtype: str
    chat_template_hash: str
    chat_template_arguments: tuple[tuple[str, str], ...]
    """Sorted name and value pairs handed to the judge's chat template, a pinned date among them."""
    slot_order: SlotOrder

    def digest(self) -> str:
        """Returns the SHA-256 of the key's canonical JSON."""
        return digest(self.model_dump(mode="json"))


class Verdict(Record):
    """One rater's word on one answer, or on a part of one, in one slot order."""

    schema_version: Literal[1, 2, 3] = 1
    """3 if it says something of a human-grounded task, else 2 if its words were taken down, and else 1: such a row has
    nothing that version 1 lacks."""
    key: VerdictKey
    verdict_key: str
    """Digest of `key`."""
    rater_kind: Literal["model", "human", "rule"]
    """A rule is a program that reads no sense into texts, such as the nearness of two vectors of an encoder."""
    completion: str
    """The rater's raw words, or what a rule went by; empty if they were taken down."""
    word: str | None
    """The verdict word that the strict grammar read from `completion`; None if it could not."""
    outcome: Outcome | None
    """None is a missing verdict: counted and shown, never a tie or a loss."""
    failure: Cause | None = None
    """Why the rater said nothing, such as `context_overflow`."""
    word_probabilities: tuple[tuple[str, float], ...]
    """Probability of each verdict word at its place, where the engine gives it; words outside its top list are left
    out."""
    prompt_hash: str
    prompt_tokens: int = Field(ge=0)
    cached_tokens: int | None = Field(ge=0)
    """None where the engine does not tell."""
    output_tokens: int = Field(ge=0)
    attempt: int = Field(ge=1)
    engine_version: str
    seconds: float = Field(ge=0)
    terms: Terms
    taken_down: str | None = Field(default=None, exclude_if=lambda taken_down: taken_down is None)
    """SHA-256 of the words that were taken down; None if they stand there."""

    @model_validator(mode="after")
    def _names_fit_content(self) -> Self:
        if self.verdict_key != self.key.digest():
            raise ValueError("verdict_key is not the digest of key")
        taken_down = self.taken_down is not None
        if self.schema_version != verdict_version(self.outcome, taken_down=taken_down):
            raise ValueError("a row is of version 2 if its words were taken down, of 3 if it says what only that knows")
        if taken_down and self.completion:
            raise ValueError("a row whose words were taken down has none")
        if (self.word is None) != (self.outcome is None):
            raise ValueError("a verdict has a word and its outcome, or neither")
        return self
