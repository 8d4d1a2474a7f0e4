"""Prompt packs: the wording of instructions and judge prompts, named by the hash of the prompts themselves.

A pack's id never depends on a file's name, format or comments, only on roles and texts. Judge prompts are templates as
`str.format` reads them, filled in one pass, so that braces inside a question or an answer stay what they are.
Instructions are no templates: they are said as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from string import Formatter
from typing import Any, Literal, get_args

import yaml
from pydantic import ValidationError, model_validator

from evaluator.engines.base import Message
from evaluator.errors import Cause, RapportError
from evaluator.hicupid.questions import QuestionType
from evaluator.identity import digest
from evaluator.protocol import PromptStyle
from evaluator.records import Record

PLACEHOLDERS: Mapping[QuestionType, frozenset[str]] = {
    QuestionType.PERSONA: frozenset({"relation", "entity", "question", "answer_a", "answer_b"}),
    QuestionType.PROFILE: frozenset(
        [
            "relation",
            "entity",
            "age",
            "gender",
            "personality",
            "occupation",
            "income_range",
            "question",
            "answer_a",
            "answer_b",
        ]
    ),
    QuestionType.SCHEDULE: frozenset({"datetime", "event", "question", "answer"}),
}
"""What the judge prompt of each question type may and must refer to."""

PackStatus = Literal["official", "imported", "builtin"]
"""`official`: read from a file of HiCUPID's authors whose hash is known; `imported`: from any other file of their
layout; `builtin`: our own wording. Only results with an official pack rank."""

_EXAMPLE_COUNTS = (1, 3, 5)
"""How many examples of each question type the few-shot styles show."""

_LEFT_OVER = re.compile(r"\{\s*(?:" + "|".join(sorted({*chain(*PLACEHOLDERS.values())})) + r")\s*\}")


class PromptPack(Record):
    """All prompts of one wording.

    Example:
        >>> builtin_pack().status
        'builtin'
        >>> len(builtin_pack().id)
        16
    """

    inference: dict[str, tuple[Message, ...]]
    """Instructions by prompt style, such as `zero/user`: all of `PromptStyle`, perhaps more."""
    evaluation: dict[QuestionType, tuple[Message, ...]]
    """Judge prompts by question type, as templates for `fill`."""
    status: PackStatus

    @model_validator(mode="after")
    def _is_whole(self) -> PromptPack:
        for thing, names, wanted in (
            ("an instruction", self.inference, get_args(PromptStyle)),
            ("a judge prompt", self.evaluation, tuple(QuestionType)),
        ):
            if missing := [str(name) for name in wanted if name not in names]:
                raise ValueError(f"{thing} is missing for {', '.join(missing)}")
        for style, messages in self.inference.items():
            _check_texts(f"instruction {style}", messages)
            _check_instruction(style, messages)
        for type_, messages in self.evaluation.items():
            _check_texts(f"{type_} prompt", messages)
            _check_judge_prompt(type_, messages)
        return self

    @property
    def id(self) -> str:
        """The first 16 hexadecimal digits of the hash of all prompts."""
        return digest({"inference": _plain(self.inference), "evaluation": _plain(self.evaluation)})[:16]

    @property
    def inference_id(self) -> str:
        """The same for the inference prompts alone, which is all that a generation depends on."""
        return digest(_plain(self.inference))[:16]

    @property
    def evaluation_id(self) -> str:
        """The same for the judge prompts alone, which is all that a verdict depends on."""
        return digest(_plain(self.evaluation))[:16]


def fill(messages: tuple[Message, ...], values: Mapping[str, str]) -> tuple[Message, ...]:
    """Puts values in for placeholders exactly as `str.format` does, in one pass: values are never looked into.

    Raises:
        KeyError: If a placeholder has no value.

    Example:
        >>> fill((Message("user", "{question} {answer} {{}}"),), {"question": "{answer}?", "answer": "{}"})[0].content
        '{answer}? {} {}'
    """
    return tuple(Message(message.role, _filled(message.content, values)) for message in messages)


def make_pack(
    inference: Mapping[str, Sequence[Message]], evaluation: Mapping[str, Sequence[Message]], status: PackStatus
) -> PromptPack:
    """Returns a pack of prompts, once they are sound.

    Raises:
        RapportError: `data_error`, naming the first fault: a style or type that is missing, a role, an empty text, the
            order of roles, or a placeholder.
    """
    try:
        return PromptPack.model_validate({"inference": inference, "evaluation": evaluation, "status": status})
    except ValidationError as error:
        raise RapportError(
            Cause.DATA_ERROR, f"The prompt pack is broken: {first_fault(error)}.", "Mend the file that it is made from."
        ) from error


def first_fault(error: ValidationError) -> str:
    """Returns the first thing that a record was refused for, with its place, as part of a sentence."""
    fault = error.errors(include_url=False, include_input=False)[0]
    place = " / ".join(str(part) for part in fault["loc"])
    return f"{place}: {fault['msg']}" if place else fault["msg"].removeprefix("Value error, ")


@cache
def builtin_pack() -> PromptPack:
    """Returns Rapport's own wording, which makes everything run without the authors' prompts.

    Its few-shot styles are its zero-shot ones with examples behind the instruction.
    """
    path = Path(__file__).parent / "packs" / "builtin.yaml"
    words = yaml.safe_load(path.read_text(encoding="utf-8"))
    inference = {style: _messages(items) for style, items in words["inference"].items()}
    for place in ("system", "user"):
        for count in _EXAMPLE_COUNTS:
            shown = [words["examples"][type_][:count] for type_ in QuestionType]
            examples = [example for group in zip(*shown, strict=True) for example in group]
            inference[f"few/{place}/{count}"] = _with_examples(inference[f"zero/{place}"], words["before"], examples)
    evaluation = {type_: _messages(items) for type_, items in words["evaluation"].items()}
    return make_pack(inference, evaluation, "builtin")


def _with_examples(
    instruction: tuple[Message, ...], before: str, examples: Sequence[Mapping[str, str]]
) -> tuple[Message, ...]:
    """Puts examples behind the instruction, in the same message: as messages they would look like the user's own."""
    first, *rest = instruction
    told = [f"Known: {each['known']}\nRequest: {each['request']}\nAnswer: {each['answer']}" for each in examples]
    return (Message(first.role, "\n\n".join((first.content, before, *told))), *rest)


