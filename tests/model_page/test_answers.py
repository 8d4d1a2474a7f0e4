"""Single answers: each filter finds what it says, page by page, and texts are shown as far as they may be."""

from __future__ import annotations

import pytest

from leaderboard.answers.sources import read_demo_set
from leaderboard.open_data import layout
from leaderboard.store.base import Delete, Write
from leaderboard.store.local import LocalStore
from tests.answers.runs import PERSONA, Run, answer_of, made_up_run, make_run, subject_of, verdicts_of
from tests.builders import make_declaration, make_item
from tests.model_page.sites import CLOSED, by_hand, links, listed, published, seen, visitor

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "org/\u202egnp.exe\u200f\u2066",
    "{{ 7777 * 7777 }}{% raw %}",
    "x" * 10_000,
    "../../etc/passwd",
    "a\x00b",
)


@pytest.mark.parametrize("only", ["lost", "tied", "won", "missing", "flipped", "defect"])
def test_each_filter_finds_what_it_says_and_each_answer_once(store: LocalStore, demo_run: Run, only: str) -> None:
    card = published(store, demo_run)
    site, wanted, found = visitor(store), by_hand(demo_run)[only], list[str]()
    address = f"/answers?scorecard={card.id}&only={only}"
    while address:
        page = site.get(address).text
        assert len(listed(page)) <= 20
        found += listed(page)
        address = next((each for each in links(page, "/answers") if _is_next(page, each)), "")
    assert wanted
    assert (found, len(set(found))) == (sorted(wanted), len(found))


def _is_next(page: str, address: str) -> bool:
    return f'rel="next" href="{address}"'.replace("&", "&amp;") in page


def test_tabs_say_how_many_there_are_and_other_filters_narrow_them(store: LocalStore, demo_run: Run) -> None:
    card = published(store, demo_run)
    site, sets = visitor(store), by_hand(demo_run)
    page = seen(site.get(f"/answers?scorecard={card.id}").text)
    assert f"All ({len(demo_run.items)}) Lost ({len(sets['lost'])}) Tied ({len(sets['tied'])})" in page
    schedule = {item.question_id for item in demo_run.items if item.type == "schedule"}
    page = seen(site.get(f"/answers?scorecard={card.id}&type=schedule").text)
    assert f"All ({len(schedule)}) Lost ({len(schedule & sets['lost'])})" in page
    disliked = {item.question_id for item in demo_run.items if item.sentiment == "NEG"}
    page = site.get(f"/answers?scorecard={card.id}&sentiment=NEG&only=lost").text
    assert set(listed(page)) <= disliked & sets["lost"]


def test_words_are_looked_for_in_answers_and_ids(store: LocalStore, demo_run: Run) -> None:
    card = published(store, demo_run)
    site, answered = visitor(store), next(row for row in demo_run.generations if row.answer and row.answer.strip())
    word = (answered.answer or "").split()[1]
    holding = {
        row.key.question_id
        for row in demo_run.generations
        if word.casefold() in (row.answer or "").casefold() or word.casefold() in row.key.question_id.casefold()
    }
    page = site.get("/answers", params={"scorecard": card.id, "q": word.upper()}).text
    assert listed(page) == sorted(holding)[:20]
    one = site.get("/answers", params={"scorecard": card.id, "q": answered.key.question_id}).text
    assert answered.key.question_id in listed(one)


def test_one_answer_stands_with_all_that_was_asked_and_said(store: LocalStore, demo_run: Run) -> None:
    card = published(store, demo_run)
    site, flipped = visitor(store), sorted(by_hand(demo_run)["flipped"])
    page = site.get("/answer", params={"scorecard": card.id, "question": flipped[0]}).text
    text = seen(page)
    (answer,) = [row.answer for row in demo_run.generations if row.key.question_id == flipped[0]]
    demo = read_demo_set()
    (asked,) = [
        each for split in ("test_1", "test_2") for each in demo.questions(split) if each.question_id == flipped[0]
    ]
    for words in (answer, asked.question, asked.gold, asked.general_answer):
        assert " ".join((words or "").split()) in text
    for dialogue in demo.history(asked.split, asked.user_id).dialogues:
        if dialogue.dialogue_id in asked.evidence:
            assert " ".join(dialogue.turns[0].user.split()) in text
    said = [row for row in demo_run.verdicts if row.key.question_id == flipped[0]]
    assert len(said) == 2
    for row in said:
        assert " ".join((row.completion or "").split()) in text
        assert f"The judge's word: {row.word}" in text
    assert "flipped by order" in text
    assert links(page, "/manage") == [f"/manage?id={card.submission_id}&about={flipped[0]}"]


def test_previous_and_next_walk_through_what_the_filter_finds(store: LocalStore, demo_run: Run) -> None:
    card = published(store, demo_run)
    site, wanted = visitor(store), sorted(by_hand(demo_run)["flipped"])
    address, walked = f"/answer?scorecard={card.id}&question={wanted[0]}&only=flipped", list[str]()
    while address:
        page = site.get(address).text
        walked.append(address.partition("question=")[2].partition("&")[0])
        address = next((each for each in links(page, "/answer") if _is_next(page, each)), "")
    assert walked == wanted
    other = sorted(by_hand(demo_run)["won"] - set(wanted))[0]
    outside = seen(site.get(f"/answer?scorecard={card.id}&question={other}&only=flipped").text)
    assert f"{len(wanted)} answers; this one is not among them" in outside


