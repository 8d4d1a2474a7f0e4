"""Who changes a stored record gives it another version, and what was stored before stays readable."""

from __future__ import annotations

import json
from typing import ClassVar, Literal

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.records import Record, UpgradedRecord
from leaderboard.store.parquet import decode_parquet, encode_parquet
from leaderboard.store.rows import decode_rows, encode_rows, read_record
from tests.upkeep.stored_kinds import noted, problem, schema_of, stored_kinds

KINDS = stored_kinds()


class Taste(Record):
    """As it was stored at first."""

    schema_version: Literal[1] = 1
    food: str


class TasteOfThree(UpgradedRecord):
    """As it is by now, after two changes."""

    upgrades: ClassVar = {
        1: lambda fields: {"dish": fields["food"]},
        2: lambda fields: {"dish": fields["dish"], "rating": None},
    }
    schema_version: Literal[3] = 3
    dish: str
    rating: int | None


class TasteToCome(Record):
    """As it will be."""

    schema_version: Literal[4] = 4
    dish: str
    rating: int | None
    where: str


class Menu(Record):
    """Something that others stand in, without a version of its own."""

    tastes: tuple[TasteOfThree, ...]


NOW = TasteOfThree(dish="ramen", rating=None)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_stored_record_has_not_changed_without_another_version(name: str) -> None:
    found = problem(name, KINDS[name], noted().get(name, {}))
    assert found is None, found


def test_no_stored_record_was_dropped() -> None:
    assert noted().keys() == KINDS.keys(), "what was stored once must stay readable"
    assert {"Generation", "Verdict", "Scorecard", "UserScores", "Plan", "CompactPlan", "History"} <= KINDS.keys()


def test_a_change_without_another_version_is_found_and_says_what_to_do() -> None:
    known = {"1": schema_of(Taste)}

    class Changed(Taste):
        where: str | None = None

    Changed.__name__ = "Taste"
    assert problem("Taste", Taste, known) is None
    found = problem("Taste", Changed, known)
    assert found is not None
    assert "make its schema_version Literal[2]" in found
    assert "UpgradedRecord" in found


def test_a_new_version_has_to_be_noted_and_the_old_one_read() -> None:
    known = {"1": schema_of(Taste)}
    assert "new version 3" in (problem("TasteOfThree", TasteOfThree, known) or "")
    assert problem("TasteOfThree", TasteOfThree, known | {"3": schema_of(TasteOfThree)}) is None
    lost = problem("TasteToCome", TasteToCome, known | {"4": schema_of(TasteToCome)})
    assert lost == "TasteToCome of version 1 was stored and can no longer be read: add its upgrade."


def test_a_bound_and_a_part_of_a_part_count_as_changes() -> None:
    generation = json.dumps(schema_of(KINDS["Generation"]))
    assert '"minimum": 0' in generation
    assert '"InputKey"' in generation
    assert "has a version of its own" in json.dumps(schema_of(KINDS["Batch"]))
    assert "SHA-256 of the answer" not in generation, "words may change"


def test_older_versions_are_read_from_every_form() -> None:
    old = Taste(food="ramen")
    assert read_record(old.model_dump_json(), TasteOfThree, "x") == NOW
    assert decode_rows(encode_rows([old, NOW]), TasteOfThree, "x") == [NOW, NOW]
    assert decode_parquet(encode_parquet([old], Taste), TasteOfThree, "x") == [NOW]
    within = json.dumps({"tastes": [old.model_dump(), NOW.model_dump()]})
    assert read_record(within, Menu, "x") == Menu(tastes=(NOW, NOW))


def test_a_version_to_come_is_told_apart_from_damage() -> None:
    new = TasteToCome(dish="ramen", rating=1, where="here")
    within = json.dumps({"tastes": [NOW.model_dump(), new.model_dump()]})
    tries = (
        lambda: read_record(new.model_dump_json(), TasteOfThree, "x"),
        lambda: decode_rows(encode_rows([NOW, new]), TasteOfThree, "x"),
        lambda: decode_parquet(encode_parquet([new], TasteToCome), TasteOfThree, "x"),
        lambda: read_record(within, Menu, "x"),
    )
    for try_ in tries:
        with pytest.raises(RapportError, match=r"written by a newer Rapport: version 4 .* Upgrade Rapport") as caught:
            try_()
        assert caught.value.cause is Cause.DATA_ERROR


@pytest.mark.parametrize("version", [0, 2.5, "1", None, [1], {"a": 1}])
def test_what_is_no_version_is_damage(version: object) -> None:
    with pytest.raises(RapportError, match="is no TasteOfThree"):
        read_record(json.dumps({"schema_version": version, "food": "ramen"}), TasteOfThree, "x")


def test_an_older_version_that_is_damaged_is_told() -> None:
    with pytest.raises(RapportError, match="no TasteOfThree of version 1 either"):
        read_record(json.dumps({"schema_version": 1, "dish": "ramen"}), TasteOfThree, "x")
