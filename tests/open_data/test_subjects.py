"""What is told of the taste that a question is about, and what rows of before tell."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluator.hicupid.questions import Item
from evaluator.human.tasks import Task
from evaluator.records import Terms
from leaderboard.board.run_files import check_files, runs_in
from leaderboard.open_data import files, layout
from leaderboard.open_data.records import OpenGeneration
from leaderboard.open_data.views import open_generation
from leaderboard.store.parquet import decode_parquet
from tests.builders import PERSONA, SCHEDULE, TERMS, WIN, make_generation, make_input_key, make_item, make_verdict
from tests.human_runs import answer_to, demo_items
from tests.open_data.rows import CONSENT, RUN, judged

NEW = ["persona_category", "sentiment", "evidence_position"]
CLOSED = TERMS.model_copy(update={"redistributable": False, "licence": None})
OF_PEOPLE = CLOSED.model_copy(update={"personal_data": "pseudonymous"})
ABOUT_FOOD = make_item("test_1/1", PERSONA).model_copy(
    update={"persona_category": "food", "sentiment": "NEG", "evidence_position": (0.25, 0.5)}
)


def told(item: Item, terms: Terms = TERMS) -> tuple[object, ...]:
    row = open_generation(make_generation(make_input_key(item.question_id), terms=terms), item, True, CONSENT, RUN)
    assert row is not None
    return row.persona_category, row.sentiment, row.evidence_position


def old_file(rows: list[OpenGeneration], version: int) -> bytes:
    """Returns rows as they were written before they told what questions are about."""
    table = pq.read_table(io.BytesIO(files.encode_generations(rows))).drop_columns(NEW)
    place = table.schema.get_field_index("schema_version")
    table = table.set_column(place, table.schema.field(place), pa.array([version] * len(table)))
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def test_a_row_tells_what_its_question_is_about() -> None:
    assert told(ABOUT_FOOD) == told(ABOUT_FOOD, CLOSED) == ("food", "NEG", (0.25, 0.5))
    assert told(make_item("test_1/2", SCHEDULE))[:2] == (None, None)


def test_what_a_real_person_likes_is_told_where_the_source_may_be_passed_on_alone() -> None:
    assert told(ABOUT_FOOD, OF_PEOPLE) == (None, None, (0.25, 0.5))
    assert told(ABOUT_FOOD, OF_PEOPLE.model_copy(update={"redistributable": True}))[0] == "food"


@pytest.mark.parametrize(("length", "shown"), [(64, True), (65, False)])
def test_what_is_longer_than_a_label_may_be_text_of_the_source(length: int, shown: bool) -> None:
    item = ABOUT_FOOD.model_copy(update={"persona_category": "f" * length})
    assert (told(item, CLOSED)[0] is not None) is shown
    assert told(item)[0] == "f" * length


def test_people_are_asked_about_no_tastes() -> None:
    item = demo_items(Task.RELEVANCE)[0]
    row = open_generation(answer_to(item, "YES"), item, True, CONSENT, f"{RUN[:19]}.human-relevance-v1")
    assert row is not None
    assert (row.schema_version, row.persona_category, row.sentiment, row.evidence_position) == (3, None, None, ())


@pytest.mark.parametrize("version", [1, 2])
def test_rows_of_before_are_read_and_tell_nothing_of_it(version: int) -> None:
    row = open_generation(make_generation(), ABOUT_FOOD, True, CONSENT, RUN)
    assert row is not None
    (old,) = decode_parquet(old_file([row], version), OpenGeneration, "old")
    assert old == row.model_copy(update={"persona_category": None, "sentiment": None, "evidence_position": ()})


def test_the_board_is_made_of_files_of_before_too(tmp_path) -> None:
    answer = make_generation()
    row = open_generation(answer, ABOUT_FOOD, True, CONSENT, RUN)
    assert row is not None
    for path, content in (
        (layout.generations_path("org/model", RUN), old_file([row], 1)),
        (layout.verdicts_path("demo", "org/model", RUN), files.encode_verdicts([judged(make_verdict(answer, WIN))])),
    ):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes(content)
    (run,) = runs_in(tmp_path, "*/*")
    check_files([run])
    table = pq.read_table(run.generations)
    pq.write_table(table.append_column("sentiment", pa.array([1])), run.generations)
    with pytest.raises(ValueError, match="sentiment, or it is of another type"):
        check_files([run])
