"""Scorecards of human-grounded tasks: what follows from public rows, what from labels too, and whatever is changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evaluator.errors import Cause, RapportError
from evaluator.human.data import demo_set
from evaluator.human.items import HumanItem
from evaluator.human.people import People
from evaluator.human.setup import items
from evaluator.human.tasks import JudgedTask, Task
from evaluator.identity import text_digest
from evaluator.protocol import human_protocol
from evaluator.records import Outcome, Terms
from leaderboard.audit.audit import audit
from leaderboard.audit.records import Audit, AuditedCard, Standing
from leaderboard.board.rebuild import rebuild
from leaderboard.cli.main import app
from leaderboard.open_data import layout
from leaderboard.open_data.human import OpenHumanFigure, OpenHumanScorecard
from leaderboard.open_data.records import OpenGeneration, OpenVerdict
from leaderboard.store.base import Store
from leaderboard.store.local import LocalStore
from leaderboard.store.parquet import decode_parquet
from tests.audit.sites import FAIR, JUDGE, MODELS, change, change_first, make_site, put
from tests.builders import make_declaration
from tests.human.runs import make_human_setup
from tests.human.written import demo_data
from tests.human_runs import HumanRun, answers_to, make_human_plan, make_human_run
from tests.human_sites import write_human_run
from tests.released import released
from tests.written_runs import CHAT_TEMPLATE, make_written_run

SILENT = make_declaration(publish_answers=False)
FREE = demo_data().terms
BOUND = FREE.model_copy(update={"redistributable": False, "personal_data": "personal"})
SET = str(demo_set())
WRITTEN = {task: make_written_run(task, number, model=FAIR) for number, task in enumerate(JudgedTask, start=11)}
COMPARED, RATED, EXTRACTED = (
    WRITTEN[task] for task in (JudgedTask.COMPARISON, JudgedTask.UPLIFT, JudgedTask.EXTRACTION)
)
WORDS = {Task.VERIFICATION: ("accepted", "rejected"), Task.RELEVANCE: ("YES", "NO"), Task.RATING: ("2", "4")}
DIFFERS, AGREES, UNCHECKED = Standing.DIFFERS, Standing.AGREES, Standing.UNCHECKED


def chosen(task: Task, number: int = 14, terms: Terms = FREE, **changes: Any) -> HumanRun:
    """A run whose truth is labels, on the first items of the demo set, with some prose."""
    shipped = human_protocol(f"human-{task}-demo-v1")
    asked = items_of(shipped.id)
    model = changes.get("model", f"org/model-{number}")
    key = {
        "model": model,
        "protocol": shipped.id,
        "chat_template_hash": CHAT_TEMPLATE,
        "data_sha": demo_data().shown_sha,
    }
    prose = "They told me so."
    rows = answers_to(asked, lambda item, place: WORDS[task][place % 2] if place else prose, terms, **key)
    run = make_human_run(task, number, asked=asked, rows=rows, terms=terms, protocol=shipped.id, **changes)
    plan = make_human_plan(run.id, asked, terms=terms, data_sha=demo_data().sha)
    return run._replace(plan=plan)


def items_of(protocol: str) -> tuple[HumanItem, ...]:
    found = human_protocol(protocol)
    setup = make_human_setup(Task(found.task))._replace(protocol=found, judge=People())
    return tuple(items(setup))


@pytest.fixture(scope="session")
def honest_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a site with one model that was run at everything."""
    folder = tmp_path_factory.mktemp("agreement")
    archive = make_site(folder, MODELS[1]).archive
    for run in (*WRITTEN.values(), chosen(Task.RELEVANCE, model=FAIR)):
        write_human_run(archive, run)
    shutil.rmtree(folder / "results")
    shutil.rmtree(folder / "requests")
    released(archive, folder)
    return folder


@pytest.fixture
def results(honest_site: Path, tmp_path: Path) -> LocalStore:
    shutil.copytree(honest_site / "results", tmp_path / "site" / "results")
    return LocalStore(tmp_path / "site" / "results")


def site_of(folder: Path, *runs: HumanRun) -> LocalStore:
    archive = LocalStore(folder / "store")
    for run in runs:
        write_human_run(archive, run)
    released(archive, folder)
    return LocalStore(folder / "results")


def card(found: Audit, run: HumanRun) -> AuditedCard:
    (own,) = [each for each in found.cards if each.scorecard_id == run.card.id]
    return own


def figures(found: Audit, run: HumanRun) -> set[str]:
    return {each.figure for each in card(found, run).differences}


