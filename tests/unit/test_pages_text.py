"""Whatever people or models write stands on a page as text."""

import datetime
import re
from dataclasses import replace

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.questions import QuestionType
from evaluator.hicupid.scoring import score
from evaluator.results import Interval
from leaderboard.pages.board.columns import COLUMNS
from leaderboard.pages.human.asked import Asked
from leaderboard.pages.human.index import human_index
from leaderboard.pages.human.page import human_page
from leaderboard.pages.reader import About
from leaderboard.pages.render import desiderata, provenance, render, scores
from leaderboard.people import Person
from leaderboard.records import Failure, State, Transition
from leaderboard.results import Scorecard
from leaderboard.submissions.reading import Known
from leaderboard.submissions.views import Progress, RunView, SubmissionView
from tests.board_page.boards import html_of, index_of, seen, table_of
from tests.builders import (
    LOSS,
    NOON,
    SCHEDULE,
    WIN,
    YES,
    answered,
    make_declaration,
    make_item,
    make_scorecard,
    make_submission,
    make_user_scores,
)
from tests.human_runs import make_human_scorecard_of
from tests.ranked import Sums, rank

ODD = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": '" onmouseover="alert(1)" x=\'',
    "right-to-left": "org/\u202egnp.exe\u200f\u2066",
    "long": "x" * 10_000,
    "template": "{{ 7777 * 7777 }}{% raw %}${7777*7777}",
    "nul": "a\x00b",
}
NONE = Progress(0, None, 0, None)
MADE = "aaaaaaaa · 2026-03-01"
"""What stands below the name of every model that the builders make."""


NOTHING_TO_COME: dict[str, dict[str, object]] = {"outlooks": {}, "logs": {}}


def odd_view(text: str, *states: State, progress: Progress = NONE) -> SubmissionView:
    submission = make_submission(model=text, submitter=text, protocols=[f"p-{n}" for n in range(len(states))])
    failure = Failure(cause=Cause.LOAD_ERROR, message=text, remedy=text)
    runs = [
        RunView(
            run_id,
            state,
            progress,
            (
                Transition(
                    run_id=run_id,
                    sequence=number,
                    before=None,
                    after=state,
                    at=NOON + datetime.timedelta(minutes=number),
                    actor=text,
                    failure=failure if state is State.FAILED else None,
                ),
            ),
        )
        for number, (run_id, state) in enumerate(zip(submission.run_ids(), states, strict=True), start=1)
    ]
    return SubmissionView(submission, tuple(runs), saved=True)


def pages_with(text: str) -> list[str]:
    view = odd_view(text, State.FAILED)
    declaration = make_declaration(base_model=text[:200])
    told = {"submitter": text, "judge": text, "adapter": text, "data_source": text, "context": ((text, text),)}
    told |= {"chat_template_arguments": ((text, text),), "judge_engine": text, "judge_hardware": text}
    card = make_scorecard(text, 50, declaration=declaration, unranked_because=(text,), **told)
    other = card.model_copy(update={"id": "other", "judge_revision": "r2", "data_sha": "e" * 40, "context": ()})
    rows = rank([card, other], {})
    about = About(view.submission.id, text, text, text, declaration, NOON)
    error = RapportError(Cause.NOT_FOUND, text, text)
    one = {"here": "", "revision": "1", "about": about, "active": [view], "problems": [text], "rows": rows}
    one["store"] = text
    human = make_human_scorecard_of("org/model").model_copy(
        update={"submitter": text, "unranked_because": (text,), "data_source": text, "adapter": text, "engine": text}
    )
    one["human"] = [human]
    return [
        render("live.html", active=[view], problems=[text], **NOTHING_TO_COME),
        html_of(index_of(card, other), columns=tuple(COLUMNS), pin=(card.id,), q=text[:200]),
        render("human/rows.html", page=human_page(human_index([human], (), ()), Asked())),
        render("submission.html", **one, **NOTHING_TO_COME),
        render("details.html", **one),
        render("message.html", here="", title=text, message=text),
        render("submit_answer.html", error=error, view=None),
        render("submit_answer.html", error=None, view=view, beside=[Known("p", view.submission.id, State.FAILED)]),
        render("login.html", person=Person(text), refused=""),
        render("login.html", person=None, refused=text),
    ]


@pytest.mark.parametrize("kind", ODD)
def test_what_people_write_is_shown_as_text(kind):
    plain, odd = pages_with("plain"), pages_with(ODD[kind])
    for before, after in zip(plain, odd, strict=True):
        assert after.count("<") == before.count("<"), "no tag comes from what people write"
        assert after.count('"') == before.count('"'), "no attribute either"
        assert str(7777 * 7777) not in after


