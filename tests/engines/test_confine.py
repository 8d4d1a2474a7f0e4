"""A process that holds a model can do as little as the machine lets us see to, and says so."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from evaluator.engines.base import Message
from evaluator.engines.confine import Plan, confinement
from evaluator.engines.launch import NOBODY, _code, confinement_here, launch
from evaluator.engines.tokenizer_only import TokenizerProcess, TokenizerSpec
from evaluator.errors import Cause, RapportError
from tests.tiny_model import make_tiny_model
from tests.waiting import until

ROOT = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or len(confinement_here().done) < 4,
    reason="needs root, and a kernel that lets it make name spaces",
)
ALL = ["no network", "no home", "own user", "no new privileges"]


@pytest.fixture
def secret_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of whoever runs the worker, with a token in it."""
    home = tmp_path / "home"
    (home / ".cache" / "huggingface").mkdir(parents=True)
    (home / ".cache" / "huggingface" / "token").write_text("canary")
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def port() -> Iterator[int]:
    """A server of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def look(folders: list[Path], **asked: Any) -> dict[str, Any]:
    """What a process can do that reads these folders."""
    launched = launch("tests.engines.confined_probe", folders, sys.stderr.buffer)
    try:
        told, _ = launched.process.communicate(json.dumps(asked).encode())
        answer: dict[str, Any] = json.loads(told)
        return answer
    finally:
        launched.discard()
        assert not launched.home.exists()


def look_as_nobody(**asked: Any) -> dict[str, Any]:
    """What a process can do that a worker has started which is not root."""
    command = [sys.executable, "-m", "tests.engines.nobody", "tests.engines.contained_probe"]
    told = subprocess.run(command, input=json.dumps(asked).encode(), stdout=subprocess.PIPE, check=True).stdout
    answer: dict[str, Any] = json.loads(told)
    return answer


@ROOT
def test_an_engine_of_a_worker_that_is_root_is_somebody_else_without_network_or_any_power(port: int) -> None:
    told = look([], ports=[("127.0.0.1", port)])

    assert told["done"] == ALL
    assert told["hindered"] == []
    assert told["user"][:2] == [[NOBODY] * 3] * 2
    assert 0 not in told["user"][2]
    assert (told["powers"], told["new_privileges"], told["becomes_root"]) == (0, False, False)
    assert told["makes_name_spaces"] is False
    assert told["interfaces"] == ["lo"]
    assert told["reaches"] == [False]
    assert told["talks_to_itself"]


@ROOT
def test_it_sees_its_model_and_nothing_else_of_its_owners_home(secret_home: Path) -> None:
    model = secret_home / "models" / "tiny"
    model.mkdir(parents=True)
    (model / "config.json").write_text("{}")
    token = secret_home / ".cache" / "huggingface" / "token"
    environ = f"/proc/{os.getpid()}/environ"

    told = look(
        [model], there=[str(token), str(secret_home)], reads=[str(model / "config.json"), environ], writes=[str(model)]
    )

    assert told["there"] == {str(token): False, str(secret_home): True}
    assert told["reads"] == {str(model / "config.json"): True, environ: False}
    assert told["writes"] == {str(model): False}
    assert token.read_text() == "canary"


@ROOT
def test_a_model_in_the_hubs_cache_is_readable_through_its_links_in_closed_folders(tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "hub" / "model" / "blobs", tmp_path / "hub" / "model" / "snapshots" / "0a1b"
    for folder in (blobs, snapshot):
        folder.mkdir(parents=True)
    (blobs / "c0ffee").write_text("{}")
    (snapshot / "config.json").symlink_to("../../blobs/c0ffee")
    (tmp_path / "hub" / "token").write_text("canary")
    (tmp_path / "hub").chmod(0o700)

    told = look([snapshot], reads=[str(snapshot / "config.json"), str(tmp_path / "hub" / "token")])

    assert [*told["reads"].values()] == [True, False]
    assert "own user" in told["done"]


@ROOT
def test_a_closed_folder_is_opened_for_its_model_alone(tmp_path: Path) -> None:
    model, empty, other = (tmp_path / name for name in ("model", "empty", "other"))
    for folder in (model, empty, other):
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        folder.chmod(0o700)
    (empty / "config.json").unlink()
    files = [str(folder / "config.json") for folder in (model, other)]

    told = look([model, empty], reads=files, there=[str(empty)])

    assert [*told["reads"].values()] == [True, False]
    assert told["there"] == {str(empty): True}
    assert "own user" in told["done"]
    assert model.stat().st_mode & 0o777 == 0o700


@ROOT
def test_a_worker_that_is_not_root_gets_all_but_another_user(secret_home: Path, port: int) -> None:
    token = str(secret_home / ".cache" / "huggingface" / "token")
    told = look_as_nobody(environment={"HOME": str(secret_home)}, ports=[("127.0.0.1", port)], there=[token])

    assert told["done"] == ["no network", "no home", "no new privileges"]
    assert told["hindered"] == []
    assert told["makes_name_spaces"] is False
    assert told["there"] == {token: False}
    assert told["user"][:2] == [[NOBODY] * 3] * 2
    assert (told["powers"], told["reaches"], told["talks_to_itself"]) == (0, [False], True)


@ROOT
def test_another_user_can_be_named_and_root_can_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_ENGINE_UID", "12345")
    assert look([])["user"][0] == [12345] * 3
    monkeypatch.setenv("RAPPORT_ENGINE_UID", "0")
    told = look([])
    assert (told["user"][0], told["done"]) == ([0, 0, 0], ["no network", "no home", "no new privileges"])


@ROOT
def test_what_the_kernel_refuses_is_told_with_its_reason_and_the_rest_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    programs = [*_code(), "/proc/1/environ"]
    monkeypatch.setattr("evaluator.engines.launch._code", lambda: programs)
    told = look([])
    assert "own user" not in told["done"]
    assert dict(told["hindered"])["own user"].startswith(f"user {NOBODY} may not use /proc/1/environ")
    assert {"no network", "no new privileges"} <= set(told["done"])


@ROOT
def test_root_without_the_right_to_make_name_spaces_runs_what_only_root_can_reach(tmp_path: Path) -> None:
    # As in most containers; the model lies in root's own cache.
    closed = tmp_path / "closed"
    make_tiny_model(closed / "tiny")
    closed.chmod(0o700)
    script = textwrap.dedent(f"""
        import ctypes
        assert ctypes.CDLL(None).prctl(24, 21, 0, 0, 0) == 0  # Drops CAP_SYS_ADMIN for all programs to come.
        from pathlib import Path
        from evaluator.engines.base import Message
        from evaluator.engines.tokenizer_only import TokenizerProcess, TokenizerSpec
        spec = TokenizerSpec(model_path={str(closed / "tiny")!r})
        with TokenizerProcess(spec, Path({str(tmp_path / "log")!r})) as it:
            print(it.confined, it.count_tokens([(Message("user", "Hello"),)]))
    """)
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert said.stdout == "('no new privileges',) [8]\n", said.stderr
    log = (tmp_path / "log").read_text()
    assert "'no network' cannot be had here: Operation not permitted" in log
    assert f"'own user' cannot be had here: user {NOBODY} may not use" in log


@ROOT
def test_weights_that_only_their_owner_may_read_are_named_with_a_remedy(tiny_model: Path, tmp_path: Path) -> None:
    weights = tiny_model / "model.safetensors"
    weights.chmod(0o600)
    try:
        with pytest.raises(RapportError, match=r"model\.safetensors .* cannot be read by user 65534") as refusal:
            TokenizerProcess(TokenizerSpec(model_path=str(tiny_model)), tmp_path / "log")
    finally:
        weights.chmod(0o644)

    assert refusal.value.cause is Cause.INFRASTRUCTURE
    assert "chmod -R a+rX" in refusal.value.remedy


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has name spaces")
def test_it_works_and_tells_so_on_every_machine(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_model.parent)  # A relative folder is that of whoever starts it.
    with TokenizerProcess(TokenizerSpec(model_path=tiny_model.name), tmp_path / "log") as tokenizer:
        assert tokenizer.count_tokens([(Message("user", "Hello"),)])
        assert tokenizer.confined == confinement_here().done
        assert "no new privileges" in tokenizer.confined
        home = home_of(tokenizer._process.pid)
        assert home.stat().st_mode & 0o777 == 0o700
        (home / "cache").mkdir(exist_ok=True)
    assert not home.exists()
    assert confinement() == ((), ())


def test_its_home_is_its_own_to_write() -> None:
    here, home, scratch = look([])["home"]

    assert here == home
    assert Path(scratch).parent == Path(home)


def home_of(pid: int) -> Path:
    told = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return Path(next(each for each in told if each.startswith(b"HOME=")).removeprefix(b"HOME=").decode())


def test_its_home_is_gone_too_when_its_owner_is_killed(tiny_model: Path, tmp_path: Path) -> None:
    script = textwrap.dedent(f"""
        from pathlib import Path
        from evaluator.engines.tokenizer_only import TokenizerProcess, TokenizerSpec
        tokenizer = TokenizerProcess(TokenizerSpec(model_path={str(tiny_model)!r}), Path("log"))
        print(tokenizer._process.pid, flush=True)
        import time; time.sleep(600)
    """)
    owner = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    home = home_of(pid)
    (home / "kept").mkdir()
    os.chown(home / "kept", home.stat().st_uid, -1)
    members = [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]

    owner.kill()
    owner.wait()

    until(lambda: not home.exists(), what="the home is gone")
    until(lambda: not any(psutil.pid_exists(each) for each in members), what="the whole group is gone")


def test_what_a_process_left_that_was_killed_together_with_its_owner_is_removed_by_the_next() -> None:
    left, kept = (launch("tests.engines.confined_probe", [], sys.stderr.buffer) for _ in range(2))
    try:
        os.killpg(left.process.pid, signal.SIGKILL)
        left.process.wait()
        assert left.home.exists()

        look([])

        assert not left.home.exists()
        assert kept.home.exists()
    finally:
        kept.process.kill()
        kept.process.wait()
        kept.discard()


def test_a_plan_survives_being_written_as_json() -> None:
    plan = Plan("module", "/home", ("/a b",), ("/c",), (), NOBODY)
    assert [tuple(each) if isinstance(each, list) else each for each in json.loads(json.dumps(plan))] == [*plan]


def test_no_core_of_a_process_that_holds_prompts_is_written() -> None:
    assert look([])["core"] == [0, 0]
