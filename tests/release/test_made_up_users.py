"""What is public of runs on HiCUPID's made-up users: none of its text, and nothing that tells what is true of whom."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evaluator.hicupid.data import _HUB_TERMS as HUB
from evaluator.hicupid.data import HicupidData, demo_set
from evaluator.human.data import HumanData
from evaluator.human.judged.items import claim_content
from evaluator.human.synthetic import SPLIT, TRUTH, synthetic_data
from evaluator.human.tasks import AnyTask, JudgedTask, Task
from evaluator.identity import digest, text_digest
from leaderboard.open_data import layout
from leaderboard.store import Write
from leaderboard.store.local import LocalStore
from leaderboard.store.open import Stores
from tests.audit.human_sites import made_up
from tests.human_runs import HumanRun
from tests.human_sites import write_human_run
from tests.release.test_canaries import readable
from tests.released import released
from tests.written_runs import make_written_run

TASKS: tuple[AnyTask, ...] = (Task.VERIFICATION, JudgedTask.EXTRACTION, Task.RELEVANCE)
LISTS = "human-extraction-synthetic-demo-v1"


@pytest.fixture(scope="module")
def hicupid() -> HicupidData:
    return HicupidData.open(str(demo_set()))


@pytest.fixture(scope="module")
def sets(hicupid: HicupidData) -> dict[AnyTask, HumanData]:
    return {task: synthetic_data(hicupid, task) for task in TASKS}


@pytest.fixture(scope="module")
def runs(sets: dict[AnyTask, HumanData]) -> list[HumanRun]:
    """One run of each task, on the terms of HiCUPID on the Hub; the lists quote the tastes themselves."""
    listed = make_written_run(
        JudgedTask.EXTRACTION, 7, data=sets[JudgedTask.EXTRACTION], terms=HUB, protocol=LISTS, model="org/model-5"
    )
    words = [
        made_up(task, number, terms=HUB, model="org/model-5")
        for number, task in enumerate((Task.VERIFICATION, Task.RELEVANCE), 5)
    ]
    return [*words, listed]


def public(runs: list[HumanRun], folder: Path) -> Stores:
    archive = LocalStore(folder / "archive")
    for run in runs:
        write_human_run(archive, run)
    return released(archive, folder)


def without_truth(run: HumanRun) -> HumanRun:
    """The same run, had the opposite been true of every item."""
    items = [
        item.model_copy(
            update={"labels": tuple(each.model_copy(update={"number": 1 - each.number}) for each in item.labels)}
        )
        for item in run.plan.labelled
    ]
    return run._replace(plan=run.plan.model_copy(update={"items": tuple(items)}))


def test_no_text_of_hicupid_is_in_a_byte_that_is_public(
    runs: list[HumanRun], sets: dict[AnyTask, HumanData], hicupid: HicupidData, tmp_path: Path
) -> None:
    stores = public(runs, tmp_path)
    tables = [data.tables for data in sets.values()]
    tastes = [each.persona for each in hicupid.questions(SPLIT) if each.persona]
    texts = {row.text for each in tables for row in (*each.attributes, *each.prompts)}
    texts |= {turn.text for each in tables for row in each.conversations for turn in row.turns}
    texts |= {taste.entity for taste in tastes} | {f"{taste.relation} {taste.entity}" for taste in tastes}
    told = "\n".join(map(readable, (stores.results, stores.requests)))
    assert {run.id for run in runs} <= set(re.findall(r"s-[0-9a-f-]+\.human-[a-z0-9-]+", told))
    assert not [text for text in texts if re.search(rf"\b{re.escape(text)}(?!\w)", told)]
    held = readable(stores.archive)
    assert any(text in held for text in texts), "the model has quoted it, and the same look finds it in the archive"


def test_relations_stand_in_no_row(runs: list[HumanRun], hicupid: HicupidData, tmp_path: Path) -> None:
    """They are plain words, which cards of data sets use as well."""
    results = public(runs, tmp_path).results
    relations = {each.persona.relation for each in hicupid.questions(SPLIT) if each.persona}
    rows = LocalStore(tmp_path / "rows")
    rows.commit([Write(path, results.read(path)) for path in results.list() if path.endswith(".parquet")], "rows")
    told = readable(rows)
    assert not [words for words in relations if re.search(rf"\b{re.escape(words)}\b", told)]


def test_no_digest_of_what_somebody_guesses_is_public(
    runs: list[HumanRun], sets: dict[AnyTask, HumanData], hicupid: HicupidData, tmp_path: Path
) -> None:
    """Who knows the tastes knows all texts that can stand there; the names of users and dialogues are no secret."""
    stores = public(runs, tmp_path)
    told = "\n".join(map(readable, (stores.results, stores.requests)))
    for task, data in sets.items():
        for row in data.tables.attributes:
            shown = sorted(each.conversation_id for each in row.evidence)
            of_text = (text_digest(row.text), digest(row.text), claim_content(row.text, shown))
            with_names = (digest([task, row.user_id, row.text]), digest([row.user_id, row.text]))
            assert not [each for each in (*of_text, *with_names) if each[:12] in told]


def test_rows_are_the_same_whatever_is_true(runs: list[HumanRun], tmp_path: Path) -> None:
    there, other = (
        public(some, tmp_path / name)
        for some, name in ((runs, "true"), ([without_truth(run) for run in runs], "false"))
    )
    paths = there.results.list(layout.GENERATIONS)
    assert len(paths) == len(runs)
    assert there.results.list(layout.VERDICTS) == other.results.list(layout.VERDICTS) == []
    for path in paths:
        assert there.results.read(path) == other.results.read(path)
    assert there.requests.read_all(there.requests.list()) == other.requests.read_all(other.requests.list())
    assert f'"{TRUTH}"' not in readable(there.results), "nobody who says what is true is named"
