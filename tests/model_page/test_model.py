"""A model's page: which scorecard it shows, its figures by slice, and what else there is of the model."""

from __future__ import annotations

import datetime
import re

import pytest

from evaluator.errors import Cause
from evaluator.human.tasks import Task
from leaderboard.answers.slices import SliceKind, slices_of
from leaderboard.board.build import Board, BoardRow
from leaderboard.open_data.changes import OpenChange
from leaderboard.pages.model.head import rank_sentence
from leaderboard.pages.model.history import MOST, moves_of, variants_of
from leaderboard.pages.model.index import choose, model_index
from leaderboard.records import Failure, State
from leaderboard.results import Scorecard
from leaderboard.store.base import Revision
from leaderboard.store.local import LocalStore
from leaderboard.submissions.ledger import Ledger
from tests.answers.runs import Run, made_up_run, make_run
from tests.builders import NOON, make_declaration, make_scorecard, make_submission, make_user_scores
from tests.human_runs import make_human_run
from tests.model_page.sites import MODEL, by_hand, links, published, seen, visitor
from tests.ranked import rank
from tests.web.test_human import publish as publish_human


def board_of(*cards: Scorecard) -> Board:
    rows = rank(cards, {card.id: make_user_scores(card).users for card in cards})
    return Board(Revision("1"), rows)


def card_of(model: str, name: str, hours: int = 0, **changes: object) -> Scorecard:
    made = NOON + datetime.timedelta(hours=hours)
    return make_scorecard(model, 50.0, **{"id": name, "created_at": made, **changes})


def test_a_real_run_is_shown_with_every_slice_its_interval_count_and_coverage(store: LocalStore) -> None:
    run = made_up_run(users=14)
    card = published(store, run)
    page = visitor(store).get(f"/model?id={card.model}").text
    text = seen(page)
    assert f"Lost answers ({len(by_hand(run)['lost'])})" in text
    found = slices_of(run.table)
    assert {each.kind for each in found} == set(SliceKind)
    for each in found:
        rate = each.rate
        counted = f"{rate.judged:,} of {rate.items:,} items judged"
        if rate.value is None:
            assert f"– missing: nothing is judged {counted}" in text
            continue
        within = rate.interval
        doubt = (
            "no interval: too few users" if within is None else f"{within.low:.1f} to {within.high:.1f}, {within.users}"
        )
        assert re.search(rf"{rate.value:.1f} {re.escape(doubt)}(?: users?)? {re.escape(counted)}", text), each
    assert "Likes less dislikes" in text
    assert f"{sum(each.rate.items for each in found if each.kind is SliceKind.CATEGORY)} of 168 items tell it." in text


def test_slices_that_no_row_tells_are_missing_with_the_reason(store: LocalStore) -> None:
    run = made_up_run(users=12)
    bare = [item.model_copy(update={"persona_category": None, "sentiment": None}) for item in run.items]
    published(store, make_run(bare, run.generations, run.verdicts))
    text = seen(visitor(store).get(f"/model?id={MODEL}").text)
    assert text.count("Missing: the public rows of this run do not tell it.") == 2


def test_each_desideratum_stands_in_its_own_unit_and_a_missing_one_says_why(store: LocalStore, demo_run: Run) -> None:
    card = published(store, demo_run)
    page = visitor(store).get(f"/model?id={card.id}").text
    for plot, ends in {"total": ("0", "75"), "rates": ("0", "100"), "gaps": ("−10", "10")}.items():
        figure = page.partition(f'<figure class="card" id="plot-{plot}">')[2].partition("</figure>")[0]
        ticks = re.findall(r'<text x="[^"]*" y="14">([^<]*)</text>', figure)
        assert (ticks[0], ticks[-1]) == ends
    assert "missing: only one of the two was evaluated" in seen(page)
    persona = demo_run.result.persona.score
    assert f"{persona.judged} of {persona.items} items judged" in seen(page)


def test_the_page_shows_the_official_judge_and_protocol_and_the_newest_of_these() -> None:
    rows = (
        card_of("org/m", "old", 1, protocol="official-v1"),
        card_of("org/m", "new", 2, protocol="official-v1"),
        card_of("org/m", "demo", 3),
        card_of("org/m", "other", 4, protocol="official-v1", judge="x", judge_status="candidate"),
        card_of("org/else", "else", 9, protocol="official-v1"),
    )
    index = model_index(board_of(*rows))

    def chosen(name: str, **asked: str) -> tuple[str, str]:
        found = choose(index, name, **asked)
        assert found is not None
        return found.row.scorecard_id, found.lacking

    assert chosen("org/m") == ("new", "")
    assert chosen("old") == ("old", "")
    assert chosen("org/m", protocol="demo-v1") == ("demo", "")
    assert chosen("new", judge="x") == ("other", "")
    assert chosen("old", judge="y") == ("old", "It has no result under the judge y; this is another one.")
    assert choose(index, "org/nobody") is None
    assert choose(index, "") is None


def test_all_submissions_and_judges_stand_side_by_side(store: LocalStore, demo_run: Run) -> None:
    published(
        store,
        demo_run,
        card_of(MODEL, "second@demo", 5, submission_id="s-20260301-0000ffff", run_id="s-20260301-0000ffff.demo-v1"),
        card_of(MODEL, "second@x", 5, judge="x", judge_status="candidate", unranked_because=("candidate judge",)),
        card_of("org/sibling", "third@demo", declaration=make_declaration(base_model=MODEL)),
    )
    page = visitor(store).get(f"/model?id={MODEL}").text
    results = page.partition('aria-labelledby="results"')[2].partition("</table>")[0]
    assert (
        links(results, "/model")
        == [
            "/model?id=second@demo",
            "/model?id=second@x",
            "/model?id=s-20260301-00000001.demo-v1@demo",
        ]
        or len(links(results, "/model")) == 3
    )
    others = seen(page.partition('aria-labelledby="variants"')[2].partition("</table>")[0])
    assert "org/sibling" in others
    assert "this model is its base" in others


