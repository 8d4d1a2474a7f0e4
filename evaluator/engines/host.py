"""The process in which an engine lives: `python -m evaluator.engines.host`, spoken to in JSON lines.

It stands in a process group of its own. When the process that started it goes away, however that happens, its standard
input ends and it takes the whole group with it: no engine child survives the work it was started for.

Standard input carries one `spec` line, then `generate` lines; standard output carries `info`, `completion`, `done` and
`error` lines. Everything that libraries print goes to standard error.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from typing import IO, Any

from evaluator.engines.base import EngineSpec, Message, Request, Sampling
from evaluator.errors import Cause, RapportError


def main() -> None:
    """Serves one engine until standard input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin, lines), daemon=True).start()
    try:
        _serve(lines, answers)
    except Exception as error:
        _send(answers, {"error": _typed(error)})
        raise


def _listen(source: IO[str], lines: queue.Queue[str]) -> None:
    """Hands over what arrives; when the other side is gone, ends the whole process group."""
    for line in source:
        lines.put(line)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _serve(lines: queue.Queue[str], answers: IO[str]) -> None:
    """Loads the engine and answers requests."""
    from evaluator.engines.load import load_engine

    engine = load_engine(EngineSpec.model_validate_json(lines.get()))
    _send(answers, {"info": engine.info.model_dump(mode="json")})
    while True:
        asked = json.loads(lines.get())["generate"]
        requests = [
            Request(key, group, tuple(Message(role, content) for role, content in messages))
            for key, group, messages in asked["requests"]
        ]
        try:
            for completion in engine.generate(requests, Sampling.model_validate(asked["sampling"])):
                _send(answers, {"completion": completion.model_dump(mode="json"), "peak_rss_mb": engine.peak_rss_mb()})
        except RapportError as error:  # A request that this engine refuses; it can still serve others.
            _send(answers, {"error": _typed(error)})
            continue
        _send(answers, {"done": True, "peak_rss_mb": engine.peak_rss_mb()})


def _send(answers: IO[str], value: dict[str, Any]) -> None:
    """Writes one line."""
    answers.write(json.dumps(value) + "\n")
    answers.flush()


def _typed(error: Exception) -> dict[str, str]:
    """Names the cause of a failure for the other side."""
    if isinstance(error, RapportError):
        return {"cause": error.cause, "message": error.message, "remedy": error.remedy}
    text = " ".join(str(error).split())[:500] or type(error).__name__
    if isinstance(error, MemoryError) or "out of memory" in text.lower() or "no available memory" in text.lower():
        return {
            "cause": Cause.OUT_OF_MEMORY,
            "message": f"The engine ran out of memory: {text}.",
            "remedy": "Use a machine with more memory, or a smaller model.",
        }
    return {
        "cause": Cause.LOAD_ERROR,
        "message": f"The engine could not load or run the model: {text}",
        "remedy": "Check that the model loads in the engine's pinned version; its log has the details.",
    }


if __name__ == "__main__":
    main()
