"""What of the archive's rows is public: as licences and consent allow."""

from __future__ import annotations

import pytest

from evaluator.errors import Cause
from evaluator.judges.spec import load_judge
from evaluator.records import Generation
from leaderboard.open_data.judge_views import open_judge
from leaderboard.open_data.views import open_generation, open_request, open_verdict
from tests.builders import TERMS, WIN, make_generation, make_input_key, make_item, make_verdict
from tests.open_data.rows import CONSENT, NO_CONSENT, RUN, failed, judged, make_history, shown

TOKEN = "hf_canaryCanaryCanaryCanary"
PRIVATE = TERMS.model_copy(update={"visibility": "private"})
CLOSED_SOURCE = TERMS.model_copy(update={"redistributable": False, "licence": None})


def of_reference(**changes: object) -> Generation:
    return make_generation(make_input_key(model="reference/gold"), "The ramen you love.", **changes)


def test_an_answer_is_shown_where_its_owner_consented_whatever_the_source() -> None:
    for terms in (TERMS, CLOSED_SOURCE):
        row = shown(make_generation(thought="Ramen.", thought_tokens=3, terms=terms))
        assert (row.answer_status, row.answer, row.thought) == ("shown", "Ramen, as always.", "Ramen.")


def test_an_answer_without_consent_is_withheld_and_all_else_stays() -> None:
    answered = make_generation(thought="Ramen.", thought_tokens=3)
    row, open_row = shown(answered, NO_CONSENT), shown(answered)

    assert (row.answer_status, row.answer, row.thought) == ("withheld", None, None)
    hidden = {"answer_status", "answer", "thought"}
    assert row.model_dump(exclude=hidden) == open_row.model_dump(exclude=hidden)
    assert (row.content_hash, row.thought_tokens) == (answered.content_hash, 3)


@pytest.mark.parametrize("declaration", [CONSENT, NO_CONSENT])
def test_an_answer_that_does_not_exist_is_told_from_one_that_is_withheld(declaration) -> None:
    row = shown(failed(), declaration)

    assert (row.answer_status, row.answer, row.failure) == ("none", None, Cause.CONTEXT_OVERFLOW)


def test_an_empty_answer_is_an_answer() -> None:
    assert (shown(make_generation(answer="")).answer_status, shown(make_generation(answer="")).answer) == ("shown", "")


def test_a_reference_is_text_of_its_source_and_follows_its_licence() -> None:
    assert shown(of_reference(), NO_CONSENT).answer == "The ramen you love."
    withheld = shown(of_reference(terms=CLOSED_SOURCE), CONSENT)
    assert (withheld.answer_status, withheld.answer) == ("withheld", None)


def test_a_text_with_what_looks_like_a_secret_is_withheld_whole() -> None:
    telling = make_generation(answer=f"Use {TOKEN}.", thought=f"{TOKEN} it is.", thought_tokens=3)
    row = shown(telling)
    verdict = judged(make_verdict(make_generation(), WIN, completion=f"It said {TOKEN}. Better Response: A"))

    assert (row.answer_status, row.answer, row.thought, verdict.completion) == ("withheld", None, None, None)
    assert (row.content_hash, verdict.word) == (telling.content_hash, "A")
    ours = open_generation(
        make_generation(answer="Say open-sesame."),
        make_item("test_1/1"),
        True,
        CONSENT,
        RUN,
        frozenset({"open-sesame"}),
    )
    assert ours is not None
    assert ours.answer_status == "withheld"


def test_private_rows_are_no_public_rows() -> None:
    answer = make_generation(terms=PRIVATE)

    assert open_generation(answer, make_item("test_1/1"), True, CONSENT, RUN) is None
    assert open_verdict(make_verdict(answer, WIN, terms=PRIVATE), True, "org/model", CONSENT, RUN) is None
    assert open_request(make_history(terms=PRIVATE)) is None


def test_a_verdict_is_public_and_the_judges_words_only_where_source_and_answer_are() -> None:
    answer = make_generation()
    words = "Better Response: A"

    assert judged(make_verdict(answer, WIN)).completion == words
    for row in (
        judged(make_verdict(answer, WIN, terms=CLOSED_SOURCE)),
        judged(make_verdict(answer, WIN), NO_CONSENT),
        judged(make_verdict(answer, WIN, rater_kind="human")),
    ):
        assert row.completion is None
        assert (row.word, row.outcome, row.content_hash) == ("A", WIN, answer.content_hash)


def test_the_judges_words_on_a_reference_follow_the_licence_of_its_source() -> None:
    assert judged(make_verdict(of_reference(), WIN), CONSENT, "reference/gold").completion is not None
    closed = make_verdict(of_reference(), WIN, terms=CLOSED_SOURCE)
    assert judged(closed, CONSENT, "reference/gold").completion is None


def test_a_missing_verdict_stays_missing() -> None:
    row = judged(make_verdict(make_generation(), None, failure=Cause.TIMEOUT))

    assert (row.word, row.outcome, row.failure) == (None, None, Cause.TIMEOUT)


def test_rows_say_whose_they_are() -> None:
    answer, verdict = shown(make_generation()), judged(make_verdict(make_generation(), WIN))

    for row in (answer, verdict):
        assert (row.run_id, row.submission_id, row.model) == (RUN, RUN.split(".")[0], "org/model")
        assert (row.protocol, row.question_id, row.licence) == ("demo-v1", "test_1/1", "apache-2.0")
    assert (verdict.rater, verdict.rater_kind) == ("demo", "model")


def test_a_judge_is_told_with_all_that_decides_its_verdicts() -> None:
    forced, free = open_judge(load_judge("demo")), open_judge(load_judge("hicupid-llama-3.2-3b"))

    assert (forced.temperature, forced.seed, forced.judge_config) == (0.0, 42, load_judge("demo").digest())
    assert forced.schedule_pattern is not None
    assert (free.pairwise_pattern, free.schedule_pattern, free.max_tokens) == (None, None, 512)