def test_what_may_not_be_passed_on_is_named_and_never_shown(store: LocalStore, demo_run: Run) -> None:
    card = published(store, demo_run, terms=CLOSED, data_source="12kimih/HiCUPID")
    site, name = visitor(store), sorted(by_hand(demo_run)["won"])[0]
    demo = read_demo_set()
    (asked,) = [each for split in ("test_1", "test_2") for each in demo.questions(split) if each.question_id == name]
    for address in (f"/answers?scorecard={card.id}&only=won", f"/answer?scorecard={card.id}&question={name}"):
        text = seen(site.get(address).text)
        assert "The data set's text may not be passed on. Read it in 12kimih/HiCUPID" in text
        assert asked.gold not in text
        assert "nothing is sent" in text


def test_withheld_answers_are_missing_with_the_reason(store: LocalStore) -> None:
    said = make_declaration(publish_answers=False)
    items = [make_item(f"test_1/{n}", user_id=n).model_copy(update=subject_of(str(n), PERSONA, n)) for n in range(9)]
    made = [answer_of(item, 0, "org/secret-words") for item in items]
    run = make_run(
        items,
        made,
        [each for item, row in zip(items, made, strict=True) for each in verdicts_of(item, row, 0, 0)],
        said,
    )
    card = published(store, run, declaration=said)
    page = seen(visitor(store).get(f"/answers?scorecard={card.id}").text)
    assert "Its submitter did not agree to have answers shown." in page
    assert "org/secret-words" not in page


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_are_text_wherever_they_stand(store: LocalStore, text: str) -> None:
    run = made_up_run(2, model=text)
    card = published(store, run, submitter=text, declaration=make_declaration(base_model=text[:200]))
    site = visitor(store)
    answered = sorted(by_hand(run)["won"] | by_hand(run)["lost"])[0]
    pages = [
        site.get("/model", params={"id": card.id}),
        site.get("/answers", params={"scorecard": card.id}),
        site.get("/answer", params={"scorecard": card.id, "question": answered}),
        site.get("/model", params={"id": text}),
        site.get("/model", params={"id": card.id, "protocol": text, "judge": text}),
        site.get("/answers", params={"scorecard": text}),
        site.get("/answers", params={"scorecard": card.id, "q": text, "category": text, "split": text, "only": text}),
        site.get("/answer", params={"scorecard": card.id, "question": text}),
    ]
    assert [page.status_code for page in pages] == [200, 200, 200, 404, 200, 404, 200, 404]
    for page in pages:
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        assert "60481729" not in page.text


def test_private_rows_stay_private(store: LocalStore, demo_run: Run) -> None:
    private = CLOSED.model_copy(update={"visibility": "private"})
    card = published(store, demo_run, terms=private)
    site = visitor(store)
    why = "The rows of private data stay private"
    assert why in seen(site.get(f"/answers?scorecard={card.id}").text)
    answer = site.get(f"/answer?scorecard={card.id}&question={demo_run.items[0].question_id}")
    assert (answer.status_code, why in seen(answer.text)) == (404, True)
    assert f"Slices are missing: {why}" in seen(site.get(f"/model?id={card.model}").text)


def test_missing_and_broken_files_are_said_and_found_once_they_are_there(store: LocalStore, demo_run: Run) -> None:
    card = published(store, demo_run, rows=False)
    site, address = visitor(store), "/answers?scorecard=s-20260301-00000001.demo-v1@demo"
    assert card.id in address
    assert "Its answers and verdicts are not public, or not yet." in seen(site.get(address).text)
    paths = layout.row_paths(card.model, card.run_id, card.judge)
    store.commit([Write(path, b"broken") for path in paths], "broken")
    assert site.get(address).status_code == 503
    page = site.get(f"/model?id={card.id}")
    assert (page.status_code, "cannot be read right now" in seen(page.text)) == (200, True)
    store.commit([Write(path, content) for path, content in zip(paths, demo_run.files, strict=True)], "rows")
    assert len(listed(site.get(address).text)) == 20
    store.commit([Delete(path) for path in paths], "gone")
    assert site.get(address).status_code == 503


def test_what_is_not_there_is_a_plain_404(store: LocalStore, demo_run: Run) -> None:
    card = published(store, demo_run)
    site = visitor(store)
    for address, words in {
        "/answers": "There is no such scorecard",
        "/answers?scorecard=nobody": "There is no such scorecard",
        "/answer?scorecard=nobody&question=x": "There is no such scorecard",
        f"/answer?scorecard={card.id}": "There is no such question",
        f"/answer?scorecard={card.id}&question=test_1/none": "There is no such question",
    }.items():
        answer = site.get(address)
        assert (answer.status_code, words in seen(answer.text)) == (404, True), address


def test_a_browser_that_has_a_page_is_told_so(store: LocalStore, demo_run: Run) -> None:
    card = published(store, demo_run)
    site = visitor(store)
    question = demo_run.items[0].question_id
    for address in (
        f"/model?id={card.id}",
        f"/answers?scorecard={card.id}&only=lost",
        f"/answer?scorecard={card.id}&question={question}",
    ):
        first = site.get(address)
        again = site.get(address, headers={"If-None-Match": first.headers["ETag"]})
        assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
        assert "default-src 'self'" in first.headers["Content-Security-Policy"]
