"""What a well-formed data set says, however its rows happen to lie."""

import random
from collections import Counter
from pathlib import Path

import pytest

from evaluator.hicupid.data import HicupidData
from evaluator.hicupid.demo_data import DemoSize, write_demo_set
from tests.data_set.layout import Format, Tables, dialogue_rows, qa_rows, small_set, write_set
from tests.data_set.reading import read_all


def turns(data: HicupidData, split: str, user_id: int) -> list[str]:
    history = data.history(split, user_id)
    return [turn.user for dialogue in history.dialogues for turn in dialogue.turns]


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_seen_and_unseen_users_have_their_questions_and_histories(tmp_path: Path, format: Format) -> None:
    contents = read_all(str(write_set(tmp_path / "set", small_set(), format)))
    assert [question.question_id for question in contents.questions] == [
        *(f"test_1/{number}" for number in (0, 1, 2, 40, 41, 42)),
        *(f"test_2/{number}" for number in (280, 281, 282)),
    ]
    assert list(contents.histories) == [("test_1", 0), ("test_1", 1), ("test_2", 7)]
    question = contents.questions[7]
    assert (question.gold, question.general_answer, question.evidence) == ("for 7", "for anyone", (281,))
    assert question.persona is not None
    assert question.persona.cluster == "food/enjoys/ramen"
    assert (question.profile, question.schedule) == (None, None)


def test_both_formats_say_the_same(tmp_path: Path) -> None:
    formats: tuple[Format, ...] = ("jsonl", "parquet")
    read = [read_all(str(write_set(tmp_path / format, small_set(), format))) for format in formats]
    assert read[0][1:] == read[1][1:]


def test_the_newest_dialogue_is_at_place_zero(tmp_path: Path) -> None:
    data = HicupidData.open(str(write_set(tmp_path / "set", small_set())))
    places = [question.evidence_position for question in data.questions("test_2")]
    assert places == [(2 / 3,), (1 / 3,), (0,)]


def test_the_order_of_rows_is_the_order_of_turns(tmp_path: Path) -> None:
    tables = small_set()
    tables["dialogue", "test"].reverse()
    data = HicupidData.open(str(write_set(tmp_path / "set", tables)))
    assert turns(data, "test_2", 7) == [
        "user 7 says profile 0",
        *(f"user 7 says persona {turn}" for turn in (2, 1, 0)),
        "user 7 says schedule 0",
    ]


def test_dialogues_are_in_the_order_of_their_ids_wherever_they_stand(tmp_path: Path) -> None:
    tables = small_set()
    random.Random(1).shuffle(tables["dialogue", "test"])
    history = HicupidData.open(str(write_set(tmp_path / "set", tables))).history("test_2", 7)
    assert [dialogue.dialogue_id for dialogue in history.dialogues] == [280, 281, 282]


@pytest.mark.parametrize("users", [(9,), (31, 30, 5), (5, 31)])
def test_a_history_is_found_by_user_in_any_subset_of_users(tmp_path: Path, users: tuple[int, ...]) -> None:
    everyone = (30, 5, 31, 9, 12)
    tables: Tables = {
        ("dialogue", "test"): [row for user in everyone for row in dialogue_rows(user)],
        ("qa", "test_2"): [row for user in users for row in qa_rows(user)],
    }
    data = HicupidData.open(str(write_set(tmp_path / "set", tables)))
    assert data.users("test_2") == list(users)
    for user in users:
        assert data.history("test_2", user).user_id == user
        assert all(text.startswith(f"user {user} says") for text in turns(data, "test_2", user))
        assert {question.user_id for question in data.questions("test_2", user)} == {user}


