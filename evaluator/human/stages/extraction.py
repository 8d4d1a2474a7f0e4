"""Stage 1, extraction: the attributes that a model finds in one conversation, as JSON, each with its confidence."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from evaluator.engines.base import Message
from evaluator.hicupid.answers import says_something
from evaluator.human.records import Conversation
from evaluator.human.stages.quoting import quoted_conversation
from evaluator.human.stages.reading import LONGEST_ANSWER, Invalid
from evaluator.human.stages.wording import Wording
from evaluator.records import Record
from evaluator.untrusted_json import parse_object

LEAST_CONFIDENCE = 0.4
"""Attributes of less confidence are dropped, as in the paper."""
MOST_ATTRIBUTES = 50
"""Of one conversation: more than ten times what it holds on average, so that only a list out of hand goes beyond it."""
MOST_COPIES = 10
"""How often one text may stand in a list before the list is an endless repetition."""
LONGEST_TEXT = 300
"""Characters of one attribute."""

_FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*)\n[ \t]*```", re.DOTALL)
_SIGN = r"[!#-\[\]-~\u00a1-\ud7ff\ue000-\uffff]"
_SIGN_OR_SPACE = r"[ !#-\[\]-~\u00a1-\ud7ff\ue000-\uffff]"


class ExtractedAttribute(Record):
    """An attribute that a model found."""

    text: str
    """One line, its spaces single."""
    confidence: float = Field(ge=0, le=1)


class Extracted(Record):
    """What an answer lists.

    Of a list that can be read, every entry is counted once: `entries` is what was kept, and `doubtful`, `duplicates`
    and `malformed` together. Of one that is `invalid` nothing is kept.
    """

    attributes: tuple[ExtractedAttribute, ...] = ()
    """In the order of the list. Whether none is a right answer depends on what people accepted."""
    entries: int = 0
    """Of the list, whatever they are; 0 where there is no list."""
    doubtful: int = 0
    """Of less confidence than `LEAST_CONFIDENCE`."""
    duplicates: int = 0
    """Verbatim the same as another one that was kept, which has the highest confidence of them."""
    malformed: int = 0
    """No object of a text and a confidence, or a text that is blank, too long or holds control characters."""
    over: int = 0
    """Entries beyond `MOST_ATTRIBUTES`: a list with any is invalid."""
    invalid: Invalid | None = None
    """Why nothing of the answer counts."""


def extraction_messages(conversation: Conversation, wording: Wording) -> tuple[Message, ...]:
    """Returns the messages that ask for the attributes of a conversation's user."""
    instruction = wording.extraction
    return (
        Message("system", f"{instruction.decide}\n\n{wording.quoting}"),
        Message("user", f"{quoted_conversation(1, conversation, wording)}\n\n{instruction.closing}"),
    )


def forced_pattern(most: int = MOST_ATTRIBUTES, longest: int = LONGEST_TEXT) -> str:
    """Returns what an answer is forced to match where an engine can force it.

    Texts hold neither quotation marks nor backslashes, so that nothing needs to be escaped. An answer that is forced
    still ends in the middle when its tokens do: a model that never ends by itself needs a short list of short texts.

    Args:
        most: Attributes, at least one.
        longest: Characters of each, at least eight.

    Example:
        >>> answer = '{"attributes": [{"text": "The user keeps bees.", "confidence": 0.9}]}'
        >>> re.fullmatch(forced_pattern(), answer) is not None
        True
    """
    text = rf'"{_SIGN}{_SIGN_OR_SPACE}{{7,{longest - 1}}}"'
    entry = rf'\{{"text": {text}, "confidence": (0\.[0-9]{{1,2}}|1\.0)\}}'
    return rf'\{{"attributes": \[({entry}(, {entry}){{0,{most - 1}}})?\]\}}'


