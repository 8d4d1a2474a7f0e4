"""Task 1 of AlpsBench (arXiv 2603.26680): real dialogues with memories that people verified together.

A verified memory is an attribute with one *consensus* label `accepted`. Nobody published what single annotators said,
so neither agreement between people nor any ceiling follows from it.

Where a record lists the candidates that people were shown, these can be told apart: the candidate is among the verified
memories word for word; its memory is there in other words; or it is not there. Of the last two it is known that people
did not keep it in these words. It is not known whether they thought it wrong, merged it with another one or made it
shorter. So both become attributes without a label, and the report counts them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from evaluator.errors import Cause, RapportError
from evaluator.hub import download, resolve
from evaluator.human.importers.events import Draft, Event, Missed, Noted, Reason, Remark, said_of
from evaluator.human.importers.moments import read_moment
from evaluator.human.importers.pseudonyms import derived_name
from evaluator.human.importers.reading import Row, read_jsonl

HUB_DATA_SET = "Cosineyx/Alpsbench"
ANNOTATOR = "alpsbench-consensus"
VERIFIED, CANDIDATE = "AlpsBench verified memory", "AlpsBench candidate"
_HUB_FILES = ("*task1*.jsonl", "*task1*/*.jsonl")
_UNKNOWN_USER = "unknown_user"
"""What AlpsBench writes for everybody whom it does not know: no user, and never one and the same."""


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class _Turn(_Shape):
    utterance_index: int | None = None
    role: str
    text: str


class _Session(_Shape):
    session_id: str
    started_at: str | None = None
    turns: list[_Turn]


class _Evidence(_Shape):
    session_id: str | None = None
    utterance_index: int | None = None


class _Memory(_Shape):
    memory_id: str | int | None = None
    value: str
    evidence: _Evidence | list[_Evidence] | None = None
    confidence: float | None = None


class _Dialogue(_Shape):
    user_id: str | None = None
    sessions: list[_Session]


class Source(NamedTuple):
    """Where the files lie, and of which commit they are."""

    files: tuple[Path, ...]
    revision: str | None


def find_alpsbench(source: str, revision: str | None = None) -> Source:
    """Returns the files of task 1.

    Args:
        source: A file, a folder (all .jsonl files of it, or those with `task1` in their path if there are any), or an
            id on the Hub such as `Cosineyx/Alpsbench`, which is fetched at its commit.
        revision: Branch, tag or commit on the Hub.

    Raises:
        RapportError: `not_found` if there are none, or as `evaluator.hub.resolve` and `download`.
    """
    if Path(source).is_file():
        return Source((Path(source),), None)
    sha = None
    folder = Path(source)
    if not folder.is_dir():
        sha = resolve(source, repo_type="dataset", revision=revision).sha
        folder = download(source, sha, repo_type="dataset", allowed=_HUB_FILES)
    files = sorted(folder.rglob("*.jsonl"))
    named = [path for path in files if "task1" in path.relative_to(folder).as_posix()]
    if not files:
        raise RapportError(Cause.NOT_FOUND, f"{source} has no .jsonl file of task 1.", "Name another folder.")
    return Source(tuple(named or files), sha)


def read_alpsbench(files: Sequence[Path]) -> Iterator[Event]:
    """Yields the rows of task 1.

    Both of its published forms are read: records that hold dialogue, candidates and verified memories, and pairs of
    files (`model_input`, `reference_output`) whose rows belong together by `benchmark_id`.
    """
    gold: dict[str, list[Any]] = {}
    for path in files:
        for row in read_jsonl(path):
            if isinstance(row, Row) and _is_reference(row):
                yield from _reference(row, gold)
    for path in files:
        for row in read_jsonl(path):
            if isinstance(row, Missed):
                yield row
            elif not _is_reference(row):
                yield from _record(row, gold)


def _is_reference(row: Row) -> bool:
    return "gold" in row.fields


def _reference(row: Row, gold: dict[str, list[Any]]) -> Iterator[Event]:
    name, held = row.fields.get("benchmark_id"), row.fields["gold"]
    memories = held.get("memory_items") if isinstance(held, dict) else None
    if not isinstance(name, str) or not isinstance(memories, list):
        yield Missed(Reason.INVALID, row.place, said="It lacks a benchmark_id or its memory_items.")
    elif gold.setdefault(name, memories) != memories:
        yield Missed(Reason.CONFLICT, row.place, said="The gold of this benchmark_id was given before, differently.")


def _record(row: Row, gold: dict[str, list[Any]]) -> Iterator[Event]:
    """Yields the rows of one record."""
    fields = row.fields.get("input", row.fields)
    try:
        dialogue = _Dialogue.model_validate(fields)
    except ValidationError as error:
        yield Missed(Reason.INVALID, row.place, said=f"It is no record of task 1: {said_of(error)}")
        return
    if not dialogue.sessions:
        yield Missed(Reason.INVALID, row.place, said="It has no session.")
        return
    yield from _Record(row.place, dialogue).read(
        row.fields.get("memory_items", gold.get(str(row.fields.get("benchmark_id")))),
        row.fields.get("memory_stage1_candidates") or [],
    )


class _Record:
    """Turns one dialogue and what is said of it into rows."""

    def __init__(self, place: str, dialogue: _Dialogue) -> None:
        self._place, self._dialogue = place, dialogue
        known = dialogue.user_id if dialogue.user_id not in (None, "", _UNKNOWN_USER) else None
        first = dialogue.sessions[0].session_id
        self._user = (
            derived_name("user", "alpsbench", known) if known else derived_name("user", "alpsbench session", first)
        )
        self._names = {
            session.session_id: derived_name("conversation", "alpsbench", self._user, session.session_id)
            for session in dialogue.sessions
        }
        self._places = {
            session.session_id: {
                place if turn.utterance_index is None else turn.utterance_index: place
                for place, turn in enumerate(session.turns)
            }
            for session in dialogue.sessions
        }

    def read(self, memories: Any, candidates: Any) -> Iterator[Event]:
        for session in self._dialogue.sessions:
            yield from self._conversation(session)
        verified: dict[str, str | None] | None = None
        if memories is None:
            yield Noted(Remark.NO_GOLD, self._place)
        else:
            verified = {}
            yield from self._verified(memories, verified)
        yield from self._candidates(candidates, verified)

    def _verified(self, memories: Any, texts: dict[str, str | None]) -> Iterator[Event]:
        """Yields attributes and labels of the verified memories, and notes the id of each text."""
        for where, memory in self._memories("memory", memories):
            if isinstance(memory, Missed):
                yield memory
                continue
            texts.setdefault(memory.value.strip(), _identity(memory))
            yield from self._attribute(where, memory, VERIFIED)
            label = {"attribute_id": self._name(memory), "annotator_id": ANNOTATOR, "kind": "consensus"}
            yield Draft("attribute_labels", label | {"label": "accepted"}, where)

    def _candidates(self, candidates: Any, verified: dict[str, str | None] | None) -> Iterator[Event]:
        """Yields attributes without a label; with no verified memories there is nothing to compare them with."""
        kept = set((verified or {}).values()) - {None}
        for where, candidate in self._memories("candidate", candidates):
            if isinstance(candidate, Missed):
                yield candidate
                continue
            if verified is not None and candidate.value.strip() in verified:
                continue
            yield from self._attribute(where, candidate, CANDIDATE)
            if verified is not None:
                reworded = _identity(candidate) in kept
                yield Noted(Remark.CANDIDATE_REWORDED if reworded else Remark.CANDIDATE_ABSENT, where)

    def _conversation(self, session: _Session) -> Iterator[Event]:
        moment = read_moment(session.started_at, None)
        if moment.dropped:
            yield Noted(Remark.MOMENT_DROPPED, self._place, "The session's time has no zone.")
        fields = {
            "conversation_id": self._names[session.session_id],
            "user_id": self._user,
            "started_at": moment.moment,
            "turns": [{"role": turn.role, "text": turn.text} for turn in session.turns],
        }
        yield Draft("conversations", fields, self._place)

    def _memories(self, kind: str, listed: Any) -> Iterator[tuple[str, _Memory | Missed]]:
        """Yields what can be read of a list of memories."""
        if not isinstance(listed, list):
            yield self._place, Missed(Reason.INVALID, self._place, "attributes", "Its memories are no list.")
            return
        for number, memory in enumerate(listed):
            where = f"{self._place} {kind} {number}"
            try:
                yield where, _Memory.model_validate(memory)
            except ValidationError as error:
                yield where, Missed(Reason.INVALID, where, "attributes", said_of(error))

    def _attribute(self, where: str, memory: _Memory, origin: str) -> Iterator[Event]:
        listed = memory.evidence if isinstance(memory.evidence, list) else [memory.evidence]
        pointers = [pointer for pointer in listed if pointer is not None]
        found = dict.fromkeys(self._evidence(pointer) for pointer in pointers)
        evidence = [{"conversation_id": name, "turn": turn} for name, turn in filter(None, found)]
        if None in found:
            yield Noted(Remark.EVIDENCE_DROPPED, where, "It points outside the record's sessions.")
        if not evidence:
            yield Noted(Remark.NO_EVIDENCE, where)
        fields = {
            "attribute_id": self._name(memory),
            "user_id": self._user,
            "text": memory.value,
            "evidence": evidence,
            "origin": origin,
            "confidence": memory.confidence,
        }
        yield Draft("attributes", fields, where)

    def _evidence(self, pointer: _Evidence) -> tuple[str, int | None] | None:
        """Returns conversation and turn; a record with one session need not name it."""
        session = pointer.session_id
        if session is None and len(self._places) == 1:
            (session,) = self._places
        if session is None or session not in self._places:
            return None
        if pointer.utterance_index is None:
            return self._names[session], None
        turn = self._places[session].get(pointer.utterance_index)
        return None if turn is None else (self._names[session], turn)

    def _name(self, memory: _Memory) -> str:
        return derived_name("attribute", self._user, memory.value.strip())


def _identity(memory: _Memory) -> str | None:
    return None if memory.memory_id is None else str(memory.memory_id)
