"""The demo set: made again byte for byte, plausible in its figures, and called simulated everywhere."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from pathlib import Path

import pytest
from sklearn.metrics import cohen_kappa_score

from evaluator.human.check import check, check_folder
from evaluator.human.data import HumanData, demo_set
from evaluator.human.demo_data import (
    ANNOTATORS,
    DECLARED,
    SEED,
    SMALL,
    demo_tables,
    generate_demo,
    write_demo_human_set,
)
from evaluator.human.demo_data.content import Flaw, occasions, tasks, topics
from evaluator.human.demo_data.responses import Manner
from evaluator.human.layout import HumanTables
from evaluator.human.records import RaterKind, Role, Verification


@pytest.fixture(scope="module")
def declared() -> HumanTables:
    return demo_tables(DECLARED)


def test_the_set_that_ships_is_made_again_byte_for_byte(tmp_path: Path) -> None:
    write_demo_human_set(tmp_path / "set")
    made = {path.relative_to(tmp_path / "set"): path.read_bytes() for path in (tmp_path / "set").rglob("*.*")}
    ships = {path.relative_to(demo_set()): path.read_bytes() for path in demo_set().rglob("*.*")}
    assert made == ships


def test_another_seed_makes_another_set(tmp_path: Path) -> None:
    assert demo_tables(seed=SEED + 1) != demo_tables() == demo_tables(seed=SEED)


def test_it_is_small_and_in_order() -> None:
    assert sum(path.stat().st_size for path in demo_set().rglob("*.*")) < 300_000
    assert check_folder(demo_set()) == ()


def test_nothing_in_it_can_be_taken_for_peoples() -> None:
    data = HumanData.open(str(demo_set()))
    assert data.kinds == {RaterKind.SIMULATED}
    assert data.is_simulated
    assert (data.terms.personal_data, data.terms.visibility, data.terms.licence) == (
        "synthetic",
        "public",
        "apache-2.0",
    )
    assert data.terms.redistributable
    tables = data.tables
    for label in (*tables.attribute_labels, *tables.relevance_labels, *tables.response_ratings):
        assert label.annotator_id.startswith("simulated-")
        assert label.note is None
    card = (demo_set() / "README.md").read_text()
    assert "- simulated\n" in card
    assert "- synthetic\n" in card
    assert "# Rapport human demo set (simulated labels)\n\n> **The labels here are simulated.**" in card
    assert "given by single people" not in card


def test_its_size_is_as_described() -> None:
    tables = demo_tables()
    assert len({row.user_id for row in tables.conversations}) == 6
    for counts, least, most in (
        (Counter(row.user_id for row in tables.conversations), 3, 4),
        (Counter(row.user_id for row in tables.attributes), 6, 11),
    ):
        assert len(counts) == 6
        assert least <= min(counts.values()) <= max(counts.values()) <= most
    assert len(tables.prompts) == 6
    assert len(tables.responses) == 12
    for table, item in (
        (tables.attribute_labels, ("attribute_id",)),
        (tables.relevance_labels, ("prompt_id", "attribute_id")),
        (tables.response_ratings, ("response_id", "attribute_id")),
    ):
        of_item = Counter(tuple(getattr(label, name) for name in item) for label in table)
        assert set(of_item.values()) == {3, 4}
        of_annotator = Counter(label.annotator_id for label in table)
        assert set(of_annotator) == {each.annotator_id for each in ANNOTATORS}
        assert max(of_annotator.values()) < len(of_item)


def test_it_shows_all_that_can_be_wrong_and_all_that_can_be_done() -> None:
    demo = generate_demo(SMALL, SEED)
    assert set(demo.flaws.values()) == set(Flaw)
    assert {name for name, holds in demo.truth.makes_sense.items() if not holds} == demo.flaws.keys()
    assert {round(each, 2) for each in demo.truth.uplift.values()} == {round(each.uplift, 2) for each in Manner}
    assert set(demo.mentioned.values()) == {True, False}


def test_an_attribute_is_named_openly_just_where_the_generator_says_so() -> None:
    demo = generate_demo(DECLARED, 1)
    you = {right.text: right.you for topic in topics() for right in topic.right}
    texts = {row.attribute_id: row.text for row in demo.tables.attributes}
    responses = {row.response_id: row.personalised for row in demo.tables.responses}
    plain = {pair: openly for pair, openly in demo.mentioned.items() if "<" not in you.get(texts[pair[1]], "<")}
    assert len(plain) > 200
    for (response, attribute), openly in plain.items():
        assert (you[texts[attribute]] in responses[response]) is openly


def test_evidence_of_what_holds_is_something_that_the_user_said() -> None:
    demo = generate_demo(SMALL, SEED)
    conversations = {row.conversation_id: row for row in demo.tables.conversations}
    for attribute in demo.tables.attributes:
        (evidence,) = attribute.evidence
        if evidence.turn is None:
            assert demo.flaws[attribute.attribute_id] is Flaw.NO_EVIDENCE
        else:
            assert conversations[evidence.conversation_id].turns[evidence.turn].role is Role.USER


def test_the_order_of_attributes_does_not_tell_which_hold() -> None:
    demo = generate_demo(DECLARED, 1)
    holds = list(demo.truth.makes_sense.values())
    changes = sum(one != other for one, other in itertools.pairwise(holds))
    share = sum(holds) / len(holds)
    assert abs(changes / len(holds) - 2 * share * (1 - share)) < 0.05


def test_the_large_one_has_about_the_declared_sizes(declared: HumanTables) -> None:
    rated = {(label.response_id, label.attribute_id) for label in declared.response_ratings}
    pairs = {(label.prompt_id, label.attribute_id) for label in declared.relevance_labels}
    assert len({row.user_id for row in declared.conversations}) == 50
    assert len(declared.conversations) == 550
    assert len(declared.prompts) == 41
    for count, expected in (
        (len(declared.attributes), 1_983),
        (len(pairs), 3_973),
        (len(declared.responses), 80),
        (len(rated), 367),
    ):
        assert abs(count - expected) < 0.12 * expected


def test_the_large_one_is_in_order(declared: HumanTables) -> None:
    assert check(declared) == ()


def test_its_labels_are_about_as_people_are_said_to_label(declared: HumanTables) -> None:
    def share(rows: list[bool]) -> float:
        return sum(rows) / len(rows)

    assert 0.17 < share([label.relevant for label in declared.relevance_labels]) < 0.24
    assert 0.5 < share([label.label is Verification.ACCEPTED for label in declared.attribute_labels]) < 0.66
    ratings = [int(label.rating) for label in declared.response_ratings]
    assert 3.1 < sum(ratings) / len(ratings) < 3.45
    assert set(ratings) == {1, 2, 3, 4, 5}


def test_its_annotators_agree_about_as_much_as_people_do(declared: HumanTables) -> None:
    given: dict[str, dict[tuple[str, str], bool]] = {}
    for label in declared.relevance_labels:
        given.setdefault(label.annotator_id, {})[label.prompt_id, label.attribute_id] = label.relevant
    kappas = []
    for one, other in itertools.combinations(given.values(), 2):
        shared = sorted(one.keys() & other.keys())
        kappas.append(cohen_kappa_score([one[key] for key in shared], [other[key] for key in shared]))
    assert 0.35 < sum(kappas) / len(kappas) < 0.55


def test_a_user_stays_the_same_among_more_users() -> None:
    few, many = generate_demo(SMALL, 3).tables, generate_demo(SMALL._replace(users=9), 3).tables
    assert few.conversations == many.conversations[: len(few.conversations)]
    assert few.attributes == many.attributes[: len(few.attributes)]


@pytest.mark.parametrize(("name", "value"), [("users", 0), ("topics", 99), ("tasks", 99), ("prompts", 42)])
def test_a_size_that_the_texts_do_not_allow_is_refused(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=name):
        generate_demo(SMALL._replace(**{name: value}), 1)


def test_every_slot_has_words_and_every_use_has_an_occasion() -> None:
    known = {each.occasion for each in occasions()}
    for topic in (*topics(), *tasks()):
        used = re.findall(r"<(\w+)>", topic.model_dump_json(exclude={"slots"}))
        assert set(used) == topic.slots.keys(), topic.topic
        for right in topic.right:
            assert right.uses.keys() <= known
            assert right.at < 2 * len(topic.turns)
            assert right.at % 2 == 0
        assert all(each.at is None or each.at % 2 == 0 for each in topic.wrong)


def test_no_slot_is_left_in_a_text() -> None:
    for rows in generate_demo(DECLARED, 5).tables:
        assert not [row for row in rows if "<" in row.model_dump_json()]


@pytest.mark.parametrize("kind", ["right", "wrong"])
def test_no_attribute_stands_in_two_topics(kind: str) -> None:
    texts = [each.text for topic in topics() for each in getattr(topic, kind)]
    assert [text for text, count in Counter(texts).items() if count > 1] == []
