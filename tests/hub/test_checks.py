"""The checklist against a Hub: what it asks for, what it refuses, and whom it blames."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evaluator.errors import Cause
from leaderboard.checks.records import Check, CheckName, CheckReport, CheckResult
from leaderboard.local_hub.messages import Response, as_json
from tests.hub import calls
from tests.hub_server import Account, Client, Cut, LocalHub, Refuse, Say, Slow
from tests.hub_server.fixtures import CANARY
from tests.model_folders import CONFIG, LORA
from tests.safetensors_files import weights_file, with_header

CARD = "---\nlicense: apache-2.0\n---\nA model."
SHARDS = {f"model-{number}-of-3.safetensors": weights_file({f"w{number}": ("BF16", (8, 8))}) for number in (1, 2, 3)}
INDEX = json.dumps({"weight_map": {f"w{number}": f"model-{number}-of-3.safetensors" for number in (1, 2, 3)}})
MODEL: dict[str, bytes | str | None] = {
    "README.md": CARD,
    "config.json": json.dumps(CONFIG),
    "model.safetensors": weights_file({"w": ("BF16", (8, 8))}),
    "tokenizer.json": '{"version": "1.0"}',
    "tokenizer_config.json": '{"chat_template": "{{ messages }}"}',
}
SHARDED = {name: content for name, content in MODEL.items() if name != "model.safetensors"} | SHARDS
SHARDED["model.safetensors.index.json"] = INDEX


def commit(hub: LocalHub, files: dict[str, Any], name: str = "org/tiny") -> str:
    return hub.repositories.commit("model", name, files)


def looked_over(client: Client, name: str = "org/tiny", **more: Any) -> CheckReport:
    found: CheckReport = client.run(calls.looked_over, name, **more).value[name]
    return found


def refused(found: CheckReport) -> dict[CheckName, tuple[CheckResult, Cause | None]]:
    return {check.name: (check.result, check.cause) for check in found.checks if check.refuses}


def line(found: CheckReport, name: CheckName) -> Check:
    return next(check for check in found.checks if check.name is name)


FAILED, UNANSWERED = CheckResult.FAILED, CheckResult.UNANSWERED


def test_a_good_model_takes_four_requests_and_no_weights(hub: LocalHub, client: Client) -> None:
    sha = commit(hub, MODEL)
    found = looked_over(client)
    assert refused(found) == {}
    assert (found.allowed, found.model, found.revision) == (True, "org/tiny", sha)
    assert found.facts is not None
    assert (found.facts.parameters, found.facts.weight_bytes, found.facts.licence) == (64, 128, "apache-2.0")
    assert [path.rsplit("/", 1)[-1] for path in hub.asked()] == [
        "tiny",
        "config.json",
        "tokenizer_config.json",
        "model.safetensors",
    ]
    assert {request.headers.get("range", "") for request in hub.requests} == {
        "",
        "bytes=0-16777216",
        "bytes=0-99999",
    }


def test_weights_in_several_files_take_one_request_each(hub: LocalHub, client: Client) -> None:
    commit(hub, SHARDED | {"consolidated.safetensors": weights_file({"again": ("F32", (100, 100))})})
    found = looked_over(client)
    assert refused(found) == {}
    assert found.facts is not None
    assert found.facts.weight_bytes == 3 * 128
    assert sorted(path for path in hub.asked() if path.endswith(".safetensors"))[0].endswith("model-1-of-3.safetensors")
    assert len([path for path in hub.asked() if path.endswith(".safetensors")]) == 3


def test_looking_over_keeps_nothing_on_disk_and_imports_nothing_large(hub: LocalHub, client: Client) -> None:
    commit(hub, MODEL)
    looked_over(client)
    assert [path for path in client.home.rglob("*") if path.is_file() and path.stat().st_size > 100] == []
    assert client.run(calls.imported).value == []


def test_each_refusal_stands_in_its_line(hub: LocalHub, client: Client) -> None:
    without_card = {name: content for name, content in MODEL.items() if name != "README.md"}
    hub.repositories.create("model", "org/gated", gated=True)
    hub.repositories.create("model", "org/private", private=True)
    for name in ("org/gated", "org/private"):
        commit(hub, MODEL, name)
    commit(hub, without_card, "org/unlicensed")
    commit(hub, MODEL | {"README.md": "---\nlicense: unknown\n---\n"}, "org/unknown")
    found = client.run(calls.looked_over, "org/none", "org/gated", "org/private", "org/unlicensed", "org/unknown").value
    assert {name: refused(each) for name, each in found.items()} == {
        "org/none": {CheckName.EXISTS: (FAILED, Cause.NOT_FOUND)},
        "org/gated": {CheckName.ACCESS: (FAILED, Cause.GATED)},
        "org/private": {CheckName.EXISTS: (FAILED, Cause.NOT_FOUND)},
        "org/unlicensed": {CheckName.LICENCE: (FAILED, Cause.NO_LICENCE)},
        "org/unknown": {},
    }
    assert line(found["org/gated"], CheckName.EXISTS).result is CheckResult.PASSED


def test_a_private_model_that_only_our_account_sees_is_refused(hub: LocalHub, client: Client) -> None:
    hub.repositories.create("model", "org/private", private=True)
    commit(hub, MODEL, "org/private")
    hub.tokens[CANARY] = Account("leaderboard", organisations=("org",))
    assert refused(looked_over(client, "org/private")) == {CheckName.ACCESS: (FAILED, Cause.GATED)}


def test_a_gated_model_that_we_were_let_into_passes(hub: LocalHub, client: Client) -> None:
    hub.repositories.create("model", "org/gated", gated=True)
    commit(hub, MODEL, "org/gated")
    hub.tokens[CANARY] = Account("leaderboard", let_in=("org/gated",))
    found = looked_over(client, "org/gated")
    assert refused(found) == {}
    assert "was let in" in line(found, CheckName.ACCESS).message


@pytest.mark.parametrize("gated", [False, True])
def test_a_missing_revision_is_told_apart_from_a_missing_repository(hub: LocalHub, client: Client, gated: bool) -> None:
    hub.repositories.create("model", "org/tiny", gated=gated)
    commit(hub, MODEL)
    found = looked_over(client, revision="v9")
    assert line(found, CheckName.EXISTS).result is CheckResult.PASSED
    name = CheckName.ACCESS if gated else CheckName.REVISION
    assert refused(found) == {name: (FAILED, Cause.GATED if gated else Cause.NOT_FOUND)}


def test_a_repository_that_was_renamed_is_pinned_under_its_present_name(hub: LocalHub, client: Client) -> None:
    sha = commit(hub, MODEL, "org/new")
    moved = Response(307, b"", {"Location": f"{hub.url}/api/models/org/new?blobs=true"})
    hub.faults.add("/api/models/org/old", Say(moved))
    found = looked_over(client, "org/old")
    assert (found.model, found.revision, found.allowed) == ("org/new", sha, True)
    assert "goes by the name org/new now" in line(found, CheckName.EXISTS).message


def test_redirects_without_end_are_not_followed_for_ever(hub: LocalHub, client: Client) -> None:
    around = Response(307, b"", {"Location": f"{hub.url}/api/models/org/tiny"})
    hub.faults.add("/api/models/org/tiny", Say(around), times=1000)
    assert refused(looked_over(client)) == {CheckName.EXISTS: (UNANSWERED, Cause.INFRASTRUCTURE)}
    assert len(hub.requests) < 50


def test_our_token_does_not_follow_a_redirect_to_another_host(hub: LocalHub, client: Client) -> None:
    commit(hub, MODEL)
    elsewhere = hub.url.replace("127.0.0.1", "localhost")
    sha = hub.repositories.find("model", "org/tiny").resolve("main")
    path = f"/org/tiny/resolve/{sha}/model.safetensors"
    hub.faults.add("GET " + path, Say(Response(302, b"", {"Location": elsewhere + path})))
    assert refused(looked_over(client)) == {}
    sent = {request.headers["host"].split(":")[0]: request.token for request in hub.requests}
    assert sent == {"127.0.0.1": CANARY, "localhost": None}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Refuse(429, retry_after=60), id="429"),
        pytest.param(Refuse(500), id="500"),
        pytest.param(Refuse(503), id="503"),
        pytest.param(Cut(), id="cut off"),
        pytest.param(Cut(after_bytes=10), id="cut short"),
        pytest.param(Say(Response(200, b"<html>Sign in to this network</html>")), id="not the Hub"),
        pytest.param(Say(as_json({"id": "org/tiny"})), id="no commit"),
        pytest.param(Say(as_json({"id": "org/tiny", "sha": "../../x", "private": False})), id="no SHA"),
        pytest.param(Say(as_json({"id": "<script>", "sha": "0" * 40, "private": False})), id="no name"),
    ],
)
def test_a_hub_that_falters_says_nothing_of_the_model(hub: LocalHub, client: Client, fault: Any) -> None:
    commit(hub, MODEL)
    hub.faults.add("/api/models/org/tiny", fault)
    found = looked_over(client)
    assert refused(found) == {CheckName.EXISTS: (UNANSWERED, Cause.INFRASTRUCTURE)}
    assert "try again" in line(found, CheckName.EXISTS).remedy
    assert CANARY not in found.model_dump_json()
    assert refused(looked_over(client)) == {}


@pytest.mark.parametrize("fault", [Refuse(429), Refuse(503), Cut(), Cut(after_bytes=20)], ids=str)
@pytest.mark.parametrize(
    ("file", "name"),
    [("config.json", CheckName.WEIGHTS), ("model-2-of-3.safetensors", CheckName.SIZE)],
)
def test_a_hub_that_falters_halfway_stops_only_what_needs_it(
    hub: LocalHub, client: Client, fault: Any, file: str, name: CheckName
) -> None:
    commit(hub, SHARDED)
    hub.faults.add(f"GET .*/{file}", fault, times=10)
    found = looked_over(client)
    assert refused(found) == {name: (UNANSWERED, Cause.INFRASTRUCTURE)}
    assert line(found, CheckName.LICENCE).result is CheckResult.PASSED


def test_a_hub_that_falls_silent_is_given_up(hub: LocalHub, client: Client) -> None:
    commit(hub, MODEL)
    hub.faults.add("GET .*/config.json", Slow(2.0))
    found = client.run(calls.looked_over_within, 0.2, 60, "org/tiny").value["org/tiny"]
    assert refused(found) == {CheckName.WEIGHTS: (UNANSWERED, Cause.INFRASTRUCTURE)}


def test_a_file_that_keeps_dripping_is_given_up(hub: LocalHub, client: Client) -> None:
    commit(hub, MODEL | {"config.json": json.dumps(CONFIG) + " " * 2**20})
    assert refused(looked_over(client)) == {}
    found = client.run(calls.looked_over_within, 20, -1, "org/tiny").value["org/tiny"]
    assert refused(found) == {CheckName.WEIGHTS: (UNANSWERED, Cause.INFRASTRUCTURE)}


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json", "model.safetensors"])
def test_a_file_that_vanishes_between_two_questions_is_named_as_gone(hub: LocalHub, client: Client, file: str) -> None:
    commit(hub, MODEL)
    gone = Response(404, b"{}", {"X-Error-Code": "EntryNotFound"})
    hub.faults.add(f"GET .*/{file}", Say(gone))
    (answer,) = refused(looked_over(client)).values()
    assert answer == (FAILED, Cause.NOT_FOUND)


def test_a_repository_that_is_closed_while_it_is_looked_over_is_named_so(hub: LocalHub, client: Client) -> None:
    commit(hub, MODEL)
    closed = Response(403, b"{}", {"X-Error-Code": "GatedRepo"})
    hub.faults.add("GET .*/config.json", Say(closed))
    assert refused(looked_over(client)) == {CheckName.WEIGHTS: (FAILED, Cause.GATED)}


def test_whatever_the_hub_sends_no_more_is_read_than_was_asked_for(hub: LocalHub, client: Client) -> None:
    sha = commit(hub, MODEL)
    endless = Response(200, b" " * (40 * 2**20))
    hub.faults.add("GET .*/config.json", Say(endless))
    assert client.run(calls.read_start, "org/tiny", sha, "config.json", 1000).value == b" " * 1000
    hub.faults.add("GET .*/config.json", Say(endless))
    found = looked_over(client)
    assert refused(found) == {CheckName.WEIGHTS: (FAILED, Cause.LOAD_ERROR)}
    assert "larger than 16 MB" in line(found, CheckName.WEIGHTS).message


def test_compressed_bytes_are_not_blown_up(hub: LocalHub, client: Client) -> None:
    import gzip

    sha = commit(hub, MODEL)
    bomb = gzip.compress(b" " * (64 * 2**20))
    hub.faults.add("GET .*/config.json", Say(Response(200, bomb, {"Content-Encoding": "gzip"})))
    assert client.run(calls.read_start, "org/tiny", sha, "config.json", 2**20).value == bomb
    assert hub.requests[-1].headers["accept-encoding"] == "identity"


def test_sizes_that_lie_are_found_out(hub: LocalHub, client: Client) -> None:
    sha = commit(hub, MODEL)
    listed = [{"rfilename": name, "size": 1} for name in MODEL]
    told = {"id": "org/tiny", "sha": sha, "private": False, "siblings": listed, "cardData": {"license": "mit"}}
    hub.faults.add("/api/models/org/tiny", Say(as_json(told)))
    assert refused(looked_over(client)) == {CheckName.SIZE: (FAILED, Cause.LOAD_ERROR)}


@pytest.mark.parametrize("gated", [False, "manual"])
@pytest.mark.parametrize("file", ["\ud800.safetensors", "a\udfff/b"])
def test_names_that_are_no_text_are_refused(hub: LocalHub, client: Client, file: str, gated: Any) -> None:
    told = {"id": "org/tiny", "sha": "0" * 40, "private": False, "gated": gated, "siblings": [{"rfilename": file}]}
    hub.faults.add("/api/models/org/tiny", Say(as_json(told)))
    assert refused(looked_over(client)) == {CheckName.EXISTS: (FAILED, Cause.LOAD_ERROR)}


def test_hostile_repositories_are_refused_without_weights(hub: LocalHub, client: Client) -> None:
    deep = b'{"a": ' * 50_000 + b"1" + b"}" * 50_000
    many = {f"model-{number}.safetensors": b"x" for number in range(1001)}
    hostile: dict[str, tuple[dict[str, Any], CheckName, Cause]] = {
        "oversized": (
            {"model.safetensors": (2**62).to_bytes(8, "little") + b"{}"},
            CheckName.SIZE,
            Cause.UNSAFE_FORMAT,
        ),
        "cut-short": ({"model.safetensors": MODEL["model.safetensors"][:-5]}, CheckName.SIZE, Cause.LOAD_ERROR),
        "padded": ({"model.safetensors": MODEL["model.safetensors"] + b"more"}, CheckName.SIZE, Cause.LOAD_ERROR),
        "deep-header": ({"model.safetensors": with_header(deep)}, CheckName.SIZE, Cause.LOAD_ERROR),
        "deep-config": ({"config.json": deep}, CheckName.WEIGHTS, Cause.LOAD_ERROR),
        "climbing": (
            {"model.safetensors.index.json": '{"weight_map": {"a": "../../x/model.safetensors"}}'},
            CheckName.WEIGHTS,
            Cause.UNSAFE_FORMAT,
        ),
        "many": (many, CheckName.WEIGHTS, Cause.UNSAFE_FORMAT),
        "code": (
            {"config.json": json.dumps(CONFIG | {"auto_map": {"AutoModel": "x.Y"}})},
            CheckName.WEIGHTS,
            Cause.UNSAFE_FORMAT,
        ),
        "pickle": ({"model.safetensors": None, "pytorch_model.bin": b"x"}, CheckName.WEIGHTS, Cause.UNSAFE_FORMAT),
        "gguf": ({"model.safetensors": None, "model.gguf": b"x"}, CheckName.WEIGHTS, Cause.UNSAFE_FORMAT),
        "foreign": (
            {"config.json": json.dumps(CONFIG | {"architectures": ["Mine"]})},
            CheckName.ARCHITECTURE,
            Cause.LOAD_ERROR,
        ),
        "base": ({"tokenizer_config.json": "{}"}, CheckName.CHAT_TEMPLATE, Cause.NO_CHAT_TEMPLATE),
        "card": ({"README.md": "---\nself: x\n---\n"}, CheckName.EXISTS, Cause.LOAD_ERROR),
    }
    for name, (changes, _, _) in hostile.items():
        commit(hub, {key: value for key, value in (MODEL | changes).items() if value is not None}, f"evil/{name}")
    found = client.run(calls.looked_over, *(f"evil/{name}" for name in hostile)).value
    assert {name.removeprefix("evil/"): refused(each) for name, each in found.items()} == {
        name: {check: (FAILED, cause)} for name, (_, check, cause) in hostile.items()
    }
    assert not any(path.endswith((".bin", ".gguf")) for path in hub.asked())


def test_an_adapter_is_looked_over_with_its_model(hub: LocalHub, client: Client) -> None:
    attention = {"model.layers.0.self_attn.q_proj.weight": ("BF16", (8, 8))}
    commit(hub, MODEL | {"model.safetensors": weights_file(attention)})
    settings = {"peft_type": "LORA", "r": 4, "base_model_name_or_path": "Org/Tiny"}
    files = {"adapter_config.json": json.dumps(settings), "adapter_model.safetensors": LORA, "README.md": CARD}
    sha = commit(hub, files, "org/lora")
    found = looked_over(client, adapter="org/lora")
    assert (found.allowed, found.adapter, found.adapter_revision) == (True, "org/lora", sha)
    assert line(found, CheckName.ADAPTER).result is CheckResult.PASSED
    commit(hub, {"adapter_config.json": json.dumps(settings | {"base_model_name_or_path": "org/other"})}, "org/lora")
    assert line(looked_over(client, adapter="org/lora"), CheckName.ADAPTER).result is CheckResult.WARNED


def test_an_adapter_that_does_not_answer_is_not_one_that_is_wrong(hub: LocalHub, client: Client) -> None:
    commit(hub, MODEL)
    hub.faults.add("/api/models/org/lora", Refuse(503))
    found = looked_over(client, adapter="org/lora")
    assert refused(found) == {CheckName.ADAPTER: (UNANSWERED, Cause.INFRASTRUCTURE)}


def test_an_adapter_that_only_our_account_sees_is_refused(hub: LocalHub, client: Client) -> None:
    hub.repositories.create("model", "org/lora", private=True)
    commit(hub, MODEL)
    commit(hub, {"adapter_config.json": '{"peft_type": "LORA", "r": 4}', "adapter_model.safetensors": LORA}, "org/lora")
    hub.tokens[CANARY] = Account("leaderboard", organisations=("org",))
    assert refused(looked_over(client, adapter="org/lora")) == {CheckName.ADAPTER: (FAILED, Cause.GATED)}
