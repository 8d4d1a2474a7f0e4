"""What scorecards have alike is kept once, and nothing that they tell is another."""

import gc
from dataclasses import replace

from evaluator.results import Scores, SplitScores
from leaderboard.board.sharing import Parsed, once, shared
from leaderboard.memory import uncollected
from leaderboard.results import Scorecard
from tests.builders import make_scorecard


def read_anew(card: Scorecard) -> Scorecard:
    """The same scorecard, as if read from a file: none of its parts is that of another."""
    return Scorecard.model_validate_json(card.model_dump_json())


def of_splits(**changes: object) -> Scorecard:
    """A scorecard of one split, which tells figures of its own where they are changed."""
    card = make_scorecard("org/a", 60)
    whole = {name: getattr(card.result, name) for name in Scores.model_fields}
    split = SplitScores(split="test_1", **(whole | changes))
    return read_anew(card.model_copy(update={"result": card.result.model_copy(update={"by_split": (split,)})}))


def test_figures_of_the_only_split_are_those_of_the_whole():
    card = of_splits()
    before = card.model_dump_json()
    (split,) = once(card).result.by_split
    assert all(getattr(split, name) is getattr(card.result, name) for name in Scores.model_fields)
    assert card.model_dump_json() == before


def test_a_figure_of_a_split_that_is_another_one_stays():
    other = replace(make_scorecard("org/a", 60).result.schedule, value=12.5)
    (split,) = once(of_splits(schedule=other)).result.by_split
    assert split.schedule == other


def test_scorecards_share_what_their_model_tells():
    cards = [read_anew(make_scorecard("org/a", 60)) for _ in range(2)]
    before = [card.model_dump_json() for card in cards]
    first, second = shared(cards)
    assert first.terms is second.terms
    assert first.declaration is second.declaration
    assert first.result.model_fields_set is second.result.model_fields_set
    assert [card.model_dump_json() for card in cards] == before


def test_a_copy_of_a_record_that_shares_has_its_own():
    (card,) = shared([read_anew(make_scorecard("org/a", 60))])
    given = set(card.model_fields_set)
    copy = card.model_copy(update={"facts": None})
    assert copy.model_fields_set >= given
    assert card.model_fields_set == given, "nothing that is shared was changed"


def test_a_file_is_parsed_again_when_it_is_another_one():
    parsed = []
    parse = Parsed(lambda content, path: parsed.append(path) or content)
    assert [parse(content, path) for content, path in ((b"1", "a"), (b"1", "a"), (b"2", "a"), (b"1", "b"))] == [
        *(b"1", b"1", b"2", b"1")
    ]
    assert parsed == ["a", "a", "b"]


def test_the_collector_comes_back_as_it_was():
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            pass
        assert not gc.isenabled(), "another one still builds"
    assert gc.isenabled()
