"""The checklist as people read it: line after line, escaped, and in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from leaderboard.checks.findings import Surroundings
from leaderboard.checks.records import CheckName, CheckRequest
from leaderboard.pages.checking import live_checks
from leaderboard.pages.render import render
from leaderboard.records import State
from leaderboard.submissions.reading import Known
from leaderboard.submissions.views import Progress, RunView, SubmissionView
from tests.builders import make_submission
from tests.model_folders import make_model_folder


@pytest.fixture
def models(tmp_path: Path) -> Path:
    make_model_folder(tmp_path / "models")
    return tmp_path / "models"


def test_a_line_is_shown_as_soon_as_it_is_decided_and_the_word_comes_last(models):
    shown = list(live_checks(CheckRequest("local/tiny"), Surroundings(models)))
    assert len(shown) == len(CheckName) + 1
    assert [each.html.count('class="check check-coming"') for each in shown] == [*range(len(CheckName), -1, -1)]
    assert [each.allowed for each in shown] == [None] * len(CheckName) + [True]
    assert "It can be submitted" in shown[-1].html
    assert "can be submitted" not in "".join(each.html for each in shown[:-1])


def test_each_line_comes_before_the_next_check_is_begun(models):
    asked: list[str] = []
    surroundings = Surroundings(
        models, known=lambda *about: asked.append("known") or (), quotas=lambda: asked.append("quota")
    )
    lines = live_checks(CheckRequest("local/tiny"), surroundings)
    for shown in lines:
        if "Submitted before</strong> <span" in shown.html:
            break
    assert asked == ["known"]


def test_one_refusal_keeps_it_from_being_submitted(models):
    *_, last = live_checks(CheckRequest("local/none"), Surroundings(models))
    assert last.allowed is False
    assert "It cannot be submitted as it is" in last.html


def test_every_mark_has_its_word_beside_it(models):
    *_, last = live_checks(CheckRequest("local/tiny"), Surroundings(models))
    words = re.findall(
        r'aria-hidden="true">(.)</span> <strong>[^<]+</strong> <span class="check-word">([^<]+)<', last.html
    )
    assert len(words) == len(CheckName)
    assert set(words) == {("✓", "passed"), ("!", "worth knowing"), ("–", "not looked at")}


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "org/<b>", '"onload="x', "org/m\u202eodel"])
def test_what_was_typed_is_escaped(models, text):
    *_, last = live_checks(CheckRequest(text, revision=text, adapter=text), Surroundings(models))
    assert "<script" not in last.html
    assert "<b>" not in last.html
    assert 'onload="' not in last.html
    assert "\u202e" not in last.html


def test_what_is_there_already_is_linked(models):
    known = [Known("demo-v1", "s-20260101-0a1b2c3d", State.FAILED)]
    *_, last = live_checks(CheckRequest("local/tiny"), Surroundings(models, known=lambda *about: known))
    assert 'href="/submission?id=s-20260101-0a1b2c3d"' in last.html
    assert last.allowed


def test_each_of_several_that_are_there_is_linked_once(models):
    names = ["s-20260101-00000001", "s-20260101-00000002", "s-20260101-00000002"]
    protocols = ("demo-v1", "official-v1", "seen-v1")
    known = [Known(protocol, name, State.QUEUED) for protocol, name in zip(protocols, names, strict=True)]
    request = CheckRequest("local/tiny", protocols=protocols)
    *_, last = live_checks(request, Surroundings(models, known=lambda *about: known))
    assert re.findall(r"/submission\?id=([\w-]+)", last.html) == names[:2]


def test_the_answer_to_a_submission_names_what_covers_the_other_protocols():
    view = SubmissionView(
        make_submission(), (RunView("s.official-v1", State.QUEUED, Progress(0, None, 0, None), ()),), True
    )
    known = [Known("demo-v1", "s-20260101-0a1b2c3d", State.PUBLISHED)]
    html = render("submit_answer.html", error=None, view=view, beside=known)
    assert 'Under demo-v1 it is there already: <a href="/submission?id=s-20260101-0a1b2c3d">' in html
    assert "already" not in render("submit_answer.html", error=None, view=view, beside=[])
