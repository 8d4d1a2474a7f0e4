"""What is read of a published result, and which of its rows count."""

from __future__ import annotations

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.records import Defect, Generation, InputKey, SlotOrder, Verdict
from leaderboard.open_data import layout
from leaderboard.open_data.published import Published, generation_of, read_published
from leaderboard.store.base import Delete, Write
from leaderboard.store.local import LocalStore
from tests.builders import TERMS, TIE, WIN, make_generation, make_input_key, make_scorecard, make_verdict
from tests.open_data.rows import NO_CONSENT, judged, shown
from tests.reproduce.conftest import Site

CARD = make_scorecard("org/model", engine="vllm", dtype="float32", judge_engine="vllm", judge_dtype="float32")


def published(generations: list[Generation], verdicts: list[Verdict] | None = None) -> Published:
    return Published(CARD, tuple(map(shown, generations)), tuple(map(judged, verdicts or [])))


def a_key(question_id: str = "test_1/1", **changes: object) -> InputKey:
    """A key whose hashes look like hashes: other long words are taken for secrets, and out of public rows."""
    return make_input_key(question_id, **{"chat_template_hash": "e" * 64, **changes})


def an_answer(text: str | None, attempt: int = 1, **key: object) -> Generation:
    failure = Cause.CONTEXT_OVERFLOW if text is None else None
    return make_generation(a_key(**key), text, attempt=attempt, failure=failure, prompt_hash="f" * 64)


@pytest.mark.parametrize(
    "row",
    [
        an_answer("Ramen, as always."),
        an_answer("Ramen.").model_copy(update={"thought": "Ramen, surely.", "thought_tokens": 4}),
        an_answer("").model_copy(update={"defect": Defect.EMPTY, "seconds": 0.0}),
        an_answer("Ramen.", adapter="org/lora", adapter_sha="b" * 40, context=(("encoder", "org/e@1"),)),
        an_answer(None),
    ],
)
def test_a_public_row_gives_the_very_row_that_it_was_made_from(row: Generation) -> None:
    assert generation_of(shown(row), TERMS) == row


@pytest.mark.parametrize("change", [{"answer": "Another."}, {"model_sha": "b" * 40}, {"content_hash": "0" * 64}])
def test_a_row_that_does_not_fit_its_hashes_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(RapportError, match="does not fit its own hashes") as caught:
        generation_of(shown(an_answer("Ramen.")).model_copy(update=change), TERMS)
    assert caught.value.cause is Cause.DATA_ERROR


def test_of_several_rows_those_count_that_say_so() -> None:
    answer, other = an_answer("One."), an_answer("Two.", 2)
    rows = [(answer, True), (other, False)]
    said = [(make_verdict(answer, WIN), True), (make_verdict(answer, TIE, attempt=2), False)]
    for one, two in ((rows, said), (rows[::-1], said[::-1])):
        found = Published(
            CARD,
            tuple(shown(row).model_copy(update={"counts": counts}) for row, counts in one),
            tuple(judged(row).model_copy(update={"counts": counts}) for row, counts in two),
        )
        assert found.side().answers["test_1/1"].text == "One."
        assert [row.answer for row in found.answers()] == ["One."]
        assert found.side().said["test_1/1", str(answer.content_hash), SlotOrder.ANSWER_FIRST].outcome is WIN


def test_a_withheld_answer_is_known_by_its_hash_alone() -> None:
    row = shown(make_generation(), NO_CONSENT)
    found = Published(CARD, (row,), ())
    answer = found.side().answers["test_1/1"]
    assert (answer.text, answer.content_hash) == (None, row.content_hash)
    assert found.answers() == []


def test_what_was_never_answered_is_no_secret() -> None:
    assert [row.failure for row in published([an_answer(None)]).answers()] == [Cause.CONTEXT_OVERFLOW]


def test_only_the_public_results_are_read(site: Site) -> None:
    results = LocalStore(site.path / "site" / "results")
    found = read_published(results, site.card.id)
    assert found.card == site.card
    assert {row.run_id for row in found.generations} == {row.run_id for row in found.verdicts} == {site.card.run_id}
    assert sorted(path.name for path in (site.path / "site").iterdir()) == ["results"]


@pytest.mark.parametrize(
    ("path", "content", "cause", "said"),
    [
        (layout.BOARD, None, Cause.NOT_FOUND, "no scorecard"),
        (layout.BOARD, b"not parquet", Cause.DATA_ERROR, "board/board.parquet"),
        ("cards", None, Cause.NOT_FOUND, "no scorecard"),
        ("generations", None, Cause.NOT_FOUND, "No row .* is public"),
        ("generations", b"PAR1 torn", Cause.DATA_ERROR, "generations/"),
    ],
)
def test_a_broken_or_missing_file_is_named(site: Site, tmp_path, path, content, cause, said) -> None:
    card, whole = site.card, LocalStore(site.path / "site" / "results")
    here = {
        "cards": layout.scorecards_path(card.model),
        "generations": layout.generations_path(card.model, card.run_id),
    }.get(path, path)
    results = LocalStore(tmp_path)
    results.commit([Write(name, whole.read(name)) for name in whole.list()], "a copy")
    results.commit([Delete(here) if content is None else Write(here, content)], "damage")
    with pytest.raises(RapportError, match=said) as caught:
        read_published(results, card.id)
    assert caught.value.cause is cause
