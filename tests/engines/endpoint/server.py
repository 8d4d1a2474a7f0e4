"""A real `vllm serve` of a model, for as long as it is entered."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

from tests.waiting import until

SERVED = "tiny"
KEY_VARIABLE = "RAPPORT_TEST_KEY"
KEY = "canary-key-of-the-test"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class VllmServer:
    """Asks for a key, tells cached tokens, and takes what the model's repository says for its default sampling."""

    def __init__(self, model: Path, log: Path) -> None:
        self.port = free_port()
        self._log = log
        options = {
            "--model": str(model),
            "--served-model-name": SERVED,
            "--host": "127.0.0.1",
            "--port": str(self.port),
            "--dtype": "float32",
            "--block-size": "32",
            "--uvicorn-log-level": "warning",
        }
        flags = ["--enforce-eager", "--enable-prompt-tokens-details", "--enable-prefix-caching"]
        self._command = [
            *(sys.executable, "-m", "leaderboard.processes", str(os.getpid())),
            *(sys.executable, "-m", "vllm.entrypoints.openai.api_server"),
            *(part for option in options.items() for part in option),
            *flags,
        ]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        environment = {
            **os.environ,
            "VLLM_API_KEY": KEY,
            "VLLM_CPU_KVCACHE_SPACE": "1",
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
            "VLLM_NO_USAGE_STATS": "1",
            "HF_HUB_OFFLINE": "1",
            "TORCHDYNAMO_DISABLE": "1",
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            until(self._ready, what="the server is ready", within=240)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _ready(self) -> bool:
        assert self._process.poll() is None, self._log.read_text(errors="replace")[-3000:]
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=10) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError):
            return False

    def __exit__(self, *exc: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
