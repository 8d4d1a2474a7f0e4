"""The items that the tool's annotators were shown: users, prompts and responses; as rows, and as answers name them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.human.importers.events import Draft, Event, Missed, Noted, Reason, Remark
from evaluator.human.importers.moments import read_moment
from evaluator.human.importers.pseudonyms import Salt, derived_name
from evaluator.human.importers.reading import Row, read_jsonl
from evaluator.human.importers.tool_shapes import (
    EvidenceRow,
    Listed,
    Pointer,
    PromptItem,
    ResponseItem,
    SourceConversation,
    UserItem,
    shaped,
)

ORIGIN = "annotation tool"


class KnownUser(NamedTuple):
    """Stage 1: the attributes that were judged, in the order in which they were shown."""

    texts: tuple[str, ...]
    names: tuple[str, ...]


class KnownPrompt(NamedTuple):
    """Stage 2: the attributes that were judged, by text."""

    prompt_id: str
    attributes: Mapping[str, str]


class KnownResponse(NamedTuple):
    """Stage 3: the attributes that were rated, by text, and what the answers repeat of the item."""

    response_id: str
    attributes: Mapping[str, str]
    told: Mapping[str, str]


Key = tuple[str, ...]
"""Task, and how its answers name the item."""


class Items:
    """All items, gathered while they are turned into rows."""

    def __init__(self, salt: Salt) -> None:
        """Begins with none."""
        self.users: dict[Key, KnownUser] = {}
        self.prompts: dict[Key, KnownPrompt] = {}
        self.responses: dict[Key, KnownResponse] = {}
        self.tasks: dict[str, int] = {}
        """Stage of every task of which there are items."""
        self._salt = salt
        self._sources: dict[str, str | None] = {}
        self._evidence: dict[str, list[Pointer]] = {}

    def read_evidence(self, path: Path) -> Iterator[Event]:
        """Reads where the attributes of users stand; to be done before the items."""
        for row in read_jsonl(path):
            found = row if isinstance(row, Missed) else shaped(EvidenceRow, row)
            if isinstance(found, Missed):
                yield found
            elif self._evidence.setdefault(str(found.user_id), found.evidence) != found.evidence:
                yield Missed(Reason.CONFLICT, row.place, said="The user's evidence was given before, differently.")

    def read(self, task: str, path: Path) -> Iterator[Event]:
        """Reads the items of a task and yields their rows.

        Raises:
            RapportError: `data_error` if the file has items of two stages, or the task has two files.
        """
        if task in self.tasks:
            raise RapportError(
                Cause.DATA_ERROR, f"There are two files with the items of task {task}.", "Name each task once."
            )
        self.tasks[task] = 0
        for row in read_jsonl(path):
            if isinstance(row, Missed):
                yield row
                continue
            stage = _stage(row)
            if self.tasks[task] not in (0, stage):
                raise RapportError(
                    Cause.DATA_ERROR, f"{row.place}: {path.name} holds items of two stages.", "Give each a file."
                )
            self.tasks[task] = stage
            yield from (self._user, self._prompt, self._response)[stage - 1](task, row)

    def _user(self, task: str, row: Row) -> Iterator[Event]:
        item = shaped(UserItem, row)
        if isinstance(item, Missed):
            yield item
            return
        raw = str(item.user_id)
        if self._sources.setdefault(raw, item.source) != item.source:
            yield Missed(Reason.CONFLICT, row.place, said="The user id stands for users of two sources.")
            return
        user = self._salt.pseudonym("user", raw)
        spoken = [conversation for conversation in item.conversations if conversation.conversation]
        names = [_conversation_name(user, conversation) for conversation in spoken]
        for place, (conversation, name) in enumerate(zip(spoken, names, strict=True)):
            yield from _conversation(f"{row.place} conversation {place}", user, name, conversation)
        pointers = self._evidence.get(raw) or [Pointer()] * len(item.merged_attributes)
        if len(pointers) != len(item.merged_attributes):
            yield Noted(Remark.EVIDENCE_DROPPED, row.place, "There is evidence for another number of attributes.")
            pointers = [Pointer()] * len(item.merged_attributes)
        for place, (attribute, pointer) in enumerate(zip(item.merged_attributes, pointers, strict=True)):
            where = f"{row.place} attribute {place}"
            evidence = list(_evidence(pointer, spoken, names))
            yield from _remarks(where, pointer, spoken, found=bool(evidence))
            yield _attribute(where, user, attribute, evidence)
        texts = _texts(item.merged_attributes)
        known = KnownUser(texts, tuple(_attribute_name(user, text) for text in texts))
        if self.users.setdefault((task, str(item.item_index)), known) != known:
            yield _twice(row)

    def _prompt(self, task: str, row: Row) -> Iterator[Event]:
        item = shaped(PromptItem, row)
        if isinstance(item, Missed):
            yield item
            return
        user = self._salt.pseudonym("user", str(item.user_id))
        prompt_id, draft = _prompt_row(row.place, user, item.prompt_text)
        yield draft
        for place, attribute in enumerate(item.profile_attributes):
            yield _attribute(f"{row.place} attribute {place}", user, attribute, [])
        known = KnownPrompt(prompt_id, _by_text(user, item.profile_attributes))
        if self.prompts.setdefault((task, str(item.prompt_index), str(item.user_id)), known) != known:
            yield _twice(row)

    def _response(self, task: str, row: Row) -> Iterator[Event]:
        item = shaped(ResponseItem, row)
        if isinstance(item, Missed):
            yield item
            return
        user = self._salt.pseudonym("user", str(item.user_id))
        prompt_id, draft = _prompt_row(row.place, user, item.prompt_text)
        yield draft
        relevant = [attribute for attribute in item.attributes if attribute.is_relevant]
        for place, attribute in enumerate(relevant):
            yield _attribute(f"{row.place} attribute {place}", user, attribute, [])
        names = list(_by_text(user, relevant).values())
        pair = (item.response_no_context.strip(), item.response_personalized.strip())
        response_id = derived_name("response", user, prompt_id, item.model_tag, *pair, *names)
        fields = {
            "response_id": response_id,
            "prompt_id": prompt_id,
            "user_id": user,
            "attribute_ids": names,
            "writer": item.model_tag,
            "generic": pair[0],
            "personalised": pair[1],
        }
        yield Draft("responses", fields, row.place)
        told = {"prompt_id": item.prompt_id, "user_id": str(item.user_id), "model_tag": item.model_tag}
        known = KnownResponse(response_id, _by_text(user, relevant), told)
        if self.responses.setdefault((task, str(item.item_index)), known) != known:
            yield _twice(row)


def _stage(row: Row) -> int:
    """Tells the stage of an item by what only items of that stage have.

    Raises:
        RapportError: `data_error` if it is of none.
    """
    for stage, field in enumerate(("merged_attributes", "profile_attributes", "response_personalized"), start=1):
        if field in row.fields:
            return stage
    raise RapportError(
        Cause.DATA_ERROR, f"{row.place} is no item of the tool.", "Name the tool's files of extracted items."
    )


def _twice(row: Row) -> Missed:
    return Missed(Reason.CONFLICT, row.place, said="There is another item of this number; answers are of that one.")


def _conversation_name(user: str, conversation: SourceConversation) -> str:
    said = [part for turn in conversation.conversation or () for part in (turn.role, turn.content)]
    return derived_name("conversation", user, *said)


def _conversation(place: str, user: str, name: str, conversation: SourceConversation) -> Iterator[Event]:
    written = conversation.timestamp if isinstance(conversation.timestamp, str) else None
    moment = read_moment(written, None)
    if moment.dropped:
        yield Noted(Remark.MOMENT_DROPPED, place)
    fields = {
        "conversation_id": name,
        "user_id": user,
        "started_at": moment.moment,
        "turns": [{"role": turn.role, "text": turn.content} for turn in conversation.conversation or ()],
    }
    yield Draft("conversations", fields, place)


def _evidence(
    pointer: Pointer, spoken: list[SourceConversation], names: list[str]
) -> Iterator[dict[str, str | int | None]]:
    """Yields evidence; what points outside the conversations is none."""
    place = pointer.conv_idx
    if place is None or not 0 <= place < len(spoken):
        return
    turns = [turn for turn in pointer.turn_idxs or () if 0 <= turn < len(spoken[place].conversation or ())]
    for turn in sorted(set(turns)) if turns else [None]:
        yield {"conversation_id": names[place], "turn": turn}


def _remarks(place: str, pointer: Pointer, spoken: list[SourceConversation], *, found: bool) -> Iterator[Noted]:
    if _is_outside(pointer, spoken):
        yield Noted(Remark.EVIDENCE_DROPPED, place, "It points outside the user's conversations.")
    if not found:
        yield Noted(Remark.NO_EVIDENCE, place)


def _is_outside(pointer: Pointer, spoken: list[SourceConversation]) -> bool:
    """Tells evidence that is not where it should be from none, which the tool writes as nothing or as -1."""
    place = pointer.conv_idx
    if place is None or place == -1:
        return False
    if not 0 <= place < len(spoken):
        return True
    return not all(0 <= turn < len(spoken[place].conversation or ()) for turn in pointer.turn_idxs or ())


def _attribute(place: str, user: str, attribute: Listed, evidence: list[dict[str, str | int | None]]) -> Draft:
    fields = {
        "attribute_id": _attribute_name(user, attribute.attribute),
        "user_id": user,
        "text": attribute.attribute,
        "evidence": evidence,
        "origin": ORIGIN,
    }
    return Draft("attributes", fields, place)


def _attribute_name(user: str, text: str) -> str:
    return derived_name("attribute", user, text.strip())


def _prompt_row(place: str, user: str, text: str) -> tuple[str, Draft]:
    name = derived_name("prompt", text.strip())
    return name, Draft("prompts", {"prompt_id": name, "text": text, "user_ids": [user]}, place)


def _texts(attributes: list[Listed]) -> tuple[str, ...]:
    return tuple(attribute.attribute.strip() for attribute in attributes)


def _by_text(user: str, attributes: list[Listed]) -> dict[str, str]:
    return {text: _attribute_name(user, text) for text in _texts(attributes)}
