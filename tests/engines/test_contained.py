"""How far an engine is confined where its worker is no root and calls to the kernel are filtered, as in a container."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evaluator.engines.calls import MACHINES, REFUSED
from evaluator.engines.launch import NOBODY, confinement_here
from tests.engines.contained_probe import library
from tests.engines.test_confine import look_as_nobody

PROFILE = json.loads((Path(__file__).parents[2] / "docker" / "worker-seccomp.json").read_text())
"""What `compose.yaml` gives to a worker."""


def has_filters() -> bool:
    try:
        library()
    except OSError:
        return False
    return True


pytestmark = [
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0 or len(confinement_here().done) < 4,
        reason="needs root, and a kernel that lets it make name spaces",
    ),
    pytest.mark.skipif(not has_filters(), reason="needs the library libseccomp"),
]


def refusing(*calls: str, number: int = 1) -> dict[str, Any]:
    """The profile with further calls refused."""
    rule = {"names": list(calls), "action": "SCMP_ACT_ERRNO", "errnoRet": number}
    others = [each for each in PROFILE["syscalls"] if not set(each["names"]) & {*calls}]
    return {**PROFILE, "syscalls": [*others, rule]}


@pytest.fixture
def site() -> Iterator[Path]:
    """The data folder of a site that belongs to the worker's user, with a model, a result and a socket in it."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        (data / "models" / "tiny").mkdir(parents=True)
        (data / "models" / "tiny" / "config.json").write_text("{}")
        (data / "store").mkdir()
        (data / "store" / "row").write_text("canary")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"{data}/redis.sock")
            server.listen()
            for path in (Path(folder), data, *data.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
            yield data


def look(profile: dict[str, Any], data: Path, **asked: Any) -> dict[str, Any]:
    model = data / "models" / "tiny"
    return look_as_nobody(
        profile=profile,
        environment={"RAPPORT_DATA": str(data), "RAPPORT_REDIS_URL": f"unix://{data}/redis.sock"},
        folders=[str(model)],
        reads=[str(model / "config.json"), str(data / "store" / "row")],
        writes=[str(model), str(data / "store")],
        sockets=[f"{data}/redis.sock"],
        **asked,
    )


def test_the_profile_that_ships_allows_all_that_somebody_who_is_not_root_can_have(site: Path) -> None:
    told = look(PROFILE, site)

    assert told["done"] == ["no network", "no home", "no new privileges"]
    assert told["hindered"] == []
    assert (told["powers"], told["interfaces"], told["talks_to_itself"]) == (0, ["lo"], True)
    model, row, *worker = told["reads"].values()
    assert (model, row, worker) == (True, False, [False, False])
    assert not any(told["writes"].values())
    assert not any(told["connects"].values())
    assert sorted(path.name for path in site.rglob("written")) == []


def test_without_the_profile_that_falls_away_and_is_told(site: Path) -> None:
    told = look(refusing("unshare", "mount"), site, private=True)

    assert told["done"] == ["no new privileges"]
    assert {name: reason.split(" (")[0] for name, reason in told["hindered"]} == {
        "user namespace": "Operation not permitted",
        "no network": "Operation not permitted",
        "no home": "Operation not permitted",
    }
    assert all(told["connects"].values())  # Which is why the site's Redis asks for a password.


def test_where_only_mounts_are_refused_as_by_dockers_apparmor_the_network_is_gone_all_the_same(site: Path) -> None:
    told = look(refusing("mount", number=13), site)

    assert told["done"] == ["no network", "no new privileges"]
    assert [name for name, _ in told["hindered"]] == ["no home"]
    assert told["interfaces"] == ["lo"]


@pytest.mark.parametrize("private", [False, True])
def test_what_a_worker_knows_is_kept_from_an_engine_of_the_same_user_by_the_worker_itself(
    site: Path, private: bool
) -> None:
    told = look(refusing("unshare", "mount"), site, private=private)

    worker = {path: read for path, read in told["reads"].items() if path.startswith("/proc")}
    assert set(worker) == {f"/proc/{told['pid']}/environ", f"/proc/{told['pid']}/mem"}
    assert set(worker.values()) == {not private}


@pytest.mark.parametrize("name", MACHINES)
def test_the_numbers_of_refused_calls_are_those_of_their_machines(name: str) -> None:
    machine, known = MACHINES[name], library()

    def number(call: str) -> int:
        return int(known.seccomp_syscall_resolve_name_arch(ctypes.c_uint32(machine.id), call.encode()))

    assert {call: numbers[machine.column] for call, numbers in REFUSED.items()} == {
        call: number(call) for call in REFUSED
    }
    assert (number("clone"), number("clone3")) == (machine.clone, 435)
