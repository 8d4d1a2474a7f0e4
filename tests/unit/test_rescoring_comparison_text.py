"""A comparison in words: what it states, how wide it is, and that strangers' text stays text."""

from __future__ import annotations

import json

import pytest

from leaderboard.rescoring.comparing_text import LONGEST_QUOTE, WIDTH, as_json, as_markdown, as_text
from leaderboard.rescoring.comparing_words import MOST_MODELS
from leaderboard.rescoring.comparison import Comparison, Move
from tests.builders import LOSS, NO, WIN, YES
from tests.unit.test_rescoring_comparison import (
    always,
    answers_to,
    but,
    compared,
    drawn,
    items_of,
    noisy,
    run_of,
)
from tests.unit.test_rescoring_comparison_people import labelled

HOSTILE = (
    "\x1b[31mred\x1b[0m \x9b2J \u202eback \x7f \r\n| ` `code` <script>alert(1)</script> [link](javascript:x) \u2028end"
)


@pytest.fixture(scope="module")
def found() -> Comparison:
    """Two judges that agree for the most part, on some runs, with people and with a run that waits."""
    rule = drawn("a")
    runs = [run_of(number, rule, noisy(rule, 0.3)) for number in range(4)]
    runs[0] = labelled(runs[0], {place: [WIN, LOSS, WIN] for place in range(3)})
    return compared(*runs, run_of(9, rule, None))


def with_model(found: Comparison, **changes: object) -> Comparison:
    first, *others = found.models
    return found.model_copy(update={"models": (first.model_copy(update=changes), *others)})


def test_it_states_counts_and_intervals(found: Comparison) -> None:
    text = " ".join(as_text(found).split())
    kappa = found.agreement.kappa

    assert "4 runs judged by both, 12 users" in text
    assert "PARTIAL: the new judge has not yet judged 1 run that the old one has: org/model-09." in text
    assert kappa.interval
    assert f"all {kappa.value:.3f} [{kappa.interval.low:.3f}, {kappa.interval.high:.3f}]" in text
    assert "all 576 960 12" in text
    assert f"{found.flipped:,} of 960 verdicts are other ones under the new judge." in text
    assert "9 verdicts of 3 annotators on 3 answers: 3 compared" in text
    assert "new less old" in text
    assert "no interval: fewer than 10 users" in text
    assert "An interval with a star" not in text
    for model in found.models:
        assert model.new.rank
        assert f"{model.new.rank.low} [{model.new.rank.low}, {model.new.rank.high}]" in text
    assert "official one: of 4 under the old judge and of 4 under the new one." in text


def test_what_has_no_interval_says_why() -> None:
    text = " ".join(as_text(compared(run_of(1, drawn("a"), drawn("b"), items_of(users=3)))).split())

    assert "No interval of kappa (all), weighted kappa (all)" in text
    assert "fewer than 10 users." in text
    assert "An interval with a star takes verdicts to be independent" in text
    assert "org/model-01 does not rank under the new judge: too few users in common." in text


@pytest.mark.parametrize("width", [80, WIDTH, 110])
def test_no_line_is_wider_than_it_may_be(found: Comparison, width: int) -> None:
    lines = as_text(with_model(found, model="organisation/" + "m" * 83), flips=3, width=width).splitlines()

    assert [line for line in lines if len(line) > max(width, 100) and "mmm" not in line] == []
    assert lines == [line.rstrip() for line in lines]


def test_a_narrow_terminal_is_refused(found: Comparison) -> None:
    with pytest.raises(ValueError, match="80 columns"):
        as_text(found, width=40)


def test_columns_stand_below_each_other(found: Comparison) -> None:
    lines = as_text(found).splitlines()
    start = lines.index(next(line for line in lines if line.startswith("type      kappa")))

    ends = {len(line) for line in lines[start : start + 5]}
    assert len(ends) == 1
    assert [line.split()[0] for line in lines[start + 1 : start + 5]] == ["all", "persona", "profile", "schedule"]