def test_a_name_that_is_written_from_right_to_left_does_not_turn_what_stands_beside_it():
    for page in pages_with(ODD["right-to-left"])[:4]:
        body = page.partition("<main")[2] or page
        shown = [part for part in body.split(ODD["right-to-left"])[:-1] if not part.endswith('="')]
        assert shown
    live = pages_with(ODD["right-to-left"])[0]
    assert f"<bdi>{ODD['right-to-left']}</bdi>" in live


@pytest.mark.parametrize(
    ("state", "progress", "said"),
    [
        (State.CHECKING, NONE, "being checked"),
        (State.QUEUED, NONE, "waiting for a worker"),
        (State.GENERATING, NONE, "planning"),
        (State.GENERATING, Progress(2, 9, 1, 18), "2 of 9 answers, 1 of 18 verdicts"),
        (State.FAILED, Progress(2, 9, 1, 18), "2 of 9 answers"),
    ],
)
def test_a_run_says_what_it_does_or_waits_for(state, progress, said):
    assert said in render(
        "live.html", active=[odd_view("org/m", state, progress=progress)], problems=[], **NOTHING_TO_COME
    )


@pytest.mark.parametrize("state", [State.FAILED, State.PUBLISHED, State.CANCELLED, State.JUDGING])
def test_a_run_without_counts_shows_no_bar_and_never_says_planning(state):
    page = render("live.html", active=[odd_view("org/m", state)], problems=[], **NOTHING_TO_COME)
    assert "planning" not in page
    assert "<progress" not in page


def test_all_runs_of_a_submission_are_shown():
    page = render("live.html", active=[odd_view("org/m", State.FAILED, State.QUEUED)], problems=[], **NOTHING_TO_COME)
    assert "p-0" in page
    assert "waiting for a worker" in page
    assert str(Cause.LOAD_ERROR) in page


def sums_of(*cards: Scorecard) -> Sums:
    """Sums of twelve users for each of some scorecards."""
    return {card.id: make_user_scores(card).users for card in cards}


def board_of(*cards: Scorecard, **asked: object) -> str:
    """The board's rows with everything between tags written on one line."""
    return table_of(html_of(index_of(*cards), **asked))


def test_a_rank_stands_with_the_ranks_that_the_data_leave_open():
    rows = [make_scorecard(name, total) for name, total in [("org/a", 60), ("org/b", 50), ("org/c", 50)]]
    page = board_of(*rows)
    assert "1 org/a" in page
    assert "2 (2–3) org/b" in page
    assert "2 (2–3) org/c" in page


def test_the_worst_case_stands_beside_the_total():
    card = make_scorecard("org/a", 60)
    total = replace(card.result.total, worst_case=58.5)
    card = card.model_copy(update={"result": card.result.model_copy(update={"total": total})})
    assert "60.0 no interval: 1 user judged 3 of 3 (100.0 %) worst case 58.5" in board_of(card)


def test_what_is_missing_or_lost_is_counted_with_its_causes():
    counted = {"missing": 4, "missing_because": (("judge_timeout", 1), ("unparsed", 3)), "defects": (("empty", 2),)}
    card = make_scorecard("org/a", 60)
    counted_card = card.model_copy(update={"result": card.result.model_copy(update=counted)})
    page = board_of(counted_card, columns=("verdicts", "missing"))
    assert "lost by defect: 2 empty" in page
    assert "4 1 judge timeout 3 unparsed" in page


def test_a_reference_stands_among_its_protocols_rows_marked_as_one():
    gold = make_scorecard("reference/gold", 50, unranked_because=("reference",))
    page = board_of(gold, make_scorecard("org/a", 60))
    assert re.search(rf"1 org/a .* – reference/gold {MADE} reference ", page)


def test_published_figures_stand_in_the_table_of_their_protocol_and_nowhere_else():
    official, paper = make_scorecard("org/a", 60, protocol="official-v1"), make_scorecard("org/b", 50, protocol="paper")
    there, here = board_of(official, paper), board_of(official, paper, protocol="paper")
    assert "as published" not in there
    assert "org/a" in there
    assert "org/b" in here.partition("as published, not re-run")[0]
    told = "– GPT-4o-mini zero-shot, arXiv 2506.01262, second-hand as published, not re-run 30.4 no interval, no count"
    assert f"{told} score 44.7 no interval, no count score 10.8 no interval, no count 8.8" in here


def test_published_figures_name_the_setting_of_each():
    page = board_of(make_scorecard("org/b", 50, protocol="paper"))
    assert all(f"{label}," in page for label in ("GPT-4o-mini zero-shot", "GPT-4o-mini 3-shot", "Qwen2.5-7B SFT+DPO"))