def verdict_path(run: HumanRun) -> str:
    return layout.verdicts_path(run.plan.judge, run.submission.model, run.id)


def answer_path(run: HumanRun) -> str:
    return layout.generations_path(run.submission.model, run.id)


def is_written(row: OpenVerdict) -> bool:
    return row.counts and row.rater_kind == "model" and not row.question_id.startswith("given/")


def test_an_honest_site_agrees_beside_hicupid(results: LocalStore) -> None:
    found = audit(results)
    assert (found.differing, found.problems, found.without_card, found.places_unchecked) == (0, (), (), "")
    assert card(found, COMPARED).standing is AGREES, "people's labels decide what is asked, and nothing else"
    assert {card(found, run).standing for run in (RATED, EXTRACTED)} == {UNCHECKED}
    labels = {why for run in (RATED, EXTRACTED) for why in card(found, run).unchecked}
    assert all("--human-data" in why for why in labels)
    assert found.rows > sum(len(run.rows.generations) + len(run.rows.verdicts) for run in WRITTEN.values())


def test_with_the_data_set_everything_agrees(results: LocalStore) -> None:
    found = audit(results, human_data=[SET])
    assert (found.scorecards, found.agreeing) == (5, 5)


def test_no_scorecard_of_hicupid_is_rebuilt_from_rows_of_these_tasks(results: LocalStore, tmp_path: Path) -> None:
    assert len(results.list(layout.VERDICTS)) == 4
    assert rebuild(tmp_path / "site" / "results" / "files", tmp_path / "sums") == {}
    assert [path.stem for path in (tmp_path / "sums" / "figures").rglob("*.json")] == [
        f"s-20260301-00000001.official-v1@{JUDGE}"
    ]


@pytest.mark.parametrize("consent", [True, False], ids=["consent", "none"])
@pytest.mark.parametrize("terms", [FREE, BOUND], ids=["free", "bound"])
@pytest.mark.parametrize("task", list(JudgedTask))
def test_what_follows_does_not_hang_on_the_texts(tmp_path: Path, task: JudgedTask, terms: Terms, consent: bool) -> None:
    run = make_written_run(task, terms=terms, declaration=make_declaration(publish_answers=consent))
    results = site_of(tmp_path, run)
    for sets in ((), (SET,)):
        found = card(audit(results, human_data=sets), run)
        assert found.differences == ()
        lists = task is JudgedTask.EXTRACTION and not (consent and terms is FREE)
        assert sum("withheld" in why for why in found.unchecked) == 2 * lists
        assert any("--human-data" in why for why in found.unchecked) == (not sets and task is not JudgedTask.COMPARISON)


@pytest.mark.parametrize("task", list(Task))
def test_agreement_with_people_follows_from_words_that_are_shown_though_the_source_is_not(
    tmp_path: Path, task: Task
) -> None:
    run = chosen(task, terms=BOUND)
    results = site_of(tmp_path, run)
    assert card(audit(results), run).unchecked != ()
    found = card(audit(results, human_data=[SET]), run)
    assert found.differences == ()
    assert found.unchecked == ("Why some cannot be read does not follow, since answers are withheld.",)
    first, second = WORDS[task]
    other = {"answer": second, "content_hash": text_digest(second)}  # Only the figures tell.
    change_first(results, answer_path(run), OpenGeneration, lambda row: row.answer == first, **other)
    assert any(name.startswith("figures.") for name in figures(audit(results, human_data=[SET]), run))


def test_without_consent_agreement_with_people_does_not_follow(tmp_path: Path) -> None:
    run = chosen(Task.RELEVANCE, declaration=SILENT)
    found = card(audit(site_of(tmp_path, run), human_data=[SET]), run)
    assert (found.standing, found.differences) == (UNCHECKED, ())
    assert any("How far the model agrees with people" in why for why in found.unchecked)


CHANGES: list[tuple[HumanRun, dict[str, object], set[str]]] = [
    (COMPARED, {"outcome": Outcome.WIN}, {"win"}),
    (COMPARED, {"outcome": None, "word": None}, {"judging.missing", "judging.verdicts"}),
    (RATED, {"outcome": Outcome.MUCH_WORSE}, {"uplift", "no_better"}),
    (EXTRACTED, {"outcome": Outcome.REJECTED}, {"accepted"}),
]


