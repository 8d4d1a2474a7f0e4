"""The commands as people call them, and their page."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from typer.main import get_command
from typer.testing import CliRunner

from leaderboard.cli.store import app
from leaderboard.open_data import layout as open_layout
from leaderboard.settings import Settings
from leaderboard.store import LocalStore, Revision, StoreBusy, Write, layout
from leaderboard.store.open import Stores, names_of, open_stores
from leaderboard.submissions import keys
from leaderboard.upkeep.findings import Finding, FindingKind
from leaderboard.upkeep.patient import PatientStore
from leaderboard.upkeep.rest import at_rest
from tests.hub_server import LocalHub
from tests.upkeep import sites
from tests.upkeep.sites import Run, contents
from tests.upkeep.test_takedown import HASH
from worker.hold import Displaced, Hold

PAGE = (Path(__file__).parents[2] / "docs" / "upkeep.md").read_text(encoding="utf-8")
REASON = ["--reason", "Its owner asked for it."]


@pytest.fixture(params=["folders", "hub"])
def there(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stores:
    """The stores that the settings name."""
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path / "data"))
    if request.param == "hub":
        request.getfixturevalue("named_hub")
        monkeypatch.setenv("RAPPORT_STORE", "hub://org/site")
        assert call("create").exit_code == 0
    stores = open_stores(Settings())
    monkeypatch.setattr(sites, "NAMES", names_of(Settings()))
    return stores


@pytest.fixture
def published(there: Stores) -> list[Run]:
    return sites.fill(there)


def call(*arguments: str):  # type: ignore[no-untyped-def]
    return CliRunner().invoke(app, list(arguments))


def fresh() -> Stores:
    """The stores as another process sees them."""
    return open_stores(Settings())


def test_a_sound_site_is_said_to_be(published: list[Run]) -> None:
    result = call("check")
    assert (result.exit_code, result.stdout) == (0, "nothing is wrong\n")
    assert json.loads(call("check", "--json").stdout) == []


def test_findings_are_told_repaired_and_counted(there: Stores, published: list[Run]) -> None:
    there.archive.commit([Write("notes.txt", b"?")], "by hand")
    there.results.commit([Write(open_layout.BOARD, b"?")], "by hand")
    result = call("check", "--json")
    assert result.exit_code == 1
    found = [Finding.model_validate(each) for each in json.loads(result.stdout)]
    assert [(each.kind, each.repairable) for each in found] == [
        (FindingKind.FOREIGN, False),
        (FindingKind.PUBLIC, True),
    ]
    result = call("check", "--repair")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "2 findings, 1 of them repaired"
    assert len(call("check").stdout.splitlines()) == 2


def test_migrating_and_taking_down_tell_first_what_they_would_do(there: Stores, published: list[Run]) -> None:
    before = [contents(store) for store in there]
    assert "to be rewritten: 1 compacted" in call("migrate").stdout
    told = call("takedown", "--answer", HASH, *REASON).stdout
    assert "2 submissions with 2 runs" in told
    assert "nothing was done" in told
    assert [contents(store) for store in fresh()] == before
    assert call("migrate", "--yes").stdout == "1 compacted\n"
    assert json.loads(call("migrate", "--json").stdout) == {"done": False, "skipped": []}
    assert call("takedown", "--model", "org/model-1", *REASON, "--yes").exit_code == 0
    assert call("takedown", "--answer", HASH, *REASON, "--yes", "--json").exit_code == 0
    assert layout.run_folder(published[0].id) not in "".join(fresh().archive.list())
    assert call("check").stdout == "nothing is wrong\n"


@pytest.mark.parametrize(
    "arguments",
    [
        REASON,
        ["--model", "org/model", "--answer", "0" * 64, *REASON],
        ["--answer", "0" * 63, *REASON],
        ["--submission", "x", *REASON],
        ["--model", "org/model", "--reason", " "],
        ["--model", "org/model"],
    ],
)
def test_a_takedown_of_nothing_certain_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path / "data"))
    assert call("takedown", *arguments, "--yes").exit_code == 2
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "arguments",
    [["check", "--repair"], ["migrate", "--yes"], ["takedown", "--model", "org/model-1", *REASON, "--yes"]],
)
def test_nothing_is_written_while_a_publisher_is_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redis_url: str, redis: Redis, arguments: list[str]
) -> None:
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path))
    monkeypatch.setenv("RAPPORT_REDIS_URL", redis_url)
    stores = open_stores(Settings())
    sites.fill(stores)
    head = stores.archive.head()
    hold = Hold(redis)
    assert hold.take(threading.Event())
    with hold.kept():
        result = call(*arguments)
    assert "A publisher is at work" in str(result.exception)
    assert stores.archive.head() == head


def test_a_site_on_the_same_folder_is_not_written_under(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path))
    LocalStore(tmp_path / "store")
    with at_rest(Settings()):
        result = call("migrate", "--yes")
    assert "Another Rapport is running" in str(result.exception)


def test_no_publisher_begins_meanwhile(tmp_path: Path, redis_url: str, redis: Redis) -> None:
    settings = Settings(data=tmp_path, redis_url=redis_url)
    other = Hold(redis)
    with at_rest(settings), pytest.raises(Displaced):
        other.take(threading.Event())
    assert not redis.exists(keys.PUBLISHER)
    assert Hold(redis).take(threading.Event())


def test_the_page_names_every_command_and_option() -> None:
    commands: dict[str, Any] = getattr(get_command(app), "commands")  # noqa: B009 - Typer hides its type.
    for name in ("check", "migrate", "takedown"):
        assert f"## `rapport store {name}`" in PAGE
        assert all(f"`{option.opts[0]}" in PAGE or f"{option.opts[0]}`" in PAGE for option in commands[name].params)
    named = set(re.findall(r"rapport store (\w+)", PAGE))
    assert named <= commands.keys()


def test_the_page_names_every_kind_of_finding() -> None:
    table = PAGE.partition("| kind |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [str(kind) for kind in FindingKind]


class Busy(LocalStore):
    """A store that wants a pause before every other call."""

    asked = 0

    def _rest(self) -> None:
        self.asked += 1
        if self.asked % 2:
            raise StoreBusy("here", 30.0)

    def read_all(self, paths: Iterable[str]) -> dict[str, bytes]:
        self._rest()
        return super().read_all(paths)

    def commit(self, *arguments: Any, **options: Any) -> Revision:
        self._rest()
        return super().commit(*arguments, **options)


def test_a_busy_store_is_waited_for_and_never_taken_for_damage(tmp_path: Path) -> None:
    waits: list[float] = []
    busy = Stores(*(Busy(tmp_path / name) for name in Stores._fields))
    patient = Stores(*(PatientStore(store, pause=waits.append) for store in busy))
    sites.fill(patient)
    assert sites.findings(patient) == []
    assert set(waits) == {30.0}
    for store in busy:
        assert isinstance(store, Busy)
        store.asked = 0
    with pytest.raises(StoreBusy):
        sites.findings(busy)


def test_a_private_data_set_stays_the_only_place_of_what_is_private(
    named_hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("RAPPORT_STORE", "hub://org/open")
    for store in open_stores(Settings()):
        store.create()  # type: ignore[attr-defined]
    assert "is PUBLIC" in str(call("check", "--repair").exception)
