"""Chat templates of strangers, written out where they can do no harm: in transformers' sandbox, in another process.

The sandbox keeps a template from everything but computing. How long it computes, how much memory it takes and how much
it writes is bounded by that process, which is ended when it goes beyond; see `template_host.py`.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from evaluator.engines.channel import LineChannel
from evaluator.errors import Cause, RapportError
from evaluator.records import Record
from evaluator.redaction import redact

_PATIENCE = 120.0
"""Seconds after which even a process that was never given a processor is given up."""
_END_SECONDS = 1.0
_LARGEST = 2**20
"""Characters of a template; the longest in use has some ten thousand."""
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "XDG_CACHE_HOME", "HF_HOME", "PYTHONPATH")
_REMEDY = "Mend the template: it must take user and assistant messages in turn, the last one from the user."


class Limits(Record):
    """What a template may take for one conversation.

    Example:
        >>> Limits().seconds
        5.0
    """

    seconds: float = Field(default=5.0, gt=0)
    """Of a processor's time, so that a busy machine makes no template slow."""
    memory_mib: int = Field(default=512, gt=0)
    """Beyond what its process takes when idle."""
    characters: int = Field(default=2**22, gt=0)
    """Of the prompt: a million tokens have no more."""


class Template:
    """A model's chat template.

    Example:
        >>> greeting = Template("{{ bos_token }}{{ messages[0].content }}!", {"bos_token": "<s>"}, "org/model")
        >>> greeting.write([{"role": "user", "content": "Hello"}])
        '<s>Hello!'
    """

    def __init__(self, template: str, tokens: Mapping[str, Any], model: str, limits: Limits | None = None) -> None:
        """Takes the template of `model` and the tokens that it may name.

        Raises:
            RapportError: `load_error` if the template is larger than any honest one.
        """
        self._model, self._limits = model, limits or Limits()
        told = {name: value if isinstance(value, list) else str(value) for name, value in tokens.items()}
        self._task = {"template": template, "tokens": told, "limits": self._limits.model_dump()}
        if len(template) > _LARGEST:
            raise self._unfit(f"has {len(template):,} characters, more than {_LARGEST:,}")

    def write(self, messages: Sequence[Mapping[str, str]], **arguments: Any) -> str:
        """Returns the prompt of a conversation, up to where the answer begins.

        Args:
            messages: Of the conversation, each with its `role` and `content`.
            arguments: What else the template is told, as JSON knows it.

        Raises:
            RapportError: `load_error`, if the template refuses the conversation, writes nothing, or takes more than
                its limits; whatever it was, the next conversation is tried afresh.
        """
        answer = _process().ask({**self._task, "messages": list(messages), "arguments": arguments})
        if "text" not in answer:
            raise self._unfit(self._reason(answer))
        if not answer["text"].strip():
            raise self._unfit("writes nothing")
        return answer["text"]

    def _reason(self, answer: dict[str, str]) -> str:
        """Says why there is no text."""
        if "refused" in answer:
            return f"refuses the conversation: {redact(answer['refused'])}"
        if "ended" in answer:
            return f"ended the process that writes it out, with code {answer['ended']}"
        return {
            "memory": f"needs more than {self._limits.memory_mib} MiB of memory for one conversation",
            "characters": f"writes more than {self._limits.characters:,} characters for one conversation",
            "recursion": "calls itself without end",
            "time": f"computes for more than {self._limits.seconds:g} seconds on one conversation",
        }[answer["too_much"]]

    def _unfit(self, reason: str) -> RapportError:
        """Says that the template cannot be used."""
        return RapportError(Cause.LOAD_ERROR, f"The chat template of {self._model} {reason}.", _REMEDY)


class _TemplateProcess:
    """The process in which templates are written out: started when it is needed, and again after it had to end."""

    def __init__(self) -> None:
        """Starts nothing yet."""
        self._running: tuple[subprocess.Popen[bytes], LineChannel] | None = None

    def ask(self, task: dict[str, Any]) -> dict[str, str]:
        """Returns what came of one conversation."""
        process, channel = running = self._running or _start()
        self._running = None  # Should this be interrupted, its answer must not be taken for that to the next.
        answer: dict[str, str] = {}
        with contextlib.suppress(BrokenPipeError):  # Its end shows in what it does not answer.
            try:
                channel.send(json.dumps(task).encode(), _PATIENCE)
                answer = json.loads(channel.receive(_PATIENCE) or "{}")
            except TimeoutError:
                answer = {"too_much": "time"}
        if answer and "too_much" not in answer:
            self._running = running
            return answer
        _end(process)
        if answer or process.returncode == -signal.SIGPROF:
            return answer or {"too_much": "time"}
        return {"ended": f"{process.returncode}"}


@functools.cache
def _process() -> _TemplateProcess:
    """Returns the one that serves all templates of this process."""
    return _TemplateProcess()


def _start() -> tuple[subprocess.Popen[bytes], LineChannel]:
    """Starts a process, which ends when its standard input does."""
    ours = str(Path(__file__).resolve().parents[2])
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    paths = os.pathsep.join(filter(None, (ours, kept.get("PYTHONPATH", ""))))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "evaluator.engines.template_host"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**kept, "PYTHONPATH": paths, "HF_HUB_OFFLINE": "1"},
        bufsize=0,
    )
    atexit.register(_end, process)
    return process, LineChannel(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process, unless it is about to end itself: then its own code tells why; safe to call twice."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_END_SECONDS)
    process.kill()
    process.wait()
