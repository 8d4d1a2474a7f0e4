"""What is taken down is nowhere any more, in no revision and no copy; what was found of it stays, with a note."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from evaluator.errors import Cause, RapportError
from evaluator.human.judged.items import content_of
from evaluator.identity import text_digest
from evaluator.records import Generation, Outcome
from leaderboard.board.changes import build_changes
from leaderboard.labelling.desk import Desk
from leaderboard.labelling.journal import files_of
from leaderboard.labelling.records import EventKind, Task
from leaderboard.open_data import layout as open_layout
from leaderboard.open_data.changes import changes_in
from leaderboard.open_data.people import OpenLabel
from leaderboard.open_data.records import OpenCard, OpenGeneration, OpenVerdict, OpenWithdrawal
from leaderboard.records import State
from leaderboard.results import Scorecard
from leaderboard.store import Delete, LocalStore, NotFound, Write, layout
from leaderboard.store.open import Stores
from leaderboard.store.parquet import decode_parquet
from leaderboard.store.rows import decode_rows, encode_rows, read_record
from leaderboard.store.runs import StoredRun
from leaderboard.submissions import keys
from leaderboard.submissions.history import History
from leaderboard.submissions.ledger import Ledger
from leaderboard.upkeep.findings import FindingKind
from leaderboard.upkeep.reach import look
from leaderboard.upkeep.records import Takedown, TakedownKind, takedown_path
from leaderboard.upkeep.row_changes import changes_of, without_answer
from leaderboard.upkeep.takedown import take_down
from tests.builders import NOON, make_generation, make_verdict, make_verdict_key
from tests.hub_server import LocalHub
from tests.labelling.people import make_events, make_label
from tests.store.conftest import opener
from tests.store.test_hub_store_writing import name_of
from tests.upkeep.sites import ANSWER, STEPS, Run, batches_of, contents, fill, findings, kinds, site_of
from worker.mark import Mark, saved_mark

HASH = text_digest(ANSWER)
PERSON, ANOTHER = "annotator-00017", "annotator-00018"


def order(kind: TakedownKind, name: str) -> Takedown:
    return Takedown(kind=kind, name=name, at=NOON, actor="carol", reason="Its author asked for it.")


def note_of(stores: Stores, kind: TakedownKind, name: str) -> Takedown:
    path = takedown_path(kind, name)
    return read_record(stores.archive.read(path), Takedown, path)


def texts(stores: Stores) -> str:
    """All text of all rows in the archive and in public, however it is packed."""
    found: list[str] = []
    for path in stores.archive.list(layout.RUNS):
        run_id = path.split("/")[3]
        rows = StoredRun(stores.archive, run_id).rows()
        found += [row.model_dump_json() for some in (rows.generations, rows.verdicts) for row in some]
    for folder, kind in (("generations", OpenGeneration), ("verdicts", OpenVerdict), ("scorecards", OpenCard)):
        for path in stores.results.list(folder):
            found += [row.model_dump_json() for row in decode_parquet(stores.results.read(path), kind, path)]
    return "\n".join(found)


def assert_past_is_gone(stores: Stores) -> None:
    for store in stores:
        assert len(store.history()) == 1
    assert saved_mark(stores.archive) == Mark("0123456789abcdef", 41)


def with_mark(redis: Redis) -> Redis:
    redis.set(keys.EPOCH, "0123456789abcdef:41")
    return redis


def test_looking_changes_nothing(stores: Stores, runs: list[Run]) -> None:
    before = [contents(store) for store in stores]
    reach = look(stores.archive, stores.results, order(TakedownKind.MODEL, "org/model-1"), lambda _: None)
    assert (reach.submissions, reach.runs) == ((runs[0].submission.id,), (runs[0].id,))
    assert reach.files == 6
    answer = look(stores.archive, stores.results, order(TakedownKind.ANSWER, HASH), lambda _: None)
    assert answer.runs == (runs[0].id, runs[1].id)
    assert [contents(store) for store in stores] == before


def test_a_model_goes_with_all_its_results_and_others_stay(stores: Stores, runs: list[Run], redis: Redis) -> None:
    gone, other = runs
    others = {path: content for path, content in contents(stores.archive).items() if other.submission.id in path}
    take_down(site_of(stores, with_mark(redis)), order(TakedownKind.MODEL, gone.submission.model))

    left = [path for path in stores.archive.list() if gone.submission.id in path]
    assert left == [layout.submission_path(gone.submission.id), layout.tombstone_path(gone.submission.id)]
    history = read_record(stores.archive.read(left[0]), History, left[0])
    assert history.withdrawn
    note = note_of(stores, TakedownKind.MODEL, gone.submission.model)
    assert (note.actor, note.submissions) == ("carol", (gone.submission.id,))
    public = [path for path in stores.results.list() if gone.id in path]
    assert public == []
    assert gone.id not in texts(stores)
    withdrawals = decode_rows(stores.results.read(open_layout.WITHDRAWN), OpenWithdrawal, "withdrawn")
    assert [row.submission_id for row in withdrawals] == [gone.submission.id]
    now = contents(stores.archive)
    assert {path: now[path] for path in others} == others
    assert_past_is_gone(stores)
    assert findings(stores) == []
    told = changes_in(build_changes(stores.results).table)
    assert gone.submission.model not in {row.model for row in told}
    assert [row.reason for row in told if row.kind == "left"] == ["withdrawn"]


def test_a_record_of_changes_that_cannot_be_read_keeps_a_takedown_from_being_done(
    stores: Stores, runs: list[Run], redis: Redis
) -> None:
    stores.results.commit([Write(open_layout.CHANGES, b"no Parquet")], "damaged")
    asked = order(TakedownKind.MODEL, runs[0].submission.model)
    with pytest.raises(RapportError, match="may name what was taken down"):
        take_down(site_of(stores, with_mark(redis)), asked)
    assert len(stores.results.history()) > 1, "an earlier one can still be brought back"
    stores.results.commit([Delete(open_layout.CHANGES)], "it begins anew")
    take_down(site_of(stores, redis), asked)
    assert_past_is_gone(stores)
    assert {row.model for row in changes_in(build_changes(stores.results).table)} == {runs[1].submission.model}


def test_a_submission_goes_alone(stores: Stores, runs: list[Run], redis: Redis) -> None:
    take_down(site_of(stores, with_mark(redis)), order(TakedownKind.SUBMISSION, runs[1].submission.id))
    assert StoredRun(stores.archive, runs[1].id).plan() is None
    assert StoredRun(stores.archive, runs[0].id).rows().generations
    assert findings(stores) == []


def test_an_answers_text_goes_and_all_that_was_found_of_it_stays(stores: Stores, runs: list[Run], redis: Redis) -> None:
    cards = {run: Scorecard.model_validate_json(stores.archive.read(layout.scorecard_path(*run.card))) for run in runs}
    before = {run: StoredRun(stores.archive, run.id).rows() for run in runs}
    assert ANSWER in texts(stores)
    take_down(site_of(stores, with_mark(redis)), order(TakedownKind.ANSWER, HASH))

    assert ANSWER not in texts(stores)
    for run in runs:
        rows = StoredRun(stores.archive, run.id).rows()
        (row,) = (row for row in rows.generations if row.content_hash == HASH)
        assert (row.answer, row.thought, row.taken_down, row.schema_version) == (None, None, True, 2)
        quotes = [row for row in rows.verdicts if row.key.content_hash == HASH]
        assert [row.completion for row in quotes] == ["", ""]
        old = [row.completion for row in before[run].verdicts if row.key.content_hash == HASH]
        assert [row.taken_down for row in quotes] == list(map(text_digest, old))
        assert [row.outcome for row in rows.verdicts] == [row.outcome for row in before[run].verdicts]
        assert sum(row.answer is None for row in rows.generations) == 1
        card = Scorecard.model_validate_json(stores.archive.read(layout.scorecard_path(*run.card)))
        assert card.result == cards[run].result
        assert card.rows_sha != cards[run].rows_sha
        path = open_layout.generations_path(run.submission.model, run.id)
        public = decode_parquet(stores.results.read(path), OpenGeneration, path)
        assert [row.answer_status for row in public if row.content_hash == HASH] == ["withheld"]
    assert_past_is_gone(stores)
    assert findings(stores) == []


def test_the_words_on_a_pair_go_with_either_of_its_answers() -> None:
    rows = [make_generation(answer=text) for text in ("Clover.", "Heather.", "Lime.")]
    one, other, third = (str(row.content_hash) for row in rows)
    row = make_generation()
    pair, strange = (
        make_verdict(row, Outcome.WIN, key=make_verdict_key(row, content_hash=content))
        for content in (content_of(other, one), content_of(other, third))
    )
    changes = changes_of(TakedownKind.ANSWER, one)
    assert changes.verdict(pair) == pair, "of itself nothing says whose pair it is"
    of_run = changes.among(rows, None)
    assert of_run.verdict(pair).completion == ""
    assert of_run.verdict(pair).outcome == pair.outcome
    assert of_run.verdict(strange) == strange
    assert changes.among(rows[1:], None) == changes


def test_the_thought_goes_with_the_answer() -> None:
    row = without_answer(make_generation(thought="They love ramen."), text_digest("Ramen, as always."))
    assert (row.answer, row.thought, row.thought_tokens) == (None, None, 0)
    assert without_answer(row, HASH) == row


def test_a_person_goes_with_labels_and_verdicts(stores: Stores, runs: list[Run], redis: Redis) -> None:
    run = runs[1]
    path = stores.archive.list(layout.generations_folder(run.id))[0]
    answer = decode_rows(stores.archive.read(path), Generation, path)[0]
    said = [
        make_verdict(answer, None, key=make_verdict_key(answer, rater=rater), rater_kind="human", completion=rater)
        for rater in (PERSON, ANOTHER)
    ]
    more = layout.batch_path(layout.verdicts_folder(run.id), "people")
    stores.archive.commit([Write(more, encode_rows(said))], "people")
    for person in (PERSON, ANOTHER):
        events = make_events(person, EventKind.AGREED, make_label())
        stores.archive.commit(list(files_of(events)), "labels")
        Desk(redis).replace(person, events)
    findings(stores, repair=True)
    assert annotators(stores) == {PERSON, ANOTHER}

    take_down(site_of(stores, with_mark(redis)), order(TakedownKind.PERSON, PERSON))

    assert PERSON not in texts(stores)
    assert ANOTHER in texts(stores)
    assert annotators(stores) == {ANOTHER}
    assert stores.archive.list(layout.person_folder(PERSON)) == []
    assert (Desk(redis).people(), Desk(redis).events(PERSON)) == ([ANOTHER], ())
    assert Desk(redis).counts("org/set", Task.RELEVANCE) == {"p1/a1": {"YES": 1}}
    assert note_of(stores, TakedownKind.PERSON, PERSON).reason
    assert findings(stores) == []
    stores.archive.commit(list(files_of(make_events(PERSON, EventKind.AGREED))), "an old copy")
    assert FindingKind.TAKEN_DOWN in kinds(stores)


def annotators(stores: Stores) -> set[str]:
    """Whose labels are public."""
    labels = open_layout.labels_path("org/set", "relevance")
    return {each.annotator for each in decode_parquet(stores.results.read(labels), OpenLabel, labels)}


def test_what_comes_back_is_found(stores: Stores, runs: list[Run], redis: Redis) -> None:
    before = contents(stores.archive)
    site = site_of(stores, with_mark(redis))
    take_down(site, order(TakedownKind.ANSWER, HASH))
    path = layout.compact_path(layout.generations_folder(runs[0].id))
    stores.archive.commit([Write(path, before[path])], "an old copy")
    assert FindingKind.TAKEN_DOWN in kinds(stores)
    take_down(site, order(TakedownKind.ANSWER, HASH))
    assert findings(stores) == []
    take_down(site, order(TakedownKind.MODEL, runs[1].submission.model))
    stores.archive.commit([Write(layout.plan_path(runs[1].id), before[layout.plan_path(runs[1].id)])], "an old copy")
    assert FindingKind.TAKEN_DOWN in kinds(stores)


def test_nothing_is_noted_of_what_is_not_there(stores: Stores, runs: list[Run]) -> None:
    for kind, name in (
        (TakedownKind.MODEL, "org/modle-1"),
        (TakedownKind.ANSWER, "0" * 64),
        (TakedownKind.PERSON, "p-1"),
        (TakedownKind.SUBMISSION, "s-20260301-0000000f"),
    ):
        with pytest.raises(RapportError, match="Nothing is stored") as caught:
            take_down(site_of(stores), order(kind, name))
        assert caught.value.cause is Cause.NOT_FOUND
    assert findings(stores) == []


def test_what_cannot_be_read_may_hold_it_so_nothing_is_done(local_stores: Stores, redis: Redis) -> None:
    runs = fill(local_stores)
    path = layout.compact_path(layout.generations_folder(runs[0].id))
    local_stores.archive.commit([Write(path, b"PAR1")], "damage")
    before = contents(local_stores.archive)
    with pytest.raises(RapportError, match=path):
        take_down(site_of(local_stores, with_mark(redis)), order(TakedownKind.ANSWER, HASH))
    assert contents(local_stores.archive) == before


def test_without_redis_the_archive_is_withdrawn_and_the_next_publisher_compares(local_stores: Stores) -> None:
    run = fill(local_stores)[0]
    take_down(site_of(local_stores), order(TakedownKind.MODEL, run.submission.model))
    path = layout.submission_path(run.submission.id)
    assert read_record(local_stores.archive.read(path), History, path).withdrawn
    mark = saved_mark(local_stores.archive)
    assert mark is not None
    assert mark.era != "0123456789abcdef"
    assert findings(local_stores) == []


def test_the_text_is_in_no_revision_and_no_copy(hub: LocalHub, tmp_path: Path, redis: Redis) -> None:
    stores = Stores(*(opener(hub, tmp_path / "copies" / name)("copy") for name in ("archive", "results", "requests")))
    fill(stores)
    found = [hub.repositories.find("dataset", name_of(store)) for store in stores]
    places = [tmp_path / "copies", *(each.folder for each in found if each is not None)]
    assert [ANSWER.encode() in everything(place) for place in places[:2]] == [True, True]
    take_down(site_of(stores, with_mark(redis)), order(TakedownKind.ANSWER, HASH))
    assert [ANSWER.encode() in everything(place) for place in places] == [False] * 4


def everything(folder: Path) -> bytes:
    """All bytes of all files in a folder."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def stores_in(folder: Path) -> Stores:
    return Stores(*(LocalStore(folder / name) for name in ("store", "results", "requests")))


