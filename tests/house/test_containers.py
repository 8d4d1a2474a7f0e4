"""What can be known of the container files without running them."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from evaluator.demo_model import DEMO_MODEL
from evaluator.judges.spec import load_judge
from leaderboard.settings import Settings

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
    assert used <= {f"RAPPORT_{setting.upper()}" for setting in Settings.model_fields}


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
