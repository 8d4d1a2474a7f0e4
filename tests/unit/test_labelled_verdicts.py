"""The labelled verdict file: one that is right is read whole, and one with anything wrong is refused whole."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.questions import QuestionType
from evaluator.human.records import RaterKind
from evaluator.identity import text_digest
from evaluator.judges.quality import label_rows
from evaluator.judges.quality.label_reading import Known, check_labels, read_labels
from evaluator.judges.quality.labelled import COLUMNS, NEEDED, LabelledVerdict, LabelProblem
from evaluator.records import Outcome, SlotOrder

HASH, OTHER_HASH = text_digest("The ramen you love."), text_digest("Mind your dentist at three.")
TYPES = {
    "test_1/17": QuestionType.PERSONA,
    "test_1/18": QuestionType.PROFILE,
    "test_2/5": QuestionType.SCHEDULE,
}
KNOWN = Known(TYPES, frozenset({("test_1/17", HASH), ("test_1/18", HASH), ("test_2/5", OTHER_HASH)}))
DOCS = Path(__file__).parents[2] / "docs/judge-board.md"


def row(**changes: Any) -> dict[str, Any]:
    """A label that is right, but for some changes; a value of `...` leaves the column out."""
    values = {
        "schema_version": 1,
        "question_id": "test_1/17",
        "content_hash": HASH,
        "annotator": "n-01",
        "outcome": "win",
    }
    return {name: value for name, value in (values | changes).items() if value is not ...}


def jsonl(folder: Path, *lines: dict[str, Any] | bytes) -> Path:
    path = folder / "labels.jsonl"
    path.write_bytes(
        b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    )
    return path


def parquet(folder: Path, table: pa.Table, **options: Any) -> Path:
    path = folder / "labels.parquet"
    pq.write_table(table, path, **options)
    return path


def table_of(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows))


def problems(path: Path, known: Known = KNOWN) -> list[tuple[str, str]]:
    """What is wrong with a file: the place without its name, and the problem."""
    return [(each.place.partition(":")[2], each.problem.value) for each in check_labels(path, known).findings]


RIGHT = [
    row(),
    row(annotator="n-02", outcome="tie", slot_order="gold_first", note="Beide gut – 好"),
    row(question_id="test_1/18", outcome="loss", slot_order="answer_first", kind="person"),
    row(question_id="test_2/5", content_hash=OTHER_HASH, outcome="satisfied", slot_order="single"),
]


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_file_that_is_right_is_read(tmp_path, form):
    path = jsonl(tmp_path, *RIGHT) if form == "jsonl" else parquet(tmp_path, table_of(*RIGHT[1:], RIGHT[0]))
    labels = read_labels(path, KNOWN)
    first = labels[0] if form == "jsonl" else labels[-1]
    assert first == LabelledVerdict(
        schema_version=1, question_id="test_1/17", content_hash=HASH, annotator="n-01", outcome=Outcome.WIN
    )
    assert isinstance(first.outcome, Outcome)
    assert sorted(label.outcome for label in labels) == ["loss", "satisfied", "tie", "win"]
    noted = next(label for label in labels if label.note is not None)
    assert (noted.note, noted.slot_order, noted.kind) == ("Beide gut – 好", SlotOrder.GOLD_FIRST, RaterKind.PERSON)


def test_both_forms_say_the_same(tmp_path):
    assert read_labels(jsonl(tmp_path, *RIGHT), KNOWN) == read_labels(
        parquet(tmp_path, pa.Table.from_pylist([{name: row.get(name) for name in COLUMNS} for row in RIGHT])), KNOWN
    )


def test_empty_lines_and_other_line_ends_do_not_count(tmp_path):
    path = tmp_path / "labels.jsonl"
    path.write_bytes(json.dumps(row()).encode() + b"\r\n\n  \n" + json.dumps(row(annotator="n-02")).encode())
    assert len(read_labels(path, KNOWN)) == 2


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (row(question_id="test_1/99"), "unknown_question"),
        (row(content_hash=OTHER_HASH), "unknown_answer"),
        (row(outcome="satisfied"), "wrong_outcome"),
        (row(question_id="test_2/5", content_hash=OTHER_HASH), "wrong_outcome"),
        (row(slot_order="single"), "wrong_order"),
        (row(outcome="better"), "invalid"),
        (row(outcome="WIN"), "invalid"),
        (row(outcome="accepted"), "invalid"),
        (row(outcome=1), "invalid"),
        (row(outcome=None), "invalid"),
        (row(outcome=...), "invalid"),
        (row(schema_version=...), "invalid"),
        (row(schema_version=2), "invalid"),
        (row(schema_version="1"), "invalid"),
        (row(schema_version=True), "invalid"),
        (row(schema_version=1.0), "invalid"),
        (row(content_hash=HASH.upper()), "invalid"),
        (row(content_hash=HASH[:-1]), "invalid"),
        (row(content_hash=HASH + "\n"), "invalid"),
        (row(question_id=""), "invalid"),
        (row(question_id="test_1/17\x1b[31m"), "invalid"),
        (row(annotator="anna@example.org"), "not_a_pseudonym"),
        (row(annotator="Anna Meyer"), "invalid"),
        (row(annotator="../n"), "invalid"),
        (row(annotator=["n-01"]), "invalid"),
        (row(slot_order="A"), "invalid"),
        (row(kind="expert"), "invalid"),
        (row(note="x" * 501), "invalid"),
        (row(note="two\nlines"), "control_characters"),
        (row(note="a\x00b"), "control_characters"),
        (row(note="evil \u202e txt"), "control_characters"),
        (row(note="half \ud800 of one"), "control_characters"),
        (row(note={"html": "<b>"}), "invalid"),
        (row(stars=5), "foreign_column"),
        (b"{", "unreadable"),
        (b"[1]", "unreadable"),
        (b"NaN", "unreadable"),
        (b'{"outcome": "win", "outcome": "loss"}', "unreadable"),
        (b'{"schema_version": 1e999}', "unreadable"),
        (b'{"schema_version": ' + b"1" * 5000 + b"}", "unreadable"),
        (b"[" * 5000, "unreadable"),
        (b"\xef\xbb\xbf" + json.dumps(row()).encode(), "unreadable"),
        (json.dumps(row(note="caf\u00e9"), ensure_ascii=False).encode("latin-1"), "not_utf8"),
        (json.dumps(row()).encode("utf-16"), "not_utf8"),
        (json.dumps(row()).encode("utf-16-le"), "control_characters"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_row_that_is_wrong_is_named_and_nothing_is_read(tmp_path, bad, problem):
    path = jsonl(tmp_path, row(annotator="n-07"), bad, row(annotator="n-08"))
    found = problems(path)
    assert found[0] == ("2", problem), found
    assert {place for place, _ in found} <= {"2", "3"}
    assert {label.annotator for label in check_labels(path, KNOWN).labels} <= {"n-07", "n-08"}
    with pytest.raises(RapportError) as caught:
        read_labels(path, KNOWN)
    assert caught.value.cause is Cause.DATA_ERROR
    assert "labels.jsonl:2: " in caught.value.message
    assert "\x1b" not in str(caught.value)
    assert "\u202e" not in str(caught.value)


def test_an_annotator_labels_an_answer_once(tmp_path):
    path = jsonl(tmp_path, row(), row(), row(outcome="loss", slot_order="gold_first"), row(question_id="test_1/18"))
    assert problems(path) == [("2", "double"), ("3", "contradiction")]
    said = [str(each) for each in check_labels(path, KNOWN).findings]
    assert [label.question_id for label in check_labels(path, KNOWN).labels] == ["test_1/17", "test_1/18"]
    assert said[1] == (
        "labels.jsonl:3: contradiction: n-01 has labelled this answer at labels.jsonl:1 already, "
        "as win and now as loss."
    )


def test_one_file_holds_labels_of_one_kind(tmp_path):
    path = jsonl(tmp_path, row(), row(annotator="m-1", kind="simulated"), row(annotator="n-03"))
    assert problems(path) == [("2", "mixed_kinds")]
    alone = read_labels(jsonl(tmp_path, row(annotator="m-1", kind="simulated")), KNOWN)
    assert alone[0].kind is RaterKind.SIMULATED


def test_all_that_is_wrong_with_a_row_is_told(tmp_path):
    assert problems(jsonl(tmp_path, row(content_hash="0" * 64, outcome="satisfied", slot_order="single", stars=1))) == [
        ("1", "foreign_column"),
        ("1", "unknown_answer"),
        ("1", "wrong_outcome"),
        ("1", "wrong_order"),
    ]
    assert problems(jsonl(tmp_path, row(outcome="x", annotator="x y"))) == [("1", "invalid"), ("1", "invalid")]


def test_findings_end_somewhere_and_say_so(tmp_path):
    path = jsonl(tmp_path, *[row(question_id=f"test_9/{number}") for number in range(500)])
    assert len(check_labels(path, KNOWN).findings) == 100
    assert len(check_labels(path, KNOWN, most_findings=3).findings) == 3
    with pytest.raises(RapportError, match=r"100 things are wrong with it\. Nothing was read beyond these\."):
        read_labels(path, KNOWN)


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_a_file_without_labels_is_refused(tmp_path, content):
    path = tmp_path / "labels.jsonl"
    path.write_bytes(content)
    assert problems(path) == [("", "empty")]
    empty = pa.Table.from_pylist([row()]).slice(0, 0)
    assert problems(parquet(tmp_path, empty)) == [("", "empty")]


def test_what_is_no_file_or_has_another_name_is_refused(tmp_path):
    with pytest.raises(RapportError, match="There is no file") as caught:
        check_labels(tmp_path / "none.jsonl", KNOWN)
    assert caught.value.cause is Cause.NOT_FOUND
    with pytest.raises(RapportError, match="There is no file"):
        check_labels(tmp_path, KNOWN)
    path = tmp_path / "labels.csv"
    path.write_text("question_id,outcome\n")
    assert problems(path) == [("", "unreadable")]


class TestLimits:
    def test_a_long_line_is_not_read_to_its_end(self, tmp_path):
        longest = json.dumps(row(note="\U0001f600" * 500)).encode()
        assert len(longest) < label_rows.MOST_BYTES_A_LINE
        assert len(read_labels(jsonl(tmp_path, longest), KNOWN)) == 1
        path = jsonl(tmp_path, row(), b"x" * (label_rows.MOST_BYTES_A_LINE + 1), row(annotator="n-02"))
        assert problems(path) == [("2", "too_large")]

    def test_too_many_rows_are_not_read(self, tmp_path, monkeypatch):
        monkeypatch.setattr(label_rows, "MOST_ROWS", 3)
        rows = [row(annotator=f"n-{number}") for number in range(5)]
        assert problems(jsonl(tmp_path, *rows)) == [("4", "too_many_rows")]
        assert problems(parquet(tmp_path, table_of(*rows))) == [("", "too_many_rows")]
        assert problems(jsonl(tmp_path, *rows[:3])) == []

    def test_a_large_file_is_not_opened(self, tmp_path):
        path = tmp_path / "labels.jsonl"
        with path.open("wb") as file:
            file.truncate(label_rows.MOST_BYTES + 1)
        assert problems(path) == [("", "too_large")]

    def test_parquet_that_unpacks_to_much_more_is_not_unpacked(self, tmp_path):
        table = table_of(*[row(annotator=f"n-{number}", note=f"{number}" + "x" * 70_000) for number in range(1_000)])
        path = parquet(tmp_path, table, compression="zstd", use_dictionary=False)
        assert path.stat().st_size < label_rows.MOST_BYTES // 50
        assert problems(path) == [("", "too_large")]

    def test_one_long_text_in_every_row_is_found_before_it_is_multiplied(self, tmp_path):
        table = table_of(*[row(annotator=f"n-{number}") for number in range(2_000)])
        notes = pa.DictionaryArray.from_arrays(pa.array([0] * 2_000), pa.array(["x" * 2**20]))
        path = parquet(tmp_path, table.append_column("note", notes), compression="zstd", store_schema=False)
        assert path.stat().st_size < 2**20
        assert problems(path) == [("1", "too_large")]


class TestParquet:
    def test_columns_of_other_types_are_named(self, tmp_path):
        table = pa.table(
            {
                "schema_version": pa.array([1.0]),
                "question_id": pa.array([b"test_1/17"], pa.binary()),
                "content_hash": pa.array([[HASH]]),
                "annotator": pa.array([1]),
                "outcome": pa.array([{"said": "win"}]),
            }
        )
        found = check_labels(parquet(tmp_path, table), KNOWN).findings
        assert {each.problem for each in found} == {
            LabelProblem.COLUMN_TYPE,
            LabelProblem.FOREIGN_COLUMN,
            LabelProblem.MISSING_COLUMN,
        }
        said = "\n".join(map(str, found))
        for column in ("schema_version", "question_id", "annotator"):
            assert f"Column {column} holds" in said
        assert "The format has no column 'content_hash.list.element'." in said
        assert "The format has no column 'outcome.said'." in said

    def test_missing_and_foreign_columns_are_named(self, tmp_path):
        lacking = row(outcome=..., annotator=...) | {"object": b"\x80\x04pickled"}
        assert problems(parquet(tmp_path, table_of(lacking))) == [
            ("", "foreign_column"),
            ("", "missing_column"),
            ("", "missing_column"),
        ]

    def test_a_column_that_stands_there_twice_is_refused(self, tmp_path):
        once = table_of(row())
        twice = pa.Table.from_arrays([*once.columns, once["outcome"]], names=[*once.column_names, "outcome"])
        assert ("", "foreign_column") in problems(parquet(tmp_path, twice))

    def test_rows_are_named_from_one(self, tmp_path):
        rows = [row(annotator=f"n-{number}") for number in range(2_500)]
        rows[2_344]["outcome"] = "better"
        rows[2_400]["annotator"] = None
        assert problems(parquet(tmp_path, table_of(*rows))) == [("2345", "invalid"), ("2401", "invalid")]

    def test_text_that_is_not_utf8_is_found(self, tmp_path):
        names = [name for name in row() if name != "schema_version"]
        raw = pa.table(
            {name: pa.array([b"caf\xe9" if name == "annotator" else row()[name].encode()]) for name in names}
        )
        columns = {name: pa.Array.from_buffers(pa.string(), 1, raw[name].chunk(0).buffers()) for name in names}
        table = pa.table({"schema_version": pa.array([1]), **columns})
        assert problems(parquet(tmp_path, table)) == [("1", "not_utf8")]

    @pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\x00" * 40 + b"PAR1", b'{"outcome": "win"}\n'])
    def test_what_is_no_parquet_is_refused(self, tmp_path, content):
        path = tmp_path / "labels.parquet"
        path.write_bytes(content)
        assert problems(path) == [("", "unreadable")]

    def test_damaged_parquet_is_refused(self, tmp_path):
        rows = [row(annotator=f"n-{number}") for number in range(100)]
        path = parquet(tmp_path, table_of(*rows), compression="none", write_page_checksum=True, use_dictionary=False)
        content = bytearray(path.read_bytes())
        content[content.index(b"n-50")] ^= 1
        path.write_bytes(content)
        assert ("", "unreadable") in problems(path)


_DAMAGE = """
import random, sys
from pathlib import Path
from evaluator.judges.quality.label_reading import Known, check_labels

