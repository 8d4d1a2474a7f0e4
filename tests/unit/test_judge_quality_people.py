"""What is told of a judge beside people's labels, and all of it at once, by examples."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.human.data import demo_set
from evaluator.human.labelled import rating_labels, verification_labels
from evaluator.human.layout import HumanTables
from evaluator.human.reading import read_tables
from evaluator.human.records import RaterKind
from evaluator.human.scoring import score_classes
from evaluator.human.tasks import Task
from evaluator.judges.quality.board import Rated, judge_quality
from evaluator.judges.quality.human_sets import human_set_agreement
from evaluator.judges.quality.labelled import LabelledVerdict, labels_of_people
from evaluator.judges.quality.people import PeopleSaid, majority_of, people_agreement
from evaluator.judges.quality.reading import costs_of
from evaluator.judges.quality.records import JudgeQuality, PeoplePart, Slice, Why
from evaluator.records import Outcome, SlotOrder
from tests.builders import (
    LOSS,
    NO,
    PERSONA,
    SCHEDULE,
    TIE,
    WIN,
    make_generation,
    make_input_key,
    make_item,
    make_verdict,
    make_verdict_key,
)
from tests.unit.test_judge_quality import UNTOLD, said, slice_of


def label(number: int, annotator: str, outcome: Outcome, **changes) -> LabelledVerdict:
    values = {"question_id": f"test_1/{number}", "content_hash": f"{number:064x}"}
    return LabelledVerdict(schema_version=1, annotator=annotator, outcome=outcome, **(values | changes))


ITEMS = {f"test_1/{n}": make_item(f"test_1/{n}", SCHEDULE if n > 90 else PERSONA, n % 12) for n in range(99)}


def test_what_people_said_on_the_site_is_a_label_each():
    def verdict(number: int, rater: str, outcome: Outcome | None, order=SlotOrder.GOLD_FIRST, **changes):
        generation = make_generation(make_input_key(f"test_1/{number}"))
        key = make_verdict_key(generation, order, rater=rater, rater_revision=changes.pop("wording", "pairs-v1"))
        return make_verdict(generation, outcome, order, key, **({"rater_kind": "human"} | changes))

    found = labels_of_people(
        [
            verdict(2, "annotator-bbbbb", TIE),
            verdict(1, "annotator-bbbbb", WIN),
            verdict(1, "annotator-bbbbb", WIN, SlotOrder.ANSWER_FIRST, wording="pairs-v2"),
            verdict(1, "annotator-aaaaa", LOSS),
            verdict(3, "annotator-aaaaa", LOSS),
            verdict(3, "annotator-aaaaa", WIN, wording="pairs-v2"),
            verdict(4, "annotator-aaaaa", None),
            verdict(5, "demo", WIN, rater_kind="model"),
        ]
    )
    told = [(label.annotator, label.question_id, label.outcome, label.slot_order) for label in found.labels]
    assert told == [
        ("annotator-aaaaa", "test_1/1", LOSS, SlotOrder.GOLD_FIRST),
        ("annotator-bbbbb", "test_1/1", WIN, SlotOrder.GOLD_FIRST),
        ("annotator-bbbbb", "test_1/2", TIE, SlotOrder.GOLD_FIRST),
    ]
    assert found.conflicting == 1


class TestPeople:
    def test_the_majority_and_what_is_tied(self):
        labels = [
            label(1, "n-1", WIN),
            label(1, "n-2", WIN),
            label(1, "n-3", LOSS),
            label(2, "n-1", WIN),
            label(2, "n-2", TIE),
            label(91, "n-1", NO),
        ]
        found, tied = majority_of(labels, ITEMS)
        assert [(each.name[0], each.entry.read) for each in found] == [("test_1/1", (WIN,)), ("test_1/91", (NO,))]
        assert tied == 1

    def test_single_labels_are_compared_and_have_no_part_among_annotators(self):
        own = [said(n, WIN, WIN, user=n % 12) for n in range(3)]
        labels = [label(0, "n-1", WIN), label(1, "n-2", LOSS), label(50, "n-2", LOSS)]
        (found,) = people_agreement(own, PeopleSaid("file", labels), ITEMS, UNTOLD, 0.15)
        every = slice_of(found.majority.slices, Slice.ALL)
        assert (found.source, found.kind, found.unjudged, found.tied) == ("file", RaterKind.PERSON, 1, 0)
        assert (every.same.value, every.same.counted, every.same.possible) == (0.5, 2, 3)
        (part,) = found.parts
        assert (part.questions, part.items, part.labels, part.annotators) == ("pairs", 3, 3, 2)
        assert (part.kappa.judge.value, part.kappa.judge.reason) == (None, Why.UNDEFINED)
        assert part.test.passes is None

    def test_kinds_of_labels_are_never_mixed(self):
        labels = [label(0, "n-1", WIN), label(0, "m-1", LOSS, kind=RaterKind.SIMULATED)]
        found = people_agreement([said(0, WIN, WIN)], PeopleSaid("file", labels), ITEMS, UNTOLD, 0.15)
        assert [(each.kind.value, each.majority.slices[0].same.value) for each in found] == [
            ("person", 1.0),
            ("simulated", 0.0),
        ]

    def test_a_judge_among_three_annotators(self):
        votes = [(WIN, WIN, LOSS), (LOSS, LOSS, LOSS), (TIE, TIE, TIE), (WIN, LOSS, LOSS)] * 6
        labels = [label(n, f"n-{who}", vote) for n, row in enumerate(votes) for who, vote in enumerate(row)]
        own = [said(n, row[1], row[1], user=n % 12) for n, row in enumerate(votes)]
        (found,) = people_agreement(own, PeopleSaid("file", labels), ITEMS, UNTOLD, 0.15)
        (part,) = found.parts
        assert part.labels == 72
        assert part.kappa.judge.value > part.kappa.one_more_human.value
        assert (part.kappa.noise_ceiling.value, part.kappa.noise_ceiling.reason) == (None, Why.TRIVIAL)
        assert part.win_kappa.judge.value <= part.win_kappa.noise_ceiling.value < 1
        assert (part.single_kappa.noise_ceiling.value, part.single_kappa.judge.possible) == (None, 144)
        assert part.mean_absolute_error.noise_ceiling.value <= part.mean_absolute_error.judge.value
        assert part.bias.value == pytest.approx((1 / 3 + 0 + 0 - 1 / 3) / 4)


def test_all_of_a_judge_at_once_and_as_json():
    own = [said(n, WIN if n % 3 else LOSS, WIN, user=n % 15, answer=20 if n % 2 else 5) for n in range(60)]
    other = [said(n, WIN if n % 4 else LOSS, WIN, user=n % 15) for n in range(60)]
    items = {each.entry.item.question_id: each.entry.item for each in own}
    labels = [label(n, f"n-{who}", WIN if (n + who) % 3 else LOSS) for n in range(40) for who in range(3)]
    no_costs = costs_of([], items)
    judges = [
        Rated(name, "r1", "c1", "pack", family, UNTOLD, judged, no_costs)
        for name, family, judged in [("one", "a", own), ("two", "b", other), ("three", None, other)]
    ]
    found = judge_quality(judges[0], judges, [PeopleSaid("file", labels)], items, {"a/one": "a"}, epsilon=0.15)
    assert [each.other for each in found.agreement] == ["three", "two"]
    assert found.family_preference.against == ("two",)
    assert [each.rater for each in found.length.beside] == ["file", "three", "two"]
    assert (found.answers, found.models, found.users, len(found.people)) == (60, 1, 15, 1)
    assert JudgeQuality.model_validate_json(found.model_dump_json()) == found
    again = [each._replace(judged=each.judged[::-1]) for each in judges[::-1]]
    people = [PeopleSaid("file", labels[::-1])]
    assert found == judge_quality(again[-1], again, people, items, {"a/one": "a"}, epsilon=0.15)


def test_a_verifier_beside_a_data_set_of_labels_has_the_figures_of_the_suite():
    tables = read_tables(demo_set()).tables
    people = verification_labels(tables, [RaterKind.SIMULATED])
    told = {name: float(place % 3 == 0) for place, name in enumerate(people.items) if place % 5}
    (found,) = human_set_agreement("demo", tables, Task.VERIFICATION, told, epsilon=0.15)
    assert (found.kind, found.items, found.answered) == (RaterKind.SIMULATED, len(people.items), len(told))
    expected = score_classes(Task.VERIFICATION, people, told, of=1.0, epsilon=0.15)
    assert {each.name: each.value for each in found.figures} == {name: each.value for name, each in expected.items()}
    assert {"kappa", "kappa.one_more_human", "single_kappa.noise_ceiling", "winning_rate"} <= expected.keys()


def test_a_rating_judge_beside_a_data_set_of_labels():
    tables = read_tables(demo_set()).tables
    told = {name: 1.0 + place % 5 for place, name in enumerate(rating_labels(tables, [RaterKind.SIMULATED]).items)}
    (found,) = human_set_agreement("demo", tables, Task.RATING, told, epsilon=0.15)
    assert {"bias", "spearman_within_annotators.one_more_human", "winning_rate"} <= {
        each.name for each in found.figures
    }
    assert human_set_agreement("none", HumanTables(), Task.RATING, told, epsilon=0.15) == ()


def test_the_document_names_every_reason_slice_and_figure():
    text = (Path(__file__).parents[2] / "docs/judge-board.md").read_text(encoding="utf-8")
    parts = [name for name in PeoplePart.model_fields if name not in ("questions", "items", "labels", "annotators")]
    for name in [*Why, *Slice, *parts, "consistency", "slot_a", "unparsed", "missing", "odds_ratio", "difference"]:
        assert f"`{name}`" in text or f".{name}`" in text, name
    for name in ("agreement", "people", "human_sets", "costs"):
        assert f"| `{name}` |" in text, name
