"""What re-scores leave in the archive is looked at, migrated and taken down like the runs that they judge."""

from __future__ import annotations

import json

import pytest
from redis import Redis

from evaluator.errors import RapportError
from evaluator.records import Verdict
from leaderboard.open_data import layout as open_layout
from leaderboard.records import Lane, Plan
from leaderboard.rescoring.checks import name_of
from leaderboard.rescoring.desk import RescoreDesk
from leaderboard.rescoring.records import RescoreStatus, RescoreStep
from leaderboard.results import Scorecard
from leaderboard.scorecards import UserScores
from leaderboard.store import Delete, Write, layout
from leaderboard.store.open import Stores
from leaderboard.store.rows import decode_rows, encode_rows, read_record
from leaderboard.store.runs import StoredRun
from leaderboard.submissions import keys
from leaderboard.upkeep.findings import FindingKind
from leaderboard.upkeep.migrate import Migration, Reason, migrate, migrations
from leaderboard.upkeep.places import Place, Sort, place_of
from leaderboard.upkeep.reach import look
from leaderboard.upkeep.records import TakedownKind
from leaderboard.upkeep.takedown import take_down
from tests.rescoring.rescores import make_check
from tests.upkeep.rescored import (
    OTHER,
    RESCORE,
    judged_batches,
    judging_of,
    rescore_of_runs,
    write_judging,
    write_rescore,
)
from tests.upkeep.sites import ANSWER, Run, batches_of, contents, fill, findings, release, site_of
from tests.upkeep.test_takedown import HASH, order, texts, with_mark
from worker.lease import Leases, StaleLease

STEPS = (RescoreStep.STARTED, RescoreStep.COMPLETED, RescoreStep.DISCARDED, RescoreStep.PROMOTED)


@pytest.fixture
def local(local_stores: Stores) -> Stores:
    return local_stores


@pytest.fixture
def runs(local: Stores) -> list[Run]:
    return fill(local)


def card_path(run: Run) -> str:
    return layout.rescored_card_path(RESCORE, f"{run.id}@{OTHER}")


def users_path(run: Run) -> str:
    return layout.rescored_users_path(RESCORE, f"{run.id}@{OTHER}")


def promoted_path(run: Run) -> str:
    return layout.scorecard_path(run.submission.model, f"{run.id}@{OTHER}")


def in_archive(stores: Stores, *, repair: bool = False) -> dict[str, FindingKind]:
    return {each.path: each.kind for each in findings(stores, repair=repair) if each.data_set == "archive"}


def change(stores: Stores, path: str, content: bytes | None) -> None:
    stores.archive.commit([Delete(path) if content is None else Write(path, content)], "damage")


def test_every_path_says_what_lies_there() -> None:
    run, card = "s-20260101-0a1b2c3d.demo-v1", "s-20260101-0a1b2c3d.demo-v1@other"
    judging = f"{RESCORE}.{run}"
    told = {
        layout.rescore_path(RESCORE): Place(Sort.RESCORE, RESCORE),
        layout.rescored_card_path(RESCORE, card): Place(Sort.RESCORED_CARD, card, rescore=RESCORE),
        layout.rescored_users_path(RESCORE, card): Place(Sort.RESCORED_USERS, card, rescore=RESCORE),
        layout.plan_path(judging): Place(Sort.JUDGING, judging),
        layout.compact_path(layout.verdicts_folder(judging)): Place(Sort.JUDGING, judging),
        layout.batch_path(layout.reports_folder(judging), "0000-1"): Place(Sort.JUDGING, judging),
        layout.PROMOTIONS: Place(Sort.PROMOTIONS, ""),
        layout.judge_check_path("other/0a1b2c3d4e5f6071-0a1b2c3d4e5f"): Place(
            Sort.JUDGE_CHECK, "other/0a1b2c3d4e5f6071-0a1b2c3d4e5f"
        ),
    }
    for path, place in told.items():
        assert place_of(path) == place
        assert place.submission == ("s-20260101-0a1b2c3d" if place.judging else "")
        assert place_of(f"{path}.x") is None
    judgings = [place.judging for place in told.values() if place.judging]
    assert set(judgings) == {judging}
    elsewhere = ("rescores/202601/01", "rescores/202601/01/r-1/rescore.json", "judges/other.json", "promotions.json/x")
    assert [place_of(path) for path in elsewhere] == [None] * 4
    assert place_of(layout.rescore_path(RESCORE).replace("/202603/", "/202604/")) is None


