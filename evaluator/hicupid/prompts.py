"""Prompt packs: the wording of instructions and judge prompts, named by the hash of the prompts themselves.

A pack's id never depends on a file's name, format or comments, only on roles and texts. Placeholders are filled in one
pass, so that braces inside a question or an answer stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import model_validator

from evaluator.engines.base import Message
from evaluator.errors import Cause, RapportError
from evaluator.hicupid.questions import QuestionType
from evaluator.identity import digest
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

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class PromptPack(Record):
    """All prompts of one wording.

    Example:
        >>> builtin_pack().status
        'builtin'
        >>> len(builtin_pack().id)
        16
    """

    inference: dict[str, tuple[Message, ...]]
    """Instructions by prompt style, such as `zero/user`."""
    evaluation: dict[QuestionType, tuple[Message, ...]]
    """Judge prompts by question type."""
    status: Literal["official", "builtin"]

    @model_validator(mode="after")
    def _is_whole(self) -> PromptPack:
        if missing := set(QuestionType) - set(self.evaluation):
            raise ValueError(f"there is no judge prompt for {sorted(missing)}")
        for type_, messages in self.evaluation.items():
            found = {name for message in messages for name in _PLACEHOLDER.findall(message.content)}
            if found != PLACEHOLDERS[type_]:
                raise ValueError(f"the {type_} prompt has the placeholders {sorted(found)}")
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
    """Replaces every placeholder by its value, in one pass: values are never looked into.

    Raises:
        KeyError: If a placeholder has no value.

    Example:
        >>> fill((Message("user", "{question} {answer}"),), {"question": "{answer}?", "answer": "{}"})[0].content
        '{answer}? {}'
    """
    return tuple(
        Message(message.role, _PLACEHOLDER.sub(lambda match: values[match[1]], message.content)) for message in messages
    )


@cache
def builtin_pack() -> PromptPack:
    """Returns Rapport's own wording, which makes everything run without the authors' prompts."""
    path = Path(__file__).parent / "packs" / "builtin.yaml"
    return _read(yaml.safe_load(path.read_text(encoding="utf-8")), "builtin")


def _read(value: Mapping[str, Any], status: Literal["official", "builtin"]) -> PromptPack:
    """Reads a pack from plain dicts and lists."""
    try:
        return PromptPack(
            inference={style: _messages(items) for style, items in value["inference"].items()},
            evaluation={QuestionType(type_): _messages(items) for type_, items in value["evaluation"].items()},
            status=status,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RapportError(Cause.DATA_ERROR, f"The prompt pack is broken: {error}.", "Mend the pack.") from error


def _messages(items: list[Mapping[str, Any]]) -> tuple[Message, ...]:
    """Reads a list of role and content pairs."""
    return tuple(Message(item["role"], item["content"]) for item in items)


def _plain(prompts: Mapping[Any, tuple[Message, ...]]) -> dict[str, list[list[str]]]:
    """Writes prompts as JSON values, for hashing."""
    return {str(name): [list(message) for message in messages] for name, messages in prompts.items()}
