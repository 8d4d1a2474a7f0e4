"""What a model is shown of a history before it is asked, by the context mode of the protocol."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from evaluator.context_mode import Bm25, ContextMode, Dense, FullHistory, GoldEvidence, TokenWindow
from evaluator.encoders.base import Encoder
from evaluator.engines.base import Engine, Message
from evaluator.hicupid.prompts import PromptPack
from evaluator.hicupid.questions import Dialogue, History, Question
from evaluator.hicupid.retrieval import Bm25Retriever, DenseRetriever, Part, Retriever, best, parts_of
from evaluator.protocol import HicupidProtocol

_REMEMBERED = 64
"""Histories whose window or index is kept: those of a wave are asked for twice, when it is packed and when it is
generated."""


class Context(NamedTuple):
    """What one question is asked after."""

    messages: tuple[Message, ...]
    """Parts of the history in time order, as alternating user and assistant messages; empty if none is shown."""
    evidence_recall: float | None
    """Share of the question's evidence dialogues of which at least a part is shown; None without evidence."""


class Contexts(Protocol):
    """One context mode."""

    @property
    def provenance(self) -> tuple[tuple[str, str], ...]:
        """What decides the contexts besides the protocol, such as an encoder's SHA: sorted name and value pairs."""

    def of(self, history: History, questions: Sequence[Question]) -> list[Context]:
        """Returns the context of each of a user's questions, in their order.

        A question's context never depends on which other questions are asked with it.

        Raises:
            RapportError: What the engine's or the encoder's process ended with.
        """


class FullContexts:
    """The whole history, the same for all questions."""

    provenance = ()

    def of(self, history: History, questions: Sequence[Question]) -> list[Context]:
        """See `Contexts.of`."""
        return _shared_by_all(history.dialogues, questions)


class GoldContexts:
    """The dialogues of a question's evidence; nothing for a question without any."""

    provenance = ()

    def of(self, history: History, questions: Sequence[Question]) -> list[Context]:
        """See `Contexts.of`."""
        return [
            _after([dialogue for dialogue in history.dialogues if dialogue.dialogue_id in question.evidence], question)
            for question in questions
        ]


class WindowContexts:
    """The newest whole dialogues that fit a number of tokens, the same for all questions of a user.

    Tokens are those of a prompt that holds these dialogues alone. They are taken to grow with every dialogue, so a
    history is measured some six times. A newest dialogue that does not fit leaves nothing to show.
    """

    provenance = ()

    def __init__(self, tokens: int, engine: Engine) -> None:
        """Shows at most `tokens` tokens as `engine` counts them."""
        self._tokens, self._engine = tokens, engine
        self._window = lru_cache(maxsize=_REMEMBERED)(self._measure)

    def of(self, history: History, questions: Sequence[Question]) -> list[Context]:
        """See `Contexts.of`."""
        return _shared_by_all(self._window(history), questions)

    def _measure(self, history: History) -> tuple[Dialogue, ...]:
        """Returns the newest dialogues that fit together."""
        dialogues = history.dialogues

        def tokens(newest: int) -> int:
            return self._engine.count_tokens([dialogue_messages(dialogues[-newest:])])[0]

        shown = bisect_right(range(1, len(dialogues) + 1), self._tokens, key=tokens)
        return dialogues[len(dialogues) - shown :]


class RetrievedContexts:
    """The parts that fit a question best, put back into time order."""

    def __init__(self, mode: Bm25 | Dense, retriever: Retriever) -> None:
        """Takes unit and number of parts from `mode`."""
        self._unit, self._k = mode.unit, mode.k
        self._index = lru_cache(maxsize=_REMEMBERED)(retriever.index)
        self.provenance = retriever.provenance

    def of(self, history: History, questions: Sequence[Question]) -> list[Context]:
        """See `Contexts.of`."""
        parts = parts_of(history, self._unit)
        score = self._index(tuple(part.text for part in parts))
        return [
            _after([parts[place] for place in best(score(question.question), self._k)], question)
            for question in questions
        ]


def make_contexts(mode: ContextMode, engine: Engine, encoder: Encoder | None = None) -> Contexts:
    """Returns the contexts of a mode.

    Args:
        mode: The protocol's.
        engine: The submitted model, whose tokenizer measures windows.
        encoder: The one that a dense mode names, loaded; it stays the caller's to close.

    Raises:
        ValueError: If the mode is dense and there is no encoder.
    """
    match mode:
        case FullHistory():
            return FullContexts()
        case GoldEvidence():
            return GoldContexts()
        case TokenWindow(tokens=tokens):
            return WindowContexts(tokens, engine)
        case Bm25():
            return RetrievedContexts(mode, Bm25Retriever())
        case Dense():
            if encoder is None:
                raise ValueError(f"the mode needs its encoder {mode.encoder}")
            return RetrievedContexts(mode, DenseRetriever(encoder))


def _shared_by_all(dialogues: Sequence[Dialogue], questions: Sequence[Question]) -> list[Context]:
    """Shows all questions the same dialogues."""
    messages = dialogue_messages(dialogues)
    shown = {dialogue.dialogue_id for dialogue in dialogues}
    return [Context(messages, _recall(shown, question)) for question in questions]


def _after(parts: Sequence[Dialogue | Part], question: Question) -> Context:
    """Shows one question some parts of the history."""
    return Context(dialogue_messages(parts), _recall({part.dialogue_id for part in parts}, question))


def _recall(shown: Collection[int], question: Question) -> float | None:
    """Returns the share of the evidence dialogues that are among the dialogues shown."""
    needed = set(question.evidence)
    return len(needed.intersection(shown)) / len(needed) if needed else None


def dialogue_messages(dialogues: Sequence[Dialogue | Part]) -> tuple[Message, ...]:
    """Returns dialogues, or parts of them, as alternating user and assistant messages."""
    return tuple(
        message
        for dialogue in dialogues
        for turn in dialogue.turns
        for message in (Message("user", turn.user), Message("assistant", turn.assistant))
    )


def prompt_messages(
    context: tuple[Message, ...], question: Question, protocol: HicupidProtocol, pack: PromptPack
) -> tuple[Message, ...]:
    """Returns the messages that ask one question.

    In system style the instruction comes first; in user style an instruction and its acknowledgement stand after the
    context, so that everything before them is shared by all questions of the user.
    """
    instruction = pack.inference[protocol.prompt_style]
    asked = Message("user", question.question)
    if "/system" in protocol.prompt_style:
        return (*instruction, *context, asked)
    return (*context, *instruction, asked)
