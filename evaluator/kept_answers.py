"""Answers that were given before, so that a judge can be asked about them again and the model is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Self

from evaluator.engines.base import EngineInfo
from evaluator.hicupid.selection import UserItems
from evaluator.records import Generation, InputKey


class KeptAnswers(NamedTuple):
    """Answers of another run; see `evaluator.ask.AnswerSource`. Nothing else is ever answered."""

    rows: Mapping[str, Generation]
    """By question id."""
    info: EngineInfo
    """Provenance of the first of them."""

    @classmethod
    def of(cls, rows: Iterable[Generation]) -> Self:
        """Returns the source of some answers.

        Raises:
            ValueError: If there is none.
        """
        found = {row.key.question_id: row for row in rows}
        if not found:
            raise ValueError("there are no answers to keep")
        first = next(iter(found.values()))
        return cls(
            found,
            EngineInfo(
                engine=first.key.engine,
                version=first.engine_version,
                dtype=first.key.dtype,
                flags=first.engine_flags,
                hardware=first.hardware,
                context_length=0,
                chat_template_hash=first.key.chat_template_hash,
                chat_template_arguments=first.key.chat_template_arguments,
                load_seconds=0.0,
            ),
        )

    def key(self, question_id: str) -> InputKey:
        """See `AnswerSource.key`."""
        return self.rows[question_id].key

    def standing(self, question_id: str, known: Mapping[str, Generation]) -> Generation | None:
        """See `AnswerSource.standing`."""
        return known.get(self.key(question_id).digest())

    def waves(self, users: Sequence[UserItems]) -> Iterator[tuple[UserItems, ...]]:
        """See `AnswerSource.waves`; nothing is left to ask."""
        return iter(())

    def answers(self, users: Sequence[UserItems], done: Mapping[str, Generation]) -> Iterator[Generation]:
        """See `AnswerSource.answers`."""
        return iter(())
