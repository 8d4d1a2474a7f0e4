"""What each mode shows of a history made by hand, and how much of the evidence is among it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from evaluator.context_mode import Bm25, ContextMode, Dense, FullHistory, GoldEvidence, TokenWindow
from evaluator.engines.base import Message
from evaluator.hicupid.contexts import Context, dialogue_messages, make_contexts
from evaluator.hicupid.questions import Dialogue, History, Turn
from tests.builders import PERSONA, make_question
from tests.scripted import ScriptedEngine


def make_dialogue(number: int, *said: str) -> Dialogue:
    turns = tuple(Turn(user=text, assistant="Fine.") for text in said)
    return Dialogue(dialogue_id=number, type=PERSONA, turns=turns)


RAMEN = make_dialogue(2, "I love ramen", "and soup")
DOG = make_dialogue(5, "my dog is old", "he sleeps", "ramen is not for dogs")
DENTIST = make_dialogue(7, "dentist at noon")
HISTORY = History(user_id=1, dialogues=(RAMEN, DOG, DENTIST))
FULL, GOLD = FullHistory(mode="full"), GoldEvidence(mode="gold")


def silent_engine() -> ScriptedEngine:
    return ScriptedEngine(lambda _: None)


def context(mode: ContextMode, question: str = "What about ramen ?", evidence: tuple[int, ...] = (2, 7)) -> Context:
    """What one question is shown of the history."""
    asked = make_question(question=question, evidence=evidence)
    (only,) = make_contexts(mode, silent_engine()).of(HISTORY, [asked])
    return only


def bm25(unit: str, k: int) -> Bm25:
    return Bm25(mode="bm25", unit=unit, k=k)


def window(tokens: int) -> TokenWindow:
    return TokenWindow(mode="window", tokens=tokens)


def said(shown: Context) -> list[str]:
    return [message.content for message in shown.messages if message.role == "user"]


def test_the_full_mode_shows_everything():
    assert context(FULL) == Context(dialogue_messages(HISTORY.dialogues), 1.0)


def test_gold_shows_the_evidence_alone_in_time_order():
    assert context(GOLD, evidence=(7, 2)) == Context(dialogue_messages([RAMEN, DENTIST]), 1.0)


@pytest.mark.parametrize("mode", [FULL, GOLD, window(10), bm25("dialogue", 1)])
def test_a_question_without_evidence_has_no_recall(mode):
    assert context(mode, evidence=()).evidence_recall is None


def test_gold_shows_nothing_to_a_question_without_evidence():
    assert context(GOLD, evidence=()).messages == ()


@pytest.mark.parametrize(
    ("tokens", "shown", "recall"),
    [
        (3, [], 0.0),
        (4, [DENTIST], 0.5),
        (17, [DENTIST], 0.5),
        (18, [DOG, DENTIST], 0.5),
        (24, [DOG, DENTIST], 0.5),
        (25, [RAMEN, DOG, DENTIST], 1.0),
        (10**6, [RAMEN, DOG, DENTIST], 1.0),
    ],
)
def test_a_window_shows_the_newest_dialogues_that_fit_whole(tokens, shown, recall):
    assert context(window(tokens)) == Context(dialogue_messages(shown), recall)


def test_a_window_is_the_same_for_all_questions_and_measured_once_in_a_few_steps():
    engine = CountingEngine()
    contexts = make_contexts(window(40), engine)
    history = History(user_id=1, dialogues=tuple(make_dialogue(number, "one two") for number in range(40)))
    questions = [make_question(f"test_1/{number}", evidence=(number,)) for number in (0, 39)]

    first = contexts.of(history, questions)
    again = contexts.of(history, questions[1:])

    assert first[0].messages == first[1].messages == again[0].messages
    assert [each.evidence_recall for each in first] == [0.0, 1.0]
    assert engine.measured <= 6


class CountingEngine(ScriptedEngine):
    """Notes how often it is asked to count."""

    def __init__(self) -> None:
        super().__init__(lambda _: None)
        self.measured = 0

    def count_tokens(self, conversations):
        self.measured += 1
        return super().count_tokens(conversations)


@given(st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=12), st.integers(1, 80))
def test_no_more_and_no_fewer_dialogues_than_fit_are_shown(words, tokens):
    dialogues = tuple(make_dialogue(number, " ".join("x" * count)) for number, count in enumerate(words))
    (shown,) = make_contexts(window(tokens), silent_engine()).of(
        History(user_id=1, dialogues=dialogues), [make_question(evidence=())]
    )
    fitting = [
        count for count in range(len(words) + 1) if sum(each + 1 for each in words[len(words) - count :]) <= tokens
    ]
    assert shown.messages == dialogue_messages(dialogues[len(words) - max(fitting) :])


def test_bm25_shows_the_turns_that_share_most_words_with_the_question_in_time_order():
    shown = context(bm25("utterance", 2))
    assert said(shown) == ["I love ramen", "ramen is not for dogs"]
    assert shown.evidence_recall == 0.5
    assert shown.messages[:2] == (Message("user", "I love ramen"), Message("assistant", "Fine."))


def test_bm25_can_show_whole_dialogues():
    assert context(bm25("dialogue", 1)) == Context(dialogue_messages([RAMEN]), 0.5)


def test_of_parts_that_fit_equally_the_newest_are_shown():
    assert said(context(bm25("utterance", 2), question="nothing fits")) == ["ramen is not for dogs", "dentist at noon"]


@pytest.mark.parametrize("unit", ["utterance", "dialogue"])
def test_where_there_are_fewer_parts_than_asked_for_all_are_shown(unit):
    assert context(bm25(unit, 99)) == context(FULL)


@given(st.integers(1, 6), st.sampled_from(["utterance", "dialogue"]), st.sampled_from(["ramen", "dog old", "at", "?"]))
def test_whatever_is_shown_stands_in_time_order_and_takes_turns(k, unit, question):
    shown = context(bm25(unit, k), question).messages
    whole = iter(context(FULL).messages)
    assert all(message in whole for message in shown)
    assert [message.role for message in shown] == ["user", "assistant"] * (len(shown) // 2)


def test_a_context_does_not_depend_on_the_other_questions():
    contexts = make_contexts(bm25("utterance", 1), silent_engine())
    asked = [make_question(question=text) for text in ("ramen", "dentist", "dog", "soup")]
    assert contexts.of(HISTORY, asked) == [contexts.of(HISTORY, [each])[0] for each in asked]
    assert contexts.of(HISTORY, []) == []


def test_only_what_the_protocol_does_not_fix_is_provenance():
    for mode in (FULL, GOLD, window(5)):
        assert make_contexts(mode, silent_engine()).provenance == ()
    names = [name for name, _ in make_contexts(bm25("dialogue", 1), silent_engine()).provenance]
    assert names == sorted(names) == ["bm25", "bm25s"]


def test_a_dense_mode_without_its_encoder_is_refused():
    with pytest.raises(ValueError, match="facebook/contriever"):
        make_contexts(Dense(mode="dense", unit="utterance", k=5), silent_engine())


@pytest.mark.parametrize("mode", [{"mode": "bm25", "k": 1}, {"mode": "window", "tokens": 0}, {"mode": "full", "k": 1}])
def test_a_mode_that_is_not_wholly_said_is_refused(mode):
    with pytest.raises(ValueError, match=f"1 validation error .*\n{mode['mode']}"):
        TypeAdapter(ContextMode).validate_python(mode)


def test_showing_everything_needs_no_heavy_library():
    script = (
        "import sys; from evaluator.hicupid.contexts import make_contexts, FullHistory;"
        "make_contexts(FullHistory(mode='full'), None);"
        "print([name for name in ('bm25s', 'numba', 'torch', 'transformers') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"
