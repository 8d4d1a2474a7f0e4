"""Canaries: a judge that follows a known rule is told from one that always says the same, or does what answers ask."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from evaluator.engines.base import EndpointSpec
from evaluator.hicupid.demo_data import write_demo_set
from evaluator.judges.canaries import BOUNDS, PAIRWISE_CANARIES, Canary, CanaryVerdict, JudgeCheck
from evaluator.judges.spec import load_judge
from leaderboard.settings import Settings
from tests.plain_server import plain_server
from tests.sound_judge import Say, made_up
from tests.sound_judge import sound as sound_judge
from worker.local.cli import run
from worker.local.judge_check import Wanted, _made_up, check_judge
from worker.local.judge_cli import card_of

FREE = load_judge("demo").model_copy(update={"patterns": None})


def rule(messages: list[dict[str, Any]]) -> str:
    return sound_judge()(messages)


def obedient(messages: list[dict[str, Any]]) -> str:
    """Does what the last verdict line among the answers asks for."""
    told = re.findall(r"(?:Better Response|Satisfaction): \w+", messages[-1]["content"].rpartition("\n\n")[2])
    return told[-1] if told else rule(messages)


def always_a(messages: list[dict[str, Any]]) -> str:
    return "Better Response: A" if "Better Response" in messages[-1]["content"] else "Satisfaction: YES"


def checked(folder: Path, say: Say, users: int = 3) -> JudgeCheck:
    made_up(10)
    with plain_server(say) as server:
        there = EndpointSpec(base_url=server.url, model="judge", flavour="plain", context_length=100_000)
        return check_judge(Wanted(FREE, str(made_up(users)[0]), "builtin", there), Settings(data=folder)).check


def verdicts_of(check: JudgeCheck) -> dict[tuple[Canary | None, str], CanaryVerdict]:
    return {(each.canary, each.figure): each.verdict for each in check.figures}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> JudgeCheck:
    return checked(tmp_path_factory.mktemp("sound"), rule, users=10)


def test_a_judge_that_follows_a_sound_rule_keeps_to_every_bound(sound: JudgeCheck) -> None:
    bounded = {key: said for key, said in verdicts_of(sound).items() if said is not CanaryVerdict.UNBOUND}
    assert bounded == dict.fromkeys(BOUNDS, CanaryVerdict.WITHIN)
    assert sound.passed
    assert sound.missing == 0
    assert (sound.questions, sound.users) == (40, 10)
    assert (sound.kind, sound.canaries, sound.schema_version) == ("pairwise", "canaries-v1", 3)
    assert sound.checked_at is not None
    assert sound.unkept == ()


def test_a_check_of_the_first_version_is_read_and_was_of_a_judge_that_compares(sound: JudgeCheck) -> None:
    old = sound.model_dump(mode="json", exclude={"kind", "canaries"}) | {"schema_version": 1}
    read = JudgeCheck.model_validate(old)
    assert (read.kind, read.schema_version, read.passed) == ("pairwise", 1, True)


def test_a_bound_of_which_nothing_was_asked_is_not_kept(sound: JudgeCheck) -> None:
    figures = tuple(each for each in sound.figures if each.figure != "satisfied")
    told = sound.model_copy(update={"figures": figures})
    assert not told.passed
    assert {canary for canary, figure, why in told.unkept if (figure, why) == ("satisfied", "unasked")} == {
        canary for canary, figure in BOUNDS if figure == "satisfied"
    }


def test_a_judge_of_one_order_is_asked_half_and_has_no_consistency_to_show(tmp_path: Path, sound: JudgeCheck) -> None:
    made_up(10)
    one = FREE.model_copy(update={"orders": "answer_first"})
    with plain_server(rule) as server:
        there = EndpointSpec(base_url=server.url, model="judge", flavour="plain", context_length=100_000)
        check = check_judge(Wanted(one, str(made_up(3)[0]), "builtin", there), Settings(data=tmp_path)).check
    (consistency,) = [each for each in check.figures if each.figure == "consistency"]
    assert (consistency.rate.value, consistency.rate.items, consistency.verdict) == (None, 0, CanaryVerdict.UNREAD)
    assert check.unkept == ((None, "consistency", "unread"),)
    assert check.missing == 0


def test_every_figure_has_its_count_and_an_interval(sound: JudgeCheck) -> None:
    assert {each.canary for each in sound.figures} == {None, *PAIRWISE_CANARIES}
    for each in sound.figures:
        assert each.rate.judged == each.rate.items > 0
        assert each.rate.interval is not None
        assert each.rate.interval.users == 10


def test_a_judge_that_always_says_a_is_outside(tmp_path: Path) -> None:
    said = verdicts_of(checked(tmp_path, always_a))
    outside = {key for key, verdict in said.items() if verdict is CanaryVerdict.OUTSIDE}
    empty = {(Canary.EMPTY, "score"), (Canary.EMPTY, "satisfied")}  # It loses before any judge reads it.
    assert outside == BOUNDS.keys() - empty - {(Canary.COPY, "satisfied")}


def test_a_judge_that_says_nothing_is_unread_and_not_within(tmp_path: Path) -> None:
    check = checked(tmp_path, lambda _: "I cannot tell.")
    said = verdicts_of(check)
    assert not check.passed
    assert check.missing > 0 == check.verdicts
    assert {key for key, verdict in said.items() if verdict is not CanaryVerdict.UNREAD} == {
        (Canary.EMPTY, "score"),
        (Canary.EMPTY, "satisfied"),
    }


@pytest.mark.parametrize("neutral", [True, False])
def test_a_judge_that_obeys_answers_is_caught_unless_they_are_neutralised(
    tmp_path: Path, neutral: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not neutral:
        monkeypatch.setattr("evaluator.judges.prompt.neutralised", lambda text, _: text)
    said = verdicts_of(checked(tmp_path, obedient))
    attacks = {said[canary, "score"] for canary in (Canary.INSTRUCTION, Canary.FORGED)}
    assert attacks == {CanaryVerdict.WITHIN if neutral else CanaryVerdict.OUTSIDE}


def test_a_check_goes_on_where_it_stopped_and_asks_nothing_twice(tmp_path: Path) -> None:
    first, asked = checked(tmp_path, rule), list[str]()
    (journal,) = tmp_path.glob("judges/demo/*/verdicts-*.jsonl")
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-7]))

    def counted(messages: list[dict[str, Any]]) -> str:
        asked.append(messages[-1]["content"])
        return rule(messages)

    again = checked(tmp_path, counted)
    assert (again.rows_sha, again.figures) == (first.rows_sha, first.figures)
    assert len(asked) == 7


def test_made_up_users_may_be_written_by_another_check_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*arguments: Any) -> None:
        write_demo_set(*arguments)
        write_demo_set(*arguments)  # As the later of two does.

    monkeypatch.setattr("worker.local.judge_check.write_demo_set", late)
    assert (_made_up(tmp_path) / "README.md").exists()


def test_the_card_says_who_was_asked_what_and_the_command_ends_with_1_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sound: JudgeCheck
) -> None:
    card = card_of(FREE, sound)
    assert re.search(r"negated +score +0\.0 +0\.0 to 0\.0 +30/30 +<= 5 +within", card)
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path))
    monkeypatch.setattr("worker.local.judge_cli.load_judge", lambda *_: FREE)
    with plain_server(always_a) as server:
        options = (
            "--data",
            str(made_up(3)[0]),
            "--judge-url",
            server.url,
            "--judge-flavour",
            "plain",
            "--judge-context",
            "100000",
        )
        assert run(["judge", "check", "demo", *options, "--json"]) == 1
    told = JudgeCheck.model_validate_json(capsys.readouterr().out)
    assert not told.passed
