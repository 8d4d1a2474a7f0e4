"""Takes out of records what nobody may read in public: secrets, addresses of people's machines, folders."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import Any, Literal, TypeVar, get_args, get_origin

from evaluator.records import Record
from evaluator.redaction import MARK, redact

Kind = TypeVar("Kind", bound=Record)
Secrets = frozenset[str]
"""Texts that must not appear; see `secrets_of`."""

NO_SECRETS: Secrets = frozenset()

_NAMES = frozenset({"id", "model", "adapter", "submitter", "protocol", "protocols", "judge"})
"""Fields that name public things: other rows and paths are found by them."""
_ALWAYS_FITS = 100
"""Characters that every free text may have."""


def is_clean(text: str, secrets: Secrets = NO_SECRETS) -> bool:
    """Says whether nothing would be taken out of a text.

    Example:
        >>> is_clean("Try the ramen."), is_clean("Use hf_abcdefghijklmnopqrst.")
        (True, False)
    """
    return redact(text, secrets) == text


@lru_cache(maxsize=8192)
def clean_text(text: str, secrets: Secrets = NO_SECRETS) -> str:
    """Returns a text without what must not appear; all of it is replaced where the rest would be longer than before.

    Texts have greatest lengths, and one that grows might not be read again.

    Example:
        >>> clean_text("the token is hf_abcdefghijklmnopqrst")
        'the token is [redacted]'
    """
    cleaned = redact(text, secrets)
    return cleaned if len(cleaned) <= max(len(text), _ALWAYS_FITS) else MARK


def clean(record: Kind, secrets: Secrets = NO_SECRETS) -> Kind:
    """Returns a record whose texts hold nothing that must not appear; names and words of fixed lists stay.

    Args:
        record: Any record.
        secrets: Texts to take out besides what looks like a secret.
    """
    fields = type(record).model_fields
    return record.model_copy(
        update={
            name: _cleaned(value, secrets)
            for name, value in record
            if name not in _NAMES and not _is_literal(fields[name].annotation)
        }
    )


def _cleaned(value: Any, secrets: Secrets) -> Any:
    """Cleans what a field holds."""
    if isinstance(value, Record):
        return clean(value, secrets)
    if isinstance(value, tuple):
        return tuple(_cleaned(part, secrets) for part in value)
    if isinstance(value, str) and not isinstance(value, Enum):
        return clean_text(value, secrets)
    return value


def _is_literal(annotation: Any) -> bool:
    """Says whether a field's values are words of a fixed list."""
    return Literal in (get_origin(annotation), *map(get_origin, get_args(annotation)))