def test_a_scorecard_of_version_2_came_from_a_re_score(local: Stores, runs: list[Run]) -> None:
    write_rescore(local.archive, runs)
    content = json.loads(local.archive.read(card_path(runs[0])))
    assert (content["schema_version"], content.pop("rescore_id")) == (2, RESCORE)
    with pytest.raises(RapportError, match="of 2 from a re-score"):
        read_record(json.dumps(content), Scorecard, "x")
    plain = json.loads(local.archive.read(layout.scorecard_path(*runs[0].card)))
    assert plain["schema_version"] == 1
    assert "rescore_id" not in plain


@pytest.mark.parametrize("last", STEPS)
def test_nothing_is_wrong_with_what_a_publisher_wrote(local: Stores, runs: list[Run], last: RescoreStep) -> None:
    rescore = write_rescore(local.archive, runs, last)
    check = make_check(rescore)
    change(local, layout.judge_check_path(name_of(check)), check.model_dump_json().encode())
    release(local)
    assert findings(local) == []


def test_files_that_cannot_be_read_are_named(local: Stores, runs: list[Run]) -> None:
    rescore = write_rescore(local.archive, runs, RescoreStep.PROMOTED)
    check = layout.judge_check_path(name_of(make_check(rescore)))
    broken = (layout.rescore_path(RESCORE), layout.PROMOTIONS, check, card_path(runs[0]))
    for path in broken:
        change(local, path, b"{")
    verdicts = layout.compact_path(layout.verdicts_folder(judging_of(runs[0])))
    change(local, verdicts, b"PAR1")
    change(local, f"{card_path(runs[1])}.tmp", b"{")
    found = {each.path: each.kind for each in findings(local)}
    assert found.pop(open_layout.BOARD) is FindingKind.PUBLIC
    assert found == dict.fromkeys((*broken, verdicts), FindingKind.UNREADABLE) | {
        f"{card_path(runs[1])}.tmp": FindingKind.HALF_WRITTEN
    }


def test_what_lies_under_another_name_is_named(local: Stores, runs: list[Run]) -> None:
    rescore = write_rescore(local.archive, runs)
    other = RESCORE.replace("0a1b", "ffff")
    check = layout.judge_check_path("other/0a1b2c3d4e5f6071-0a1b2c3d4e5f")
    elsewhere = layout.rescored_card_path(other, f"{runs[0].id}@{OTHER}")
    change(local, layout.rescore_path(other), rescore.model_dump_json().encode())
    change(local, check, make_check(rescore).model_dump_json().encode())
    change(local, elsewhere, local.archive.read(card_path(runs[0])))
    assert in_archive(local) == dict.fromkeys((layout.rescore_path(other), check, elsewhere), FindingKind.MISPLACED)


@pytest.mark.parametrize("last", [RescoreStep.COMPLETED, RescoreStep.PROMOTED])
def test_a_scorecard_that_is_not_what_its_rows_come_to_is_counted_anew(
    local: Stores, runs: list[Run], last: RescoreStep
) -> None:
    write_rescore(local.archive, runs, last)
    release(local)
    before = contents(local.archive)
    wrong = [card_path(runs[0])] + ([promoted_path(runs[1])] if last is RescoreStep.PROMOTED else [])
    for path in wrong:
        card = read_record(local.archive.read(path), Scorecard, path)
        change(local, path, card.model_copy(update={"rows_sha": "0" * 64}).model_dump_json().encode())
    users = users_path(runs[1])
    sums = read_record(local.archive.read(users), UserScores, users)
    change(local, users, sums.model_copy(update={"users": sums.users[:1]}).model_dump_json().encode())
    change(local, users_path(runs[0]), None)
    surplus = layout.rescored_users_path(RESCORE, f"{runs[0].id}@third")
    change(local, surplus, before[users])
    wanted = dict.fromkeys(wrong, FindingKind.SCORECARD)
    wanted |= dict.fromkeys((users, users_path(runs[0]), surplus), FindingKind.USER_SCORES)
    assert in_archive(local) == wanted
    assert in_archive(local, repair=True) == wanted
    assert contents(local.archive) == before
    assert findings(local) == []


