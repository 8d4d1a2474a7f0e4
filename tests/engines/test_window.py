"""A window is measured with the model's own template and tokenizer, in the process where the model lives."""

from __future__ import annotations

from evaluator.context_mode import TokenWindow
from evaluator.engines.process import EngineProcess
from evaluator.hicupid.contexts import dialogue_messages, make_contexts
from evaluator.hicupid.questions import Dialogue, History, Turn
from tests.builders import PERSONA, make_question

HISTORY = History(
    user_id=1,
    dialogues=tuple(
        Dialogue(dialogue_id=number, type=PERSONA, turns=(Turn(user="r" * (5 + number), assistant="é"),))
        for number in range(6)
    ),
)


def test_a_window_holds_what_the_model_counts_and_no_dialogue_more(transformers_engine: EngineProcess) -> None:
    newest = [dialogue_messages(HISTORY.dialogues[-count:]) for count in range(1, 7)]
    tokens = transformers_engine.count_tokens(newest)
    # One marker asks for the answer; a dialogue has four more, the two bytes of é, and one token for each r.
    assert tokens == [1 + sum(4 + 2 + 5 + number for number in range(6 - count, 6)) for count in range(1, 7)]

    for limit, shown in ((tokens[0] - 1, 0), (tokens[0], 1), (tokens[3] - 1, 3), (tokens[3], 4), (tokens[5] + 9, 6)):
        contexts = make_contexts(TokenWindow(mode="window", tokens=limit), transformers_engine)
        (context,) = contexts.of(HISTORY, [make_question(evidence=(5,))])
        assert context.messages == dialogue_messages(HISTORY.dialogues[6 - shown :])
        assert context.evidence_recall == (1.0 if shown else 0.0)