path, seed = Path(sys.argv[1]), random.Random(3)
whole = path.read_bytes()
for _ in range(600):
    damaged = bytearray(whole)
    damaged[seed.randrange(len(whole) - 2500, len(whole))] = seed.randrange(256)
    path.write_bytes(damaged)
    check_labels(path, Known({}, ()))
"""


def test_no_damage_to_what_parquet_says_of_itself_ends_the_process(tmp_path):
    """Some accessors of a damaged footer end the process, which no handler catches: none of those is asked."""
    path = parquet(tmp_path, table_of(*[row(annotator=f"n-{number}", note="x") for number in range(3)]))
    ended = subprocess.run([sys.executable, "-c", _DAMAGE, str(path)], check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_document_shows_a_file_that_is_right(tmp_path):
    """The example of the docs is read as it stands there, and every column and every limit is told."""
    text = DOCS.read_text(encoding="utf-8")
    (example,) = re.findall(r"```jsonl\n(.*?)```", text, re.DOTALL)
    path = tmp_path / "example.jsonl"
    path.write_text(example, encoding="utf-8")
    about = [json.loads(line) for line in example.splitlines()]
    types = {
        each["question_id"]: QuestionType.SCHEDULE if "satisfied" in each["outcome"] else QuestionType.PERSONA
        for each in about
    }
    known = Known(types, {(each["question_id"], each["content_hash"]) for each in about})
    assert len(read_labels(path, known)) == len(about) >= 3
    assert {name for each in about for name in each} == set(COLUMNS)
    for column in COLUMNS:
        needed = "yes" if column in NEEDED else "no"
        assert re.search(rf"^\| `{column}` \| {needed} \|", text, re.MULTILINE), column
    for problem in LabelProblem:
        assert f"`{problem.value}`" in text, problem
    for limit in (label_rows.MOST_ROWS, label_rows.MOST_BYTES_A_LINE):
        assert f"{limit:,}" in text