def test_changed_verdicts_of_a_judging_show_in_its_scorecards_alone(local: Stores, runs: list[Run]) -> None:
    write_rescore(local.archive, runs, RescoreStep.PROMOTED)
    folder = layout.verdicts_folder(judging_of(runs[1]))
    path = local.archive.list(folder)[0]
    rows = decode_rows(local.archive.read(path), Verdict, path)
    changed = [row.model_copy(update={"completion": "Something else."}) for row in rows]
    strange = rows[0].key.model_copy(update={"content_hash": "0" * 64})
    orphan = rows[0].model_copy(update={"key": strange, "verdict_key": strange.digest()})
    change(local, path, encode_rows([*changed, orphan, orphan]))
    found = [(each.path, each.kind) for each in findings(local) if each.data_set == "archive"]
    run_folder = layout.run_folder(judging_of(runs[1]))
    assert set(found) >= {
        (run_folder, FindingKind.ORPHAN),
        (run_folder, FindingKind.DOUBLE),
        (card_path(runs[1]), FindingKind.SCORECARD),
        (promoted_path(runs[1]), FindingKind.SCORECARD),
    }
    users = layout.user_scores_path(runs[1].submission.model, f"{runs[1].id}@{OTHER}")
    cards = {card_path(runs[1]), promoted_path(runs[1]), users_path(runs[1]), users}
    assert {path for path, _ in found} <= {run_folder, *cards}


def test_what_a_re_score_needs_is_missed(local: Stores, runs: list[Run]) -> None:
    write_rescore(local.archive, runs, RescoreStep.PROMOTED)
    archive = local.archive
    gone = archive.list(layout.run_folder(judging_of(runs[0])))
    archive.commit([Delete(path) for path in gone], "lost")
    change(local, layout.plan_path(judging_of(runs[1])), None)
    assert in_archive(local) == dict.fromkeys(
        (card_path(runs[0]), promoted_path(runs[0]), layout.plan_path(judging_of(runs[1]))), FindingKind.REFERENCE
    )
    for path in (card_path(runs[0]), users_path(runs[0]), promoted_path(runs[1])):
        change(local, path, None)
    change(local, layout.user_scores_path(runs[1].submission.model, f"{runs[1].id}@{OTHER}"), None)
    path = layout.rescore_path(RESCORE)
    messages = [each.message for each in findings(local) if each.path == path]
    assert len(messages) == 2
    assert f"no scorecard of 1 of its runs, such as {runs[0].id}" in messages[0]
    assert f"among all others of 1 of its runs, such as {runs[1].id}" in messages[1]
    change(local, path, None)
    found = in_archive(local)
    assert (found[path], found[layout.PROMOTIONS]) == (FindingKind.REFERENCE, FindingKind.REFERENCE)


def test_a_re_score_of_a_run_that_is_not_there_is_named(local: Stores, runs: list[Run]) -> None:
    write_rescore(local.archive, runs)
    gone = local.archive.list(layout.run_folder(runs[0].id))
    local.archive.commit([Delete(path) for path in gone], "lost")
    found = in_archive(local)
    judging = layout.run_folder(judging_of(runs[0]))
    assert found.keys() >= {layout.rescore_path(RESCORE), judging, card_path(runs[0])}
    assert set(found.values()) == {FindingKind.REFERENCE}


def test_a_published_run_is_missed_although_another_judge_scored_it(local: Stores, runs: list[Run]) -> None:
    write_rescore(local.archive, runs, RescoreStep.PROMOTED)
    change(local, layout.scorecard_path(*runs[0].card), None)
    assert in_archive(local)[layout.submission_path(runs[0].submission.id)] is FindingKind.REFERENCE