def test_each_protocol_has_a_table_of_its_own_with_its_title():
    cards = [make_scorecard("org/a", 60, protocol=name) for name in ("official-v1", "gold-v1", "retired")]
    index = index_of(*(card.model_copy(update={"id": card.protocol}) for card in cards))
    for name, title in (("official-v1", "The official ranking."), ("gold-v1", "As official-v1"), ("retired", "Judge:")):
        page = html_of(index, protocol=name)
        assert f"{name} {title}" in seen(page)
        assert re.findall(r'<tr id="row-([^"]*)"', page) == [name]


def test_a_row_has_the_desiderata_with_counts_and_says_what_is_missing():
    ours = {"submission_id": "s-20260301-00000001", "model": "org/a"}
    gold = make_scorecard("org/a", 70, protocol="gold-v1", unranked_because=("protocol gold-v1",))
    full = make_scorecard("org/a", 40, protocol="official-v1")
    cards = [card.model_copy(update={"id": card.protocol, **ours}) for card in (full, gold)]
    page = board_of(*cards, protocol="official-v1", columns=("lc", "generalisation", "bleu"))
    assert "-30.0 -30.0 to -30.0 of 12 and 12, 12 users – not evaluated both ways 12.5 no interval: 1 user" in page
    (row, _) = rank(cards, sums_of(*cards))
    told = dict(desiderata(row))
    assert told["AUI, adherence to user information: Total"] == "40.0 (no interval), of 3 of 3 items (100.0 %)"
    assert told["BLEU against gold"] == "12.5 (no interval), of 3 of 3 items (100.0 %)"
    assert "Generalisation: Total, unseen less seen users" in told


@pytest.mark.parametrize(
    ("changes", "mark"),
    [
        ({"adapter": "org/lora", "adapter_revision": "b" * 40}, "adapter org/lora"),
        ({"declaration": make_declaration(thinking=True)}, "thinking"),
        ({"instruction_moved": True}, "instruction in the first user turn"),
        ({"chat_template_arguments": (("date", "not pinned"), ("system_role", "system"))}, "date not pinned"),
    ],
)
def test_a_row_is_marked_with_how_its_model_was_run(changes, mark):
    assert f"org/a {MADE} {mark} 60.0" in board_of(make_scorecard("org/a", 60, **changes))
    assert mark not in board_of(make_scorecard("org/a", 60))


def test_marks_cost_no_rank_and_stand_before_the_reasons_that_do():
    marked = {"adapter": "org/lora", "declaration": make_declaration(thinking=True)}
    assert f"1 org/a {MADE} adapter org/lora thinking 60.0" in board_of(make_scorecard("org/a", 60, **marked))
    demo = make_scorecard("org/a", 60, unranked_because=("demo judge",), **marked)
    assert f"– org/a {MADE} adapter org/lora thinking demo judge 60.0" in board_of(demo)


@pytest.mark.parametrize(("protocol", "orders"), [("official-v1", "both slot orders"), ("paper", "one slot order")])
def test_a_section_says_in_how_many_orders_its_pairs_are_judged(protocol, orders):
    page = seen(html_of(index_of(make_scorecard("org/a", 60, protocol=protocol))))
    assert page.count(f"Each pair is judged in {orders}") == 1
    assert page.count("Each pair is judged") == 1


def with_result(card: Scorecard, **changes) -> Scorecard:
    return card.model_copy(update={"result": card.result.model_copy(update=changes)})


def test_a_total_without_a_worst_case_and_types_that_nobody_read_are_shown_as_missing():
    card = make_scorecard("org/a", None)
    nothing = replace(card.result.schedule, value=None, judged=0)
    persona = card.result.persona.model_copy(update=dict.fromkeys(("win", "tie", "loss", "score"), nothing))
    html = html_of(index_of(with_result(card, persona=persona)))
    page = table_of(html)
    assert "– no interval: 1 user judged 3 of 3 (100.0 %) worst case –" in page
    assert "– / – / – score –" in page
    assert html.count('class="bar"') == 1, "a bar of nothing would look like a figure"


def test_a_worst_case_is_shown_although_there_is_no_total():
    card = make_scorecard("org/a", None)
    total = replace(card.result.total, value=None, worst_case=12.5)
    assert "– no interval: 1 user judged 3 of 3 (100.0 %) worst case 12.5" in board_of(with_result(card, total=total))


def test_what_is_judged_stands_below_every_figure_and_never_looks_like_more_than_it_is():
    card = make_scorecard("org/a", 60)
    told = {"judged": 9_999, "items": 10_000}
    total = replace(card.result.total, **told, interval=Interval(low=55, high=65, users=40))
    schedule = replace(card.result.schedule, **told)
    persona = card.result.persona.model_copy(update={"score": replace(schedule, value=75.0)})
    page = board_of(with_result(card, total=total, schedule=schedule, persona=persona, users=40))
    assert "60.0 55.0 to 65.0 judged 9,999 of 10,000 (99.9 %) worst case" in page
    assert "50.0 / 50.0 / 0.0 score 75.0 (no interval) judged 9,999 of 10,000" in page
    assert "100.0 no interval: too few users of 9,999 of 10,000" in page