@pytest.fixture(scope="module")
def hostile() -> Comparison:
    """A comparison in which all that strangers write would steer a terminal, or a page."""
    items = items_of(users=1, each=1)
    answers = [row.model_copy(update={"answer": HOSTILE}) for row in answers_to(items, "org/model-01")]
    run = run_of(
        1, always(WIN, YES), but(always(WIN, YES), {(items[0].question_id, items[0].orders[0]): LOSS}), items, answers
    )
    assert run.old
    assert run.new
    rows = [row.model_copy(update={"completion": HOSTILE}) for row in run.new.verdicts]
    found = compared(run._replace(new=run.new._replace(verdicts=rows)), run_of(2, always(LOSS, NO), None))
    waiting = [each.model_copy(update={"model": HOSTILE}) for each in found.uncompared]
    flips = [
        group.model_copy(update={"shown": tuple(flip.model_copy(update={"model": HOSTILE}) for flip in group.shown)})
        for group in found.flips
    ]
    changes = {"uncompared": tuple(waiting), "flips": tuple(flips), "protocol": HOSTILE}
    return with_model(found.model_copy(update=changes), model=HOSTILE, adapter=HOSTILE)


def test_nothing_that_strangers_wrote_reaches_a_terminal_but_as_text(hostile: Comparison) -> None:
    for text in (as_text(hostile), as_markdown(hostile), as_json(hostile)):
        assert all(each.isprintable() or each == "\n" for each in text)
        assert "x1b[31mred" in text or "u001b[31mred" in text
    assert as_json(hostile).isascii()
    assert as_text(hostile).count("x1b[31mred") >= 7


def test_markdown_reads_nothing_into_what_strangers_wrote(hostile: Comparison) -> None:
    for line in as_markdown(hostile).splitlines():
        outside = line.replace("\\|", "").split("`")[::2]
        if not line.startswith("    "):
            assert not any("<script>" in part or "[link]" in part for part in outside), line
            assert line.count("`") % 2 == 0


def test_markdown_and_text_hold_the_same_tables(found: Comparison) -> None:
    written = as_markdown(found)

    assert written.startswith("# `new-judge` beside `old-judge` under `demo-v1`\n")
    assert "| type     | items | compared | users | same % |         95 % |" in written
    assert "### persona: old judge (rows) by new judge (columns)" in written
    assert "\n    old-judge finds: " in written


def test_json_reads_back_as_the_same_comparison(found: Comparison, hostile: Comparison) -> None:
    assert Comparison.model_validate_json(as_json(found)) == found
    assert Comparison.model_validate_json(as_json(hostile)) == hostile
    assert json.loads(as_json(found))["flips"][0]["count"] == found.flips[0].count


def test_what_is_left_out_is_told() -> None:
    items = items_of(users=1, each=1)
    answers = answers_to(items, "org/model-01")
    found = compared(run_of(1, always(WIN, YES), always(LOSS, NO), items, answers))
    groups = [
        group.model_copy(
            update={"shown": tuple(flip.model_copy(update={"answer": "word " * 2000}) for flip in group.shown)}
        )
        for group in found.flips
    ]
    long = found.model_copy(update={"flips": tuple(groups), "models": found.models * (MOST_MODELS + 2)})

    text = as_text(long)

    assert f"({10_000 - LONGEST_QUOTE:,} more characters; JSON has all)" in text
    assert "And 2 more; JSON lists all." in text
    assert "word" not in as_text(long, flips=0).replace("words", "")


def test_models_that_move_farthest_stand_first(found: Comparison) -> None:
    moves = [Move.SAME, Move.MOVED, Move.UNRANKED, Move.LEFT]
    models = [model.model_copy(update={"move": move}) for model, move in zip(found.models, moves, strict=True)]

    text = as_text(found.model_copy(update={"models": tuple(models)}))

    listed = sorted(models, key=lambda model: text.index(f"\n{model.model}"))
    assert [model.move for model in listed] == [Move.LEFT, Move.MOVED, Move.SAME, Move.UNRANKED]
    assert "Rank intervals: 1 left, 1 moved, 1 same, 1 unranked." in " ".join(text.split())
