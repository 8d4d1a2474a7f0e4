"""What a re-score would take: what is judged once, what is there, and what is measured or missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.judge_archive import JUDGE as JUDGED_BY
from benchmarks.judge_archive import REVISION as BENCH_REVISION
from benchmarks.judge_archive import begin_archive, write_run
from evaluator.errors import Cause, RapportError
from evaluator.identity import text_digest
from evaluator.judge import settled
from evaluator.judges.spec import load_judge
from evaluator.records import Defect, Generation, SlotOrder, Verdict
from leaderboard.rescoring.columns import TYPES, ColumnReader, DigestSet, are_among, content_digests
from leaderboard.rescoring.preview import preview
from leaderboard.rescoring.preview_measures import said_in
from leaderboard.rescoring.preview_records import Preview
from leaderboard.rescoring.preview_words import preview_lines
from leaderboard.rescoring.records import Rescore, RescoreEvent, RescoreStep, judging_id
from leaderboard.store import LocalStore, Write, layout
from tests.builders import BOTH_ORDERS, NOON, PERSONA, SCHEDULE, make_item, make_plan
from tests.human_runs import make_human_run
from tests.unit.rescored_archive import (
    JUDGE,
    REVISION,
    Run,
    a_run,
    all_runs,
    answer_to,
    publish,
    run_id_of,
    verdicts_on,
    write_rows,
)

OTHER = load_judge("hicupid-llama-3.2-3b")


def of_all(store: LocalStore, judge: Any = JUDGE, revision: str | None = REVISION, **more: Any) -> Preview:
    return preview(store, judge, revision, all_runs(store), **more)


def of_items(number: int, rows: list[Generation], verdicts: list[Verdict], items: list[Any]) -> Run:
    return Run(make_plan(run_id_of(number), items=items), rows, verdicts)


def test_what_the_judge_said_is_there_and_what_another_said_is_not(store: LocalStore) -> None:
    publish(store, 1)
    own, other = of_all(store), of_all(store, OTHER)
    assert (own.runs, own.items, own.answers, own.wanted, own.there, own.missing) == (1, 6, 6, 10, 10, 0)
    assert (other.wanted, other.there, other.missing) == (10, 0, 10)
    assert other.missing_by_type == tuple(zip(TYPES, (4, 4, 2), strict=True))
    assert (own.said_on, other.said_on) == ((("vllm, float32", 10),), ())


def test_equal_answers_of_several_submissions_are_judged_once(store: LocalStore) -> None:
    publish(store, 1)
    publish(store, 2)
    publish(store, 3, a_run(3, text="Something of its own."))
    found = of_all(store, OTHER)
    assert (found.runs, found.answers, found.equal_answers, found.wanted, found.missing) == (3, 18, 6, 20, 20)


def test_the_same_text_to_another_question_is_another_answer(store: LocalStore) -> None:
    publish(store, 1, a_run(1, text="Always the same."))
    assert of_all(store, OTHER).equal_answers == 0


def test_verdicts_on_equal_answers_are_reused_whichever_run_they_are_in(store: LocalStore) -> None:
    publish(store, 1)
    publish(store, 2, a_run(2, judged=False))
    first, second = all_runs(store)
    assert of_all(store).missing == 0
    alone = preview(store, JUDGE, REVISION, [second])
    beside = preview(store, JUDGE, REVISION, [second], [first, second])
    assert (alone.runs, alone.there, alone.missing) == (1, 0, 10)
    assert (beside.runs, beside.answers, beside.there, beside.missing) == (1, 6, 10, 0)


@pytest.mark.parametrize("compacted", [True, False])
def test_what_a_re_score_has_judged_so_far_is_there(store: LocalStore, compacted: bool) -> None:
    publish(store, 1, a_run(1, {"rater": "demo"}))
    rescore = Rescore(
        id="r-20260401-0a1b2c3d",
        judge=OTHER.id,
        judge_revision="r9",
        judge_config=OTHER.digest(),
        prompt_pack="pack",
        prompt_pack_status="builtin",
        runs=(run_id_of(1), run_id_of(2)),
        created_by="carol",
        created_at=NOON,
        events=(RescoreEvent(sequence=1, step=RescoreStep.STARTED, at=NOON, actor="carol"),),
    )
    store.commit([Write(layout.rescore_path(rescore.id), rescore.model_dump_json().encode())], "re-score")
    run = a_run(1)
    item, row = run.plan.questions[0], run.generations[0]
    said = verdicts_on(item, row, {"rater": OTHER.id, "rater_revision": "r9", "decoding": OTHER.decoding(item.type)})
    plan = run.plan.model_copy(update={"run_id": judging_id(rescore.id, run_id_of(1))})
    write_rows(store, Run(plan, (), said), small_files=not compacted)
    found = of_all(store, OTHER, "r9")
    assert (found.runs, found.there, found.missing, found.findings) == (1, 2, 8, ())


@pytest.mark.parametrize(
    "key",
    [{"rater_revision": "r2"}, {"decoding": "drawn"}, {"judge_prompt_pack": "mine"}, {"data_sha": "e" * 40}],
    ids=lambda key: next(iter(key)),
)
def test_a_verdict_under_other_conditions_is_not_there(store: LocalStore, key: dict[str, str]) -> None:
    publish(store, 1, a_run(1, key))
    assert (found := of_all(store)).there == 0
    assert found.missing == 10


def test_the_wording_counts_where_it_is_known_alone(store: LocalStore) -> None:
    key = {"rater": OTHER.id, "judge_prompt_pack": "mine"}
    run = a_run(1)
    said = [
        verdict
        for item, row in zip(run.plan.questions, run.generations, strict=True)
        for verdict in verdicts_on(item, row, key | {"decoding": OTHER.decoding(item.type)})
    ]
    publish(store, 1, run._replace(verdicts=said))
    assert of_all(store, OTHER).there == 10
    assert of_all(store, OTHER, prompts="mine").there == 10
    assert of_all(store, OTHER, prompts="others").there == 0


def test_without_a_known_revision_nothing_counts_as_there(store: LocalStore) -> None:
    publish(store, 1)
    found = of_all(store, revision=None)
    assert (found.judge_revision, found.there, found.missing) == (None, 0, 10)
    assert "commit is not known" in "\n".join(preview_lines(found))


def test_answers_that_nobody_judges_are_counted_by_why(store: LocalStore) -> None:
    items = [make_item(f"test_1/{number}") for number in range(7)]
    gone = answer_to(items[4]).model_copy(update={"answer": None, "taken_down": True, "schema_version": 2})
    rows = [
        answer_to(items[0]),
        answer_to(items[1], " ", defect=Defect.EMPTY),
        answer_to(items[2]).model_copy(
            update={"answer": None, "content_hash": None, "failure": Cause.CONTEXT_OVERFLOW, "bleu": None}
        ),
        gone,
        answer_to(items[5], "On and on and on", defect=Defect.REPETITION),
        answer_to(make_item("test_1/unasked")),
    ]
    publish(store, 1, of_items(1, rows, [], items))
    found = of_all(store)
    assert (found.items, found.answers, found.wanted) == (7, 1, 2)
    assert dict(found.unjudged) == {
        "not_generated": 2,
        "context_overflow": 1,
        "empty": 1,
        "repetition": 1,
        "taken_down": 1,
    }
    assert found.items == found.answers + sum(count for _, count in found.unjudged)
    assert "2 never answered" in "\n".join(preview_lines(found))


def test_each_item_has_its_own_slot_orders(store: LocalStore) -> None:
    items = [make_item("test_1/0", orders=(SlotOrder.GOLD_FIRST,)), make_item("test_1/1", SCHEDULE)]
    rows = [answer_to(item) for item in items]
    both = verdicts_on(make_item("test_1/0", orders=BOTH_ORDERS), rows[0])
    publish(store, 1, of_items(1, rows, both, items))
    found = of_all(store)
    assert (found.wanted, found.there, found.missing) == (2, 1, 1)
    assert dict(found.missing_by_type)[SCHEDULE] == 1


def test_of_several_answers_to_a_question_the_one_that_counts_is_judged(store: LocalStore) -> None:
    items = [make_item("test_1/0")]
    rows = [answer_to(items[0], "First."), answer_to(items[0], "Second.", attempt=2)]
    publish(store, 1, of_items(1, rows, verdicts_on(items[0], rows[1]), items))
    found = of_all(store)
    assert (found.answers, found.wanted, found.missing) == (1, 2, 0)


def test_what_is_settled_is_what_the_judge_takes_for_settled(store: LocalStore) -> None:
    item = make_item("test_1/0")
    row = answer_to(item)
    unread = {"outcome": None, "word": None, "completion": "I cannot say."}
    said = [
        verdicts_on(item, row)[0].model_copy(update=changes)
        for changes in (
            {},
            unread,
            unread | {"attempt": 2},
            unread | {"failure": Cause.CONTEXT_OVERFLOW},
            unread | {"failure": Cause.TIMEOUT},
            {"attempt": 2},
        )
    ]
    publish(store, 1, of_items(1, [row], said, [item]))
    run = ColumnReader(store).read(run_id_of(1))
    assert run is not None
    assert said_in(run).settled.tolist() == [settled(verdict) for verdict in said]
    publish(store, 2, of_items(2, [row], [said[1]], [item]))
    assert preview(store, JUDGE, REVISION, [all_runs(store)[1]]).there == 0


def test_runs_in_many_small_files_count_as_those_in_a_few_large_ones(store: LocalStore, tmp_path: Any) -> None:
    other = LocalStore(tmp_path / "other")
    for number, judged in ((1, True), (2, False)):
        publish(store, number, a_run(number, judged=judged, text="" if judged else "Mine."))
        publish(other, number, a_run(number, judged=judged, text="" if judged else "Mine."), small_files=True)
    small, large = of_all(other), of_all(store)
    assert small == large
    assert (small.there, small.missing, small.tokens is None, small.time is None) == (10, 10, False, False)


def test_tokens_are_told_from_the_verdicts_of_this_judge_type_by_type(store: LocalStore) -> None:
    run = a_run(1)
    item, row = run.plan.questions[0], run.generations[0]
    again = verdicts_on(item, row, attempt=2, prompt_tokens=1000, output_tokens=7)[:1]
    dear = a_run(2, {"rater": "dear"}, text="Mine.")
    dear = dear._replace(verdicts=[each.model_copy(update={"prompt_tokens": 9000}) for each in dear.verdicts])
    publish(store, 1, run._replace(verdicts=[*run.verdicts, *again]))
    publish(store, 2, dear)
    found = of_all(store)
    assert found.missing == 10
    assert found.tokens is not None
    assert (found.tokens.of_this_judge, found.tokens.measured) == (True, 10)
    persona = next(each for each in found.tokens.by_type if each.type is PERSONA)
    assert (persona.measured, persona.missing) == (4, 4)
    assert (persona.prompt_tokens, persona.output_tokens) == ((4 * 200 + 1000) / 4, round((4 * 20 + 7) / 4, 1))
    assert (found.tokens.prompt_tokens, found.tokens.output_tokens) == (10 * 200 + 1000, 10 * 20 + 7)
    assert "by 10 of this judge's earlier verdicts" in "\n".join(preview_lines(found))


def test_tokens_are_told_from_other_judges_where_this_one_has_not_judged_such_a_question(store: LocalStore) -> None:
    item = make_item("test_1/0")
    row = answer_to(item)
    key = {"rater": OTHER.id, "decoding": OTHER.decoding(PERSONA)}
    publish(store, 1, of_items(1, [row], verdicts_on(item, row, key), [item]))
    publish(store, 2)
    found = of_all(store, OTHER)
    assert (found.missing, found.tokens and found.tokens.of_this_judge) == (10, False)
    assert found.tokens is not None
    assert found.tokens.measured == 12


def test_tokens_that_nothing_tells_are_missing(store: LocalStore) -> None:
    item, dated = make_item("test_1/0"), make_item("test_1/1", SCHEDULE)
    rows = [answer_to(item), answer_to(dated)]
    publish(store, 1, of_items(1, rows, verdicts_on(item, rows[0]), [item, dated]))
    found = of_all(store, OTHER)
    assert (found.missing, found.tokens) == (3, None)
    assert "tokens         unknown" in "\n".join(preview_lines(found))


def test_time_is_told_from_the_reports_on_this_judge(store: LocalStore) -> None:
    publish(store, 1, stage_seconds=(("judge", 2.0), ("load", 50.0)), hardware="1 x card")
    publish(store, 2, a_run(2, text="Mine."), stage_seconds=(("judge", 8.0),), hardware="cpu")
    slow = a_run(3, {"rater": "slow"}, text="Slow.")
    publish(store, 3, slow, stage_seconds=(("judge", 1000.0),))
    found = of_all(store)
    assert (found.missing, found.time is not None) == (10, True)
    assert found.time is not None
    assert (found.time.of_this_judge, found.time.verdicts, found.time.reports, found.time.runs) == (True, 20, 2, 2)
    assert found.time.verdicts_per_second == 2.0
    assert (found.time.seconds, found.time.least, found.time.most) == (5.0, 2.0, 8.0)
    assert found.time.made_on == ("vllm, float32, 1 x card", "vllm, float32, cpu")
    other = of_all(store, OTHER)
    assert other.time is not None
    assert (other.time.of_this_judge, other.time.verdicts, other.time.runs) == (False, 30, 3)
    assert "of other judges" in "\n".join(preview_lines(other))


def test_a_rehearsal_tells_neither_time_nor_tokens(store: LocalStore) -> None:
    publish(store, 1, a_run(1, {"engine": "deterministic"}), engine="deterministic")
    found = of_all(store, OTHER)
    assert (found.missing, found.time, found.tokens) == (10, None, None)
    assert "time           unknown" in "\n".join(preview_lines(found))


def test_a_lease_with_verdicts_of_two_judges_tells_no_time(store: LocalStore) -> None:
    run = a_run(1)
    mixed = [*run.verdicts, *a_run(1, {"rater": "other"}).verdicts]
    publish(store, 1, run._replace(verdicts=mixed))
    assert of_all(store, OTHER).time is None


def test_what_cannot_be_read_is_a_finding_and_counts_nowhere(store: LocalStore) -> None:
    publish(store, 1)
    publish(store, 2, a_run(2, text="Mine."))
    path = layout.compact_path(layout.verdicts_folder(run_id_of(2)))
    store.commit([Write(path, b"PAR1 and no more")], "damage")
    found = of_all(store)
    assert (found.runs, found.unreadable, found.items, found.wanted, found.missing) == (1, 1, 6, 10, 0)
    assert [finding.path for finding in found.findings] == [layout.run_folder(run_id_of(2))]
    words = "\n".join(preview_lines(found))
    assert "1 more cannot be read" in words
    assert path in words


def test_a_file_with_fewer_rows_than_the_plan_says_is_a_finding(store: LocalStore) -> None:
    publish(store, 1)
    publish(store, 2, a_run(2, judged=False))
    here, there = (layout.compact_path(layout.verdicts_folder(run_id_of(number))) for number in (1, 2))
    store.commit([Write(here, store.read(there))], "an older copy")
    assert (found := of_all(store)).unreadable == 1
    assert here in found.findings[0].message


def test_a_run_without_a_plan_is_a_finding(store: LocalStore) -> None:
    publish(store, 1)
    runs = all_runs(store)
    found = preview(store, JUDGE, REVISION, [runs[0].model_copy(update={"run_id": run_id_of(7)})])
    assert (found.runs, found.unreadable, len(found.findings)) == (0, 1, 1)


def test_a_run_of_people_s_labels_is_a_finding(store: LocalStore) -> None:
    publish(store, 1)
    human = make_human_run()
    name = human.plan.run_id
    store.commit([Write(layout.plan_path(name), human.plan.model_dump_json().encode())], "a run of the other suite")
    found = preview(store, JUDGE, REVISION, [all_runs(store)[0].model_copy(update={"run_id": name})])
    assert (found.runs, found.unreadable) == (0, 1)


def test_a_judge_that_compares_nothing_is_refused(store: LocalStore) -> None:
    with pytest.raises(RapportError, match="rating") as caught:
        of_all(store, load_judge("demo-rating"))
    assert caught.value.cause is Cause.JUDGE_ERROR


def test_an_archive_without_runs_needs_nothing(store: LocalStore) -> None:
    found = of_all(store)
    assert (found.runs, found.wanted, found.missing, found.tokens) == (0, 0, 0, None)
    assert Preview.model_validate_json(found.model_dump_json()) == found


def test_progress_is_told_run_by_run(store: LocalStore) -> None:
    publish(store, 1)
    publish(store, 2)
    told: list[tuple[int, int]] = []
    of_all(store, tell=lambda done, runs: told.append((done, runs)))
    assert told == [(1, 2), (2, 2)]


def test_words_cannot_steer_a_terminal(store: LocalStore) -> None:
    publish(store, 1, hardware="card\x1b[31m\n")
    assert all(line.isprintable() for line in preview_lines(of_all(store, OTHER)))


def test_content_digests_are_the_beginning_of_the_hash() -> None:
    hashes = [text_digest(str(number)) for number in range(50)]
    found = content_digests(pa.chunked_array([hashes[:20], hashes[20:]]), "rows")
    assert [int(one) for one in found] == [int(name[:15], 16) << 4 for name in hashes]
    assert content_digests(pa.array(hashes).slice(7, 2), "rows").tolist() == found[7:9].tolist()


@pytest.mark.parametrize("broken", ["", "ab", "a" * 65])
def test_a_hash_of_another_length_is_refused(broken: str) -> None:
    with pytest.raises(RapportError, match="rows"):
        content_digests(pa.array([text_digest("a"), broken]), "rows")


@given(st.lists(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 40), max_size=30), max_size=4), st.data())
def test_a_set_of_digests_is_a_set(added: list[list[int]], data: st.DataObject) -> None:
    digests = DigestSet()
    for some in added:
        digests.add(np.array(some, dtype=np.uint64))
    parts = [part.tolist() for part in digests.parts()]
    whole = sorted({one for some in added for one in some})
    assert [one for part in parts for one in part] == whole
    asked = data.draw(st.lists(st.sampled_from(whole) | st.integers(0, 50), max_size=20)) if whole else [3]
    among = are_among(np.array(asked, dtype=np.uint64), np.array(whole, dtype=np.uint64))
    assert among.tolist() == [one in whole for one in asked]


def test_the_archive_of_the_benchmark_is_one_that_can_be_planned_for(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder, users, runs = tmp_path / "archive", 3, 4
    template = begin_archive(folder, tmp_path, users, judged=[0, 1])
    for number in range(runs):
        write_run(folder, template, number, judged=number < 2)
    found = preview(archive := LocalStore(folder), load_judge(JUDGED_BY), BENCH_REVISION, all_runs(archive))
    assert (found.runs, found.answers, found.findings) == (runs, runs * users * 40, ())
    assert found.equal_answers <= runs * users * 70 - found.wanted <= 2 * found.equal_answers
    assert 2 * users * 70 - 2 * found.equal_answers <= found.there < found.wanted
    assert found.time is not None
    assert found.time.verdicts == 2 * users * 70