@pytest.mark.parametrize(("run", "values", "expected"), CHANGES)
def test_a_changed_verdict_is_found(
    results: LocalStore, run: HumanRun, values: dict[str, object], expected: set[str]
) -> None:
    other = {Outcome.WIN, Outcome.TIE, Outcome.MUCH_WORSE, Outcome.REJECTED} & {values["outcome"]}

    def fits(row: OpenVerdict) -> bool:
        return is_written(row) and row.outcome is not None and row.outcome not in other

    change_first(results, verdict_path(run), OpenVerdict, fits, **values)
    told = figures(audit(results), run)
    for name in expected:
        assert any(each.startswith((f"figures.{name}.", name)) for each in told), (name, told)


@pytest.mark.parametrize("run", WRITTEN.values(), ids=[run.protocol.task for run in WRITTEN.values()])
def test_a_verdict_that_is_gone_is_found_whatever_it_was_on(results: LocalStore, run: HumanRun) -> None:
    path = verdict_path(run)
    before = results.read(path)
    rows = decode_parquet(before, OpenVerdict, path)
    for gone in (
        next(filter(is_written, rows)),
        next((row for row in rows if row.question_id.startswith("given/") and row.outcome), rows[0]),
    ):
        change(results, path, OpenVerdict, lambda rows, gone=gone: [row for row in rows if row != gone])
        assert card(audit(results), run).standing is DIFFERS
        put(results, path, before)


def test_what_an_encoder_found_decides_recall(results: LocalStore) -> None:
    def matched(row: OpenVerdict) -> bool:
        return row.counts and row.outcome is Outcome.MATCHED and row.question_id.startswith("given/")

    path = verdict_path(EXTRACTED)
    change_first(results, path, OpenVerdict, matched, outcome=Outcome.UNMATCHED, word="unmatched")
    assert figures(audit(results), EXTRACTED) == {"figures.recall.value"}


def of_scorecard(scorecard: dict[str, Any], name: str) -> dict[str, Any]:
    result: dict[str, Any] = scorecard["result"]
    return next(figure for figure in result["figures"] if figure["name"] == name)


def raise_in_card(results: Store, run: HumanRun, by: Callable[[dict[str, Any]], object]) -> None:
    """Changes a public scorecard in its JSON alone."""
    path = layout.human_scorecards_path(run.submission.model)

    def change_json(rows: list[OpenHumanScorecard]) -> Iterator[OpenHumanScorecard]:
        for row in rows:
            value = json.loads(row.scorecard)
            if row.scorecard_id == run.card.id:
                by(value)
            yield row.model_copy(update={"scorecard": json.dumps(value)})

    change(results, path, OpenHumanScorecard, lambda rows: list(change_json(rows)))


@pytest.mark.parametrize("run", [COMPARED, RATED, EXTRACTED], ids=["win", "uplift", "recall"])
def test_a_raised_figure_is_found_in_the_scorecard_and_in_its_row(results: LocalStore, run: HumanRun) -> None:
    name = {COMPARED.id: "win", RATED.id: "uplift", EXTRACTED.id: "recall"}[run.id]
    raise_in_card(results, run, lambda card: of_scorecard(card, name).update(value=0.99))
    assert figures(audit(results), run) == {f"figures.{name}.value", f"human_figures.model.{name}.value"}


def test_counts_and_columns_and_rows_of_figures_are_compared(results: LocalStore) -> None:
    raise_in_card(results, COMPARED, lambda card: card["result"]["judging"].update(verdicts=99))
    path = layout.human_scorecards_path(FAIR)
    change_first(results, path, OpenHumanScorecard, lambda row: row.scorecard_id == RATED.card.id, answered=99)
    path, card_id = layout.human_figures_path(FAIR), EXTRACTED.card.id
    change_first(
        results, path, OpenHumanFigure, lambda row: (row.scorecard_id, row.figure) == (card_id, "recall"), value=0.99
    )
    found = audit(results)
    assert figures(found, COMPARED) == {"judging.verdicts", "human_scorecards.verdicts"}
    assert figures(found, RATED) == {"human_scorecards.answered"}
    assert figures(found, EXTRACTED) == {"human_figures.model.recall.value"}


def test_a_raised_kappa_is_found_by_whoever_has_the_labels(results: LocalStore) -> None:
    run = chosen(Task.RELEVANCE, model=FAIR)
    raise_in_card(results, run, lambda card: of_scorecard(card, "kappa").update(value=0.99))
    raise_in_card(results, RATED, lambda card: of_scorecard(card, "inflation").update(value=-1.5))
    found = audit(results)
    assert {*figures(found, run), *figures(found, RATED)} == {
        "human_figures.model.kappa.value",
        "human_figures.model.inflation.value",
    }, "without labels only the copies tell"
    found = audit(results, human_data=[SET])
    assert figures(found, run) >= {"figures.kappa.value"}
    assert figures(found, RATED) >= {"figures.inflation.value"}