def test_those_that_are_alike_come_first_and_what_is_left_out_is_counted() -> None:
    base = make_declaration(base_model="org/base")
    shown, *others = board_of(
        card_of("org/m", "shown", declaration=base),
        *(card_of(f"org/other-{place}", f"other-{place}", place) for place in range(MOST + 5)),
        card_of("org/like", "like", -5, declaration=base),
    ).rows
    rows: list[BoardRow] = [shown, *others]
    (own,) = [row for row in rows if row.scorecard_id == "shown"]
    found = variants_of(rows, own)
    first = found.rows[0]
    assert (first.row.model, first.alike) == ("org/like", "the same base model")
    assert (len(found.rows), found.total) == (MOST, MOST + 6)
    assert found.left_out == f"{MOST} of {MOST + 6} are shown."


def change(name: str | None, kind: str, before: int | None, after: int | None, hours: int) -> OpenChange:
    at = NOON + datetime.timedelta(hours=hours)
    told = {
        **dict.fromkeys(OpenChange.model_fields),
        "schema_version": 1,
        "at": at,
        "recorded_at": at,
        "kind": kind,
        "protocol": "demo-v1",
        "judge": "demo",
        "judge_status": "official",
        "scorecard_id": name,
        "model": MODEL,
        "rank_before": before,
        "rank_before_low": before,
        "rank_before_high": before,
        "rank_after": after,
        "rank_after_low": after and after - 1,
        "rank_after_high": after and after + 1,
        "ranked": 7,
    }
    return OpenChange(**{key: value for key, value in told.items() if key in OpenChange.model_fields})


def test_ranks_are_listed_from_the_newest_and_those_of_other_results_are_not() -> None:
    (row,) = board_of(card_of(MODEL, "shown")).rows
    told = [
        change("shown", "entered", None, 3, 0),
        change("other", "moved", 3, 9, 1),
        change("shown", "moved", 3, 5, 2),
        change(None, "judge", None, None, 3),
    ]
    found = moves_of(told, row)
    assert [(each.what, each.before, each.after) for each in found.rows] == [
        ("decides ranks from then on", "", ""),
        ("moved", "3", "5 (4–6)"),
        ("came to the board", "–", "3 (2–4)"),
    ]


def test_a_rank_is_said_in_a_sentence_and_a_missing_one_says_why() -> None:
    (row,) = board_of(card_of(MODEL, "shown")).rows
    assert rank_sentence(row.model_copy(update={"rank": 3, "rank_interval": (2, 4)})) == (
        "Rank 3, between 2 and 4: 2 models are significantly better."
    )
    out = row.model_copy(update={"rank": None, "rank_interval": None, "unranked_because": ("incomplete",)})
    assert rank_sentence(out).startswith("It does not rank: incomplete.")
    none = out.model_copy(update={"unranked_because": ()})
    assert rank_sentence(none) == "Its rank is being worked out."


def test_agreement_with_people_leads_to_its_figures(store: LocalStore, demo_run: Run) -> None:
    card = published(store, demo_run)
    human = make_human_run(Task.RELEVANCE, 3).card.model_copy(update={"model": MODEL})
    publish_human(store, human)
    page = visitor(store).get(f"/model?id={card.id}").text
    assert f"/human/figures?id={human.id}" in page
    assert "simulated" in seen(page.partition('id="people"')[2].partition("<h2")[0])
    only = make_human_run(Task.RELEVANCE, 4).card
    publish_human(store, human, only)
    assert visitor(store).get(f"/model?id={only.model}").status_code == 200


def test_failures_are_told_with_their_causes(store: LocalStore, demo_run: Run, ledger: Ledger) -> None:
    submission = make_submission(1, model=MODEL)
    ledger.create(submission)
    (run_id,) = submission.run_ids()
    ledger.move(run_id, State.CHECKING, State.QUEUED, "alice")
    failure = Failure(cause=Cause.LOAD_ERROR, message="It <b>does not</b> load.", remedy="Mend it.", log=())
    ledger.fail(run_id, "worker", failure)
    card = published(store, demo_run, submission_id=submission.id)
    page = visitor(store, ledger).get(f"/model?id={card.id}").text
    part = seen(page.partition('id="failures"')[2].partition("<h2")[0])
    assert "load error . It <b>does not</b> load. Mend it." in part
    assert "context overflow" in part
    assert "Looked at: its 1 newest submission with a result." in part


def test_what_there_is_to_take_away_is_linked(store: LocalStore, demo_run: Run) -> None:
    card = published(store, demo_run)
    page = visitor(store).get(f"/model?id={card.id}").text
    assert f"<code>rapport reproduce {card.id}</code>" in page
    assert "@misc{rapport:" in page
    assert f"/exports/scorecard/{card.id}.bib" in page


@pytest.mark.parametrize("address", ["/model", "/model?id=", "/model?id=org/nobody", "/model?id=%00%ff"])
def test_a_model_that_is_not_there_is_a_plain_404(store: LocalStore, demo_run: Run, address: str) -> None:
    published(store, demo_run)
    answer = visitor(store).get(address)
    assert (answer.status_code, "There is no such model" in seen(answer.text)) == (404, True)
