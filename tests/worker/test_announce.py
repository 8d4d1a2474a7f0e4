"""What a worker says of its machine."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from leaderboard.fleet import Gpu
from leaderboard.gpus import gpus
from leaderboard.records import Lane
from leaderboard.settings import Settings
from worker.announce import announcement_of

TELLING = """#!/bin/sh
echo "$@" > {asked}
printf 'NVIDIA H100 80GB HBM3, 81559\\nOdd, name, 4096\\n'
"""
FAILING = "#!/bin/sh\nexit 9\n"


@pytest.fixture
def smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts a command called nvidia-smi, or none, in the place of the real one."""

    def put(script: str | None) -> Path:
        if script is not None:
            command = tmp_path / "nvidia-smi"
            command.write_text(script.format(asked=tmp_path / "asked"))
            command.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path) if script is None else f"{tmp_path}:{os.environ['PATH']}")
        return tmp_path / "asked"

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return put


def test_gpus_are_those_that_the_driver_tells(smi):
    smi(TELLING)
    assert gpus() == (
        Gpu(name="NVIDIA H100 80GB HBM3", memory_bytes=81559 * 2**20),
        Gpu(name="Odd, name", memory_bytes=4096 * 2**20),
    )


def test_only_the_gpus_that_the_process_may_use_are_asked_for(smi, monkeypatch):
    asked = smi(TELLING)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,3")
    gpus()
    assert "-i 1,3" in asked.read_text()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpus() == ()


@pytest.mark.parametrize("script", [None, FAILING], ids=["no driver", "a broken driver"])
def test_without_a_driver_there_are_no_gpus(smi, script):
    smi(script)
    assert gpus() == ()


def test_a_worker_tells_its_machine_lanes_and_engine(smi):
    smi(None)
    settings = Settings(
        engine="transformers", lanes=(Lane.JUDGE,), kv_cache_gib=2, context_tokens=4096, dtype="bfloat16"
    )
    said = announcement_of(settings, "gpu-1-7")
    assert (said.name, said.lanes, said.gpus, said.run_id) == ("gpu-1-7", (Lane.JUDGE,), (), None)
    assert (said.engine, said.dtype, said.kv_cache_bytes, said.context_tokens) == (
        "transformers",
        "bfloat16",
        2 * 2**30,
        4096,
    )
    assert said.engine_version.startswith("5.")
    assert said.memory_bytes == psutil.virtual_memory().total
