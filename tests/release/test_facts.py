"""What was known of a model when it was handed in reaches its public results, and never the archive's scorecards."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from evaluator.facts import ModelFacts
from leaderboard.audit.audit import audit
from leaderboard.board.build import build_board
from leaderboard.board.human import read_human_cards
from leaderboard.open_data import layout
from leaderboard.open_data.board import FACTS
from leaderboard.open_data.files import decode_board
from leaderboard.open_data.human_figures import open_human_scorecard
from leaderboard.release.kept import DERIVATION, read_kept
from leaderboard.release.release import Release
from leaderboard.results import HumanScorecard, Scorecard, with_facts
from leaderboard.store import layout as archive_layout
from leaderboard.store.base import Delete, Write
from leaderboard.store.local import LocalStore
from leaderboard.store.open import Stores
from leaderboard.store.rows import read_record
from leaderboard.submissions.history import History
from tests.audit.sites import GOOD, MODELS, make_site
from tests.builders import make_declaration, make_scorecard
from tests.human_runs import make_human_run, make_human_scorecard_of
from tests.human_sites import write_human_run
from tests.release.archives import replay
from tests.release.conftest import Past
from tests.release.driving import finish, releasing_of
from tests.released import NAMES, publish, released

SHORT = 6
"""So many commits of the past are enough to publish a model."""
KNOWN = ModelFacts(
    architecture="Qwen3ForCausalLM",
    parameters=7_615_616_512,
    weight_bytes=15_231_233_024,
    kv_bytes_per_token=57_344,
    context_length=32_768,
    licence="apache-2.0",
    quantisation="awq",
)
COLUMNS = {
    "parameters": 7_615_616_512,
    "weight_bytes": 15_231_233_024,
    "context_length": 32_768,
    "architecture": "Qwen3ForCausalLM",
    "quantisation": "awq",
    "model_licence": "apache-2.0",
    "model_family": "qwen",
}


def tell(stores: Stores, facts: ModelFacts) -> None:
    """Adds to the one submission of an archive what is known of its model, and brings it; the board has to wait."""
    (path,) = stores.archive.list(archive_layout.SUBMISSIONS)
    history = read_record(stores.archive.read(path), History, path)
    told = history.model_copy(update={"submission": history.submission.model_copy(update={"facts": facts})})
    stores.archive.commit([Write(path, told.model_dump_json().encode())], "facts")
    assert Release(stores, NAMES, frozenset()).bring([history.submission.id]) == frozenset()


def test_facts_reach_the_board_and_its_file_and_no_scorecard_of_the_archive(tmp_path: Path) -> None:
    stores = make_site(tmp_path, MODELS[0]._replace(protocols=("official-v1",)))
    (before,) = build_board(stores.results).rows
    assert before.facts is None
    tell(stores, KNOWN)
    assert audit(stores.results).differing == 0, "the board need not have followed yet"
    Release(stores, NAMES, frozenset()).rank()
    (row,) = build_board(stores.results).rows
    assert (row.model, row.rank, row.facts) == (GOOD, 1, KNOWN)
    assert row.rows_sha == before.rows_sha
    (line,) = decode_board(stores.results.read(layout.BOARD), layout.BOARD)
    assert {name: getattr(line, name) for name in FACTS} == COLUMNS
    found = audit(stores.results)
    assert (found.agreeing, found.differing) == (1, 0)
    (path,) = stores.archive.list(archive_layout.SCORECARDS)
    assert b"facts" not in stores.archive.read(path)


def test_facts_reach_scorecards_of_human_grounded_tasks(store: LocalStore, tmp_path: Path) -> None:
    run = make_human_run(facts=KNOWN)
    write_human_run(store, run)
    stores = released(store, tmp_path)
    (card,) = read_human_cards(stores.results).cards
    assert (card.facts, card.schema_version) == (KNOWN, 2)
    assert {name: getattr(open_human_scorecard(card), name) for name in FACTS} == COLUMNS
    assert audit(stores.results).differing == 0
    assert b"facts" not in store.read(archive_layout.human_scorecard_path(card.model, card.id))


def test_a_family_is_told_without_facts_and_facts_without_a_family() -> None:
    made_from = make_declaration(base_model="meta-llama/Llama-3.2-3B")
    for card, family in (
        (make_human_scorecard_of("org/tuned", declaration=made_from), "llama"),
        (make_human_scorecard_of("org/qwen-killer", facts=ModelFacts(architecture="LlamaForCausalLM")), None),
    ):
        columns = open_human_scorecard(card)
        assert (columns.model_family, columns.parameters) == (family, None)


def test_a_board_of_an_earlier_rapport_is_read_without_facts(store: LocalStore) -> None:
    publish(store, make_scorecard("org/a", facts=KNOWN))
    table = pq.read_table(io.BytesIO(store.read(layout.BOARD)), use_threads=False, pre_buffer=False)
    old = table.drop_columns([*FACTS, "schema_version"])
    file = io.BytesIO()
    pq.write_table(old.append_column("schema_version", [[2] * len(old)]), file)
    store.commit([Write(layout.BOARD, file.getvalue())], "as it was written")
    (line,) = decode_board(file.getvalue(), layout.BOARD)
    assert {getattr(line, name) for name in FACTS} == {None}
    board = build_board(store)
    assert not board.problems
    assert [(row.rank, row.facts) for row in board.rows] == [(1, KNOWN)]


def test_a_scorecard_says_by_its_version_whether_it_has_facts() -> None:
    card, of_people = make_scorecard("org/a"), make_human_scorecard_of("org/a")
    assert (card.schema_version, with_facts(card, None)) == (1, card)
    assert "facts" not in card.model_dump_json(), "as the archive's own scorecards were always written"
    for kind, told in ((Scorecard, with_facts(card, KNOWN)), (HumanScorecard, with_facts(of_people, KNOWN))):
        assert read_record(told.model_dump_json(), kind, "x") == told
        with pytest.raises(ValidationError, match="a scorecard "):
            kind.model_validate(dict(told) | {"schema_version": 1})
    again = card.model_copy(update={"rescore_id": "r-20260301-0a1b2c3d", "schema_version": 2})
    assert with_facts(again, KNOWN).schema_version == 3


@pytest.mark.parametrize("told", ["", f"derivation {DERIVATION - 1}\n"])
def test_what_an_earlier_rapport_has_released_is_released_again(
    past: Past, stores: Stores, file: Path, told: str
) -> None:
    replay(past.commits[:SHORT], stores.archive)
    finish(releasing_of(stores, file))
    path = stores.results.list(layout.SCORECARDS)[0]
    wanted = stores.results.read(path)
    stores.results.commit([Delete(path)], "what an earlier one did not write")
    finish(releasing_of(stores, file))
    assert path not in stores.results.list(layout.SCORECARDS), "nothing in the archive is new"
    file.write_text(told + file.read_text().removeprefix(f"derivation {DERIVATION}\n"))
    assert read_kept(file) is None
    finish(releasing_of(stores, file))
    assert stores.results.read(path) == wanted
    assert read_kept(file) is not None
