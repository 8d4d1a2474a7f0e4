"""How the board's rows are laid out: a section a protocol, a table a ranking, and headings that tell tables apart."""

import datetime
from itertools import product

import pytest

from leaderboard.board.rankings import Ranking
from leaderboard.pages.tables import Section, sections
from leaderboard.results import Scorecard
from tests.builders import NOON, make_scorecard, make_user_scores
from tests.ranked import rank

LATER = NOON + datetime.timedelta(days=1)


def laid_out(*cards: Scorecard) -> list[Section]:
    return sections(rank(cards, {card.id: make_user_scores(card).users for card in cards}))


def models(section: Section) -> list[list[str]]:
    """The models of each table."""
    return [[row.model for row in table.rows] for table in section.tables]


def headings(*cards: Scorecard) -> list[str]:
    (section,) = laid_out(*cards)
    return [table.heading for table in section.tables]


def test_results_of_one_ranking_share_a_table_without_a_heading_of_its_own():
    (section,) = laid_out(make_scorecard("org/a", 60), make_scorecard("org/b", 70), make_scorecard("org/c", None))
    assert models(section) == [["org/b", "org/a", "org/c"]]
    assert section.tables[0].heading == ""


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"judge": "newer"}, "judge newer"),
        ({"judge": "newer", "judge_revision": "r2", "judge_config": "0" * 64}, "judge newer"),
        ({"judge_revision": "0123456789", "judge_config": "0" * 64}, "judge revision 01234567"),
        ({"judge_config": "0" * 64}, "judge configuration 00000000"),
        ({"judge_engine": "transformers"}, "judge engine transformers"),
        ({"judge_dtype": "bfloat16"}, "judge precision bfloat16"),
        ({"prompt_pack": "9876543210", "prompt_pack_status": "builtin"}, "built-in prompts 98765432"),
        ({"data_sha": "e" * 40, "data_source": "org/set"}, "data org/set at eeeeeeee"),
        (
            {"context": (("encoder", f"org/e@{'a' * 40}"),), "protocol_config": "0" * 64},
            "context encoder=org/e@aaaaaaaa",
        ),
        ({"protocol_config": "0" * 64}, "protocol configuration 00000000"),
        ({"judge_revision": "r2", "data_sha": "e" * 40}, "judge revision r2 · data demo at eeeeeeee"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_table_of_another_ranking_is_headed_by_what_differs_and_no_more(changes, named):
    newest, first = headings(make_scorecard("org/a", 60), make_scorecard("org/b", 60, created_at=LATER, **changes))
    assert newest == named
    kinds = [[part.split()[0] for part in heading.split(" · ")] for heading in (newest, first)]
    assert len(kinds[0]) == len(kinds[1]), "either heading names the same things"


def test_no_two_tables_of_a_protocol_have_the_same_heading():
    fields = [name for name in Ranking._fields if name not in ("protocol", "context")]
    card = make_scorecard("org/a", 60)
    cards = [
        card.model_copy(update={"id": str(number), **dict(zip(fields, values, strict=True))})
        for number, values in enumerate(product(("1" * 64, "2" * 64), repeat=len(fields)))
    ]
    found = headings(*cards)
    assert len(found) == len(set(found)) == 2 ** len(fields)


def test_tables_with_ranked_rows_come_first_and_then_the_newest():
    unranked = {"unranked_because": ("other data",), "created_at": LATER + datetime.timedelta(days=1)}
    (section,) = laid_out(
        make_scorecard("org/other", 60, data_sha="0" * 40, **unranked),
        make_scorecard("org/old", 60, judge_revision="r1"),
        make_scorecard("org/new", 60, judge_revision="r2", created_at=LATER),
    )
    assert models(section) == [["org/new"], ["org/old"], ["org/other"]]


def test_tables_of_a_protocol_stand_together_and_only_it_has_its_published_figures():
    here = [make_scorecard(f"org/{name}", 60, protocol="paper", judge_revision=name) for name in "ab"]
    there = [make_scorecard("org/c", 60, protocol="official-v1"), make_scorecard("org/d", 60, protocol="retired")]
    found = laid_out(*there, *here)
    assert [(section.protocol, len(section.tables), len(section.published)) for section in found] == [
        ("official-v1", 1, 0),
        ("paper", 2, 4),
        ("retired", 1, 0),
    ]


def test_a_protocol_of_the_site_has_a_section_before_it_has_a_row_and_no_second_one_after():
    wanted = ("paper", "official-v1", "retired")
    found = sections([], wanted)
    assert [(section.protocol, section.tables) for section in found] == [(each, []) for each in wanted]
    assert [len(section.published) for section in found] == [4, 0, 0]
    rows = rank([make_scorecard("org/a", 60, protocol="official-v1"), make_scorecard("org/b", 60)], {})
    assert [(section.protocol, len(section.tables)) for section in sections(rows, wanted)] == [
        ("official-v1", 1),
        ("demo-v1", 1),
        ("paper", 0),
        ("retired", 0),
    ]


REFERENCE = {"unranked_because": ("reference",)}
BM25, NEWER_BM25 = {"context": (("bm25s", "1"),)}, {"context": (("bm25s", "2"),)}


def test_a_reference_stands_by_its_total_in_the_table_of_the_models_whatever_context_they_saw():
    (section,) = laid_out(
        make_scorecard("reference/gold", 50, **REFERENCE),
        make_scorecard("reference/empty", 0, **REFERENCE),
        make_scorecard("org/a", 60, **BM25),
        make_scorecard("org/b", 30, unranked_because=("incomplete",), **BM25),
    )
    assert models(section) == [["org/a", "reference/gold", "org/b", "reference/empty"]]
    assert section.tables[0].heading == ""


def test_a_reference_stands_in_every_table_that_differs_in_its_context_alone_and_in_no_other():
    (section,) = laid_out(
        make_scorecard("reference/gold", 50, **REFERENCE),
        make_scorecard("org/a", 60, created_at=LATER, **BM25),
        make_scorecard("org/b", 60, **NEWER_BM25),
        make_scorecard("org/c", 60, judge_revision="r2", created_at=NOON - datetime.timedelta(days=1), **BM25),
    )
    assert models(section) == [["org/a", "reference/gold"], ["org/b", "reference/gold"], ["org/c"]]


def test_references_alone_have_a_table():
    (section,) = laid_out(make_scorecard("reference/gold", 50, **REFERENCE), make_scorecard("reference/empty", 0))
    assert len(section.tables) == 1


def test_a_table_keeps_its_id_when_others_come():
    gold, ours = make_scorecard("reference/gold", 50, **REFERENCE), make_scorecard("org/a", 60, **BM25)
    more = make_scorecard("org/b", 60, created_at=LATER, **NEWER_BM25)
    ((before,), (after,)) = laid_out(gold, ours), laid_out(gold, ours, more)
    assert {table.id for table in before.tables} < {table.id for table in after.tables}


def test_the_official_protocol_stands_first_of_those_with_rows_and_an_empty_one_last():
    cards = [make_scorecard("org/a", 60, protocol=name) for name in ("demo-v1", "gold-v1", "official-v1")]
    assert laid_out(*cards)[0].protocol == "official-v1"
    rows = rank(cards[:1], {cards[0].id: make_user_scores(cards[0]).users})
    assert [section.protocol for section in sections(rows, ["official-v1"])] == ["demo-v1", "official-v1"]
