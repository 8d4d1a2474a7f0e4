"""An engine never outlives its work and never fails without a typed cause."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from evaluator.engines.base import Message, Request, Sampling
from evaluator.engines.process import EngineProcess
from evaluator.errors import Cause, RapportError
from tests.engines.conftest import spec_of
from tests.tiny_model import CHAT_TEMPLATE, DATED_TEMPLATE, make_tiny_model

GREEDY = Sampling(max_tokens=2000)
ENDLESS_TEMPLATE = (
    "{% if messages[-1]['content'] == 'endless' %}"
    "{% for a in range(99999) %}{% for b in range(99999) %}{% set c = a * b %}{% endfor %}{% endfor %}{% endif %}"
    + CHAT_TEMPLATE
)
ENDLESS = [Request("q", "q", (Message("user", "endless"),))]


def wait_until_gone(pids: set[int]) -> None:
    """Waits until none of the processes runs; the test's own time-out is the bound."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids):
            return
        time.sleep(0.05)
    pytest.fail(f"still running: {pids}")


def test_closing_ends_the_whole_process_group(tiny_model: Path, tmp_path: Path) -> None:
    engine = EngineProcess(spec_of(tiny_model), tmp_path / "log")
    pids = {child.pid for child in psutil.Process().children(recursive=True)}
    own = {pid for pid in pids if "engines.host" in " ".join(psutil.Process(pid).cmdline())}
    assert own

    engine.close()
    engine.close()

    wait_until_gone({engine._process.pid})


def test_the_engine_ends_when_its_owner_is_killed(tiny_model: Path, tmp_path: Path) -> None:
    script = textwrap.dedent(f"""
        from pathlib import Path
        from evaluator.engines.base import EngineSpec
        from evaluator.engines.process import EngineProcess
        engine = EngineProcess(EngineSpec.model_validate_json({spec_of(tiny_model).model_dump_json()!r}), Path("log"))
        print(engine._process.pid, flush=True)
        import time; time.sleep(600)
    """)
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    owner = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
    )
    assert owner.stdout is not None
    engine_pid = int(owner.stdout.readline())
    group = {engine_pid, *(child.pid for child in psutil.Process(engine_pid).children(recursive=True))}

    owner.kill()
    owner.wait()

    wait_until_gone(group)


def test_an_engine_killed_at_work_is_reported_as_out_of_memory(tiny_model: Path, tmp_path: Path) -> None:
    with EngineProcess(spec_of(tiny_model, "transformers"), tmp_path / "log") as engine:
        os.killpg(engine._process.pid, signal.SIGKILL)
        with pytest.raises(RapportError, match="killed") as death:
            list(engine.generate(ENDLESS, GREEDY))

    assert death.value.cause is Cause.OUT_OF_MEMORY


def test_an_engine_that_a_chat_template_never_lets_go_is_ended_in_time(tmp_path: Path) -> None:
    endless = make_tiny_model(tmp_path / "endless", chat_template=ENDLESS_TEMPLATE)
    with EngineProcess(spec_of(endless, "transformers"), tmp_path / "log", silent_seconds=0.5) as engine:
        for _ in range(2):  # Whoever asks again hears the same, not that the memory ran out.
            with pytest.raises(RapportError, match="no sign of life") as silence:
                list(engine.generate(ENDLESS, GREEDY))
            assert silence.value.cause is Cause.TIMEOUT
            assert silence.value.remedy
        assert engine._process.poll() is not None


def test_an_engine_that_takes_too_long_to_load_is_ended(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(RapportError, match="no sign of life") as silence:
        EngineProcess(spec_of(tiny_model, "transformers"), tmp_path / "log", load_seconds=0.01)

    assert silence.value.cause is Cause.TIMEOUT


def test_a_model_without_chat_template_is_refused_by_the_engine_too(tmp_path: Path) -> None:
    base_model = make_tiny_model(tmp_path / "base", chat_template=None)

    with pytest.raises(RapportError, match="no chat template") as refusal:
        EngineProcess(spec_of(base_model, "transformers"), tmp_path / "log")

    assert refusal.value.cause is Cause.NO_CHAT_TEMPLATE


def test_weights_that_cannot_be_loaded_are_a_load_error_naming_what_is_wrong(tiny_model: Path, tmp_path: Path) -> None:
    broken = make_tiny_model(tmp_path / "broken")
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(
        json.dumps({**config, "architectures": ["NoSuchModel"], "model_type": "nosuch"})
    )

    with pytest.raises(RapportError, match="nosuch") as refusal:
        EngineProcess(spec_of(broken), tmp_path / "log")

    assert refusal.value.cause is Cause.LOAD_ERROR
    assert refusal.value.remedy


def test_templates_that_ask_for_the_date_get_the_pinned_one(tmp_path: Path) -> None:
    dated = make_tiny_model(tmp_path / "dated", chat_template=DATED_TEMPLATE)
    with EngineProcess(spec_of(dated, "transformers"), tmp_path / "log") as engine:
        (completion,) = engine.generate([Request("q", "q", (Message("user", "x"),))], Sampling(max_tokens=1))
        arguments = dict(engine.info.chat_template_arguments)

    assert arguments == {"date_string": "01 Jan 2025", "strftime_now": "2025-01-01", "system_role": "native"}
    assert completion.prompt_tokens == len("01 January 2025 01 Jan 2025 ") + 4


def test_the_engine_sees_no_secret_of_its_owner(
    monkeypatch: pytest.MonkeyPatch, tiny_model: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_TOKEN", "canary-token")
    monkeypatch.setenv("RAPPORT_REDIS_URL", "redis://:canary-password@nowhere")
    with EngineProcess(spec_of(tiny_model, "transformers"), tmp_path / "log") as engine:
        seen = Path(f"/proc/{engine._process.pid}/environ").read_bytes()

    assert b"canary" not in seen
    assert b"HF_HUB_OFFLINE=1" in seen
