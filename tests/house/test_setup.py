"""What `make setup` does, seen with stand-ins for everything slow that it calls."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.waiting import until

ROOT = Path(__file__).parents[2]

PYTHON = """#!/bin/bash
root=$(cd "$(dirname "$0")/.." && pwd)
case "$*" in
  -c*) exit 0 ;;
  *"-m venv"*)
    echo "$*" >>"$root/calls"
    rm -rf .venv && mkdir -p .venv/bin
    ln -s "$root/bin/pip" .venv/bin/python
    ln -s "$root/bin/rapport" .venv/bin/rapport ;;
esac
"""
PIP = """#!/bin/bash
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
[ "$*" = "-m pip --version" ] && exit 0
echo "$*" >>"$root/calls"
echo "$HOME" >"$root/home"
[ -e "$root/says" ] && { cat "$root/says"; exit 1; }
[ -e "$root/hangs" ] && { trap "exit 1" INT; touch "$root/hanging"; while :; do sleep 0.01; done; }
exit 0
"""
RAPPORT = '#!/bin/bash\nmkdir -p "$3/SmolLM2-135M-Instruct"; touch "$3/SmolLM2-135M-Instruct/README.md"\n'
NVIDIA = '#!/bin/bash\n[ -e "$(dirname "$0")/../gpu" ]\n'


class Machine:
    """A checkout and the programs that setting it up calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("scripts/setup.sh", "locks/cpu.txt", "locks/gpu.txt", "pyproject.toml"):
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        (folder / "bin").mkdir()
        for name, text in {"python": PYTHON, "pip": PIP, "rapport": RAPPORT, "nvidia-smi": NVIDIA}.items():
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)

    def environment(self, **changes: str) -> dict[str, str]:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return {"PATH": path, "PYTHON": "python", "HOME": str(self.folder), **changes}

    def set_up(self, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["scripts/setup.sh"],
            cwd=self.folder,
            env=self.environment(**changes),
            check=False,
            capture_output=True,
            text=True,
        )

    def calls(self) -> list[str]:
        """Returns what was called since the last look, each by its last word, and forgets it."""
        calls = self.folder / "calls"
        lines = calls.read_text().splitlines() if calls.exists() else []
        calls.unlink(missing_ok=True)
        return [line.split()[-1] for line in lines]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


ON_A_CPU = ["torch==2.13.0+cpu", "locks/cpu.txt", "."]
ON_A_GPU = ["locks/gpu.txt", "."]


def test_without_a_gpu_the_cpu_build_is_installed_once(machine: Machine) -> None:
    assert machine.set_up().returncode == 0
    assert machine.calls() == [".venv", *ON_A_CPU]

    assert machine.set_up().returncode == 0
    assert machine.calls() == []


def test_a_changed_lock_is_installed_over_the_same_build(machine: Machine) -> None:
    machine.set_up()
    machine.calls()
    (machine.folder / "locks" / "cpu.txt").write_text("# changed")

    assert machine.set_up().returncode == 0

    assert machine.calls() == ON_A_CPU


def test_where_a_gpu_comes_or_goes_the_environment_starts_afresh(machine: Machine) -> None:
    machine.set_up()
    machine.calls()

    (machine.folder / "gpu").touch()
    assert machine.set_up().returncode == 0
    assert machine.calls() == [".venv", *ON_A_GPU]

    (machine.folder / "gpu").unlink()
    assert machine.set_up().returncode == 0
    assert machine.calls() == [".venv", *ON_A_CPU]


@pytest.mark.parametrize(
    ("says", "advice"),
    [
        ("NewConnectionError: [Errno -3] Temporary failure in name resolution", "check the network"),
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("something else", "Check the network and the free disk"),
    ],
)
def test_a_failed_step_says_what_to_do_and_the_next_try_goes_on_from_there(
    machine: Machine, says: str, advice: str
) -> None:
    (machine.folder / "says").write_text(says)
    failed = machine.set_up()
    assert failed.returncode == 1
    assert 'FAILED at "install torch for the CPU"' in failed.stderr
    assert advice in failed.stderr
    machine.calls()

    (machine.folder / "says").unlink()
    assert machine.set_up().returncode == 0
    assert machine.calls() == ON_A_CPU


def test_an_unfinished_build_never_mixes_with_the_other(machine: Machine) -> None:
    (machine.folder / "says").write_text("no")
    machine.set_up()
    (machine.folder / "says").unlink()
    machine.calls()
    (machine.folder / "gpu").touch()

    machine.set_up()

    assert machine.calls() == [".venv", *ON_A_GPU]


def test_ctrl_c_is_no_failure_and_leaves_nothing_that_looks_finished(machine: Machine) -> None:
    (machine.folder / "hangs").touch()
    # Whoever runs the tests in the background may have them ignore Ctrl-C, which a shell could not undo.
    running = subprocess.Popen(
        ["env", "--default-signal=INT", "scripts/setup.sh"],
        cwd=machine.folder,
        env=machine.environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until((machine.folder / "hanging").exists, what="a step is under way")

    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=60)

    assert running.returncode == 130
    assert "FAILED" not in said
    assert "goes on from here" in said
    machine.calls()
    (machine.folder / "hangs").unlink()
    machine.set_up()
    assert machine.calls() == ON_A_CPU


@pytest.mark.parametrize("home", ["", "/nowhere/at/all", "/proc"])
def test_without_a_home_that_can_be_written_caches_go_into_the_environment(machine: Machine, home: str) -> None:
    assert machine.set_up(HOME=home).returncode == 0

    assert Path((machine.folder / "home").read_text().strip()).is_relative_to(machine.folder / ".venv")