def read_extraction(text: str) -> Extracted:
    """Returns the attributes that an answer lists; any text is read, and none raises.

    The answer is one JSON object with one list and nothing else, but for space or one code fence around all of it. An
    entry that is malformed is left out and counted; where all are, so is the list.

    Example:
        >>> found = read_extraction('{"attributes": [{"text": "The user keeps bees.", "confidence": 0.9}]}')
        >>> found.attributes[0].text, found.invalid
        ('The user keeps bees.', None)
        >>> read_extraction('{"attributes": []}').invalid is None
        True
        >>> read_extraction('{"attributes": [').invalid
        <Invalid.BROKEN_JSON: 'broken_json'>
    """
    listed = _listed(text)
    if isinstance(listed, Invalid):
        return Extracted(invalid=listed)
    read = [_attribute(entry) for entry in listed]
    found = [attribute for attribute in read if attribute is not None]
    if invalid := _out_of_hand(len(listed), found):
        over = max(0, len(listed) - MOST_ATTRIBUTES)
        return Extracted(entries=len(listed), malformed=len(read) - len(found), over=over, invalid=invalid)
    sure = [attribute for attribute in found if attribute.confidence >= LEAST_CONFIDENCE]
    kept = _once(sure)
    return Extracted(
        attributes=kept,
        entries=len(listed),
        doubtful=len(found) - len(sure),
        duplicates=len(sure) - len(kept),
        malformed=len(read) - len(found),
    )


def _listed(text: str) -> list[Any] | Invalid:
    """Returns the list of an answer, whatever stands in it."""
    if len(text) > LONGEST_ANSWER:
        return Invalid.TOO_LONG
    if not says_something(text):
        return Invalid.EMPTY
    plain = text.strip()
    if fenced := _FENCED.fullmatch(plain):
        plain = fenced[1].strip()
    if not plain.startswith("{"):
        return Invalid.WRONG_SHAPE if plain.startswith("[") else Invalid.PROSE
    if "\x00" in plain:
        return Invalid.BROKEN_JSON  # The reader of bytes would take it for a sign of another encoding.
    try:
        value = parse_object(plain.encode())
    except ValueError:
        return Invalid.BROKEN_JSON
    listed = value.get("attributes")
    return listed if len(value) == 1 and isinstance(listed, list) else Invalid.WRONG_SHAPE


def _out_of_hand(entries: int, found: Sequence[ExtractedAttribute]) -> Invalid | None:
    """Returns why a list as a whole does not count."""
    if found and max(Counter(attribute.text for attribute in found).values()) > MOST_COPIES:
        return Invalid.COPIES
    if entries > MOST_ATTRIBUTES:
        return Invalid.TOO_MANY
    return Invalid.WRONG_SHAPE if entries and not found else None


def _attribute(entry: Any) -> ExtractedAttribute | None:
    """Returns an entry of the list, or None if it is none."""
    if not isinstance(entry, dict) or set(entry) != {"text", "confidence"}:
        return None
    text, confidence = entry["text"], entry["confidence"]
    if not isinstance(text, str) or isinstance(confidence, bool) or not isinstance(confidence, int | float):
        return None
    line = " ".join(text.split())
    if not _is_readable(line) or not 0 <= confidence <= 1:
        return None
    return ExtractedAttribute(text=line, confidence=confidence)


def _is_readable(line: str) -> bool:
    """Says whether a text can stand as an attribute: seen, short, without control characters or half characters."""
    if len(line) > LONGEST_TEXT or not says_something(line):
        return False
    return not any(unicodedata.category(sign) in ("Cc", "Cs") for sign in line)


def _once(attributes: Sequence[ExtractedAttribute]) -> tuple[ExtractedAttribute, ...]:
    """Returns each text once, in the place of its first copy and with the highest confidence of all."""
    best: dict[str, ExtractedAttribute] = {}
    for attribute in attributes:
        there = best.setdefault(attribute.text, attribute)
        if attribute.confidence > there.confidence:
            best[attribute.text] = attribute
    return tuple(best.values())