def test_rows_of_users_may_be_mixed(tmp_path: Path) -> None:
    tables = small_set()
    whole = read_all(str(write_set(tmp_path / "whole", tables)))
    pairs = zip(dialogue_rows(0), dialogue_rows(1), strict=True)
    tables["dialogue", "train"] = [row for pair in pairs for row in pair]
    mixed = read_all(str(write_set(tmp_path / "mixed", tables)))
    assert mixed.histories == whole.histories
    assert mixed.questions == whole.questions


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_further_columns_are_accepted_and_a_turn_id_changes_nothing(tmp_path: Path, format: Format) -> None:
    tables = small_set()
    plain = read_all(str(write_set(tmp_path / "plain", tables, format)))
    for rows in tables.values():
        for number, row in enumerate(rows):
            row |= {"turn_id": len(rows) - number, "language": "en", "scores": [0.5]}
    more = read_all(str(write_set(tmp_path / "more", tables, format)))
    assert more[1:] == plain[1:]
    assert more.sha != plain.sha


def test_numbers_in_metadata_become_text(tmp_path: Path) -> None:
    tables = small_set()
    for row in tables["qa", "test_2"]:
        if row["metadata"]["profile"]:
            row["metadata"] = {**row["metadata"], "profile": {**row["metadata"]["profile"], "age": 34}}
    data = HicupidData.open(str(write_set(tmp_path / "set", tables)))
    assert [question.profile.age for question in data.questions("test_2") if question.profile] == ["34"]


def test_facts_of_nothing_but_null_count_as_not_stated(tmp_path: Path) -> None:
    tables = small_set()
    for row in tables["qa", "test_2"]:
        if row["metadata"]["schedule"] is None:
            row["metadata"] = {**row["metadata"], "schedule": {"datetime": None, "event": None}}
    data = HicupidData.open(str(write_set(tmp_path / "set", tables)))
    assert [question.schedule is None for question in data.questions("test_2")] == [True, True, False]


def test_a_generated_demo_set_is_read_as_any_other(tmp_path: Path) -> None:
    write_demo_set(tmp_path / "set", DemoSize(users=1, seen_users=1, persona_turns=2))
    contents = read_all(str(tmp_path / "set"))
    assert [len(history.dialogues) for history in contents.histories.values()] == [40, 40]
    assert Counter(question.split for question in contents.questions) == {"test_1": 8, "test_2": 40}


def test_a_user_who_is_not_asked_has_no_questions(tmp_path: Path) -> None:
    tables = small_set()
    tables["qa", "test_1"] = qa_rows(1)
    data = HicupidData.open(str(write_set(tmp_path / "set", tables)))
    assert list(data.questions("test_1", 0)) == []


def test_the_same_files_have_the_same_sha_and_other_files_another(tmp_path: Path) -> None:
    tables = small_set()
    first = HicupidData.open(str(write_set(tmp_path / "first", tables))).sha
    assert HicupidData.open(str(write_set(tmp_path / "second", tables))).sha == first
    tables["qa", "test_2"][0]["question"] = "Another?"
    assert HicupidData.open(str(write_set(tmp_path / "third", tables))).sha != first


def test_only_a_card_that_says_so_makes_rows_public(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", small_set())
    terms = HicupidData.open(str(folder)).terms
    assert (terms.visibility, terms.redistributable, terms.personal_data) == ("public", True, "synthetic")
    card = (folder / "README.md").read_text()
    (folder / "README.md").write_text(card.replace("license: apache-2.0\n", "").replace("- synthetic", "- chats"))
    terms = HicupidData.open(str(folder)).terms
    assert (terms.visibility, terms.redistributable, terms.personal_data) == ("private", False, "personal")


def test_folders_of_one_name_are_not_taken_for_each_other(tmp_path: Path) -> None:
    tables, other = small_set(), small_set()
    for row in other["dialogue", "test"]:
        row["user"] = f"not {row['user']}"

    first = read_all(str(write_set(tmp_path / "a" / "set", tables)))
    second = read_all(str(write_set(tmp_path / "b" / "set", other)))

    assert first.histories["test_2", 7] != second.histories["test_2", 7]
