"""An engine in a process of its own, behind the same Protocol as any other.

The engine sees no token, no Hub and no inherited standard streams; it is started fresh (never forked from a process
that has used threads) and its whole process group is gone when the work is.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from evaluator.engines.base import Completion, EngineInfo, EngineSpec, Request, Sampling
from evaluator.errors import Cause, RapportError

_KEPT = ("PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH")
_KEPT_FAMILIES = (
    "CUDA_",
    "NVIDIA_",
    "NCCL_",
    "VLLM_",
    "TORCH_",
    "OMP_",
    "MKL_",
    "KMP_",
    "LC_",
    "XDG_CACHE_",
    "HF_HOME",
)
_SECRETS = ("TOKEN", "SECRET", "PASSW", "CREDENTIAL", "KEY", "URL")
_TAIL_LINES = 20


class EngineProcess:
    """A loaded engine in a child process.

    Example:
        >>> with EngineProcess(spec, Path("engine.log")) as engine:  # doctest: +SKIP
        ...     for completion in engine.generate(requests, Sampling(max_tokens=48)):
        ...         print(completion.text)
    """

    def __init__(self, spec: EngineSpec, log: Path) -> None:
        """Starts the process and waits until the model is loaded; its output goes to the file `log`.

        Raises:
            RapportError: What the engine reported (`load_error`, `out_of_memory`, `no_chat_template`), or
                `out_of_memory` / `infrastructure` if it died without a word.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        self._peak_rss_mb = 0.0
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "evaluator.engines.host"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_environment(),
                text=True,
                encoding="utf-8",
                start_new_session=True,
            )
        try:
            self._send(spec.model_dump(mode="json"))
            self._info = EngineInfo.model_validate(self._receive()["info"])
        except BaseException:
            self.close()
            raise

    @property
    def info(self) -> EngineInfo:
        """See `Engine.info`."""
        return self._info

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> Iterator[Completion]:
        """See `Engine.generate`."""
        self._send(
            {
                "generate": {
                    "requests": [[item.key, item.group, [list(part) for part in item.messages]] for item in requests],
                    "sampling": sampling.model_dump(mode="json"),
                }
            }
        )
        while True:
            answer = self._receive()
            self._peak_rss_mb = max(self._peak_rss_mb, answer["peak_rss_mb"])
            if "done" in answer:
                return
            yield Completion.model_validate(answer["completion"])

    def peak_rss_mb(self) -> float:
        """See `Engine.peak_rss_mb`."""
        return self._peak_rss_mb

    def close(self) -> None:
        """Ends the whole process group; safe to call twice."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # Unsent input of an engine that is gone.
                    stream.close()

    def __enter__(self) -> Self:
        """Returns the engine itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Closes the engine."""
        self.close()

    def _send(self, value: dict[str, Any]) -> None:
        """Writes one line to the engine."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(value) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._death() from error

    def _receive(self) -> dict[str, Any]:
        """Reads one line from the engine; an error line and a dead engine become a typed error."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._death()
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            reported = answer["error"]
            raise RapportError(Cause(reported["cause"]), reported["message"], reported["remedy"])
        return answer

    def _death(self) -> RapportError:
        """Says how an engine that is gone came to its end."""
        code = self._process.wait()
        if code == -signal.SIGKILL:
            return RapportError(
                Cause.OUT_OF_MEMORY,
                "The engine was killed, most likely because the machine ran out of memory.",
                "Use a machine with more memory, or a smaller model.",
            )
        return RapportError(
            Cause.INFRASTRUCTURE,
            f"The engine ended unexpectedly with code {code}; its last words: {self._last_words()}",
            f"See {self._log.name} on the worker, then try again.",
        )

    def _last_words(self) -> str:
        """Returns the last line of the engine's log."""
        with self._log.open(encoding="utf-8", errors="replace") as lines:
            tail = deque((line.strip() for line in lines if line.strip()), maxlen=_TAIL_LINES)
        return tail[-1][:300] if tail else "none"


def _environment() -> dict[str, str]:
    """The engine's environment: what libraries need by name, so no secret gets in; no Hub, no usage reports."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if (name in _KEPT or name.startswith(_KEPT_FAMILIES)) and not any(word in name.upper() for word in _SECRETS)
    }
    return {
        **kept,
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUNBUFFERED": "1",
    }
