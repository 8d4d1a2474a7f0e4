"""A model in a process of its own, seen from the side that started it.

The process sees no token, no Hub and no inherited standard streams, and can do as little as the machine lets us see to
(`confine.py`). It is started fresh (never forked from a process that has used threads) and its whole process group is
gone when the work is. It may not be silent for ever either: a hanging driver would hold its worker for good.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

from evaluator.engines.channel import LineChannel
from evaluator.engines.launch import launch
from evaluator.errors import Cause, RapportError
from evaluator.records import Record
from evaluator.redaction import tail

LOAD_SECONDS = 1800.0
"""How long a model may take to be loaded."""

SILENT_SECONDS = 1800.0
"""How long a model at work may take for its next answer."""

_NO_MEMORY = ("MemoryError", "bad_alloc", "Cannot allocate memory", "memory allocation failed")
"""Last words of processes that had not even the memory to report their error."""

Info = TypeVar("Info", bound=Record)


class Killed(RapportError):
    """A process was ended from outside, most likely for want of memory; it may do better beside other neighbours."""


class Crashed(RapportError):
    """An engine ended by itself: perhaps a fault of the machine, and if it does so again and again, of the model."""


class ChildProcess(Generic[Info]):
    """A loaded model in a child process that is spoken to in JSON lines; `hosting.py` is the other side."""

    MODULE: ClassVar[str]
    """What the process runs, as `python -m` names it."""
    ROLE: ClassVar[str]
    """What it is called in errors."""
    IF_SILENT: ClassVar[str]
    """What to do about one that hangs."""
    DEATH: ClassVar[type[RapportError]] = RapportError
    """What it is when it ends by itself."""

    def __init__(
        self,
        spec: Record,
        info: type[Info],
        reads: Iterable[Path],
        log: Path,
        load_seconds: float = LOAD_SECONDS,
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        """Starts the process and waits until the model is loaded.

        Args:
            spec: What to load; paths in it are absolute.
            info: What the process answers to that.
            reads: The folders that it reads for it.
            log: The file that takes its output.
            load_seconds: How long it may take for that.
            silent_seconds: How long it may take for every later answer.

        Raises:
            RapportError: What the process reported (`load_error`, `out_of_memory`, ...), `timeout` if it took longer
                than `load_seconds`, `out_of_memory` / `infrastructure` if it died without a word, or `infrastructure`
                if it may not read its folders.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        self._patience = load_seconds
        self._timed_out: RapportError | None = None
        self._peak_rss_mb = 0.0
        with log.open("ab") as errors:
            self._launched = launch(self.MODULE, reads, errors)
        self._process = self._launched.process
        self._channel = LineChannel(self._process)
        try:
            self._send(spec.model_dump(mode="json"))
            told = self._receive()
            self._info = info.model_validate(told["info"])
            self._confined = tuple(told["confined"])
            self._patience = silent_seconds
        except BaseException:
            self.close()
            raise

    @property
    def info(self) -> Info:
        """What the loaded model says of itself."""
        return self._info

    @property
    def confined(self) -> tuple[str, ...]:
        """What keeps the process from doing harm, such as `no network`; see `confine.py`."""
        return self._confined

    def peak_rss_mb(self) -> float:
        """Returns the highest resident memory that the process has reported so far, in MB."""
        return self._peak_rss_mb

    def close(self) -> None:
        """Ends the whole process group and removes its folder; safe to call twice."""
        self._kill()
        self._launched.discard()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _kill(self) -> None:
        """Kills the whole process group and waits until the process is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> Self:
        """Returns the process itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Ends the process."""
        self.close()

    def _send(self, value: dict[str, Any]) -> None:
        """Writes one line to the process."""
        try:
            self._channel.send(json.dumps(value).encode(), self._patience)
        except TimeoutError as error:
            raise self._give_up() from error
        except BrokenPipeError as error:
            raise self._death() from error

    def _receive(self) -> dict[str, Any]:
        """Reads one line from the process; an error line, a silent and a dead process become a typed error."""
        try:
            line = self._channel.receive(self._patience)
        except TimeoutError as error:
            raise self._give_up() from error
        if line is None:
            raise self._death()
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            reported = answer["error"]
            raise RapportError(Cause(reported["cause"]), reported["message"], reported["remedy"])
        self._peak_rss_mb = max(self._peak_rss_mb, answer.get("peak_rss_mb", 0.0))
        return answer

    def _give_up(self) -> RapportError:
        """Ends a process that has been silent for too long, and says so."""
        self._kill()
        self._timed_out = RapportError(
            Cause.TIMEOUT,
            f"The {self.ROLE} gave no sign of life for {self._patience / 60:g} minutes and was ended.",
            self.IF_SILENT,
        )
        return self._timed_out

    def _death(self) -> RapportError:
        """Says how a process that is gone came to its end."""
        if self._timed_out:
            return self._timed_out
        code = self._process.wait()
        if code == -signal.SIGKILL:
            return Killed(
                Cause.OUT_OF_MEMORY,
                f"The {self.ROLE} was killed, most likely because the machine ran out of memory.",
                "Use a machine with more memory, or a smaller model.",
            )
        words = self._last_words()
        if any(sign in line for line in tail(self._log) for sign in _NO_MEMORY):
            return RapportError(
                Cause.OUT_OF_MEMORY,
                f"The {self.ROLE} ended for want of memory; its last words: {words}",
                "Use a machine with more memory, or a smaller model.",
            )
        return self.DEATH(
            Cause.INFRASTRUCTURE,
            f"The {self.ROLE} ended unexpectedly with code {code}; its last words: {words}",
            f"See {self._log.name} on the worker, then try again.",
        )

    def _last_words(self) -> str:
        """Returns the last line of the process's log."""
        return next(iter(tail(self._log, lines=1)), "none")
