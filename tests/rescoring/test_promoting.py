"""Promotion: one commit decides by whose judge ranks go, and nothing half-promoted shows anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.prompts import builtin_pack
from evaluator.judges.canaries import Bound, CanaryFigure, CanaryVerdict
from evaluator.judges.spec import load_judge
from evaluator.protocol import load_protocol, protocol_ids
from evaluator.results import Rate
from leaderboard.board.changes import build_changes
from leaderboard.board.public import read_cards
from leaderboard.open_data import layout as open_layout
from leaderboard.open_data.changes import changes_in
from leaderboard.open_data.judges import OpenJudge
from leaderboard.people import Person
from leaderboard.records import State, now
from leaderboard.release.derive import all_submissions
from leaderboard.release.release import Release
from leaderboard.rescoring.checks import JudgeChecks
from leaderboard.rescoring.promotions import (
    RETIRED,
    Promotion,
    Promotions,
    as_promoted,
    judges_as_promoted,
    read_promotions,
)
from leaderboard.rescoring.records import Rescore, RescoreStatus
from leaderboard.results import Scorecard
from leaderboard.store import LocalStore, layout
from leaderboard.store.open import Stores
from leaderboard.store.parquet import decode_parquet
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.service import SubmissionService
from tests.builders import make_declaration
from tests.losing import let_hold_run_out
from tests.model_folders import make_model_folder
from tests.released import NAMES
from tests.rescoring.other_judge import OTHER, write_judge
from tests.rescoring.rescores import CAROL, Bench, make_check, settle
from worker.jobs import evaluate
from worker.publisher import Publisher


@pytest.fixture
def judged(bench: Bench, rescore: Rescore) -> Rescore:
    """All judged, by a judge that keeps to every bound."""
    JudgeChecks(bench.redis).put(make_check(rescore))
    return bench.finish(rescore)


@pytest.fixture
def stores(bench: Bench, tmp_path: Path) -> Stores:
    return Stores(bench.store, LocalStore(tmp_path / "results"), LocalStore(tmp_path / "requests"))


def public(bench: Bench, stores: Stores) -> dict[str, Scorecard]:
    """Releases everything, and reads what everyone may read."""
    release = Release(stores, NAMES, frozenset(), bench.settings.judges)
    assert release.bring(all_submissions(bench.store)) == frozenset()
    release.rank()
    return {card.id: card for card in read_cards(stores.results).cards}


def test_a_promoted_judge_is_official_and_its_predecessor_retired(
    bench: Bench, judged: Rescore, stores: Stores
) -> None:
    before = public(bench, stores)
    assert {card.judge for card in before.values()} == {"demo"}
    bench.service.promote(judged.id, CAROL, "It agrees better with people.")
    settle(bench.publisher)
    (promotion,) = read_promotions(bench.store).promotions
    assert (promotion.judge, promotion.rescore_id, promotion.actor) == (OTHER, judged.id, "carol")
    after = public(bench, stores)
    assert set(after) == set(before) | {f"{run_id}@{OTHER}" for run_id in bench.runs}
    for card in after.values():
        new = card.judge == OTHER
        assert card.judge_status == ("official" if new else "demo")
        assert ("candidate judge" in card.unranked_because) is False
    rows = decode_parquet(stores.results.read(open_layout.JUDGES), OpenJudge, open_layout.JUDGES)
    told = {row.id: row.status for row in rows}
    assert told[OTHER] == "official"
    assert told["hicupid-llama-3.2-3b"] == "official", "the ranks of its own protocols are still its"
    changes = build_changes(stores.results)
    news = [(row.kind, row.judge, row.reason) for row in changes_in(changes.table) if row.at >= promotion.at]
    brought = [("entered", OTHER, "rescored")] * len(bench.runs)
    assert news == [("judge", OTHER, None), *brought], "what the old judge said ranks as before under it"
    assert changes.since(promotion.at).rescored == {(promotion.protocol, OTHER): len(bench.runs)}


def test_rows_of_both_judges_are_public(bench: Bench, judged: Rescore, stores: Stores) -> None:
    bench.service.promote(judged.id, CAROL, "It agrees better with people.")
    settle(bench.publisher)
    public(bench, stores)
    for judge in ("demo", OTHER):
        paths = [path for path in stores.results.list("verdicts") if f"/{judge}/" in path]
        assert len(paths) == 3, judge


def test_new_runs_are_judged_by_the_promoted_judge_and_those_under_way_by_theirs(bench: Bench, judged: Rescore) -> None:
    service, ledger = SubmissionService(bench.settings, bench.redis), Ledger(bench.redis)
    make_model_folder(bench.settings.models, "under-way")
    make_model_folder(bench.settings.models, "new")
    (begun,) = service.submit("local/under-way", None, make_declaration(), Person("alice")).runs
    evaluate(begun.id)
    bench.service.promote(judged.id, CAROL, "It agrees better with people.")
    settle(bench.publisher)
    (fresh,) = service.submit("local/new", None, make_declaration(), Person("alice")).runs
    evaluate(fresh.id)
    settle(bench.publisher)
    assert [ledger.state(run.id) for run in (begun, fresh)] == [State.PUBLISHED] * 2
    names = [path.rpartition("/")[2] for path in bench.store.list(layout.SCORECARDS)]
    assert f"{begun.id}@demo.json" in names
    assert f"{fresh.id}@{OTHER}.json" in names


def test_a_publisher_that_dies_in_the_middle_leaves_the_old_judge_and_the_next_one_finishes(
    bench: Bench, judged: Rescore, stores: Stores
) -> None:
    bench.service.promote(judged.id, CAROL, "It agrees better with people.")
    bench.publisher.step()
    assert not read_promotions(bench.store).promotions
    assert {card.judge_status for card in public(bench, stores).values() if card.judge == OTHER} <= {"candidate"}
    let_hold_run_out(bench.redis)
    again = Publisher(bench.redis, Ledger(bench.redis), bench.store, journal_seconds=0, judges=bench.settings.judges)
    settle(again)
    assert len(read_promotions(bench.store).promotions) == 1


def test_after_redis_has_lost_everything_workers_know_the_judge(bench: Bench, judged: Rescore) -> None:
    bench.service.promote(judged.id, CAROL, "It agrees better with people.")
    settle(bench.publisher)
    bench.redis.flushall()
    let_hold_run_out(bench.redis)
    again = Publisher(bench.redis, Ledger(bench.redis), bench.store, journal_seconds=0, judges=bench.settings.judges)
    settle(again)
    make_model_folder(bench.settings.models, "new")
    service = SubmissionService(bench.settings, bench.redis)
    (fresh,) = service.submit("local/new", None, make_declaration(), Person("alice")).runs
    evaluate(fresh.id)
    plan = Ledger(bench.redis).plan(fresh.id)
    assert plan
    assert plan.judge == OTHER
    assert bench.desk.get(judged.id).status is RescoreStatus.PROMOTED
    assert JudgeChecks(bench.redis).all()


def refusal(bench: Bench, rescore: Rescore, seen: Rescore | None = None) -> RapportError:
    with pytest.raises(RapportError) as refused:
        bench.service.promote(rescore.id, CAROL, "It agrees better with people.", seen)
    settle(bench.publisher)
    assert not read_promotions(bench.store).promotions
    return refused.value


def test_a_judge_that_nobody_has_checked_is_not_promoted(bench: Bench, rescore: Rescore) -> None:
    assert "rapport judge check other" in refusal(bench, bench.finish(rescore)).remedy


def test_a_judge_that_falls_for_a_canary_is_not_promoted(bench: Bench, rescore: Rescore) -> None:
    rate = Rate(value=80.0, judged=10, items=10, interval=None)
    fallen = CanaryFigure(
        canary=None, figure="consistency", rate=rate, bound=Bound(at_least=90.0), verdict=CanaryVerdict.OUTSIDE
    )
    JudgeChecks(bench.redis).put(make_check(rescore).model_copy(update={"figures": (fallen,)}))
    found = refusal(bench, bench.finish(rescore))
    assert (found.cause, "falls for a canary" in found.message) == (Cause.JUDGE_ERROR, True)


@pytest.mark.parametrize("changes", [{"prompt_pack": "others"}, {"users": 9}])
def test_a_check_in_other_prompts_or_of_too_few_users_is_none(
    bench: Bench, rescore: Rescore, changes: dict[str, object]
) -> None:
    JudgeChecks(bench.redis).put(make_check(rescore).model_copy(update=changes))
    found = refusal(bench, bench.finish(rescore))
    assert (found.cause, "in the prompts of this re-score" in found.message) == (Cause.JUDGE_ERROR, True)


def test_a_check_that_was_failed_is_not_made_good_by_one_on_other_questions(bench: Bench, rescore: Rescore) -> None:
    checks, passed = JudgeChecks(bench.redis), make_check(rescore)
    checks.put(passed.model_copy(update={"figures": ()}))
    checks.put(passed.model_copy(update={"data_sha": "1" * 64}))
    assert "falls for a canary" in refusal(bench, bench.finish(rescore)).message


def test_a_re_score_whose_prompts_are_others_by_now_is_not_promoted(
    bench: Bench, rescore: Rescore, monkeypatch: pytest.MonkeyPatch
) -> None:
    JudgeChecks(bench.redis).put(make_check(rescore))
    pack = builtin_pack()
    changed = pack.model_copy(update={"inference": {**pack.inference, "own": pack.inference["zero/user"]}})
    assert changed.id != pack.id
    monkeypatch.setattr("leaderboard.rescoring.service.find_pack", lambda *_: changed)
    assert "prompts of other are others" in refusal(bench, bench.finish(rescore)).message


def test_a_half_finished_re_score_is_not_promoted(bench: Bench, rescore: Rescore) -> None:
    JudgeChecks(bench.redis).put(make_check(rescore))
    assert "running" in refusal(bench, rescore).message


def test_a_demo_judge_is_not_promoted(bench: Bench) -> None:
    assert bench.settings.judges
    write_judge(bench.settings.judges, "other", status="demo")
    rescore = bench.begin()
    JudgeChecks(bench.redis).put(make_check(rescore))
    assert "for trying the site" in refusal(bench, bench.finish(rescore)).message


def test_of_two_who_promote_at_once_the_second_is_told(bench: Bench, judged: Rescore) -> None:
    bench.service.promote(judged.id, CAROL, "It agrees better with people.", seen=judged)
    with pytest.raises(RapportError, match="promoted by now"):
        bench.service.promote(judged.id, Person("dave", maintainer=True), "Me too.", seen=judged)
    settle(bench.publisher)
    assert len(read_promotions(bench.store).promotions) == 1


def test_a_reason_is_needed(bench: Bench, judged: Rescore) -> None:
    with pytest.raises(RapportError, match="A reason is needed"):
        bench.service.promote(judged.id, CAROL, " ")


def test_an_official_card_of_another_judge_is_retired_by_a_promotion(bench: Bench, judged: Rescore) -> None:
    bench.service.promote(judged.id, CAROL, "It agrees better with people.")
    settle(bench.publisher)
    (path,) = [path for path in bench.store.list(layout.SCORECARDS) if f"{bench.runs[0]}@demo" in path]
    card = Scorecard.model_validate_json(bench.store.read(path))
    official = card.model_copy(update={"judge_status": "official", "unranked_because": ()})
    after = as_promoted(official, read_promotions(bench.store))
    assert (after.judge_status, after.unranked_because) == ("retired", (RETIRED,))


def promoted(judge: str, protocol: str) -> Promotion:
    return Promotion(
        protocol=protocol,
        judge=judge,
        judge_revision="0" * 40,
        judge_config="0" * 64,
        rescore_id="r-20260301-0a1b2c3d",
        at=now(),
        actor="carol",
        reason="It agrees better with people.",
    )


def test_a_judge_that_was_promoted_once_is_retired_by_the_next_one(bench: Bench, judged: Rescore) -> None:
    bench.service.promote(judged.id, CAROL, "It agrees better with people.")
    settle(bench.publisher)
    first = read_promotions(bench.store)
    (path,) = [path for path in bench.store.list(layout.SCORECARDS) if f"{bench.runs[0]}@{OTHER}" in path]
    card = Scorecard.model_validate_json(bench.store.read(path))
    both = Promotions(promotions=(*first.promotions, promoted("third", card.protocol)))
    assert as_promoted(card, first).judge_status == "official"
    after = as_promoted(card, both)
    assert (after.judge_status, after.unranked_because[0]) == ("retired", RETIRED)


def test_an_official_judge_is_retired_once_all_protocols_that_name_it_are_others() -> None:
    official = load_judge("hicupid-llama-3.2-3b")
    named = [name for name in protocol_ids() if load_protocol(name).judge == official.id]
    assert len(named) > 1
    some, every = ([promoted("other", name) for name in names] for names in (named[1:], named))
    for taken, status in ((some, "official"), (every, "retired")):
        (told,) = judges_as_promoted([official], Promotions(promotions=tuple(taken)))
        assert told.status == status
