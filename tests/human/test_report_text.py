"""How a report reads: what is simulated is called so wherever it could be taken for people's."""

from __future__ import annotations

import io
import itertools
import re

import pytest
from PIL import Image

from evaluator.human.layout import HumanTables
from evaluator.human.records import RaterKind
from evaluator.human.report import human_report
from evaluator.human.report.plots import plots
from evaluator.human.report.saving import encode_report
from evaluator.human.report.text import Heading, Table, blocks, markdown
from tests.human.reports import HONEST, RANDOM, data_of, labelled, with_labels

PICTURES = ["label_balance.png", "annotators.png", "drift.png"]


def parts(tables: HumanTables) -> list:
    return list(blocks(human_report(data_of(tables))))


def text(tables: HumanTables) -> str:
    return markdown(parts(tables))


@pytest.mark.parametrize("skills", [HONEST, (*HONEST, RANDOM), (2.0,)], ids=["honest", "random", "alone"])
def test_every_title_table_and_line_about_annotators_says_simulated(skills):
    made = parts(labelled(skills, kind=RaterKind.SIMULATED))
    for part in made:
        if isinstance(part, Heading):
            assert "simulated" in part.text
        elif isinstance(part, Table):
            assert "simulated" in part.head[0]
    lines = [line for line in markdown(made).splitlines() if re.search("human|people|person|annotator|rater", line)]
    assert len(lines) > 10
    assert [line for line in lines if "simulated" not in line] == []
    assert not re.search("one more human", markdown(made))


def test_people_are_never_called_simulated():
    read = text(labelled())
    assert "simulated" not in read
    assert "one more human against single others" in read


def test_every_picture_of_simulated_labels_says_so():
    report = human_report(data_of(labelled(kind=RaterKind.SIMULATED)))
    assert [name for name, _, _ in plots(report)] == PICTURES
    assert all("simulated" in title for _, title, _ in plots(report))


def test_a_consensus_is_told_and_not_counted():
    read = text(labelled((2.0,), kind=RaterKind.CONSENSUS))
    assert read.count("200 labels are a consensus of several people.") == 3
    assert read.count("no agreement and no ceiling") == 3
    assert "|" not in read


def test_an_empty_set_has_a_text_and_no_picture():
    assert text(HumanTables()).count("There is no label of this task.") == 3
    assert list(encode_report(human_report(data_of(HumanTables())))) == ["report.md", "report.json"]


def test_one_annotator_has_no_agreement_and_it_is_said():
    report = human_report(data_of(labelled((2.0,))))
    assert markdown(list(blocks(report))).count("there is no agreement and no ceiling") == 3
    assert [name for name, _, _ in plots(report)] == ["label_balance.png"]


def test_without_times_drift_has_neither_table_nor_picture():
    report = human_report(data_of(with_labels(labelled(), lambda row: row.model_copy(update={"labelled_at": None}))))
    assert markdown(list(blocks(report))).count("nothing is known of drift") == 3
    assert [name for name, _, _ in plots(report)] == PICTURES[:2]


def test_the_outlier_is_named_and_who_has_few_items_too():
    tables = labelled((*HONEST, RANDOM))
    (line,) = [line for line in text(tables).splitlines() if line.startswith("| ann-5") and line.endswith("yes |")][:1]
    assert "200" in line
    some = {f"a{number}" for number in range(10)}
    few = with_labels(tables, lambda row: None if row.annotator_id == "ann-5" and row.attribute_id not in some else row)
    assert text(few).count("alternative annotator test: ann-5.") == 3


def test_how_many_labels_would_do_is_called_an_estimate():
    lines = [line for line in text(labelled()).splitlines() if "would halve it" in line]
    assert len(lines) == 3
    assert all("An estimate:" in line and "80 users instead of 20" in line for line in lines)


def test_one_item_of_one_user_is_not_called_several():
    (first, *_) = (tables := labelled()).attributes
    alone = tables._replace(
        attributes=(first,),
        attribute_labels=tuple(row for row in tables.attribute_labels if row.attribute_id == first.attribute_id)[:1],
        relevance_labels=(),
        responses=(),
        response_ratings=(),
    )
    read = text(alone)
    assert "1 item of 1 user, 1 label by 1 annotator; labels an item: 1 (1 item)." in read
    assert not re.search(r"(?<![0-9.,])1 (items|users|labels|annotators)", read)


def test_a_dash_is_explained_once_a_task_by_the_reasons_that_there_are():
    many = text(labelled())
    sentence = "A dash (-) stands where there is no figure, no interval or no test:"
    assert many.count(sentence) == 3
    assert "fewer than 10 users" not in many
    some = {f"a{number}" for number in range(5)}
    few = with_labels(labelled(), lambda row: row if getattr(row, "attribute_id", "") in some else None)
    lines = [line for line in text(few).splitlines() if line.startswith(sentence)]
    assert len(lines) == 3
    assert all("fewer than 10 users" in line for line in lines)


def test_the_classes_of_each_stage_are_named_above_its_figures():
    read = text(labelled())
    assert read.count("Of two classes: problematic (uncertain or rejected), and accepted. F1 is of the first.") == 1
    assert read.count("Of two classes: relevant (YES), and not relevant (NO). F1 is of the first.") == 1
    assert read.count("Of ratings from 1 to 5.") == 1


def test_tables_are_aligned():
    lines = text(labelled()).splitlines()
    for first, second in itertools.pairwise(lines):
        if first.startswith("|") and second.startswith("|"):
            assert len(first) == len(second)


def test_a_bar_in_a_pseudonym_or_title_cannot_leave_its_cell():
    assert "| a\\|b |" in markdown([Table(("who", "n"), (("a|b", "1"),))])


def test_files_are_the_same_byte_for_byte_and_pictures_can_be_opened():
    first, second = (encode_report(human_report(data_of(labelled((2.0, 1.0, 1.5))))) for _ in range(2))
    assert first == second
    assert list(first) == ["report.md", "report.json", *PICTURES]
    for name in PICTURES:
        with Image.open(io.BytesIO(first[name])) as picture:
            picture.load()
            assert picture.format == "PNG"
            assert min(picture.size) > 200
        assert f"]({name})".encode() in first["report.md"]