def die_amid(folder: Path, left: int, kind: TakedownKind, name: str) -> None:
    """Takes something down in a process that is killed at a commit, after so many others."""

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def made(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return call(*arguments, **options)

        return made

    for each in ("commit", "squash"):
        setattr(LocalStore, each, counted(getattr(LocalStore, each)))
    take_down(site_of(stores_in(folder)), order(kind, name))


@pytest.mark.parametrize(("kind", "name"), [(TakedownKind.ANSWER, HASH), (TakedownKind.MODEL, "org/model-1")])
def test_killed_anywhere_the_same_call_completes_it(tmp_path: Path, kind: TakedownKind, name: str) -> None:
    fill(stores_in(tmp_path / "whole"))
    processes = multiprocessing.get_context("forkserver")  # What it forks from has imported all of this.
    processes.set_forkserver_preload([__name__])
    for after in (1, 3, 6, 9, 100):
        folder = shutil.copytree(tmp_path / "whole", tmp_path / str(after), symlinks=True)
        stores = stores_in(folder)
        process = processes.Process(target=die_amid, args=(folder, after, kind, name))
        process.start()
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL)
        take_down(site_of(stores), order(kind, name))
        assert findings(stores) == []
        assert all(len(store.history()) == 1 for store in stores)
        if kind is TakedownKind.ANSWER:
            assert ANSWER not in texts(stores)
        if not process.exitcode:
            return
    raise AssertionError("it was killed each time")


