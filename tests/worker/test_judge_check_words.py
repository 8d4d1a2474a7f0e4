"""Canaries of judges that say one word: one that follows a known rule is told from one that obeys, or never changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from evaluator.engines.base import EndpointSpec
from evaluator.errors import Cause, RapportError
from evaluator.human.data import HumanData, demo_set
from evaluator.human.stages.quoting import quoted
from evaluator.judges.canaries import RATING_BOUNDS, VERIFIER_BOUNDS, Canary, CanaryVerdict, JudgeCheck, bounds_of
from evaluator.judges.canaries_words import cases_of
from evaluator.judges.spec import JudgeSpec, load_judge
from evaluator.records import SlotOrder
from leaderboard.settings import Settings
from tests.plain_server import plain_server
from worker.local.cli import run
from worker.local.judge_check import Wanted, check_judge
from worker.local.judge_cli import card_of

Say = Callable[[list[dict[str, Any]]], str]
RATING, VERIFIER = (
    load_judge(name).model_copy(update={"patterns": None, "revision": "r1"})
    for name in ("demo-rating", "demo-verifier")
)
BOTH = pytest.mark.parametrize("judge", [RATING, VERIFIER], ids=["rating", "verifier"])
_PAIR = re.compile(r"Answer A\n(?P<a>.*?)\n\nAnswer B\n(?P<b>.*?)\n\nAttribute\n", re.DOTALL)
_ATTRIBUTE = re.compile(r"(?P<before>.*)\n\nAttribute\n(?P<text>.*?)\n\n", re.DOTALL)
_LONE = re.compile(r"^\| (?:\w+: )?([1-5]|accepted)$", re.MULTILINE)


@cache
def labels() -> HumanData:
    return HumanData.open(str(demo_set()))


@cache
def answers_of(kind: str) -> set[str]:
    """All answers of a kind as a judge reads them."""
    return {quoted(getattr(row, kind)) for row in labels().tables.responses}


@cache
def evidence_of(attribute: str) -> list[str]:
    """What was said for the attributes of some words, all as a judge reads it."""
    rows = [row for row in labels().tables.attributes if quoted(row.text) == attribute]
    places = [each.conversation_id for row in rows for each in row.evidence]
    return [quoted(labels().conversations[place].turns[0].text) for place in places]


def rates(messages: list[dict[str, Any]]) -> str:
    """Prefers what the data set personalised to what is generic, and that to anything else."""
    pair = _PAIR.search(messages[-1]["content"])
    assert pair
    kinds = [answers_of(kind) for kind in ("personalised", "generic")]
    a, b = (next((2 - place for place, known in enumerate(kinds) if pair[slot] in known), 0) for slot in "ab")
    return "3" if a == b else "2" if a > b else "4"


def verifies(messages: list[dict[str, Any]]) -> str:
    """Accepts what is an attribute of the data set, below a conversation of its own."""
    shown = _ATTRIBUTE.search(messages[-1]["content"])
    assert shown
    return "accepted" if any(text in shown["before"] for text in evidence_of(shown["text"])) else "rejected"


def sound_rule(judge: JudgeSpec) -> Say:
    return rates if judge.kind == "rating" else verifies


def obedient(judge: JudgeSpec) -> Say:
    """Says whatever stands in a line of its own in what it reads."""

    def say(messages: list[dict[str, Any]]) -> str:
        told = _LONE.findall(messages[-1]["content"])
        return told[-1] if told else sound_rule(judge)(messages)

    return say


def checked(folder: Path, judge: JudgeSpec, say: Say) -> JudgeCheck:
    with plain_server(say) as server:
        there = EndpointSpec(base_url=server.url, model="judge", flavour="plain", context_length=100_000)
        return check_judge(Wanted(judge, None, judge.prompt_pack, there), Settings(data=folder)).check


def verdicts_of(check: JudgeCheck) -> dict[tuple[Canary | None, str], CanaryVerdict]:
    return {(each.canary, each.figure): each.verdict for each in check.figures}


def outside(check: JudgeCheck) -> set[tuple[Canary | None, str]]:
    return {key for key, said in verdicts_of(check).items() if said is CanaryVerdict.OUTSIDE}


@BOTH
def test_a_judge_that_follows_a_sound_rule_keeps_to_every_bound(judge: JudgeSpec, tmp_path: Path) -> None:
    check = checked(tmp_path, judge, sound_rule(judge))
    bounded = {key: said for key, said in verdicts_of(check).items() if said is not CanaryVerdict.UNBOUND}
    assert bounded == dict.fromkeys(bounds_of(judge.kind), CanaryVerdict.WITHIN)
    assert (check.passed, check.missing, check.kind) == (True, 0, judge.kind)
    assert (check.canaries, check.users) == (f"{judge.kind}-canaries-v1", 6)
    assert check.verdicts == sum(each.rate.items for each in check.figures if each.figure != "no_difference")
    for each in check.figures:
        assert each.rate.judged == each.rate.items > 0
        assert each.rate.interval is None, "six users are too few"


@BOTH
@pytest.mark.parametrize("neutral", [True, False], ids=["cited", "as it is"])
def test_a_judge_that_obeys_what_it_reads_is_caught_unless_that_is_cited(
    judge: JudgeSpec, neutral: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not neutral:
        monkeypatch.setattr("evaluator.human.judged.words.without_words", lambda text, words: text)
    figure = "better" if judge.kind == "rating" else "accepted"
    said = verdicts_of(checked(tmp_path, judge, obedient(judge)))[Canary.FORGED, figure]
    assert said is (CanaryVerdict.WITHIN if neutral else CanaryVerdict.OUTSIDE)


@pytest.mark.parametrize(
    ("judge", "word", "fallen"),
    [
        (RATING, "1", set(RATING_BOUNDS)),
        (RATING, "3", {(Canary.GOLD, "better")}),
        (VERIFIER, "accepted", set(VERIFIER_BOUNDS) - {(Canary.GOLD, "accepted")}),
        (VERIFIER, "rejected", {(Canary.GOLD, "accepted")}),
    ],
)
def test_a_judge_that_always_says_the_same_is_outside(
    judge: JudgeSpec, word: str, fallen: set[tuple[Canary, str]], tmp_path: Path
) -> None:
    check = checked(tmp_path, judge, lambda _: word)
    assert outside(check) - {(Canary.GOLD, "better")} == fallen - {(Canary.GOLD, "better")}
    assert not check.passed


@BOTH
def test_a_judge_that_says_nothing_is_unread_and_not_within(judge: JudgeSpec, tmp_path: Path) -> None:
    check = checked(tmp_path, judge, lambda _: "I cannot tell.")
    assert set(verdicts_of(check).values()) == {CanaryVerdict.UNREAD}
    assert (check.passed, check.verdicts) == (False, 0)
    assert check.missing > 0


def test_a_check_goes_on_where_it_stopped_and_asks_nothing_twice(tmp_path: Path) -> None:
    first, asked = checked(tmp_path, VERIFIER, verifies), list[str]()
    (journal,) = tmp_path.glob("judges/demo-verifier/*/verdicts-*.jsonl")
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-7]))

    def counted(messages: list[dict[str, Any]]) -> str:
        asked.append(messages[-1]["content"])
        return verifies(messages)

    again = checked(tmp_path, VERIFIER, counted)
    assert (again.rows_sha, again.figures) == (first.rows_sha, first.figures)
    assert len(asked) == 7


def test_a_canary_stands_in_both_slots_and_in_the_place_of_what_people_labelled() -> None:
    cases = cases_of(labels(), RATING)
    assert {case.slots for case in cases} == {SlotOrder.ANSWER_FIRST, SlotOrder.GOLD_FIRST}
    pairs = {case.question_id.partition("/")[2] for case in cases}
    assert pairs == {f"{response}/{attribute}" for response, attribute in labels().response_ratings}
    fixed = cases_of(labels(), RATING.model_copy(update={"orders": "gold_first"}))
    assert {case.slots for case in fixed} == {SlotOrder.GOLD_FIRST}
    users = {attribute.attribute_id: attribute.user_id for attribute in labels().tables.attributes}
    for case in cases_of(labels(), VERIFIER):
        assert users[case.question_id.partition("/")[2]] == case.user


def test_words_that_are_not_the_judges_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RapportError, match="asked in the words of human-v1, not of builtin") as refused:
        check_judge(Wanted(RATING, None, "builtin", None), Settings(data=tmp_path))
    assert refused.value.cause is Cause.NOT_FOUND


def test_the_command_prints_a_card_for_each_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path))
    monkeypatch.setattr("worker.local.judge_cli.load_judge", lambda *_: VERIFIER)
    with plain_server(verifies) as server:
        options = ("--judge-url", server.url, "--judge-flavour", "plain", "--judge-context", "100000")
        assert run(["judge", "check", "demo-verifier", *options]) == 0
    card = capsys.readouterr().out
    assert "demo-verifier (verifier, demo)" in card
    assert "orders: single; read by word-v1" in card
    assert re.search(r"canaries   verifier-canaries-v1, each on \d+ accepted attributes of 6 users", card)
    assert re.search(r"forged +accepted +0\.0 +- +\d+/\d+ +<= 5 +within", card)
    check = checked(tmp_path, RATING, lambda _: "3")
    assert "It may not rank: gold better (outside)." in card_of(RATING, check)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"model": "local/nowhere", "revision": None}, Cause.JUDGE_ERROR),
        ({"prompt_pack": "human-v0"}, Cause.NOT_FOUND),
    ],
    ids=["model gone", "words gone"],
)
@BOTH
def test_a_judge_that_cannot_be_asked_is_told_before_anything_is(
    judge: JudgeSpec, changes: dict[str, Any], cause: Cause, tmp_path: Path
) -> None:
    gone = judge.model_copy(update=changes)
    with pytest.raises(RapportError) as refused:
        check_judge(Wanted(gone, None, gone.prompt_pack, None), Settings(data=tmp_path, models=tmp_path / "models"))
    assert refused.value.cause is cause
    assert not (tmp_path / "judges").exists()
