"""The board of judges as it is public: read from the results alone, and whatever is broken there costs itself."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from redis import Redis

from evaluator.hicupid.questions import QuestionType
from evaluator.judges.families import families, family_of
from evaluator.judges.quality.records import Training
from evaluator.judges.spec import TrainedOn, judge_ids, load_judge
from leaderboard.board.judges import JudgeBoard, build_judge_board
from leaderboard.judge_board.desk import JudgeQualities
from leaderboard.open_data import files
from leaderboard.open_data import layout as open_layout
from leaderboard.open_data.columns import to_columns
from leaderboard.open_data.judge_views import open_checks, open_judge, open_quality
from leaderboard.open_data.judges import OpenJudge
from leaderboard.release.judges import judge_files
from leaderboard.release.release import Release
from leaderboard.rescoring.checks import name_of
from leaderboard.store import LocalStore, Write, layout
from leaderboard.store.open import Stores
from leaderboard.upkeep.archive_check import check_archive
from tests.builders import NOON
from tests.judge_board.public_rows import make_check, make_computed
from tests.released import NAMES

LATER = NOON + datetime.timedelta(days=1)
NEWER = {"revision": "r2", "config": load_judge("demo").digest()}


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    """An archive with what is known of two judges, and nothing public yet."""
    archive, results, requests = (LocalStore(tmp_path / name) for name in ("archive", "results", "requests"))
    computed = [make_computed(), make_computed(users=30, **NEWER), make_computed("hicupid-llama-3.2-3b")]
    checks = [make_check(), make_check(judge_revision="r2", judge_config=NEWER["config"], checked_at=None)]
    archive.commit(
        [
            *(Write(layout.judge_quality_path(each.name), each.model_dump_json().encode()) for each in computed),
            *(Write(layout.judge_check_path(name_of(each)), each.model_dump_json().encode()) for each in checks),
        ],
        "what is known of judges",
    )
    return Stores(archive, results, requests)


def released(stores: Stores) -> JudgeBoard:
    Release(stores, NAMES, frozenset()).describe()
    return build_judge_board(stores.results)


def test_every_version_is_a_row_with_all_that_is_known_of_it(stores: Stores) -> None:
    board = released(stores)
    assert board.problems == ()
    assert [row.judge.id for row in board.rows if row.quality] == ["hicupid-llama-3.2-3b", "demo", "demo"]
    _, newer, older = (row for row in board.rows if row.quality)
    assert newer.quality == make_computed(users=30, **NEWER).quality
    assert older.quality == make_computed().quality
    assert (newer.is_present, older.is_present) == (True, False)
    assert newer.checks == (make_check(judge_revision="r2", judge_config=NEWER["config"], checked_at=None),)
    assert older.checks == (make_check(),)
    assert newer.computed_at == NOON


def test_judges_of_whom_nothing_is_known_have_a_row_and_all_stand_by_status_and_name(stores: Stores) -> None:
    board = released(stores)
    assert {row.judge.id for row in board.rows} == set(judge_ids())
    order = ["official", "candidate", "retired", "demo"]
    told = [(order.index(row.judge.status), row.judge.id) for row in board.rows]
    assert told == sorted(told)
    assert board.revision == stores.results.head()


def test_before_anything_is_released_there_is_an_empty_board(stores: Stores) -> None:
    assert build_judge_board(stores.results)[1:] == ((), ())


@pytest.mark.parametrize("path", [open_layout.JUDGE_QUALITY, open_layout.JUDGE_CHECKS, open_layout.JUDGES])
def test_a_file_that_cannot_be_read_costs_itself(stores: Stores, path: str) -> None:
    released(stores)
    stores.results.commit([Write(path, b"broken")], "broken")
    board = build_judge_board(stores.results)
    assert any(path in problem for problem in board.problems)
    assert bool(board.rows) is (path != open_layout.JUDGES)


def test_what_the_archive_has_and_cannot_read_is_left_out_and_found_by_the_check(stores: Stores) -> None:
    path = layout.judge_quality_path(make_computed().name)
    stores.archive.commit([Write(path, b"{}")], "broken")
    board = released(stores)
    assert sum(row.quality is not None for row in board.rows) == 2
    assert [each.finding.path for each in check_archive(stores.archive)] == [path]


def test_what_lies_under_another_name_is_found(stores: Stores) -> None:
    path = layout.judge_quality_path("demo/0a1b2c3d4e5f6071")
    stores.archive.commit([Write(path, make_computed().model_dump_json().encode())], "misplaced")
    assert [(each.finding.path, str(each.finding.kind)) for each in check_archive(stores.archive)] == [
        (path, "misplaced")
    ]


def test_news_are_told_in_one_commit_and_nothing_is_written_without_any(stores: Stores) -> None:
    release = Release(stores, NAMES, frozenset())
    release.describe()
    head = stores.results.head()
    release.tell_of_judges()
    assert stores.results.head() == head
    again = make_computed().model_copy(update={"computed_at": LATER})
    stores.archive.commit(
        [Write(layout.judge_quality_path(again.name), again.model_dump_json().encode())], "computed anew"
    )
    release.tell_of_judges()
    assert [commit.paths for commit in stores.results.history(1)] == [(open_layout.JUDGE_QUALITY,)]
    assert {row.computed_at for row in build_judge_board(stores.results).rows if row.quality} == {NOON, LATER}


def test_equal_records_are_equal_files_in_whatever_order_they_come(stores: Stores) -> None:
    made = judge_files(stores.archive)
    computed = [make_computed(users=30, **NEWER), make_computed("hicupid-llama-3.2-3b"), make_computed()]
    assert made[open_layout.JUDGE_QUALITY] == files.encode_quality(map(open_quality, computed))
    trained = Training(types=frozenset(QuestionType), models=frozenset({"org/b", "org/a"}))
    assert trained.model_dump_json() == ('{"types":["persona","profile","schedule"],"models":["org/a","org/b"]}'), (
        "sets have no order of their own"
    )


def test_public_rows_say_nothing_of_the_archive(stores: Stores) -> None:
    row = to_columns(open_quality(make_computed()))
    assert "archive_revision" not in row.model_dump_json()
    assert {"unparsed", "unparsed_low", "length_high", "seconds_reason"} <= type(row).model_fields.keys()
    figures = list(open_checks([make_check()]))
    assert len({each.check for each in figures}) == 1
    assert all(each.passed for each in figures)


class TestInRedis:
    """On the way to the archive."""

    def test_what_is_computed_anew_replaces_what_was_known_and_is_saved_again(self, redis: Redis) -> None:
        desk, first = JudgeQualities(redis), make_computed()
        again = first.model_copy(update={"computed_at": LATER})
        desk.put([first])
        taken = desk.unsaved()
        desk.put([again])
        desk.note_saved(taken)
        assert desk.unsaved() == {first.name: again}, "what came meanwhile waits"
        desk.note_saved(desk.unsaved())
        assert (desk.unsaved(), desk.all()) == ({}, {first.name: again})

    def test_a_lost_redis_takes_in_what_the_archive_holds_but_for_what_is_newer(
        self, redis: Redis, stores: Stores
    ) -> None:
        desk, newer = JudgeQualities(redis), make_computed().model_copy(update={"computed_at": LATER})
        desk.put([newer])
        desk.restore(stores.archive)
        assert len(desk.all()) == 3
        assert desk.all()[newer.name] == newer
        assert set(desk.unsaved()) == {newer.name}


class TestFamilies:
    """Where a judge comes from decides none of its verdicts."""

    def test_no_name_depends_on_family_and_training(self) -> None:
        judge = load_judge("demo")
        trained = TrainedOn(models=("org/a",))
        told = judge.model_copy(update={"family": None, "trained_on": trained, "training_note": "Nobody knows."})
        assert told.digest() == judge.digest()
        assert told.model_copy(update={"licence": "other"}).digest() != judge.digest()

    def test_shipped_judges_name_families_that_there_are(self) -> None:
        assert {load_judge(name).family for name in judge_ids()} - {None} <= families().keys()

    def test_a_family_is_told_by_id_base_or_architecture_and_never_by_a_name(self) -> None:
        assert family_of("Qwen/Qwen2.5-7B-Instruct") == "qwen"
        assert family_of("org/x", "mistralai/Mistral-7B-Instruct-v0.3") == "mistral"
        assert family_of("org/x", None, "Gemma2ForCausalLM") == "gemma"
        assert family_of("meta-llama/Llama-9-of-somebody", None, "LlamaForCausalLM") is None

    def test_the_public_row_says_how_a_judge_is_asked_and_of_older_rows_that_nobody_said(self) -> None:
        row = open_judge(load_judge("zero-shot-rating"))
        assert (row.engine, row.orders, row.parser, row.family) == ("own", "drawn", "word-v1", "qwen")
        old = row.model_dump() | {"schema_version": 2}
        for name in ("engine", "orders", "parser", "family", "trained_types", "trained_models", "training_note"):
            del old[name]
        read = OpenJudge.model_validate(old)
        assert (read.engine, read.orders, read.parser) == (None, None, None)


def test_a_check_keeps_the_moment_at_which_it_first_said_so() -> None:
    first = make_check(checked_at=None).first_said(None, NOON)
    assert first.checked_at == NOON
    assert make_check(checked_at=None).first_said(first, LATER).checked_at == NOON
    assert make_check(checked_at=None, missing=1).first_said(first, LATER).checked_at == LATER