def test_migration_compacts_a_judging_that_has_its_scorecard(local: Stores, runs: list[Run]) -> None:
    write_rescore(local.archive, runs, RescoreStep.STARTED)
    folder = layout.run_folder(judging_of(runs[1]))
    assert folder not in {each.path for each in migrations(local.archive)}, "it is being judged"
    write_judging(local.archive, runs[1], small_files=True)
    done_with = rescore_of_runs(runs, RescoreStep.COMPLETED)
    rows = StoredRun(local.archive, judging_of(runs[1])).rows()
    path = layout.rescore_path(RESCORE)
    change(local, path, json.dumps(json.loads(done_with.model_dump_json()), indent=1).encode())
    done = {each.path: each.reason for each in migrate(local.archive, "", migrations(local.archive)) if _is_done(each)}
    assert (done[folder], done[path]) == (Reason.COMPACTED, Reason.UPGRADED)
    own = StoredRun(local.archive, judging_of(runs[1]))
    assert own.is_compacted
    assert own.rows() == rows
    assert list(migrations(local.archive)) == []
    release(local)
    assert findings(local) == []


def _is_done(each: object) -> bool:
    return isinstance(each, Migration)


@pytest.mark.parametrize("last", STEPS)
def test_a_submission_that_is_taken_down_leaves_no_judging_behind(
    local: Stores, runs: list[Run], redis: Redis, last: RescoreStep
) -> None:
    rescore = write_rescore(local.archive, runs, last)
    RescoreDesk(redis).enter(rescore)
    release(local)
    asked = order(TakedownKind.SUBMISSION, runs[0].submission.id)
    reach = look(local.archive, local.results, asked, lambda _: None)
    concerned = [path for path in local.archive.list() if runs[0].submission.id in path]
    kept = {layout.submission_path(runs[0].submission.id)}
    assert reach.files == len(set(concerned) - kept)
    take_down(site_of(local, with_mark(redis)), asked)
    left = {path for path in local.archive.list() if runs[0].submission.id in path}
    assert left == {layout.submission_path(runs[0].submission.id), layout.tombstone_path(runs[0].submission.id)}
    cards = len(local.archive.list(layout.rescored_cards_folder(RESCORE)))
    assert RescoreDesk(redis).progress(rescore).done == cards == (0 if last is RescoreStep.STARTED else 1)
    assert findings(local) == []
    change(local, card_path(runs[0]), b"{}")
    assert FindingKind.TAKEN_DOWN in {each.kind for each in findings(local)}


@pytest.mark.parametrize("last", STEPS)
def test_what_the_other_judge_said_of_an_answer_goes_with_it(
    local: Stores, runs: list[Run], redis: Redis, last: RescoreStep
) -> None:
    write_rescore(local.archive, runs, last)
    release(local)
    before = contents(local.archive)
    asked = order(TakedownKind.ANSWER, HASH)
    assert look(local.archive, local.results, asked, lambda _: None).runs == (runs[0].id, runs[1].id)
    take_down(site_of(local, with_mark(redis)), asked)
    assert ANSWER not in texts(local)
    assert findings(local) == []
    for path in (path for path in before if path.endswith(f"@{OTHER}.json") and "scorecards/" in path):
        card, old = (read_record(each, Scorecard, path) for each in (local.archive.read(path), before[path]))
        assert card.result == old.result
        assert (card.rows_sha, card.rescore_id) != (old.rows_sha, None)
    verdicts = layout.compact_path(layout.verdicts_folder(judging_of(runs[0])))
    change(local, verdicts, before[verdicts])
    found = {(each.path, each.kind) for each in findings(local)}
    assert (layout.run_folder(judging_of(runs[0])), FindingKind.TAKEN_DOWN) in found


