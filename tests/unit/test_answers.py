"""What an answer shows before any judge reads it: which defects lose, and how many of gold's words it shares."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from evaluator.hicupid.answers import find_defect, overlap_with_gold
from evaluator.records import Defect

ADVICE = "Since you love ramen, try the small place by the river; it is open until nine and rarely full."
TOPPINGS = ["egg", "leek", "corn", "nori", "tofu", "miso"]
LIST = "\n".join(f"{number}. Ramen with {topping}" for number, topping in enumerate(TOPPINGS))
LONGEST = 100_000
ROUGE = RougeScorer(["rougeL"], use_stemmer=True)


@pytest.mark.parametrize("answer", ["", " ", "\n\t \r\n", "\u200b\ufeff", " \u200d\u2060 ", "\u00a0\u3000"])
def test_an_answer_that_nobody_can_see_is_empty(answer):
    assert find_defect(answer, "stop") is Defect.EMPTY


@pytest.mark.parametrize(
    "answer",
    [
        "Ramen.<|im_end|>",
        "<|start_header_id|>assistant<|end_header_id|>\n\nRamen.",
        "<｜end▁of▁sentence｜>Ramen.",
        "Ramen.</s>",
        "<s>Ramen.",
        "</s><s>[INST] And then? [/INST] Ramen.",
        "<<SYS>> Be kind. <</SYS>>",
        "Ramen.<end_of_turn>",
        "Ramen.<eos><pad><pad>",
        "<think>She likes ramen.</think>Ramen.",
        "Ramen.</think>",
        "<tool_call>find()",
        "[TOOL_CALLS] find()",
        "Ra\x00men",
        "\x1b[31mRamen",
        "Ramen\x7f",
        "Ramen\x9d",
        "\x00",
    ],
)
def test_control_characters_and_the_markup_of_chat_templates_are_a_defect(answer):
    assert find_defect(answer, "stop") is Defect.CONTROL_TOKENS


@pytest.mark.parametrize(
    "answer",
    [
        "Ramen.",
        "0",
        "👍",
        "拉面，还是老样子。",
        "لا مشكلة",
        "a\u200db\u200e",
        "Ramen\r\n\tand\x0b more\x0c\x85",
        "Take <s>coffee</s> tea, <b>now</b>.",
        "x <| f |> y, a < b > c, <|>, <| |>",
        "Ask [the user] about [INSTEAD] or <something>.",
        "cut in the middle of a sign \ufffd",
        "I think so; I was thinking of ramen.",
    ],
)
@pytest.mark.parametrize("finish_reason", ["stop", "length"])
def test_whatever_else_people_write_is_none(answer, finish_reason):
    assert find_defect(answer, finish_reason) is None


REPETITIONS = {
    "a word": "I would say " + "ramen " * 60,
    "a sentence, cut in the middle": "Well. " + (ADVICE + " ") * 7 + ADVICE[:40],
    "a line": LIST + "\n" + "7. Ramen with egg\n" * 12,
    "signs without spaces": "Ramen" + "!" * 200,
    "without any word": "拉面" * 50,
    "with spaces of many kinds": "Well. " + "Try ramen.\n\nTry ramen. \u00a0" * 20,
    "from the beginning": ADVICE * 6,
}


@pytest.mark.parametrize("kind", REPETITIONS)
def test_an_endless_repetition_loses_only_if_the_token_limit_stopped_it(kind):
    answer = REPETITIONS[kind].strip()
    assert find_defect(answer, "length") is Defect.REPETITION
    assert find_defect(answer, "stop") is None


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(ADVICE * 4, id="four times"),
        pytest.param(LIST * 4, id="a list four times"),
        pytest.param("\n".join([LIST, *LIST.splitlines()[::-1]] * 3), id="a list up and down"),
        pytest.param("\n".join(f"- Day {day}: ramen" for day in range(40)), id="a list that counts"),
        pytest.param("\n".join(f"| {day:02d} | ramen | tea |" for day in range(40)), id="a table"),
        pytest.param(ADVICE * 3 + " ha" * 60, id="a laugh that is less than half"),
        pytest.param("ha " * 60 + ADVICE * 3, id="a laugh at the beginning"),
        pytest.param("no no no no", id="a few short words"),
        pytest.param(" ".join(random.Random(5).choices(["tea", "ramen", "soup"], k=200)), id="few words in any order"),
    ],
)
def test_a_long_answer_that_was_cut_off_is_no_repetition(answer):
    assert find_defect(answer, "length") is None


@given(st.text(alphabet="ab ", max_size=60))
def test_a_repetition_is_found_exactly_where_trying_every_period_finds_it(text):
    plain = " ".join(text.split())

    def repeated(period: int) -> int:
        length = period
        while length < len(plain) and plain[-length - 1] == plain[-length - 1 + period]:
            length += 1
        return length

    found = any(repeated(period) >= max(len(plain) / 2, 5 * period) for period in range(1, len(plain)))
    assert (find_defect(text, "length") is Defect.REPETITION) == found


def long_texts() -> dict[str, str]:
    """Texts of a hundred thousand signs on which searching place by place, or filling a table, would take minutes."""
    words = random.Random(1).choices([f"w{number}" for number in range(3000)], k=LONGEST)
    return {
        "words": " ".join(words)[:LONGEST],
        "one letter": "a" * LONGEST,
        "a stem without end": "y" * LONGEST,
        "one letter but for the middle": "a" * (LONGEST // 2) + "b" + "a" * (LONGEST // 2 - 1),
        "two words": "ab " * (LONGEST // 3),
        "half of a tag": "<|" * (LONGEST // 2),
        "tags without end": "<s>" * (LONGEST // 3),
        "spaces": "x" + " " * (LONGEST - 2) + "y",
    }


@pytest.mark.parametrize("kind", long_texts())
def test_an_answer_of_any_length_is_looked_at_in_one_pass(kind):
    text = long_texts()[kind]
    find_defect(text, "length")
    overlap = overlap_with_gold(text, text)
    assert overlap.rouge_l == (100 if any(map(str.isalnum, text)) else 0)
    assert overlap.bleu == pytest.approx(100)


some_words = st.sampled_from(["ramen", "loving", "loves", "the", "a", "yes", "7", "Ramen's", "café"])
sentences = st.lists(some_words, max_size=12).map(" ".join)


@given(sentences, sentences)
def test_rouge_l_is_the_one_of_rouge_score(answer, gold):
    expected = 100 * ROUGE.score(gold, answer)["rougeL"].fmeasure
    assert overlap_with_gold(answer, gold).rouge_l == pytest.approx(expected, abs=1e-5)


@given(st.text(max_size=40), st.text(max_size=40))
def test_overlap_is_a_share_and_that_of_rouge_score_for_any_text(answer, gold):
    overlap = overlap_with_gold(answer, gold)
    assert 0 <= overlap.bleu <= 100
    assert overlap.rouge_l == pytest.approx(100 * ROUGE.score(gold, answer)["rougeL"].fmeasure, abs=1e-5)


@pytest.mark.parametrize(
    ("answer", "gold", "bleu", "rouge_l"),
    [
        ("The ramen you love.", "The ramen you love.", 100, 100),
        ("", "The ramen you love.", 0, 0),
        ("The ramen you love.", "", 0, 0),
        ("!?", "The ramen you love.", 0, 0),
        ("the ramen", "the ramen you love", 36.787944, 66.666667),
        ("you love the ramen", "the ramen you love", 45.180101, 50),
    ],
)
def test_overlap_by_example(answer, gold, bleu, rouge_l):
    overlap = overlap_with_gold(answer, gold)
    assert (overlap.bleu, overlap.rouge_l) == (pytest.approx(bleu, abs=1e-5), pytest.approx(rouge_l, abs=1e-5))