def test_another_data_set_or_protocol_is_said_and_nothing_is_guessed(results: LocalStore, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(SET, other)
    (other / "notes.txt").write_text("one file more")
    found = audit(results, human_data=[str(other)])
    assert found.differing == 0
    assert any(why.startswith("No data set that was named is the one") for why in card(found, RATED).unchecked)
    raise_in_card(results, RATED, lambda card: card.update(protocol_config="0" * 64))
    assert any("protocol" in why for why in card(audit(results, human_data=[SET]), RATED).unchecked)
    raise_in_card(results, EXTRACTED, lambda card: card["result"].update(labels=1))
    (why, *_) = card(audit(results, human_data=[SET]), EXTRACTED).unchecked
    assert "labels on what was asked, and the scorecard is made of 1" in why


def test_a_data_set_that_cannot_be_had_is_told(results: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RapportError) as caught:
        audit(results, human_data=[str(tmp_path / "empty")])
    assert caught.value.cause is Cause.DATA_ERROR


@pytest.mark.parametrize("path", [answer_path(COMPARED), verdict_path(COMPARED)], ids=["answers", "verdicts"])
def test_a_file_that_is_lost_broken_or_of_another_run_costs_its_own_scorecard(results: LocalStore, path: str) -> None:
    theirs = path.replace("comparison", "uplift").replace(COMPARED.submission.id, RATED.submission.id)
    theirs = theirs.replace(f"/{COMPARED.plan.judge}/", f"/{RATED.plan.judge}/")
    for content in (None, b"PAR1 and so on", results.read(theirs)):
        put(results, path, content)
        found = audit(results)
        assert (card(found, COMPARED).standing, found.differing) == (UNCHECKED, 0)
        assert any(word in card(found, COMPARED).unchecked[0] for word in ("missing", "another run", "comparison"))


def test_rows_that_no_run_comes_to_cost_their_own_scorecard(results: LocalStore) -> None:
    change_first(results, verdict_path(RATED), OpenVerdict, is_written, outcome=Outcome.WIN)
    change_first(results, verdict_path(COMPARED), OpenVerdict, is_written, rater="somebody")
    found = audit(results)
    assert found.differing == 0
    assert "cannot be added up" in card(found, RATED).unchecked[0]
    assert "another judge" in card(found, COMPARED).unchecked[0]


def test_private_rows_are_never_taken_for_agreeing(tmp_path: Path) -> None:
    run = make_written_run(JudgedTask.COMPARISON, terms=FREE.model_copy(update={"visibility": "private"}))
    found = card(audit(site_of(tmp_path, run)), run)
    assert (found.standing, found.unchecked) == (UNCHECKED, ("Its rows are of private data and stay private.",))


def test_rows_and_figures_without_a_scorecard_are_told(results: LocalStore) -> None:
    path = layout.human_scorecards_path(FAIR)
    change(
        results,
        path,
        OpenHumanScorecard,
        lambda rows: [row for row in rows if row.scorecard_id != COMPARED.card.id],
    )
    found = audit(results)
    assert found.without_card == (answer_path(COMPARED), verdict_path(COMPARED))
    assert figures(found, COMPARED) == {"human_figures.scorecard_id"}
    put(results, path, b"PAR1")
    found = audit(results)
    assert (found.without_card, found.scorecards) == ((), 1), "whose they are is not known then"
    assert any(path in problem for problem in found.problems)


def test_a_scorecard_that_stands_there_twice_or_calls_itself_another_is_not_trusted(results: LocalStore) -> None:
    path = layout.human_scorecards_path(FAIR)
    raise_in_card(results, EXTRACTED, lambda card: card.update(run_id=COMPARED.id))
    change(results, path, OpenHumanScorecard, lambda rows: rows + [row for row in rows if row.task == "uplift"])
    whys = {each.scorecard_id: each.unchecked for each in audit(results).cards}
    assert whys[EXTRACTED.card.id] == ("Its id is not that of its run, protocol and judge.",)
    assert whys[RATED.card.id] == ("It stands among the scorecards more than once.",)


def test_the_command_takes_a_model_and_labels(results: LocalStore, tmp_path: Path) -> None:
    run = CliRunner().invoke(app, ["audit", FAIR, "--store", str(tmp_path / "site"), "--human-data", SET, "--json"])
    assert run.exit_code == 0, run.output
    found = Audit.model_validate_json(run.stdout)
    assert (found.agreeing, found.scorecards) == (5, 5)


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
