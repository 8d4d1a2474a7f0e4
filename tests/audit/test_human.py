"""Of scorecards of human-grounded tasks follows what public rows come to, and with labels everything."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from evaluator.human.data import HumanData
from evaluator.human.demo_data import SMALL, write_demo_human_set
from evaluator.human.judged.prompts import RATINGS
from evaluator.human.tasks import JudgedTask, Task
from evaluator.identity import text_digest
from leaderboard.audit.audit import audit
from leaderboard.audit.records import Audit
from leaderboard.board.rebuild import rebuild
from leaderboard.cli.main import app
from leaderboard.open_data import layout
from leaderboard.open_data.records import OpenGeneration
from leaderboard.pages.human_tables import human_provenance
from leaderboard.store.local import LocalStore
from tests.audit.human_sites import (
    AGREES,
    BOUND,
    COMPARED,
    EXTRACTED,
    HICUPID,
    RATED,
    SET,
    SILENT,
    UNCHECKED,
    WORDS,
    WRITTEN,
    answer_path,
    card,
    chosen,
    figures,
    made_up,
    raise_in_card,
    site_of,
)
from tests.audit.sites import FAIR, JUDGE, change_first, put
from tests.builders import make_declaration
from tests.written_runs import make_written_run

RATED_AS = {rating: outcome for outcome, rating in RATINGS.items()}


@pytest.fixture
def results(human_results: LocalStore) -> LocalStore:
    """The public results of a site with runs of both suites."""
    return human_results


def test_an_honest_site_agrees_beside_hicupid(results: LocalStore) -> None:
    found = audit(results)
    assert (found.differing, found.problems, found.without_card, found.places_unchecked) == (0, (), (), "")
    assert card(found, COMPARED).standing is AGREES, "people's labels decide what is asked, and nothing else"
    assert {card(found, run).standing for run in (RATED, EXTRACTED)} == {UNCHECKED}
    labels = {why for run in (RATED, EXTRACTED) for why in card(found, run).unchecked}
    assert all("--human-data" in why for why in labels)
    assert found.rows > sum(len(run.rows.generations) + len(run.rows.verdicts) for run in WRITTEN.values())


def test_with_the_data_sets_everything_agrees(results: LocalStore) -> None:
    found = audit(results, human_data=[SET, HICUPID])
    assert (found.scorecards, found.agreeing) == (6, 6)


def test_what_was_asked_from_a_set_that_is_not_at_hand_is_passed_over(results: LocalStore) -> None:
    labelled, synthetic = chosen(Task.RELEVANCE, model=FAIR), made_up(Task.RELEVANCE, model=FAIR)
    for at_hand, own, other in ((SET, labelled, synthetic), (HICUPID, synthetic, labelled)):
        found = audit(results, human_data=[at_hand])
        assert found.differing == 0
        assert any("No data set that was named" in why for why in card(found, other).unchecked)
        assert card(found, own).standing is AGREES
    (why, *_) = card(audit(results), synthetic).unchecked
    assert "what made-up users were made from" in why
    assert "HiCUPID's data set with --human-data" in why


def test_no_scorecard_of_hicupid_is_rebuilt_from_rows_of_these_tasks(results: LocalStore, tmp_path: Path) -> None:
    assert len(results.list(layout.VERDICTS)) == 4
    assert rebuild(tmp_path / "site" / "results" / "files", tmp_path / "sums") == {}
    assert [path.stem for path in (tmp_path / "sums" / "figures").rglob("*.json")] == [
        f"s-20260301-00000001.official-v1@{JUDGE}"
    ]


@pytest.mark.parametrize("consent", [True, False], ids=["consent", "none"])
@pytest.mark.parametrize("task", list(JudgedTask))
def test_what_follows_does_not_hang_on_the_texts(tmp_path: Path, task: JudgedTask, consent: bool) -> None:
    run = make_written_run(task, declaration=make_declaration(publish_answers=consent))
    results = site_of(tmp_path, run)
    for sets in ((), (SET,)):
        found = card(audit(results, human_data=sets), run)
        assert found.differences == ()
        lists = task is JudgedTask.EXTRACTION and not consent
        assert sum("withheld" in why for why in found.unchecked) == 2 * lists
        assert any("--human-data" in why for why in found.unchecked) == (not sets and task is not JudgedTask.COMPARISON)


@pytest.mark.parametrize("task", list(JudgedTask))
def test_of_a_set_that_may_not_be_passed_on_is_said_what_does_not_follow(tmp_path: Path, task: JudgedTask) -> None:
    run = make_written_run(task, terms=BOUND)
    results = site_of(tmp_path, run)
    for sets in ((), (SET,)):
        found = card(audit(results, human_data=sets), run)
        assert found.differences == ()
        hidden = [why for why in found.unchecked if "the data set may not be passed on" in why]
        assert len(hidden) == (task is not JudgedTask.COMPARISON)
        assert not any("missing" in why or "--human-data" in why for why in found.unchecked)
    assert ("Rows of verdicts" in dict(human_provenance(run.card))) == bool(hidden), "the page says so too"
    raise_in_card(results, run, lambda card: card["result"].update(retried=99))
    assert figures(audit(results), run) >= {"retried"}, "what follows from answers is compared as ever"


@pytest.mark.parametrize("task", list(Task))
def test_agreement_with_people_follows_from_words_that_are_shown_though_the_source_is_not(
    tmp_path: Path, task: Task
) -> None:
    run = chosen(task, terms=BOUND)
    results = site_of(tmp_path, run)
    assert card(audit(results), run).unchecked != ()
    found = card(audit(results, human_data=[SET]), run)
    assert found.differences == ()
    assert found.unchecked == ("Why some answers cannot be read does not follow, since answers are withheld.",)
    first, second = WORDS[task]
    other = {"answer": second, "content_hash": text_digest(second)}  # Only the figures tell.
    change_first(results, answer_path(run), OpenGeneration, lambda row: row.answer == first, **other)
    assert any(name.startswith("figures.") for name in figures(audit(results, human_data=[SET]), run))


@pytest.mark.parametrize(
    ("task", "users"), [(JudgedTask.EXTRACTION, 11), (JudgedTask.UPLIFT, 16), (JudgedTask.COMPARISON, 24)]
)
def test_intervals_follow_whatever_users_are_called(tmp_path: Path, task: JudgedTask, users: int) -> None:
    write_demo_human_set(tmp_path / "set", SMALL._replace(users=users))
    run = make_written_run(task, declaration=SILENT, data=HumanData.open(str(tmp_path / "set")))
    assert any(figure.interval for figure in run.card.result.figures)
    results = site_of(tmp_path, run)
    assert card(audit(results), run).differences == ()
    if task is JudgedTask.EXTRACTION:
        assert dict(run.card.result.invalid).keys() == {"prose", "empty_list"}
        assert card(audit(results, human_data=[str(tmp_path / "set")]), run).differences == ()


def test_of_verdicts_that_contradict_each_other_the_one_counts_that_is_said_to(tmp_path: Path) -> None:
    run = make_written_run(JudgedTask.UPLIFT, declaration=SILENT)
    said = [row for row in run.rows.verdicts if row.rater_kind == "model" and row.outcome]
    twins = [row.model_copy(update={"outcome": RATED_AS[6 - RATINGS[row.outcome]]}) for row in said if row.outcome]
    run = run._replace(rows=run.rows._replace(verdicts=[*run.rows.verdicts, *twins]))
    found = card(audit(site_of(tmp_path, run)), run)
    assert found.differences == (), "though words that are withheld decide in the archive"


def test_without_consent_agreement_with_people_does_not_follow(tmp_path: Path) -> None:
    run = chosen(Task.RELEVANCE, declaration=SILENT)
    found = card(audit(site_of(tmp_path, run), human_data=[SET]), run)
    assert (found.standing, found.differences) == (UNCHECKED, ())
    assert any("How far the model agrees with people" in why for why in found.unchecked)


def test_the_command_takes_a_model_and_labels(results: LocalStore, tmp_path: Path) -> None:
    sets = ["--human-data", SET, "--human-data", HICUPID]
    run = CliRunner().invoke(app, ["audit", FAIR, "--store", str(tmp_path / "site"), *sets, "--json"])
    assert run.exit_code == 0, run.output
    found = Audit.model_validate_json(run.stdout)
    assert (found.agreeing, found.scorecards) == (6, 6)


def test_a_model_of_human_grounded_tasks_alone_is_known(tmp_path: Path) -> None:
    run = make_written_run(JudgedTask.COMPARISON)
    site_of(tmp_path, run)
    found = CliRunner().invoke(app, ["audit", run.submission.model, "--store", str(tmp_path)])
    assert (found.exit_code, "agreeing      1" in found.stdout) == (0, True)


def test_something_that_was_checked_is_not_nothing(tmp_path: Path) -> None:
    results = site_of(tmp_path, RATED)
    command = ["audit", "--store", str(tmp_path)]
    found = CliRunner().invoke(app, command)
    assert (found.exit_code, found.stdout.splitlines()[-1]) == (
        0,
        "Everything that was checked follows from public rows.",
    )
    put(results, answer_path(RATED), None)
    found = CliRunner().invoke(app, command)
    assert (found.exit_code, found.stdout.splitlines()[-1]) == (2, "Nothing could be checked.")