def _messages(items: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    """Reads a list of role and content pairs."""
    return tuple(Message(item["role"], item["content"]) for item in items)


def _plain(prompts: Mapping[Any, tuple[Message, ...]]) -> dict[str, list[list[str]]]:
    """Writes prompts as JSON values, for hashing."""
    return {str(name): [list(message) for message in messages] for name, messages in prompts.items()}


def _filled(template: str, values: Mapping[str, str]) -> str:
    """Fills one template, whose placeholders are plain names."""
    return "".join(text + ("" if name is None else values[name]) for text, name, _, _ in Formatter().parse(template))


def _check_texts(where: str, messages: tuple[Message, ...]) -> None:
    """Refuses texts that say nothing or cannot be written down."""
    if not messages:
        raise ValueError(f"the {where} has no message")
    for message in messages:
        if not message.content.strip():
            raise ValueError(f"the {where} has an empty message")
        try:
            message.content.encode()
        except UnicodeEncodeError:
            raise ValueError(f"the {where} holds half of a surrogate pair, which is no character") from None


def _check_instruction(style: str, messages: tuple[Message, ...]) -> None:
    """Refuses an instruction that cannot stand where its style puts it: before the history or before the question."""
    roles = tuple(message.role for message in messages)
    place = "user" if "/user" in style else "system"
    if place == "system" and roles != ("system",):
        raise ValueError(f"the instruction {style} must be one system message, not {', '.join(roles)}")
    if place == "user" and (len(roles) % 2 or roles != ("user", "assistant") * (len(roles) // 2)):
        raise ValueError(f"the instruction {style} must take turns from user to assistant, not {', '.join(roles)}")
    for message in messages:
        if found := _LEFT_OVER.search(message.content):
            raise ValueError(f"the instruction {style} holds the placeholder {found[0]}, but is never filled")


def _check_judge_prompt(type_: QuestionType, messages: tuple[Message, ...]) -> None:
    """Refuses a judge prompt whose messages are in no order for a judge, or whose placeholders are not its type's."""
    roles = [message.role for message in messages]
    if roles[-1] != "user" or "system" in roles[1:]:
        raise ValueError(f"the {type_} prompt must end with a user message and have no system message but the first")
    found = {name for message in messages for name in _placeholders(type_, message.content)}
    if missing := PLACEHOLDERS[type_] - found:
        raise ValueError(f"the {type_} prompt lacks {_in_braces(missing)}")
    if unknown := found - PLACEHOLDERS[type_]:
        raise ValueError(f"the {type_} prompt has the unknown placeholders {_in_braces(unknown)}")


def _placeholders(type_: QuestionType, template: str) -> set[str]:
    """Returns the names that a template refers to."""
    try:
        fields = [field for field in Formatter().parse(template) if field[1] is not None]
    except ValueError as error:
        raise ValueError(f"the {type_} prompt is no template of str.format: {error}") from None
    for _, name, form, conversion in fields:
        if form or conversion:
            raise ValueError(f"the {type_} prompt has more than a name in the placeholder {name!r}")
    return {str(name) for _, name, _, _ in fields}


def _in_braces(names: Iterable[str]) -> str:
    """Lists placeholders as they stand in a template."""
    return " ".join(f"{{{name}}}" for name in sorted(names))