def laid_out(redis: Redis, runs: list[Run]) -> Leases:
    """A running re-score of which all runs are open, the first shard of each being judged."""
    desk, leases = RescoreDesk(with_mark(redis)), Leases(redis, seconds=60)
    desk.enter(rescore_of_runs(runs, RescoreStep.STARTED))
    for run in runs:
        name = judging_of(run)
        plan = run.plan.model_copy(update={"run_id": name, "shards": shards_of(run)})
        redis.set(keys.plan(name), plan.model_dump_json())
        answers = [batch for batch in batches_of(run) if batch.generations]
        for batch in answers:
            own = batch.model_copy(update={"run_id": name, "shard_id": f"{name}.{batch.id[:4]}", "report": None})
            redis.hset(keys.batches(name), own.id, own.model_dump_json())
            redis.sadd(keys.done(name, Lane.GENERATE), own.shard_id)
        redis.sadd(keys.judgings(RESCORE), name)
    return leases


def shards_of(run: Run) -> tuple[object, ...]:
    return tuple(
        shard.model_copy(update={"id": shard.id.replace(run.id, judging_of(run))}) for shard in run.plan.shards
    )


def everything(redis: Redis) -> bytes:
    """All that Redis holds of judgings."""
    found = b""
    for key in redis.scan_iter("rapport:*r-*"):
        found += key + (b"".join(redis.hvals(key)) if redis.type(key) == b"hash" else redis.dump(key) or b"")
    return found


def plan_of(redis: Redis, run: Run) -> Plan:
    value = redis.get(keys.plan(judging_of(run)))
    assert value is not None
    return read_record(value, Plan, "plan")


def test_an_open_judging_is_closed_and_its_worker_hands_nothing_over(
    local: Stores, runs: list[Run], redis: Redis
) -> None:
    leases = laid_out(redis, runs)
    plan = plan_of(redis, runs[0])
    held, other = (leases.claim(plan_of(redis, run), "gpu-1", (Lane.JUDGE,)) for run in runs)
    assert held is not None
    assert other is not None
    batches = judged_batches(runs[0])
    take_down(site_of(local, redis), order(TakedownKind.SUBMISSION, runs[0].submission.id))
    assert RescoreDesk(redis).judgings(RESCORE) == [judging_of(runs[1])]
    assert judging_of(runs[0]).encode() not in everything(redis)
    with pytest.raises(StaleLease):
        leases.hand_over(held, batches[0], 0)
    assert leases.claim(plan, "gpu-1", (Lane.JUDGE,)) is None
    assert judging_of(runs[0]).encode() not in everything(redis)
    assert redis.xlen(keys.OUTBOX) == 0
    leases.renew(other)
    rescore = RescoreDesk(redis).get(RESCORE)
    assert (rescore.status, list(rescore.failed)) == (RescoreStatus.RUNNING, [runs[0].id])
    assert rescore.failed[runs[0].id].message == "It was taken down."
    take_down(site_of(local, redis), order(TakedownKind.SUBMISSION, runs[0].submission.id))
    assert RescoreDesk(redis).get(RESCORE) == rescore, "it is noted once"


def test_open_judgings_of_an_answer_are_closed_and_its_text_goes_from_redis(
    local: Stores, runs: list[Run], redis: Redis
) -> None:
    leases = laid_out(redis, runs)
    held = leases.claim(plan_of(redis, runs[0]), "gpu-1", (Lane.JUDGE,))
    assert held is not None
    late = judging_of(runs[1]).replace(RESCORE, RESCORE.replace("0a1b", "ffff"))
    quote = judged_batches(runs[1])[0].model_copy(update={"run_id": late})
    redis.hset(keys.batches(late), quote.id, quote.model_dump_json())
    assert ANSWER.encode() in everything(redis)
    take_down(site_of(local, redis), order(TakedownKind.ANSWER, HASH))
    assert ANSWER.encode() not in everything(redis)
    assert not RescoreDesk(redis).judgings(RESCORE)
    with pytest.raises(StaleLease):
        leases.hand_over(held, judged_batches(runs[0])[0], 0)
    assert not RescoreDesk(redis).get(RESCORE).failed


def test_judgings_without_the_answer_stay_open(local: Stores, runs: list[Run], redis: Redis) -> None:
    laid_out(redis, runs)
    redis.delete(keys.batches(judging_of(runs[1])))
    take_down(site_of(local, redis), order(TakedownKind.ANSWER, HASH))
    assert RescoreDesk(redis).judgings(RESCORE) == [judging_of(runs[1])]