def entered(redis: Redis, run: Run, *states: State) -> Ledger:
    """A ledger that knows a run in its last state."""
    ledger = Ledger(with_mark(redis))
    ledger.create(run.submission)
    for before, after in zip((State.CHECKING, *states), states, strict=False):
        ledger.move(run.id, before, after, "alice")
    return ledger


def test_the_ledger_is_withdrawn_and_keeps_no_row(local_stores: Stores, redis: Redis) -> None:
    run = fill(local_stores)[0]
    ledger = entered(redis, run, State.QUEUED, State.GENERATING)
    for batch in batches_of(run):
        redis.hset(keys.batches(run.id), batch.id, batch.model_dump_json())
    take_down(site_of(local_stores, redis), order(TakedownKind.MODEL, run.submission.model))
    assert ledger.history(run.submission.id).withdrawn
    assert ledger.state(run.id) is State.CANCELLED
    assert not redis.exists(keys.batches(run.id))


def test_a_run_that_is_being_published_ends_first(local_stores: Stores, redis: Redis) -> None:
    run = fill(local_stores)[0]
    entered(redis, run, *STEPS[1:-1])
    with pytest.raises(RapportError, match="is publishing"):
        take_down(site_of(local_stores, redis), order(TakedownKind.MODEL, run.submission.model))
    assert StoredRun(local_stores.archive, run.id).rows().generations