def split_card() -> Scorecard:
    """A scorecard of two splits with twelve users each; all pairs of the first are won, all of the second lost."""
    entries = [
        answered(make_item(f"{split}/{user}-{type_}", type_, user), *([YES] if type_ is SCHEDULE else [won, won]))
        for split, won in (("test_1", WIN), ("test_2", LOSS))
        for user in range(12)
        for type_ in QuestionType
    ]
    result = score(
        [entry.item for entry in entries],
        [row for entry in entries for row in entry.generations],
        [row for entry in entries for row in entry.verdicts],
    )
    return make_scorecard("org/a", result=result)


def test_details_give_every_type_of_every_split_with_interval_and_count():
    said = facts(split_card())
    assert said["Total, test_1"] == "87.5 (87.5 to 87.5), of 36 of 36 items (100.0 %)"
    assert said["Total, test_2"] == "12.5 (12.5 to 12.5), of 36 of 36 items (100.0 %)"
    assert said["Schedule satisfaction, test_2, %"] == "100.0 (100.0 to 100.0), of 12 of 12 items (100.0 %)"
    assert said["Profile against gold, test_2, %"].splitlines() == [
        "win 0.0 (0.0 to 0.0)",
        "tie 0.0 (0.0 to 0.0)",
        "loss 100.0 (100.0 to 100.0)",
        "score 0.0 (0.0 to 0.0)",
        "judged 12 of 12 (100.0 %)",
    ]
    win, *_, judged = said["Persona against gold, %"].splitlines()
    assert re.fullmatch(r"win 50\.0 \([0-9.]+ to [0-9.]+\)", win)
    assert judged == "judged 24 of 24 (100.0 %)"


def test_the_only_split_is_not_told_twice():
    assert not any("test_1" in name for name in facts(make_scorecard("org/a", 60)))


def test_a_protocol_without_a_result_says_so_and_still_shows_the_figures_of_others():
    empty = index_of(protocols=("official-v1", "paper"))
    assert "No results yet." in seen(html_of(empty))
    paper = html_of(empty, protocol="paper")
    assert "No results yet." in seen(paper)
    assert "30.4 no interval, no count score 44.7" in table_of(paper)
    assert "No results yet." in seen(html_of(index_of()))
    assert "No results yet" not in seen(html_of(index_of(make_scorecard("org/a", 60))))


def facts(card: Scorecard) -> dict[str, str]:
    """What the page of a submission says of a scorecard."""
    (row,) = rank([card], sums_of(card))
    return dict(desiderata(row) + scores(row) + provenance(row))


def test_a_scorecard_says_what_it_ran_on():
    told = {
        "context": (("encoder", "org/encoder@0a1b"),),
        "chat_template_arguments": (("date_string", "01 Jan 2025"), ("system_role", "first_user")),
        "judge_engine": "openai",
        "judge_hardware": "elsewhere",
    }
    said = facts(make_scorecard("org/a", 60, **told))
    assert said["Context made with"] == "encoder=org/encoder@0a1b"
    assert said["Chat template was told"] == "date_string=01 Jan 2025, system_role=first_user"
    assert said["Judge engine"] == "openai 1, float32, elsewhere"
    assert (said["Protocol configuration"], said["Judge configuration"]) == ("f" * 64, "c" * 64)


def test_a_scorecard_that_does_not_rank_says_why():
    reasons = ("other data", "20 of 10,000 items")
    card = make_scorecard("org/a", 60, unranked_because=reasons)
    assert facts(card)["Does not rank because"] == "other data, 20 of 10,000 items"
    assert "Does not rank because" not in facts(make_scorecard("org/a", 60))


def test_what_nobody_can_know_of_a_scorecard_is_said_to_be_missing():
    card = make_scorecard("org/a", 60, protocol="paper", engine_flags=(), chat_template_arguments=())
    nothing = replace(card.result.slot_a_share, value=None, judged=0)
    said = facts(with_result(card, prefill_efficiency=None, slot_a_share=nothing))
    assert said["Prefill efficiency"].startswith("missing: ")
    assert said["Words for slot A, of those for A or B, %"].startswith("missing: ")
    both = "Pairs whose verdicts agree in both slot orders, %"
    assert said[both] == "missing: each pair is judged in one slot order"
    assert (said["Engine flags"], said["Chat template was told"]) == ("none", "none")
    assert "Context made with" not in said
    assert facts(make_scorecard("org/a", 60, protocol="official-v1"))[both] == "0.0 (no interval), of 2 of 2 pairs"
