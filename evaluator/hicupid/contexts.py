"""What a model is shown before it is asked: the history as chat messages, then the question."""

from __future__ import annotations

from evaluator.engines.base import Message
from evaluator.hicupid.prompts import PromptPack
from evaluator.hicupid.questions import History, Question
from evaluator.protocol import EvaluationProtocol


def history_messages(history: History) -> tuple[Message, ...]:
    """Returns a user's dialogues in time order as alternating user and assistant messages."""
    return tuple(
        message
        for dialogue in history.dialogues
        for turn in dialogue.turns
        for message in (Message("user", turn.user), Message("assistant", turn.assistant))
    )


def prompt_messages(
    history: tuple[Message, ...], question: Question, protocol: EvaluationProtocol, pack: PromptPack
) -> tuple[Message, ...]:
    """Returns the messages that ask one question.

    In system style the instruction comes first; in user style an instruction and its acknowledgement stand after the
    history, so that everything before them is shared by all questions of the user.
    """
    instruction = pack.inference[protocol.prompt_style]
    asked = Message("user", question.question)
    if protocol.prompt_style.endswith("/system"):
        return (*instruction, *history, asked)
    return (*history, *instruction, asked)