def test_an_answer_goes_from_redis_too_once_its_run_has_ended(local_stores: Stores, redis: Redis) -> None:
    run = fill(local_stores)[0]
    ledger = entered(redis, run, State.QUEUED, State.GENERATING)
    for batch in batches_of(run):
        redis.hset(keys.batches(run.id), batch.id, batch.model_dump_json())
    site, asked = site_of(local_stores, redis), order(TakedownKind.ANSWER, HASH)
    with pytest.raises(RapportError, match=f"{run.id} is generating"):
        take_down(site, asked)
    with pytest.raises(NotFound):
        local_stores.archive.read(takedown_path(asked.kind, asked.name))
    ledger.move(run.id, State.GENERATING, State.CANCELLED, "alice")
    take_down(site, asked)
    assert ANSWER.encode() not in b"".join(redis.hvals(keys.batches(run.id)))
    assert b"test_1/2-persona." in b"".join(redis.hvals(keys.batches(run.id)))


def test_a_ledger_that_may_have_lost_something_is_restored_first(local_stores: Stores, redis: Redis) -> None:
    redis.delete(keys.EPOCH)
    with pytest.raises(RapportError, match="was not compared"):
        take_down(site_of(local_stores, redis), order(TakedownKind.MODEL, "org/model-1"))
